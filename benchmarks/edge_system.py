"""A platform with two gateways, as processes: one beside the demo house, one beside the generated things."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import httpx

from benchmarks.edge_house import SERVICES, DemoHouse
from benchmarks.edge_things import SWITCH, WINDOW, Rooms, services
from benchmarks.processes import BenchmarkFailed, Child
from diat.adapters.brokers.listening import free_port

READY = 120.0
MODES = {
    "core": ("--no-placement", "0"),
    "placement": ("--placement", "0"),
    "things": ("--placement", "300"),
}
"""Where steps run: what a platform is started with, and in how many seconds things say one value at least."""
HOUSES = ("demo", "rooms")
"""The gateways by name, and what is beside them."""


class System:
    """A platform in one mode, with all that is beside it.

    Attributes:
        rooms: the generated things.
        demo: the demo house.
        api: REST of the platform.
        made: title of a service to its id.
    """

    def __init__(self, path: Path, mode: str, rooms: int) -> None:
        """``path`` is a directory for its data."""
        self._path, self.mode, self._count = path, mode, rooms
        self._stack = ExitStack()
        self.made: dict[str, str] = {}

    def __enter__(self) -> Self:
        placement, seconds = MODES[self.mode]
        http, mqtt = free_port(), free_port()
        core = ["diat", "up", "--http", str(http), "--mqtt", str(mqtt), "--data", str(self._path / "core")]
        core += [placement, "--push-down", seconds, "--no-dashboard", "--no-announce"]
        self._stack.enter_context(Child(core, self._path / "core.log"))
        url = f"http://127.0.0.1:{http}"
        self.api = self._stack.enter_context(httpx.Client(base_url=url, timeout=30))
        self._ports = {}
        for name in HOUSES:
            own, below = free_port(), free_port()
            edge = ["diat", "gateway", "--join", f"mqtt://127.0.0.1:{mqtt}", "--name", name]
            edge += ["--data", str(self._path / name), "--http", str(own), "--mqtt", str(below)]
            edge += ["--figures", "5", "--push-down", seconds, "--no-dashboard"]
            self._stack.enter_context(Child(edge, self._path / f"{name}.log"))
            self._ports[name] = below
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def furnish(self) -> None:
        """Have the things come, and then their services.

        Raises:
            BenchmarkFailed: something did not come.
        """
        until(self._there, f"{self.mode}: the platform did not answer")
        until(lambda: len(self.gateways()) == len(HOUSES), f"{self.mode}: the gateways did not join")
        self.rooms = Rooms(self._count, self._ports["rooms"])
        self._stack.callback(self.rooms.close)
        self.demo = DemoHouse(self._ports["demo"])
        self._stack.callback(self.demo.close)
        self.rooms.announce()
        until(
            lambda: self.gateways()["rooms"]["things"] >= 5 * self._count,
            f"{self.mode}: the generated things did not come up",
        )
        until(lambda: self.demo.place(self.api), f"{self.mode}: the things of the demo house did not come up")
        for source in (WINDOW, SWITCH):
            made = self.api.post("/templates", content=source, headers={"content-type": "application/yaml"})
            made.raise_for_status()

    def serve(self) -> None:
        """Make the services."""
        for title, template, parameters in (*SERVICES, *services(self._count)):
            body = {"title": title, "template": template, "parameters": parameters}
            made = self.api.post("/services", json=body)
            made.raise_for_status()
            self.made[title] = made.json()["id"]

    def gateways(self) -> dict[str, dict[str, Any]]:
        """What ``/daemons`` says of the gateways, by name."""
        answer = self.api.get("/daemons")
        answer.raise_for_status()
        return {each["id"]: each for each in answer.json() if each["tier"] == "gateway"}

    def where(self) -> dict[str, tuple[str, ...]]:
        """Service and gateway to the steps that run there."""
        return {
            f"{each['title']} {name}": tuple(each["steps_here"])
            for name, shown in self.gateways().items()
            for each in shown.get("link", {}).get("services", [])
        }

    def waiting(self) -> list[str]:
        """Titles of services that do not run."""
        found = self.api.get("/services", params={"limit": 1000}).json()
        return [each["title"] for each in found if each["state"] not in ("running", "degraded")]

    def history(self, title: str, prop: str, start: int) -> list[Any]:
        """What becomes of a value that a service makes, from a time on in Unix seconds: each other value."""
        thing = self.api.get(f"/services/{self.made[title]}").json()["thing"]
        path = f"/things/{thing}/properties/{prop}/history"

        def values(**query: Any) -> list[Any]:
            found = self.api.get(path, params={"limit": 1000, **query})
            found.raise_for_status()
            said = [each["value"] for each in found.json()]
            return [round(value, 6) if isinstance(value, float) else value for value in said]

        stood = values(to=start * 1000, every="1d", aggregate="last")[-1:]
        came = [*stood, *values(**{"from": start * 1000})]
        return [value for before, value in pairwise(came) if value != before]

    def _there(self) -> bool:
        try:
            return self.api.get("/health/ready").status_code == 200
        except httpx.HTTPError:
            return False


def until(true: Callable[[], bool], what: str) -> None:
    """Wait.

    Raises:
        BenchmarkFailed: it does not come about.
    """
    end = time.time() + READY
    while not true():
        if time.time() > end:
            raise BenchmarkFailed(what)
        time.sleep(0.5)
