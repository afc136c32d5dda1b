"""``diat up --lan`` as a whole process, and the command line beside it."""

import os
import re
import signal
import ssl
import subprocess
import sys

import httpx
import pytest
from cryptography import x509

from diat.adapters.brokers.listening import free_port

from .conftest import LOOPBACK, REFUSED, Person, until

STARTS_WITHIN = 60


class Up:
    """A platform that is open, in a process of its own."""

    def __init__(self, data):
        self.data, self.http, self.mqtt = data, free_port(), free_port()
        ports = ["--http", f"{LOOPBACK}:{self.http}", "--mqtt", f"{LOOPBACK}:{self.mqtt}"]
        self._said = data.with_suffix(".log")
        with self._said.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "diat", "up", "--lan", "--no-announce", "--data", str(data), *ports],
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        until(
            lambda: "Ctrl-C ends it" in self.said() or self._process.poll() is not None, within=STARTS_WITHIN
        )
        assert self._process.poll() is None, self.said()
        self.trust = ssl.create_default_context(cafile=data / "tls" / "ca.pem")
        self.url = f"https://{LOOPBACK}:{self.http}"
        until(self._ready, self.said(), within=STARTS_WITHIN)

    def said(self):
        return self._said.read_text(errors="replace")

    def _greeted(self):
        return "Ctrl-C ends it" in self.said() or self._process.poll() is not None

    def _ready(self):
        try:
            return httpx.get(f"{self.url}/health/ready", verify=self.trust).status_code == 200
        except httpx.TransportError:
            return False

    def person(self, user, password, client):
        return Person(self.mqtt, user, password, client, tls=self.trust)

    def diat(self, *words):
        """What a command prints."""
        done = subprocess.run(
            [sys.executable, "-m", "diat", *words, "--url", self.url, "--data", str(self.data)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(30) == 0, self.said()


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    platform = Up(tmp_path_factory.mktemp("up") / "data")
    yield platform
    platform.stop()


def test_nobody_unknown_reads_or_writes_one_topic(up):
    for user, password in ((None, None), ("join", ""), ("diat", ""), ("admin", "admin")):
        stranger = up.person(user, password, "stranger")
        assert stranger.code == REFUSED
        stranger.end()
    with pytest.raises(TimeoutError, match="no answer to CONNECT"):
        Person(up.mqtt, "join", "", "plain", patience=2)


def test_the_command_line_lets_things_in_and_out(up):
    shown = up.diat("thing", "join-key")
    key = re.search(rf"mqtts://join:(\S+)@{LOOPBACK}:{up.mqtt}", shown)[1]
    assert "█" in shown or "▄" in shown, "the QR code"
    assert key not in up.said(), "no secret in what it logs"
    joining = up.person("join", key, "th1")
    assert joining.code == "Success"
    joining.end()
    given = up.diat("thing", "bridge", "zigbee2mqtt")
    password = re.search(r"password\s+(\S+)", given)[1]
    bridge = up.person("zigbee2mqtt", password, "zigbee2mqtt")
    assert bridge.code == "Success"
    assert "zigbee2mqtt  bridge" in up.diat("thing", "list")
    up.diat("thing", "revoke", "zigbee2mqtt")
    assert bridge.gone.wait(5)
    bridge.end()
    refused = up.person("zigbee2mqtt", password, "zigbee2mqtt")
    assert refused.code == REFUSED
    refused.end()


def test_a_gateway_is_given_certificate_and_password(up, tmp_path):
    said = up.diat("thing", "gateway", "barn", "--publish", "barn/#", "--out", str(tmp_path))
    assert "password" in said
    assert (tmp_path / "barn.key").stat().st_mode & 0o777 == 0o600
    subject = x509.load_pem_x509_certificate((tmp_path / "barn.pem").read_bytes()).subject
    assert subject.rfc4514_string() == "CN=barn"
    assert "barn  gateway" in up.diat("thing", "list")


def test_it_says_what_to_trust(up):
    assert f"CA      {up.data}/tls/ca.pem" in up.said()
    assert f"mqtts://{LOOPBACK}:{up.mqtt}" in up.said()
