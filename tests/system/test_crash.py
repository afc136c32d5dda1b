"""What was promised, whatever is killed: nothing acknowledged is lost, nothing native is done twice.

Real processes, real sockets. ``Load`` is a small house under load: native things that publish all the time
and perform each command once, a service that switches a heater, a person who invokes actions and tries again
until he is answered. What is killed is the platform, its broker, or both, at random moments; the seed is in
the output. ``DIAT_CRASH_ROUNDS`` (20) and ``DIAT_CRASH_SEED`` change how often and when.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from urllib.parse import quote

import httpx
import paho.mqtt.client as mqtt
import pytest

from diat.nodes.native import NativeNode
from diat.simulation.link import Address
from diat.simulation.rooms import heater_td, thermometer_td
from diat.simulation.zigbee2mqtt import Bridge
from diat.simulation.zigbee_devices import ZigbeePlug
from diat.wire.envelope import encode

pytestmark = pytest.mark.timeout(240)

ROUNDS = int(os.environ.get("DIAT_CRASH_ROUNDS", "20"))
SEED = int(os.environ.get("DIAT_CRASH_SEED", "7"))
SETTLED_WITHIN = 40.0
"""Seconds until everything that was on its way has arrived; the broker repeats itself after two."""
PATIENCE = 15.0
ONE_LINE_WITHIN = 15.0

PLACE = "lab"
BAND = {"quantity": "Temperature", "place": PLACE, "low": 20, "high": 24, "unit": "Cel"}
# As a person sets up a mosquitto that shall keep things for those who are away.
KEEPING = ("persistence true", "autosave_interval 1", "max_queued_messages 0", "max_inflight_messages 1000")


def thing_path(thing, *rest):
    return "/".join(("/things", quote(f"urn:dev:{thing}", safe=""), *rest))


class Ticker:
    """Does something again and again in a thread of its own."""

    def __init__(self, every, do):
        self._every = every
        self._do = do
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ticker")
        self.fault = None
        self._thread.start()

    def _run(self):
        try:
            while not self._stopping.wait(self._every):
                self._do()
        except Exception as fault:  # noqa: BLE001 - it is raised where the test sees it
            self.fault = fault

    def stop(self):
        self._stopping.set()
        self._thread.join()
        if self.fault is not None:
            raise self.fault


class Load:
    """A small house under load.

    Args:
        platform: a running platform.
        publishers: things that publish a hundred readings a second each.
    """

    def __init__(self, platform, publishers=3):
        self.platform = platform
        address = Address("127.0.0.1", platform.broker_port)
        self.published = Counter()
        self.switched, self.added, self.temperature = [], [], 19.0
        level = {"properties": {"level": {"type": "integer", "readOnly": True}}}
        self.meters = [
            NativeNode(address, f"meter{each}", {"title": f"Meter {each}", **level})
            for each in range(publishers)
        ]
        self.thermometer = NativeNode(address, "thermometer", thermometer_td("thermometer", "T", PLACE))
        self.heater = NativeNode(
            address, "heater", heater_td("heater", "Heater", PLACE), setters={"heating": self._switch}
        )
        tool = {"title": "Tool", "actions": {"add": {"input": {"type": "integer"}}}}
        self.tool = NativeNode(address, "tool", tool, performers={"add": self.added.append})
        self.nodes = [*self.meters, self.thermometer, self.heater, self.tool]
        for node in self.nodes:
            node.start()
        self._tickers = []
        self._person = httpx.Client(base_url=platform.rest.base_url, timeout=10.0)
        self.invoked = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            for node in self.nodes:
                node.stop()
            self._person.close()

    def settle_in(self, eventually):
        """Wait until all are there, and ask for the service."""
        wanted = {f"urn:dev:{node.thing}" for node in self.nodes}
        eventually(lambda: wanted <= {td["id"] for td in self.platform.get("/things")}, PATIENCE)
        # The first reading, so that the service finds one.
        self._publish(self.thermometer, "temperature", self.temperature)
        body = {"title": "Keep warm", "template": "keep-within", "parameters": BAND}
        answer = self.platform.insist("POST", "/services", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def run(self):
        """Begin to publish and to command."""
        self._tickers = [Ticker(0.01, lambda node=node: self._count(node)) for node in self.meters]
        self._tickers.append(Ticker(0.25, self._weather))
        self._tickers.append(Ticker(0.05, self._invoke))

    def stop(self):
        """Publish and command no more."""
        tickers, self._tickers = self._tickers, []
        for ticker in tickers:
            ticker.stop()

    def _publish(self, node, name, value):
        self.published[node.thing] += 1
        node.report({name: value})

    def _count(self, node):
        self._publish(node, "level", self.published[node.thing] + 1)

    def _weather(self):
        self.temperature = 44.0 - self.temperature
        self._publish(self.thermometer, "temperature", self.temperature)

    def _switch(self, value):
        self.switched.append(value)
        return value

    def _invoke(self):
        number = len(self.invoked) + 1
        answer = None
        deadline = time.monotonic() + PATIENCE
        while answer is None or answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            assert time.monotonic() < deadline, "nobody answers"
            try:
                answer = self._person.post(
                    thing_path("tool", "actions", "add"),
                    json=number,
                    headers={"Idempotency-Key": f"add {number}"},
                )
            except httpx.TransportError:
                time.sleep(0.02)
        assert answer.status_code == 201, answer.text
        self.invoked[number] = answer.json()["id"]

    # --- what must be so in the end ---

    def check(self, eventually):
        """Once everything has settled, it is as promised; figures for people."""
        self.stop()
        for node in self.nodes:
            assert node.drain(SETTLED_WITHIN), f"{node.thing} has unacknowledged messages"
        readings = sum(self._readings_are_all_there_once(node, eventually) for node in self.meters)
        commands = self._commands_ended(eventually)
        return {"readings": readings, "invoked": len(self.added), "switched": len(self.switched), **commands}

    def _readings_are_all_there_once(self, node, eventually):
        path = thing_path(node.thing, "properties", "level", "history")
        expected = range(1, self.published[node.thing] + 1)

        def kept():
            return [reading["value"] for reading in self.platform.pages(path, limit=1000)]

        eventually(lambda: len(kept()) >= len(expected), SETTLED_WITHIN, lambda: self._lost(expected, kept()))
        values = Counter(kept())
        assert set(values) == set(expected), self._lost(expected, values)
        assert max(values.values(), default=1) == 1, [value for value, times in values.items() if times > 1]
        return len(expected)

    def _lost(self, expected, kept):
        lost = sorted(set(expected) - set(kept))
        return f"{len(lost)} acknowledged readings are not there: {lost[:10]}\n{self.platform.output[-3000:]}"

    def _commands_ended(self, eventually):
        def open_ones():
            return [each for each in self._actuations() if each["status"] == "pending"]

        eventually(lambda: not open_ones(), SETTLED_WITHIN, lambda: f"never ended: {open_ones()[:5]}")
        actuations = {each["id"]: each for each in self._actuations()}
        adds = [each for each in actuations.values() if each["affordance"] == "add"]
        assert {each["id"] for each in adds} == set(self.invoked.values()), "each invocation, once"
        assert {each["status"] for each in adds} <= {"completed"}
        assert Counter(self.added) == Counter(dict.fromkeys(self.invoked, 1)), "performed once each"
        switches = [each for each in actuations.values() if each["affordance"] == "heating"]
        completed = [each["input"] for each in switches if each["status"] == "completed"]
        assert Counter(self.switched) == Counter(completed), "what was performed is what is called completed"
        overtaken = {each["status"] for each in switches} - {"completed"}
        assert overtaken <= {"expired"}, [each for each in switches if each["status"] == "in-doubt"]
        return Counter(each["status"] for each in actuations.values())

    def _actuations(self):
        return list(self.platform.pages("/actuations", limit=1000))


@pytest.fixture
def under_load(eventually):
    """``under_load(platform)``: a house under load with its service."""
    loads = []

    def put(platform):
        loads.append(Load(platform))
        loads[-1].service = loads[-1].settle_in(eventually)
        loads[-1].run()
        return loads[-1]

    yield put
    for load in loads:
        load.__exit__()


def tell(record_property, **figures):
    record_property("figures", figures)
    print(figures)


def test_killed_twenty_times_under_load(platform, under_load, eventually, record_property):
    """The platform alone, or with its broker in the same moment."""
    chance = random.Random(SEED)
    load = under_load(platform)
    killed = Counter()
    for _ in range(ROUNDS):
        time.sleep(chance.uniform(0.05, 1.0))  # the moment is what is tried here
        kill = chance.choice([platform.kill, platform.kill_everything])
        kill()
        killed[kill.__name__] += 1
        platform.start()
    figures = load.check(eventually)
    tell(record_property, seed=SEED, **killed, **figures)
    assert figures["readings"] > 50 * ROUNDS
    assert figures["completed"] > ROUNDS
    assert "Traceback" not in platform.output


def test_killed_while_it_starts(platform, under_load, eventually, record_property):
    """Again before it was ready: whatever the start had done so far is no hindrance."""
    chance = random.Random(SEED)
    load = under_load(platform)
    for _ in range(4):
        platform.kill()
        platform.start(wait=False)
        time.sleep(chance.uniform(0.1, 1.2))  # the moment is what is tried here
    platform.kill()
    platform.start()
    tell(record_property, **load.check(eventually))


def test_the_broker_is_killed_and_comes_back(platform, under_load, eventually, record_property):
    load = under_load(platform)
    alive = platform.children()
    for _ in range(3):
        before = platform.broker_pid
        platform.kill_broker()
        eventually(lambda before=before: platform.broker_pid not in (0, before), PATIENCE)
        platform.wait_ready()
        known = len(load.added)
        eventually(lambda known=known: len(load.added) > known + 5, PATIENCE, lambda: "no commands any more")
    tell(record_property, **load.check(eventually))
    assert len(platform.children()) == len(alive)
    assert "Traceback" not in platform.output


@pytest.mark.parametrize("broker", ["mosquitto", "external"])
def test_mosquitto_serves_as_well(
    broker, make_platform, start_mosquitto, under_load, eventually, record_property
):
    """The platform alone is killed: of mosquitto itself nothing is promised."""
    external = start_mosquitto(*KEEPING)
    platform = make_platform(external.url if broker == "external" else broker)
    platform.start()
    load = under_load(platform)
    chance = random.Random(SEED)
    for _ in range(4):
        time.sleep(chance.uniform(0.05, 1.0))  # the moment is what is tried here
        platform.kill()
        platform.start()
    tell(record_property, **load.check(eventually))
    assert "Traceback" not in platform.output


def test_the_next_start_goes_on_where_the_killed_one_was(platform, eventually):
    load = Load(platform, publishers=1)
    with load:
        service = load.settle_in(eventually)
        eventually(lambda: load.switched == [True], PATIENCE)
        before = platform.get(f"/services/{service}")
        assert before["state"] == "running"
        broker = platform.broker_pid
        platform.kill()
        platform.start()
        assert platform.broker_pid != broker
        after = platform.get(f"/services/{service}")
        assert after == before, "its bindings, and since when"
        assert [each["id"] for each in platform.get("/services")] == [service]
        load._weather()  # 25 degrees
        eventually(lambda: load.switched == [True, False], PATIENCE)
        eventually(
            lambda: [each["status"] for each in platform.get("/actuations")] == ["completed"] * 2, PATIENCE
        )
        assert load.switched == [True, False]


# --- between sending and receipt ---


class Bell:
    """A button that counts how often it was pressed; it speaks as Home Assistant's discovery has it."""

    def __init__(self, port):
        self.pressed = []
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda *said: self.pressed.append(bytes(said[-1].payload))
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("bell/press", 1)
        self._client.loop_start()
        assert subscribed.wait(PATIENCE)
        config = {"unique_id": "bell", "command_topic": "bell/press", "device": {"identifiers": ["bell"]}}
        self._client.publish("homeassistant/button/bell/config", encode(config), 1, retain=True)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def deaf_broker(start_mosquitto):
    """A mosquitto that can be made to stand still, with all that is on its way."""
    broker = start_mosquitto(*KEEPING)
    yield broker
    os.kill(broker._process.pid, signal.SIGCONT)


