"""Templates from announcements: what they can do, and that they cannot run away."""

import contextlib
import time

import pytest

from diat.vol.dialects.homeassistant.entity import STATE_NAMES
from diat.vol.dialects.jinja import bounds
from diat.vol.dialects.jinja.templates import compile_template
from diat.vol.dialects.words import Unfit

JSON = {
    "a": 1,
    "b": {"c": 2.5},
    "none": None,
    "yes": True,
    "items": "mine",
    "list": [3, 1, 2],
    "text": "21,5 C",
}
TEXT = "hello world 42"
SOON = 2.0  # s, on a busy machine


def render(source, value=TEXT, value_json=JSON):
    return compile_template(source).render({"value": value, "value_json": value_json}, len(value))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ value }}", TEXT),
        ("  {{ value_json.a }}\n", "1"),
        ("{{ value_json['b'].c }}", "2.5"),
        ("{{ value_json.none }}", "None"),
        ("{{ value_json.yes }}", "True"),
        ("{{ value_json.items }}", "mine"),
        ("{{ value_json.missing }}", ""),
        ("{{ value_json.missing | default('x') }}", "x"),
        ("{{ value_json.none | default('', True) | string | truncate(254, True, '', 0) }}", ""),
        ("{{ value | truncate(5, True, '', 0) }}", "hello"),
        ("{{ value_json.yes | lower }}", "true"),
        ("{{ value_json.b.c | round(0) }}", "2"),
        ("{{ value_json.b.c | round(1) }}", "2.5"),
        ("{{ value_json.b.c | round(0, 'ceil') }}", "3"),
        ("{{ value_json.b.c | int }}{{ '7' | int + 1 }}{{ 'x' | int(0) }}", "280"),
        ("{{ 'x' | float(1.5) }}", "1.5"),
        ("{{ (value_json.a == 1) | iif('on', 'off') }}", "on"),
        ("{{ value_json.list | join('-') }}", "3-1-2"),
        ("{{ value_json.list | sort | first }}", "1"),
        ("{{ value_json.list | tojson }}", "[3,1,2]"),
        ("{{ '[1, 2]' | from_json | last }}", "2"),
        ("{{ 6 | bitwise_and(3) }}", "2"),
        ("{{ value_json.text | regex_replace('[^0-9,]', '') | replace(',', '.') | float }}", "21.5"),
        ("{{ value | regex_findall_index('[0-9]+') }}", "42"),
        ("{{ 'yes' if value is search('WORLD', ignorecase=True) else 'no' }}", "yes"),
        ("{{ value.split(' ')[2] | int }}", "42"),
        ("{{ '%.1f' | format(2.25) }}{{ '%03d' % 7 }}{{ '{:.2f}'.format(1) }}", "2.20071.00"),
        ("{% for x in value_json.list %}{{ loop.index }}{{ x }};{% endfor %}", "13;21;32;"),
        ("{% for k, v in value_json.b.items() %}{{ k }}={{ v }}{% endfor %}", "c=2.5"),
        ("{% for x in value_json.list %}{{ value.replace('o', '0') | length }} {% endfor %}", "14 14 14"),
        ("{{ {0: 'off', 1: 'low'}[value_json.a] | default('') }}", "low"),
        ("{{ value_json.list[1:] }}{{ 'abc'[:1] }}", "[1, 2]a"),
        ("{{ 1700000000 | timestamp_custom('%Y-%m-%d %H:%M') }}", "2023-11-14 22:13"),
        ("{{ as_timestamp('2023-11-14T22:13:20+00:00') | int }}", "1700000000"),
        ("{{ strptime('14.11.2023', '%d.%m.%Y').isoformat() }}", "2023-11-14T00:00:00+00:00"),
        ("{% raw %}{{ value }}{% endraw %}", "{{ value }}"),
        (
            "{% set ns = namespace(sum=0) %}{% for x in value_json.list %}{% set ns.sum = ns.sum + x %}"
            "{% endfor %}{{ ns.sum }}{{ ns.none }}",
            "6",
        ),
        ("{% for x in range(9) %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}", "01"),
        ("{{ value_json.list | map('float') | select('gt', 1) | list | tojson }}", "[3.0,2.0]"),
        ("{{ [{'a': 1}, {'a': 2}, {}] | selectattr('a', 'eq', 2) | map(attribute='a') | first }}", "2"),
        ("{{ [1, [2, [3]]] | flatten | reject('odd') | join }}", "2"),
        ("{{ [1, 2] | union([2, 3]) | difference([1]) | average }}", "2.5"),
        ("{{ 'a b-c' | slugify }}{{ 12 | clamp(0, 9) }}{{ 5 | remap(0, 10, 0, 100) | int }}", "a_b_c950"),
        ("{{ {'a': 1} | combine({'b': 2}) | dictsort | length }}", "2"),
        ("{{ (as_datetime(120) - as_datetime(0)).total_seconds() | int }}", "120"),
        ("{{ 'x' | base64_encode | base64_decode }}{{ 'x' | md5 | length }}", "x32"),
        ("no template", "no template"),
    ],
)
def test_what_devices_write_works(source, text):
    assert render(source) == text


