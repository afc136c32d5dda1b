"""Whatever comes: packets are taken or end the connection, commands are answered or dropped. Nothing else."""

import asyncio
import json

from case_commands import Lamp, _commands
from case_mqtt import HELLO, Wire
from diat_node.mqtt import Client, packet

_STATES = ("completed", "failed", "expired", "in-doubt")


class Chance:
    """The same numbers on every interpreter."""

    def __init__(self, seed):
        self._at = seed

    def below(self, most):
        self._at = (self._at * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._at >> 8) % most

    def bent(self, data):
        """The data with some bytes changed, cut out, doubled or put in."""
        data = bytearray(data)
        for _ in range(1 + self.below(4)):
            at = self.below(len(data) + 1)
            what = self.below(4)
            if what == 0 and at < len(data):
                data[at] = self.below(256)
            elif what == 1:
                data = data[:at] + data[at + 1 + self.below(8) :]
            elif what == 2:
                part = data[at : at + 1 + self.below(16)]
                data = data[:at] + part + part + data[at:]
            else:
                data = data[:at] + bytes((self.below(256),)) + data[at:]
        return bytes(data)


_PACKETS = (
    packet(0x32, b"\0\5a/b/c\0\7hello"),
    packet(0x30, b"\0\1thello"),
    packet(0x33, b"\0\1t\1\2" + b"x" * 200),
    b"\x40\2\0\1",
    b"\x90\3\0\1\1",
    b"\xd0\0",
)


async def test_packets():
    chance = Chance(6)
    for turn in range(150):
        data = b"".join([_PACKETS[chance.below(len(_PACKETS))] for _ in range(3)])
        wire, got = Wire(HELLO, chance.bent(data)), []
        client = Client("me", lambda *args: got.append(args), patience=1, largest=64)
        await client.connect(wire.open)
        wire.closed = True  # nothing follows
        for _ in range(200):
            if client.ended.is_set():
                break
            await asyncio.sleep(0.001)
        assert client.ended.is_set() and isinstance(client.failure, (OSError, EOFError)), client.failure
        for topic, payload, retained, token, whole in got:
            assert isinstance(topic, str) and len(payload) <= 64
            assert retained in (True, False) and whole in (True, False)
            assert token is None or 0 <= token[0] < 65536


_COMMANDS = (
    b'{"id": "1", "input": 3, "expires": 1800000000000}',
    b'{"id": "2", "v": {"on": true, "level": 4}}',
    b'{"id":"3"}',
    b'{"input": {"a": [1, 2, {"b": null}]}, "id": "4"}',
)


async def test_commands():
    chance, lamp = Chance(7), Lamp()
    commands = _commands(lamp)
    for turn in range(400):
        data = chance.bent(_COMMANDS[chance.below(len(_COMMANDS))])
        name = ("", "blink", "toggle", "measure", "none", "\xff")[chance.below(6)]
        answer = await commands.take(name, data, chance.below(8) > 0)
        if answer is not None:
            said = json.loads(answer)
            assert said["status"] in _STATES and 0 < len(said["id"]) <= 64 and len(answer) <= 1024, said
    for deed in lamp.done:
        assert deed == "toggle" or isinstance(deed, (bool, int)), deed
