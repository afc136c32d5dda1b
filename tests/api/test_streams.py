"""Streams over a real socket: values and events as they are stored, resumed where they were left."""

import json
from contextlib import contextmanager


@contextmanager
def reading(rest, path, last=None):
    """An open stream as an iterator of ``(id, data)``."""
    headers = {} if last is None else {"Last-Event-ID": last}
    with rest.stream("GET", path, headers=headers, timeout=20.0) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer.iter_lines())


def _events(lines):
    said = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if name in ("id", "data"):
            said[name] = value
        elif not line and "data" in said:
            yield said.get("id"), json.loads(said["data"])
            said = {}


def take(stream, count):
    return [next(stream) for _ in range(count)]


def test_values_come_as_they_are_stored_and_a_stream_is_resumed(sensor, rest):
    each = sensor(1.0)
    path = f"{each.path}/properties/temperature/observe"
    with reading(rest, path, last="0") as stream:
        ((first, value),) = take(stream, 1)
        assert value == 1.0
        each.has(temperature=2.0)
        each.has(temperature=3.0)
        assert [value for _, value in take(stream, 2)] == [2.0, 3.0]
    each.has(temperature=4.0)
    with reading(rest, path, last=first) as stream:
        assert [value for _, value in take(stream, 3)] == [2.0, 3.0, 4.0]


def test_events_come_with_their_data(thing, rest):
    each = thing({"title": "Bell", "events": {"ring": {"data": {"type": "string"}}}})
    for n, data in enumerate(("front", "back"), start=1):
        each.say(f"diat/{each.name}/events/ring", {"b": 9, "n": n, "data": data})
    with reading(rest, f"{each.path}/events/ring", last="0") as stream:
        assert [data for _, data in take(stream, 2)] == ["front", "back"]


def test_nothing_is_lost_of_what_is_stored_while_a_stream_opens(thing, rest):
    each = thing({"title": "Bell", "events": {"ring": {"data": {"type": "integer"}}}})
    last = "0"
    for n in range(1, 31, 2):
        for one in (n, n + 1):
            each.say(f"diat/{each.name}/events/ring", {"b": 9, "n": one, "data": one})
        with reading(rest, f"{each.path}/events/ring", last=last) as stream:
            (_, first), (last, second) = take(stream, 2)
            assert (first, second) == (n, n + 1)


def test_a_stream_of_nothing_is_refused(thing, rest, problem):
    each = thing({"title": "Bell"})
    problem(rest.get(f"{each.path}/events/ring"), 404, "not-found")
    problem(rest.get(f"{each.path}/properties/x/observe"), 404, "not-found")


def test_hardware_is_swapped_and_the_object_goes_on(sensor, rest, house):
    old, new = sensor(20.0), sensor(21.0)
    answer = rest.put(f"{old.path}/hardware", json={"thing": new.id})
    assert answer.status_code == 200
    new.report(temperature=25.0)
    old.shows(temperature=25.0)
    past = house.get(f"{old.path}/properties/temperature/history")
    assert [each["value"] for each in past] == [20.0, 25.0]
    assert rest.get(new.path).status_code == 404
    assert house.get(f"{old.path}/hardware")["announcements"] == [f"wot/td/{new.name}"]


def test_things_are_found_by_meaning(sensor, heater, place, house):
    each, drives = sensor(20.0), heater()
    found = house.get("/things", quantity="temperature", place=place)
    assert {td["id"] for td in found} == {each.id, drives.id}
    found = house.get("/things", quantity="temperature", place=place, capability="increase")
    assert [td["id"] for td in found] == [drives.id]
    assert house.get("/things", quantity="temperature", place="nowhere") == []
    assert any(root["inside"] for root in house.get("/places"))


def test_the_vocabulary_is_json_ld(house):
    assert house.get("/vocab")["@context"]["diat"] == "urn:diat:vocab#"
