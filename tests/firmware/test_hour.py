"""An hour of a node on MicroPython with a heap of 64 KiB, while the broker is killed and the Wi-Fi goes."""

from __future__ import annotations

import random
import time

from tests.firmware import nodes
from tests.firmware.conftest import until

HEAP = 64
SPEED = 120
"""Seconds of the board in one of ours."""
FAULTS = 40
"""Every second kills the broker, the others take the Wi-Fi away."""


def test_an_hour_of_kills_loses_nothing_and_does_nothing_twice(boards, start_mosquitto, hearing, tmp_path):
    broker = start_mosquitto("persistence true", "autosave_interval 1", "autosave_on_changes true")
    heard = hearing(broker.port)
    board = boards(heap=HEAP, folder=tmp_path)
    nodes.start(board, broker.port, first=0.5, cap=20, patience=20, health=0)
    until(lambda: board.give("life.state") == "online")
    heard.publish("diat/clock", {"t": 1_800_000_000_000})
    until(lambda: board.give("life.clock.now()"))
    start = board.heap
    chance, given = random.Random(6), 0
    board.tell(speed=SPEED)
    for fault in range(FAULTS):
        for _ in range(2):
            heard.publish("diat/board/actions/note", {"id": f"c{given}", "input": given})
            given += 1
        time.sleep(chance.uniform(0.2, 0.8))
        if fault % 2:
            broker.kill()
            time.sleep(chance.uniform(0.1, 0.6))
            broker.start()
        else:
            board.tell(net={"down": True})
            time.sleep(chance.uniform(0.1, 0.6))
            board.tell(net={"down": False}, drop=True)
        board.run("pressed(1)")
    until(lambda: board.give("life.clock.up()") > 3_600_000, 60)
    board.tell(speed=1)
    # The last attempt may have to be waited for, which takes as long as it says from here on.
    until(
        lambda: board.give("len(life.ring)") == 0,
        60,
        lambda: (board.give("[life.state, str(life.why), len(life.ring)]"), board.said),
    )
    last = board.give("life.ring.n")
    until(lambda: last in numbers(heard))
    assert not [each for each in heard.on("board/properties") if "lost" in each]
    assert set(range(1, last + 1)) - numbers(heard) == set()
    done, answered = board.give("list(done)"), {each["id"] for each in heard.on("board/results")}
    assert max(done) == 1
    assert {f"c{i}" for i in range(given) if done[i]} == answered
    end, peak = board.heap, board.give("__import__('boardup').peak")
    print(
        f"\nheap: {start} B at first, {end} B at last, {peak} B at most; {last} messages, "
        f"{sum(done)} of {given} commands came, {board.give('life.connects')} connections"
    )
    assert board.said == []
    assert end - start < 2048


def numbers(heard) -> set[int]:
    """The ``n`` of what came."""
    said = heard.on("board/properties") + heard.on("events/pressed")
    return {each["n"] for each in said if "n" in each}
