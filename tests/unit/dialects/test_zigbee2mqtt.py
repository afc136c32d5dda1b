"""Zigbee2MQTT: the list of devices in, affordances out, values and commands both ways."""

import json

import pytest

from diat.vol.dialects.port import Outgoing, Part, Refusal, Uptake, Withdrawal
from diat.vol.dialects.zigbee2mqtt import Zigbee2Mqtt

Z = Zigbee2Mqtt()
LIST = "zigbee2mqtt/bridge/devices"
ADDRESS = "0x00158d0001e83a31"


def device(*exposes, address=ADDRESS, name="hall/lamp", **changes):
    definition = {"model": "M1", "vendor": "Maker", "description": "A lamp", "exposes": list(exposes)}
    return {
        "ieee_address": address,
        "friendly_name": name,
        "type": "Router",
        "definition": definition,
    } | changes


def hear(*devices):
    return Z.hear(LIST, json.dumps(devices).encode())


def describe(*exposes, **changes):
    (part,) = hear(device(*exposes, **changes))
    return Z.describe([part])


def expose(type_, name, access=1, **more):
    return {
        "type": type_,
        "name": name,
        "property": name,
        "label": name.capitalize(),
        "access": access,
        **more,
    }


def only(described):
    (found,) = {**described.td.get("properties", {}), **described.td.get("actions", {})}.items()
    return found[0], {k: v for k, v in found[1].items() if k != "title"}


def read(described, said, topic="zigbee2mqtt/hall/lamp"):
    found = [inlet.read(json.dumps(said).encode()) for inlet in described.inlets if inlet.topic == topic]
    assert all(uptake.notes == () for uptake in found)
    return {name: value for uptake in found for name, value in uptake.values.items()}


# --- the list ---


def test_one_message_announces_several_things():
    other = "0x00158D0001E83A32"
    heard = hear({"type": "Coordinator", "ieee_address": "0x0"}, device(), device(address=other, name="b"))
    assert isinstance(heard, tuple)
    assert [part.topic for part in heard] == [f"{LIST}#{ADDRESS}", f"{LIST}#{other.lower()}"]
    assert heard[1].identifiers == (other.lower(), f"ieee:{other.lower()}")


def test_a_part_can_be_heard_by_itself():
    (part,) = hear(device(expose("binary", "on", value_on=True, value_off=False)))
    assert Z.hear(part.topic, part.payload) == part


def test_what_means_nothing_to_us_announces_nothing_new():
    (before,) = hear(device(network_address=1, endpoints={"1": {"bindings": []}}))
    (after,) = hear(device(network_address=2, endpoints={"1": {"bindings": [5]}}))
    assert before == after


def test_an_entry_that_cannot_be_used_leaves_the_others_alone():
    heard = hear(device(), 5, {"ieee_address": "x"}, device())
    assert [type(each) for each in heard] == [Part, Refusal, Refusal, Refusal]
    assert heard[1].reason == "device 1: not a JSON object"
    assert heard[2].reason == "device 2: 'x' is not an IEEE address"
    assert heard[3].reason == f"device 3: {ADDRESS} is listed twice; the first one counts"


@pytest.mark.parametrize("payload", [b"x", b"{}", b"[1", b"[" * 100_000])
def test_a_list_that_is_none_is_refused(payload):
    assert isinstance(Z.hear(LIST, payload), Refusal)


def test_withdrawal_and_strangers():
    assert Z.hear(LIST, b"") == Withdrawal(LIST)
    assert Z.hear(f"{LIST}#{ADDRESS}", b"") == Withdrawal(f"{LIST}#{ADDRESS}")
    assert Z.hear("zigbee2mqtt/bridge/state", b"online") is None
    assert Z.hear("zigbee2mqtt/bridge/devices/x", b"[]") is None
    assert isinstance(Z.hear(f"{LIST}#0x0000000000000001", json.dumps(device()).encode()), Refusal)
    assert Zigbee2Mqtt("home/z").hear("home/z/bridge/devices", b"[]") == ()


# --- the device ---


def test_what_is_known_of_the_device_is_told():
    described = describe(software_build_id="1.2")
    assert described.td == {
        "title": "hall/lamp",
        "description": "A lamp",
        "diat:identifiers": [ADDRESS],
        "diat:manufacturer": "Maker",
        "diat:model": "M1",
        "version": {"instance": "1.2"},
    }
    assert described.notes == ()


