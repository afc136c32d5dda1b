"""How a node finds its way, on CPython with real sockets: the form of its access point, mDNS, SNTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from diat_node import mdns, ntp
from diat_node.board import Board
from diat_node.life import Life
from diat_node.node import Node
from diat_node.portal import keep, portal

from diat.adapters.mdns import MQTT, Advert, Announcer, reachable
from tests.conftest import free_port
from tests.firmware.conftest import until
from tests.integration.test_mdns import needs_multicast

LOOPBACK = "127.0.0.1"
EPOCH = 2208988800


@contextlib.contextmanager
def answering(answer: Callable[[bytes], bytes | None]) -> Iterator[int]:
    """A UDP server on loopback; gives its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind((LOOPBACK, 0))
        wire.settimeout(0.05)
        ending = threading.Event()

        def serve() -> None:
            while not ending.is_set():
                with contextlib.suppress(TimeoutError):
                    query, asker = wire.recvfrom(1500)
                    said = answer(query)
                    if said is not None:
                        wire.sendto(said, asker)

        thread = threading.Thread(target=serve)
        thread.start()
        yield wire.getsockname()[1]
        ending.set()
        thread.join()


def told(query: bytes, ahead: float = 0.0, first: int = 0x24, stratum: int = 2) -> bytes:
    """What a time server answers whose clock is so many seconds ahead."""
    now = time.time() + ahead
    stamp = struct.pack("!II", int(now) + EPOCH & 0xFFFFFFFF, int(now % 1 * 2**32))
    return bytes((first, stratum)) + bytes(22) + query[40:48] + stamp + stamp


def test_the_time_comes_from_a_server(monkeypatch):
    with answering(lambda query: told(query, 7200)) as port:
        life = Life(
            Node("node"), {"host": LOOPBACK, "port": 1, "ntp": f"{LOOPBACK}:{port}", "health": 0}, Board()
        )

        async def lives() -> float:
            task = asyncio.create_task(life.live())
            while (ahead := life.clock.now() / 1000 - time.time()) < 3600:  # noqa: ASYNC110 - a clock is looked at
                await asyncio.sleep(0.02)
            life.end()
            await task
            return ahead

        assert asyncio.run(asyncio.wait_for(lives(), 20)) == pytest.approx(7200, abs=2)


@pytest.mark.parametrize(
    "answer",
    [
        lambda query: told(query)[:40],
        lambda query: told(bytes(48)),  # of another question
        lambda query: told(query, stratum=0),  # "kiss of death"
        lambda query: told(query, first=0xE4),  # knows no time itself
        lambda query: None,
    ],
)
def test_a_wrong_answer_counts_for_nothing(monkeypatch, answer):
    monkeypatch.setattr(ntp, "_PATIENCE", 200)
    with answering(answer) as port, pytest.raises(OSError, match=r"answer|know|110"):
        asyncio.run(ntp.ask(LOOPBACK, port))


def test_after_2036_the_seconds_begin_anew():
    with answering(lambda query: told(query, 12 * 365.25 * 86400)) as port:
        there = asyncio.run(ntp.ask(LOOPBACK, port)) / 1000 - time.time()
    assert there == pytest.approx(12 * 365.25 * 86400, abs=2)


def test_the_platform_is_found_by_mdns():
    addresses = [each for each in reachable("0.0.0.0") if ":" not in each]
    if not addresses:
        pytest.skip("this machine has no address but loopback")
    needs_multicast(addresses[0])
    port = free_port()
    announcer = Announcer("DIAT of a test", f"diat-test-{port}", [Advert(MQTT, tuple(addresses), port)])
    announcer.start()
    try:
        # Others may answer as well: the node takes any, this test waits for its own.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.settimeout(0.3)

            def ours() -> bool:
                wire.sendto(mdns.question("_mqtt._tcp.local"), ("224.0.0.251", 5353))
                with contextlib.suppress(TimeoutError):
                    while True:
                        there = mdns.found(wire.recv(1500), "_mqtt._tcp.local")
                        if there and there[1] == port:
                            return there[0] in addresses
                return False

            until(ours, 20)
        host, found = asyncio.run(mdns.broker(False))
        assert host
        assert 0 < found < 65536
    finally:
        announcer.stop()


def test_nobody_is_found_where_nobody_is(monkeypatch):
    monkeypatch.setattr(mdns, "_PATIENCE", 200)
    with answering(lambda query: b"no DNS") as port, pytest.raises(OSError, match=r"110|no broker"):
        asyncio.run(mdns.broker(True, (LOOPBACK, port)))


def test_a_telephone_is_led_to_the_form_and_says_where_the_node_belongs(tmp_path):
    http, dns = free_port(), free_port()
    answers = {}

    async def visit() -> dict:
        asking = asyncio.create_task(portal(http, dns, LOOPBACK))
        await asyncio.sleep(0.2)
        await asyncio.get_running_loop().run_in_executor(None, browse)
        return await asyncio.wait_for(asking, 20)

    def browse() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.settimeout(5)
            wire.sendto(b"\x12\x34\1\0\0\1\0\0\0\0\0\0\5probe\7example\0\0\1\0\1", (LOOPBACK, dns))
            answers["dns"] = wire.recv(512)
        with httpx.Client(base_url=f"http://{LOOPBACK}:{http}", timeout=5) as telephone:
            answers["page"] = telephone.get("/generate_204").text
            answers["wrong"] = telephone.post("/", data={"thing": "no name"}).text
            with socket.create_connection((LOOPBACK, http)) as rude:
                rude.sendall(b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n")
            right = {
                "thing": "office-1",
                "wifi": "home & garden",
                "password": "s=&%",
                "host": "",
                "key": "AB",
            }
            answers["right"] = telephone.post("/", data=right).text

    config = asyncio.run(visit())
    assert answers["dns"].endswith(bytes([127, 0, 0, 1]))
    assert "<form" in answers["page"]
    assert "A name has letters" in answers["wrong"]
    assert "Saved" in answers["right"]
    wanted = {"thing": "office-1", "folder": "/diat", "wifi": [["home & garden", "s=&%"]], "key": "AB"}
    assert config == wanted
    keep(config, str(tmp_path / "diat.json"))
    assert json.loads((tmp_path / "diat.json").read_text()) == wanted
