"""``diat node`` on a board behind a serial line, and an update over the air."""

from __future__ import annotations

import functools
import http.server
import json
import os
import pty
import select
import subprocess
import sys
import threading
import time
import tty

import pytest

from diat.cli.boards import compiled, configuration, put_configuration, put_firmware, remote
from diat.cli.releases import write_release
from diat.kernel.errors import Invalid, SetupError
from tests.firmware import nodes
from tests.firmware.conftest import FIRMWARE, HERE, until


@pytest.fixture
def line(micropython):
    """The name of a pseudo-terminal at whose other end a board's prompt is."""
    options = {"modules": str(micropython), "heap": 512}
    board = subprocess.Popen(
        ["node", HERE / "board" / "repl.mjs", json.dumps(options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    ours, theirs = pty.openpty()
    tty.setraw(theirs)

    def carry(read: int, write: int) -> None:
        try:
            while data := os.read(read, 4096):
                os.write(write, data)
        except OSError:
            pass

    threads = [
        threading.Thread(target=carry, args=ends)
        for ends in ((ours, board.stdin.fileno()), (board.stdout.fileno(), ours))
    ]
    for each in threads:
        each.start()
    yield os.ttyname(theirs)
    board.kill()
    board.wait()
    # The board's end is gone, so the other direction ends with what is written to it.
    os.write(theirs, b"\n")
    os.close(theirs)
    for each in threads:
        each.join()
    board.stdin.close()
    board.stdout.close()
    os.close(ours)


def test_a_board_is_flashed_and_told_where_it_belongs(line):
    count, size = put_firmware(line, FIRMWARE)
    assert count > 15
    assert size < 64 * 1024
    put_configuration(line, configuration("office-1", "10.0.0.2:1884", ["home:a:b"], "KEY", None))
    said = remote(line, "exec", "import sys; sys.path.insert(0, '/a'); import diat_node.mqtt; print('able')")
    assert said.strip() == "able"
    told = json.loads(remote(line, "exec", "print(open('/diat.json').read())"))
    assert told == {
        "thing": "office-1",
        "host": "10.0.0.2",
        "port": 1884,
        "folder": "/diat",
        "wifi": [["home", "a:b"]],
        "key": "KEY",
    }


def test_the_package_has_every_file_and_installs(line):
    listed = json.loads((FIRMWARE / "package.json").read_text())["urls"]
    there = {str(path.relative_to(FIRMWARE)) for path in (FIRMWARE / "diat_node").rglob("*.py")}
    assert {name for name, _ in listed} == there - {"diat_node/drivers/raspberry.py"}
    remote(line, "mip", "install", "--no-mpy", "--target", "/lib", str(FIRMWARE / "package.json"))
    assert remote(line, "exec", "import diat_node.ring; print('able')").strip() == "able"


def test_what_cannot_be_is_said_in_one_line(tmp_path):
    def diat(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "diat", "node", *arguments], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stderr

    for arguments, why in (
        (("provision", "a/b", "--broker", "h"), "is no name of a thing"),
        (("provision", "a", "--broker", "h:0"), "neither host nor host:port"),
        (("provision", "a", "--broker", "h", "--wifi", "x"), "NAME:PASSWORD"),
        (("provision", "a", "--broker", "h", "--port", str(tmp_path / "none")), "none"),
        (("flash", "--firmware", str(tmp_path)), "there is no firmware"),
    ):
        code, said = diat(*arguments)
        assert code == 2, said
        assert why in said
        assert said.count("\n") == 1, said


def test_an_update_comes_over_the_air(boards, mosquitto, hearing, tmp_path):
    key, www, flash = tmp_path / "key.pem", tmp_path / "www", tmp_path / "flash"
    flash.mkdir()
    modulus = write_release(key, 2, "esp32", FIRMWARE, www)
    handler = functools.partial(QuietFiles, directory=str(www))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        heard = hearing(mosquitto.port)
        board = boards(heap=128, folder=flash)
        board.run("import diat_node.node, diat_node.update")
        # The root of a board's flash has an empty name.
        board.run("from diat_node.store import Store; assert Store('').save('fact', 1)")
        board.run("assert Store('').load('fact') == 1")
        board.run(
            "from diat_node.node import Node\nfrom diat_node.update import Update, updates\n"
            "node = Node('board')\n"
            f"update = Update('/flash', int('{modulus:x}', 16), 'esp32')\nupdates(node, update)"
        )
        nodes.live(board, mosquitto.port)
        until(lambda: board.give("life.state") == "online")
        order = {"id": "u1", "input": {"from": f"http://127.0.0.1:{server.server_port}"}}
        heard.publish("diat/board/actions/update", order)
        (answer,) = until(lambda: heard.on("board/results"), 30)
        assert answer == {"id": "u1", "status": "completed", "output": 2}
        assert board.give("update.state") == {"slot": "a", "n": 0, "trial": "b", "next": 2, "left": 3}
        for path in compiled(FIRMWARE, tmp_path / "again"):
            name = path.relative_to(tmp_path / "again")
            assert (flash / "b" / name).read_bytes() == path.read_bytes()
        # It lives on for the answer to go out, and then starts anew.
        board.tell(speed=50)
        until(lambda: board.give("life.client.ended.is_set() and life._over.is_set()"))
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


class QuietFiles(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, served without a word."""

    def log_message(self, *_: object) -> None:
        pass


def test_a_key_that_is_none_is_refused(tmp_path):
    (tmp_path / "key").write_text("no key")
    with pytest.raises(SetupError, match="is no private key"):
        write_release(tmp_path / "key", 1, "esp32", FIRMWARE, tmp_path / "www")
    with pytest.raises(Invalid):
        configuration("a", ":1", [], None, None)


def test_what_a_board_prints_is_shown_until_ctrl_bracket(line):
    ours, theirs = pty.openpty()
    watching = subprocess.Popen(
        [sys.executable, "-m", "diat", "node", "monitor", "--port", line],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    said = b""

    def hear(wanted: bytes, say: bytes = b"") -> None:
        """Wait for it; what is typed before the other listens is lost, so it is typed again."""
        nonlocal said
        deadline, typed = time.monotonic() + 30, 0.0
        while wanted not in said:
            assert time.monotonic() < deadline, said
            if say and time.monotonic() > typed + 2:
                os.write(ours, say)
                typed = time.monotonic()
            if select.select([ours], [], [], 0.1)[0]:
                said += os.read(ours, 4096)

    try:
        hear(b"Connected to MicroPython")
        hear(b"together", b"print('to' + 'gether')\r")
        os.write(ours, b"\x1d")
        assert watching.wait(20) == 0
    finally:
        watching.kill()
        watching.wait()
        os.close(ours)
        os.close(theirs)
