"""Wi-Fi that comes back, with a radio that does as a case says; and how often a node asks for a network."""

import asyncio
import sys

from diat_node.board import Board
from diat_node.life import Life
from diat_node.node import Node


class Radio:
    """What ``network.WLAN`` is on a chip."""

    PM_NONE = 0
    it = None

    def __init__(self, which):
        Radio.it = self
        self.works = ()
        self.done = []
        self._at = None

    def isconnected(self):
        return self._at in self.works

    def active(self, on):
        self.done.append(on)

    def config(self, **more):
        raise ValueError("this one cannot save power")

    def connect(self, name, password):
        self.done.append(name)
        self._at = name

    def disconnect(self):
        self._at = None


class _Module:
    WLAN = Radio
    STA_IF = 0


class _NoTime:
    """asyncio for one who does not want to wait."""

    waited = 0

    async def sleep(self, seconds):
        _NoTime.waited += seconds


def _wifi():
    sys.modules["network"] = _Module
    from diat_node import wifi

    wifi.asyncio = _NoTime()
    return wifi.Wifi([["first", "a"], ["second", "b"]])


async def test_each_network_in_turn_and_the_radio_off_and_on_after_three():
    wifi = _wifi()
    radio = Radio.it
    before = _NoTime.waited
    for _ in range(4):
        try:
            await wifi.up()
            raise AssertionError("up")
        except OSError:
            pass
    assert [each for each in radio.done if isinstance(each, str)] == ["first", "second", "first", "second"]
    assert radio.done.index(False) > radio.done.index("second") and radio.done.count(False) == 1
    assert 60 <= _NoTime.waited - before <= 62


async def test_what_worked_is_begun_with_the_next_time():
    wifi = _wifi()
    radio = Radio.it
    try:
        await wifi.up()
    except OSError:
        pass
    radio.works = ("second",)
    await wifi.up()
    await wifi.up()
    radio.disconnect()
    radio.done.clear()
    await wifi.up()
    assert "first" not in radio.done and "second" in radio.done


class NoNetwork(Board):
    """A board in the desert."""

    def __init__(self):
        super(NoNetwork, self).__init__()
        self.asked = []

    async def network(self):
        self.asked.append(self.clock.up())
        raise OSError("none")


async def test_attempts_are_ever_farther_apart_up_to_a_bound():
    board = NoNetwork()
    life = Life(
        Node("node"), {"thing": "node", "host": "127.0.0.1", "first": 0.02, "cap": 0.16, "health": 0}, board
    )
    board.clock = life.clock
    task = asyncio.create_task(life.live())
    while len(board.asked) < 9:
        await asyncio.sleep(0.01)
    life.end()
    await task
    gaps = [b - a for a, b in zip(board.asked, board.asked[1:])]
    # Shortened by chance by up to half; a busy machine only makes them longer.
    for gap, wait in zip(gaps, (20, 40, 80, 160, 160, 160, 160, 160)):
        assert gap >= wait // 2 - 2, gaps
    assert life.state == "alone" and not life.ill()
