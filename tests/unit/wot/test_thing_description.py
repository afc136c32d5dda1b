"""Which Thing Descriptions are accepted, and the reasons for which others are not."""

import json

import pytest

from diat.wot.document import repeated_name
from diat.wot.td import CONTEXT, CONTEXT_1_0, bare, complete, fault

FORM = {"href": "https://lamp.example/status"}


def td(**changes):
    """A whole description with one property; None removes a member."""
    whole = {
        "@context": CONTEXT,
        "id": "urn:dev:lamp",
        "title": "Lamp",
        "securityDefinitions": {"basic_sc": {"scheme": "basic", "in": "header"}},
        "security": ["basic_sc"],
        "properties": {"status": {"type": "string", "forms": [FORM]}},
    } | changes
    return {key: value for key, value in whole.items() if value is not None}


def with_schemes(**schemes):
    return td(securityDefinitions=schemes, security=[next(iter(schemes))])


def with_property(**affordance):
    return td(properties={"status": {"forms": [FORM]} | affordance})


@pytest.mark.parametrize(
    "accepted",
    [
        td(),
        td(properties=None),
        td(security="basic_sc"),
        td(**{"@context": [CONTEXT_1_0, CONTEXT, {"ex": "https://example.org/"}]}),
        td(**{"@context": CONTEXT_1_0}),
        td(**{"@context": [CONTEXT, {"@language": "de", "@direction": "ltr"}]}),
        td(created="2024-02-29T12:00:00Z", modified="2024-02-29T12:00:00.5+01:00"),
        td(titles={"en": "Lamp", "zh-Hant-HK": "燈"}),
        td(base="https://{host}/", uriVariables={"host": {"type": "string"}}),
        td(links=[{"rel": "type", "href": "urn:model"}, {"rel": "item", "href": "urn:other"}]),
        td(unknown={"nobody": "knows"}),
        with_property(minimum=5, maximum=5),
        with_property(const=None),
        with_schemes(
            both={"scheme": "combo", "allOf": ["basic_sc", "key"]},
            basic_sc={"scheme": "basic"},
            key={"scheme": "apikey", "in": "query", "name": "k"},
        ),
        with_schemes(o={"scheme": "oauth2", "flow": "client", "token": "https://a/t"}),
        with_schemes(o={"scheme": "oauth2", "flow": "device"}),
        with_schemes(own={"scheme": "ace:ACESecurityScheme"}),
        td(
            securityDefinitions={"key": {"scheme": "apikey", "in": "uri", "name": "hueKey"}},
            security="key",
            properties={"status": {"forms": [{"href": "https://a/api/{hueKey}/1"}]}},
        ),
        td(
            schemaDefinitions={"failure": {"type": "string"}},
            actions={"a": {"forms": [FORM | {"additionalResponses": [{"schema": "failure"}]}]}},
        ),
        with_property(
            uriVariables={"from": {"type": "string"}, "to": {"type": "integer"}},
            forms=[{"href": "https://a/history{?from,to:3}"}],
        ),
    ],
)
def test_accepted(accepted):
    assert fault(accepted, document=json.dumps(accepted)) is None


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (td(title=None), '"title" is a required property'),
        (td(title=None, name="Lamp"), "a draft older than Thing Description 1.0"),
        (td(security=None), '"security" is a required property'),
        (td(security=[]), "security: [] has less than 1 item"),
        (td(security="other"), "security: 'other' is not defined in securityDefinitions"),
        (td(**{"@context": "https://example.org/"}), "@context: "),
        (td(**{"@context": [CONTEXT, {"@direction": "down"}]}), "@context.1.@direction: neither"),
        (td(**{"@type": "tm:ThingModel"}), "@type: tm:ThingModel: a Thing Model"),
        (td(properties={"status": {"type": "string"}}), 'properties.status: "forms" is a required'),
        (td(events={"hot": {}}), 'events.hot: "forms" is a required'),
        (td(actions={"go": "away"}), 'actions.go: "away" is not of type "object"'),
        (td(base="lamp.example"), "base: not an absolute URI"),
        (td(created="yesterday"), 'created: "yesterday" is not a "date-time"'),
        (td(titles={"not a tag": "Lamp"}), "titles.not a tag: not a language tag"),
        (td(version={"model": "1"}), 'version: "instance" is a required property'),
        (
            td(links=[{"rel": "type", "href": "urn:a"}, {"rel": "type", "href": "urn:b"}]),
            "links.1.rel: a second link of relation 'type'",
        ),
        (with_property(enum=[]), "properties.status.enum: [] has less than 1 item"),
        (with_property(minimum=5, maximum=4), "properties.status.minimum: 5 is beyond maximum 4"),
        (
            with_property(exclusiveMinimum=4, maximum=4),
            "properties.status.exclusiveMinimum: 4 is beyond maximum 4",
        ),
        (
            with_property(items=[{"oneOf": [{"minLength": 2, "maxLength": 1}]}]),
            "properties.status.items.0.oneOf.0.minLength: 2 is beyond maxLength 1",
        ),
        (with_property(readOnly=True, writeOnly=True), "properties.status: readOnly and writeOnly at once"),
        (
            with_property(forms=[FORM | {"op": "invokeaction"}]),
            "properties.status.forms.0.op: ",
        ),
        (
            td(actions={"go": {"forms": [FORM | {"op": ["invokeAction"]}]}}),
            'actions.go.forms.0.op.0: "invokeAction" is not one of',
        ),
        (td(forms=[{"href": "/all"}]), 'forms.0: "op" is a required property'),
        (
            with_property(forms=[FORM | {"security": ["nowhere"]}]),
            "properties.status.forms.0.security: 'nowhere' is not defined",
        ),
        (
            with_property(forms=[{"href": "https://a/{x}"}]),
            "properties.status.forms.0.href: variable 'x' is not declared in uriVariables",
        ),
        (
            with_property(uriVariables={"x": {"type": "object"}}),
            "properties.status.uriVariables.x.type: a URI variable can be neither object nor array",
        ),
        (
            with_property(forms=[FORM | {"additionalResponses": [{"schema": "nowhere"}]}]),
            "properties.status.forms.0.additionalResponses.0.schema: 'nowhere' is not defined",
        ),
        (with_schemes(s={"scheme": "secret"}), "securityDefinitions.s.scheme: neither a scheme of TD 1.1"),
        (with_schemes(s={"in": "header"}), "securityDefinitions.s: no object that names its scheme"),
        (
            with_schemes(s={"scheme": "basic", "in": "nowhere"}),
            'securityDefinitions.s.in: "nowhere" is not one of',
        ),
        (with_schemes(s={"scheme": "combo"}), "securityDefinitions.s: it needs either oneOf or allOf"),
        (
            with_schemes(s={"scheme": "combo", "oneOf": ["s", "t"]}, t={"scheme": "nosec"}),
            "securityDefinitions.s: it combines itself",
        ),
        (
            with_schemes(s={"scheme": "combo", "oneOf": ["t", "u"]}, t={"scheme": "nosec"}),
            "securityDefinitions.s: it combines 'u', which is not defined",
        ),
        (with_schemes(o={"scheme": "oauth2", "flow": "code"}), "securityDefinitions.o: flow 'code' needs"),
        (
            with_schemes(o={"scheme": "oauth2", "flow": "client", "token": "t", "authorization": "a"}),
            "securityDefinitions.o.authorization: flow 'client' must not have it",
        ),
        (
            with_schemes(k={"scheme": "apikey", "in": "uri", "name": "key"}),
            "properties.status.forms.0.href: no place for 'key'",
        ),
        (
            with_schemes(k={"scheme": "apikey", "in": "body", "name": "key"}),
            "securityDefinitions.k.name: for something in the body it must be a JSON pointer",
        ),
        (
            with_schemes(k={"scheme": "apikey", "in": "uri", "name": "key"})
            | {"uriVariables": {"key": {"type": "string"}}, "properties": {}},
            "uriVariables.key: the name belongs to a security scheme",
        ),
    ],
)
def test_refused_with_the_reason(refused, reason):
    found = fault(refused)
    assert found is not None
    assert found.startswith(reason)


