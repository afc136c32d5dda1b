"""What is measured, as child processes, each with a broker of the same kind: platform, limit, echo."""

from __future__ import annotations

import http.client
import re
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import httpx
import msgspec

from benchmarks import limit, mqtt, things
from benchmarks.brokers import broker_pid
from benchmarks.processes import BenchmarkFailed, Child
from diat.adapters.brokers.address import BrokerAddress
from diat.adapters.brokers.listening import free_port

PATIENCE = 60.0
"""Seconds after which something that should have happened counts as failed."""

Stored = Iterable[tuple[int, int]]
"""Thing and sequence number of each row."""


class Subject:
    """A child process, its broker, and the directory in which both keep everything.

    Attributes:
        name: for a person.
        data: the directory.
        address: of the broker.
    """

    name = ""

    def __init__(self, broker: str, data: Path) -> None:
        self.data = data
        data.mkdir(parents=True, exist_ok=True)
        self.address = BrokerAddress("127.0.0.1", free_port())
        self.child = Child(self._arguments(broker), data / "child.log")
        try:
            self._wait_ready()
        except BaseException:
            self.close()
            raise

    def _arguments(self, broker: str) -> list[str]:
        raise NotImplementedError

    def _wait_ready(self) -> None:
        """Return once it takes messages."""
        if (said := self.child.line(PATIENCE)) != "ready":
            raise BenchmarkFailed(f"{self.name} said {said!r} instead of ready")

    @property
    def pids(self) -> tuple[int, int]:
        """Process ids of it and of its broker."""
        return self.child.pid, broker_pid(self.data)

    def close(self) -> None:
        """End it and its broker."""
        self.child.__exit__()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Limit(Subject):
    """The stripped limit (``benchmarks.limit``)."""

    name = "limit"

    def __init__(self, broker: str, data: Path, messages: int) -> None:
        self._messages = messages
        super().__init__(broker, data)

    def _arguments(self, broker: str) -> list[str]:
        port = str(self.address.port)
        return ["benchmarks.limit", broker, str(self.data), port, str(self._messages)]

    def admit(self, count: int) -> None:
        """Nothing: it takes whatever comes."""

    def committed(self) -> float:
        """When (``time.monotonic``) everything was committed; waits for it."""
        return float(self.child.line(PATIENCE))

    def stored(self) -> Stored:
        """What is in the database."""
        return _rows(self.data / limit.DATABASE, "SELECT thing, n FROM readings")

    def repeats(self) -> int:
        """It tells no repeats apart: they would be rows."""
        return 0


class Echo(Subject):
    """The bare echo (``benchmarks.echo``)."""

    name = "echo"

    def _arguments(self, broker: str) -> list[str]:
        return ["benchmarks.echo", broker, str(self.data), str(self.address.port)]