def test_a_device_that_the_bridge_does_not_know():
    described = describe(definition=None, disabled=True)
    assert described.notes == (
        "the bridge does not know what it is, so it exposes nothing",
        "it is disabled in the bridge",
    )


@pytest.mark.parametrize("name", ["a/+", "", None])
def test_a_name_that_makes_no_topic(name):
    described = describe(expose("numeric", "x"), name=name)
    assert len(described.notes) == 1
    assert f"zigbee2mqtt/{ADDRESS}" in {inlet.topic for inlet in described.inlets}


@pytest.mark.parametrize(
    ("topic", "payload", "available"),
    [
        ("zigbee2mqtt/hall/lamp/availability", b'{"state":"online"}', True),
        ("zigbee2mqtt/hall/lamp/availability", b"offline", False),
        ("zigbee2mqtt/bridge/state", b'{"state":"offline"}', False),
        ("zigbee2mqtt/bridge/state", b"online", True),
        ("zigbee2mqtt/bridge/state", b"", None),
    ],
)
def test_availability(topic, payload, available):
    described = describe()
    (inlet,) = [i for i in described.inlets if i.topic == topic]
    assert inlet.read(payload) == Uptake(available=available)
    assert len(inlet.read(b"{}").notes) == 1
    assert described.availability == "all"


# --- exposes ---


@pytest.mark.parametrize(
    ("said", "name", "schema", "raw", "value"),
    [
        (expose("binary", "occupancy", value_on=True, value_off=False), "occupancy",
         {"@type": "quantitykind:Occupancy", "type": "boolean", "readOnly": True}, True, True),
        # what is closed is false, so that true means open in every dialect
        (expose("binary", "contact", value_on=False, value_off=True), "opening",
         {"@type": "quantitykind:Opening", "type": "boolean", "readOnly": True}, True, False),
        (expose("binary", "child_lock", 3, value_on="LOCK", value_off="UNLOCK"), "child_lock",
         {"type": "boolean"}, "LOCK", True),
        (expose("numeric", "temperature", unit="°C"), "temperature",
         {"@type": "quantitykind:Temperature", "type": "number", "unit": "Cel", "readOnly": True},
         21.5, 21.5),
        (expose("numeric", "voltage", unit="mV"), "voltage",
         {"@type": "quantitykind:Voltage", "type": "number", "unit": "mV", "readOnly": True}, 3000, 3000),
        (expose("numeric", "linkquality", unit="lqi", value_min=0, value_max=255), "linkquality",
         {"@type": "quantitykind:LinkQuality", "type": "number", "unit": "1", "minimum": 0, "maximum": 255,
          "readOnly": True}, 9, 9),
        (expose("numeric", "local_temperature_calibration", 7, unit="°C", value_step=0.5),
         "local_temperature_calibration",
         {"@type": "quantitykind:TemperatureDifference", "type": "number", "unit": "Cel", "multipleOf": 0.5},
         -1.5, -1.5),
        (expose("numeric", "max_temperature", 7, unit="°C"), "max_temperature",
         {"type": "number", "unit": "Cel"}, 30, 30),
        (expose("numeric", "current_heating_setpoint", 7, unit="°C"), "current_heating_setpoint",
         {"@type": "quantitykind:Temperature", "type": "number", "unit": "Cel"}, 30, 30),
        (expose("numeric", "dimmingSpeed_1", 3, value_max=9,
                presets=[{"name": "previous", "value": 65535}, {"name": "low", "value": 1}]),
         "dimming_speed_1",
         {"type": "number", "oneOf": [{"maximum": 9}, {"const": 65535, "title": "previous"}]}, 65535, 65535),
        (expose("enum", "mode", 3, values=["a", "b"], category="config", description="How"), "mode",
         {"type": "string", "enum": ["a", "b"], "diat:entityCategory": "config", "description": "How"},
         "b", "b"),
        (expose("enum", "scene", values=["none", "recall_*"]), "scene",
         {"type": "string", "readOnly": True}, "recall_4", "recall_4"),
        (expose("enum", "mode", values=["a", "b"]), "mode",
         {"type": "string", "enum": ["a", "b"], "readOnly": True}, "unheard-of", "unheard-of"),
        (expose("text", "note", 7), "note", {"type": "string"}, "x", "x"),
        (expose("list", "codes", 3, item_type={"type": "enum", "name": "c", "values": ["A"]}, length_max=4),
         "codes", {"type": "array", "items": {"type": "string", "enum": ["A"]}, "maxItems": 4}, ["A"], ["A"]),
        (expose("composite", "plan", 3, features=[expose("numeric", "minutes", unit="min"),
                                                 expose("binary", "on", value_on="ON", value_off="OFF")]),
         "plan",
         {"type": "object", "properties": {
             "minutes": {"title": "Minutes", "type": "number", "unit": "min"},
             "on": {"title": "On", "type": "string", "enum": ["OFF", "ON"]}}},
         {"minutes": 5, "on": "ON"}, {"minutes": 5, "on": "ON"}),
    ],
)  # fmt: skip
def test_what_is_told(said, name, schema, raw, value):
    described = describe(said)
    source = {"diat:meaningFrom": "expose"} if "@type" in schema else {}
    assert only(described) == (name, schema | source)
    assert read(described, {said["property"]: raw}) == {name: value}
    assert read(described, {said["property"]: None, "other": 1}) == {}
    if said["access"] & 2:
        outlet = described.outlets[name]
        written = outlet.write(value)
        assert written.topic == "zigbee2mqtt/hall/lamp/set"
        assert json.loads(written.payload) == {said["property"]: raw}
        assert (outlet.confirmed_by, outlet.idempotent) == (name, True)
    else:
        assert described.outlets == {}


