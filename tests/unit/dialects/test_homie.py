"""Homie: attributes and descriptions in, affordances out, values and commands both ways."""

import json

import pytest

from diat.vol.dialects.homie import Homie
from diat.vol.dialects.port import Outgoing, Part, Refusal, Uptake, Withdrawal

H = Homie()

LAMP = {
    "$homie": "4.0.0",
    "$name": "Desk lamp",
    "$nodes": "lamp,air",
    "$mac": "02:42:AC:11:00:02",
    "$fw/name": "lampy",
    "$fw/version": "1.2",
    "lamp/$name": "Lamp",
    "lamp/$type": "light",
    "lamp/$properties": "on,level,colour",
    "lamp/on/$name": "Switched on",
    "lamp/on/$datatype": "boolean",
    "lamp/on/$settable": "true",
    "lamp/level/$datatype": "integer",
    "lamp/level/$format": "0:100",
    "lamp/level/$unit": "%",
    "lamp/level/$settable": "true",
    "lamp/colour/$datatype": "color",
    "lamp/colour/$format": "rgb",
    "lamp/colour/$settable": "true",
    "air/$properties": "temperature",
    "air/temperature/$datatype": "float",
    "air/temperature/$unit": "°C",
}


def parts4(said, device="lamp-1"):
    return [H.hear(f"homie/{device}/{path}", text.encode()) for path, text in said.items()]


def describe5(properties, **about):
    description = {"homie": "5.0", "version": 1, "nodes": {"n": {"properties": properties}}, **about}
    return H.describe([H.hear("homie/5/dev/$description", json.dumps(description).encode())])


def prop(described, name):
    return {k: v for k, v in described.td["properties"][name].items() if k != "title"}


def read(described, topic, payload):
    values = {}
    for inlet in described.inlets:
        if inlet.topic == topic:
            uptake = inlet.read(payload.encode() if isinstance(payload, str) else payload)
            assert uptake.notes == ()
            values |= uptake.values
    return values


def one(datatype, payload=None, **said):
    """The only property of a device, what a payload reads as, and its outlet."""
    described = describe5({"p": {"datatype": datatype, "settable": True, **said}})
    value = read(described, "homie/5/dev/n/p", payload).get("n_p") if payload is not None else None
    return prop(described, "n_p"), value, described.outlets["n_p"]


# --- version 4 ---


def test_a_device_is_put_together_from_attributes_in_any_order():
    parts = parts4(LAMP)
    described = H.describe(parts)
    assert described.td == H.describe(parts[::-1]).td
    assert described.notes == ()
    assert {k: v for k, v in described.td.items() if k != "properties"} == {
        "title": "Desk lamp",
        "diat:identifiers": ["lamp-1", "02:42:AC:11:00:02", "mac:0242ac110002"],
        "diat:model": "lampy",
        "version": {"instance": "1.2"},
    }
    assert sorted(described.td["properties"]) == ["air_temperature", "lamp_colour", "lamp_level", "lamp_on"]
    assert prop(described, "air_temperature") == {
        "@type": "quantitykind:Temperature", "type": "number", "unit": "Cel", "readOnly": True,
        "diat:meaningFrom": "name", "diat:confidence": 0.8,
    }  # fmt: skip
    assert prop(described, "lamp_level") == {
        "type": "integer", "minimum": 0, "maximum": 100, "unit": "%",
        "diat:affects": {"quantity": "Illuminance", "direction": "increase"}, "diat:channel": "lamp",
        "diat:meaningFrom": "name", "diat:confidence": 0.8,
    }  # fmt: skip


def test_parts_go_by_the_device_and_not_by_the_address_of_the_bridge():
    # Several devices are published from one network interface.
    part = H.hear("homie/lamp-1/$mac", b"02:42:ac:11:00:02")
    assert isinstance(part, Part)
    assert part.identifiers == ("lamp-1",)


def test_names_do_not_hang_on_what_else_is_announced():
    partly = {path: text for path, text in LAMP.items() if not path.startswith("lamp")}
    described = H.describe(parts4(partly))
    assert list(described.td["properties"]) == ["air_temperature"]
    assert described.notes == ("'lamp': $properties is not announced yet",)


