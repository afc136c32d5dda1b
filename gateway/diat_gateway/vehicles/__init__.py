"""Vehicle localisation: cameras see vehicles, their places on the ground go to aggregators and to the cloud.

Needs the extra ``cameras``. ``ground`` takes pixels to metres, ``sightings`` makes the records of one
camera, ``observer`` tells them as a native thing. ``setup`` is the switch: what sensors do, and where the
rest is worked out. ``sensor`` and ``unit`` are the processes; ``system`` starts all that a setup asks for.
The map itself is the shipped composite ``vehicle-map``.
"""
