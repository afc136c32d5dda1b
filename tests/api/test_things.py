"""``/things``: descriptions, meaning laid over them, retiring."""

from __future__ import annotations

import json
import re
import threading
from importlib import resources
from urllib.parse import quote

import jsonschema_rs
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

LAMP = {
    "title": "Lamp",
    "description": "A lamp with everything that a description may have",
    "diat:place": "hall",
    "x-unknown": {"survives": True},
    "properties": {
        "on": {"type": "boolean"},
        "power": {"type": "number", "unit": "W", "@type": "quantitykind:Power", "readOnly": True},
        "code": {"type": "string", "writeOnly": True},
        "a/b c%": {"type": "integer"},
    },
    "actions": {"blink": {"input": {"type": "object", "properties": {"times": {"type": "integer"}}}}},
    "events": {"broken": {"data": {"type": "string"}}},
}


@pytest.fixture(scope="module")
def td_schema():
    text = (resources.files("diat.wot") / "td-1.1.schema.json").read_text("utf-8")
    return jsonschema_rs.Draft7Validator(json.loads(text))


def following(answer):
    """The address in ``Link: <…>; rel="next"``, None if there is none."""
    match = re.search(r'<([^>]+)>; rel="next"', answer.headers["link"])
    return match and match[1]


def form(td, name, operation):
    """The form of a property for an operation, None if it has none."""
    return next((each for each in td["properties"][name]["forms"] if operation in each["op"]), None)


class TestDescription:
    def test_is_valid_by_the_schema_of_the_w3c(self, thing, house, td_schema):
        td = house.get(thing(LAMP).path)
        assert [error.message for error in td_schema.iter_errors(td)] == []
        assert td["x-unknown"] == {"survives": True}
        assert td["@context"][0] == "https://www.w3.org/2022/wot/td/v1.1"

    def test_is_served_as_one(self, thing, rest):
        assert rest.get(thing(LAMP).path).headers["content-type"] == "application/td+json"

    def test_its_forms_work_when_followed(self, thing, house, rest):
        lamp = thing(LAMP)
        lamp.has(on=False, power=5.0, **{"a/b c%": 7})
        td = house.get(lamp.path)
        for name, value in (("on", False), ("power", 5.0), ("a/b c%", 7)):
            assert rest.get(form(td, name, "readproperty")["href"]).json() == value
        assert form(td, "power", "writeproperty") is None
        assert form(td, "code", "readproperty") is None
        write = form(td, "a/b c%", "writeproperty")
        assert rest.put(write["href"], json=8).status_code == 204
        assert lamp.told[-1]["v"] == {"a/b c%": 8}
        (invoke,) = td["actions"]["blink"]["forms"]
        answer = rest.request(invoke["htv:methodName"], invoke["href"], json={"times": 3})
        assert answer.status_code == 201
        assert rest.get(answer.headers["location"]).status_code == 200
        (everything,) = td["forms"]
        assert rest.get(everything["href"]).json() == {"on": False, "power": 5.0, "a/b c%": 8}

    def test_asks_for_no_credential_whatever_the_thing_itself_asks_for(self, thing, house, until):
        shy = thing(None)
        shy.id, shy.path = f"urn:x:{shy.name}", f"/things/urn:x:{shy.name}"
        forms = [
            {"href": f"mqtt://127.0.0.1:{house.mqtt_port}", "mqv:topic": "shy/on", "op": "observeproperty"}
        ]
        shy.announce(
            {
                "@context": "https://www.w3.org/2022/wot/td/v1.1",
                "id": shy.id,
                "title": "Shy",
                "securityDefinitions": {"basic_sc": {"scheme": "basic"}},
                "security": "basic_sc",
                "properties": {"on": {"type": "boolean", "readOnly": True, "forms": forms}},
            }
        )
        until(lambda: shy.admission)
        assert shy.admission["state"] == "accepted", shy.admission
        td = house.get(shy.path)
        assert td["securityDefinitions"][td["security"][0]] == {"scheme": "nosec"}

    @pytest.mark.parametrize(
        "id_",
        [
            "https://example.com/things/{}",
            "urn:x:50%25:{}",
            "urn:x:a%2Fb:{}",
            "urn:x:%C3%BC:{}",
            "http://e/a%2Fb/{}",
        ],
    )
    def test_an_id_may_hold_anything(self, thing, house, rest, id_):
        name = f"odd-{abs(hash(id_)) % 10**6}"
        odd = thing(LAMP | {"id": id_.format(name)}, name=name)
        assert odd.admission["state"] == "accepted", odd.admission
        td = house.get(odd.path)
        assert td["id"] == odd.id
        odd.has(on=True)
        assert rest.get(td["properties"]["on"]["forms"][0]["href"]).json() is True
        assert rest.get(f"{odd.path}/properties/on/reading").json()["value"] is True

    def test_says_how_the_thing_is(self, thing, house, until):
        lamp = thing(LAMP)
        for status in ("online", "sleeping", "offline"):
            lamp.status(status)
            until(lambda status=status: house.get(lamp.path)["diat:status"] == status)

    def test_an_unknown_thing_is_not_found(self, rest, problem):
        for path in (
            "",
            "/properties",
            "/readings",
            "/properties/x",
            "/properties/x/history",
            "/diagnostics",
        ):
            problem(rest.get(f"/things/urn:dev:nobody{path}"), 404, "not-found")


