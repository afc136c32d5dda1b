"""``/events``: what becomes of things is told as it happens, and to those who were away."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from diat.vol.streams import THINGS

LAMP = {"title": "Lamp", "properties": {"on": {"type": "boolean"}}}


@pytest.fixture
def events(rest):
    """``events(path, last=…)``: an open stream of ``(event, id, data)``."""

    @contextmanager
    def reading(path="/events", last=None):
        headers = {} if last is None else {"Last-Event-ID": last}
        with rest.stream("GET", path, headers=headers, timeout=20.0) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield _events(answer.iter_lines())

    return reading


def _events(lines):
    said = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if name in ("id", "data", "event"):
            said[name] = value
        elif not line and "data" in said:
            yield said["event"], said.get("id"), json.loads(said["data"])
            said = {}


def of(stream, *things):
    """The next event of one of these things."""
    return next(event for event in stream if event[2]["id"] in things)


@pytest.fixture
def now(rest, thing, events):
    """The id of an event that has just been."""
    marker = thing({"title": "Marker"})
    with events("/events/thing_created", last="0") as stream:
        return next(at for _, at, data in stream if data["id"] == marker.id)


class TestWhatIsTold:
    def test_the_life_of_a_thing(self, thing, rest, events, now):
        lamp = thing(LAMP)
        rest.patch(lamp.path, json={"title": "Mine"})
        rest.put(f"{lamp.path}/admission", json="rejected")
        rest.put(f"{lamp.path}/admission", json="accepted")
        rest.delete(lamp.path)
        with events(last=now) as stream:
            told = [of(stream, lamp.id) for _ in range(5)]
        assert [event for event, _, _ in told] == [
            "thing_created",
            *["thing_updated"] * 3,
            "thing_deleted",
        ]
        assert all(data == {"id": lamp.id} for _, _, data in told)
        positions = [int(at) for _, at, _ in told]
        assert positions == sorted(set(positions))

    def test_of_what_a_client_brought(self, rest, events, now):
        forms = [{"href": "http://x.example/on"}]
        td = {
            "@context": "https://www.w3.org/2022/wot/td/v1.1",
            "id": "urn:example:told",
            "title": "Told",
            "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
            "security": "nosec_sc",
            "properties": {"on": {"type": "boolean", "forms": forms}},
            "registration": {"ttl": 1},
        }
        assert rest.put("/things/urn:example:told", json=td).status_code == 201
        assert rest.put("/things/urn:example:told", json=td).status_code == 204
        with events(last=now) as stream:
            assert of(stream, td["id"])[0] == "thing_created"
            assert of(stream, td["id"])[0] == "thing_deleted"

    def test_of_composites(self, sensor, house, place, events, now, rest):
        sensor(20.0)
        mean = house.service("mean-of-place", quantity="Temperature", place=place, unit="Cel")
        rest.delete(f"/services/{mean['id']}")
        with events(last=now) as stream:
            assert of(stream, mean["thing"])[0] == "thing_created"
            while (event := of(stream, mean["thing"])[0]) == "thing_updated":
                pass
            assert event == "thing_deleted"

    def test_nothing_of_what_changes_with_every_message(self, thing, rest, events, now):
        lamp = thing(LAMP)
        lamp.status("online")
        lamp.has(on=True)
        lamp.announce(LAMP)
        last = thing({"title": "Last"})
        with events(last=now) as stream:
            assert of(stream, lamp.id)[0] == "thing_created"
            assert of(stream, lamp.id, last.id)[2] == {"id": last.id}

    def test_as_it_happens(self, thing, rest, events):
        lamp = thing(LAMP)
        with events("/events/thing_updated") as stream:
            rest.patch(lamp.path, json={"description": "one"})
            assert of(stream, lamp.id)[2] == {"id": lamp.id}

    def test_one_who_leaves_is_forgotten(self, events, house, until):
        streams = house.daemon.things.observers.streams
        with events() as _, events("/events/thing_created", last="0") as _:
            assert len(streams._readers[THINGS]) == 2
        until(lambda: THINGS not in streams._readers)


class TestFilter:
    def test_by_kind(self, thing, rest, events, now):
        lamp = thing(LAMP)
        rest.patch(lamp.path, json={"title": "x"})
        rest.delete(lamp.path)
        for kind in ("thing_created", "thing_updated", "thing_deleted"):
            with events(f"/events/{kind}", last=now) as stream:
                assert of(stream, lamp.id)[0] == kind

    def test_of_an_unknown_kind_is_refused(self, rest, problem):
        problem(rest.get("/events/thing_painted"), 400, "invalid", "kind")

    @pytest.mark.parametrize("last", ["x", "-1", "9" * 30])
    def test_an_id_that_is_none_of_ours_is_refused(self, rest, problem, last):
        answer = rest.get("/events", headers={"Last-Event-ID": last})
        problem(answer, 422, "invalid", "Last-Event-ID")


class TestDiff:
    def test_of_what_came_is_the_whole_description(self, thing, house, events, now):
        lamp = thing(LAMP)
        with events("/events/thing_created?diff=true", last=now) as stream:
            _, _, td = of(stream, lamp.id)
        served = house.get(lamp.path)
        for each in (td, served):
            each["registration"].pop("retrieved")
        assert td == served

    def test_of_what_changed_is_a_merge_patch(self, thing, house, rest, events):
        lamp = thing({**LAMP, "description": "to be gone"})
        before = house.get(lamp.path)
        with events("/events/thing_updated?diff=true") as stream:
            level = {"type": "integer"}
            lamp.announce({"title": "Lamp 2", "properties": {**LAMP["properties"], "level": level}})
            _, _, patch = of(stream, lamp.id)
        assert patch["id"] == lamp.id
        assert patch["title"] == "Lamp 2"
        assert patch["description"] is None
        assert set(patch["properties"]) == {"level"}
        after = house.get(lamp.path)
        for member in ("title", "properties", "actions"):
            assert merged(before, patch).get(member) == after.get(member)

    def test_of_what_went_is_ignored(self, thing, rest, events, now):
        lamp = thing(LAMP)
        rest.delete(lamp.path)
        with events("/events/thing_deleted?diff=true", last=now) as stream:
            assert of(stream, lamp.id)[2] == {"id": lamp.id}


def merged(target, patch):
    """RFC 7396, once more and independently of the platform's."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = merged(target.get(name), value)
    return target
