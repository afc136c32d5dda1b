"""The line that other tests cut: it carries, counts, slows, breaks and heals as it says."""

import contextlib
import socket
import threading
import time

import pytest

from tests.links import Link


class Echo:
    """Sends back what it is sent."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._echo, args=(caller,)))
                self._threads[-1].start()

    def _echo(self, caller):
        with caller, contextlib.suppress(OSError):
            while said := caller.recv(65536):
                caller.sendall(said)

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)


@pytest.fixture
def echo():
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def link(echo):
    with Link(echo.address) as each:
        yield each


def connect(link):
    caller = socket.create_connection(("127.0.0.1", link.port), timeout=10)
    return contextlib.closing(caller)


def exchange(caller, sent):
    sender = threading.Thread(target=caller.sendall, args=(sent,))
    sender.start()
    got = bytearray()
    while len(got) < len(sent):
        some = caller.recv(65536)
        if not some:
            break
        got += some
    sender.join(10)
    return bytes(got)


def _read_all(caller):
    while caller.recv(1000):
        pass


def test_every_byte_passes_in_order_and_is_counted(link):
    sent = bytes(range(256)) * 2000
    with connect(link) as caller:
        assert exchange(caller, sent) == sent
        counted = (len(sent), len(sent), 2 * len(sent))
        # The last bytes are counted a moment after they have passed.
        deadline = time.monotonic() + 5
        while (link.up, link.down, link.total) != counted and time.monotonic() < deadline:
            time.sleep(0.01)
        assert (link.up, link.down, link.total) == counted
        assert (link.connections, link.open, link.resets) == (1, 1, 0)


def test_an_end_is_handed_on_as_an_end(link):
    with connect(link) as caller:
        caller.sendall(b"last words")
        caller.shutdown(socket.SHUT_WR)
        assert caller.makefile("rb").read() == b"last words"


def test_it_is_as_slow_as_it_is_told(link):
    link.shape(rate=100_000)
    began = time.monotonic()
    with connect(link) as caller:
        exchange(caller, bytes(40_000))
    assert time.monotonic() - began > 0.39


def test_a_delay_is_not_a_limit_of_the_rate(link):
    link.shape(delay=0.1)
    began = time.monotonic()
    with connect(link) as caller:
        exchange(caller, bytes(60_000))  # forty packets, which one after the other would take 8 s
    assert 0.2 < time.monotonic() - began < 4


def test_cut_it_resets_and_mended_it_carries_again(link):
    with connect(link) as caller:
        exchange(caller, b"before")
        link.cut()
        with pytest.raises(ConnectionResetError):
            caller.recv(1)
    with pytest.raises(ConnectionResetError), connect(link) as caller:
        caller.recv(1)
    link.mend()
    with connect(link) as caller:
        assert exchange(caller, b"after") == b"after"


def test_a_pulled_cable_says_nothing_and_loses_nothing(link):
    with connect(link) as caller:
        exchange(caller, b"before")
        link.cut(silently=True)
        caller.sendall(b"meanwhile")
        caller.settimeout(0.2)
        with pytest.raises(TimeoutError):
            caller.recv(1)
        caller.settimeout(10)
        link.mend()
        assert caller.recv(100) == b"meanwhile"


def test_a_lossy_line_breaks_in_the_middle_of_a_packet(link):
    link.shape(resets=1.0)
    with connect(link) as caller:
        caller.sendall(bytes(1000))
        # What came back before the line broke may still be read.
        with pytest.raises(ConnectionResetError):
            _read_all(caller)
    assert link.up == 500


def test_a_line_that_stalls_goes_on(link):
    link.shape(stalls=1.0, stall=0.2)
    began = time.monotonic()
    with connect(link) as caller:
        assert exchange(caller, b"slowly") == b"slowly"
    assert time.monotonic() - began > 0.39


def test_nobody_at_the_other_end_is_a_reset():
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        address = nobody.getsockname()
    with Link(address) as link, pytest.raises(ConnectionResetError), connect(link) as caller:
        caller.recv(1)