def test_what_is_missing_is_noted_and_what_is_there_is_used():
    described = H.describe(parts4({"air/temperature/$datatype": "float", "air/temperature/$unit": "C"}))
    assert described.notes == (
        "$homie is not announced yet",
        "$nodes is not announced yet: what is known of its nodes is taken",
        "'air': $properties is not announced yet",
    )
    assert read(described, "homie/lamp-1/air/temperature", "21.5") == {"air_temperature": 21.5}


def test_values_and_commands_of_version_4():
    described = H.describe(parts4(LAMP))
    assert read(described, "homie/lamp-1/lamp/on", "true") == {"lamp_on": True}
    assert read(described, "homie/lamp-1/lamp/colour", "255,128,0") == {
        "lamp_colour": {"r": 255, "g": 128, "b": 0}
    }
    assert described.outlets["lamp_on"].write(False) == Outgoing("homie/lamp-1/lamp/on/set", b"false")
    assert described.outlets["lamp_colour"].write({"r": 1, "g": 2.6, "b": 3}).payload == b"1,3,3"
    assert described.outlets["lamp_level"].confirmed_by == "lamp_level"
    assert "air_temperature" not in described.outlets


@pytest.mark.parametrize(
    ("topic", "base"),
    [
        ("homie/lamp-1/$state", "homie"),
        ("homie/lamp-1/$stats/uptime", "homie"),
        ("homie/lamp-1/lamp/on", "homie"),
        ("homie/lamp-1/lamp/on/$tags", "homie"),
        ("homie/lamp-1/lamp/on/set", "homie"),
        ("homie/$broadcast/alert", "homie"),
        ("other/lamp-1/$name", "homie"),
        ("homie/lamp-1/$name", "iot/homie"),
    ],
)
def test_what_is_not_an_announcement(topic, base):
    assert Homie(base).hear(topic, b"x") is None


def test_another_base_topic():
    part = Homie("iot/homie").hear("iot/homie/lamp-1/$name", b"Lamp")
    assert part.identifiers == ("iot/homie/lamp-1",)


def test_an_empty_attribute_is_taken_back():
    assert H.hear("homie/lamp-1/lamp/$name", b"") == Withdrawal("homie/lamp-1/lamp/$name")


def test_attributes_that_are_no_text_are_refused():
    assert isinstance(H.hear("homie/lamp-1/$name", b"\xff\xfe"), Refusal)
    assert isinstance(H.hear("homie/lamp-1/$name", b"x" * 70_000), Refusal)


@pytest.mark.parametrize(
    ("state", "available"),
    [
        ("init", False), ("ready", True), ("disconnected", False), ("sleeping", "sleeping"), ("lost", False),
        ("alert", True), ("", False),
    ],
)  # fmt: skip
def test_the_state_tells_whether_it_can_be_reached(state, available):
    (inlet,) = [i for i in H.describe(parts4(LAMP)).inlets if i.topic == "homie/lamp-1/$state"]
    assert inlet.read(state.encode()) == Uptake(available=available)
    assert inlet.read(b"asleep").notes == ("$state: b'asleep' is not a state",)


# --- version 5 ---


def test_a_description():
    described = describe5({"temperature": {"datatype": "float", "unit": "°F", "name": "Outside"}}, name="Dev")
    assert described.td == {
        "title": "Dev",
        "diat:identifiers": ["dev"],
        "properties": {
            "n_temperature": {
                "title": "N: Outside", "type": "number", "unit": "[degF]",
                "@type": "quantitykind:Temperature", "readOnly": True,
                "diat:meaningFrom": "name", "diat:confidence": 0.8,
            }
        },
    }  # fmt: skip


def test_the_same_device_in_both_versions_is_told_apart():
    older = H.hear("homie/dev/$homie", b"4.0.0")
    newer = H.hear("homie/5/dev/$description", b'{"homie": "5.0"}')
    other = H.hear("garden/5/dev/$description", b'{"homie": "5.0"}')
    assert len({*older.identifiers, *newer.identifiers, *other.identifiers}) == 3