@pytest.mark.parametrize(
    ("said", "schema", "value", "payload"),
    [
        (expose("enum", "identify", 2, values=["identify"]), {}, None, {"identify": "identify"}),
        (expose("enum", "effect", 2, values=["blink", "okay"]),
         {"input": {"type": "string", "enum": ["blink", "okay"]}}, "okay", {"effect": "okay"}),
        (expose("binary", "restart", 2, value_on="ON"), {}, None, {"restart": "ON"}),
        (expose("numeric", "add", 2), {"input": {"type": "number"}}, 5, {"add": 5}),
        (expose("composite", "warn", 2, features=[expose("numeric", "level")]),
         {"input": {"type": "object", "properties": {"level": {"title": "Level", "type": "number"}}}},
         {"level": 1}, {"warn": {"level": 1}}),
    ],
)  # fmt: skip
def test_what_can_only_be_set_is_an_action(said, schema, value, payload):
    described = describe(said)
    name, found = only(described)
    assert found == schema
    assert name in described.td["actions"]
    outlet = described.outlets[name]
    assert json.loads(outlet.write(value).payload) == payload
    assert (outlet.confirmed_by, outlet.idempotent) == (None, False)


def test_a_light_with_two_ways_to_tell_its_colour():
    channels = [expose("numeric", name) for name in ("x", "y")]
    described = describe({"type": "light", "features": [
        expose("binary", "state", 7, value_on="ON", value_off="OFF", value_toggle="TOGGLE"),
        expose("numeric", "brightness", 7, value_min=0, value_max=254),
        {"type": "composite", "name": "color_xy", "property": "color", "access": 7, "features": channels},
        {"type": "composite", "name": "color_hs", "property": "color", "access": 7, "features": []},
    ]})  # fmt: skip
    assert sorted(described.td["properties"]) == ["brightness", "color_hs", "color_xy", "state"]
    said = {"state": "ON", "brightness": 9, "color": {"x": 0.5, "y": 0.4, "hue": 10, "saturation": 20}}
    assert read(described, said) == {
        "state": True, "brightness": 9, "color_xy": {"x": 0.5, "y": 0.4},
        "color_hs": {"hue": 10, "saturation": 20},
    }  # fmt: skip
    assert read(described, {"color": {"x": 0.5, "y": 0.4}}) == {"color_xy": {"x": 0.5, "y": 0.4}}
    written = described.outlets["color_hs"].write({"hue": 1, "saturation": 2})
    assert json.loads(written.payload) == {"color": {"hue": 1, "saturation": 2}}
    assert isinstance(described.outlets["color_hs"].write({"x": 1}), Refusal)


def test_endpoints():
    def switch(endpoint):
        said = {
            "type": "binary", "name": "state", "property": f"state_{endpoint}", "label": "State",
            "access": 7, "value_on": "ON", "value_off": "OFF", "endpoint": endpoint,
        }  # fmt: skip
        return {"type": "switch", "endpoint": endpoint, "features": [said]}

    described = describe(switch("l1"), switch("l2"))
    titles = {name: about["title"] for name, about in described.td["properties"].items()}
    assert titles == {"state_l1": "State l1", "state_l2": "State l2"}
    assert read(described, {"state_l2": "OFF"}) == {"state_l2": False}


