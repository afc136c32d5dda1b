"""Identity is not hardware: stories of things that are swapped, removed, come back, or wait for a person."""

import pytest

from diat.adapters.sql.history import History
from diat.vol.dialects.port import Description, Uptake
from diat.vol.merging import merge
from diat.vol.succession import successors
from diat.wire.envelope import Message, encode

THERMOMETER = {"type": "number", "unit": "Cel", "@type": "quantitykind:Temperature", "readOnly": True}


def swap(world, thing, other):
    return world.batch(lambda: world.things.replace_hardware(f"urn:dev:{thing}", f"urn:dev:{other}"))


def test_other_hardware_goes_on_where_the_old_one_ended(kept_world):
    world = kept_world
    world.sensor("old")
    world.actuator("heater")
    service = world.keep(low=20, high=24)
    world.measure("old", 21)
    world.batch(lambda: world.things.patch("urn:dev:old", {"title": "North wall"}))
    world.sensor("new", place="")
    number = world.things.registry.get("urn:dev:old").record.no

    swap(world, "old", "new")
    world.feed("diat/new/properties", {"b": 1, "n": 1, "t": world.now, "v": {"temperature": 18}})

    assert world.bound(service, "sensor") == ["old"]
    assert world.obey() == [("heater", True)]
    each = world.things.registry.get("urn:dev:old")
    assert (each.record.no, each.td["title"]) == (number, "North wall")
    assert [
        past.value for past in History(world._engine).readings(number, "temperature", None, None, 10)
    ] == [21, 18]
    assert "urn:dev:new" not in world.things.registry.objects.committed

    world.restart()
    world.feed("diat/new/properties", {"b": 1, "n": 2, "t": world.now, "v": {"temperature": 19}})
    assert world.twin("urn:dev:old").values["temperature"].value == 19


def test_what_was_seen_goes_with_the_hardware(world):
    world.sensor("old")
    world.sensor("new")
    world.feed("diat/old/properties", {"b": 1, "n": 1, "t": world.now, "v": {"temperature": 20}})
    swap(world, "old", "new")
    world.feed("diat/new/properties", {"b": 1, "n": 1, "t": world.now + 1, "v": {"temperature": 25}})
    world.feed("diat/new/properties", {"b": 1, "n": 1, "t": world.now + 2, "v": {"temperature": 30}})
    assert world.twin("urn:dev:old").values["temperature"].value == 25


def test_affordances_that_do_the_same_keep_their_names(world):
    world.actuator("old")
    world.announce(
        "new",
        properties={
            "relay": {
                "type": "boolean",
                "idempotent": True,
                "diat:affects": {"quantity": "Temperature", "direction": "increase"},
            }
        },
    )
    swap(world, "old", "new")
    assert set(world.things.registry.get("urn:dev:old").properties) == {"on"}
    world.batch(lambda: world.things.interaction.write("urn:dev:old", "on", True, world.now))
    assert world.told() == [("new", True)]
    world.feed("diat/new/properties", {"b": 1, "n": 1, "t": world.now, "v": {"relay": True}})
    assert world.twin("urn:dev:old").values["on"].value is True


def test_a_retained_copy_does_not_bring_back_what_a_person_removed(kept_world):
    world = kept_world
    thing = world.sensor("th")
    world.batch(lambda: world.things.retire(thing))
    assert world.said["wot/td/th"] is None

    def copy(live):
        payload = encode({"title": "th", "properties": {"temperature": THERMOMETER}})

        def take():
            world.layers.message(Message("wot/td/th", payload, world.now, not live))
            world.layers.finish(world.now)

        world.batch(take)

    copy(live=False)
    world.restart()
    copy(live=False)
    assert thing not in world.things.registry.objects.committed
    copy(live=True)
    assert thing in world.things.registry.objects.committed


def test_a_stale_announcement_does_not_override_what_a_person_set(world):
    thing = world.sensor("th")
    world.batch(lambda: world.things.patch(thing, {"title": "Mine", "diat:place": "hq/2"}))
    world.sensor("th", place="somewhere/else")
    each = world.things.registry.get(thing)
    assert (each.td["title"], each.place) == ("Mine", "hq/2")


def test_both_claimants_of_a_topic_are_told(world):
    world.announce("th", id="urn:one:th")
    world.feed("wot/td/th", {"title": "th", "id": "urn:two:th"})
    assert world.said["diat/th/admission"]["state"] == "rejected"
    assert "urn:one:th" in world.said["diat/th/admission"]["reason"]
    lines = [line.text for line in world.things.diagnostics.of("urn:one:th")]
    assert any("already belongs" in line for line in lines)


def test_a_pending_thing_waits_for_a_person_and_loses_nothing(world):
    world.things.registry.admission = "pending"
    thing = world.sensor("th")
    world.measure("th", 21)
    assert world.said["diat/th/admission"]["state"] == "pending"
    assert "temperature" not in world.twin(thing).values
    world.batch(lambda: world.things.admit(thing, "accepted", "looks fine"))
    assert world.said["diat/th/admission"] == {"state": "accepted", "reason": "looks fine"}
    assert world.twin(thing).values["temperature"].value == 21


def test_a_younger_thing_that_can_do_the_same_is_suggested(world):
    lost = world.sensor("lost")
    world.actuator("heater")
    world.sensor("found")
    world.status("lost", "offline")
    registry = world.things.registry
    suggested = successors(registry.get(lost), registry, world.things.twin)
    assert [each.thing for each in suggested] == ["urn:dev:found"]


class TextInlet:
    """Reads ``name=value``."""

    topic = "x"

    def read(self, payload):
        name, _, value = payload.decode().partition("=")
        return Uptake({name: value})


def test_the_first_dialect_counts_and_the_second_adds():
    def described(**properties):
        return Description(td={"title": "T", "properties": properties}, inlets=(TextInlet(),))

    made = merge([("one", described(a={"type": "string"})), ("two", described(a={"type": "number"}, b={}))])
    assert made.td["properties"] == {"a": {"type": "string"}, "b": {}}
    first, second = made.inlets
    assert first.read(b"a=1").values == {"a": "1"}
    assert second.read(b"a=1").values == {}
    assert second.read(b"b=2").values == {"b": "2"}


@pytest.mark.parametrize("kind", ["same", "unknown"])
def test_a_swap_that_makes_no_sense_is_refused(world, kind):
    thing = world.sensor("th")
    with pytest.raises(Exception, match="already" if kind == "same" else "no thing"):
        swap(world, "th", "th" if kind == "same" else "nowhere")
    assert thing in world.things.registry.objects.committed
