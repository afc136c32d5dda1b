"""Every affordance of things of every dialect: listed, driven, refused and heard, over REST and real sockets.

One platform with its own broker serves all of them; each device is an MQTT client that behaves as its
firmware does (``diat.simulation``). What each of them has is written down in ``devices``.
"""

import json
from urllib.parse import quote

import httpx
import pytest

from diat.simulation.link import Address
from tests.system import devices
from tests.system.conftest import Platform, eventually

SECONDS = 10.0
_SIGNS = {"increase": "+", "decrease": "-", "switch": "="}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A running platform for all devices of this module."""
    platform = Platform(tmp_path_factory.mktemp("house"))
    platform.start()
    yield platform
    platform.close()


class Seen:
    """A device, and its thing as REST shows it."""

    def __init__(self, house, known, host, device, td):
        self.house = house
        self.known = known
        self.host = host
        self.device = device
        self.path = f"/things/{quote(td['id'], safe='')}"

    def td(self):
        return self.house.get(self.path)

    def put(self, name, value):
        path = f"{self.path}/properties/{quote(name)}"
        return self.house.rest.put(path, json=value, headers={"Prefer": "wait=10"})

    def post(self, name, value):
        return self.house.rest.post(f"{self.path}/actions/{quote(name)}", json=value)

    def value(self, name):
        answer = self.house.rest.get(f"{self.path}/properties/{quote(name)}")
        return answer.json() if answer.status_code == httpx.codes.OK else None


@pytest.fixture(scope="module", params=devices.ALL, ids=lambda known: known.title.replace(" ", "_"))
def seen(request, house):
    """A device that is started and stands as a thing, with everything that it announces."""
    known = request.param
    host, device = known.make(Address("127.0.0.1", house.mqtt))
    host.start()

    def stands():
        found = [td for td in house.get("/things", limit=1000) if td["title"] == known.title]
        return found and all(found[0].get("properties", {}).get(name) for name in known.properties) and found

    try:
        (td,) = eventually(stands, SECONDS, lambda: f"{known.title}: {house.get('/things')}")
        yield Seen(house, known, host, device, td)
    finally:
        host.stop()


def _line(schema, meaning):
    kind = str(meaning.get("@type", "-")).removeprefix("quantitykind:")
    return f"{schema.get('type', '-')} {schema.get('unit', '-')} {kind}"


def _access(affordance):
    return "r" if affordance.get("readOnly") else "w" if affordance.get("writeOnly") else "rw"


def test_it_has_exactly_these_affordances(seen):
    td = seen.td()
    found = td.get("properties", {})
    assert {
        name: f"{_line(each, each)} {_access(each)}" for name, each in found.items()
    } == seen.known.properties
    actions = {name: _line(each.get("input", {}), each) for name, each in td.get("actions", {}).items()}
    assert actions == seen.known.actions
    events = {name: _line(each.get("data", {}), each) for name, each in td.get("events", {}).items()}
    assert events == {name: line for name, (line, _, _) in seen.known.events.items()}
    assert {
        name: f"{_SIGNS[said['direction']]}{said['quantity']}"
        for name, each in {**found, **td.get("actions", {})}.items()
        if (said := each.get("diat:affects"))
    } == seen.known.affects
    assert td["diat:dialect"] == seen.known.dialect
    assert td["diat:status"] == "online"
    assert seen.house.get(f"{seen.path}/diagnostics") == []


def test_each_writable_property_is_driven_and_reports_back(seen):
    writable = {name for name, line in seen.known.properties.items() if "w" in line.rpartition(" ")[2]}
    assert seen.known.writes.keys() == writable
    for name, write in seen.known.writes.items():
        answer = seen.put(name, write.good)
        assert answer.status_code == httpx.codes.NO_CONTENT, (name, answer.text)
        assert write.done(seen.device), name
        eventually(
            lambda n=name, w=write: seen.value(n) == w.good, SECONDS, lambda n=name: f"{n}: {seen.value(n)}"
        )
        actuation = seen.house.get(answer.headers["location"])
        assert (actuation["status"], actuation["affordance"]) == ("completed", name)
        reading = seen.house.get(f"{seen.path}/properties/{quote(name)}/reading")
        assert reading["quality"] == "good"


def test_what_a_property_does_not_take_never_reaches_the_device(seen):
    for name, write in seen.known.writes.items():
        before = seen.value(name)
        answer = seen.put(name, write.bad)
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, (name, answer.text)
        assert answer.json()["field"] == name
        assert seen.value(name) == before
    for name, line in seen.known.properties.items():
        if line.endswith(" r"):
            assert seen.put(name, seen.value(name)).status_code == httpx.codes.UNPROCESSABLE_ENTITY, name


def test_each_action_is_performed_and_a_wrong_input_refused(seen):
    assert seen.known.calls.keys() == seen.known.actions.keys()
    for name, call in seen.known.calls.items():
        answer = seen.post(name, call.good)
        assert answer.status_code == httpx.codes.CREATED, (name, answer.text)
        place = answer.headers["location"]

        def ended(place=place):
            return seen.house.get(place)["status"] == "completed"

        eventually(ended, SECONDS, lambda place=place: seen.house.get(place))
        eventually(lambda call=call: call.done(seen.device), SECONDS, lambda name=name: name)
        if call.bad is not devices.NOTHING:
            answer = seen.post(name, call.bad)
            assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, (name, answer.text)


def test_each_event_arrives(seen):
    for name, (_, cause, data) in seen.known.events.items():
        with seen.house.rest.stream("GET", f"{seen.path}/events/{quote(name)}", timeout=SECONDS) as stream:
            assert stream.status_code == httpx.codes.OK
            cause(seen.host, seen.device)
            told = next(line for line in stream.iter_lines() if line.startswith("data: "))
        assert json.loads(told.removeprefix("data: ")) == data
        assert name not in seen.td().get("properties", {})


def test_it_is_told_when_it_goes(seen):
    seen.host.stop()
    eventually(lambda: seen.td()["diat:status"] == "offline", SECONDS, lambda: seen.td()["diat:status"])
