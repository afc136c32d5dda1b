"""A gateway runs steps of a service; it, the core, or both are killed: the answers are those of a quiet run.

Real processes with brokers of their own. A window counts readings, so what it must say follows from what was
said alone; what is driven is waited for before the next time that it turns. What is longer is run with
``DIAT_KILLS=30``: that many kills, at random.
"""

import contextlib
import os
import random
import subprocess
import sys
import time

import pytest

from tests.links import Link
from tests.system.conftest import Platform, eventually
from tests.system.gateways import Edge, Thing

pytestmark = pytest.mark.timeout(300)
KILLS = int(os.environ.get("DIAT_KILLS", "0"))
TEMPLATE = """
name: counting
title: How much five readings are together, and heat where it is cold
parameters: {type: object}
roles:
  sensors: {capability: read, quantity: Temperature, unit: Cel, count: "1..", freshness: 100000000}
  heater: {capability: increase, quantity: Temperature, count: "1"}
steps:
  - {id: five, do: window, role: sensors, kind: count, size: 5, aggregate: sum}
  - {id: level, do: latest, role: sensors}
  - {id: cold, do: hysteresis, input: level, "on": below, low: 20, high: 24}
  - {id: heat, do: drive, role: heater, input: cold, otherwise: false}
derives:
  sum: {from: five, type: number}
"""
STEPS = {"five", "level", "cold", "heat"}
METER = {"type": "number", "unit": "Cel", "@type": "quantitykind:Temperature", "readOnly": True}
WARMS = {"quantity": "Temperature", "direction": "increase"}
HEATER = {"type": "boolean", "idempotent": True, "diat:affects": WARMS}


OPEN = pytest.mark.xfail(
    strict=False,
    reason="open: about every second time a reading or a command is lost or overtaken where a part runs",
)
"""Not hidden: what these say must be so, and is not always."""
SOON = """
from diat.service.placement import reviewing
assert {"MEASURES", "SETTLES"} <= vars(reviewing).keys()
reviewing.MEASURES, reviewing.SETTLES = 3.0, 1_000
from diat.cli import main
main()
"""
"""``diat``, but steps go where they belong once three seconds were measured, instead of a minute."""


class Core(Platform):
    """A platform that does not think about it long where steps run."""

    def start(self, *, wait=True):
        with self._log.open("ab") as log:
            command, nothing = [sys.executable, "-c", SOON, *self.command()], subprocess.DEVNULL
            self._process = subprocess.Popen(
                command, stdin=nothing, stdout=log, stderr=log, start_new_session=True
            )
        if wait:
            self.wait_ready()


