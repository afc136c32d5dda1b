"""Invariant: what others say in the words of the Web of Things is accepted, or refused in one line.

Any bytes on ``wot/td/{thing}`` give one answer of exactly one dialect. Any JSON is a valid Thing Description
or Thing Model, or has a fault; a description that is accepted can be described, read and driven; from a model
comes a valid description, or ``Invalid``. All of that in bounded time and memory, however deep, long or
self-referring, in lines without line breaks, and never with another exception.
"""

import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diat.kernel.errors import Invalid
from diat.vol.dialects.native import Native
from diat.vol.dialects.port import Description, Outgoing, Part, Refusal, Uptake, Withdrawal
from diat.vol.dialects.wot import Wot
from diat.wot.document import repeated_name
from diat.wot.frozen import MAX_LINE
from diat.wot.placeholders import placeholders
from diat.wot.td import CONTEXT, CONTEXT_1_0, complete, fault
from diat.wot.thing_model import derive, model_fault

DIALECTS = (Native(), Wot())
SECONDS = 1.0  # of the processor: others may be busy
LARGE_SECONDS = 10.0
fast = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(["a", "b", "c"])
texts = st.sampled_from(["", "a", "{{A}}", "{{A}} {{B}}", "\ud800", "m", "http://[x"])
hrefs = st.sampled_from(
    [
        "mqtt://b/t",
        "mqtt://b/t",
        "mqtt://b",
        "t",
        "",
        "mqtt://[x/t",
        "http://h/{?a}",
        "mqtt://b/%zz",
        "mqtt://b/{x}",
    ]
)
topics = st.sampled_from(["t", "t", "t/set", "t/+", "", "diat/x/set"])


def rarely_wrong(each):
    """The strategy, and once in a while anything else."""
    return st.integers(0, 60).flatmap(lambda chance: values if chance == 60 else each)


def some(required, **optional):
    """Objects that may have these members, and now and then something else in their place."""
    return st.fixed_dictionaries(
        required, optional={name: rarely_wrong(each) for name, each in optional.items()}
    )


def some_forms(*operations):
    named = st.sampled_from(operations)
    return st.lists(
        some(
            {"href": hrefs},
            op=named | st.lists(named, min_size=1, max_size=3),
            contentType=st.sampled_from(["application/json", "text/plain", "image/png", ""]),
            security=st.just("n"),
            additionalResponses=st.lists(some({}, schema=names), max_size=1),
            **{
                "mqv:topic": topics,
                "mqv:filter": topics | st.lists(topics, max_size=2),
                "mqv:controlPacket": st.sampled_from(["mqv:publish", "mqv:subscribe"]),
                "mqtt:qos": st.integers(0, 3),
            },
        ),
        min_size=1,
        max_size=2,
    )


types = st.sampled_from(["string", "number", "integer", "boolean", "object", "array", "null"])
schemas = st.recursive(
    some({}, type=types, minimum=st.integers(0, 2), maximum=st.integers(1, 3), const=values),
    lambda inner: some(
        {},
        oneOf=st.lists(inner, max_size=2),
        items=inner,
        properties=st.dictionaries(names, inner, max_size=2),
        readOnly=st.booleans(),
    ),
    max_leaves=4,
)
references = some(
    {}, **{"tm:ref": st.sampled_from(["#/properties/a", "#/properties", "m#/properties/b", "#", "x"])}
)


def groups(forms, **optional):
    schema_and_rest = st.builds(
        lambda schema, rest: schema | rest, schemas, some({"forms": forms}, **optional)
    )
    return st.dictionaries(names, rarely_wrong(schema_and_rest), max_size=3)