class TestList:
    def test_in_pages_joined_by_links(self, thing, house, rest):
        made = [thing(LAMP | {"title": f"Lamp {at}"}).id for at in range(5)]
        answer = rest.get("/things", params={"limit": 2})
        seen = [td["id"] for td in answer.json()]
        while following(answer):
            answer = rest.get(following(answer))
            assert len(answer.json()) <= 2
            seen += [td["id"] for td in answer.json()]
        assert set(made) <= set(seen)
        assert seen == sorted(seen)
        assert len(seen) == len(set(seen)) == len(house.get("/things"))

    def test_the_last_page_has_no_link(self, thing, rest, house):
        thing(LAMP)
        number = len(house.get("/things"))
        assert following(rest.get("/things", params={"limit": number})) is None
        thing(LAMP)
        assert following(rest.get("/things", params={"limit": number})) is not None

    @pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "offset=-1"])
    def test_beyond_the_bounds_is_refused_by_name(self, rest, problem, query):
        problem(rest.get(f"/things?{query}"), 400, "invalid", query.partition("=")[0])

    def test_what_is_asked_for_stays_in_the_link(self, thing, rest, place):
        for _ in range(2):
            thing(LAMP | {"diat:place": f"{place}/ж & ü"})
        answer = rest.get("/things", params={"limit": 1, "place": f"{place}/ж & ü"})
        (second,) = rest.get(following(answer)).json()
        assert second["diat:place"] == f"{place}/ж & ü"

    def test_places_as_a_tree(self, thing, house, place):
        thing(LAMP | {"diat:place": f"{place}/a"})
        thing(LAMP | {"diat:place": f"{place}/b"})
        (root,) = [each for each in house.get("/places") if each["path"] == "test"]
        (mine,) = [each for each in root["children"] if each["path"] == place]
        assert [(each["name"], each["things"]) for each in mine["children"]] == [("a", 1), ("b", 1)]
        assert mine["inside"] == 2


