"""An hour of a node on MicroPython with a heap of 64 KiB, while the broker is killed and the Wi-Fi goes."""

from __future__ import annotations

import random
import time

from tests.firmware import nodes
from tests.firmware.conftest import until

HEAP = 64
SPEED = 120
"""Seconds of the board in one of ours."""
FAULTS = 20


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
    began = time.monotonic()
    for fault in range(FAULTS):
        for _ in range(3):
            heard.publish("diat/board/actions/note", {"id": f"c{given}", "input": f"c{given}"})
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
    until(lambda: board.give("len(life.ring)") == 0)
    last = board.give("life.ring.n")
    said = until(lambda: (n := {e["n"] for e in heard.on("board/properties") + heard.on("events/pressed") if "n" in e}) and last in n and n)
    assert not [e for e in heard.on("board/properties") if "lost" in e]
    assert said == set(range(1, last + 1)), sorted(set(range(1, last + 1)) - said)[:20]
    # Every command was done once, those of a broker that forgot them excepted: it was killed before it wrote.
    done = board.give("done")
    assert len(done) == len(set(done))
    answered = {e["id"] for e in heard.on("board/results")}
    assert set(done) <= answered
    print("heap", start, board.heap, "n", last, "done", len(done), "of", given, "connects", board.give("life.connects"), time.monotonic() - began)
    assert board.heap - start < 2048
