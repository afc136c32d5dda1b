"""A real daemon with its own broker and database, REST on a real socket, and MQTT clients as things.

Fixtures:
    house: a ``House``, one for each module; tests keep apart by the names and places that they use.
    fortress: another, open beyond loopback: it asks everybody for a credential.
    someone: makes programs with a role at some places, each a client by its token.
    rest: its HTTP client.
    place: a place of this test's own.
    thing: makes a ``Thing`` that is announced and admitted, and ends it after the test.
"""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import paho.mqtt.client as paho
import pytest
import uvicorn
from paho.mqtt.enums import CallbackAPIVersion

from diat.adapters.brokers.listening import free_port
from diat.api.app import make_app
from diat.daemon import Daemon
from diat.settings import Listen, Settings
from diat.vol.dialects.directory import Bridge

LOOPBACK = "127.0.0.1"
PATIENCE = 10.0
T = TypeVar("T")
_NUMBERS = itertools.count(1)


def until(ask: Callable[[], T], what: str = "", within: float = PATIENCE) -> T:
    """Ask until the answer is true, and return it; fail past the deadline with the last answer."""
    deadline = time.monotonic() + within
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"never came about: {what or ask} (last: {answer!r})"
        time.sleep(0.01)
    return answer


class House:
    """The platform as the outside sees it: a broker and an HTTP address.

    Attributes:
        rest: HTTP client.
        mqtt_port: of the broker.
    """

    def __init__(self, daemon: Daemon, rest: httpx.Client, mqtt_port: int) -> None:
        self.daemon = daemon
        self.rest = rest
        self.mqtt_port = mqtt_port

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        """GET: the JSON of the answer."""
        answer = self.rest.get(path, params=query)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, status: int = 201, **headers: str) -> Any:
        """POST JSON: the JSON of the answer."""
        answer = self.rest.post(path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    def service(self, template: str, **parameters: Any) -> dict[str, Any]:
        """Make a service."""
        body = {"title": "a service", "template": template, "parameters": parameters}
        made: dict[str, Any] = self.post("/services", body)
        return made

    def keep(self, place: str, **more: Any) -> dict[str, Any]:
        """Ask that the temperature of a place be kept between 20 and 24 degrees."""
        said = {"quantity": "Temperature", "place": place, "low": 20, "high": 24, "unit": "Cel"}
        return self.service("keep-within", **said | more)

    def state_of(self, service: dict[str, Any], state: str) -> dict[str, Any]:
        """The service, once it is in this state."""

        def ask() -> dict[str, Any]:
            now: dict[str, Any] = self.get(f"/services/{service['id']}")
            return now if now["state"] == state else {}

        return until(ask, f"service in state {state}")

    def diagnostics(self, thing: str | None = None) -> list[str]:
        """What went wrong with a thing (by id), or with nothing that is known."""
        if thing is not None:
            return [line["text"] for line in self.get(f"{path_of(thing)}/diagnostics")]
        return [line["text"] for line in self.get("/diagnostics") if line["thing"] is None]


def path_of(thing: str) -> str:
    """The REST path of a thing by id."""
    return f"/things/{quote(thing, safe='')}"


class Thing:
    """A native thing: a real MQTT client.

    Attributes:
        name: its name in topics; ``id`` and ``path`` are those in REST.
        obeys: how it answers commands: a status, or None for not at all.
        told: commands that came, oldest first.
        admission: the platform's last answer to its announcement.
    """

    def __init__(self, house: House, name: str, td: dict[str, Any] | None, *, obeys: str | None) -> None:
        self.house = house
        self.name = name
        self.id = (td or {}).get("id", f"urn:dev:{name}")
        self.path = path_of(self.id)
        self.obeys = obeys
        self.told: list[dict[str, Any]] = []
        self.admission: dict[str, Any] | None = None
        self.retained: dict[str, bytes] = {}
        self._taker = 0
        self._n = itertools.count(1)
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"test-{name}")
        self._client.on_message = self._on_message
        self._ready = threading.Event()
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_connect = lambda *_: self._client.subscribe(f"diat/{name}/#", 1)
        self._client.connect(LOOPBACK, house.mqtt_port)
        self._client.loop_start()
        assert self._ready.wait(PATIENCE)

    def _on_message(self, _: Any, __: Any, message: paho.MQTTMessage) -> None:
        self._taker = threading.get_ident()
        channel = message.topic.removeprefix(f"diat/{self.name}/")
        if channel == "admission":
            self.admission = json.loads(message.payload) if message.payload else None
        elif channel == "set" or channel.startswith("actions/"):
            body = json.loads(message.payload)
            self.told.append({"channel": channel, **body})
            if self.obeys is not None:
                self._perform(body)

    def _perform(self, body: dict[str, Any]) -> None:
        self.answer(body["id"], str(self.obeys))
        if self.obeys == "completed" and "v" in body:
            self.report(**body["v"])

    def answer(self, reference: str, status: str, **more: Any) -> None:
        """Answer a command."""
        self.say(f"diat/{self.name}/results", {"id": reference, "status": status, **more})

    def announce(self, td: dict[str, Any] | bytes) -> None:
        """Announce itself, retained."""
        self.say(f"wot/td/{self.name}", td, retain=True)

    def withdraw(self) -> None:
        """Take the announcement back."""
        self.announce(b"")

    def status(self, status: str) -> None:
        """Say whether it is there."""
        self.say(f"diat/{self.name}/status", status.encode(), retain=True)

    def report(self, *, at: int | None = None, **values: Any) -> None:
        """Report values, observed now unless ``at`` says when."""
        t = time.time_ns() // 1_000_000 if at is None else at
        self.say(f"diat/{self.name}/properties", {"b": 1, "n": next(self._n), "t": t, "v": values})

    def say(self, topic: str, payload: Any, *, retain: bool = False, qos: int = 1) -> None:
        """Publish; at QoS 1 it returns when the broker has it, unless called while a message is taken."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        published = self._client.publish(topic, body, qos, retain)
        if qos and threading.get_ident() != self._taker:
            published.wait_for_publish(PATIENCE)

    def listen(self, topic: str) -> list[bytes]:
        """Listen to a topic from now on; the payloads that come."""
        heard: list[bytes] = []
        self._ready.clear()
        self._client.message_callback_add(topic, lambda _, __, message: heard.append(message.payload))
        self._client.subscribe(topic, 1)
        assert self._ready.wait(PATIENCE)
        return heard

    def has(self, **values: Any) -> None:
        """Report values and wait until the platform shows them."""
        self.report(**values)
        self.shows(**values)

    def shows(self, **values: Any) -> None:
        """Wait until the platform shows these values."""
        until(lambda: values.items() <= self.house.get(f"{self.path}/properties").items(), f"{values}")

    def end(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def running(settings: Settings, bridge: Bridge | None = None) -> Iterator[House]:
    """A platform with its REST on a real socket; its own client comes with the owner's token."""
    # The protocol is named because asyncio sets TCP_NODELAY only then: without it each answer takes 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind((LOOPBACK, 0))
    listening.listen()
    port = listening.getsockname()[1]
    with Daemon(settings, bridge=bridge) as daemon:
        config = uvicorn.Config(make_app(daemon, "0"), log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="test-uvicorn")
        thread.start()
        owner = {}
        if settings.lan:
            token = daemon.submit(daemon.people.owner_token).result(PATIENCE)
            owner = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=f"http://{LOOPBACK}:{port}", timeout=30, headers=owner) as rest:
            until(lambda: server.started, "uvicorn")
            until(lambda: rest.get("/health/ready").status_code == 200, "ready", within=30)
            yield House(daemon, rest, settings.mqtt.port)
        server.should_exit = True
        thread.join()
    listening.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running(Settings(data=tmp_path_factory.mktemp("data"), mqtt=Listen(LOOPBACK, free_port()))) as made:
        yield made


