"""MQTT 3.1.1: one connection after another, QoS 1 both ways, bounded in memory.

The broker may send anything: what is no packet ends the connection, what is too large is drained and handed
on cut short, an acknowledgement nobody waits for is ignored.
"""

import asyncio
import struct

from diat_node.port import GONE, since, ticks

_TOGETHER = 512
"""Bytes below which head and payload are one write."""


class Refused(Exception):
    """The broker does not take our credential; asking again with the same is of no use."""


class Message:
    """What is delivered at QoS 1: sent again as the same message until the broker has it."""

    def __init__(self, topic, payload, retain=False):
        self.topic = topic
        self.payload = payload
        self.retain = retain
        self.pid = 0


def field(value):
    """Text or bytes, with their length before them."""
    if isinstance(value, str):
        value = value.encode()
    return struct.pack("!H", len(value)) + value


def packet(kind, *parts, more=0):
    """A control packet of a body in parts, ``more`` bytes of which follow."""
    length = more + sum([len(part) for part in parts])
    head = bytearray((kind,))
    while True:
        length, digit = length >> 7, length & 127
        head.append(digit | 128 if length else digit)
        if not length:
            return b"".join((head,) + parts)


def connect_packet(name, keepalive, username, password, will):
    """CONNECT to a session that the broker keeps; ``will`` is a retained QoS 1 ``Message``."""
    flags, rest = 0, field(name)
    if will:
        flags |= 0x2C
        rest += field(will.topic) + field(will.payload)
    if username is not None:
        flags |= 0x80
        rest += field(username)
    if password is not None:
        flags |= 0x40
        rest += field(password)
    return packet(0x10, b"\0\4MQTT\4", bytes((flags,)), struct.pack("!H", int(keepalive)), rest)