@pytest.mark.parametrize(
    "source",
    [
        "{{ value_json.x.y }}",
        "{{ value_json.x | is_defined }}",
        "{{ value_json.x | float }}",
        "{{ value_json.x + 1 }}",
    ],
)
def test_what_the_message_does_not_have_gives_nothing(source):
    assert render(source) is None


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{% macro m() %}{% endmacro %}", "macro"),
        ("{% import 'a' as a %}", "import"),
        ("{% from 'a' import b %}", "fromimport"),
        ("{% include 'a' %}", "include"),
        ("{% extends 'a' %}", "extends"),
        ("{% block a %}{% endblock %}", "block"),
        ("{% set a %}{{ value }}{% endset %}", "assignblock"),
        ("{% filter upper %}{% endfilter %}", "filterblock"),
        ("{% for a in value %}{% for b in value %}{% endfor %}{% endfor %}", "a loop inside a loop"),
        ("{% for a in value recursive %}{{ loop(a) }}{% endfor %}", "a loop inside a loop"),
        ("{{ value | center(9) }}", "No filter named 'center'"),
        ("{{ value", "cannot be used"),
        ("{{ " + "(" * 3000, "cannot be used"),
        ("{{ " + "-" * 60 + "1 }}", "nests"),
        ("{{ " + "-" * 3000 + "1 }}", "cannot be used"),
        ("{% if 1 %}" * 100 + "{% endif %}" * 100, "nests"),
        ("x" * 4097, "longer than 4096"),
    ],
)
def test_what_is_not_offered_is_refused_when_compiled(source, says):
    with pytest.raises(Unfit) as refused:
        compile_template(source)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ states('sensor.other') }}", None),
        ("{{ state_attr(entity_id, 'x') == None }}", None),
        ("{% if is_state(entity_id, 'on') %}OFF{% else %}ON{% endif %}", None),
        ("{{ this.state }}", None),
        ("{{ now().isoformat() }}", None),
        ("{{ 'a' ~ nobody }}", None),
        ("{{ nobody | default('x') }}", "x"),
        ("{{ 'known' if value else now() }}", "known"),
        ("{{ entity_id }}", "sensor.it"),
    ],
)
def test_what_nobody_here_knows_has_no_value(source, text):
    template = compile_template(source).knowing(STATE_NAMES, {"entity_id": "sensor.it"})
    assert template.render({"value": TEXT}) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ value | unpack('>h') }}", "258"),
        ("{{ value | unpack('BB') | last }}", "2"),
        ("{{ value[0] }}{{ value.hex() }}", "10102"),
        ("{{ value.decode() | length }}", "2"),
    ],
)
def test_raw_bytes(source, text):
    assert render(source, value=b"\x01\x02") == text


@pytest.mark.parametrize(
    "source",
    [
        "{{ value % 1 }}",
        "{{ value * 99999999 }}",
        "{{ value | unpack('999999999B') }}",
        "{{ value | unpack('>q', 9) }}",
        "{{ value | unpack('nonsense') }}",
        "{% set a = value %}" + "{% set a = a + a %}" * 60,
    ],
)
def test_hostile_raw_bytes(source):
    with pytest.raises(Unfit):
        render(source, value=b"%99999999999d")


GROW = "{% set a = 'x' %}" + "{% set a = a OP a %}" * 60