@pytest.mark.parametrize(
    ("said", "schema", "payload", "value", "back"),
    [
        (("integer", "0:100:5"), {"type": "integer", "minimum": 0, "maximum": 100, "multipleOf": 5},
         "40", 40, "40"),
        # steps count from the minimum, which JSON Schema cannot say
        (("integer", "1:100:5"), {"type": "integer", "minimum": 1, "maximum": 100}, "6", 6, "6"),
        (("float", ":10.5"), {"type": "number", "maximum": 10.5}, "-2.5e1", -25.0, "-25"),
        (("float", None), {"type": "number"}, "3", 3, "3"),
        (("boolean", None), {"type": "boolean"}, "true", True, "true"),
        (
            ("boolean", "close,open"),
            {
                "type": "boolean",
                "oneOf": [{"const": False, "title": "close"}, {"const": True, "title": "open"}],
            },
            "false", False, "false",
        ),
        (("string", None), {"type": "string"}, "None", "None", "None"),
        (("string", None), {"type": "string"}, "\0", "", "\0"),
        (("enum", "a, b,c"), {"type": "string", "enum": ["a", " b", "c"]}, " b", " b", " b"),
        (("datetime", None), {"type": "string", "format": "date-time"}, "2026-02-03T04:05:06Z",
         "2026-02-03T04:05:06Z", "2026-02-03T04:05:06Z"),
        (("duration", None), {"type": "string", "format": "duration"}, "PT5M", "PT5M", "PT5M"),
        (("json", None), {}, '{"a": [1]}', {"a": [1]}, '{"a":[1]}'),
        (("json", '{"type": "array"}'), {"type": "array"}, "[1]", [1], "[1]"),
    ],
)  # fmt: skip
def test_datatypes(said, schema, payload, value, back):
    found, got, outlet = one(said[0], payload, **({"format": said[1]} if said[1] else {}))
    assert found == schema
    assert got == value
    assert outlet.write(value) == Outgoing("homie/5/dev/n/p/set", back.encode())


@pytest.mark.parametrize(
    ("formats", "payload", "value"),
    [
        ("rgb", "rgb,255,0,12.5", {"r": 255, "g": 0, "b": 12.5}),
        ("rgb,hsv", "hsv,300,50,75", {"h": 300, "s": 50, "v": 75}),
        ("xyz", "xyz,0.25,0.34", {"x": 0.25, "y": 0.34}),
    ],
)
def test_colours(formats, payload, value):
    schema, got, outlet = one("color", payload, format=formats)
    assert schema["type"] == "object"
    assert len(schema.get("oneOf", [1])) == len(formats.split(","))
    assert got == value
    assert outlet.write(value).payload == payload.encode()


@pytest.mark.parametrize(
    ("datatype", "format_", "payload"),
    [
        ("integer", None, "1.5"),
        ("integer", None, "99999999999999999999"),
        ("float", None, "nan"),
        ("boolean", None, "TRUE"),
        ("enum", "a,b", "c"),
        ("color", "rgb", "hsv,1,2,3"),
        ("color", "rgb", "1,2"),
        ("datetime", None, "yesterday"),
        ("duration", None, "PT"),
        ("json", None, '"text"'),
        ("json", None, "{"),
    ],
)
def test_what_is_against_the_datatype_is_noted(datatype, format_, payload):
    described = describe5({"p": {"datatype": datatype, **({"format": format_} if format_ else {})}})
    (inlet,) = [i for i in described.inlets if i.topic == "homie/5/dev/n/p"]
    uptake = inlet.read(payload.encode())
    assert uptake.values == {}
    assert len(uptake.notes) == 1


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        ("integer", 1.5), ("integer", True), ("float", "1"), ("boolean", 1), ("string", 5), ("json", 5),
        ("duration", "1 h"), ("float", float("inf")),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_refused(datatype, value):
    _, _, outlet = one(datatype)
    assert isinstance(outlet.write(value), Refusal)


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ({"datatype": "enum"}, "it is an enum whose format lists no words: it is taken as text"),
        ({"datatype": "colour"}, "its datatype 'colour' is not known: it is taken as text"),
        ({}, "its datatype is not announced: it is taken as text"),
        ({"datatype": "color"}, "its format None names no colour space that is known: it is taken as text"),
        ({"datatype": "float", "format": "9:1"}, "its format '9:1' is not understood: 9 is above 1"),
        ({"datatype": "float", "unit": "foo"}, "the unit 'foo' is not understood"),
    ],
)
def test_what_is_declared_wrongly_is_noted_and_the_rest_is_used(said, note):
    described = describe5({"p": said, "q": {"datatype": "float"}})
    assert described.notes == (f"'n/p': {note}",)
    assert sorted(described.td["properties"]) == ["n_p", "n_q"]


