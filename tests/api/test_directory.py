"""The Thing Description Directory of W3C WoT Discovery: made, replaced, changed, listed, expired."""

from __future__ import annotations

import json
import re
import time
import uuid
from importlib import resources
from urllib.parse import quote, unquote

import jsonschema_rs
import pytest

TD = {"content-type": "application/td+json"}
DISCOVERY = "https://www.w3.org/2022/wot/discovery"
METER = {"title": "Meter", "properties": {"power": {"type": "number", "unit": "W"}}}
NOSEC = {"securityDefinitions": {"nosec_sc": {"scheme": "nosec"}}, "security": "nosec_sc"}


def lamp(**more):
    """A lamp that speaks HTTP."""
    return {
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "title": "Lamp elsewhere",
        "base": "http://lamp.example/api/",
        "securityDefinitions": {"basic_sc": {"scheme": "basic", "in": "header"}},
        "security": "basic_sc",
        "x-unknown": {"survives": [1, None, "ü"]},
        "properties": {
            "on": {
                "type": "boolean",
                "forms": [{"href": "on"}, {"href": "coap://lamp.example/on", "op": "readproperty"}],
            }
        },
        **more,
    }


@pytest.fixture(scope="module")
def td_schema():
    text = (resources.files("diat.wot") / "td-1.1.schema.json").read_text("utf-8")
    return jsonschema_rs.Draft7Validator(json.loads(text))


@pytest.fixture
def new_id():
    return f"urn:example:{uuid.uuid4()}"


@pytest.fixture
def put(rest):
    """``put(td)``: register a description; the path of its entry."""
    made = []

    def put(td, status=201):
        path = f"/things/{quote(td['id'], safe='')}"
        answer = rest.put(path, content=json.dumps(td), headers=TD)
        assert answer.status_code == status, answer.text
        made.append(path)
        return path

    yield put
    for path in made:
        rest.delete(path)


def links(answer):
    return {rel: url for url, rel in re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers["link"])}


class TestCreation:
    def test_without_an_id_it_is_given_one(self, rest, house):
        answer = rest.post("/things", content=json.dumps(lamp()), headers=TD)
        assert (answer.status_code, answer.content) == (201, b"")
        thing = unquote(answer.headers["location"].removeprefix("/things/"))
        assert uuid.UUID(thing.removeprefix("urn:uuid:")).version == 4
        td = rest.get(answer.headers["location"]).json()
        assert (td["id"], td["title"]) == (thing, "Lamp elsewhere")
        assert rest.delete(answer.headers["location"]).status_code == 204
        assert rest.get(answer.headers["location"]).status_code == 404

    def test_with_an_id_it_is_put_where_it_belongs(self, rest, put, new_id, problem):
        body = problem(rest.post("/things", json=lamp(id=new_id)), 400, "invalid", "id")
        assert body["validationErrors"][0]["field"] == "id"
        path = put(lamp(id=new_id))
        assert rest.get(path).headers["content-type"] == "application/td+json"

    def test_a_repeated_request_makes_one_entry(self, rest, problem):
        key = {**TD, "idempotency-key": f"lamp-{uuid.uuid4()}"}
        first = rest.post("/things", content=json.dumps(lamp()), headers=key)
        again = rest.post("/things", content=json.dumps(lamp()), headers=key)
        assert first.headers["location"] == again.headers["location"]
        problem(rest.post("/things", json=lamp(title="Another"), headers=key), 409, "conflict")
        rest.delete(first.headers["location"])

    def test_what_is_served_is_valid_and_complete(self, rest, put, new_id, td_schema):
        td = rest.get(put(lamp(id=new_id))).json()
        assert [error.message for error in td_schema.iter_errors(td)] == []
        assert td["x-unknown"] == {"survives": [1, None, "ü"]}
        assert DISCOVERY in td["@context"]
        assert td["diat:dialect"] == "directory"
        assert td["diat:provenance"]["admittedBy"] == "person"
        (source,) = td["diat:provenance"]["sources"]
        assert source["dialect"] == "directory"
        assert "topic" not in source

    def test_its_own_forms_are_left_to_whoever_finds_them(self, rest, put, new_id, problem):
        path = put(lamp(id=new_id))
        td = rest.get(path).json()
        assert [form["href"] for form in td["properties"]["on"]["forms"]] == [
            "http://lamp.example/api/on",
            "coap://lamp.example/on",
        ]
        for form in td["properties"]["on"]["forms"]:
            named = form["security"]
            assert td["securityDefinitions"][named]["scheme"] == "basic"
        assert "forms" not in td
        problem(rest.get(f"{path}/properties/on"), 404, "not-found")
        problem(rest.put(f"{path}/properties/on", json=True), 422, "invalid")

    def test_with_mqtt_forms_on_our_broker_it_is_driven(self, rest, house, put, new_id, thing, until):
        name = new_id.rpartition(":")[2]
        broker = f"mqtt://127.0.0.1:{house.mqtt_port}"
        forms = [
            {"href": broker, "mqv:topic": f"lamps/{name}", "op": ["readproperty", "observeproperty"]},
            {"href": broker, "mqv:topic": f"lamps/{name}/set", "op": "writeproperty"},
        ]
        path = put(lamp(id=new_id, properties={"on": {"type": "boolean", "forms": forms}}, **NOSEC))
        wire = thing(None)
        wire.say(f"lamps/{name}", True)
        until(lambda: rest.get(f"{path}/properties/on").text == "true")
        heard = wire.listen(f"lamps/{name}/set")
        assert rest.put(f"{path}/properties/on", json=False).status_code in (202, 204)
        assert until(lambda: heard) == [b"false"]

    def test_it_is_found_by_meaning_but_fills_no_role_that_it_cannot(self, house, put, new_id, place):
        said = {"type": "number", "unit": "Cel", "@type": "quantitykind:Temperature", "readOnly": True}
        prop = {**said, "forms": [{"href": "http://x.example/t"}]}
        put(lamp(id=new_id, properties={"t": prop}, **{"diat:place": place}))
        (found,) = house.get("/things", quantity="temperature", place=place)
        assert found["id"] == new_id
        made = house.keep(place)
        assert made["state"] == "waiting"
        assert made["bindings"] == []
        assert "forms of its own" in json.dumps(made["missing"])
        house.rest.delete(f"/services/{made['id']}")

    def test_survives_a_second_description_by_mqtt_of_its_id(self, put, thing, rest, house, until):
        claimed = thing(None, name=f"claimed-{uuid.uuid4().hex[:8]}")
        path = put(lamp(id=claimed.id))
        claimed.announce({"title": "Pretender", "properties": {"on": {"type": "boolean"}}})
        admission = until(lambda: claimed.admission)
        assert admission["state"] == "rejected"
        assert "an entry of the directory" in admission["reason"]
        assert rest.get(path).json()["title"] == "Lamp elsewhere"
        assert any("already claimed" in line for line in house.diagnostics(claimed.id))


