# What makes of the interpreter in WebAssembly a board: its asyncio driven from outside, errors numbered as on chips.
import asyncio
import asyncio.core as core
import builtins
import gc
import os
import sys

import _host

_sleep_ms = asyncio.sleep_ms

# Polling with no pause would never give the host a turn.
asyncio.sleep_ms = lambda ms: _sleep_ms(ms if ms > 0 else 1)
asyncio.sleep = lambda seconds: _sleep_ms(max(1, int(seconds * 1000)))
core._schedule_run_iter = lambda ms: _host.arm(ms)
core.new_event_loop()
asyncio.run = lambda coro: asyncio.create_task(coro)


peak = 0
_ticks = core.ticks
_at = _ticks()
core.ticks = lambda: _at


def pump():
    """Run what is due. Nothing can be collected within a call from outside, so ask for it at its end.

    What falls due meanwhile waits for the next call: on a chip it would find the garbage collected.
    """
    global peak, _at
    _at = _ticks()
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
