"""The MQTT client beside a broker of a few lines, which says what a test wants."""

import asyncio

from diat_node.mqtt import Client, Message, Refused, packet


class Wire:
    """Both ends of a connection: what the client writes, and what it is to read."""

    def __init__(self, *answers):
        self.written = b""
        self._coming = b"".join(answers)
        self._more = asyncio.Event()
        self.closed = False

    def come(self, data):
        self._coming += data
        self._more.set()

    async def open(self):
        return self, self

    async def readexactly(self, n):
        while len(self._coming) < n:
            if self.closed:
                raise EOFError
            self._more.clear()
            await self._more.wait()
        data, self._coming = self._coming[:n], self._coming[n:]
        return data

    def write(self, data):
        self.written += data

    async def drain(self):
        await asyncio.sleep(0)

    def close(self):
        self.closed = True
        self._more.set()


HELLO = b"\x20\2\0\0"


async def _connected(got=None, *answers, **more):
    wire = Wire(HELLO, *answers)
    client = Client("me", (lambda *args: got.append(args)) if got is not None else None, patience=0.2, **more)
    await client.connect(wire.open)
    return client, wire


async def _settle():
    for _ in range(5):
        await asyncio.sleep(0.002)


async def test_it_says_who_it_is_and_leaves_a_will():
    wire = Wire(b"\x20\2\1\0")
    client = Client("me", None, keepalive=7)
    assert await client.connect(wire.open, "user", "word", Message("t", b"w")) is True
    assert wire.written == b"\x10\x20\0\4MQTT\4\xec\0\7\0\2me\0\1t\0\1w\0\4user\0\4word", wire.written
    client.close()


async def test_a_refusal_is_told_apart_from_a_fault():
    for answer, kind in (
        (b"\x20\2\0\4", Refused),
        (b"\x20\2\0\5", Refused),
        (b"\x20\2\0\3", OSError),
        (b"HTTP", OSError),
    ):
        try:
            await Client("me", None, patience=0.1).connect(Wire(answer).open)
            raise AssertionError("taken")
        except kind:
            pass


async def test_a_broker_that_says_half_a_greeting_is_given_up():
    try:
        await Client("me", None, patience=0.05).connect(Wire(b"\x20\2").open)
        raise AssertionError("taken")
    except OSError:
        pass


async def test_a_message_not_acknowledged_is_sent_again_as_the_same():
    client, wire = await _connected()
    message = Message("t", b"x", True)
    try:
        await client.deliver(message)
        raise AssertionError("acknowledged")
    except OSError:
        pass
    first = wire.written[-8:]
    assert first == b"\x33\6\0\1t\0\1x"[:8] or first.endswith(b"t\0\1x")
    again, client.patience = Wire(HELLO), 20
    await client.connect(again.open)
    task = asyncio.create_task(client.deliver(message))
    await _settle()
    assert again.written.endswith(b"\x3b\6\0\1t\0\1x"), again.written
    again.come(b"\x40\2\0\1")
    await task
    client.close()


async def test_who_waits_is_told_when_the_connection_breaks():
    client, wire = await _connected()
    task = asyncio.create_task(client.deliver(Message("t", b"x")))
    await _settle()
    wire.close()
    try:
        await task
        raise AssertionError("acknowledged")
    except OSError:
        pass
    assert client.ended.is_set() and not client.up


async def test_messages_come_with_what_acknowledges_them():
    got = []
    client, wire = await _connected(got)
    wire.come(packet(0x32, b"\0\1t\0\7hello") + packet(0x31, b"\0\1rkept"))
    await _settle()
    assert [(t, bytes(p), r) for t, p, r, _, _ in got] == [("t", b"hello", False), ("r", b"kept", True)]
    await client.acknowledge(got[1][3])
    before = wire.written
    await client.acknowledge(got[0][3])
    assert wire.written[len(before) :] == b"\x40\2\0\7"
    client.close()


async def test_an_acknowledgement_belongs_to_its_connection():
    got = []
    client, wire = await _connected(got)
    wire.come(packet(0x32, b"\0\1t\0\7hello"))
    await _settle()
    again = Wire(HELLO)
    await client.connect(again.open)
    before = again.written
    await client.acknowledge(got[0][3])
    assert again.written == before
    client.close()


async def test_what_is_too_large_is_cut_and_the_next_is_whole():
    got = []
    client, wire = await _connected(got, largest=64)
    wire.come(packet(0x32, b"\0\1t\0\7" + b"x" * 20000) + packet(0x30, b"\0\1tok"))
    for _ in range(20):
        await _settle()
    assert [(len(p), whole) for _, p, _, _, whole in got] == [(59, False), (2, True)]
    assert client.up
    client.close()


async def test_what_is_no_packet_ends_the_connection():
    for nonsense in (
        b"\x30\xff\xff\xff\xff",
        b"\x30\0",
        b"\x30\3\0\7t",
        b"\x36\5\0\1tab",
        b"\x34\5\0\1tab",
        b"\x40\0",
        b"\x40\1\1",
        b"\0\0",
        b"\xf0\0",
        b"\x30\3\0\1\xff",
        b"\x20\2\0\0",
        b"\xe0\0",
    ):
        client, wire = await _connected([])
        wire.come(nonsense)
        await _settle()
        assert not client.up and client.failure, nonsense


async def test_an_acknowledgement_of_nothing_is_ignored():
    client, wire = await _connected([])
    wire.come(b"\x40\2\0\x63\x90\3\0\x63\1\xd0\0")
    await _settle()
    assert client.up
    client.close()


async def test_a_silent_broker_is_gone():
    client, wire = await _connected([], keepalive=0.1)
    for _ in range(100):
        await asyncio.sleep(0.01)
        if not client.up:
            break
    assert not client.up and b"\xc0\0" in wire.written
