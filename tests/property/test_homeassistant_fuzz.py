"""Invariant: the Home Assistant dialect answers whatever it is fed.

Any topic and any bytes give a Part, a Withdrawal, a Refusal or None. Any parts give a Description; any bytes
into any of its inlets give an Uptake, and any value into any of its outlets an Outgoing or a Refusal. All of
that in bounded time, in lines without line breaks, and never with an exception.
"""

import json
import re
import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diat.vol.dialects.homeassistant import HomeAssistant
from diat.vol.dialects.homeassistant.abbreviations import DEVICE_KEYS, KEYS
from diat.vol.dialects.homeassistant.components import COMPONENTS
from diat.vol.dialects.homeassistant.entity import STATE_NAMES
from diat.vol.dialects.jinja.templates import compile_template
from diat.vol.dialects.jinja.vocabulary import FILTERS, METHODS, PAYING_FILTERS, TESTS
from diat.vol.dialects.port import Description, Outgoing, Part, Refusal, Uptake, Withdrawal
from diat.vol.dialects.words import Unfit

HA = HomeAssistant()
SECONDS = 1.0
fast = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ids = st.from_regex(r"[a-zA-Z0-9_-]{1,8}", fullmatch=True)
components = st.sampled_from(sorted({*(name.partition("/")[0] for name in COMPONENTS), "device", "toaster"}))
topics = (
    st.text()
    | st.text().map(lambda text: f"homeassistant/{text}/config")
    | st.builds(lambda c, o: f"homeassistant/{c}/{o}/config", components, ids)
    | st.builds(lambda c, n, o: f"homeassistant/{c}/{n}/{o}/config", components, ids, ids)
)

words = [
    "value",
    "value_json",
    "value_json.a",
    "value_json['b']",
    "'x'",
    "entity_id",
    "this",
    "states('a.b')",
    "now()",
    "1",
    "-2.5",
    "None",
    "[1, 2]",
    "range(9)",
]
operators = ["+", "-", "*", "/", "//", "%", "**", "~", "==", "<", "in", "and", "or"]
methods = sorted({name for offered in METHODS.values() for name in offered})
expressions = st.recursive(
    st.sampled_from(words),
    lambda inner: (
        st.builds(
            "({} {} {})".format,
            inner,
            st.sampled_from(operators),
            inner,
        )
        | st.builds("({} | {})".format, inner, st.sampled_from(sorted([*FILTERS, *PAYING_FILTERS])))
        | st.builds(
            "({} | {}({}))".format, inner, st.sampled_from(sorted([*FILTERS, *PAYING_FILTERS])), inner
        )
        | st.builds("{}.{}({})".format, inner, st.sampled_from(methods), inner)
        | st.builds("{}.{}()".format, inner, st.sampled_from([*methods, "__class__", "format_map"]))
        | st.builds("({} is {})".format, inner, st.sampled_from(sorted(TESTS)))
        | st.builds("{}[{}]".format, inner, inner)
        | st.builds("{}[{}:]".format, inner, inner)
        | st.builds("[{}, {}]".format, inner, inner)
        | st.builds("namespace(a={})".format, inner)
        | st.builds("({} if {} else {})".format, inner, inner, inner)
    ),
    max_leaves=6,
)
templates = (
    st.builds("{{{{ {} }}}}".format, expressions)
    | st.builds("{{% for x in {} %}}{{{{ {} ~ x }}}}{{% endfor %}}".format, expressions, expressions)
    | st.builds(
        "{{% set value = {} %}}{{% if {} %}}{{{{ value }}}}{{% endif %}}".format, expressions, expressions
    )
    | st.text()
    | st.builds(
        "{{% set ns = namespace(a={}) %}}{{% for x in {} %}}{{% set ns.a = {} %}}{{% endfor %}}"
        "{{{{ ns.a }}}}".format,
        expressions,
        expressions,
        st.sampled_from(
            ["ns.a ~ ns.a", "[ns.a, ns.a]", "[ns, ns.a]", "ns", "ns.a + ns.a", "ns._Namespace__attrs"]
        ),
    )
    | st.text(alphabet="{}%|()[]'~. abxforinsetif")
)

