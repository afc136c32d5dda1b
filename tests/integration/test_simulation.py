"""The simulated house over a real broker: what it announces, what it does when told, what it survives."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time

import paho.mqtt.client as mqtt
import pytest

from diat.nodes.native import NativeNode
from diat.simulation.house import House
from diat.simulation.link import Address
from diat.simulation.rooms import heater_td

pytestmark = pytest.mark.timeout(60)

PATIENCE = 15.0


class Watcher:
    """A client that keeps what it hears, and waits for what it wants to hear."""

    def __init__(self, port):
        self._heard = []
        self._news = threading.Condition()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.on_message = self._arrived
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("#", 1)
        self._client.loop_start()
        assert subscribed.wait(PATIENCE)

    def _arrived(self, _client, _userdata, message):
        with self._news:
            self._heard.append((message.topic, bytes(message.payload)))
            self._news.notify_all()

    def payloads(self, topic):
        return [payload for heard, payload in self._heard if heard == topic]

    def bodies(self, topic):
        """What came as JSON, lists taken apart."""
        said = [json.loads(payload) for payload in self.payloads(topic)]
        return [body for each in said for body in (each if isinstance(each, list) else [each])]

    def wait(self, wanted):
        with self._news:
            assert self._news.wait_for(wanted, PATIENCE), f"heard only {[topic for topic, _ in self._heard]}"

    def hear(self, topic, wanted=lambda payload: True):
        """The first payload on the topic that is wanted."""
        found = []
        self.wait(lambda: found.extend(filter(wanted, self.payloads(topic))) or found)
        return found[0]

    def tell(self, topic, body, *, retain=False):
        payload = body if isinstance(body, str | bytes) else json.dumps(body)
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


class Relay:
    """A wire to the broker that can be cut, and that can lose what the broker says."""

    def __init__(self, port):
        self._broker = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.deaf = threading.Event()
        self.cut = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while not self._ended:
            if not select.select([self._listener], [], [], 0.02)[0]:
                continue
            near, _ = self._listener.accept()
            with near, socket.create_connection(("127.0.0.1", self._broker)) as far:
                self._carry(near, far)

    def _carry(self, near, far):
        while not (self._ended or self.cut.is_set()):
            for side in select.select([near, far], [], [], 0.02)[0]:
                told = side.recv(65536)
                if not told:
                    return
                if side is near:
                    far.sendall(told)
                elif not self.deaf.is_set():
                    near.sendall(told)
        self.cut.clear()

    def close(self):
        self._ended = True
        self._thread.join()
        self._listener.close()


@pytest.fixture
def watcher(mosquitto):
    watcher = Watcher(mosquitto.port)
    yield watcher
    watcher.close()


@pytest.fixture
def relay(mosquitto):
    relay = Relay(mosquitto.port)
    yield relay
    relay.close()


@pytest.fixture
def heater(mosquitto, watcher):
    """A native heater that can also count, in this process."""
    node = make_heater(mosquitto.port)
    node.start()
    watcher.hear("diat/ht1/status", lambda payload: payload == b"online")
    yield node
    node.stop()


def make_heater(port):
    td = {**heater_td("ht1", "Heater", "home"), "actions": {"count": {"input": {}}}}
    counted = []

    def count(step):
        if step == 0:
            raise ValueError("a step of 0 counts nothing")
        counted.append(step)
        return len(counted)

    return NativeNode(
        Address("127.0.0.1", port), "ht1", td, setters={"heating": bool}, performers={"count": count}
    )


def later():
    return time.time_ns() // 1_000_000 + 60_000


def results(watcher, command, number=1):
    """The first ``number`` results of a command, once there are as many."""

    def of_it():
        return [body for body in watcher.bodies("diat/ht1/results") if body["id"] == command]

    watcher.wait(lambda: len(of_it()) >= number)
    return of_it()


def test_everything_announces_itself(mosquitto, watcher, tmp_path):
    with House(f"mqtt://127.0.0.1:{mosquitto.port}", log=tmp_path / "log"):
        td = json.loads(watcher.hear("wot/td/living-heater"))
        assert td["id"] == "urn:dev:living-heater"
        assert td["diat:place"] == "home/living"
        assert td["properties"]["heating"]["diat:affects"] == {
            "quantity": "Temperature",
            "direction": "increase",
        }
        zigbee = json.loads(watcher.hear("homeassistant/sensor/0x00158d0007e3a1b2/temperature/config"))
        assert zigbee["device"]["suggested_area"] == "home/living"
        assert set(json.loads(watcher.hear(zigbee["state_topic"]))) == {
            "battery", "humidity", "linkquality", "temperature",
        }  # fmt: skip
        for availability in zigbee["availability"]:
            watcher.hear(availability["topic"], lambda payload: payload == b'{"state":"online"}')
        tasmota = json.loads(watcher.hear("homeassistant/sensor/295AB4_DS18B20_Temperature/config"))
        assert tasmota["~"] == "tele/tasmota_295AB4/"
        sensor = json.loads(watcher.hear("tele/tasmota_295AB4/SENSOR"))
        assert 17 < sensor["DS18B20"]["Temperature"] < 19
        watcher.hear("tele/tasmota_295AB4/LWT", lambda payload: payload == b"Online")
        watcher.hear("wot/td/office-thermometer")
        report = json.loads(watcher.hear("diat/office-thermometer/properties"))
        assert report["n"] == 1
        assert 19 < report["v"]["temperature"] < 20
    watcher.hear("diat/living-heater/status", lambda payload: payload == b"offline")
    watcher.hear("zigbee2mqtt/bridge/state", lambda payload: payload == b'{"state":"offline"}')
    watcher.hear("tele/tasmota_295AB4/LWT", lambda payload: payload == b"Offline")
    assert (tmp_path / "log").read_text() == ""


def test_the_living_room_warms_when_its_heater_is_commanded(mosquitto, watcher):
    topic = "zigbee2mqtt/living_thermometer"
    with House(f"mqtt://127.0.0.1:{mosquitto.port}", rooms=["living"], factor=600):
        assert json.loads(watcher.hear(topic))["temperature"] == pytest.approx(16, abs=0.02)
        watcher.hear("diat/living-heater/status", lambda payload: payload == b"online")
        watcher.tell("diat/living-heater/set", {"id": "on", "v": {"heating": True}, "expires": later()})
        watcher.hear("diat/living-heater/results")
        watcher.hear(topic, lambda payload: json.loads(payload)["temperature"] > 17)


def test_foreign_things_obey_their_own_commands(mosquitto, watcher):
    with House(f"mqtt://127.0.0.1:{mosquitto.port}", rooms=["living", "bedroom"]):
        watcher.hear("zigbee2mqtt/living_lamp")
        watcher.tell("zigbee2mqtt/living_lamp/set", "ON")
        watcher.hear("zigbee2mqtt/living_lamp", lambda payload: json.loads(payload)["state"] == "ON")
        watcher.tell("zigbee2mqtt/living_lamp/set", {"state": "OFF"})
        watcher.wait(lambda: watcher.bodies("zigbee2mqtt/living_lamp")[-1]["state"] == "OFF")
        watcher.hear("tele/tasmota_ABBD20/STATE")
        watcher.tell("cmnd/tasmota_ABBD20/POWER", "ON")
        assert watcher.hear("stat/tasmota_ABBD20/POWER") == b"ON"
        assert json.loads(watcher.hear("stat/tasmota_ABBD20/RESULT")) == {"POWER": "ON"}
        watcher.hear("tele/tasmota_ABBD20/STATE", lambda payload: json.loads(payload)["POWER"] == "ON")


def test_a_command_is_performed_once_and_its_result_repeated(heater, watcher):
    for _ in range(3):
        watcher.tell("diat/ht1/actions/count", {"id": "c1", "input": 2, "expires": later()})
    assert results(watcher, "c1", 3) == [{"id": "c1", "status": "completed", "output": 1}] * 3
    watcher.tell("diat/ht1/actions/count", {"id": "c2", "expires": later()})
    assert results(watcher, "c2")[0]["output"] == 2


def test_a_setting_is_reported_at_once(heater, watcher):
    watcher.tell("diat/ht1/set", {"id": "s1", "v": {"heating": True}, "expires": later()})
    assert results(watcher, "s1") == [{"id": "s1", "status": "completed"}]
    watcher.hear("diat/ht1/properties")
    (report,) = watcher.bodies("diat/ht1/properties")
    assert report["b"] == heater.boot
    assert (report["n"], report["v"]) == (1, {"heating": True})


def test_what_comes_too_late_is_answered_expired(heater, watcher):
    watcher.tell("diat/ht1/actions/count", {"id": "late", "expires": later() - 120_000})
    assert results(watcher, "late") == [{"id": "late", "status": "expired"}]
    watcher.tell("diat/ht1/actions/count", {"id": "c1", "expires": later()})
    assert results(watcher, "c1")[0]["output"] == 1


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        ("diat/ht1/set", {"v": {"colour": 1}}, "cannot be set: colour"),
        ("diat/ht1/set", {"v": []}, "v must be an object"),
        ("diat/ht1/set", {}, "v must be an object"),
        ("diat/ht1/actions/jump", {}, "no action jump"),
        ("diat/ht1/actions/count", {"input": 0}, "counts nothing"),
    ],
)
def test_what_cannot_be_done_fails_with_its_reason(heater, watcher, topic, body, reason):
    watcher.tell(topic, {"id": "bad", "expires": later(), **body})
    (result,) = results(watcher, "bad")
    assert result["status"] == "failed"
    assert reason in result["error"]


def test_retained_and_unreadable_commands_are_ignored(mosquitto, watcher):
    watcher.tell("diat/ht1/actions/count", {"id": "kept", "expires": later()}, retain=True)
    node = make_heater(mosquitto.port)
    node.start()
    watcher.hear("diat/ht1/status", lambda payload: payload == b"online")
    watcher.tell("diat/ht1/actions/count", b"\xff{")
    watcher.tell("diat/ht1/actions/count", {"expires": later()})
    watcher.tell("diat/ht1/actions/count", {"id": "c1", "expires": later()})
    assert results(watcher, "c1")[0]["output"] == 1
    assert {body["id"] for body in watcher.bodies("diat/ht1/results")} == {"c1"}
    watcher.tell("diat/ht1/actions/count", b"", retain=True)
    node.stop()


def test_commands_given_while_a_node_is_away_arrive(mosquitto, watcher):
    node = make_heater(mosquitto.port)
    node.start()
    watcher.hear("diat/ht1/status", lambda payload: payload == b"online")
    node.stop()
    watcher.hear("diat/ht1/status", lambda payload: payload == b"offline")
    watcher.tell("diat/ht1/actions/count", {"id": "c1", "expires": later()})
    watcher.tell("diat/ht1/actions/count", {"id": "late", "expires": later() - 120_000})
    back = make_heater(mosquitto.port)
    back.start()
    assert results(watcher, "c1")[0]["status"] == "completed"
    assert results(watcher, "late")[0]["status"] == "expired"
    back.stop()


def test_readings_without_acknowledgement_come_again_as_they_were(relay, watcher):
    node = make_heater(relay.port)
    node.start()
    assert node.wait_connected(PATIENCE)
    assert node.drain(PATIENCE)
    relay.deaf.set()  # from here the broker hears the node, and the node hears nothing
    sent = [node.report({"power": power}) for power in range(5)]
    watcher.hear("diat/ht1/properties")  # one message at a time: the others wait behind it
    assert node.unacknowledged == frozenset(sent)
    relay.cut.set()
    watcher.hear("diat/ht1/status", lambda payload: payload == b"offline")
    sent += [node.report({"power": power}) for power in range(5, 8)]
    relay.deaf.clear()
    assert node.drain(PATIENCE)
    assert node.unacknowledged == frozenset()
    node.stop()
    watcher.wait(lambda: {body["n"] for body in watcher.bodies("diat/ht1/properties")} >= set(sent))
    assert len(watcher.bodies("diat/ht1/properties")) > len(sent)
    readings = {(body["n"], body["v"]["power"]) for body in watcher.bodies("diat/ht1/properties")}
    assert readings == set(zip(sent, range(8), strict=True))


def test_a_node_outlasts_its_broker(mosquitto):
    """It starts before there is one and comes back after a kill, with everything it had to say."""
    mosquitto.stop()
    node = make_heater(mosquitto.port)
    node.start()
    sent = [node.report({"power": 1})]
    mosquitto.start()
    assert node.wait_connected(PATIENCE)
    assert node.drain(PATIENCE)
    mosquitto.kill()
    sent += [node.report({"power": 2}), node.report({"power": 3})]
    mosquitto.start()
    assert node.drain(PATIENCE)
    assert node.wait_connected(PATIENCE)
    assert node.unacknowledged == frozenset()
    assert sent == [1, 2, 3]
    watcher = Watcher(mosquitto.port)  # the broker forgot all, so what is retained was said again
    assert watcher.hear("diat/ht1/status") == b"online"
    assert json.loads(watcher.hear("wot/td/ht1"))["title"] == "Heater"
    watcher.close()
    node.stop()


NODE = """
import sys, threading
from pathlib import Path
from diat.simulation.link import Address
from diat.nodes.native import NativeNode

