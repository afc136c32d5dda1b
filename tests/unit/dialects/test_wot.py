"""Foreign Thing Descriptions: what is heard, read and driven by their MQTT forms."""

import json

import pytest

from diat.vol.dialects.native import Native
from diat.vol.dialects.port import Outgoing, Part, Refusal, Uptake, Withdrawal
from diat.vol.dialects.wot import Wot
from diat.wot.td import CONTEXT, complete, fault

WOT = Wot(["hub"])
BASE = {
    "@context": CONTEXT,
    "title": "Gas sensor",
    "security": "n",
    "securityDefinitions": {"n": {"scheme": "nosec"}},
}
HTTP = {"href": "https://sensor.example/status"}


def whole(**members):
    return BASE | members


def hear(td, topic="wot/td/gas", dialect=WOT):
    return dialect.hear(topic, td if isinstance(td, bytes) else json.dumps(td).encode())


def describe(td):
    part = hear(td)
    assert isinstance(part, Part), part
    return WOT.describe([part])


def one(forms, **affordance):
    """A property ``x`` with these forms."""
    return describe(whole(properties={"x": {"forms": forms} | affordance}))


def mqtt(topic, op=None, **terms):
    form = {"href": "mqtt://hub:1883", "mqv:topic": topic} | {f"mqv:{key}": v for key, v in terms.items()}
    return form if op is None else form | {"op": op}


def read(described, topic, payload):
    values, notes = {}, []
    for inlet in described.inlets:
        if inlet.topic == topic:
            uptake = inlet.read(payload)
            values |= uptake.values
            notes += uptake.notes
    return notes or values


def topics(described):
    return sorted(inlet.topic for inlet in described.inlets)


# --- whose announcement it is ---


@pytest.mark.parametrize(
    ("payload", "answers"),
    [
        (b'{"title": "T"}', Native),
        (b'{"title": "T", "properties": {"x": {"type": "wrong"}}}', Native),
        (b"", Native),
        (b"no JSON", Native),
        (b"[]", Native),
        (json.dumps(whole(properties={"x": {"forms": [HTTP]}})).encode(), Wot),
        (json.dumps(whole(properties={"x": {"forms": [{}]}})).encode(), Wot),
        (json.dumps(whole(security="other")).encode(), Wot),
    ],
)
def test_exactly_one_dialect_answers(payload, answers):
    heard = {type(d): d.hear("wot/td/gas", payload) for d in (Native(), WOT)}
    assert [kind for kind, said in heard.items() if said is not None] == [answers]


def test_topics_elsewhere_are_not_its_own():
    assert WOT.hear("wot/tds/x", b"{}") is None
    assert Native().hear("homie/x", b"{}") is None


def test_an_announcement_names_the_thing():
    td = whole(
        id="urn:dev:acme:gas",
        properties={"x": {"forms": [HTTP]}},
        **{"diat:identifiers": ["AA-BB-CC-DD-EE-FF", 5, "serial-7"]},
    )
    part = hear(td)
    assert part.identifiers == ("gas", "urn:dev:acme:gas", "mac:aabbccddeeff", "serial-7")
    assert part.claim == "urn:dev:acme:gas"
    assert hear(whole(forms=[mqtt("t", "readallproperties")])).claim == "urn:dev:gas"


@pytest.mark.parametrize(
    ("td", "reason"),
    [
        (whole(id="urn:dev:other", forms=[mqtt("t", "readallproperties")]), "the last segment of id"),
        (whole(title=5, forms=[mqtt("t", "readallproperties")]), 'title: 5 is not of type "string"'),
        ({"title": "T", "properties": {"x": {"forms": [HTTP]}}}, "is a required property"),
        (whole(properties={"x": {"forms": [HTTP]}, "y": {}}), 'properties.y: "forms" is a required'),
    ],
)
def test_refused_with_the_reason(td, reason):
    said = hear(td)
    assert isinstance(said, Refusal)
    assert reason in said.reason


def test_names_given_twice_are_refused_in_native_and_foreign_descriptions():
    said = hear(b'{"title": "T", "properties": {"x": {}, "x": {}}}', dialect=Native())
    assert said == Refusal("properties.x: given twice")
    text = json.dumps(whole(forms=[mqtt("t", "readallproperties")])).replace('"n": ', '"n": {}, "n": ')
    assert hear(text.encode()) == Refusal("securityDefinitions.n: given twice")


def test_native_things_may_still_leave_out_what_the_platform_knows():
    part = hear({"title": "T", "properties": {"x": {"type": "number"}}}, dialect=Native())
    assert isinstance(part, Part)
    assert part.identifiers == ("gas",)
    assert hear(b"", dialect=Native()) == Withdrawal("wot/td/gas")


