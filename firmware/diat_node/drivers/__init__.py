"""Drivers. Each is an object whose methods give a value, or take one: ``node.property(name, read, write)``.

A bus or a pin is passed in, so a driver does not know which board it is on. A fault on the bus is an OSError.
"""
