"""``/.well-known/wot``: the platform introduces itself as a directory that works as it says."""

from __future__ import annotations

import json
import re
from importlib import resources
from urllib.parse import quote, urljoin

import jsonschema_rs
import pytest

from diat.wot.td import fault

PATH = "/.well-known/wot"
LAMP = {
    "@context": "https://www.w3.org/2022/wot/td/v1.1",
    "title": "Lamp",
    "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
    "security": "nosec_sc",
}


@pytest.fixture
def td(house):
    return house.get(PATH)


@pytest.fixture
def use(td, rest):
    """``use(kind, name, body, **variables)``: what the first form of an affordance answers."""

    def use(kind, name, body=None, **variables):
        (form,) = td[kind][name]["forms"]
        left, href = dict(variables), form["href"]
        for variable in re.findall(r"\{(\w+)\}", href):
            href = href.replace(f"{{{variable}}}", quote(str(left.pop(variable)), safe=""))
        query = re.search(r"\{\?([\w,]+)\}", href)
        if query is not None:
            assert set(left) <= set(query[1].split(","))
            href = href.replace(query[0], "")
        headers = {"content-type": form["contentType"]} if body is not None else {}
        content = json.dumps(body) if body is not None else None
        answer = rest.request(
            form["htv:methodName"], urljoin(td["base"], href), content=content, headers=headers, params=left
        )
        assert answer.status_code == form["response"]["htv:statusCodeValue"], answer.text
        if answer.content:
            assert answer.headers["content-type"] == form["response"]["contentType"]
        return answer

    return use


def test_is_a_valid_description_of_a_directory(td, rest):
    schema = json.loads((resources.files("diat.wot") / "td-1.1.schema.json").read_text("utf-8"))
    assert [e.message for e in jsonschema_rs.Draft7Validator(schema).iter_errors(td)] == []
    assert fault(td) is None
    assert td["@type"] == "ThingDirectory"
    assert td["@context"][1] == "https://www.w3.org/2022/wot/discovery"
    assert rest.get(PATH).headers["content-type"] == "application/td+json"
    head = rest.head(PATH)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(rest.get(PATH).content)


def test_has_all_affordances_of_the_thing_model_but_those_not_offered(td):
    assert set(td["properties"]) == {"things"}
    assert set(td["actions"]) == {
        "createThing",
        "createAnonymousThing",
        "retrieveThing",
        "updateThing",
        "partiallyUpdateThing",
        "deleteThing",
        "searchJSONPath",
    }
    assert set(td["events"]) == {"thingCreated", "thingUpdated", "thingDeleted"}


def test_its_forms_work_when_followed(use):
    made = use("actions", "createAnonymousThing", LAMP).headers["location"]
    thing = "urn:example:introduced"
    use("actions", "createThing", {**LAMP, "id": thing}, id=thing)
    use("actions", "updateThing", {**LAMP, "id": thing, "title": "New"}, id=thing)
    use("actions", "partiallyUpdateThing", {"description": "x"}, id=thing)
    got = use("actions", "retrieveThing", id=thing).json()
    assert (got["title"], got["description"]) == ("New", "x")
    assert use("actions", "searchJSONPath", query=f"$[?@.id=='{thing}'].title").json() == ["New"]
    listed = use("properties", "things", limit=1000, sort_by="created").json()
    assert listed[-1]["id"] == thing
    assert made.endswith(quote(listed[-2]["id"], safe=""))
    use("actions", "deleteThing", id=thing)
    use("actions", "deleteThing", id=listed[-2]["id"])


@pytest.mark.parametrize("name", ["thingCreated", "thingUpdated", "thingDeleted"])
def test_its_events_can_be_subscribed(td, rest, name):
    (form,) = td["events"][name]["forms"]
    with rest.stream("GET", urljoin(td["base"], form["href"].partition("{")[0])) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")


def test_what_it_links_to_is_there(td, rest):
    for link in td["links"]:
        answer = rest.get(urljoin(td["base"], link["href"]))
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(link["type"])