# --- reading ---


def test_a_property_is_read_from_the_topic_of_its_form():
    described = one([mqtt("s/x", ["readproperty", "observeproperty"])], type="number")
    assert topics(described) == ["s/x"]
    assert read(described, "s/x", b"21.5") == {"x": 21.5}
    assert read(described, "s/x", b"") == {}
    assert described.outlets == {}
    assert described.td["properties"]["x"]["readOnly"] is True
    assert described.notes == ()


@pytest.mark.parametrize(
    ("form", "heard"),
    [
        ({"href": "mqtt://hub/s/x"}, ["s/x"]),
        ({"href": "mqtt://hub", "mqv:filter": ["a", "b"], "op": "observeproperty"}, ["a", "b"]),
        ({"href": "mqtt://hub/s/x", "mqtt:commandCode": 8, "op": "observeproperty"}, ["s/x"]),
        ({"href": "mqtt://hub/s/x", "mqtt:methodCode": 10, "op": "unobserveproperty"}, []),
        ({"href": "mqtt://hub/s/x", "op": "writeproperty"}, []),
        ({"href": "mqtt://hub/s/x", "mqv:controlPacket": "mqv:publish"}, []),
    ],
)
def test_where_a_form_is_heard(form, heard):
    described = one([form])
    assert topics(described) == heard
    assert described.notes == ()


@pytest.mark.parametrize(
    ("form", "schema", "payload", "value"),
    [
        ({}, {"type": "string"}, b'"on"', "on"),
        ({}, {"type": "string"}, b"on", "on"),
        ({}, {"type": "string"}, b"21", "21"),
        ({}, {"type": "boolean"}, b"ON", True),
        ({}, {}, b"on", "on"),
        ({}, {"type": "object"}, b'{"a": [1]}', {"a": [1]}),
        ({"contentType": "application/json; charset=utf-8"}, {"type": "boolean"}, b"true", True),
        ({"contentType": "application/vnd.x+json"}, {}, b"null", None),
        ({"contentType": "text/plain"}, {"type": "number"}, b" 21.5 ", 21.5),
        ({"contentType": "text/plain"}, {"type": "integer"}, b"21.0", 21),
        ({"contentType": "text/plain"}, {"type": "boolean"}, b"off", False),
        ({"contentType": "text/plain"}, {"type": "array"}, b"[1]", [1]),
        ({"contentType": "text/plain"}, {"type": "string"}, '"ä"'.encode(), '"ä"'),
        ({"contentType": "image/png", "response": {"contentType": "text/plain"}}, {}, b"x", "x"),
    ],
)
def test_how_values_are_written(form, schema, payload, value):
    assert read(one([mqtt("t", "readproperty") | form], **schema), "t", payload) == {"x": value}