def standing_still(broker, do):
    """Do something while the broker takes nothing in and answers nothing."""
    os.kill(broker._process.pid, signal.SIGSTOP)
    try:
        return do()
    finally:
        os.kill(broker._process.pid, signal.SIGCONT)


def test_a_press_between_sending_and_receipt_is_in_doubt(deaf_broker, make_platform, eventually):
    platform = make_platform(deaf_broker.url)
    platform.start()
    bell = Bell(deaf_broker.port)
    try:
        path = "/things/urn:diat:homeassistant:bell/actions/button"

        def press_and_kill():
            made = platform.insist("POST", path)
            platform.kill()
            return made

        eventually(lambda: platform.get("/things"), PATIENCE)
        made = standing_still(deaf_broker, press_and_kill)
        assert made.status_code == 201
        platform.start()
        invocation = made.headers["Location"]
        eventually(lambda: platform.get(invocation)["status"] != "pending", PATIENCE)
        assert platform.get(invocation)["status"] == "in-doubt"
        again = platform.insist("POST", path)
        eventually(lambda: platform.get(again.headers["Location"])["status"] == "completed", PATIENCE)
        eventually(lambda: len(bell.pressed) >= 2, PATIENCE)
        assert len(bell.pressed) == 2, "once for each who pressed: the first was never sent again"
    finally:
        bell.close()


