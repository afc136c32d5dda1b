"""What a node does in a long life: on line for hours, refused, asleep, with a full flash, after crashes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.firmware import nodes
from tests.firmware.conftest import FIRMWARE, until

START = "from diat_node.start import start; start()"


def online(board) -> None:
    until(lambda: board.give("life.state") == "online")


def test_on_line_for_long_it_is_well_and_the_watchdog_is_fed(boards, mosquitto, tmp_path):
    board = boards(heap=64, folder=tmp_path)
    nodes.start(board, mosquitto.port, patience=200, keepalive=600)
    board.run("life.board._watchdog = 30; life.board.start()")
    online(board)
    board.tell(speed=100)
    until(lambda: board.give("life.clock.up()") > 500_000, 40)
    assert board.give("life.ill()") == []
    fed = board.tell(look=True)["host"]["fed"]
    until(lambda: board.tell(look=True)["host"]["fed"] > fed + 3)


def test_refused_it_asks_again_but_seldom_and_comes_in_when_it_may(
    boards, start_mosquitto, needed, tmp_path, tmp_path_factory
):
    users = tmp_path_factory.mktemp("users") / "users"
    users.touch(mode=0o600)
    add = [needed("mosquitto_passwd", "mosquitto"), "-b", users, "board"]
    subprocess.run([*add, "another"], check=True, capture_output=True)
    broker = start_mosquitto(f"password_file {users}")
    board = boards(heap=64, folder=tmp_path)
    nodes.start(board, broker.port, username="board", password="right", first=0.1, refused=30, patience=100)
    until(lambda: board.give("life.state") == "refused")
    before = broker.log.count("New connection")
    board.tell(speed=60)
    until(lambda: board.give("life.clock.up()") > 300_000, 40)
    tried = broker.log.count("New connection") - before
    # 60 s, 120 s, 240 s, 360 s …, each shortened by up to half.
    assert 1 <= tried <= 5, tried
    assert board.give("life.ill()") == []
    subprocess.run([*add, "right"], check=True, capture_output=True)
    broker.stop()
    broker.start()
    until(lambda: board.give("life.state") == "online", 40)


def test_asleep_it_is_told_by_the_broker_what_came_meanwhile(boards, mosquitto, hearing, tmp_path):
    heard = hearing(mosquitto.port)
    board = boards(heap=64, folder=tmp_path)
    nodes.start(board, mosquitto.port, sleep=600, health=0)
    until(lambda: "deepsleep 600000" in board.tell(look=True)["host"]["events"])
    boot, last = board.give("[life.ring.boot, life.ring.n]")
    assert (nodes_status := ("diat/board/status", b"sleeping")) in heard.messages, nodes_status
    board.kill()
    for number in range(3):
        heard.publish("diat/board/actions/note", {"id": f"c{number}", "input": number})
    again = boards(heap=64, folder=tmp_path)
    again.tell(host={"cause": 4})  # awake by its timer
    nodes.start(again, mosquitto.port, sleep=600, health=0)
    until(lambda: {each["id"] for each in heard.on("board/results")} == {"c0", "c1", "c2"})
    until(lambda: "deepsleep 600000" in again.tell(look=True)["host"]["events"])
    assert again.give("list(done[:3])") == [1, 1, 1]
    # Waking is no boot: its number stays, and the count goes on.
    assert again.give("life.ring.boot") == boot
    numbers = [each["n"] for each in heard.on("board/properties") if each["b"] == boot]
    assert max(numbers) > last
    assert sorted(numbers) == list(range(1, max(numbers) + 1))
    assert [said for topic, said in heard.messages if topic == "diat/board/status"][-1] == b"sleeping"


def test_with_a_full_flash_it_lives_and_does_what_it_can(boards, mosquitto, hearing, tmp_path):
    heard = hearing(mosquitto.port)
    board = boards(heap=64, folder=tmp_path)
    nodes.start(board, mosquitto.port, health=0, ring=1000)
    online(board)
    board.tell(flash={"full": True})
    heard.publish("diat/board/actions/toggle", {"id": "once"})
    heard.publish("diat/board/actions/measure", {"id": "safe"})
    until(lambda: len(heard.on("board/results")) == 2)
    answers = {each["id"]: each for each in heard.on("board/results")}
    assert answers["once"] == {"id": "once", "status": "failed", "error": "no room to note it"}
    assert answers["safe"]["status"] == "completed"
    heard.publish("diat/board/actions/measure", {"id": "safe"})
    until(lambda: len(heard.on("board/results")) == 3)
    assert heard.on("board/results")[-1] == answers["safe"], "what could not be written is remembered in RAM"
    board.tell(net={"down": True}, drop=True)
    for number in range(70):
        # Nothing is collected within a call, and what fails leaves much behind.
        board.run(f"pressed({number})")
    board.tell(net={"down": False})
    lost = until(lambda: [each["lost"] for each in heard.on("board/properties") if "lost" in each])
    until(lambda: board.give("life.state") == "online" and board.give("len(life.ring)") == 0)
    last = board.give("life.ring.n")
    came = {each["n"] for each in heard.on("board/properties") + heard.on("events/pressed") if "n" in each}
    told = {n for first, end in lost for n in range(first, end + 1)}
    until(lambda: last in {each["n"] for each in heard.on("events/pressed")} | came)
    assert came | told >= set(range(1, last))
    board.tell(flash={"full": False})
    heard.publish("diat/board/actions/toggle", {"id": "later"})
    until(lambda: heard.on("board/results")[-1]["id"] == "later")
    assert heard.on("board/results")[-1]["status"] == "completed"
    assert board.give("toggled") == [1]


@pytest.fixture
def starting(tmp_path):
    """``starting(thing)``: a start of a node on CPython with this ``thing.py``, as a process."""
    running = []

    def start(thing: str) -> subprocess.Popen[bytes]:
        (tmp_path / "thing.py").write_text(thing)
        path = os.pathsep.join((str(tmp_path), str(FIRMWARE)))
        with (tmp_path / "log").open("ab") as log:
            command = [sys.executable, "-B", "-P", "-c", START]
            running.append(
                subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, stderr=log)
            )
        return running[-1]

    yield start
    for each in running:
        each.kill()
        each.wait()


def test_after_four_crashes_it_is_there_without_the_users_code(starting, mosquitto, hearing, tmp_path):
    heard = hearing(mosquitto.port)
    config = {"thing": "crashing", "host": "127.0.0.1", "port": mosquitto.port, "folder": "flash", "well": 1}
    (tmp_path / "diat.json").write_text(json.dumps({**config, "first": 0.05}))
    for _ in range(4):
        assert starting("raise RuntimeError('a bug')").wait(20) == 1
    assert "a bug" in json.loads((tmp_path / "flash" / "crash.json").read_text())
    safe = starting("raise RuntimeError('a bug')")
    until(lambda: ("diat/crashing/status", b"online") in heard.messages)
    assert until(lambda: heard.on("crashing/properties"))[0]["v"]["health"]["safe"] is True
    assert not heard.on("td/crashing")
    # It is well so far, and that ends the row: the next start tries the user's code again.
    until(lambda: json.loads((tmp_path / "flash" / "crashes.json").read_text()) == 0)
    safe.kill()
    safe.wait()
    starting("from diat_node.node import Node\nnode = Node(title='Mended')")
    until(lambda: [each for each in heard.on("td/crashing") if each["title"] == "Mended"])