variables = st.dictionaries(names, some({}, type=types), max_size=1)
properties = groups(some_forms("readproperty", "writeproperty", "observeproperty"), uriVariables=variables)
actions = groups(some_forms("invokeaction", "queryaction"), input=schemas, output=schemas)
events = groups(some_forms("subscribeevent"), data=schemas)
links = st.lists(
    some({"href": hrefs}, rel=st.sampled_from(["type", "item", "tm:submodel"])), min_size=1, max_size=2
)
schemes = some(
    {"scheme": st.sampled_from(["nosec", "basic", "apikey", "oauth2", "combo"])},
    flow=st.sampled_from(["code", "client"]),
    oneOf=st.lists(names, max_size=2),
    name=names,
    **{"in": st.sampled_from(["body", "header"])},
)
contexts = st.sampled_from([CONTEXT, CONTEXT_1_0, [CONTEXT, {"m": "https://x/mqtt#"}]])
OPEN = {
    "@context": CONTEXT,
    "title": "It",
    "security": "n",
    "securityDefinitions": {"n": {"scheme": "nosec"}},
}
members = some(
    {},
    base=st.sampled_from(["mqtt://b/", "mqtt://b/x/y", "https://b/"]),
    links=links,
    forms=some_forms("readallproperties", "observeallproperties", "writeallproperties"),
    properties=properties,
    actions=actions,
    events=events,
    schemaDefinitions=st.just({"a": {}, "b": {}, "c": {}}),
    uriVariables=st.just({"a": {}, "x": {}}),
    version=some({"instance": texts}, model=texts),
)
headers = some(
    {},
    id=st.just("urn:dev:it"),
    title=texts,
    security=names | st.lists(names, max_size=2),
    securityDefinitions=st.dictionaries(names, schemes, max_size=3),
    **{"@context": contexts, "@type": st.sampled_from(["Thing", "tm:ThingModel"])},
)
descriptions = st.builds(
    lambda td, header, whole: (OPEN if whole else {}) | header | td, members, headers, st.booleans()
) | st.builds(lambda td: OPEN | td, members)
MODEL = {"@context": CONTEXT, "@type": "tm:ThingModel", "title": "It"}
model_members = some(
    {},
    properties=st.dictionaries(names, st.builds(lambda a, b: a | b, schemas, references), max_size=3),
    actions=st.dictionaries(names, some({}, input=schemas), max_size=2),
    description=texts,
    version=texts | some({}, model=texts),
    links=links
    | st.lists(
        st.fixed_dictionaries({"rel": st.just("tm:extends"), "href": st.just("m") | hrefs}),
        min_size=1,
        max_size=2,
    ),
    **{"tm:optional": st.lists(st.sampled_from(["/properties/a", "/actions/b"]), max_size=1)},
)
models = model_members.map(lambda model: MODEL | model) | st.builds(
    lambda model, header: model | header, model_members, headers
)
payloads = (
    st.binary()
    | st.text().map(str.encode)
    | values.map(lambda value: json.dumps(value).encode())
    | st.sampled_from([b"", b"ON", b"21.5", b"1e999", b"[" * 50_000, b"9" * 5000, b'{"a": 1, "b": 2}'])
)


def assert_one_line(*lines):
    assert all("\n" not in line and len(line) <= MAX_LINE + 100 for line in lines)


@fast
@given(
    st.sampled_from(["wot/td/it", "wot/td/", "wot/td/a b", "wot/td/it/more", "wot/tds/it"]) | st.text(),
    st.binary() | values.map(json.dumps).map(str.encode) | descriptions.map(json.dumps).map(str.encode),
)
def test_one_dialect_answers_whatever_is_announced(topic, payload):
    answers = [said for dialect in DIALECTS if (said := dialect.hear(topic, payload)) is not None]
    assert len(answers) == topic.startswith("wot/td/")
    for said in answers:
        assert isinstance(said, Part | Withdrawal | Refusal)
        if isinstance(said, Refusal):
            assert_one_line(said.reason)


@settings(fast, max_examples=200)
@given(descriptions, st.lists(payloads, max_size=3), values)
def test_any_description_is_accepted_and_works_or_has_a_fault(td, messages, value):
    start = time.process_time()
    found = fault(td, document=json.dumps(td))
    if found is not None:
        assert_one_line(found)
    if not isinstance(td.get("security"), dict):  # ours to complete, if it is to be completed at all
        fault(complete(td))
    part = DIALECTS[1].hear("wot/td/it", json.dumps(td).encode())
    if isinstance(part, Part):
        described = DIALECTS[1].describe([part])
        assert isinstance(described, Description)
        assert_one_line(*described.notes)
        assert described.td["title"] == td["title"]
        for inlet in described.inlets:
            for payload in messages:
                uptake = inlet.read(payload)
                assert isinstance(uptake, Uptake)
                assert uptake.values.keys() <= described.td["properties"].keys()
                assert {name for name, _ in uptake.events} <= described.td.get("events", {}).keys()
                assert_one_line(*uptake.notes)
        for outlet in described.outlets.values():
            assert isinstance(outlet.write(value), Outgoing | Refusal)
    assert time.process_time() - start < SECONDS