@pytest.fixture(scope="module")
def fortress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    data = tmp_path_factory.mktemp("fortress")
    with running(Settings(data=data, mqtt=Listen(LOOPBACK, free_port()), lan=True, announce=False)) as made:
        yield made


Someone = Callable[..., httpx.Client]


@contextmanager
def somebody(house: House) -> Iterator[Someone]:
    """``somebody(house)(role, *places, **token)``: a client of a program that is just made, by a token."""
    clients: list[httpx.Client] = []

    def make(role: str | None, /, *places: str, **scope: Any) -> httpx.Client:
        name = f"program-{next(_NUMBERS)}"
        grants = [] if role is None else [{"role": role} | ({"places": list(places)} if places else {})]
        house.post("/users", {"name": name, "kind": "account", "grants": grants})
        made = house.post("/tokens", {"title": "a test", "user": name, **scope})
        client = httpx.Client(
            base_url=house.rest.base_url,
            timeout=30,
            headers={"Authorization": f"Bearer {made['token']}", "X-Name": name, "X-Token": made["id"]},
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def someone(house: House) -> Iterator[Someone]:
    with somebody(house) as make:
        yield make


@pytest.fixture
def rest(house: House) -> httpx.Client:
    return house.rest


@pytest.fixture
def place() -> str:
    return f"test/{next(_NUMBERS)}"


MakeThing = Callable[..., Thing]


@pytest.fixture
def thing(house: House) -> Iterator[MakeThing]:
    """``thing(td, name=…, obeys=…)``: a thing; without a description it is not announced."""
    made: list[Thing] = []

    def make(td: dict[str, Any] | None, *, name: str | None = None, obeys: str | None = "completed") -> Thing:
        name = name or f"thing-{next(_NUMBERS)}"
        each = Thing(house, name, td, obeys=obeys)
        made.append(each)
        if td is not None:
            each.announce(td)
            until(lambda: each.admission, "admission")
        return each

    yield make
    for each in made:
        each.end()
        if each.admission is not None and each.admission["state"] == "accepted":
            # What is left of one test must not be bound by the services of another.
            house.rest.delete(each.path)


@pytest.fixture
def sensor(thing: MakeThing, place: str) -> MakeThing:
    """``sensor(value, unit=…, place=…)``: a thermometer at this test's place that has reported."""

    def make(value: float | None = None, *, unit: str = "Cel", at: str = place, **more: Any) -> Thing:
        prop = {"type": "number", "unit": unit, "@type": "quantitykind:Temperature", "readOnly": True}
        td = {"title": "Thermometer", "diat:place": at, "properties": {"temperature": prop | more}}
        made = thing(td)
        if value is not None:
            made.has(temperature=value)
        return made

    return make


@pytest.fixture
def heater(thing: MakeThing, place: str) -> MakeThing:
    """``heater()``: a heater at this test's place that does as it is told."""

    def make(*, at: str = place, obeys: str | None = "completed", direction: str = "increase") -> Thing:
        affects = {"quantity": "Temperature", "direction": direction}
        prop = {"type": "boolean", "idempotent": True, "diat:affects": affects}
        return thing({"title": "Heater", "diat:place": at, "properties": {"on": prop}}, obeys=obeys)

    return make


def problem(answer: httpx.Response, status: int, kind: str, field: str | None = None) -> dict[str, Any]:
    """Hold an answer to be a problem document of this kind; its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:diat:problem:{kind}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    if field is not None:
        assert body.get("field") == field, body
    return body


@pytest.fixture(name="problem")
def _problem() -> Callable[..., dict[str, Any]]:
    return problem


@pytest.fixture(name="until")
def _until() -> Callable[..., Any]:
    return until


@pytest.fixture(name="running", scope="session")
def _running() -> Callable[..., Any]:
    return running