class TestUpdate:
    def test_put_replaces_all_of_an_entry(self, rest, put, new_id):
        path = put(lamp(id=new_id))
        created = rest.get(path).json()["registration"]["created"]
        rest.patch(path, json={"description": "patched"})
        put(lamp(id=new_id, title="New lamp"), status=204)
        td = rest.get(path).json()
        assert td["title"] == "New lamp"
        assert "description" not in td
        assert td["registration"]["created"] == created <= td["registration"]["modified"]

    def test_patch_changes_parts_forms_included(self, rest, put, new_id):
        path = put(lamp(id=new_id))
        patch = {"base": "https://other.example/", "title": None, "titles": {"en": "x"}}
        assert rest.patch(path, json={**patch, "title": "T"}).status_code == 204
        td = rest.get(path).json()
        assert td["properties"]["on"]["forms"][0]["href"] == "https://other.example/on"
        assert (td["title"], td["titles"]) == ("T", {"en": "x"})
        answer = rest.patch(path, json={"title": "U"}, headers={"prefer": "return=representation"})
        assert answer.json()["title"] == "U"

    def test_of_what_announces_itself_lays_over_what_it_says(self, rest, thing, house, until):
        meter = thing(METER)
        td = rest.get(meter.path).json()
        rest.patch(meter.path, json={"description": "to be gone"})
        td["title"] = "My meter"
        td["properties"]["power"]["@type"] = "quantitykind:Power"
        assert rest.put(meter.path, content=json.dumps(td), headers=TD).status_code == 204
        now = rest.get(meter.path).json()
        assert now["title"] == "My meter"
        assert "description" not in now
        assert now["properties"]["power"]["@type"] == "quantitykind:Power"
        meter.announce(METER | {"title": "v2", "support": "https://x.example/"})
        now = until(lambda: (now := house.get(meter.path)).get("support") and now)
        assert now["title"] == "My meter"
        assert now["diat:dialect"] == "native"
        assert now["properties"]["power"]["forms"][0]["href"].startswith(str(rest.base_url))
        meter.has(power=3.5)

    def test_putting_back_what_was_read_changes_nothing_that_is_said(self, rest, thing):
        meter = thing(METER)
        before = rest.get(meter.path).json()
        assert rest.put(meter.path, content=json.dumps(before), headers=TD).status_code == 204
        after = rest.get(meter.path).json()
        for td in (before, after):
            td.pop("registration")
        assert after == before

    def test_a_lost_race_changes_nothing(self, rest, put, new_id, problem):
        path = put(lamp(id=new_id))
        tag = rest.get(path).headers["etag"]
        body = json.dumps(lamp(id=new_id, title="Mine"))
        assert rest.put(path, content=body, headers={**TD, "if-match": tag}).status_code == 204
        problem(rest.put(path, content=body, headers={**TD, "if-match": tag}), 412, "stale")


