"""The bad input of the issue: each gets a clear answer, nothing else is disturbed, nothing is lost.

Every story ends with ``bystander``: a thing that was there before speaks on, what it says is in its history,
and the platform is ready.
"""

from __future__ import annotations

import itertools
import json

import pytest

GOOD = {
    "title": "Good",
    "properties": {
        "level": {"type": "number", "minimum": 0, "maximum": 100},
        "on": {"type": "boolean"},
    },
    "events": {"rang": {"data": {"type": "string"}}},
}


@pytest.fixture(autouse=True)
def bystander(thing, house, until):
    """A thing that is there all the time; after the story it speaks on as if nothing had been."""
    good = thing(GOOD)
    numbers = itertools.count(1)
    good.has(level=next(numbers))
    yield good
    good.has(level=next(numbers))
    history = house.get(f"{good.path}/properties/level/history")
    assert [each["value"] for each in history][-1] == 2
    assert house.diagnostics(good.id) == [], "nothing of this is its fault"
    assert house.get("/health/ready") == {"status": "ready"}


@pytest.fixture
def bad(thing):
    """A thing that does what it should not."""
    return thing(GOOD)


def told(house, thing, words, until):
    """The diagnostic of the thing that has these words, once it is there."""

    def ask():
        return next((text for text in house.diagnostics(thing) if words in text), None)

    return until(ask, words)


# --- on the topics of a thing ---


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"", "properties: "),
        (b"{", "properties: "),
        (b"\xff\xfe\x00", "properties: "),
        (b"null", "properties: "),
        (b'{"v": [1]}', "properties: "),
        (b'{"b": 1, "n": 1}', "neither v nor lost"),
        (b'{"b": 1, "n": 0, "v": {}}', "n must be"),
        (b'{"b": 1, "n": 1e400, "v": {}}', "properties: "),
        (b'{"b": 1, "n": 9223372036854775808, "v": {}}', "n must be"),
        (b'{"b": [], "n": 1, "v": {}}', "properties: "),
        (b'{"b": 1, "lost": [5, 2]}', "lost must be"),
        (b'{"v": {"level": ' + b"[" * 5000, "nested too deeply"),
    ],
)
def test_a_malformed_payload_is_a_diagnostic_of_the_thing(bad, house, until, payload, says):
    bad.say(f"diat/{bad.name}/properties", payload)
    told(house, bad.id, says, until)
    bad.has(level=7.0)


def test_so_are_malformed_states_results_and_events(bad, house, until):
    bad.say(f"diat/{bad.name}/status", b"asleep")
    bad.say(f"diat/{bad.name}/results", b'{"id": 5}')
    bad.say(f"diat/{bad.name}/events/rang", b"{")
    bad.say(f"diat/{bad.name}/events/rang", {"b": 1, "n": 1, "t": 1, "data": 5})
    bad.say(f"diat/{bad.name}/events/flew", {"data": "x"})
    for words in ("status: ", "results: ", "event rang: ", "flew"):
        told(house, bad.id, words, until)


def test_a_payload_over_the_limit_is_a_diagnostic(bad, house, until):
    bad.say(f"diat/{bad.name}/properties", {"v": {"level": 1, "pad": "x" * 65536}})
    told(house, bad.id, "larger than 65536 bytes", until)
    bad.has(level=7.0)


def test_a_value_against_its_schema_is_left_out_and_the_others_are_taken(bad, house, rest, until, problem):
    bad.report(level=101, on=True, colour="red")
    bad.shows(on=True)
    told(house, bad.id, "level: 101 is greater than the maximum", until)
    told(house, bad.id, "colour: it has no such property", until)
    problem(rest.get(f"{bad.path}/properties/level"), 404, "not-found")
    bad.report(level="50")
    told(house, bad.id, 'level: "50" is not of type', until)


