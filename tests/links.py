"""A line between two hosts that a test can cut, slow and make lossy: a TCP proxy that counts what passes.

::

    with Link(("127.0.0.1", core.mqtt)) as link:    # whoever connects to link.port is talking to the core
        link.shape(rate=10_000, delay=0.1)          # bytes a second each way, seconds each way
        link.cut()                                  # connections are reset, further ones too
        link.cut(silently=True)                     # a pulled cable: everybody waits, nobody is told
        link.mend()
        link.up, link.down, link.total              # bytes that arrived at the other end

What a proxy cannot show is lost single packets: TCP would have sent them again. What an application sees of a
bad line is that it is slow, stands still in the middle of a message, or breaks, and so does this one.
By itself: ``python -m tests.links 127.0.0.1:1883 --port 2883 --rate 10000``.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import random
import signal
import socket
import struct
import threading
import time

PACKET = 1448
"""Bytes that go at once, as in one Ethernet frame: rate, loss and stalls are by packet."""

ROOM = 64
"""Packets under way in one direction of one connection; then the sender feels that the line is slow."""

PATIENCE = 10.0
"""Seconds that the other end has to take a connection, and that ``close`` takes at most."""


@dataclasses.dataclass(frozen=True)
class Shape:
    """How good the line is, each way.

    Attributes:
        rate: bytes a second of all connections together; None is as fast as can be.
        delay: seconds that each packet takes more.
        resets: how likely a packet breaks its connection, half of it having arrived.
        stalls: how likely a connection stands still in the middle of a packet …
        stall: … and for how many seconds.
    """

    rate: float | None = None
    delay: float = 0.0
    resets: float = 0.0
    stalls: float = 0.0
    stall: float = 0.5


class _Way:
    """One direction of the line: whose turn it is, and what arrived."""

    def __init__(self):
        self.bytes = 0
        self._free_at = 0.0

    async def turn(self, size, rate):
        """Wait until the line has carried what is before this packet, and it."""
        now = time.monotonic()
        self._free_at = max(self._free_at, now) + (size / rate if rate else 0.0)
        if self._free_at > now:
            await asyncio.sleep(self._free_at - now)


class Link:
    """A port of the loopback interface that leads to another address; a thread of its own carries the bytes.

    Attributes:
        port: where to connect to.
        connections: how many were made since it began.
        resets: how many connections the line broke, by ``cut`` or by chance.
    """

    def __init__(self, to, *, port=0, seed=1, **shape):
        self.to = to
        self.connections = 0
        self.resets = 0
        self._way = {"up": _Way(), "down": _Way()}
        self._shape = Shape(**shape)
        self._chance = random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._whole = asyncio.Event()
        self._whole.set()
        self._broken = False
        self._carried = set()
        self._thread = threading.Thread(target=self._run, name=f"link-{self.port}")
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- what a test does to it ---

    def shape(self, **shape):
        """Make it better or worse from now on: the fields of ``Shape``; those not named stay."""
        self._shape = dataclasses.replace(self._shape, **shape)

    def cut(self, *, silently=False):
        """Cut it: connections are reset, or (silently) just hear nothing more until it is mended."""
        self._do(self._whole.clear)
        if not silently:
            self._do(self._break)

    def mend(self):
        """Make it whole: what waited goes on, and connections are taken again."""
        self._do(self._heal)

    def drop(self):
        """Reset the connections there are; whoever connects again gets through."""
        self._do(self._reset)

    @property
    def up(self):
        """Bytes that arrived where the link leads to."""
        return self._way["up"].bytes

    @property
    def down(self):
        """Bytes that came back to those who connected."""
        return self._way["down"].bytes

    @property
    def total(self):
        """Bytes both ways."""
        return self.up + self.down

    @property
    def open(self):
        """How many connections there are at this moment."""
        return len(self._carried)

    def close(self):
        """End it and its connections."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._serving.cancel)
            self._thread.join(PATIENCE)

    # --- the thread ---

    def _do(self, what):
        """Have the thread do it, and return when it has."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (what(), done.set()))
        assert done.wait(PATIENCE), "the link does not answer"

    def _break(self):
        self._broken = True
        self._reset()

    def _reset(self):
        for task in tuple(self._carried):
            task.cancel()

    def _heal(self):
        self._broken = False
        self._whole.set()

    def _run(self):
        self._serving = self._loop.create_task(self._serve())
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._serving)
        self._loop.close()

    async def _serve(self):
        try:
            while True:
                caller, _ = await self._loop.sock_accept(self._listener)
                caller.setblocking(False)
                self.connections += 1
                if self._broken:
                    self._abort(caller)
                    continue
                task = asyncio.create_task(self._carry(caller))
                self._carried.add(task)
                task.add_done_callback(self._carried.discard)
        finally:
            self._listener.close()
            for task in (left := tuple(self._carried)):
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _carry(self, caller):
        """One connection, from its beginning to its end."""
        called = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        called.setblocking(False)
        try:
            await self._whole.wait()
            async with asyncio.timeout(PATIENCE):
                await self._loop.sock_connect(called, self.to)
            for each in (caller, called):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._one_way(caller, called, self._way["up"]))
                both.create_task(self._one_way(called, caller, self._way["down"]))
        except* (OSError, TimeoutError):
            self._abort(caller, called)
        except* asyncio.CancelledError:
            self._abort(caller, called)
        finally:
            caller.close()
            called.close()

    async def _one_way(self, source, target, way):
        """Read on while earlier packets are still under way: a delay is no limit of the rate."""
        under_way = asyncio.Queue(ROOM)

        async def read():
            while packet := await self._loop.sock_recv(source, PACKET):
                await under_way.put((time.monotonic(), packet))
            await under_way.put((time.monotonic(), b""))

        async with asyncio.TaskGroup() as both:
            both.create_task(read())
            both.create_task(self._deliver(under_way, target, way))

    async def _deliver(self, under_way, target, way):
        while True:
            since, packet = await under_way.get()
            await self._whole.wait()
            shape = self._shape
            await way.turn(len(packet), shape.rate)
            await asyncio.sleep(max(0.0, since + shape.delay - time.monotonic()))
            await self._whole.wait()
            if not packet:
                target.shutdown(socket.SHUT_WR)
                return
            half = len(packet) // 2
            if self._chance.random() < shape.resets:
                await self._arrive(target, packet[:half], way)
                raise ConnectionResetError
            if self._chance.random() < shape.stalls:
                await self._arrive(target, packet[:half], way)
                await asyncio.sleep(shape.stall)
                packet = packet[half:]
            await self._arrive(target, packet, way)

    async def _arrive(self, target, some, way):
        await self._loop.sock_sendall(target, some)
        way.bytes += len(some)

    def _abort(self, *ends):
        """Close at once, so that the peer is told of a reset and not of an orderly end."""
        self.resets += 1
        for end in ends:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()


def main():
    """Run one until it is told to end; says the bytes each way at the end."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("to", help="host:port that it leads to")
    parser.add_argument("--port", type=int, default=0)
    for field in dataclasses.fields(Shape):
        parser.add_argument(f"--{field.name}", type=float, default=field.default)
    said = vars(parser.parse_args())
    host, _, port = said.pop("to").rpartition(":")
    with Link((host, int(port)), **said) as link:
        print(f"{link.port} leads to {host}:{port}", flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
        print(f"{link.up} bytes up, {link.down} bytes down, {link.connections} connections")


if __name__ == "__main__":
    main()
