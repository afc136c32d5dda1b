"""What the demo asks of the platform, over REST as anybody would, and what it reads out of the answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from diat.kernel.clock import parse_time


@dataclass(frozen=True, slots=True)
class Shown:
    """A reading as the demo shows it; ``age`` in seconds, None if unknown."""

    name: str
    value: Any
    unit: str
    age: float | None
    quality: str


@dataclass(frozen=True, slots=True)
class ThingView:
    """A thing and its last readings by name."""

    id: str
    title: str
    place: str
    dialect: str
    status: str
    identifiers: tuple[str, ...]
    readings: Mapping[str, Shown]


@dataclass(frozen=True, slots=True)
class Bound:
    """An affordance that fills a role of a service."""

    role: str
    thing: str
    affordance: str


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service, what it bound, what it misses, and the id of the thing that it makes, if any."""

    id: str
    title: str
    template: str
    state: str
    parameters: Mapping[str, Any]
    bindings: tuple[Bound, ...]
    missing: tuple[str, ...]
    thing: str | None


@dataclass(frozen=True, slots=True)
class CommandView:
    """A command that was given; ``service`` is the id of who gave it, None for a person."""

    id: str
    thing: str
    affordance: str
    input: Any
    service: str | None
    status: str
    created: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is shown, asked for at about the same time; commands newest first."""

    things: Mapping[str, ThingView] = field(default_factory=dict)
    services: tuple[ServiceView, ...] = ()
    commands: tuple[CommandView, ...] = ()

    def reading(self, thing: str, affordance: str) -> Shown | None:
        """The last reading of a thing's property, if there is one."""
        view = self.things.get(thing)
        return None if view is None else view.readings.get(affordance)

    def title(self, thing: str) -> str:
        """The title of a thing, or its id while it is unknown."""
        view = self.things.get(thing)
        return thing if view is None else view.title


class Rest:
    """A user of the platform's API.

    All calls raise ``httpx.HTTPError`` when the platform does not answer, or refuses.
    """

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=3.0)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def ensure_service(self, title: str, template: str, parameters: Mapping[str, Any]) -> None:
        """Create the service unless there is one of that title."""
        if any(service["title"] == title for service in self._get("/services")):
            return
        body = {"title": title, "template": template, "parameters": parameters}
        self._client.post("/services", json=body).raise_for_status()

    def say(self, thing: str, known: Mapping[str, Any]) -> None:
        """Tell what a person knows of a thing, by merge-patch on its description."""
        headers = {"Content-Type": "application/merge-patch+json"}
        answer = self._client.patch(f"/things/{quote(thing, safe='')}", json=known, headers=headers)
        answer.raise_for_status()

    def snapshot(self, commands: int = 20) -> Snapshot:
        """Ask for everything that is shown."""
        services = tuple(_service(body) for body in self._get("/services"))
        given = tuple(_command(body) for body in self._get(f"/actuations?limit={commands}"))
        # Things last: then whatever a service or a command names is among them.
        things = {td["id"]: self._thing(td) for td in self._get("/things?limit=200")}
        return Snapshot(things=things, services=services, commands=given)

    def _thing(self, td: Mapping[str, Any]) -> ThingView:
        readings = self._get(f"/things/{quote(td['id'], safe='')}/readings")
        now = time.time()
        return ThingView(
            id=td["id"],
            title=td.get("title") or td["id"],
            place=td.get("diat:place") or "",
            dialect=td.get("diat:dialect") or "",
            status=td.get("diat:status") or "",
            identifiers=tuple(str(name) for name in td.get("diat:identifiers") or ()),
            readings={name: _shown(name, body, now) for name, body in readings.items() if body},
        )

    def _get(self, path: str) -> Any:
        answer = self._client.get(path)
        if answer.status_code == httpx.codes.NOT_FOUND and "/readings" in path:
            return {}  # it went between the two questions
        answer.raise_for_status()
        return answer.json()


def _shown(name: str, body: Mapping[str, Any], now: float) -> Shown:
    observed = body.get("observed") or body.get("received")
    age = None if observed is None else max(0.0, now - parse_time(observed) / 1000)
    return Shown(name, body.get("value"), body.get("unit") or "", age, body.get("quality") or "good")


def _service(body: Mapping[str, Any]) -> ServiceView:
    return ServiceView(
        id=body["id"],
        title=body.get("title") or body["id"],
        template=body.get("template") or "",
        state=body.get("state") or "",
        parameters=body.get("parameters") or {},
        bindings=tuple(
            Bound(bound.get("role") or "", bound.get("thing") or "", bound.get("affordance") or "")
            for bound in body.get("bindings") or ()
        ),
        missing=tuple(_plain(missing) for missing in body.get("missing") or ()),
        thing=body.get("thing"),
    )


def _command(body: Mapping[str, Any]) -> CommandView:
    return CommandView(
        id=body["id"],
        thing=body.get("thing") or "",
        affordance=body.get("affordance") or "",
        input=body.get("input"),
        service=body.get("service"),
        status=body.get("status") or "",
        created=body.get("created") or "",
    )


def _plain(missing: Any) -> str:
    if isinstance(missing, Mapping):
        return ": ".join(str(missing[key]) for key in ("role", "reason") if missing.get(key))
    return str(missing)