class Platform(Subject):
    """``diat up`` with a fresh data directory."""

    name = "platform"

    def __init__(self, broker: str, data: Path, messages: int = 0) -> None:
        self._messages = messages
        self._http = free_port()
        self._rest = httpx.Client(base_url=f"http://127.0.0.1:{self._http}", timeout=10)
        super().__init__(broker, data)

    def _arguments(self, broker: str) -> list[str]:
        ports = ["--http", str(self._http), "--mqtt", str(self.address.port)]
        return ["diat", "up", *ports, "--broker", broker, "--data", str(self.data)]

    def _wait_ready(self) -> None:
        self.wait(self._is_ready, "was not ready")

    def _is_ready(self) -> bool:
        try:
            return self._rest.get("/health/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def admit(self, count: int) -> None:
        """Announce the things of the ingest load; returns once all of them are online."""
        packets = [
            packet
            for number in range(count)
            for packet in things.announcement(things.meter_name(number), things.meter_td(number))
        ]
        with mqtt.Connection(self.address, "bench-announce") as link:
            link.publish_all(packets)
        self.wait(lambda: self._metric('diat_things{status="online"}') == count, "did not admit all things")

    def committed(self) -> float:
        """When (``time.monotonic``) everything was committed; waits for it.

        The count in its metrics says when to look, and is asked for seldom, because answering costs it time;
        the database says whether it is so.
        """
        before, seen = time.monotonic(), 0.0
        deadline = before + 2 * PATIENCE
        while (count := self._metric("diat_readings_total")) < self._messages:
            self.child.check()
            now = time.monotonic()
            if now > deadline:
                raise BenchmarkFailed(f"the platform took {count:.0f} of {self._messages} messages")
            pace = (count - seen) / (now - before) if seen else 0.0
            before, seen = now, count
            # Half of the time that it should still need: the closer to the end, the oftener.
            rest = (self._messages - count) / pace if pace else 0.05
            time.sleep(min(0.5, max(0.005, rest / 2)))
        path = self.data / "diat.db"
        while True:
            now = time.monotonic()
            # The count ran ahead of the commit by a batch at most.
            ((rows, _),) = _rows(path, "SELECT count(*), 0 FROM readings")
            if rows >= self._messages:
                return now
            if now > deadline:
                raise BenchmarkFailed("the platform did not store what it took")

    def stored(self) -> Stored:
        """What is in the database."""
        return _rows(self.data / "diat.db", "SELECT thing, n FROM readings")

    def repeats(self) -> int:
        """Messages that the broker delivered again, and that made no second row."""
        return int(self._metric("diat_repeats_total"))

    def client(self) -> httpx.Client:
        """Another client of its REST."""
        return httpx.Client(base_url=self._rest.base_url, timeout=PATIENCE)

    def create_service(self, body: dict[str, Any]) -> None:
        """POST a service."""
        answer = self._rest.post("/services", json=body)
        if answer.status_code != httpx.codes.CREATED:
            raise BenchmarkFailed(f"the platform refused a service: {answer.text[:300]}")

    def add_template(self, source: str) -> None:
        """POST a template, in YAML."""
        answer = self._rest.post("/templates", content=source)
        if answer.status_code != httpx.codes.CREATED:
            raise BenchmarkFailed(f"the platform refused a template: {answer.text[:300]}")

    def wait_services(self, count: int) -> None:
        """Return once so many services are running."""
        self.wait(
            lambda: self._metric('diat_services{state="running"}') == count, "did not bind all services"
        )

    def kill(self) -> None:
        """End it as a power cut would."""
        self.child.kill()

    def close(self) -> None:
        """End it and its broker."""
        self._rest.close()
        super().close()

    def readings(self) -> float:
        """Readings that it has stored since it was started."""
        return self._metric("diat_readings_total")

    def messages(self) -> float:
        """Messages that it has taken since it was started."""
        return self._metric("diat_messages_total")

    def knows(self, count: int) -> bool:
        """Whether it knows exactly so many things."""
        last, beyond = (
            self._rest.get("/things", params={"limit": 1, "offset": at}).json()
            for at in (max(0, count - 1), count)
        )
        return len(last) == min(1, count) and not beyond

    def asking(self, path: str) -> tuple[Callable[[], bytes], Callable[[bytes], int]]:
        """What GETs a list on a connection that stays open, and what counts its elements."""
        connection = http.client.HTTPConnection("127.0.0.1", self._http, timeout=PATIENCE)

        def ask() -> bytes:
            connection.request("GET", path)
            return connection.getresponse().read()

        return ask, lambda body: len(msgspec.json.decode(body, type=list[msgspec.Raw]))

    def wait(
        self,
        reached: Callable[[], bool],
        failure: str,
        *,
        pause: float = 0.02,
        patience: float = PATIENCE,
    ) -> None:
        """Return once that is so, asked for every ``pause`` seconds.

        Raises:
            BenchmarkFailed: it ended, or ``patience`` seconds went by; ``failure`` says what it did not do.
        """
        deadline = time.monotonic() + patience
        while not reached():
            self.child.check()
            if time.monotonic() > deadline:
                raise BenchmarkFailed(f"the platform {failure} within {patience:.0f} s")
            time.sleep(pause)

    def _metric(self, name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", self._rest.get("/metrics").text, re.MULTILINE)
        return float(found[1]) if found else 0.0


def _rows(database: Path, query: str) -> Stored:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        yield from connection.execute(query)