port, folder = int(sys.argv[1]), Path(sys.argv[2])

def count(step):
    with (folder / "counted").open("a") as file:
        file.write(f"{step}\\n")
    print("counted", flush=True)
    if step == "and hang":
        threading.Event().wait()
    return step

td = {"title": "Counter", "actions": {"count": {"input": {}}, "again": {"input": {}, "idempotent": True}}}
performers = {"count": count, "again": count}
node = NativeNode(Address("127.0.0.1", port), "ht1", td, performers=performers, memory=folder / "memory")
node.start()
sys.stdin.read()
"""


@pytest.fixture
def launch(mosquitto, watcher, tmp_path):
    """Starts a counting node as a process and waits until it can be commanded."""
    running = []

    def start(*, wait=True):
        before = watcher.payloads("diat/ht1/status").count(b"online")
        command = [sys.executable, "-c", NODE, str(mosquitto.port), str(tmp_path)]
        running.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        if wait:
            watcher.wait(lambda: watcher.payloads("diat/ht1/status").count(b"online") > before)
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def test_a_killed_node_still_knows_what_it_did(launch, watcher, tmp_path):
    node = launch()
    watcher.tell("diat/ht1/actions/count", {"id": "c1", "input": "one", "expires": later()})
    done = results(watcher, "c1")
    node.kill()
    node.wait()
    watcher.hear("diat/ht1/status", lambda payload: payload == b"offline")
    launch()
    watcher.tell("diat/ht1/actions/count", {"id": "c1", "input": "one", "expires": later()})
    # The broker may bring the command once more as well, if the node was killed before it acknowledged it.
    assert all(each == done[0] for each in results(watcher, "c1", 2))
    assert (tmp_path / "counted").read_text() == "one\n"


@pytest.mark.parametrize(
    ("action", "status", "counted"), [("count", "in-doubt", 1), ("again", "completed", 2)]
)
def test_a_command_that_the_kill_interrupted(launch, watcher, tmp_path, action, status, counted):
    """It was never acknowledged, so the broker brings it again: in doubt, unless it may be repeated."""
    node = launch()
    watcher.tell(f"diat/ht1/actions/{action}", {"id": "c1", "input": "and hang", "expires": later()})
    assert node.stdout.readline() == b"counted\n"
    node.kill()
    node.wait()
    again = launch(wait=status == "in-doubt")  # what hangs again lets it get no further
    if status == "in-doubt":
        assert results(watcher, "c1")[0]["status"] == status
    else:
        assert again.stdout.readline() == b"counted\n"
    assert (tmp_path / "counted").read_text().count("\n") == counted


def test_no_room_outlives_the_house(mosquitto, watcher):
    house = House(f"mqtt://127.0.0.1:{mosquitto.port}")
    house.start()
    for room in ("living-heater", "office-heater"):
        watcher.hear(f"diat/{room}/status", lambda payload: payload == b"online")
    processes = list(house.processes.values())
    assert len({process.pid for process in processes}) == 3
    house.stop()
    # A room that has hardly begun does not listen to signals yet: it ends all the same.
    assert {process.returncode for process in processes} <= {0, -signal.SIGTERM}
    house.stop()


def test_no_room_outlives_a_killed_parent(mosquitto, watcher):
    script = (
        "import sys\nfrom diat.simulation.house import House\n"
        f"with House('mqtt://127.0.0.1:{mosquitto.port}') as house:\n"
        "    print([process.pid for process in house.processes.values()], flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        rooms = [os.pidfd_open(int(pid)) for pid in re.findall(r"\d+", parent.stdout.readline())]
        watcher.hear("diat/living-heater/status", lambda payload: payload == b"online")
        parent.send_signal(signal.SIGKILL)
    assert len(rooms) == 3
    for room in rooms:
        assert select.select([room], [], [], PATIENCE)[0], "a room is still alive"
        os.close(room)


def test_a_room_that_fell_can_be_seen_and_started_again(mosquitto, watcher):
    with House(f"mqtt://127.0.0.1:{mosquitto.port}", rooms=["office"]) as house:
        reports = "diat/office-thermometer/properties"
        watcher.hear(reports)
        watcher.hear("diat/office-heater/status", lambda payload: payload == b"online")
        first = house.processes["office"]
        first.kill()
        first.wait()
        assert house.fallen() == {"office": -signal.SIGKILL}
        watcher.hear("diat/office-heater/status", lambda payload: payload == b"offline")
        house.start()
        watcher.wait(lambda: watcher.payloads("diat/office-heater/status")[-1] == b"online")
        assert house.fallen() == {}
        watcher.wait(lambda: len({body["b"] for body in watcher.bodies(reports)}) == 2)


@pytest.mark.parametrize("broker", ["127.0.0.1", "mqtt://127.0.0.1:none"])
def test_a_broker_that_is_none_is_refused_in_one_line(broker):
    command = [sys.executable, "-m", "diat.simulation", "living", "--broker", broker]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 2
    assert ended.stderr.startswith("diat.simulation: broker ")
    assert ended.stderr.count("\n") == 1
