"""Announcements by mDNS, browsed by another host's means over a real socket."""

from __future__ import annotations

import queue
import socket
import threading
import time
import uuid

import pytest
from zeroconf import IPVersion, ServiceBrowser, ServiceStateChange, Zeroconf

from diat.adapters.brokers.listening import free_port
from diat.adapters.mdns import (
    DIRECTORY,
    MQTT,
    MQTT_OVER_TLS,
    WOT,
    Advert,
    Announcer,
    broker_advert,
    daemon_advert,
    directory_advert,
    reachable,
)
from diat.adapters.peers.finding import Finder
from diat.daemon import Daemon
from diat.settings import Listen, Settings

LOOPBACK = "127.0.0.1"
PATIENCE = 15.0
_GROUP = ("224.0.0.251", 5353)


def multicast_works(address):
    """Whether a datagram to the group of mDNS comes back on this interface."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hears,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as says,
    ):
        try:
            hears.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            hears.bind(("", 0))
            hears.settimeout(1.0)
            member = socket.inet_aton(_GROUP[0]) + socket.inet_aton(address)
            hears.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            says.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
            says.sendto(b"there?", (_GROUP[0], hears.getsockname()[1]))
            return hears.recv(16) == b"there?"
        except OSError:
            return False


def needs_multicast(address):
    if not multicast_works(address):
        pytest.skip(f"this machine passes no multicast on {address}: mDNS cannot be tested here")


class Browser:
    """What another host sees on one interface."""

    def __init__(self, address, *kinds):
        self.net = Zeroconf(interfaces=[address], ip_version=IPVersion.V4Only)
        self.changes = queue.Queue()
        self._browser = ServiceBrowser(self.net, list(kinds), handlers=[self._seen])

    def _seen(self, zeroconf, service_type, name, state_change):
        self.changes.put((state_change, service_type, name))

    def until(self, state, kind, title):
        """The name of the next service of this kind and title that comes into this state."""
        deadline = time.monotonic() + PATIENCE
        while True:
            said, seen_kind, name = self.changes.get(timeout=max(0.01, deadline - time.monotonic()))
            if said is state and seen_kind == kind and name.startswith(title):
                return name

    def info(self, kind, name):
        return self.net.get_service_info(kind, name, timeout=5000)

    def close(self):
        self._browser.cancel()
        self.net.close()


@pytest.fixture
def browse():
    made = []

    def browse(address, *kinds):
        needs_multicast(address)
        made.append(Browser(address, *kinds))
        return made[-1]

    yield browse
    for each in made:
        each.close()


@pytest.fixture
def announce():
    made = []

    def announce(title, *adverts):
        made.append(Announcer(title, f"diat-{uuid.uuid4().hex[:8]}", adverts))
        made[-1].start()
        return made[-1]

    yield announce
    for each in made:
        each.stop()


def title():
    return f"DIAT test {uuid.uuid4().hex[:8]}"


def test_is_found_and_withdrawn(browse, announce):
    browser = browse(LOOPBACK, DIRECTORY, MQTT)
    text = {"td": "/.well-known/wot", "type": "Directory", "scheme": "http"}
    mine = title()
    announcer = announce(mine, Advert(DIRECTORY, (LOOPBACK,), 8123, text), Advert(MQTT, (LOOPBACK,), 1999))
    name = browser.until(ServiceStateChange.Added, DIRECTORY, mine)
    assert name == f"{mine}.{WOT}"
    info = browser.info(DIRECTORY, name)
    assert (info.port, info.parsed_addresses()) == (8123, [LOOPBACK])
    assert {key.decode(): value.decode() for key, value in info.properties.items()} == text
    broker = browser.until(ServiceStateChange.Added, MQTT, mine)
    assert browser.info(MQTT, broker).port == 1999
    announcer.stop()
    gone = {browser.changes.get(timeout=PATIENCE)[2] for _ in range(2)}
    assert gone == {name, broker}


def test_of_two_with_one_name_the_second_takes_another(browse, announce):
    browser = browse(LOOPBACK, DIRECTORY)
    mine = title()
    announce(mine, Advert(DIRECTORY, (LOOPBACK,), 8001))
    first = browser.until(ServiceStateChange.Added, DIRECTORY, mine)
    announce(mine, Advert(DIRECTORY, (LOOPBACK,), 8002))
    second = browser.until(ServiceStateChange.Added, DIRECTORY, mine)
    assert (first, second) == (f"{mine}.{WOT}", f"{mine} (2).{WOT}")
    assert [browser.info(DIRECTORY, name).port for name in (first, second)] == [8001, 8002]


def test_one_who_is_stopped_at_once_ends_at_once(announce):
    announcer = announce(title(), Advert(MQTT, (LOOPBACK,), 1999))
    began = time.monotonic()
    announcer.stop()
    announcer.stop()
    assert time.monotonic() - began < 5


def test_loopback_alone_is_not_announced():
    for host in ("127.0.0.1", "127.5.5.5", "::1"):
        assert directory_advert(host, 8000) == broker_advert(host, 1883) == []
    assert LOOPBACK not in reachable("0.0.0.0")
    assert [each.kind for each in broker_advert("192.0.2.77", 8883, tls=True)] == [MQTT_OVER_TLS]
    assert directory_advert("192.0.2.77", 8000, tls=True)[0].text["scheme"] == "https"
    assert reachable("192.0.2.77") == ("192.0.2.77",)


@pytest.mark.parametrize("wanted", [True, False])
def test_a_daemon_that_listens_beyond_loopback_announces_itself(browse, tmp_path, wanted):
    addresses = reachable("0.0.0.0")
    if not addresses:
        pytest.skip("this machine has no address beyond loopback: there is nothing to announce")
    http, mqtt = free_port(), free_port()
    settings = Settings(
        data=tmp_path, http=Listen("0.0.0.0", http), mqtt=Listen(addresses[0], mqtt), announce=wanted
    )
    browser = browse(addresses[0], DIRECTORY, MQTT)
    with Daemon(settings) as daemon:
        if wanted:
            seen = {}
            while set(seen) < {DIRECTORY, MQTT}:
                _, kind, name = browser.changes.get(timeout=PATIENCE)
                if (info := browser.info(kind, name)) is not None and info.server == f"{daemon.name}.local.":
                    seen[kind] = info.port
            assert seen == {DIRECTORY: http, MQTT: mqtt}
        else:
            assert not any(each.name == "diat-mdns" for each in threading.enumerate())


def test_daemons_find_each_other_and_not_themselves():
    address = next(iter(each for each in reachable("0.0.0.0") if ":" not in each), None)
    if address is None:
        pytest.skip("this machine has no address beyond loopback: mDNS cannot be tested here")
    needs_multicast(address)
    one, two = (f"diat-{uuid.uuid4().hex[:12]}" for _ in range(2))
    announcers = [
        Announcer(f"A daemon {name}", name, daemon_advert(address, port, name, tls=tls))
        for name, port, tls in ((one, 8001, False), (two, 8002, True))
    ]
    finder = Finder(one, [address])
    finder.start()
    try:
        for each in announcers:
            each.start()
        deadline = time.monotonic() + PATIENCE
        while two not in {each.name for each in finder.seen()}:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        [found] = [each for each in finder.seen() if each.name in (one, two)]
        assert (found.address, found.title) == (f"https://{address}:8002", f"A daemon {two}")
        announcers[1].stop()
        while two in {each.name for each in finder.seen()}:
            assert time.monotonic() < deadline + PATIENCE
            time.sleep(0.05)
    finally:
        finder.stop()
        for each in announcers:
            each.stop()