class Client:
    """One session at a broker.

    Args:
        name: the client id.
        on_message: called with topic, payload, whether it was retained, what to ``acknowledge`` (0: nothing),
            and whether the payload is whole.
        keepalive: seconds; a broker silent for one and a half of them is gone.
        patience: seconds in which an answer must come.
        largest: bytes of a packet that are kept; the rest is drained.

    Attributes:
        up: whether the broker took the connection and it is not known to be broken.
        failure: why the last connection ended.
        sent: bytes written in all connections.
    """

    def __init__(self, name, on_message, keepalive=30, patience=10, largest=2048):
        self.name, self.keepalive, self.patience, self.largest = name, keepalive, patience, largest
        self._on_message = on_message
        self._pid = 0
        self._awaited = {}
        self._lock = asyncio.Lock()
        self._reader = self._writer = None
        self._tasks = ()
        self._heard = self._said = 0
        self.up = False
        self.failure = None
        self.sent = 0
        self.ended = asyncio.Event()

    async def connect(self, open, username=None, password=None, will=None):
        """Connect; whether the broker still had our session.

        Raises:
            Refused: not with this credential.
            OSError: there is no broker, or it does not answer.
        """
        self.close()
        self.ended = asyncio.Event()
        self.failure = None
        try:
            self._reader, self._writer = await asyncio.wait_for(open(), self.patience)
            await self._send(connect_packet(self.name, self.keepalive, username, password, will))
            answer = await asyncio.wait_for(self._reader.readexactly(4), self.patience)
            if answer[:2] != b"\x20\2" or answer[3] > 5:
                raise OSError("no MQTT")
            if answer[3]:
                raise OSError("unavailable") if answer[3] == 3 else Refused(answer[3])
        except BaseException as error:
            self.close()
            if isinstance(error, asyncio.TimeoutError):
                raise OSError(110)
            raise
        self._heard = self._said = ticks()
        self.up = True
        self._tasks = (asyncio.create_task(self._serve()), asyncio.create_task(self._keep()))
        return bool(answer[2] & 1)

    async def subscribe(self, filters):
        """Subscribe to all of them at QoS 1; those that the broker denies, as a list."""
        body = b"".join([field(each) + b"\1" for each in filters])
        pid = self._next()
        codes = await self._exchange(pid, packet(0x82, struct.pack("!H", pid), body))
        return [each for each, code in zip(filters, codes) if code > 2]

    async def deliver(self, message):
        """Send a message and wait until the broker has it; call it again with the same one if that fails."""
        flags = 0x3A if message.pid else 0x32
        message.pid = pid = message.pid or self._next()
        body = message.payload
        head = packet(flags | message.retain, field(message.topic) + struct.pack("!H", pid), more=len(body))
        await self._exchange(pid, head, body)

    async def acknowledge(self, token):
        """Tell the broker that a message need not come again; nothing if its connection is gone."""
        pid, ended = token or (0, None)
        if pid and ended is self.ended and self.up:
            await self._send(b"\x40\2" + struct.pack("!H", pid))

    async def leave(self):
        """Disconnect in order."""
        try:
            await self._send(b"\xe0\0")
        except GONE:
            pass
        self.close()

    def fail(self, why):
        """End this connection; who waits for an answer gets an OSError."""
        if not self.ended.is_set():
            self.failure = why
            self.close()

    def close(self):
        """Let go of the socket and of all who wait."""
        self.up = False
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self._tasks = ()
        if self._writer is not None:
            try:
                self._writer.close()
            except GONE:
                pass
            self._reader = self._writer = None
        for waiting in self._awaited.values():
            waiting[0].set()
        self.ended.set()

    def _next(self):
        self._pid = self._pid % 65535 + 1
        return self._pid

    async def _exchange(self, pid, data, more=b""):
        waiting = self._awaited[pid] = [asyncio.Event(), None]
        try:
            await self._send(data, more)
            await asyncio.wait_for(waiting[0].wait(), self.patience)
        except asyncio.TimeoutError:
            self.fail("no answer")
            raise OSError(110)
        finally:
            del self._awaited[pid]
        if waiting[1] is None:
            raise OSError(104)
        return waiting[1]

    async def _send(self, data, more=b""):
        # One writer at a time: MicroPython's drain() loses what is written meanwhile.
        async with self._lock:
            writer = self._writer
            if writer is None:
                raise OSError(104)
            if len(more) < _TOGETHER:
                # Two small writes would wait for each other on the way.
                data, more = data + more, b""
            try:
                for part in (data, more) if more else (data,):
                    writer.write(part)
                    await writer.drain()
                    self.sent += len(part)
            except GONE as failure:
                self.fail(failure)
                raise
            self._said = ticks()

    async def _serve(self):
        try:
            while True:
                await self._take()
        except Exception as failure:
            self.fail(failure)

    async def _keep(self):
        half = self.keepalive * 500
        try:
            while True:
                await asyncio.sleep(half / 2000)
                at = ticks()
                if since(at, self._heard) > 3 * half:
                    raise OSError(110)
                if since(at, self._said) > half or since(at, self._heard) > half:
                    await self._send(b"\xc0\0")
        except Exception as failure:
            self.fail(failure)

    async def _take(self):
        """Read one packet and do what it says."""
        read = self._reader.readexactly
        kind, length, shift = (await read(1))[0], 0, 0
        while True:
            digit = (await read(1))[0]
            length |= (digit & 127) << shift
            shift += 7
            if not digit & 128:
                break
            if shift > 21:
                raise OSError("malformed")
        body = await read(min(length, self.largest))
        for start in range(self.largest, length, 256):
            await read(min(256, length - start))
            await asyncio.sleep(0)
        self._heard = ticks()
        op = kind >> 4
        if op == 3:
            self._publish(kind, body, len(body) == length)
        elif op == 4 or op == 9:
            if length < 2:
                raise OSError("malformed")
            waiting = self._awaited.get(body[0] << 8 | body[1])
            if waiting:
                waiting[1] = body[2:]
                waiting[0].set()
        elif op != 13:
            raise OSError("malformed")

    def _publish(self, kind, body, whole):
        qos = kind >> 1 & 3
        end = 2 + (body[0] << 8 | body[1]) if len(body) > 1 else 65536
        start = end + 2 if qos else end
        if start > len(body) or qos > 1:
            raise OSError("malformed")
        token = (body[end] << 8 | body[end + 1], self.ended) if qos else None
        try:
            topic = body[2:end].decode()
        except UnicodeError:
            raise OSError("malformed")
        self._on_message(topic, body[start:], bool(kind & 1), token, whole)