def test_what_does_not_stand_is_not_confirmed_and_not_repeated():
    _, _, lasting = one("boolean")
    assert (lasting.confirmed_by, lasting.idempotent) == ("n_p", True)
    described = describe5({"p": {"datatype": "boolean", "settable": True, "retained": False}})
    assert described.td["actions"] == {"n_p": {"title": "N: P", "input": {"type": "boolean"}}}
    momentary = described.outlets["n_p"]
    assert (momentary.confirmed_by, momentary.idempotent) == (None, False)
    assert momentary.write(True) == Outgoing("homie/5/dev/n/p/set", b"true")


@pytest.mark.parametrize("settable", [True, False])
def test_what_is_not_retained_tells_of_moments(settable):
    said = {"datatype": "enum", "format": "short,long", "retained": False, "settable": settable}
    described = describe5({"bell": said})
    name = "n_bell_event" if settable else "n_bell"
    data = {"type": "string", "enum": ["short", "long"]}
    assert described.td["events"] == {name: {"title": "N: Bell", "data": data}}
    assert "properties" not in described.td
    (inlet,) = [i for i in described.inlets if i.topic == "homie/5/dev/n/bell"]
    assert inlet.read(b"long") == Uptake(events=((name, "long"),))


def test_the_value_aimed_at_is_a_property():
    described = describe5({"p": {"datatype": "integer", "settable": True}})
    assert read(described, "homie/5/dev/n/p/$target", "7") == {"n_p_target": 7}
    assert prop(described, "n_p_target")["readOnly"] is True


def test_a_child_is_lost_with_its_root():
    described = describe5({}, root="bridge", parent="relay")
    assert described.td["diat:parent"] == "homie/5/relay"
    assert described.availability == "all"
    (inlet,) = [i for i in described.inlets if i.topic == "homie/5/bridge/$state"]
    assert inlet.read(b"lost") == Uptake(available=False)
    assert inlet.read(b"sleeping") == Uptake(available=True)
    assert inlet.read(b"") == Uptake()


def test_alerts_are_notes_while_they_stand():
    description = H.hear("homie/5/dev/$description", b'{"homie": "5.0", "version": 1}')
    alert = H.hear("homie/5/dev/$alert/battery", b"Battery is low,\nat 8%")
    assert alert.identifiers == description.identifiers
    assert H.describe([alert, description]).notes == ("alert 'battery': 'Battery is low,\\nat 8%'",)
    assert H.hear("homie/5/dev/$alert/battery", b"") == Withdrawal("homie/5/dev/$alert/battery")


def test_logs_are_notes():
    (inlet,) = [i for i in describe5({}).inlets if i.topic == "homie/5/dev/$log/warn"]
    assert inlet.read(b"battery low").notes == ("it logs (warn): 'battery low'",)


def test_a_device_without_state_is_withdrawn():
    assert H.hear("homie/5/dev/$state", b"") == Withdrawal("homie/5/dev/$description")
    assert H.hear("homie/5/dev/$state", b"ready") is None


@pytest.mark.parametrize("payload", [b"[]", b"{", b'{"homie": "4.0"}', b"{}", b"[" * 100_000])
def test_descriptions_that_cannot_be_used_are_refused(payload):
    assert isinstance(H.hear("homie/5/dev/$description", payload), Refusal)
