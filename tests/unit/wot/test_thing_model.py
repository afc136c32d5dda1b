"""Thing Models: which are accepted, and what is derived from them."""

import json

import pytest

from diat.kernel.errors import Invalid
from diat.wot.td import CONTEXT, fault
from diat.wot.thing_model import derive, model_fault

LAMP = "http://models.example/lamp.tm.json"
SWITCH = "http://models.example/switch.tm.json"


def tm(**changes):
    whole = {"@context": [CONTEXT], "@type": "tm:ThingModel", "title": "Lamp"} | changes
    return {key: value for key, value in whole.items() if value is not None}


def extending(*addresses, **changes):
    return tm(links=[{"rel": "tm:extends", "href": each} for each in addresses], **changes)


def ref(target, **over):
    return {"tm:ref": target} | over


def refused(model, *, models=None, **given):
    with pytest.raises(Invalid) as caught:
        derive(model, resolver=(models or {}).get, **given)
    return caught.value.field, str(caught.value)


@pytest.mark.parametrize(
    "accepted",
    [
        tm(title=None),
        tm(**{"@type": ["tm:ThingModel", "saref:Lamp"]}),
        tm(properties={"on": {"type": "boolean"}}, **{"tm:optional": ["/properties/on"]}),
        tm(version="{{VERSION}}", base="mqtt://{{BROKER}}", properties={"t": {"maximum": "{{MAX}}"}}),
        tm(version={"model": "1.0.0"}),
        extending(LAMP, **{"tm:optional": ["/properties/inherited"]}),
        tm(properties={"on": ref(f"{SWITCH}#/properties/onOff")}),
        tm(securityDefinitions={"s": {"scheme": "{{SCHEME}}"}}),
    ],
)
def test_accepted(accepted):
    assert model_fault(accepted, document=json.dumps(accepted)) is None


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ([], 'is not of type "object"'),
        (tm(**{"@context": None}), '"@context" is a required property'),
        (tm(**{"@type": "Thing"}), "@type: "),
        (tm(version={"model": "1", "instance": "1"}), "version: "),
        (tm(securityDefinitions={"s": {"scheme": "{SCHEME}"}}), "securityDefinitions.s.scheme: "),
        (tm(**{"tm:optional": ["/properties/nothing"]}), "tm:optional.0: there is nothing at"),
        (tm(**{"tm:optional": ["/title"]}), "tm:optional.0: "),
        (tm(**{"tm:required": ["#properties/x"]}), "tm:required.0: not a JSON pointer"),
        (tm(properties={"a": ref("lamp")}), "properties.a.tm:ref: it must be a file"),
        (tm(properties={"a": {"x": {"{{NAME}}": 1}}}), "properties.a.x.{{NAME}}: a placeholder cannot"),
        (tm(links=[{"rel": "type", "href": "a"}, {"rel": "type", "href": "b"}]), "links.1.rel: a second"),
    ],
)
def test_refused_with_the_reason(wrong, reason):
    found = model_fault(wrong)
    assert found is not None
    assert reason in found


def test_what_makes_it_a_model_is_taken_off():
    model = tm(
        id="urn:model:lamp",
        version={"model": "2.1"},
        properties={"on": {"type": "boolean"}, "dim": {"type": "integer"}},
        links=[{"rel": "tm:submodel", "href": SWITCH, "instanceName": "wall"}],
        **{"tm:optional": ["/properties/dim"], "@type": ["tm:ThingModel", "saref:Lamp"]},
    )
    made = derive(model, own={"id": "urn:dev:l1", "title": "Hall lamp"})
    assert fault(made) is None
    assert made["id"] == "urn:dev:l1"
    assert made["title"] == "Hall lamp"
    assert made["@type"] == ["saref:Lamp"]
    assert made["version"] == {"model": "2.1", "instance": "2.1"}
    assert made["links"] == [
        {"rel": "tm:submodel", "href": SWITCH, "instanceName": "wall"},
        {"rel": "type", "href": "urn:model:lamp", "type": "application/tm+json"},
    ]
    assert set(made["properties"]) == {"on", "dim"}
    assert not any(key.startswith("tm:") for key in made)


def test_a_thing_is_called_as_its_model_if_nobody_says_otherwise():
    assert derive(tm(title=None, id="urn:models:lamp"))["title"] == "lamp"
    assert refused(tm(title=None))[1] == '"title" is a required property'


def test_what_is_optional_may_be_left_out():
    model = tm(
        properties={"on": {"type": "boolean"}, "dim": {"type": "integer"}},
        **{"tm:optional": ["/properties/dim"]},
    )
    assert set(derive(model, without=["/properties/dim"])["properties"]) == {"on"}
    assert refused(model, without=["/properties/on"]) == ("without", "/properties/on is not optional")
    assert refused(model, without=["/actions/on"]) == ("without", "the model has nothing at /actions/on")


def test_placeholders_take_values_of_any_type():
    model = tm(
        title="Thermostat no. {{NUMBER}}",
        version="{{VERSION}}",
        base="mqtt://{{BROKER}}:{{ PORT }}/",
        properties={
            "temperature": {"type": "number", "maximum": "{{MAX}}", "readOnly": "{{READ}}", "enum": "{{ALL}}"}
        },
    )
    values = {
        "NUMBER": 7,
        "VERSION": {"instance": "1"},
        "BROKER": "b",
        "PORT": 1883,
        "MAX": 30.5,
        "READ": True,
        "ALL": [20, None],
    }
    made = derive(model, values)
    assert made["title"] == "Thermostat no. 7"
    assert made["version"] == {"instance": "1"}
    assert made["base"] == "mqtt://b:1883/"
    assert made["properties"]["temperature"] == {
        "type": "number",
        "maximum": 30.5,
        "readOnly": True,
        "enum": [20, None],
    }