def test_a_native_command_between_sending_and_receipt_is_done_once(deaf_broker, make_platform, eventually):
    platform = make_platform(deaf_broker.url)
    platform.start()
    with Load(platform, publishers=1) as load:
        load.settle_in(eventually)

        def invoke_and_kill():
            for _ in range(3):
                load._invoke()
            platform.kill()

        standing_still(deaf_broker, invoke_and_kill)
        platform.start()
        load._invoke()
        load.check(eventually)
        assert sorted(load.added) == [1, 2, 3, 4]


# --- things of another dialect ---


def test_a_zigbee_plug_confirms_by_its_state(platform, eventually):
    plug = ZigbeePlug("0x0c4314fffe5d2a90", "plug", PLACE, load=9.5)
    bridge = Bridge(Address("127.0.0.1", platform.mqtt), [plug])
    bridge.start()
    try:
        found = eventually(
            lambda: [td["id"] for td in platform.get("/things") if td["title"] == "plug"], PATIENCE
        )
        path = f"/things/{quote(found[0], safe='')}/properties"
        eventually(lambda: "switch" in platform.get(path), PATIENCE)
        for wanted in (True, False, True):
            answer = platform.rest.put(f"{path}/switch", json=wanted, headers={"Prefer": "wait=5"})
            assert answer.status_code == 204, answer.text
            assert plug.on is wanted
            assert platform.get(f"{path}/switch") is wanted
            assert platform.get(answer.headers["Location"])["status"] == "completed"
        platform.kill()
        platform.start()

        def switched_off():
            """What is published before the bridge is there again reaches nobody: one tries again."""
            return platform.rest.put(f"{path}/switch", json=False).status_code == 204

        eventually(switched_off, PATIENCE)
        assert plug.on is False
    finally:
        bridge.stop()


