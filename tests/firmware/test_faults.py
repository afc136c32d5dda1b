"""The power of a node fails at every operation on flash and socket around a command, one run for each.

On CPython and on MicroPython, with a real broker that keeps the session: each command is answered once and
done once, and it is ``in-doubt`` exactly from when its beginning was noted to when its answer was. The second
life of a run is the first of the next one. ``test_once.py`` has the same points, in a process killed there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable

import pytest
from power import Power

from tests.firmware import nodes
from tests.firmware.conftest import Cut, Hearing, until
from tests.firmware.cut_node import STEPS, doer, life, phases

COMMANDS = {
    "once": ("actions/do", lambda number: {"input": number}),
    "idempotent": ("actions/again", lambda number: {"input": number}),
    "set": ("set", lambda number: {"v": {"level": number}}),
}
QUIET = 0.02


def doubtful(steps: list[str], at: int, phase: str) -> bool:
    """Whether nobody can know of a command whose node died there: begun, and not yet answered."""
    begun, answered = [number for number, step in enumerate(steps, 1) if "write" in step]
    return begun + (phase != "after") <= at <= answered - (phase == "after")


def answers(heard: Hearing, number: int) -> list[dict]:
    """What was answered to a command."""
    return [each for each in heard.on("/results") if each["id"] == f"c{number}"]


def check(heard: Hearing, ends: dict[int, tuple], deeds: Counter[int], once: bool) -> None:
    """Hold every command to what was promised; ``ends``: where the power failed at each, and its steps."""
    for number, (steps, at, phase) in ends.items():
        said = answers(heard, number)
        where = (number, at, steps[at - 1] if at else "", phase, said, deeds[number])
        assert said, where
        assert len({each["status"] for each in said}) == 1, where
        in_doubt = bool(at) and once and doubtful(steps, at, phase)
        assert said[0]["status"] == ("in-doubt" if in_doubt else "completed"), where
        if once:
            assert deeds[number] == 1 or (in_doubt and deeds[number] == 0), where


@pytest.mark.parametrize("kind", COMMANDS)
def test_each_step_on_cpython(start_mosquitto, hearing, tmp_path, kind):
    mosquitto = start_mosquitto("set_tcp_nodelay true")
    heard = hearing(mosquitto.port)
    deeds: Counter[int] = Counter()
    ends: dict[int, tuple] = {}
    topic, command = COMMANDS[kind]

    async def live(number: int, at: int, phase: str) -> list[str]:
        """A life that first answers what the one before left open, and then is given a command."""
        power = Power()
        node = doer(power, lambda n: deeds.update([n]), sampled=False)
        lives = life(node, power, mosquitto.port, str(tmp_path / "flash"), health=0)
        task = asyncio.create_task(lives.live())

        async def holds(wanted: Callable[[], object]) -> None:
            async with asyncio.timeout(20):
                while not (power.dead or wanted()):  # noqa: ASYNC110 - what is wanted comes by another thread
                    await asyncio.sleep(0.002)
            await asyncio.sleep(QUIET)

        try:
            await holds(lambda: lives.online.is_set() and (number == 0 or answers(heard, number - 1)))
            power.crossed.clear()
            power.at, power.phase = at, phase
            heard.publish(f"diat/doer/{topic}", {"id": f"c{number}", **command(number)})
            await holds(lambda: answers(heard, number) and "send PUBACK" in power.crossed)
            return list(power.crossed)
        finally:
            power.dead = True
            task.cancel()
            with contextlib.suppress(BaseException):
                await task
            for cut in power.on_cut:
                cut()

    async def sweep() -> list[str]:
        await live(0, 0, "before")  # makes the files
        steps = await live(1, 0, "before")
        ends[0] = ends[1] = (steps, 0, "before")
        for at, step in enumerate(steps, 1):
            for phase in phases(step):
                ends[len(ends)] = (steps, at, phase)
                await live(len(ends) - 1, at, phase)
        await live(len(ends), 0, "before")
        return steps

    steps = asyncio.run(sweep())
    assert set(steps) <= set(STEPS), set(steps) - set(STEPS)
    assert "journal write" in steps
    check(heard, ends, deeds, kind == "once")
    print(f"\n{kind}: {len(ends)} lives, steps: {Counter(steps)}")


NODE = """
from diat_node.node import Node
import _host
node = Node("board", title="Board")
node.action("do", _host.deed, input={"type": "integer"})
"""
ALL = os.environ.get("FAULTS") == "all"
"""Whether the board's power also fails after each operation, not only before it and in its middle."""


def test_each_step_on_micropython(boards, start_mosquitto, hearing, tmp_path):
    """The same, where the power is that of the process; only commands that must be done once."""
    broker = start_mosquitto("set_tcp_nodelay true")
    heard, world, flash = hearing(broker.port), tmp_path / "world", tmp_path / "flash"
    world.touch()
    flash.mkdir()
    ends: dict[int, tuple] = {}

    def live(number: int, at: int, phase: str) -> list[str]:
        board = boards(heap=64, folder=flash, world=str(world))
        for name in nodes.IMPORTS:
            board.run(f"import diat_node.{name}")
        board.run(NODE)
        nodes.live(board, broker.port, first=0.05, health=0)
        until(lambda: board.give("life.state") == "online" and (number == 0 or answers(heard, number - 1)))
        before = None
        while before != (now := board.tell(look=True)["crossed"]):
            # What an earlier life left open is being brought to its end.
            before = now
            time.sleep(3 * QUIET)
        board.tell(power={"cutAt": at, "phase": phase})
        heard.publish("diat/board/actions/do", {"id": f"c{number}", "input": number})
        try:
            until(lambda: "send 4" in board.tell(look=True)["crossed"] and answers(heard, number))
            crossed: list[str] = board.tell(look=True)["crossed"]
        except Cut:
            return []
        board.kill()
        return crossed

    live(0, 0, "before")
    steps = live(1, 0, "before")
    ends[0] = ends[1] = (steps, 0, "before")
    for at, step in enumerate(steps, 1):
        for phase in phases(step):
            if phase == "after" and step != "deed" and not ALL:
                continue
            ends[len(ends)] = (steps, at, phase)
            live(len(ends) - 1, at, phase)
    live(len(ends), 0, "before")
    print(f"\n{len(ends)} lives, steps: {Counter(step.split(' /')[0] for step in steps)}")
    check(heard, ends, Counter(int(line) for line in world.read_text().split()), once=True)
