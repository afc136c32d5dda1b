"""Three daemons, each a process of its own, that look things up at each other and work for each other."""

import json
import time

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.links import Link
from tests.system.conftest import Platform

WITHIN = 30.0


def eventually(wanted, seconds, explain=lambda: ""):
    """As everywhere else, asking a few times a second: three daemons on a small machine have more to do."""
    deadline = time.monotonic() + seconds
    while not (found := wanted()):
        assert time.monotonic() < deadline, explain()
        time.sleep(0.2)
    return found


class Daemon:
    """A daemon as a process, its things, and the line by which others reach it."""

    def __init__(self, directory):
        self.platform = Platform(directory)
        self.platform.start(wait=False)
        self.client = None

    def meet(self):
        """Be ready, once all have been started."""
        eventually(self.platform.is_ready, 2 * WITHIN, lambda: self.platform.output[-2000:])
        self.rest = self.platform.rest
        self.line = Link(("127.0.0.1", self.platform.http))
        self.name = self.rest.get("/peers/me").json()["name"]
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"things-of-{self.name}")
        self.client.connect("127.0.0.1", self.platform.mqtt)
        self.client.loop_start()
        self.n = 0

    def trust(self, other):
        """Have both trust each other; each goes by the other's line."""
        answer = self.rest.post(
            "/peers",
            json={
                "address": f"http://127.0.0.1:{other.line.port}",
                "here": f"http://127.0.0.1:{self.line.port}",
            },
        )
        assert answer.status_code == 201, answer.text
        assert "token" not in answer.json()

    def thermometer(self, name, place):
        prop = {"type": "number", "unit": "Cel", "@type": "quantitykind:Temperature", "readOnly": True}
        td = {"title": name, "diat:place": place, "properties": {"temperature": prop}}
        self.client.publish(f"wot/td/{name}", json.dumps(td), 1, retain=True).wait_for_publish(10)
        eventually(lambda: self.rest.get(f"/things/urn:dev:{name}").status_code == 200, WITHIN)

    def report(self, name, value):
        self.n += 1
        report = {"b": 1, "n": self.n, "t": time.time_ns() // 1_000_000, "v": {"temperature": value}}
        eventually(self.client.is_connected, WITHIN)
        self.client.publish(f"diat/{name}/properties", json.dumps(report), 1).wait_for_publish(10)

    def mean(self, place, title="mean"):
        parameters = {"quantity": "Temperature", "place": place, "unit": "Cel"}
        said = {"title": title, "template": "mean-of-place", "parameters": parameters}
        answer = self.rest.post("/services", json=said)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def service(self, service):
        return self.rest.get(f"/services/{service}").json()

    def made_by(self, other):
        """The services that it does for another daemon."""
        return [
            each for each in self.rest.get("/services").json() if each["creator"] == f"daemon:{other.name}"
        ]

    def runs_at(self, service, other, state="running"):
        def there():
            said = self.service(service)
            at = said.get("runs_at") or {}
            return at.get("daemon") == other.name and said["state"] == state and said

        return eventually(there, WITHIN, lambda: str((self.service(service), self.platform.output[-2000:])))

    def close(self):
        if self.client is not None:
            self.client.disconnect()
            self.client.loop_stop()
            self.line.close()
        self.platform.close()


@pytest.fixture(scope="module")
def daemons(tmp_path_factory):
    made = [Daemon(tmp_path_factory.mktemp("daemon")) for _ in range(3)]
    try:
        for each in made:
            each.meet()
        yield made
    finally:
        for each in made:
            each.close()


@pytest.fixture(scope="module")
def pair(daemons):
    """Two that trust each other; the second has what the first has not."""
    one, two, three = daemons
    one.trust(two)
    two.trust(three)
    two.thermometer("kitchen", "house/kitchen")
    two.report("kitchen", 20.0)
    three.thermometer("barn", "farm/barn")
    three.report("barn", 5.0)
    return one, two


def test_both_know_each_other_and_no_token_is_told(daemons, pair):
    one, two = pair
    [known] = one.rest.get("/peers").json()
    assert (known["name"], known["trusted"], known["reachable"]) == (two.name, True, True)
    assert "token" not in json.dumps(known)
    assert {each["name"] for each in two.rest.get("/peers").json()} == {one.name, daemons[2].name}


def test_a_lookup_finds_what_peers_have_and_what_theirs_have(daemons, pair):
    one, two = pair

    def found(**query):
        told = one.rest.get("/peers/things", params=query).json()
        return {(each["daemon"], each["id"]) for each in told}

    kitchen, barn = (two.name, "urn:dev:kitchen"), (daemons[2].name, "urn:dev:barn")
    assert found(quantity="Temperature", hops=0) == set()
    assert found(quantity="Temperature", hops=1) == {kitchen}
    # In a ring nobody is asked twice, and nothing is found twice.
    assert found(quantity="Temperature", hops=4) == {kitchen, barn}
    assert found(quantity="Temperature", place="farm", hops=2) == {barn}
    assert found(quantity="Humidity", hops=2) == set()


def test_a_peer_that_is_not_there_is_named_and_does_not_hold_up_the_rest(pair):
    one, two = pair
    two.line.cut(silently=True)
    began = time.monotonic()
    answer = one.rest.get("/peers/things", params={"quantity": "Temperature", "place": "elsewhere"})
    assert answer.json() == []
    assert answer.headers["x-unanswered"] == two.name
    assert time.monotonic() - began < 8
    two.line.mend()


def test_a_service_runs_where_its_things_are_and_ends_with_the_one_who_asked(pair):
    one, two = pair
    service = one.mean("house/kitchen")
    shown = one.runs_at(service, two)
    assert shown["runs_at"]["reachable"] is True
    assert shown["bindings"] == []
    [there] = two.made_by(one)
    assert there["id"] == shown["runs_at"]["service"]
    assert [each["thing"] for each in there["bindings"]] == ["urn:dev:kitchen"]
    assert one.rest.post(f"/services/{service}/pause").status_code == 200
    eventually(lambda: two.made_by(one)[0]["state"] == "paused", WITHIN)
    assert one.rest.post(f"/services/{service}/resume").status_code == 200
    eventually(lambda: two.made_by(one)[0]["state"] == "running", WITHIN)
    assert one.rest.delete(f"/services/{service}").status_code == 204
    eventually(lambda: two.made_by(one) == [], WITHIN)


def test_it_goes_on_while_the_line_is_cut_and_is_never_in_two_places(pair):
    one, two = pair
    service = one.mean("house/kitchen")
    one.runs_at(service, two)
    [there] = two.made_by(one)
    two.line.cut()
    eventually(lambda: one.service(service)["runs_at"]["reachable"] is False, WITHIN)
    # What it needs turns up here as well: still it does not run here, for nobody knows what is there.
    one.thermometer("spare", "house/kitchen")
    one.report("spare", 19.0)
    two.report("kitchen", 22.0)
    thing = there["thing"]
    eventually(lambda: 22.0 in two.rest.get(f"/things/{thing}/properties").json().values(), WITHIN)
    assert one.service(service)["bindings"] == []
    # Killed in between, each knows where it was.
    for each in (one, two):
        each.platform.kill()
        each.platform.start(wait=False)
    for each in (one, two):
        eventually(each.platform.is_ready, 2 * WITHIN)
    assert one.service(service)["runs_at"]["daemon"] == two.name
    two.report("kitchen", 22.5)
    two.line.mend()
    eventually(lambda: one.service(service)["runs_at"]["reachable"], WITHIN)
    shown = one.runs_at(service, two)
    assert shown["runs_at"]["service"] == there["id"]
    assert [each["id"] for each in two.made_by(one)] == [there["id"]]
    # Ended while the line is cut, it ends there when it can be told.
    two.line.cut()
    assert one.rest.delete(f"/services/{service}").status_code == 204
    two.line.mend()
    eventually(lambda: two.made_by(one) == [], WITHIN)
    assert one.rest.delete("/things/urn:dev:spare").status_code == 204


def test_what_the_peer_forbids_is_not_done_there(pair):
    one, two = pair
    policy = {"title": "no daemons", "who": {"daemons": [one.name]}, "effect": "deny"}
    policy["operations"] = ["compose"]
    made = two.rest.put("/policies/no-daemons", json=policy)
    assert made.status_code == 201, made.text
    service = one.mean("house/kitchen", "forbidden")
    began = time.monotonic()
    eventually(lambda: time.monotonic() - began > 5, WITHIN)
    assert two.made_by(one) == []
    assert one.service(service)["state"] == "waiting"
    assert "runs_at" not in one.service(service)
    assert two.rest.delete("/policies/no-daemons").status_code == 204
    one.runs_at(service, two)
    assert one.rest.delete(f"/services/{service}").status_code == 204
    eventually(lambda: two.made_by(one) == [], WITHIN)


def test_forgotten_it_may_do_nothing_any_more(pair):
    one, two = pair
    service = one.mean("house/kitchen", "last")
    one.runs_at(service, two)
    refused = one.rest.delete(f"/peers/{two.name}")
    assert refused.status_code == 409
    assert two.rest.delete(f"/peers/{one.name}").status_code == 204
    eventually(lambda: one.service(service)["runs_at"]["trouble"], WITHIN)
    # Of whom it acted for nothing is left: it may bind nothing.
    eventually(lambda: all(each["bindings"] == [] for each in two.made_by(one)), WITHIN)
    assert one.rest.delete(f"/peers/{two.name}", params={"anyway": True}).status_code == 204
    eventually(lambda: one.service(service)["state"] == "waiting", WITHIN)
