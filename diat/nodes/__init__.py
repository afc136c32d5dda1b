"""Native things in this process: the firmware itself, on CPython."""
