"""A small living house of real MQTT clients: rooms that obey physics, things in three dialects.

Where what lives: ``physics`` (pure), ``link`` (one MQTT connection), ``zigbee2mqtt`` and ``tasmota`` (one
dialect each), ``rooms`` (what stands where), ``process`` (one room as a process), ``house`` (all rooms
against one broker). ``crowd``: nodes of the firmware as one asks for them.
"""
