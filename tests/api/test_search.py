"""``/search`` over all descriptions, and HEAD wherever there is GET."""

from __future__ import annotations

import threading
import time

import pytest

LAMP = {"title": "Lamp to find", "properties": {"on": {"type": "boolean"}, "level": {"type": "integer"}}}
HOSTILE = (
    "$..[?@..*]",
    "$..[?@..[?@..[?@..*]]]",
    "$[?count($..*) > count(@..*)]",
    "$..[?search(@.title, '(a|a|a)*(b*b*)*$')]..*",
    "$" + "..*" * 300,
)


@pytest.fixture
def search(rest):
    return lambda query: rest.get("/search/jsonpath", params={"query": query})


@pytest.fixture
def crowd(house):
    """Things enough for a query to take its time."""
    forms = [{"href": f"http://x.example/{n}", "op": "readproperty"} for n in range(20)]
    made = []
    for at in range(60):
        td = {
            "@context": "https://www.w3.org/2022/wot/td/v1.1",
            "id": f"urn:example:crowd:{at}",
            "title": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
            "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
            "security": "nosec_sc",
            "properties": {f"p{n}": {"type": "number", "forms": forms} for n in range(20)},
        }
        assert house.rest.put(f"/things/{td['id']}", json=td).status_code == 201
        made.append(td["id"])
    yield made
    for each in made:
        house.rest.delete(f"/things/{each}")


def test_selects_descriptions_and_parts_of_them(search, thing, house):
    lamp = thing(LAMP)
    answer = search("$[?@.title == 'Lamp to find']")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    (found,) = answer.json()
    served = house.get(lamp.path)
    for td in (found, served):
        td["registration"].pop("retrieved")
    assert found == served
    assert search("$[?@.title == 'Lamp to find'].properties.level.type").json() == ["integer"]
    assert search("$[?match(@.title, 'Lamp .*find')].id").json() == [lamp.id]
    assert search("$[?search(@.title, '^amp')]").json() == []
    assert search("$[?@.nothing]").json() == []
    assert search("$[*].id").json() == [td["id"] for td in house.get("/things")]
    assert [td["id"] for td in search("$").json()[0]] == search("$[*].id").json()


@pytest.mark.parametrize(
    "query", ["", "$[", "id", "$[?foo(@)]", "$[0] | $[1]", "$[?" + "(" * 500, "$" * 1001]
)
def test_what_is_no_jsonpath_is_refused(search, problem, query):
    body = problem(search(query), 400, "invalid", "query")
    assert body["validationErrors"][0]["description"]


def test_without_a_query_is_refused(rest, problem):
    problem(rest.get("/search/jsonpath"), 400, "invalid", "query")


@pytest.mark.parametrize("query", HOSTILE)
def test_a_hostile_query_ends_and_stops_nobody(crowd, search, thing, rest, query):
    lamp = thing(LAMP)
    answers = []
    asking = [threading.Thread(target=lambda: answers.append(search(query))) for _ in range(3)]
    began = time.monotonic()
    for each in asking:
        each.start()
    while any(each.is_alive() for each in asking):
        lamp.has(level=int(time.monotonic() * 1000) % 1000)
        assert rest.get("/health/live").status_code == 200
    assert time.monotonic() - began < 20
    for answer in answers:
        assert answer.status_code in (200, 400, 422), answer.text[:200]


@pytest.mark.parametrize("path", ["/search/sparql?query=x", "/search/xpath?query=x"])
def test_other_languages_are_not_offered(rest, problem, path):
    problem(rest.get(path), 501, "not-implemented")


@pytest.mark.parametrize(
    "path",
    ["/things", "/things/{}", "/things/{}/properties", "/places", "/services", "/health/live", "/metrics"],
)
def test_head_is_get_without_its_body(thing, rest, path):
    lamp = thing(LAMP)
    lamp.has(on=True)
    path = path.format(lamp.id)
    head, got = rest.head(path), rest.get(path)
    assert head.status_code == got.status_code == 200
    assert head.content == b""
    for name in ("content-type", "etag", "link"):
        assert head.headers.get(name) == got.headers.get(name)


def test_head_of_a_stream_ends(thing, rest):
    lamp = thing(LAMP)
    answer = rest.head(f"{lamp.path}/properties/on/observe", timeout=5)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert rest.head("/things/urn:dev:nobody").status_code == 404
    assert rest.get("/health/live").status_code == 200