some_topics = st.sampled_from(["s", "t", "~/s", "s/~", "a/#", ""])
some_templates = st.sampled_from(
    [
        "{{ value_json.a }}",
        "{{ value_json['b'] | float }}",
        "{{ value | int(0) * 2 }}",
        "{{ value_json.a.b.c }}",
        "{% for x in value %}{{ x }}{% endfor %}",
        "{% if value_json.state %}ON{% else %}OFF{% endif %}",
        "{{ value | regex_replace('[^0-9]', '') }}",
        "{{ '%s' % value_json }}{{ 9 ** 9 ** 9 }}",
        "{{ now() }}",
        "{{ states(entity_id) }}{{ this.state }}",
        "{{ value | unpack('>q') }}",
        "{{ position }}{{ tilt_position + 1 }}{{ code }}{{ red }}",
        '{"event_type": "press", "position": 5, "timings": [1]}',
        "{{",
    ]
)
usual = {
    "availability": st.lists(
        st.fixed_dictionaries({"t": some_topics, "val_tpl": some_templates}), max_size=2
    ),
    "schema": st.sampled_from(["json", "basic", "template", "emitter", "receiver", "state"]),
    **{key: some_topics for key in sorted(KEYS.values()) if key.endswith("_topic") or key == "topic"},
    **{key: some_templates for key in sorted(KEYS.values()) if key.endswith("_template")},
    **dict.fromkeys(
        (
            "options",
            "event_types",
            "modes",
            "preset_modes",
            "available_tones",
            "fan_speed_list",
            "effect_list",
        ),
        st.lists(st.sampled_from(["a", "press", "eco"]), max_size=3),
    ),
    "supported_features": st.lists(
        st.sampled_from(["start", "fan_speed", "arm_home", "trigger"]), max_size=3
    ),
    "reports_position": st.booleans(),
    "automation_type": st.just("trigger"),
    "encoding": st.sampled_from(["", "utf-8", "utf-16"]),
    "image_encoding": st.just("b64"),
    "code": st.sampled_from(["1234", "REMOTE_CODE", 7]),
    **dict.fromkeys(
        ("min", "max", "position_open", "position_closed", "tilt_min", "speed_range_min", "off_delay"),
        st.integers(-300, 300) | st.floats(allow_nan=False) | st.sampled_from([10**400, "5"]),
    ),
    "brightness": st.booleans(),
    "supported_color_modes": st.lists(st.sampled_from(["xy", "hs", "rgb", "color_temp"]), max_size=2),
    "device": st.dictionaries(st.sampled_from([*DEVICE_KEYS.values(), "name"]), values, max_size=3),
    "device_class": st.sampled_from(["temperature", "battery", "enum", "timestamp"]),
}
configs = st.builds(
    lambda usual_keys, any_keys: usual_keys | any_keys,
    st.fixed_dictionaries({}, optional=usual),
    st.dictionaries(
        st.sampled_from(sorted({"~", *KEYS, *KEYS.values()})),
        values | some_topics | some_templates,
        max_size=4,
    ),
)
announcements = (
    configs
    | st.builds(
        lambda config, inner, platform: config | {"components": {"a": inner | {"platform": platform}}},
        *(configs, configs, components),
    )
).map(lambda config: json.dumps(config).encode())
payloads = (
    st.binary()
    | st.text().map(str.encode)
    | values.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(
        st.sampled_from(
            ["a", "b", "state", "color", "brightness", "effect", "position", "event_type", "timings", "tone"]
        ),
        values,
    ).map(lambda value: json.dumps(value).encode())
    | st.sampled_from(
        [b"ON", b"OFF", b"21.5", b"None", b"[" * 50_000, b"9" * 5000, b'"' + b"x" * 100_000 + b'"']
    )
)


def assert_one_line(*texts):
    assert all("\n" not in text and len(text) < 1000 for text in texts)


@fast
@given(topics, st.binary() | announcements)
def test_any_topic_and_any_bytes_are_answered(topic, payload):
    answer = HA.hear(topic, payload)
    assert answer is None or isinstance(answer, Part | Withdrawal | Refusal)
    if isinstance(answer, Part):
        assert answer.identifiers
    if isinstance(answer, Refusal):
        assert_one_line(answer.reason)


@fast
@given(
    st.lists(st.tuples(topics, announcements), min_size=1, max_size=3), st.lists(payloads, max_size=3), values
)
def test_any_announcement_can_be_described_read_and_driven(announced, messages, value):
    parts = [part for topic, payload in announced if isinstance(part := HA.hear(topic, payload), Part)]
    start = time.perf_counter()
    described = HA.describe(parts)
    assert isinstance(described, Description)
    assert_one_line(*described.notes)
    assert described.td["title"]
    names = {name for group in ("properties", "actions", "events") for name in described.td.get(group, {})}
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in names)
    assert described.outlets.keys() <= names
    json.dumps(described.td)
    for inlet in described.inlets:
        for payload in messages:
            uptake = inlet.read(payload)
            assert isinstance(uptake, Uptake)
            assert uptake.values.keys() | {name for name, _ in uptake.events} <= names
            json.dumps([uptake.values, uptake.events])
            assert_one_line(*uptake.notes)
    for outlet in described.outlets.values():
        for given_value in (value, True, 5, "x", {"x": 1, "y": 2}, {"code": "1"}, {"timings": [1]}, None):
            answer = outlet.write(given_value)
            assert isinstance(answer, Outgoing | Refusal)
    assert time.perf_counter() - start < SECONDS * (1 + len(described.inlets) * len(messages))


@fast
@given(st.permutations(range(3)), st.lists(st.tuples(topics, announcements), min_size=3, max_size=3))
def test_the_order_of_announcements_does_not_matter(order, announced):
    parts = {topic: part for topic, payload in announced if isinstance(part := HA.hear(topic, payload), Part)}
    listed = list(parts.values())
    shuffled = [listed[index] for index in order if index < len(listed)]
    assert HA.describe(listed).td == HA.describe(shuffled).td


@settings(fast, max_examples=400)
@given(templates, payloads.map(lambda payload: payload.decode(errors="replace")), values)
def test_any_template_ends_soon(source, value, value_json):
    start = time.perf_counter()
    try:
        template = compile_template(source).knowing(STATE_NAMES, {"entity_id": "a.b"})
        text = template.render({"value": value, "value_json": value_json}, len(value))
        assert text is None or isinstance(text, str)
    except Unfit as unfit:
        assert_one_line(str(unfit))
    assert time.perf_counter() - start < SECONDS