@pytest.mark.parametrize(
    ("form", "schema", "payload", "note"),
    [
        ({"contentType": "application/json"}, {"type": "string"}, b"on", "'x': not JSON"),
        ({"contentType": "text/plain"}, {"type": "number"}, b"warm", "'x': 'warm' is no number"),
        ({"contentType": "text/plain"}, {"type": "number"}, b"1e999", "'x': inf is out of range"),
        ({"contentType": "text/plain"}, {}, b"\xff", "'x': not UTF-8"),
        ({}, {}, b"x" * 70_000, "t: larger than 65536 bytes"),
        ({"contentType": "application/json"}, {}, b"[" * 5000, "'x': not JSON: nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_noted(form, schema, payload, note):
    (said,) = read(one([mqtt("t", "readproperty") | form], **schema), "t", payload)
    assert said.startswith(note)


def test_properties_that_share_a_topic():
    form = mqtt("t", "observeproperty")
    described = describe(whole(properties={name: {"forms": [form]} for name in ("a", "b")}))
    assert read(described, "t", b"5") == {"a": 5, "b": 5}
    assert read(described, "t", b'{"b": 2, "other": 3}') == {"b": 2}


def test_all_properties_at_once():
    described = describe(
        whole(
            base="mqtt://hub/dev/",
            properties={"a": {"type": "number", "forms": [HTTP]}, "b": {"forms": [HTTP]}},
            forms=[
                {"href": "all", "op": ["readallproperties", "observeallproperties"]},
                {"href": "all", "op": "unobserveallproperties"},
            ],
        )
    )
    assert topics(described) == ["dev/all"]
    assert read(described, "dev/all", b'{"a": 1, "c": 2}') == {"a": 1}
    assert read(described, "dev/all", b"5") == ["dev/all: not an object of properties"]
    assert described.notes == ("no MQTT form: 'a', 'b'",)


# --- driving ---


def test_a_property_is_written_and_confirmed_by_what_is_read_elsewhere():
    described = one(
        [
            mqtt("t/set", "writeproperty", retain=True, qos="quality:0"),
            mqtt("t", ["readproperty", "observeproperty"], retain=True),
        ],
        type="boolean",
    )
    outlet = described.outlets["x"]
    assert outlet.confirmed_by == "x"
    assert outlet.idempotent
    assert outlet.write(True) == Outgoing("t/set", b"true", 0, True)
    assert not {"readOnly", "writeOnly"} & described.td["properties"]["x"].keys()


def test_our_own_message_confirms_nothing():
    described = one([{"href": "mqtt://hub/t"}])
    assert topics(described) == ["t"]
    assert described.outlets["x"].write([1]) == Outgoing("t", b"[1]", 1, False)
    assert described.outlets["x"].confirmed_by is None


def test_what_is_only_written_is_said_to_be_so():
    described = one([mqtt("t", "writeproperty")])
    assert described.td["properties"]["x"]["writeOnly"] is True
    assert described.outlets["x"].confirmed_by is None


def test_a_property_that_is_read_only_is_not_driven():
    assert one([{"href": "mqtt://hub/t"}], readOnly=True).outlets == {}


@pytest.mark.parametrize(
    ("schema", "value", "payload"),
    [({}, 21.5, b"21.5"), ({}, True, b"true"), ({"type": "string"}, "on", b"on"), ({}, None, b"null")],
)
def test_values_as_plain_text(schema, value, payload):
    described = one([mqtt("t", "writeproperty") | {"contentType": "text/plain"}], **schema)
    assert described.outlets["x"].write(value).payload == payload
    assert isinstance(described.outlets["x"].write({"a": 1}), Refusal)


def test_an_action_is_invoked():
    described = describe(
        whole(
            actions={
                "beep": {"forms": [mqtt("beep", ["invokeaction", "queryaction"])]},
                "reset": {"forms": [mqtt("reset", controlPacketValue="PUBLISH")], "idempotent": True},
                "ask": {"forms": [mqtt("ask", "queryaction")]},
            }
        )
    )
    assert described.outlets["beep"].write(None) == Outgoing("beep", b"", 1, False)
    assert described.outlets["beep"].write({"s": 1}) == Outgoing("beep", b'{"s":1}', 1, False)
    assert not described.outlets["beep"].idempotent
    assert described.outlets["reset"].idempotent
    assert described.outlets.keys() == {"beep", "reset"}


# --- what is not understood ---


@pytest.mark.parametrize(
    ("form", "note"),
    [
        (HTTP, "no MQTT form: 'x'"),
        (mqtt("a/+/b", "readproperty"), "'x': 'a/+/b': a filter with wildcards"),
        ({"href": "mqtt://hub/a/%23", "op": "readproperty"}, "'x': 'a/#': a filter with wildcards"),
        ({"href": "mqtt://hub", "op": "readproperty"}, "'x': '': it names no topic"),
        (mqtt("diat/lock/set", "writeproperty"), "'x': 'diat/lock/set': a topic of native things"),
        (mqtt("wot/td/other", "writeproperty"), "'x': 'wot/td/other': a topic of native things"),
        (mqtt("t", "readproperty") | {"contentType": "image/png"}, "'x': content type 'image/png'"),
        (mqtt("t", "readproperty") | {"contentCoding": "gzip"}, "'x': content coding 'gzip'"),
        (mqtt("t", "readproperty", controlPacket="mqv:publish"), "'x': a form whose operation"),
    ],
)
def test_a_form_that_is_not_used_is_noted_and_its_property_kept(form, note):
    described = one([form], type="string")
    (said,) = described.notes
    assert said.startswith(note)
    assert topics(described) == []
    assert described.outlets == {}
    assert described.td["properties"]["x"]["forms"] == [form]


def test_another_broker_is_noted_and_taken_for_ours():
    described = one([{"href": "mqtt://cloud.example/t"}, {"href": "mqtt://localhost/t"}, mqtt("t")])
    assert described.notes == ("its forms name the broker 'cloud.example', which is taken to be ours",)
    assert topics(described) == ["t"]


def events(described, topic, payload):
    return [e for i in described.inlets if i.topic == topic for e in i.read(payload).events]


@pytest.mark.parametrize(
    ("form", "data", "payload", "told"),
    [
        (mqtt("hot", "subscribeevent"), {"type": "number"}, b"81.5", 81.5),
        (mqtt("hot", ["subscribeevent", "unsubscribeevent"]), {"type": "string"}, b"81", "81"),
        (mqtt("hot") | {"contentType": "text/plain"}, {"type": "string"}, b"very", "very"),
        ({"href": "mqtt://hub", "mqv:filter": "hot", "mqv:controlPacket": "subscribe"}, {}, b"", None),
        ({"href": "mqtt://hub/hot"}, {}, b'{"at": 3}', {"at": 3}),
        (mqtt("hot"), {"type": "object", "properties": {"hot": {}}}, b'{"hot": 1}', {"hot": 1}),
    ],
)
def test_events_come_by_their_forms(form, data, payload, told):
    affordance = {"forms": [form], **({"data": data} if data else {})}
    described = describe(whole(events={"hot": affordance}))
    assert described.notes == ()
    assert topics(described) == ["hot"]
    assert events(described, "hot", payload) == [("hot", told)]


def test_an_empty_message_is_no_event_that_has_data():
    described = describe(whole(events={"hot": {"data": {"type": "string"}, "forms": [mqtt("hot")]}}))
    assert events(described, "hot", b"") == []


def test_an_event_and_a_property_may_share_a_topic():
    described = describe(
        whole(
            properties={"t": {"type": "number", "forms": [mqtt("all", "observeproperty")]}},
            events={"hot": {"data": {"type": "string"}, "forms": [mqtt("all", "subscribeevent")]}},
        )
    )
    assert read(described, "all", b'{"t": 1, "hot": "very"}') == {"t": 1}
    assert events(described, "all", b'{"t": 1, "hot": "very"}') == [("hot", "very")]
    assert events(described, "all", b'{"t": 1}') == []


@pytest.mark.parametrize("form", [mqtt("hot", "subscribeevent", controlPacket="publish")])
def test_an_event_form_that_contradicts_itself_is_noted(form):
    described = describe(whole(events={"hot": {"forms": [form]}}))
    assert described.notes == ("'hot': a form whose operation, packet and access contradict one another",)
    assert topics(described) == []


def test_an_action_with_the_name_of_a_property_drives_nothing():
    described = describe(
        whole(
            properties={"x": {"forms": [mqtt("t", "readproperty")]}}, actions={"x": {"forms": [mqtt("go")]}}
        )
    )
    assert described.outlets == {}
    assert described.notes == ("'x': a property has the same name, so the action cannot be invoked",)


def test_notes_are_bounded():
    described = describe(
        whole(properties={f"p{n}": {"forms": [mqtt(f"t{n}/#", "readproperty")]} for n in range(500)})
    )
    assert len(described.notes) == 50


def test_its_own_description_survives_and_stays_valid():
    td = whole(
        id="urn:dev:gas",
        base="https://sensor.example/",
        properties={
            "x": {"forms": [HTTP, mqtt("t", "readproperty")], "diat:accuracy": 0.5, "acme:colour": "red"}
        },
        links=[{"rel": "service-doc", "href": "doc"}],
    )
    described = describe(td)
    assert described.td["links"] == td["links"]
    assert described.td["properties"]["x"]["acme:colour"] == "red"
    assert "id" not in described.td
    assert fault(complete(described.td | {"id": "urn:dev:gas"})) is None


def test_the_draft_of_the_binding():
    """The gas sensor of the W3C's draft, in our words: observed by filters, driven by topics."""
    described = describe(
        whole(
            properties={
                "status": {
                    "type": "string",
                    "observable": True,
                    "forms": [
                        {"href": "mqtt://hub/", "mqv:filter": "gas/operation", "op": "observeproperty"}
                    ],
                },
                "concentration": {
                    "type": "integer",
                    "observable": True,
                    "forms": [{"href": "mqtt://hub", "mqv:filter": "gas/ppm", "op": "observeproperty"}],
                },
            },
            actions={
                "mute": {"forms": [{"href": "mqtt://hub/", "mqv:topic": "gas/mute"}]},
                "valve": {
                    "input": {"type": "string", "enum": ["open", "close"]},
                    "forms": [{"href": "mqtt://hub/", "mqv:topic": "gas/valve"}],
                },
            },
        )
    )
    assert described.notes == ()
    assert topics(described) == ["gas/operation", "gas/ppm"]
    assert described.inlets[0].read(b'"normal"') == Uptake({"status": "normal"})
    assert described.outlets["valve"].write("open") == Outgoing("gas/valve", b'"open"', 1, False)