class TestValidation:
    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"title": 5}, "title"),
            ({"security": "other_sc"}, "security"),
            ({"properties": {"on": {"type": "boolean"}}}, "properties.on"),
            ({"properties": {"on": {"type": "bool", "forms": [{"href": "x"}]}}}, "properties.on.type"),
            (
                {"properties": {"on": {"type": "boolean", "forms": [{"href": 7}]}}},
                "properties.on.forms.0.href",
            ),
            ({"registration": {"ttl": -1}}, "registration.ttl"),
            ({"registration": {"expires": "2021-05-10T18:00:00"}}, "registration.expires"),
            ({"registration": {"expires": "2021-05-10T18:00:00Z"}}, "registration.expires"),
            ({"@type": "tm:ThingModel"}, "@type"),
        ],
    )
    def test_says_where_it_is_wrong(self, rest, problem, new_id, change, field):
        answer = rest.put(f"/things/{new_id}", content=json.dumps(lamp(id=new_id, **change)), headers=TD)
        body = problem(answer, 400, "invalid")
        assert field in [each["field"] for each in body["validationErrors"]], body
        assert all(each["description"] for each in body["validationErrors"])
        problem(rest.get(f"/things/{new_id}"), 404, "not-found")

    def test_names_all_that_is_wrong_at_once(self, rest, problem, new_id):
        td = lamp(id=new_id, title=5, description=6)
        td.pop("security")
        body = problem(rest.put(f"/things/{new_id}", content=json.dumps(td), headers=TD), 400, "invalid")
        assert {"title", "description", "(root)"} <= {each["field"] for each in body["validationErrors"]}

    @pytest.mark.parametrize("said", [None, "urn:example:other", 5])
    def test_the_id_must_be_that_of_the_path(self, rest, problem, new_id, said):
        td = lamp(id=said) if said is not None else lamp()
        problem(rest.put(f"/things/{new_id}", content=json.dumps(td), headers=TD), 400, "invalid", "id")

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b'{"a": NaN}', b"\xff"])
    def test_what_is_no_json_object_is_refused(self, rest, problem, new_id, body):
        problem(rest.put(f"/things/{new_id}", content=body, headers=TD), 400, "invalid")
        problem(rest.post("/things", content=body, headers=TD), 400, "invalid")

    def test_other_kinds_of_document_are_not_taken(self, rest, problem, put, new_id):
        path = put(lamp(id=new_id))
        for send in (rest.put, rest.patch):
            problem(send(path, content="x", headers={"content-type": "text/turtle"}), 415, "media-type")
        problem(rest.post("/things", data={"a": "b"}), 415, "media-type")

    def test_a_bottomless_description_is_refused(self, rest, problem, new_id):
        deep = "[" * 90 + "]" * 90
        body = json.dumps(lamp(id=new_id))[:-1] + f', "x": {deep}}}'
        problem(rest.put(f"/things/{new_id}", content=body, headers=TD), 400, "invalid")