class TestMeaning:
    def test_a_patch_outlives_what_the_thing_announces_later(self, thing, house, rest, until):
        lamp = thing(LAMP)
        patch = {
            "diat:place": "attic",
            "properties": {"on": {"diat:affects": {"quantity": "Illuminance", "direction": "increase"}}},
        }
        assert rest.patch(lamp.path, json=patch).status_code == 204
        assert house.get(lamp.path)["diat:place"] == "attic"
        lamp.announce(LAMP | {"title": "Lamp, new firmware", "diat:place": "hall"})
        td = until(lambda: (td := house.get(lamp.path))["title"] == "Lamp, new firmware" and td)
        assert td["diat:place"] == "attic"
        assert td["properties"]["on"]["diat:affects"]["direction"] == "increase"
        assert td["properties"]["on"]["type"] == "boolean"

    def test_and_the_thing_itself(self, thing, house, rest, until):
        lamp = thing(LAMP)
        rest.patch(lamp.path, json={"diat:place": "attic"})
        lamp.withdraw()
        until(lambda: rest.get(lamp.path).status_code == 404)
        lamp.announce(LAMP)
        until(lambda: rest.get(lamp.path).status_code == 200)
        assert house.get(lamp.path)["diat:place"] == "attic"

    def test_null_takes_away(self, thing, rest):
        lamp = thing(LAMP)
        patch = {"description": None, "properties": {"power": None}}
        answer = rest.patch(lamp.path, json=patch, headers={"prefer": "return=representation"})
        assert answer.status_code == 200
        assert "description" not in answer.json()
        assert "power" not in answer.json()["properties"]

    def test_under_both_media_types(self, thing, rest):
        lamp = thing(LAMP)
        for kind in ("application/merge-patch+json", "application/json"):
            answer = rest.patch(lamp.path, content=b'{"title": "x"}', headers={"content-type": kind})
            assert answer.status_code == 204

    def test_a_lost_race_changes_nothing(self, thing, rest, house, problem):
        lamp = thing(LAMP)
        tag = rest.get(lamp.path).headers["etag"]
        first = rest.patch(lamp.path, json={"title": "first"}, headers={"if-match": tag})
        assert first.status_code == 204
        assert first.headers["etag"] != tag
        problem(rest.patch(lamp.path, json={"title": "second"}, headers={"if-match": tag}), 412, "stale")
        problem(rest.delete(lamp.path, headers={"if-match": tag}), 412, "stale")
        verdict = rest.put(f"{lamp.path}/admission", json="rejected", headers={"if-match": tag})
        problem(verdict, 412, "stale")
        assert house.get(lamp.path)["title"] == "first"
        again = {"if-match": first.headers["etag"]}
        assert rest.patch(lamp.path, json={"title": "second"}, headers=again).status_code == 204
        assert rest.patch(lamp.path, json={"title": "third"}, headers={"if-match": "*"}).status_code == 204

    @pytest.mark.parametrize("tag", ['"9999999999999999999999"', '"\xb2"', "nonsense", '""'])
    def test_a_tag_that_is_none_of_ours_matches_nothing(self, thing, rest, problem, tag):
        answer = rest.patch(thing(LAMP).path, json={}, headers={"if-match": tag.encode("latin-1")})
        problem(answer, 412, "stale")

    @pytest.mark.parametrize(
        ("patch", "field"),
        [
            ({"id": "urn:dev:other"}, "id"),
            ({"id": None}, "id"),
            ({"title": None}, None),
            ({"properties": {"on": {"type": "bool"}}}, None),
            ({"properties": 5}, "properties"),
        ],
    )
    def test_what_makes_no_description_is_refused(self, thing, rest, problem, patch, field):
        lamp = thing(LAMP)
        before = rest.get(lamp.path).headers["etag"]
        body = problem(rest.patch(lamp.path, json=patch), 400, "invalid", field)
        assert all(each["field"] and each["description"] for each in body["validationErrors"])
        assert rest.get(lamp.path).headers["etag"] == before

    def test_of_an_unknown_thing_is_not_found(self, rest, problem):
        problem(rest.patch("/things/urn:dev:nobody", json={}), 404, "not-found")

    def test_a_bottomless_patch_is_refused(self, thing, rest, problem):
        lamp = thing(LAMP)
        for depth in (400, 900, 5000, 100_000):
            body = b'{"x":' * depth + b"1" + b"}" * depth
            answer = rest.patch(lamp.path, content=body, headers={"content-type": "application/json"})
            assert answer.status_code in (204, 400), depth
        problem(answer, 400, "invalid")
        assert rest.get(lamp.path).status_code == 200


