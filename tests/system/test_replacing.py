"""Steps move between real processes: down when the line gets slow, or a policy keeps what they read."""

import contextlib
import itertools
import json
import threading
import time

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.links import Link
from tests.system.conftest import Platform, eventually
from tests.system.gateways import Edge

SUMS = """
name: sums
title: The sum of every five
parameters: {type: object}
roles:
  sensors: {capability: read, quantity: Temperature, unit: Cel, count: "1", freshness: 100000}
steps:
  - {id: five, do: window, role: sensors, kind: count, size: 5, aggregate: sum}
derives:
  sum: {from: five, type: number}
"""
HEATS = """
name: heats
title: Heat below an edge, soon
parameters: {type: object}
latency: 3
roles:
  sensor: {capability: read, quantity: RelativeHumidity, unit: "%", count: "1", freshness: 100000}
  fan: {capability: decrease, quantity: RelativeHumidity, count: "1"}
steps:
  - {id: level, do: latest, role: sensor}
  - {id: damp, do: hysteresis, input: level, "on": above, low: 45, high: 55}
  - {id: drive, do: drive, role: fan, input: damp, otherwise: false}
"""


def measured(quantity, unit):
    return {"type": "number", "unit": unit, "@type": f"quantitykind:{quantity}", "readOnly": True}


class Things:
    """A thermometer, a hygrometer and a fan at the gateway's broker; five times a second they are heard."""

    def __init__(self, port):
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="things")
        self._client.on_message = self._told
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("diat/fan/set", 1)
        self._client.loop_start()
        affects = {"quantity": "RelativeHumidity", "direction": "decrease"}
        fan = {"on": {"type": "boolean", "idempotent": True, "diat:affects": affects}}
        self._say("wot/td/warm", {"title": "Warm", "properties": {"t": measured("Temperature", "Cel")}}, True)
        self._say(
            "wot/td/wet", {"title": "Wet", "properties": {"h": measured("RelativeHumidity", "%")}}, True
        )
        self._say("wot/td/fan", {"title": "Fan", "properties": fan}, True)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.said, self.told = 0, []
        self._thread.start()

    def _run(self):
        for n in itertools.count(1):
            now = round(time.time() * 1000)
            self._say("diat/warm/properties", {"b": 1, "n": n, "t": now, "v": {"t": n}})
            self._say("diat/wet/properties", {"b": 1, "n": n, "t": now, "v": {"h": 40 + n % 40}})
            self.said = n
            if self._over.wait(0.2):
                return

    def _say(self, topic, body, retain=False):
        self._client.publish(topic, json.dumps(body), 1, retain).wait_for_publish(10)

    def _told(self, client, _, message):
        said = json.loads(message.payload)
        self.told.append(said["v"]["on"])
        client.publish("diat/fan/results", json.dumps({"id": said["id"], "status": "completed"}), 1)

    def end(self):
        self._over.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture(scope="module")
def tiers(tmp_path_factory):
    """A core, a link, a gateway that comes by the link and lets all readings up, and things beside it."""
    with contextlib.ExitStack() as stack:
        core = Platform(tmp_path_factory.mktemp("core"))
        stack.callback(core.close)
        link = stack.enter_context(Link(("127.0.0.1", core.mqtt)))
        edge = Edge(tmp_path_factory.mktemp("edge"), link.port)
        stack.callback(edge.close)
        core.start()
        edge.start()
        things = Things(edge.mqtt)
        stack.callback(things.end)
        eventually(lambda: len(list(core.pages("/things"))) >= 4, 120.0, lambda: edge.output[-3000:])
        yield core, link, edge, things


def made(core, text):
    core.insist("POST", "/templates", content=text, headers={"content-type": "application/yaml"})
    template = text.split()[1]
    answer = core.insist("POST", "/services", json={"title": template, "template": template})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def steps(core, service):
    return core.get(f"/services/{service}")["placement"]


def decided(core, service, step, by):
    """Whether a step runs at the gateway, and that decided it."""
    found = steps(core, service)["steps"].get(step, {})
    return (found.get("tier"), found.get("decided")) == ("barn", by)


def at(core, service, tier):
    """Whether all steps of a service run there, and none moves."""
    found = steps(core, service)
    ran = {step for each in found["tiers"] if each["tier"] == tier for step in each["steps"]}
    return (
        found["moving"] is None and not any(set(each["steps"]) - ran for each in found["tiers"]) and bool(ran)
    )


def test_a_policy_at_the_gateway_brings_steps_down_and_no_reading_is_lost(tiers):
    core, _, edge, things = tiers
    service = made(core, SUMS)
    thing = f"/things/urn:diat:composite:{service}/properties/sum/history"

    def said():
        """What the window came to; a derived value is told again as long as it is so."""
        return list(dict.fromkeys(each["value"] for each in core.pages(thing, limit=1000)))

    eventually(lambda: len(said()) >= 2, 120.0, lambda: core.output[-3000:])
    document = {"effect": "deny", "operations": ["send-up"], "what": {"things": ["urn:dev:warm"]}}
    answer = edge.insist("PUT", "/policies/stays", json={"title": "It stays", **document})
    assert answer.status_code in (200, 201), answer.text
    eventually(
        lambda: at(core, service, "barn"), 120.0, lambda: f"{steps(core, service)}{core.output[-2000:]}"
    )
    eventually(lambda: decided(core, service, "five", "policy"), 60.0, lambda: f"{steps(core, service)}")
    known = len(said())
    eventually(lambda: len(said()) >= known + 2, 120.0, lambda: f"{said()} {steps(core, service)}")
    found = said()
    first = (found[0] - 10) / 5
    assert found == [5 * (first + 5 * n) + 10 for n in range(len(found))]
    raw = core.pages("/things/urn:dev:warm/properties/t/history", limit=1000)
    assert len(list(raw)) < things.said - 5


def test_a_line_that_gets_slow_brings_down_what_must_answer_soon(tiers):
    core, link, _, things = tiers
    service = made(core, HEATS)
    eventually(lambda: things.told, 120.0, lambda: core.output[-3000:])
    figures = lambda: core.get("/things/urn:dev:barn/properties")  # noqa: E731
    eventually(lambda: "roundTrip" in figures(), 60.0)
    link.shape(delay=1.5)
    eventually(lambda: at(core, service, "barn"), 120.0, lambda: f"{figures()} {steps(core, service)}")
    eventually(lambda: decided(core, service, "drive", "latency"), 60.0, lambda: f"{steps(core, service)}")
    link.cut()
    told = len(things.told)
    eventually(lambda: len(things.told) >= told + 2, 120.0, lambda: "it goes on while the line is cut")
    link.mend()
    link.shape(delay=0.0)
