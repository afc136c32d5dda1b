"""A daemon that asks for credentials, with each broker of ours, and people who do not mean well.

Fixtures:
    site: a running ``Site`` with the broker that the test is run with.
    embedded: the same with the embedded broker only.
    person: makes an MQTT client that waits for every answer.
"""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import ssl
import threading
import time
from pathlib import Path

import httpx
import paho.mqtt.client as paho
import pytest
import uvicorn
from paho.mqtt.enums import CallbackAPIVersion

from diat.adapters.brokers.listening import free_port
from diat.adapters.joinkey import kept_key
from diat.api.app import make_app
from diat.daemon import Daemon
from diat.settings import Listen, Settings

LOOPBACK = "127.0.0.1"
PATIENCE = 10.0
GRANTED, REFUSED_FILTER = (0, 1, 2), 0x80
REFUSED = "Not authorized"
MALFORMED = "Bad user name or password"
THERMOMETER = {
    "title": "Thermometer",
    "properties": {"temperature": {"type": "number", "unit": "Cel", "readOnly": True}},
}


def until(ask, what="", within=PATIENCE):
    """Ask until the answer is true, and return it."""
    deadline = time.monotonic() + within
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"never came about: {what} (last: {answer!r})"
        time.sleep(0.01)
    return answer


class Person:
    """An MQTT client that waits for every answer; ``code`` is the broker's to its CONNECT."""

    def __init__(self, port, user, password, client, *, will=None, keep=False, tls=None, patience=PATIENCE):
        self.name = client
        self._answers, self.heard, self.gone = queue.Queue(), queue.Queue(), threading.Event()
        self.paho = paho.Client(CallbackAPIVersion.VERSION2, client_id=client, clean_session=not keep)
        if user is not None:
            self.paho.username_pw_set(user, password)
        if will is not None:
            self.paho.will_set(*will)
        if tls is not None:
            self.paho.tls_set_context(tls)
        self.paho.on_connect = lambda c, u, flags, code, p: self._answers.put(code)
        self.paho.on_disconnect = lambda *_: self.gone.set()
        self.paho.on_subscribe = lambda c, u, mid, codes, p: self._answers.put(codes[0])
        self.paho.on_message = lambda c, u, message: self.heard.put(message)
        self.paho.reconnect_delay_set(60, 60)
        self.paho.connect(LOOPBACK, port)
        self.paho.loop_start()
        try:
            self.code = str(self._answers.get(timeout=patience))
        except queue.Empty:
            self.end()
            raise TimeoutError("no answer to CONNECT") from None

    def subscribe(self, topic, qos=1):
        """The broker's answer: a QoS, or 0x80."""
        self.paho.subscribe(topic, qos)
        return self._answers.get(timeout=PATIENCE).value

    def publish(self, topic, payload, *, retain=False):
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.paho.publish(topic, body, 1, retain).wait_for_publish(PATIENCE)

    def attempt(self, topic, payload=b"{}", *, retain=False):
        """Publish where it may not be allowed: mosquitto drops the message, and may cut the client off."""
        self.paho.reconnect_delay_set(1, 1)
        sent = self.paho.publish(topic, payload, 1, retain)
        until(lambda: sent.is_published() or self.gone.is_set(), f"an answer to {topic}")
        if self.gone.is_set():
            self.gone.clear()
            assert str(self._answers.get(timeout=PATIENCE)) == "Success"

    def next(self):
        """The next message: topic and payload."""
        message = self.heard.get(timeout=PATIENCE)
        return message.topic, message.payload

    def break_off(self):
        """Go without a word, so that the will is told."""
        self.paho.loop_stop()
        self.paho._sock_close()

    def end(self):
        self.paho.disconnect()
        self.paho.loop_stop()


@contextlib.contextmanager
def served(site):
    """REST of a site on a real socket; its client, as the platform's owner."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind((LOOPBACK, 0))
    listening.listen()
    tls = site.daemon.tls
    config = uvicorn.Config(
        make_app(site.daemon, "0"),
        log_level="error",
        lifespan="off",
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="test-uvicorn")
    thread.start()
    url = f"http{'s' if tls else ''}://{LOOPBACK}:{listening.getsockname()[1]}"
    verify = ssl.create_default_context(cafile=tls.authority) if tls else True
    token = site.do(site.daemon.people.owner_token)
    with httpx.Client(base_url=url, timeout=30, verify=verify) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        until(lambda: server.started, "uvicorn")
        yield client
    server.should_exit = True
    thread.join()
    listening.close()


class Site:
    """A platform that asks for credentials."""

    def __init__(self, data: Path, broker: str, **more):
        self.port = free_port()
        while broker == "mosquitto" and not _both_free(self.port):
            self.port = free_port()
        self.join_port = self.port + 1 if broker == "mosquitto" else self.port
        self.broker = broker
        self.settings = Settings(
            data=data, mqtt=Listen(LOOPBACK, self.port), broker=broker, lan=True, **{"plain": True} | more
        )
        self.daemon = Daemon(self.settings)
        self.persons: list[Person] = []

    @property
    def key(self):
        return kept_key(self.settings.data)

    @property
    def access(self):
        return self.daemon.access

    def person(self, user, password, client, *, join=False, **more):
        made = Person(self.join_port if join else self.port, user, password, client, **more)
        self.persons.append(made)
        return made

    def do(self, change):
        """Change something in the writer."""
        return self.daemon.submit(change).result(PATIENCE)

    def own(self):
        """A client with the platform's own rights, which sees what really reached the broker."""
        address = self.daemon._address
        tls = address.encryption() if address.tls else None
        name = f"witness-{len(self.persons)}"
        made = Person(address.port, address.username, address.password, name, tls=tls)
        self.persons.append(made)
        return made

    def join(self, name, td=THERMOMETER):
        """Let a thing join; its password."""
        joining = self.person("join", self.key, name, join=True)
        assert joining.code == "Success"
        assert joining.subscribe(f"diat/{name}/credential") in GRANTED
        joining.publish(f"wot/td/{name}", td, retain=True)
        topic, payload = joining.next()
        assert topic == f"diat/{name}/credential"
        said = json.loads(payload)
        assert said["username"] == name
        joining.end()
        return said["password"]

    def thing(self, name, td=THERMOMETER, **more):
        """A thing that is in with a credential of its own."""
        password = self.join(name, td)
        made = until(lambda: self._entered(name, password, more), f"{name} in")
        made.password = password
        return made

    def _entered(self, name, password, more):
        made = self.person(name, password, name, **more)
        if made.code == "Success":
            return made
        made.end()
        return None

    def temperature(self, name):
        reading = self.daemon.things.twin(f"urn:dev:{name}").values.get("temperature")
        return reading.value if reading is not None else None

    def title(self, name):
        each = self.daemon.things.registry.objects.committed.get(f"urn:dev:{name}")
        return each.td["title"] if each is not None else None


def _both_free(port):
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind((LOOPBACK, port + 1))
        return True
    return False


@pytest.fixture
def make_site(tmp_path, needed):
    """``make_site(broker, **settings)``: a running site."""
    with contextlib.ExitStack() as stack:

        def make(broker, **more):
            if broker == "mosquitto":
                needed("mosquitto", "mosquitto")
            site = Site(tmp_path / f"data-{broker}", broker, **more)
            stack.enter_context(site.daemon)
            stack.callback(lambda: [each.end() for each in site.persons])
            until(lambda: site.daemon.trouble is None, "up", within=30)
            return site

        yield make


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def site(request, make_site):
    return make_site(request.param)


@pytest.fixture
def embedded(make_site):
    return make_site("embedded")