def test_what_is_given_for_a_placeholder_is_not_read_again():
    assert derive(tm(title="{{A}}", description="{{B}}"), {"A": "{{B}}", "B": "b"})["title"] == "{{B}}"


@pytest.mark.parametrize(
    ("values", "field", "reason"),
    [
        ({}, "placeholders.MAX", "no value is given for placeholder 'MAX' at properties.t.maximum"),
        ({"MAX": 1, "MIN": 2}, "placeholders.MIN", "the model has no placeholder 'MIN'"),
        ({"MAX": "high"}, "properties.t.maximum", 'properties.t.maximum: "high" is not of type "number"'),
        ({"MAX": -1}, "properties.t.minimum", "properties.t.minimum: 0 is beyond maximum -1"),
    ],
)
def test_values_that_do_not_fit(values, field, reason):
    model = tm(properties={"t": {"type": "number", "minimum": 0, "maximum": "{{MAX}}"}})
    assert refused(model, values=values) == (field, reason)


def test_an_object_cannot_stand_within_text():
    assert refused(tm(title="No. {{N}}"), values={"N": {}})[0] == "placeholders.N"


def test_a_model_adds_to_what_it_extends():
    models = {
        LAMP: tm(
            id="urn:lamp",
            description="A lamp",
            version={"model": "9"},
            properties={"on": {"type": "boolean"}, "dim": {"type": "integer", "minimum": 0, "maximum": 100}},
            **{"@context": [CONTEXT, {"saref": "https://saref.etsi.org/core/"}]},
        )
    }
    made = derive(
        extending(
            LAMP,
            title="Smart lamp",
            properties={"dim": {"maximum": 200}},
            **{"@context": [CONTEXT, {"ex": "https://example.org/"}]},
        ),
        resolver=models.get,
    )
    assert made["title"] == "Smart lamp"
    assert made["description"] == "A lamp"
    assert made["properties"] == {
        "on": {"type": "boolean"},
        "dim": {"type": "integer", "minimum": 0, "maximum": 200},
    }
    assert {"saref": "https://saref.etsi.org/core/"} in made["@context"]
    assert {"ex": "https://example.org/"} in made["@context"]
    assert not {"id", "version", "links"} & made.keys()


def test_null_is_a_value_like_any_other_in_a_model_that_extends_nothing():
    assert derive(tm(properties={"p": {"const": None}}))["properties"] == {"p": {"const": None}}


def test_addresses_are_relative_to_the_model_in_which_they_stand():
    models = {
        LAMP: extending("switch.tm.json", properties={"dim": ref("#/properties/on", title="Dim")}),
        SWITCH: tm(properties={"on": {"type": "boolean"}}),
    }
    made = derive(extending(LAMP), resolver=models.get)
    assert made["properties"] == {
        "on": {"type": "boolean"},
        "dim": {"type": "boolean", "title": "Dim"},
    }


def test_references_lead_on_and_are_overridden_where_they_stand():
    models = {SWITCH: tm(properties={"on/off": {"type": "boolean", "title": "On"}})}
    made = derive(
        tm(
            properties={
                "a": ref(f"{SWITCH}#/properties/on~1off", title="A"),
                "b": ref("#/properties/a", title="B"),
            }
        ),
        resolver=models.get,
    )
    assert made["properties"] == {
        "a": {"type": "boolean", "title": "A"},
        "b": {"type": "boolean", "title": "B"},
    }


@pytest.mark.parametrize(
    ("model", "models", "field", "reason"),
    [
        (extending(LAMP), {}, "links.0.href", f"there is no Thing Model {LAMP}"),
        (extending(LAMP), {LAMP: extending(LAMP)}, "links.0.href", f"{LAMP} extends itself"),
        (
            extending(LAMP),
            {LAMP: extending(SWITCH), SWITCH: extending(LAMP)},
            "links.0.href",
            f"{LAMP} extends itself",
        ),
        (
            extending(LAMP),
            {LAMP: extending(SWITCH), SWITCH: tm(properties={"a": ref(f"{LAMP}#/properties/a")})},
            "links.0.href.properties.a.tm:ref",
            f"{LAMP} extends itself, or needs itself",
        ),
        (tm(properties={"a": ref("#/properties/a")}), {}, "properties.a.tm:ref", "leads back to itself"),
        (
            tm(properties={"a": ref("#/properties/b"), "b": ref("#/properties/a")}),
            {},
            "properties.a.tm:ref",
            "leads back to itself",
        ),
        (tm(properties={"a": ref("#/properties")}), {}, "properties.a.a.tm:ref", "leads back"),
        (tm(properties={"a": ref("#/actions/a")}), {}, "properties.a.tm:ref", "there is nothing at"),
        (
            tm(properties={"a": ref(f"{SWITCH}#/properties/a")}),
            {},
            "properties.a.tm:ref",
            "there is no Thing Model",
        ),
        (extending(LAMP), {LAMP: tm(properties=[])}, "properties", "properties: "),
    ],
)
def test_what_cannot_be_taken_from_others(model, models, field, reason):
    found_field, found = refused(model, models=models)
    assert found_field == field
    assert reason in found


def test_a_few_references_do_not_make_a_document_without_measure():
    models = {
        f"p{step}": {"a": ref(f"#/actions/x/p{step + 1}"), "b": ref(f"#/actions/x/p{step + 1}")}
        for step in range(30)
    }
    field, found = refused(tm(actions={"x": {**models, "p30": {}}}))
    assert "more than" in found
    assert field.startswith("actions.x")