class TestRetiring:
    def test_clears_the_retained_announcement(self, thing, rest, house, until, problem):
        lamp = thing(LAMP)
        assert rest.delete(lamp.path).status_code == 204
        problem(rest.get(lamp.path), 404, "not-found")
        problem(rest.delete(lamp.path), 404, "not-found")
        assert lamp.id not in [td["id"] for td in house.get("/things")]
        # Whoever subscribes now is told nothing of it: all that is retained comes before what is new.
        until(lambda: lamp.admission is None)
        seen = retained_on(house, f"wot/td/{lamp.name}", f"diat/{lamp.name}/admission")
        assert seen == []

    def test_it_may_come_back_with_its_history(self, thing, rest, house, until):
        lamp = thing(LAMP)
        lamp.has(power=5.0)
        rest.delete(lamp.path)
        lamp.announce(LAMP)
        until(lambda: rest.get(lamp.path).status_code == 200)
        assert [each["value"] for each in house.get(f"{lamp.path}/properties/power/history")] == [5.0]

    def test_a_person_may_bring_it_back_as_it_was(self, thing, rest, house, until, problem):
        lamp = thing(LAMP)
        lamp.has(power=5.0)
        named = {"title": "Of the hall", "diat:place": "here/hall"}
        rest.patch(lamp.path, json=named, headers={"content-type": "application/merge-patch+json"})
        problem(rest.post(f"{lamp.path}/return"), 404, "not-found")
        rest.delete(lamp.path)
        until(lambda: lamp.admission is None)
        answer = rest.post(f"{lamp.path}/return")
        assert answer.status_code == 200
        assert named.items() <= answer.json().items()
        until(lambda: lamp.admission == {"state": "accepted", "reason": "its announcement is valid"})
        assert f"wot/td/{lamp.name}" in retained_on(house, f"wot/td/{lamp.name}")
        lamp.has(power=6.0)
        assert [each["value"] for each in house.get(f"{lamp.path}/properties/power/history")] == [5.0, 6.0]
        problem(rest.post(f"{lamp.path}/return"), 404, "not-found")

    def test_what_came_back_by_itself_is_brought_back_by_nobody(self, thing, rest, until, problem):
        lamp = thing(LAMP)
        rest.delete(lamp.path)
        lamp.announce(LAMP)
        until(lambda: rest.get(lamp.path).status_code == 200)
        problem(rest.post(f"{lamp.path}/return"), 409, "conflict")

    def test_a_withdrawn_thing_is_gone(self, thing, rest, until):
        lamp = thing(LAMP)
        lamp.withdraw()
        until(lambda: rest.get(lamp.path).status_code == 404)

    def test_what_a_service_made_ends_with_the_service(self, sensor, house, rest, place, problem):
        sensor(20.0)
        mean = house.service("mean-of-place", quantity="Temperature", place=place, unit="Cel")
        path = f"/things/{quote(mean['thing'], safe='')}"
        assert "delete the service" in problem(rest.delete(path), 422, "invalid")["detail"]
        assert rest.delete(f"/services/{mean['id']}").status_code == 204
        problem(rest.get(path), 404, "not-found")


class TestAdmission:
    def test_is_answered_and_retained(self, thing):
        lamp = thing(LAMP)
        assert lamp.admission == {"state": "accepted", "reason": "its announcement is valid"}

    def test_a_person_may_reject_and_accept(self, thing, rest, house, until, problem):
        lamp = thing(LAMP)
        lamp.has(power=1.0)
        verdict = {"state": "rejected", "reason": "not ours"}
        assert rest.put(f"{lamp.path}/admission", json=verdict).json() == verdict
        until(lambda: lamp.admission == verdict)
        counts = house.daemon.things.intake.counts
        before = counts.messages
        lamp.report(power=2.0)
        until(lambda: counts.messages > before, "the platform has it")
        problem(rest.put(f"{lamp.path}/properties/on", json=True), 409, "conflict")
        assert rest.put(f"{lamp.path}/admission", json="accepted").json()["state"] == "accepted"
        until(lambda: lamp.admission and lamp.admission["state"] == "accepted")
        lamp.has(power=3.0)
        assert [each["value"] for each in house.get(f"{lamp.path}/properties/power/history")] == [1.0, 3.0]

    def test_a_verdict_outlives_a_new_announcement(self, thing, rest, house, until):
        lamp = thing(LAMP)
        rest.put(f"{lamp.path}/admission", json="rejected")
        lamp.announce(LAMP | {"title": "Again"})
        until(lambda: house.get(lamp.path)["title"] == "Again")
        assert house.get(lamp.path)["diat:admission"] == "rejected"

    @pytest.mark.parametrize(
        ("verdict", "field"),
        [("maybe", None), ({"state": "maybe"}, "state"), ({"state": "accepted", "Why": 1}, "Why"), (5, None)],
    )
    def test_any_other_word_is_refused(self, thing, rest, problem, verdict, field):
        problem(rest.put(f"{thing(LAMP).path}/admission", json=verdict), 422, "invalid", field)


def retained_on(house, *topics):
    """Topics of these that still carry something retained, seen by a client that is new."""
    seen, done = [], threading.Event()

    def on_message(client, userdata, message):
        if message.topic == "test/end":
            done.set()
        elif message.retain:
            seen.append(message.topic)

    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = on_message
    client.on_connect = lambda *_: client.subscribe([(topic, 1) for topic in (*topics, "test/end")])
    client.on_subscribe = lambda *_: client.publish("test/end", b"", 1)
    client.connect("127.0.0.1", house.mqtt_port)
    client.loop_start()
    assert done.wait(10)
    client.disconnect()
    client.loop_stop()
    return seen
