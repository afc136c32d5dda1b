"""What differs between MicroPython and CPython, and nothing else."""

import json
import os
import sys
import time

MICRO = sys.implementation.name == "micropython"
GONE = (OSError, EOFError)
"""What a broken connection raises; CPython's IncompleteReadError is an EOFError."""

if MICRO:
    ticks, since = time.ticks_ms, time.ticks_diff
else:

    def ticks():
        """Milliseconds that never jump; on MicroPython they wrap."""
        return time.monotonic_ns() // 1_000_000

    def since(now, before):
        """Milliseconds from one count to another."""
        return now - before


def const(value):
    """A number that the compiler for chips puts in wherever its name stands, if that begins with ``_``."""
    return value


def text(value):
    """JSON without a space, UTF-8."""
    return json.dumps(value, separators=(",", ":")).encode()


def unix():
    """Unix milliseconds if the system knows the time (from NTP, or kept through a reset), else None."""
    seconds = time.time() + (946684800 if time.gmtime(0)[0] == 2000 else 0)
    return int(seconds * 1000) if seconds > 1700000000 else None


def new_boot():
    """A number that no boot had before: 46 random bits."""
    return int.from_bytes(os.urandom(6), "big") >> 2


def finite(value):
    """Whether it can be written as JSON: NaN and the infinities cannot."""
    # Taken from themselves they give NaN.
    return not isinstance(value, float) or value - value == 0


def number(value):
    """Whether it is a number; True and False are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