@settings(fast, max_examples=200)
@given(models, st.lists(models, max_size=1), st.dictionaries(names, values, max_size=2), st.booleans())
def test_any_model_gives_a_valid_description_or_is_invalid(model, others, filling, fill):
    start = time.process_time()
    found = model_fault(model, document=json.dumps(model))
    if found is not None:
        assert_one_line(found)
    given_values = dict.fromkeys(placeholders([model, *others]), "x") if fill else filling
    try:
        td = derive(model, given_values, lambda _: others[0] if others else None)
    except Invalid as error:
        assert_one_line(str(error))
    else:
        assert found is None
        assert fault(td, forms_follow=True) is None
    assert time.process_time() - start < SECONDS


@fast
@given(values)
def test_any_json_is_a_model_or_not(value):
    assert isinstance(model_fault(value), str)


def nested(depth, wrap):
    inside = {}
    for _ in range(depth):
        inside = wrap(inside)
    return inside


@pytest.mark.parametrize("depth", [50, 65, 1_000, 100_000])
@pytest.mark.parametrize(
    "wrap", [lambda inner: {"oneOf": [inner]}, lambda inner: {"x": inner}, lambda inner: [inner]]
)
def test_depth_is_bounded(depth, wrap):
    documents = [whole | {"properties": {"a": {"items": nested(depth, wrap)}}} for whole in (OPEN, MODEL)]
    start = time.process_time()
    for document in documents:
        for found in (fault(document), model_fault(document)):
            assert found is None or isinstance(found, str)
            if depth > 64 and found is not None:
                assert_one_line(found)
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize("depth", [60, 5_000, 1_000_000])
def test_deep_announcements_are_answered(depth):
    payload = b'{"title": "It", "x": ' + b'{"x": ' * depth + b"1" + b"}" * depth + b"}"
    answers = [said for dialect in DIALECTS if (said := dialect.hear("wot/td/it", payload)) is not None]
    assert len(answers) == 1
    assert isinstance(answers[0], Part if depth == 60 else Refusal)
    repeated_name(payload)


@pytest.mark.parametrize(
    "members",
    [
        {"description": "x" * 1_000_000},
        {"title": ["x" * 1_000_000]},
        {"properties": {"x" * 1_000_000: {"type": "wrong"}}},
        {"properties": {f"p{n}": {"type": "wrong"} for n in range(50_000)}},
        {"properties": {f"p{n}": {"forms": [{"href": "mqtt://b/t"}]} for n in range(5_000)}},
        {"properties": {"p": {"enum": list(range(200_000))}}},
        {"securityDefinitions": {"n": {"scheme": "x" * 1_000_000}}},
        {"forms": [{"href": "{" * 1_000_000, "op": "readallproperties"}]},
        {"title": "{{" * 1_000_000},
        {"title": "{{a" * 1_000_000},
        {"links": [{"href": "x", "rel": "type"} for _ in range(50_000)]},
        {"titles": {"x" * 100_000 + "!": "x"}},
    ],
    ids=range(12),
)
def test_size_is_bounded(members):
    start = time.process_time()
    fault(OPEN | members)
    model_fault(MODEL | members)
    payload = json.dumps(OPEN | members).encode()
    answers = [said for dialect in DIALECTS if (said := dialect.hear("wot/td/it", payload)) is not None]
    assert len(answers) == 1
    if isinstance(answers[0], Refusal):
        assert_one_line(answers[0].reason)
    elif answers[0].identifiers[1:]:
        described = DIALECTS[1].describe(answers)
        assert_one_line(*described.notes)
        for inlet in described.inlets:
            assert len(inlet.read(b'"' + b"x" * 60_000 + b'"').notes) <= 20
    try:
        derive(MODEL | members, {})
    except Invalid as error:
        assert_one_line(str(error))
    assert time.process_time() - start < LARGE_SECONDS
