"""How a node comes in, stays in touch, and comes back: on MicroPython, with a real broker."""

from __future__ import annotations

import subprocess

from tests.firmware import nodes
from tests.firmware.conftest import Board, until

KEY, SECRET = "ABCD-EFGH", "own secret"


def online(board: Board) -> None:
    until(lambda: board.give("life.state") == "online")


def connects(broker, name: str) -> int:
    return broker.log.count(f" as {name} (")


def test_it_joins_with_the_key_and_comes_back_with_its_own_credential(
    boards, start_mosquitto, hearing, needed, tmp_path, tmp_path_factory
):
    users = tmp_path_factory.mktemp("users") / "users"
    users.touch(mode=0o600)
    for name, password in (("join", KEY), ("board", SECRET)):
        command = [needed("mosquitto_passwd", "mosquitto"), "-b", users, name, password]
        subprocess.run(command, check=True, capture_output=True)
    broker = start_mosquitto(f"password_file {users}")
    heard = hearing(broker.port)
    board = boards(heap=64, folder=tmp_path)
    nodes.start(board, broker.port, key=KEY)
    until(lambda: board.give("life.state") == "joining")
    until(lambda: ("diat/board/status", b"online") in heard.messages)
    # Until it belongs here it says who it is, and nothing else.
    assert not heard.on("board/properties")
    heard.publish("diat/board/credential", {"username": "board", "password": SECRET})
    online(board)
    until(lambda: heard.on("board/properties"))
    assert "u'board'" in broker.log
    board.kill()
    again = boards(heap=64, folder=tmp_path)
    nodes.start(again, broker.port, key=KEY)
    online(again)
    assert broker.log.count("u'join'") == 1


def test_a_refused_credential_is_not_tried_again_soon(
    boards, start_mosquitto, needed, tmp_path, tmp_path_factory
):
    users = tmp_path_factory.mktemp("users") / "users"
    users.touch(mode=0o600)
    subprocess.run([needed("mosquitto_passwd", "mosquitto"), "-b", users, "board", SECRET], check=True)
    broker = start_mosquitto(f"password_file {users}")
    board = boards(heap=64, folder=tmp_path)
    nodes.start(board, broker.port, username="board", password="wrong", first=0.1)
    until(lambda: board.give("life.state") == "refused")
    before = broker.log.count("New connection")
    board.tell(speed=100)
    until(lambda: board.give("life.clock.up()") > 250_000)
    assert broker.log.count("New connection") == before
    # It goes on observing, and is not taken for hung.
    assert board.give("[len(life.ring) > 10, life.ill()]") == [True, []]


def test_a_link_on_which_packets_vanish_is_given_up_and_nothing_is_lost(boards, mosquitto, hearing, tmp_path):
    heard = hearing(mosquitto.port)
    board = boards(heap=64, folder=tmp_path)
    nodes.start(board, mosquitto.port, keepalive=10, patience=60, health=0)
    online(board)
    board.tell(speed=40)
    board.tell(net={"deaf": True})
    until(lambda: board.give("life.state") == "alone")
    board.run("pressed(3)")
    board.tell(net={"deaf": False})
    until(lambda: heard.on("events/pressed"))
    last = heard.on("events/pressed")[0]["n"]
    numbers = {each["n"] for each in heard.on("board/properties") + heard.on("events/pressed")}
    assert set(range(1, last + 1)) <= numbers


def test_after_a_power_cut_it_goes_on_with_what_is_on_flash(boards, mosquitto, hearing, tmp_path):
    heard = hearing(mosquitto.port)
    board = boards(heap=64, folder=tmp_path)
    nodes.start(board, mosquitto.port, health=0)
    online(board)
    until(lambda: board.give("len(life.ring)") == 0)
    boot = board.give("life.ring.boot")
    board.tell(net={"down": True}, drop=True)
    for i in range(0, 200, 10):
        board.run(f"for i in range({i}, {i + 10}): pressed(i)")
    spilt = board.give("[each[3] for each in life.ring._segments][-1]")
    board.kill()
    until(lambda: ("diat/board/status", b"offline") in heard.messages)
    again = boards(heap=64, folder=tmp_path)
    nodes.start(again, mosquitto.port, health=0, rate=200)
    online(again)
    until(lambda: {each["n"] for each in heard.on("events/pressed") if each["b"] == boot} >= {spilt})
    numbers = [
        each["n"] for each in heard.on("board/properties") + heard.on("events/pressed") if each["b"] == boot
    ]
    assert sorted(numbers) == list(range(1, spilt + 1))
    assert again.give("life.ring.boot") != boot


def test_more_commands_than_there_is_room_for_are_each_done_once(boards, start_mosquitto, hearing, tmp_path):
    broker = start_mosquitto("max_inflight_messages 100")
    heard = hearing(broker.port)
    board = boards(heap=64, folder=tmp_path)
    nodes.start(board, broker.port, first=0.1, health=0)
    online(board)
    for i in range(60):
        heard.publish("diat/board/actions/note", {"id": f"c{i}", "input": i})
    until(lambda: {each["id"] for each in heard.on("board/results")} == {f"c{i}" for i in range(60)})
    assert board.give("list(done[:60])") == [1] * 60


def test_a_command_too_large_is_answered_and_a_retained_one_is_not_done(boards, mosquitto, hearing, tmp_path):
    heard = hearing(mosquitto.port)
    heard.publish("diat/board/actions/toggle", {"id": "kept"}, retain=True)
    board = boards(heap=64, folder=tmp_path)
    nodes.start(board, mosquitto.port, health=0)
    online(board)
    heard.publish("diat/board/actions/note", {"id": "large", "input": "x" * 50_000})
    heard.publish("diat/board/actions/toggle", {"id": "last"})
    until(lambda: "last" in {each["id"] for each in heard.on("board/results")})
    answers = {each["id"]: each for each in heard.on("board/results")}
    assert answers["large"] == {"id": "large", "status": "failed", "error": "too large"}
    assert "kept" not in answers
    assert board.give("toggled") == [1]