HOSTILE = [
    "{{ 9 ** 999999999 }}",
    "{{ 'a' * 10 ** 9 }}",
    "{{ [1] * 10 ** 9 }}",
    "{{ (10 ** 64) * (10 ** 64) * (10 ** 64) }}",
    "{{ 9 ** 9 ** 9 ** 9 }}",
    "{{ range(10 ** 9) | list }}",
    "{% for a in range(10 ** 9) %}{{ a }}{% endfor %}",
    "{{ '%999999999d' % 1 }}",
    "{{ '%*d' % (999999999, 1) }}",
    "{{ '%999999999d' | format(1) }}",
    "{{ '{:999999999}'.format(1) }}",
    "{{ '{0:{1}}'.format(1, 999999999) }}",
    "{{ '{0.__class__}'.format(value) }}",
    "{{ 1.5 | round(10 ** 9) }}",
    "{{ 0 | timestamp_custom('%999999999Y') }}",
    "{{ value | replace('', value * 9) }}",
    GROW.replace("OP", "+"),
    GROW.replace("OP", "~"),
    "{% set a = [1] %}" + "{% set a = [a, a] %}" * 60 + "{{ a }}",
    "{% set a = {'x': 1} %}" + "{% set a = {'x': a, 'y': a} %}" * 60 + "{{ a | tojson }}",
    "{% set a = 9 %}" + "{% set a = a * a %}" * 60 + "{{ a }}",
    "{{ value | regex_replace('(a+)+$', '') }}",
    "{{ value | regex_replace('(a|a)*$', '') }}",
    "{{ value | regex_replace('" + "a?" * 30 + "a" * 30 + "', '') }}",
    "{{ value | regex_replace('.*.*.*.*.*=', '') }}",
    "{{ value | regex_replace('(.)\\\\1', '') }}",
    "{{ value | regex_replace('(?=x)', '') }}",
    "{{ value | regex_replace('[[a]', '') }}",
    "{{ value | regex_replace('a', '\\\\9') }}",
    "{% for i in range(256) %}" + "{% set z = range(256) | list | sort | join %}" * 60 + "{% endfor %}",
    "{{ range(256) | map('nosuch') | list }}",
    "{{ range(999) | map('string') | list }}",
    "{{ [value * 1] | flatten | sum }}",
    "{{ value() }}",
    "{{ value_json.a() }}",
    "{{ 'x' | float }}",
    "{{ 1 / 0 }}",
    "{{ (1 == 1)[1:] }}",
    "{{ '%Y%Y' and strptime('1', '%Y%Y') }}",
]


@pytest.mark.parametrize("source", HOSTILE)
@pytest.mark.parametrize("value", [TEXT, "a" * 200, "a" * 200_000])
def test_what_is_hostile_is_stopped_soon(source, value):
    start = time.perf_counter()
    with pytest.raises(Unfit) as stopped:
        render(source, value=value)
    assert time.perf_counter() - start < SOON
    assert "\n" not in str(stopped.value)


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(256) %}{% if value[:99] is search('x*x*y') %}{% endif %}{% endfor %}",
        "{% for i in range(256) %}{{ value }}{{ value }}{{ value }}{{ value }}{% endfor %}",
        "{% for i in range(256) %}{% if value | upper == value | lower %}{% endif %}{% endfor %}",
        "{% set n = namespace(a='x') %}{% for i in range(256) %}{% set n.a = n.a ~ n.a %}{% endfor %}",
        "{% set n = namespace(a=[1]) %}{% for i in range(256) %}{% set n.a = [n.a, n.a] %}{% endfor %}",
        "{% set n = namespace() %}{% for i in range(256) %}{% set n.a = [n, n.a] %}{% endfor %}{{ n.a }}",
        "{% for i in range(256) %}{{ range(256) | map('string') | join }}{% endfor %}",
        "{{ " + "9" * 4080 + " }}",
    ],
)
@pytest.mark.parametrize("value", [TEXT, "a" * 200, "a" * 200_000])
def test_what_is_costly_ends_soon(source, value):
    start = time.perf_counter()
    with contextlib.suppress(Unfit):
        assert len(render(source, value=value)) <= bounds.MAX_TEXT
    assert time.perf_counter() - start < SOON


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ value.__init__ }}",
        "{{ value_json.__class__ }}",
        "{{ value_json['__class__'] }}",
        "{{ value.encode }}",
        "{{ value_json.update }}",
        "{{ value_json.list.append }}",
        "{{ range.__globals__ }}",
        "{{ value.format.__globals__ }}",
        "{{ namespace(a=1).__class__ }}",
        "{{ namespace(a=1)._Namespace__attrs }}",
        "{{ namespace.mro }}",
    ],
)
def test_attributes_that_are_not_offered_are_not_there(source):
    assert render(source) == ""


def test_large_messages_are_read_by_small_templates():
    large = {"version": "2.1", "schema": ["x" * 100] * 3000}
    assert render("{{ value_json.version }}", value="x" * 300_000, value_json=large) == "2.1"


def test_the_same_template_is_compiled_once():
    assert compile_template("{{ value }}") is compile_template("{{ value }}")


def test_a_deeply_nested_message():
    nested = []
    for _ in range(100_000):
        nested = [nested]
    for source in ("{{ value_json }}", "{{ value_json | tojson }}", "{{ value_json == value_json[0] }}"):
        with pytest.raises(Unfit):
            render(source, value_json=nested)
    while nested:  # or freeing it would recurse
        nested = nested[0]
