# What makes of the interpreter in WebAssembly a board: its asyncio driven from outside, errors numbered as on chips.
import asyncio
import asyncio.core as core
import builtins
import gc
import os
import sys

import _host

_sleep_ms = asyncio.sleep_ms


def sleep_ms(ms):
    global _sleeps
    _sleeps = True
    # Polling with no pause would never give the host a turn.
    pause = _sleep_ms(ms if ms > 0 else 1)
    _sleeps = False
    return pause


asyncio.sleep_ms = core.sleep_ms = sleep_ms
asyncio.sleep = core.sleep = lambda seconds: sleep_ms(int(seconds * 1000))
core._schedule_run_iter = lambda ms: _host.arm(1 if _full else ms)
core.new_event_loop()
asyncio.run = lambda coro: asyncio.create_task(coro)


peak = 0
_ticks = core.ticks
_at = _ticks()
_sleeps = _full = _begun = False
_MOST = _host.heap() - 9000
_LONG_AGO = 3600_000


def _now():
    """The time of this call; long ago for the scheduler if there is too little memory for another task."""
    global _full, _begun
    if _sleeps:
        return _at
    _full = _begun and gc.mem_alloc() > _MOST
    _begun = True
    return core.ticks_add(_at, -_LONG_AGO) if _full else _at


core.ticks = _now


def pump():
    """Run what is due. Nothing can be collected within a call from outside, so ask for it at its end.

    What falls due meanwhile, or when there is little memory left, waits for the next call: on a chip it would
    find the garbage collected.
    """
    global peak, _at, _full, _begun
    _at = _ticks()
    _full = _begun = False
    core._run_iter()
    peak = max(peak, gc.mem_alloc())
    gc.collect()


from streams import open_connection, ready

asyncio.open_connection = open_connection
asyncio.current_task = core.current_task


def _urandom(count):
    return bytes([_host.random() & 255 for _ in range(count)])


os.urandom = _urandom
_NUMBERS = {44: 2, 20: 17, 54: 20, 31: 21, 55: 39, 2: 13, 51: 28}


def _numbered(module, names):
    def wrap(function):
        def call(*args, **more):
            try:
                return function(*args, **more)
            except OSError as error:
                raise OSError(_NUMBERS.get(error.errno, error.errno))

        return call

    for name in names:
        setattr(module, name, wrap(getattr(module, name)))


_numbered(os, ("stat", "ilistdir", "listdir", "mkdir", "remove", "rmdir", "rename", "chdir"))
_numbered(builtins, ("open",))