@pytest.mark.parametrize(
    "value",
    [
        10**18,
        2**63,
        10**30,
        10**400,
        -(2**70),
        1.7e308,
        5e-324,
        "\ud800",
        "\x00",
        "x" * 60_000,
        [[[[]]]],
        {"": {}},
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_value_that_no_database_takes_does_not_stop_the_rest(thing, house, until, value):
    """It is kept as it is, or refused with a diagnostic; what comes after it is taken."""
    odd = thing({"title": "Odd", "properties": {"any": {}, "level": {"type": "number"}}})
    odd.say(f"diat/{odd.name}/properties", {"v": {"any": value}})
    odd.has(level=7.0)
    kept = house.get(f"{odd.path}/properties").get("any")
    assert kept == value or house.diagnostics(odd.id)
    assert house.rest.get(f"{odd.path}/properties/any/history").status_code == 200
    assert house.rest.get(f"{odd.path}/readings").status_code == 200


def test_what_is_wrong_is_counted_not_repeated(bad, house, until):
    for _ in range(50):
        bad.say(f"diat/{bad.name}/properties", b"{")
    lines = until(
        lambda: [line for line in house.get(f"{bad.path}/diagnostics") if line["count"] == 50], "counted"
    )
    assert len(lines) == 1
    assert lines[0]["first"] <= lines[0]["last"]


def test_an_unknown_thing_is_held_and_taken_once_it_is_announced(thing, house, until):
    early = thing(None, name="early-bird")
    for level in (1.0, 2.0, 3.0):
        early.report(level=level)
    early.announce(GOOD)
    until(lambda: early.admission)
    early.shows(level=3.0)
    assert [each["value"] for each in house.get(f"{early.path}/properties/level/history")] == [1.0, 2.0, 3.0]


def test_an_unknown_thing_over_rest_is_not_found(rest, problem):
    problem(rest.get("/things/urn:dev:nobody"), 404, "not-found")
    problem(rest.put("/things/urn:dev:nobody/properties/on", json=True), 404, "not-found")


# --- announcements ---


@pytest.mark.parametrize(
    ("td", "says"),
    [
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff", "not JSON"),
        ({}, "title"),
        ({"title": 5}, "title"),
        ({"title": "x", "properties": []}, "properties"),
        ({"title": "x", "properties": {"a": {"type": "bool"}}}, "properties.a"),
        ({"title": "x", "id": "not a uri"}, "must be"),
        ({"title": "x", "id": "urn:dev:somebody-else"}, "must be"),
        ({"title": "x", "id": 5}, "must be"),
        ({"title": "x", "@context": 5}, "context"),
        ({"title": "x", "security": 5, "securityDefinitions": 5}, "required"),
    ],
)
def test_an_invalid_description_is_rejected_with_the_reason(thing, house, until, td, says):
    wrong = thing(None)
    wrong.announce(td if isinstance(td, bytes) else json.dumps(td).encode())
    answer = until(lambda: wrong.admission)
    assert answer["state"] == "rejected"
    assert says in answer["reason"]
    assert any(f"wot/td/{wrong.name} rejected: " in line for line in house.diagnostics())
    assert house.rest.get(wrong.path).status_code == 404


def test_a_description_over_the_limit_is_rejected(thing, until):
    large = thing(None)
    large.announce({"title": "x", "pad": "x" * (7 * 1024 * 1024)})
    assert until(lambda: large.admission)["state"] == "accepted"
    too_large = thing(None)
    too_large.announce({"title": "x", "pad": "x" * (8 * 1024 * 1024)})
    assert until(lambda: too_large.admission)["state"] == "rejected"
    assert "larger than 8388608 bytes" in too_large.admission["reason"]


@pytest.mark.parametrize(
    ("topic", "size"), [("wot/td/giant", 9 * 1024 * 1024), ("zigbee2mqtt/living room/set", 1)]
)
def test_whom_the_broker_cuts_off_is_named(thing, house, until, topic, size):
    """What the embedded broker itself does not take never reaches the platform; that it happened does."""
    wrong = thing(None)
    before = house.diagnostics()
    wrong.say(topic, b"x" * size, qos=0)
    until(lambda: [line for line in house.diagnostics() if line not in before])


def test_a_thing_that_turns_bad_stays_as_it_was(bad, house, until):
    """And is told so, both on its admission and among its diagnostics."""
    bad.announce(b'{"title": 5}')
    until(lambda: bad.admission and bad.admission["state"] == "rejected")
    told(house, bad.id, "rejected", until)
    assert house.get(bad.path)["title"] == "Good"
    bad.has(level=8.0)
    bad.announce(GOOD | {"title": "Better"})
    until(lambda: bad.admission and bad.admission["state"] == "accepted")
    assert house.get(bad.path)["title"] == "Better"


def test_an_affordance_that_cannot_be_used_leaves_the_others(thing, house, until):
    half = thing(
        {
            "title": "Half",
            "properties": {
                "level": {"type": "number"},
                "odd": {"type": "string", "pattern": "("},
                "far": {"type": "number", "unit": "parsnips", "diat:affects": "everything"},
            },
        }
    )
    half.has(level=1.0)
    told(house, half.id, "odd: its schema cannot be used", until)
    told(house, half.id, "far: unknown unit 'parsnips'", until)
    told(house, half.id, "far: diat:affects needs", until)


@pytest.mark.parametrize("topic", ["wot/td/a/b", "wot/td/", "wot/td/a.b", f"wot/td/{'x' * 65}", "wot/td/ü"])
def test_an_illegal_announcement_topic_is_a_diagnostic(bystander, house, until, topic):
    bystander.say(topic, {"title": "x"})
    until(lambda: any(topic in line for line in house.diagnostics()), topic)


@pytest.mark.parametrize(
    "topic",
    ["homeassistant/sensor/config", "homeassistant/sensor/a/b/c/config", "homeassistant/se.nsor/x/config"],
)
def test_an_illegal_discovery_topic_disturbs_nobody(bystander, house, until, topic):
    before = len(house.get("/things"))
    bystander.say(topic, {"name": "x", "state_topic": "x/y", "unique_id": topic})
    bystander.has(level=1.5)
    assert len(house.get("/things")) == before


def test_malformed_discovery_is_a_diagnostic(bystander, house, until):
    for at, payload in enumerate((b"{", b"5", b'{"state_topic": 5}', b'{"name": "no topics"}')):
        bystander.say(f"homeassistant/sensor/wrong{at}/config", payload, retain=True)
    until(lambda: any("homeassistant/sensor/wrong0/config" in line for line in house.diagnostics()))
    until(lambda: any("homeassistant/sensor/wrong1/config" in line for line in house.diagnostics()))


# --- two that claim one id ---


def test_the_second_of_two_native_things_is_rejected(thing, house, until):
    first = thing(GOOD | {"title": "First"}, name="twin")
    second = thing(None, name="twin2")
    second.say("wot/td/twin", GOOD | {"id": "https://example.com/twin", "title": "Second"}, retain=True)
    until(lambda: first.admission and first.admission["state"] == "rejected")
    assert "belongs to urn:dev:twin" in first.admission["reason"]
    assert house.get(first.path)["title"] == "First"
    first.has(level=5.0)


def test_a_thing_that_claims_the_id_of_a_composite_is_rejected(thing, house, sensor, place, until):
    sensor(20.0)
    mean = house.service("mean-of-place", quantity="Temperature", place=place, unit="Cel")
    name = mean["thing"].rpartition(":")[2]
    thief = thing(None, name=name)
    thief.announce(GOOD | {"id": mean["thing"]})
    assert until(lambda: thief.admission)["state"] == "rejected"
    assert "already claimed" in thief.admission["reason"]
    assert house.get(f"/services/{mean['id']}")["state"] == "running"


def test_the_second_of_two_discovered_things_is_a_diagnostic(bystander, house, until):
    for at in "ab":
        config = {
            "name": at,
            "unique_id": "the-only-one",
            "state_topic": f"claims/{at}",
            "device": {"identifiers": [f"device-{at}"], "name": f"Device {at}"},
        }
        bystander.say(f"homeassistant/sensor/claim-{at}/config", config, retain=True)
        titles = until(lambda: [td["title"] for td in house.get("/things") if "Device" in td["title"]])
    line = until(
        lambda: next(
            (each["text"] for each in house.get("/diagnostics") if "the-only-one" in each["text"]), None
        )
    )
    assert "already claimed" in line
    assert "homeassistant/sensor/claim-b/config" in line
    assert titles == ["Device a"]


# --- over REST ---


def test_unknown_parameters_are_named(rest, problem):
    parameters = {"quantity": "Temperature", "place": "x", "low": 1, "high": 2, "unit": "Cel", "speed": 3}
    body = {"title": "x", "template": "keep-within", "parameters": parameters}
    problem(rest.post("/services", json=body), 422, "invalid", "parameters.speed")


def test_a_template_with_a_cycle_or_an_unknown_step_is_refused(rest, problem):
    head = "{name: wheel, title: x, parameters: {type: object}, roles: {}, steps: "
    cycle = head + "[{id: a, do: dwell, input: b}, {id: b, do: dwell, input: a}]}"
    assert "cycle" in problem(rest.post("/templates", content=cycle), 422, "invalid", "steps")["detail"]
    unknown = head + "[{id: a, do: fly}]}"
    problem(rest.post("/templates", content=unknown), 422, "invalid", "steps.0.do")


# --- places ---


def test_a_place_that_is_no_place_disturbs_nobody(thing, house, rest, until):
    """Deeper than any tree can be shown, and no text at all."""
    for place in ("/".join(["deep"] * 400), 5, None, ["a"], "", "///", " / "):
        thing(GOOD | {"diat:place": place})
        assert rest.get("/places").status_code == 200
        assert rest.get("/things").status_code == 200
    (root,) = [each for each in house.get("/places") if each["path"] == "deep"]
    assert root["inside"] == 1
