"""A real browser before a real platform, with real things.

Fixtures:
    chromium: Debian's Chromium, headless; one for the tests of a module.
    start: starts ``diat up`` as a process, with whatever options; ended with the module.
    page: an empty tab; it fails its test if a script fails, a dialog opens, or anything is asked elsewhere.
    things: puts real MQTT things on a platform.
"""

import contextlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import time

import httpx
import paho.mqtt.client as mqtt
import pytest
from playwright.sync_api import expect, sync_playwright

from tests.births import Born

READY_WITHIN = 30.0
SHOWN_WITHIN = 20_000
"""Milliseconds that a page has to show something; the machine is shared."""
expect.set_options(timeout=SHOWN_WITHIN)


@pytest.fixture(scope="module")
def chromium(needed):
    # Not longer: as long as it is there its event loop runs in this thread, and no other can.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=needed("chromium", "chromium"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


class Platform:
    """``diat up`` as a process.

    Attributes:
        begins: what follows ``diat`` first.
        url: where its pages are.
        rest: an HTTP client for it.
    """

    begins = ("up",)

    def __init__(self, directory, *options):
        self.http, self.mqtt = _free_port(), _free_port()
        self.url = f"http://127.0.0.1:{self.http}/ui"
        self.rest = httpx.Client(base_url=f"http://127.0.0.1:{self.http}", timeout=20.0)
        self._log = directory / "diat.log"
        ports = ["--http", f"127.0.0.1:{self.http}", "--mqtt", f"127.0.0.1:{self.mqtt}"]
        self._process = self.born([*self.begins, *options, *ports, "--data", str(directory / "data")])
        deadline = time.monotonic() + READY_WITHIN
        while not self._ready():
            assert self._process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)

    def born(self, arguments):
        return Born(arguments, self._log)

    @property
    def output(self):
        return self._log.read_text(errors="replace")

    @property
    def invitation(self):
        """The link by which the first one gets in."""
        return re.search(r"/login#(diat_\S+)", self.output)[0]

    def _ready(self):
        with contextlib.suppress(httpx.TransportError):
            return self.rest.get("/health/ready").status_code == httpx.codes.OK
        return False

    def close(self):
        self.rest.close()
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _free_port():
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.SystemRandom().randrange(20_000, 32_000)))
            return probe.getsockname()[1]


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    started = []

    def begin(*options):
        started.append(Platform(tmp_path_factory.mktemp("platform"), "--no-announce", *options))
        return started[-1]

    yield begin
    for each in started:
        each.close()


@pytest.fixture
def eventually():
    """``eventually(wanted, seconds)``: what it answers, once that is true."""

    def wait(wanted, seconds):
        deadline = time.monotonic() + seconds
        while not (found := wanted()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return found

    return wait


@pytest.fixture
def page(chromium):
    context = chromium.new_context(
        viewport={"width": 1280, "height": 900},
        locale="en-GB",
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
    )
    context.set_default_timeout(SHOWN_WITHIN)
    tab = context.new_page()
    tab.wrong = []
    tab.on("pageerror", lambda error: tab.wrong.append(f"a script failed: {error}"))
    tab.on("dialog", lambda dialog: (tab.wrong.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
    tab.on("request", lambda request: tab.wrong.append(request.url) if _elsewhere(request.url) else None)
    tab.on("console", lambda said: tab.wrong.append(said.text) if "Content Security" in said.text else None)
    yield tab
    context.close()
    assert tab.wrong == []


def _elsewhere(url):
    return not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))


class Thing:
    """A native thing: an MQTT client of its own, with a last will.

    Attributes:
        told: what it was told to do.
    """

    def __init__(self, port, name, td):
        self.told = []
        self._port = port
        self.name = name
        self._td = td
        self.revive()

    def revive(self):
        """Begin, or begin anew."""
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=self.name)
        self._client.will_set(f"diat/{self.name}/status", "offline", qos=1, retain=True)
        self._client.on_connect = lambda *_: self._introduce()
        self._client.on_message = lambda *said: self._obey(json.loads(said[-1].payload))
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()

    def _obey(self, said):
        """Do what it is told, and say so."""
        self.told.append(said)
        result = {"id": said["id"], "status": "completed"}
        self._client.publish(f"diat/{self.name}/results", json.dumps(result), qos=1)

    def _introduce(self):
        self._client.subscribe([(f"diat/{self.name}/set", 1), (f"diat/{self.name}/actions/+", 1)])
        self._client.publish(f"wot/td/{self.name}", json.dumps(self._td), qos=1, retain=True)
        self._client.publish(f"diat/{self.name}/status", "online", qos=1, retain=True)

    def say(self, *, at=None, **values):
        """Say what it measures, or measured ``at`` a time in Unix milliseconds."""
        report = {"v": values} if at is None else {"v": values, "t": at}
        self._client.publish(f"diat/{self.name}/properties", json.dumps(report), qos=1)

    def die(self):
        """Fall silent without a farewell: the broker tells its last will."""
        self._client.loop_stop()
        self._client.socket().shutdown(socket.SHUT_RDWR)

    def close(self):
        self._client.loop_stop()
        self._client.disconnect()


@pytest.fixture
def things():
    made = []

    def make(platform, name, td):
        made.append(Thing(platform.mqtt, name, td))
        return made[-1]

    yield make
    for each in made:
        each.close()
