"""Side-by-side measurements of the platform and of the bare building blocks it is made of.

``python -m benchmarks`` (or ``make bench``) measures both in one run, because machines differ and are noisy:
what counts is the ratio, not the figure.

    ingest    messages a second into the database, beside the least that could do it (``limit``)
    latency   from a sensor's reading to the command at the actuator, beside a bare MQTT echo (``echo``)
    rules     CPU time of a reading through filter, window and rule, beside Node-RED (``node_red``)
    things    what 1,000, 10,000 and 50,000 things cost (``scale``, ``python -m benchmarks things``)

``subjects`` starts what is measured, ``load``, ``latency`` and ``rule_feed`` are the clients that measure it.
"""