class TestRegistration:
    def test_tells_when(self, rest, put, new_id, thing):
        for path in (put(lamp(id=new_id)), thing({"title": "Bare"}).path):
            said = rest.get(path).json()["registration"]
            assert set(said) == {"created", "modified", "retrieved"}
            assert said["created"] <= said["modified"] <= said["retrieved"]
            assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", time_) for time_ in said.values())

    def test_ends_when_it_was_not_renewed(self, rest, put, new_id, until):
        path = put(lamp(id=new_id, registration={"ttl": 0.5}))
        assert rest.get(path).json()["registration"]["ttl"] == 0.5
        until(lambda: rest.get(path).status_code == 404, within=5)

    def test_is_renewed_by_an_empty_patch(self, rest, put, new_id):
        path = put(lamp(id=new_id, registration={"ttl": 3600, "expires": "2021-05-10T18:00:00Z"}))
        before = rest.get(path).json()["registration"]
        time.sleep(0.01)
        assert rest.patch(path, json={}).status_code == 204
        after = rest.get(path).json()["registration"]
        assert after["expires"] > before["expires"] > before["modified"]

    def test_may_end_at_a_given_time(self, rest, put, new_id):
        path = put(lamp(id=new_id, registration={"expires": "2100-01-01T00:00:00+01:00"}))
        assert rest.get(path).json()["registration"]["expires"] == "2099-12-31T23:00:00.000Z"
        rest.patch(path, json={"registration": None})
        assert "expires" not in rest.get(path).json()["registration"]

    def test_of_a_thing_that_announces_itself_is_a_lease(self, rest, thing, until):
        td = {"title": "Leased", "registration": {"ttl": 1.0}}
        leased = thing(td)
        first = rest.get(leased.path).json()["registration"]["expires"]
        leased.announce(td)
        until(lambda: rest.get(leased.path).json()["registration"]["expires"] > first, within=1)
        until(lambda: rest.get(leased.path).status_code == 404, within=5)
        leased.announce(td)
        until(lambda: rest.get(leased.path).status_code == 200)

    def test_where_it_comes_from(self, rest, thing):
        meter = thing({"title": "Meter"})
        said = rest.get(meter.path).json()["diat:provenance"]
        (source,) = said["sources"]
        assert (source["dialect"], source["topic"]) == ("native", f"wot/td/{meter.name}")
        assert source["first"] <= source["last"]
        assert (said["admittedBy"], said["reason"]) == ("policy", "its announcement is valid")
        rest.put(f"{meter.path}/admission", json={"state": "accepted", "reason": "I know it"})
        said = rest.get(meter.path).json()["diat:provenance"]
        assert (said["admittedBy"], said["reason"]) == ("person", "I know it")


class TestListing:
    def test_is_json_ld_sorted_by_id(self, rest, put):
        for at in (2, 1):
            put(lamp(id=f"urn:example:sorted:{at}"))
        answer = rest.get("/things")
        assert answer.headers["content-type"] == "application/ld+json"
        ids = [td["id"] for td in answer.json()]
        assert ids == sorted(ids)
        assert {"urn:example:sorted:1", "urn:example:sorted:2"} <= set(ids)

    def test_tells_of_the_next_page_and_of_the_whole(self, rest, put):
        for at in range(3):
            put(lamp(id=f"urn:example:page:{at}"))
        first = rest.get("/things", params={"limit": 1, "sort_by": "title", "sort_order": "desc"})
        assert "limit=1" in links(first)["next"]
        assert "sort_by=title&sort_order=desc" in links(first)["next"]
        second = rest.get(links(first)["next"])
        assert second.json()[0]["id"] != first.json()[0]["id"]
        state = re.search(r'rel="canonical"; etag="(\d+)"', second.headers["link"])
        assert state
        assert links(second)["canonical"].endswith("/things")
        put(lamp(id="urn:example:page:more"))
        assert f'etag="{state[1]}"' not in rest.get("/things").headers["link"]

    def test_as_a_collection(self, rest, put):
        for at in range(2):
            put(lamp(id=f"urn:example:collected:{at}"))
        said = rest.get("/things", params={"limit": 1, "format": "collection"}).json()
        assert (said["@context"], said["@type"]) == (DISCOVERY, "ThingCollection")
        assert said["total"] == len(rest.get("/things").json())
        assert len(said["members"]) == 1
        assert rest.get(said["@id"]).json()["members"][0]["id"] == said["members"][0]["id"]
        assert rest.get(said["next"]).json()["members"][0]["id"] != said["members"][0]["id"]

    def test_by_when_they_came(self, rest, put):
        for name in "ba":
            put(lamp(id=f"urn:example:came:{name}"))
        ids = [td["id"] for td in rest.get("/things", params={"sort_by": "created"}).json()]
        assert ids.index("urn:example:came:b") < ids.index("urn:example:came:a")

    @pytest.mark.parametrize(
        "query", ["sort_by=properties", "sort_order=up", "format=xml", "limit=0", "quantity=nonsense"]
    )
    def test_what_it_cannot_do_is_refused(self, rest, problem, query):
        body = problem(rest.get(f"/things?{query}"), 400, "invalid", query.partition("=")[0])
        assert body["validationErrors"]

    def test_of_nothing_is_an_empty_array(self, rest):
        assert rest.get("/things", params={"place": "nowhere"}).content == b"[]"