# --- starting and stopping in order ---


def test_it_stops_in_order(platform, eventually):
    with Load(platform, publishers=1) as load:
        load.settle_in(eventually)
        load.run()
        eventually(lambda: load.added, PATIENCE)
        load.stop()
        broker = platform.broker_pid
        started = time.monotonic()
        assert platform.terminate() == 0
        assert time.monotonic() - started < 5
        assert not _lives(broker)
        assert "Traceback" not in platform.output
        platform.start()
        load.check(eventually)


def test_it_stops_while_it_is_asked(platform, under_load, eventually):
    """Under load, with requests open: whatever was answered is durable."""
    load = under_load(platform)
    eventually(lambda: len(load.added) > 5, PATIENCE)
    for _ in range(3):
        assert platform.terminate() == 0
        platform.start()
    load.check(eventually)
    assert "Traceback" not in platform.output


def test_it_stops_while_it_starts(make_platform, eventually):
    platform = make_platform()
    platform.start(wait=False)
    eventually((platform.data / "broker" / "pid").exists, PATIENCE)
    assert platform.terminate() == 0
    assert "Traceback" not in platform.output
    assert not _lives(platform.data)


def _lives(who):
    """Whether a process is there: by its id, or by what its command line names."""
    if isinstance(who, int):
        try:
            os.kill(who, 0)
        except ProcessLookupError:
            return False
        return True
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return str(who) in listed


def refused(command):
    """Start it; the one line that it says when it does not."""
    command = [sys.executable, "-m", "diat", *command]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=ONE_LINE_WITHIN, check=False)
    assert ended.returncode != 0
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    return line


def test_a_directory_in_use_is_told(platform, make_platform):
    other = make_platform()
    assert "--data" in refused(other.command(data=platform.data))
    assert platform.is_ready()


def test_a_taken_http_port_is_told(platform, make_platform):
    line = refused(make_platform().command(http=platform.http))
    assert "--http" in line
    assert str(platform.http) in line


@pytest.mark.parametrize("broker", ["embedded", "mosquitto"])
def test_a_taken_mqtt_port_is_told(broker, make_platform, needed):
    if broker == "mosquitto":
        needed("mosquitto", "mosquitto")
    platform = make_platform(broker)
    with socket.create_server(("127.0.0.1", platform.mqtt)):
        line = refused(platform.command())
    assert "--mqtt" in line
    assert str(platform.mqtt) in line
    assert not _lives(platform.data)


@pytest.mark.parametrize(
    ("flag", "value"), [("http", "99999"), ("mqtt", "0.0.0.0:1883"), ("broker", "http://localhost")]
)
def test_a_wrong_flag_is_told(flag, value, make_platform):
    assert flag in refused(make_platform().command(**{flag: value}))
