"""What a gateway takes: memory with so many things beside it, CPU at so many readings a second.

``diat gateway`` and the platform above are processes of their own, with brokers of their own; things speak
over one connection. Everything that was said has to be in the gateway's history, and all of it has to have
come up. Nobody asks the gateway's REST, which is loaded when somebody does, until the very end: then its
memory is measured once more.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.processes import BenchmarkFailed, Child, cpu_seconds
from diat.adapters.brokers.listening import free_port

READY = 60.0
MIB = 1024


class Taken(msgspec.Struct):
    """What a gateway took.

    Attributes:
        things: beside it.
        rss: MiB of memory of its process, shared with others or not, at rest with all things.
        pss: the same, what is shared counted in part.
        broker: MiB of memory of its broker.
        rate: readings a second that were sent to it.
        cpu: share of one core that its process took meanwhile.
        send: what went up: ``asked`` or ``all``.
        loaded: MiB of memory (RSS) after the load.
        asked: the same after its REST was asked something for the first time.
    """

    things: int
    rss: float
    pss: float
    broker: float
    rate: float
    cpu: float
    send: str
    loaded: float
    asked: float


def measure(
    things: int, rate: float, seconds: float, send: str, said: Callable[[str], None] = print
) -> Taken:
    """Run a gateway beside so many things and measure what it takes.

    Raises:
        BenchmarkFailed: something was lost on the way.
    """
    with tempfile.TemporaryDirectory(prefix="diat-edge-") as directory:
        return _measure(Path(directory), things, rate, seconds, send, said)


def _measure(
    at: Path, things: int, rate: float, seconds: float, send: str, said: Callable[[str], None]
) -> Taken:
    above, below = (free_port(), free_port()), (free_port(), free_port())
    up = ["diat", "up", "--data", str(at / "core"), "--http", str(above[0]), "--mqtt", str(above[1])]
    join = ["diat", "gateway", "--join", f"127.0.0.1:{above[1]}", "--name", "edge", "--send", send]
    join += ["--data", str(at / "edge"), "--http", str(below[0]), "--mqtt", str(below[1]), "--figures", "5"]
    with (
        Child([*up, "--no-dashboard"], at / "core.log"),
        Child([*join, "--budget", "4096"], at / "edge.log") as gateway,
    ):
        _until(lambda: _answers(above[0]) and _answers(below[0]), "ready")
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="things")
        client.max_inflight_messages_set(200)
        client.max_queued_messages_set(0)
        _until(lambda: _connects(client, below[1]), "the broker")
        client.loop_start()
        for number in range(things):
            client.publish(f"wot/td/e{number}", json.dumps(_thing(number)), 1, True)
            client.publish(f"diat/e{number}/status", "online", 1, True)
        _until(lambda: _metric(above[0], "diat_things") == things + 1, "announced", 60.0)
        time.sleep(5.0)
        pid = gateway.pid
        rss, pss = _memory(pid)
        broker = _memory(int((at / "edge" / "broker" / "pid").read_text()))[0]
        said(f"{things} things: RSS {rss:.0f} MiB, PSS {pss:.0f} MiB, its broker {broker:.0f} MiB")
        spent, begun = cpu_seconds(pid), time.monotonic()
        sent = _load(client, things, rate, seconds)
        lasted = time.monotonic() - begun
        _until(lambda: _stored(at / "edge" / "diat.db") >= sent, "stored", 60.0)
        cpu = (cpu_seconds(pid) - spent) / (time.monotonic() - begun)
        loaded = _memory(pid)[0]
        if send == "all":
            _until(lambda: _metric(above[0], "diat_readings_total") >= sent, "above", 60.0)
        httpx.get(f"http://127.0.0.1:{below[0]}/things", timeout=30).raise_for_status()
        asked = _memory(pid)[0]
        client.loop_stop()
        client.disconnect()
    said(f"{sent / lasted:.0f} readings/s, {send}: {cpu:.0%} of a core, RSS {loaded:.0f} MiB")
    said(f"once its REST was asked: RSS {asked:.0f} MiB")
    return Taken(things, rss, pss, broker, sent / lasted, cpu, send, loaded, asked)


def _thing(number: int) -> dict[str, object]:
    return {
        "id": f"urn:dev:e{number}",
        "title": f"Sensor {number}",
        "diat:place": f"site/{number // 100}/{number // 10 % 10}",
        "properties": {
            "temperature": {
                "type": "number",
                "unit": "Cel",
                "@type": "quantitykind:Temperature",
                "readOnly": True,
            },
            "humidity": {"type": "number", "unit": "%", "readOnly": True},
        },
    }


def _load(client: paho.Client, things: int, rate: float, seconds: float) -> int:
    """Send readings evenly; how many."""
    begun, sent = time.monotonic(), 0
    while (passed := time.monotonic() - begun) < seconds:
        while sent < passed * rate:
            sent += 1
            body = {"b": 1, "n": sent // things + 1, "t": round(time.time() * 1000)}
            value = {"temperature": 20 + sent % 97 / 10, "humidity": 40 + sent % 31}
            client.publish(f"diat/e{sent % things}/properties", json.dumps({**body, "v": value}), 1)
        time.sleep(0.005)
    return sent


def _memory(pid: int) -> tuple[float, float]:
    """RSS and PSS of a process, MiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    found = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:] if ":" in line}
    return found["Rss"] / MIB, found["Pss"] / MIB


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def _connects(client: paho.Client, port: int) -> bool:
    try:
        client.connect("127.0.0.1", port)
    except OSError:
        return False
    return True


def _stored(database: Path) -> int:
    """Readings in a gateway's history, without asking the gateway."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM readings").fetchone()[0])


def _metric(port: int, name: str) -> float:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    values = [
        line.rpartition(" ")[2] for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name
    ]
    return sum(map(float, values))


def _until(done: Callable[[], bool], what: str, patience: float = READY) -> None:
    end = time.monotonic() + patience
    while not done():
        if time.monotonic() > end:
            raise BenchmarkFailed(f"edge gateway: not {what} within {patience:.0f} s")
        time.sleep(0.2)


def main() -> None:
    """Measure once and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--things", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=1000.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--send", choices=("asked", "all"), default="asked")
    given = parser.parse_args()
    measure(given.things, given.rate, given.seconds, given.send)


if __name__ == "__main__":
    main()
