# Streams of asyncio, with the names and the behaviour that MicroPython's own have on a chip.
import asyncio

import _host
import uctypes

_waiting = {}


def ready(fd):
    event = _waiting.get(fd)
    if event:
        event.set()


async def _change(fd):
    event = _waiting[fd]
    await event.wait()
    event.clear()


class Stream:
    def __init__(self, fd):
        self._fd = fd
        self._out = b""
        self._reads = 0

    async def readexactly(self, n):
        # Nothing is collected within a call from outside, as it would be on a chip: end the call now and then.
        self._reads = (self._reads + 1) % 8
        if not self._reads:
            await asyncio.sleep_ms(1)
        data, got = bytearray(n), 0
        while got < n:
            count = _host.receive(self._fd, uctypes.addressof(data) + got, n - got)
            if count == -11:
                await _change(self._fd)
            elif count < 0:
                raise OSError(-count)
            elif count == 0:
                raise EOFError
            else:
                got += count
        return data

    def write(self, data):
        if not self._out:
            # As on a chip, what goes out at once is never copied.
            count = _host.send(self._fd, uctypes.addressof(data), len(data))
            if count == len(data):
                return
            if count < 0 and count != -11:
                raise OSError(-count)
            data = data[max(count, 0) :]
        self._out += data

    async def drain(self):
        # As on a chip, what is written while this waits is lost.
        out, at = self._out, 0
        while at < len(out):
            part = memoryview(out)[at:]
            count = _host.send(self._fd, uctypes.addressof(part), len(part))
            if count == -11:
                await asyncio.sleep_ms(5)
            elif count < 0:
                raise OSError(-count)
            else:
                at += count
        self._out = b""

    def close(self):
        _host.close(self._fd)
        event = _waiting.pop(self._fd, None)
        if event:
            event.set()


async def open_connection(host, port, ssl=None):
    fd = _host.connect(host, port)
    if fd < 0:
        raise OSError(-fd)
    _waiting[fd] = asyncio.Event()
    stream = Stream(fd)
    while True:
        state = _host.state(fd)
        if state > 0:
            return stream, stream
        if state < 0:
            stream.close()
            raise OSError(-state)
        await _change(fd)
