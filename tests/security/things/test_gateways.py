"""Gateways come in by a certificate of our authority, and by nothing else."""

import queue
import socket
import ssl

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from diat.adapters.brokers.listening import free_port
from diat.adapters.certificates import Authority
from diat.security.permissions import Permissions
from diat.settings import Listen

from .conftest import GRANTED, LOOPBACK, PATIENCE, REFUSED, REFUSED_FILTER, until


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def open_to_gateways(request, make_site):
    site = make_site(request.param, plain=False, gateways=Listen(LOOPBACK, free_port()))
    scope = Permissions(("barn/#",), ("barn/#",))
    now = site.daemon.clock()
    site.password = site.do(lambda: site.access.credentials.issue("barn", now, "gateway", scope))
    return site


class Gateway:
    """A gateway that connects with a certificate, or without one."""

    def __init__(self, site, certificate, password=None):
        over = "websockets" if site.broker == "embedded" else "tcp"
        self.answers, self.heard = queue.Queue(), queue.Queue()
        self.paho = paho.Client(CallbackAPIVersion.VERSION2, client_id="barn", transport=over)
        self.paho.username_pw_set("barn", password or site.password)
        context = ssl.create_default_context(cafile=site.daemon.tls.authority)
        if certificate is not None:
            context.load_cert_chain(certificate.certificate, certificate.key)
        self.paho.tls_set_context(context)
        self.paho.on_connect = lambda c, u, flags, code, p: self.answers.put(str(code))
        self.paho.on_subscribe = lambda c, u, mid, codes, p: self.answers.put(codes[0].value)
        self.paho.on_message = lambda c, u, message: self.heard.put((message.topic, message.payload))
        self.paho.on_disconnect = lambda *_: self.answers.put("gone")
        self.paho.reconnect_delay_set(60, 60)
        try:
            self.paho.connect(LOOPBACK, site.settings.gateways.port)
            self.paho.loop_start()
            self.code = self.answers.get(timeout=PATIENCE)
        except (OSError, paho.WebsocketConnectionError) as error:
            self.code = type(error).__name__

    def subscribe(self, topic):
        self.paho.subscribe(topic, 1)
        return self.answers.get(timeout=PATIENCE)

    def end(self):
        self.paho.disconnect()
        self.paho.loop_stop()


def certificate(site, path):
    return Authority(site.settings.data / "tls").client("barn", path)


def entered(site, shown):
    gateway = Gateway(site, shown)
    if gateway.code == "Success":
        return gateway
    gateway.end()
    return None


def test_a_gateway_comes_in_with_certificate_and_password(open_to_gateways, tmp_path):
    site = open_to_gateways
    shown = certificate(site, tmp_path)
    barn = until(lambda: entered(site, shown), "in")
    assert barn.subscribe("barn/#") in GRANTED
    witness = site.own()
    witness.subscribe("barn/#")
    barn.paho.publish("barn/x", b"1", 1)
    assert witness.next() == ("barn/x", b"1")
    assert barn.heard.get(timeout=PATIENCE) == ("barn/x", b"1")
    assert barn.subscribe("#") == REFUSED_FILTER or site.broker == "mosquitto"
    site.do(lambda: site.access.credentials.revoke("barn", site.daemon.clock()))
    assert barn.answers.get(timeout=1) == "gone", "cut off within a second"
    barn.end()
    again = Gateway(site, shown)
    assert again.code == REFUSED
    again.end()


def served_to(site, shown):
    """Whether anything at all is answered to who shows this certificate, or none."""
    context = ssl.create_default_context(cafile=site.daemon.tls.authority)
    if shown is not None:
        context.load_cert_chain(shown.certificate, shown.key)
    there = (LOOPBACK, site.settings.gateways.port)
    try:
        with (
            socket.create_connection(there, PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname=LOOPBACK) as sock,
        ):
            if site.broker == "embedded":
                sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            else:
                sock.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x")
            return bool(sock.recv(64))
    except (ssl.SSLError, ConnectionResetError):
        return False


def test_one_of_both_is_not_enough(open_to_gateways, tmp_path):
    site = open_to_gateways
    until(lambda: entered(site, certificate(site, tmp_path)), "the control").end()
    others = Authority(tmp_path / "others").client("barn", tmp_path)
    for shown in (None, others):
        assert not served_to(site, shown)
    assert served_to(site, certificate(site, tmp_path)), "the control"
    wrong = Gateway(site, certificate(site, tmp_path), "wrong")
    assert wrong.code == REFUSED
    wrong.end()
    trust = ssl.create_default_context(cafile=site.daemon.tls.authority)
    assert site.person("barn", site.password, "barn", tls=trust).code == REFUSED, "the things' door"