class House:
    """A core, a gateway that comes by a link, and a service whose steps run at the gateway."""

    def __init__(self, core, link, edge, meter, heater):
        self.core, self.link, self.edge = core, link, edge
        self.meter, self.heater = meter, heater
        self.said, self.cold = [], False
        self.wanted = []
        self.service = ""
        self.next = 0.0

    def say(self, *levels):
        """Say readings; no two are the same, so that no two sums are."""
        for level in levels:
            value = round(level + len(self.said) / 1000, 3)
            self.said.append(value)
            self.meter.report(temperature=value)
            if level < 20 and not self.cold:
                self.cold = True
                self.wanted.append({"on": True})
            elif level > 24 and self.cold:
                self.cold = False
                self.wanted.append({"on": False})

    def talk_until(self, wanted, seconds, explain):
        """Say something now and then until it is so: steps go where they are fed, and by how much."""

        def spoken():
            if time.monotonic() > self.next:
                self.next = time.monotonic() + 0.5
                self.say(22)
            return wanted()

        eventually(spoken, seconds, explain)

    def settle(self):
        """What was to be driven was."""
        told = lambda: f"{self.heater.done} {self.wanted} {self.placement()}\n{self.edge.output[-3000:]}"  # noqa: E731
        eventually(lambda: self.heater.done[-len(self.wanted) :] == self.wanted, 60.0, told)

    def begin(self):
        """Speak until each word is heard above: before, only the newest one was, and the window has those."""
        path = "/things/urn:dev:meter/properties/temperature/history"

        def heard():
            self.said = [each["value"] for each in self.core.pages(path, limit=1000)]
            return self.said[-1:] == [last]

        for count in range(1, 100):
            last = round(21 + count / 1000, 3)
            self.meter.report(temperature=last)
            with contextlib.suppress(AssertionError):
                eventually(heard, 2.0)
                return
        pytest.fail(self.edge.output[-3000:])

    def sums(self):
        """What the window must have said."""
        whole = len(self.said) // 5 * 5
        return [round(sum(self.said[at : at + 5]), 3) for at in range(0, whole, 5)]

    def check(self):
        """All that is derived and driven is as if nothing had happened."""
        self.say(*[22] * (-len(self.said) % 5))
        wanted = self.sums()
        eventually(lambda: self.derived()[-1:] == wanted[-1:], 60.0, lambda: f"{self.derived()} {wanted}")
        assert self.derived() == wanted
        assert self.heater.done == self.wanted

    def derived(self):
        """What it said, as the core has it."""
        path = f"/things/urn:diat:composite:{self.service}/properties/sum/history"
        with contextlib.suppress(AssertionError):
            found = [round(each["value"], 3) for each in self.core.pages(path, limit=1000)]
            return [each for at, each in enumerate(found) if at == 0 or each != found[at - 1]]
        return []

    def placement(self):
        answer = self.core.insist("GET", f"/services/{self.service}").json()
        tiers = {each["tier"]: each for each in answer["placement"]["tiers"]}
        return set(tiers.get("barn", {}).get("steps", ())), answer["placement"].get("moving"), answer


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with contextlib.ExitStack() as stack:
        core = Core(tmp_path_factory.mktemp("core"))
        stack.callback(core.close)
        link = stack.enter_context(Link(("127.0.0.1", core.mqtt)))
        edge = Edge(tmp_path_factory.mktemp("edge"), link.port, send="asked")
        stack.callback(edge.close)
        core.start(wait=False)
        edge.start(wait=False)
        core.wait_ready()
        edge.wait_ready()
        things = [
            Thing(
                edge.mqtt,
                "meter",
                {"id": "urn:dev:meter", "title": "M", "properties": {"temperature": METER}},
            ),
            Thing(edge.mqtt, "heater", {"id": "urn:dev:heater", "title": "H", "properties": {"on": HEATER}}),
        ]
        for each in things:
            stack.callback(each.end)
        made = House(core, link, edge, *things)
        made.meter.report(temperature=21.0)
        known = lambda: {"urn:dev:meter", "urn:dev:heater"} <= {each["id"] for each in core.get("/things")}  # noqa: E731
        eventually(known, 30.0, lambda: edge.output[-3000:])
        yaml = {"content-type": "application/yaml"}
        core.insist("POST", "/templates", content=TEMPLATE, headers=yaml).raise_for_status()
        body = {"title": "counting", "template": "counting", "parameters": {}}
        answer = core.insist("POST", "/services", json=body)
        assert answer.status_code == 201, answer.text
        made.service = answer.json()["id"]
        made.begin()
        yield made


@OPEN
def test_steps_go_to_the_gateway_though_it_is_killed_while_they_do(house):
    house.talk_until(lambda: house.placement()[1], 120.0, lambda: str(house.placement()))
    house.edge.kill()
    house.say(22, 23)
    house.edge.start()
    house.talk_until(lambda: house.placement()[:2] == (STEPS, None), 120.0, lambda: str(house.placement()))
    house.say(18)
    house.settle()


@OPEN
def test_killed_wherever_the_answers_are_those_of_a_quiet_run(house):
    core, edge = house.core, house.edge
    house.say(21, 25)
    edge.kill()
    house.say(22)
    edge.start()
    house.settle()
    house.say(21, 18, 19)
    core.kill()
    house.settle()
    house.say(22, 23)
    core.start()
    house.say(26, 21)
    house.settle()
    house.say(22, 17)
    core.kill()
    edge.kill_everything()
    house.say(23, 22, 21)
    core.start(wait=False)
    edge.start()
    house.settle()
    house.check()


@pytest.mark.skipif(not KILLS, reason="DIAT_KILLS says how often")
@pytest.mark.timeout(0)
def test_killed_again_and_again(house):
    chance = random.Random(KILLS)
    for _ in range(KILLS):
        cut = chance.random() < 0.3
        if cut:
            house.link.cut()
        victims = chance.choice([[house.edge], [house.core], [house.edge, house.core]])
        house.say(*[chance.choice([21, 22, 23]) for _ in range(chance.randrange(9))])
        # What turns before is driven before what turns next: a command that was overtaken is not given.
        house.say(19 if not house.cold else 25)
        time.sleep(chance.random() * 0.3)
        for each in victims:
            chance.choice([each.kill, each.kill_everything])()
        house.say(22)
        if cut:
            house.link.mend()
        for each in victims:
            each.start(wait=False)
        for each in victims:
            each.wait_ready()
        house.settle()
    house.check()