def test_a_cover_is_driven_by_actions_and_position():
    described = describe({"type": "cover", "features": [
        expose("enum", "state", 3, values=["OPEN", "CLOSE", "STOP"]),
        expose("numeric", "position", 7, value_min=0, value_max=100, unit="%"),
    ]})  # fmt: skip
    assert sorted(described.td["actions"]) == ["close", "open", "stop"]
    assert described.td["properties"]["state"]["readOnly"] is True
    assert described.outlets["stop"].write(None) == Outgoing("zigbee2mqtt/hall/lamp/set", b'{"state":"STOP"}')
    assert described.outlets["stop"].idempotent
    assert described.outlets["position"].confirmed_by == "position"


def test_a_lock():
    state = expose("binary", "state", 7, value_on="LOCK", value_off="UNLOCK")
    described = describe({"type": "lock", "features": [state]})
    name, schema = only(described)
    assert (name, schema["@type"]) == ("unlocked", "quantitykind:Lock")
    assert read(described, {"state": "LOCK"}) == {"unlocked": False}
    assert described.outlets["unlocked"].write(True).payload == b'{"state":"UNLOCK"}'
    assert described.outlets["unlocked"].write(False).payload == b'{"state":"LOCK"}'


@pytest.mark.parametrize(
    ("said", "note"),
    [
        (expose("gizmo", "x"), "'x': features of type 'gizmo' are not known"),
        (expose("enum", "x"), "'x': it lists no values"),
        (expose("binary", "x"), "'x': it does not say what is true and what is false"),
        (expose("numeric", "x", unit="foo"), "'x': the unit 'foo' is not understood"),
        (expose("numeric", "x", 0), "'x': it is neither told nor set"),
        ({"type": "numeric", "name": "x"}, "'x': it does not say its property"),
        (5, "5 is not a feature"),
    ],
)
def test_what_is_not_understood_is_noted_and_the_rest_is_used(said, note):
    described = describe(said, expose("numeric", "humidity", unit="%"))
    assert described.notes == (note,)
    assert "humidity" in described.td["properties"]


@pytest.mark.parametrize(
    ("values", "data", "said"),
    [
        (["single", "hold"], {"type": "string", "enum": ["single", "hold"]}, "hold"),
        (["single"], {"type": "string", "enum": ["single"]}, "not listed"),
        (["recall_*"], {"type": "string"}, "recall_4"),
    ],
)
def test_what_is_pressed_is_an_event(values, data, said):
    described = describe(
        expose("enum", "action", values=values, category="diagnostic", description="Pressed"),
        expose("numeric", "action_step_size"),
    )
    assert described.td["events"] == {"action": {"title": "Action", "description": "Pressed", "data": data}}
    assert list(described.td["properties"]) == ["action_step_size"]
    (inlet,) = [i for i in described.inlets if i.topic == "zigbee2mqtt/hall/lamp"]
    told = inlet.read(json.dumps({"action": said, "action_step_size": 3}).encode())
    assert told == Uptake({"action_step_size": 3}, (("action", said),))
    # That is how older bridges say that it is over.
    assert inlet.read(b'{"action": ""}') == Uptake()


def test_what_can_be_set_is_no_event():
    described = describe(expose("text", "action", 3))
    assert list(described.td["properties"]) == ["action"]
    assert "events" not in described.td


def test_values_against_the_announcement_are_noted():
    described = describe(
        expose("numeric", "a"),
        expose("enum", "b", values=["x"]),
        expose("binary", "c", value_on="ON", value_off="OFF"),
        expose("numeric", "d"),
    )
    (inlet,) = [i for i in described.inlets if i.topic == "zigbee2mqtt/hall/lamp"]
    uptake = inlet.read(b'{"a": "?", "b": 5, "c": true, "d": 1}')
    assert uptake.values == {"d": 1}
    assert uptake.notes == (
        "a: '?' is not a number", "b: 5 is none of its options", "c: True is neither 'ON' nor 'OFF'",
    )  # fmt: skip
    assert inlet.read(b"x").notes == ("'x' is not JSON",)
    assert inlet.read(b"") == Uptake()
