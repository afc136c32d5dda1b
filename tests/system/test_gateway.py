"""A gateway as a process: what its things say comes up once, whatever is killed or cut meanwhile."""

import contextlib
import itertools
import json
import threading
import time
from urllib.parse import quote

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.links import Link
from tests.system.conftest import Platform, eventually

THING = "urn:dev:th1"
TD = {
    "id": THING,
    "title": "Thermometer",
    "properties": {
        "temperature": {"type": "number", "unit": "Cel", "readOnly": True},
        "target": {"type": "number", "idempotent": True},
    },
    "events": {"alarm": {"data": {"type": "integer"}}},
}


class Edge(Platform):
    """``diat gateway`` as a process, joined through a link."""

    def __init__(self, directory, port):
        super().__init__(directory)
        self._above = port

    def command(self, **flags):
        given = {"join": f"127.0.0.1:{self._above}", "name": "barn", "send": "all", "figures": 1}
        flags = {"http": self.http, "mqtt": self.mqtt, "data": self.data, **given, **flags}
        options = [part for flag, value in flags.items() for part in (f"--{flag}", str(value))]
        return ["gateway", *options]


class Sender:
    """A thing that keeps what its broker has not acknowledged, and says it again."""

    def __init__(self, port):
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="th1", clean_session=False)
        self._client.max_inflight_messages_set(50)
        self._client.reconnect_delay_set(1, 1)
        self._client.will_set("diat/th1/status", "offline", 1, True)
        self._client.on_message = self._told
        self._client.on_connect = lambda client, *_: client.subscribe("diat/th1/set", 1)
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()
        self._n = itertools.count(1)
        self.done = []
        self._pause = threading.Event()
        self.publish("wot/td/th1", TD, retain=True)
        self._client.publish("diat/th1/status", "online", 1, True)

    def publish(self, topic, body, *, retain=False):
        self._client.publish(topic, json.dumps(body), 1, retain)

    def report(self, value):
        body = {"b": 1, "n": next(self._n), "t": round(time.time() * 1000), "v": {"temperature": value}}
        self.publish("diat/th1/properties", body)

    def alarm(self, data):
        body = {"b": 1, "n": next(self._n), "t": round(time.time() * 1000), "data": data}
        self.publish("diat/th1/events/alarm", body)

    def _told(self, client, _, message):
        said = json.loads(message.payload)
        self.done.append(said["id"])
        self.publish("diat/th1/results", {"id": said["id"], "status": "completed"})

    def end(self):
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A core, a link to it, a gateway that comes by the link, and a thing beside the gateway."""
    with contextlib.ExitStack() as stack:
        core = Platform(tmp_path_factory.mktemp("core"))
        stack.callback(core.close)
        link = stack.enter_context(Link(("127.0.0.1", core.mqtt)))
        edge = Edge(tmp_path_factory.mktemp("edge"), link.port)
        stack.callback(edge.close)
        core.start()
        edge.start()
        sender = Sender(edge.mqtt)
        stack.callback(sender.end)
        yield core, link, edge, sender


def there(core):
    def ask():
        answer = core.insist("GET", f"/things/{quote(THING, safe='')}")
        return answer.status_code == 200

    return ask


def values(core):
    found = core.pages(f"/things/{quote(THING, safe='')}/properties/temperature/history", limit=1000)
    return [each["value"] for each in found]


def test_what_is_said_comes_once_though_everything_is_killed_and_cut(house):
    core, link, edge, sender = house
    eventually(there(core), 20.0, lambda: edge.output[-3000:])
    said = iter(range(10_000))

    def say(many):
        last = None
        for _ in range(many):
            last = next(said)
            sender.report(last)
            time.sleep(0.002)
        return last

    say(60)
    link.cut()
    say(60)
    edge.kill()
    say(60)
    edge.start()
    link.mend()
    say(60)
    core.kill()
    say(60)
    core.start()
    link.shape(rate=60_000, delay=0.02, resets=0.002)
    say(60)
    edge.kill_everything()
    say(60)
    edge.start()
    link.cut(silently=True)
    sender.alarm(7)
    last = say(60)
    link.mend()
    link.shape(rate=None, delay=0.0, resets=0.0)
    eventually(
        lambda: values(core)[-1:] == [last], 60.0, lambda: f"{values(core)[-5:]}\n{edge.output[-3000:]}"
    )
    eventually(lambda: len(values(core)) >= last + 1, 20.0, lambda: f"{len(values(core))} of {last + 1}")
    assert values(core) == list(range(last + 1))
    (thing,) = [each for each in core.get("/things") if each["id"] == THING]
    assert thing["title"] == "Thermometer"


def test_a_command_from_above_is_done_once_and_answered(house):
    core, _, _, sender = house
    eventually(there(core), 20.0)
    answer = core.insist("PUT", f"/things/{quote(THING, safe='')}/properties/target", json=21.5)
    assert answer.status_code in (202, 204), answer.text
    eventually(lambda: sender.done, 20.0)
    commands = lambda: [each for each in core.get("/actuations") if each["thing"] == THING]  # noqa: E731
    eventually(lambda: [each["status"] for each in commands()] == ["completed"], 20.0)
    assert len(sender.done) == 1


def test_what_is_behind_a_cut_is_told_to_be_out_of_reach(house):
    core, link, edge, _ = house
    eventually(there(core), 20.0, lambda: edge.output[-3000:])
    status = lambda: core.get(f"/things/{quote(THING, safe='')}")["diat:status"]  # noqa: E731
    eventually(lambda: status() == "online", 20.0)
    link.cut()
    eventually(lambda: status() == "offline", 60.0)
    link.mend()
    eventually(lambda: status() == "online", 30.0)