def test_a_bare_description_leaves_forms_to_the_platform():
    native = {
        "title": "Thermometer",
        "properties": {"temperature": {"type": "number"}},
        "events": {"hot": {}},
    }
    assert bare(native)
    assert fault(complete(native)) is None
    assert (
        fault(complete(native), forms_follow=False)
        == 'properties.temperature: "forms" is a required property'
    )


def test_one_with_forms_or_security_of_its_own_is_not_bare():
    native = {"title": "T", "properties": {"temperature": {}}}
    open_one = {"securityDefinitions": {"n": {"scheme": "nosec"}}, "security": "n"}
    assert bare(native | open_one)
    assert not bare(native | {"securityDefinitions": {"n": {"scheme": "basic"}}, "security": "n"})
    assert not bare(native | {"security": "n"})
    assert not bare({"title": "T", "actions": {"go": {"forms": [FORM]}}})


@pytest.mark.parametrize(
    ("given", "completed"),
    [
        (None, [CONTEXT]),
        ("https://example.org/", [CONTEXT, "https://example.org/"]),
        (CONTEXT_1_0, [CONTEXT_1_0, CONTEXT]),
        ([CONTEXT_1_0, {"a": "b"}], [CONTEXT_1_0, CONTEXT, {"a": "b"}]),
    ],
)
def test_our_terms_join_the_context_that_is_given(given, completed):
    made = complete({"title": "T"} | ({"@context": given} if given else {}))
    assert made["@context"][:-1] == completed
    assert made["@context"][-1]["diat"] == "urn:diat:vocab#"
    assert complete(made) == made
    assert fault(made) is None


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ('{"a": 1, "b": {"a": 2}}', None),
        ('{"a": 1, "a": 1}', "a: given twice"),
        ('{"properties": {"status": {}, "other": {}, "status": {}}}', "properties.status: given twice"),
        ('{"x": [0, {"y": [{"z": 1, "z": 2}]}]}', "x.1.y.0.z: given twice"),
        ('{"x": {"deep": 1, "deep": 2}, "x": {}}', "deep: given twice"),
        ("no JSON", None),
        ("[" * 100_000, None),
    ],
)
def test_names_given_twice_are_found_in_the_text(document, place):
    assert repeated_name(document) == place


def test_a_description_with_a_name_given_twice_is_refused():
    text = json.dumps(td())
    twice = text.replace('"status": ', '"status": {"type": "null"}, "status": ')
    assert fault(json.loads(twice), document=twice) == "properties.status: given twice"
