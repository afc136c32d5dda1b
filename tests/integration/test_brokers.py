"""The brokers we own, real processes on real sockets: one contract for all, then what is special."""

import os
import queue
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from diat.adapters.brokers import own
from diat.adapters.brokers.listening import free_port, require_free
from diat.adapters.brokers.mosquitto import mosquitto
from diat.adapters.brokers.nats import nats_server
from diat.adapters.brokers.own import PAYLOAD_LIMIT
from diat.kernel.errors import SetupError

PATIENCE = 10.0
LOOPBACK = "127.0.0.1"


@pytest.fixture(params=["nats", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def kind(request, needed):
    if request.param == "nats":
        return nats_server
    needed("mosquitto", "mosquitto")
    return mosquitto


@pytest.fixture
def owned(tmp_path):
    """Makes brokers in one data directory, and ends them."""
    made = []

    def make(kind, port=None, directory=tmp_path / "broker"):
        made.append(kind(directory, LOOPBACK, port or free_port()))
        return made[-1]

    yield make
    for broker in made:
        broker.stop()


@pytest.fixture
def broker(owned, kind):
    broker = owned(kind)
    broker.start()
    return broker


@pytest.fixture
def nats(owned):
    broker = owned(nats_server)
    broker.start()
    return broker


class Client:
    """An MQTT client that waits for every answer."""

    def __init__(self, address, name, *, keep=False, version=MQTTProtocolVersion.MQTTv311, credential=False):
        session = {} if version == MQTTProtocolVersion.MQTTv5 else {"clean_session": not keep}
        self.paho = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=version, **session)
        if credential:
            self.paho.username_pw_set(address.username, address.password)
        self.messages = queue.Queue()
        self._answers = queue.Queue()
        self.gone = threading.Event()
        self.paho.on_connect = lambda c, u, flags, code, p: self._answers.put(code)
        self.paho.on_disconnect = lambda *_: self.gone.set()
        self.paho.on_subscribe = lambda c, u, mid, codes, p: self._answers.put(codes[0])
        self.paho.on_message = lambda c, u, message: self.messages.put(message)
        self.paho.reconnect_delay_set(60, 60)
        self.paho.connect(address.host, address.port)
        self.paho.loop_start()
        self.code = self._answers.get(timeout=PATIENCE)

    def subscribe(self, topic, qos=1):
        self.paho.subscribe(topic, qos)
        return self._answers.get(timeout=PATIENCE)

    def publish(self, topic, payload, qos=1, retain=False):
        self.paho.publish(topic, payload, qos, retain).wait_for_publish(PATIENCE)

    def payloads(self, count):
        return [self.messages.get(timeout=PATIENCE).payload for _ in range(count)]

    def close(self):
        self.paho.disconnect()
        self.paho.loop_stop()


@contextmanager
def client(address, name, **options):
    it = Client(address, name, **options)
    try:
        yield it
    finally:
        it.close()


def trouble(broker, part):
    """The sentence with this part in it, once the log has it."""
    deadline = time.monotonic() + PATIENCE
    found = []
    while time.monotonic() < deadline:
        found += broker.troubles()
        for sentence in found:
            if part in sentence:
                return sentence
        time.sleep(0.02)
    raise AssertionError(f"no {part!r} in {found}")


def ended(pid):
    """Whether the process ends in time."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], PATIENCE)[0])
    finally:
        os.close(handle)


def pid_of(directory):
    return int((directory / "pid").read_text())


# The contract of every broker


def test_it_serves_until_it_is_stopped(broker, tmp_path):
    with client(broker.address, "a") as a:
        a.subscribe("room/#")
        a.publish("room/1", b"21.4")
        assert a.payloads(1) == [b"21.4"]
    assert broker.alive()
    broker.stop()
    assert not broker.alive()
    require_free(broker.address.host, broker.address.port, "--mqtt")
    broker.stop()
    for config in (tmp_path / "broker").glob("*.conf"):
        assert config.stat().st_mode & 0o777 == 0o600


def test_its_start_leaves_nothing_that_a_client_would_see(broker):
    with client(broker.address, "a", credential=True) as a:
        a.subscribe("#")
        a.subscribe("$diat/#")
        a.publish("end", b"end")
        assert a.payloads(1) == [b"end"]


def test_the_largest_announcement_passes(broker):
    with client(broker.address, "a") as a:
        a.subscribe("large")
        a.publish("large", b"x" * PAYLOAD_LIMIT)
        assert [len(p) for p in a.payloads(1)] == [PAYLOAD_LIMIT]


def test_more_than_that_cuts_off_and_is_told(broker):
    with client(broker.address, "pump") as a:
        a.paho.publish("large", b"x" * (PAYLOAD_LIMIT + (1 << 20)), 1)
        assert a.gone.wait(PATIENCE)
    assert "client 'pump'" in trouble(broker, "8 MiB")


def test_a_taken_port_gives_the_line_that_names_the_flag(owned, kind, tmp_path):
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SetupError, match=f"^port {port} is in use: choose another with --mqtt PORT$"):
            owned(kind, port).start()
    assert not list(tmp_path.rglob("*.conf")), "it was noticed before the start"
    owned(kind).start()


def test_a_port_taken_in_the_last_moment_gives_the_same_line(owned, kind, monkeypatch):
    monkeypatch.setattr(own, "require_free", lambda *_: None)
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SetupError, match=f"^port {port} is in use"):
            owned(kind, port).start()


def test_a_config_that_does_not_work_gives_the_last_line_of_the_log(owned, kind, monkeypatch):
    monkeypatch.setattr(own, "_write_private", lambda path, text: path.write_text("nonsense {\n"))
    with pytest.raises(SetupError, match="ended at its start: "):
        owned(kind).start()


def test_a_directory_belongs_to_one_daemon(broker, owned, kind):
    with pytest.raises(SetupError, match=r"another daemon uses .* --data"):
        owned(kind).start()
    assert broker.alive()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_it_does_not_outlive_its_parent(owned, kind, tmp_path):
    code = (
        "import sys, pathlib\n"
        f"from {kind.__module__} import {kind.__name__}\n"
        f"{kind.__name__}(pathlib.Path(sys.argv[1]), '127.0.0.1', int(sys.argv[2])).start()\n"
        "print('started', flush=True)\n"
        "sys.stdin.read()\n"
    )
    port = free_port()
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "broker"), str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout.readline() == b"started\n"
        child = pid_of(tmp_path / "broker")
        parent.kill()
    assert ended(child)
    owned(kind, port).start()


def test_it_outlives_the_thread_that_started_it(owned):
    broker = owned(nats_server)
    thread = threading.Thread(target=broker.start)
    thread.start()
    thread.join()
    with client(broker.address, "a") as a:
        a.publish("t", b"x")
    assert broker.alive()


def test_one_left_over_is_ended_at_the_start(owned, kind, tmp_path):
    first = owned(kind)
    first.start()
    config = next((tmp_path / "broker").glob("*.conf"))
    first.stop()
    program = first._recipe.program
    left_over = subprocess.Popen(
        [*program, str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        (tmp_path / "broker" / "pid").write_text(str(left_over.pid))
        # What is left over has no parent that collects it: somebody has to here.
        threading.Thread(target=left_over.wait, daemon=True).start()
        owned(kind, first.address.port).start()
        assert ended(left_over.pid)
    finally:
        left_over.kill()


def test_a_process_of_somebody_else_is_spared(owned, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as other:
        (tmp_path / "broker").mkdir()
        (tmp_path / "broker" / "pid").write_text(str(other.pid))
        owned(nats_server).start()
        assert other.poll() is None
        other.kill()


def kill(broker, directory):
    os.kill(pid_of(directory), signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while broker.alive():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_it_acknowledged_is_there_after_a_restart(broker):
    def interruption():
        broker.stop()
        broker.start()

    acknowledged_is_kept_over(broker, interruption)


def acknowledged_is_kept_over(broker, interruption):
    with client(broker.address, "ingest", keep=True) as ingest:
        ingest.subscribe("#")
    with client(broker.address, "thing") as thing:
        thing.publish("wot/td/th1", b"description", retain=True)
        for number in range(100):
            thing.publish("reading", str(number).encode())
    interruption()
    with client(broker.address, "ingest", keep=True) as ingest:
        assert ingest.payloads(101) == [b"description", *(str(n).encode() for n in range(100))]
    with client(broker.address, "new") as new:
        new.subscribe("wot/#")
        assert new.payloads(1) == [b"description"]


# Only the NATS server


def test_what_it_acknowledged_is_there_after_it_was_killed(nats, tmp_path):
    def interruption():
        kill(nats, tmp_path / "broker")
        nats.stop()
        nats.start()

    acknowledged_is_kept_over(nats, interruption)


def test_a_topic_with_a_space_names_the_way_out(nats):
    with client(nats.address, "zigbee2mqtt") as a:
        a.paho.publish("zigbee2mqtt/Living room", b"x")
        assert a.gone.wait(PATIENCE)
    assert "client 'zigbee2mqtt' (127.0.0.1)" in (sentence := trouble(nats, "space"))
    assert sentence.endswith("--broker mosquitto or --broker mqtt://HOST for topics with spaces")
    assert nats.troubles() == []


def test_a_subscription_with_a_space_names_the_topic(nats):
    with client(nats.address, "app") as a:
        assert a.subscribe("my room/#").is_failure
    assert '"my room/#"' in trouble(nats, "may not subscribe")


def test_mqtt_5_is_refused_and_told(nats):
    with client(nats.address, "five", version=MQTTProtocolVersion.MQTTv5) as a:
        assert a.code.is_failure
    assert "3.1.1" in trouble(nats, "MQTT 5")


def test_a_wrong_password_is_told(nats):
    address = nats.address
    wrong = type(address)(address.host, address.port, "mqtt", "geheim")
    with client(wrong, "old", credential=True) as a:
        assert a.code.is_failure
    assert "client 'old'" in (sentence := trouble(nats, "password empty"))
    assert "geheim" not in sentence


def test_what_is_no_mqtt_is_told(nats):
    with socket.create_connection((nats.address.host, nats.address.port)) as web:
        web.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert "perhaps TLS or HTTP" in trouble(nats, "does not speak MQTT")


def test_nobody_reaches_into_the_broker_by_its_own_topics(nats):
    with client(nats.address, "ingest", keep=True) as ingest:
        ingest.subscribe("#")
        with client(nats.address, "evil") as evil:
            evil.publish("$JS/API/STREAM/DELETE/$MQTT_msgs", b"")
            evil.publish("$MQTT/msgs/x", b"forged")
            assert evil.subscribe("$JS/#").is_failure
            assert evil.subscribe("$SYS/#").is_failure
            evil.publish("after", b"honest", qos=2)
        assert ingest.payloads(1) == [b"honest"]
    assert "the broker's own" in trouble(nats, "$JS.API.STREAM.DELETE")


@pytest.mark.parametrize("login", ["", '"user":"anyone"', '"user":"diat","pass":"wrong"'])
def test_the_servers_own_port_asks_for_the_secret(nats, tmp_path, login):
    log = (tmp_path / "broker" / "nats.log").read_text()
    where = log.split("Listening for client connections on ")[1].split()[0]
    host, _, port = where.rpartition(":")
    assert host == LOOPBACK
    with (
        socket.create_connection((host, int(port)), PATIENCE) as intruder,
        intruder.makefile("rwb") as stream,
    ):
        assert stream.readline().startswith(b"INFO ")
        stream.write(b'CONNECT {"verbose":true%s}\r\n' % (f",{login}".encode() if login else b""))
        stream.flush()
        assert stream.readline().startswith(b"-ERR 'Authorization Violation'")


def test_a_client_may_have_many_subscriptions(nats):
    with client(nats.address, "app") as a:
        assert not any(a.subscribe(f"room/{number}").is_failure for number in range(30))


def test_the_first_subscriber_after_a_restart_gets_all_that_is_retained(nats, tmp_path):
    count = 5000
    with client(nats.address, "things") as things:
        sent = [things.paho.publish(f"state/{n}", b"x" * 200, 1, retain=True) for n in range(count)]
        for one in sent:
            one.wait_for_publish(PATIENCE)
    kill(nats, tmp_path / "broker")
    nats.stop()
    nats.start()
    with client(nats.address, "first") as first:
        first.subscribe("#")
        assert len(first.payloads(count)) == count


# Only mosquitto


@pytest.mark.mosquitto
def test_a_topic_with_a_space_and_mqtt_5_are_welcome(owned, needed):
    needed("mosquitto", "mosquitto")
    broker = owned(mosquitto)
    broker.start()
    with client(broker.address, "five", version=MQTTProtocolVersion.MQTTv5) as a:
        a.subscribe("#")
        a.publish("zigbee2mqtt/Living room", b"on")
        assert a.payloads(1) == [b"on"]


def test_a_missing_mosquitto_names_the_package(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(SetupError, match="apt install mosquitto"):
        mosquitto(tmp_path, LOOPBACK, 1883)
