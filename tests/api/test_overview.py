"""The whole at a glance, what happened lately at a thing, and pictures of places."""

import json

import pytest

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def test_what_needs_a_person_comes_first(house, thing, place, until):
    battery = {"type": "number", "unit": "%", "@type": "quantitykind:StateOfCharge", "readOnly": True}
    lamp = thing({"title": "Lamp", "diat:place": place, "properties": {"charge": battery}})
    lamp.report(charge=12)
    about = until(lambda: [each for each in house.get("/overview/attention") if each.get("thing") == lamp.id])
    assert about == [
        {
            "kind": "battery-low",
            "thing": lamp.id,
            "title": "Lamp",
            "place": place,
            "text": "its battery has 12 % left",
        }
    ]
    lamp.report(charge=80)
    until(lambda: not [each for each in house.get("/overview/attention") if each.get("thing") == lamp.id])
    waits = house.keep(place)
    lines = house.get("/overview/attention")
    assert [each["kind"] for each in lines if each.get("service") == waits["id"]] == ["service-waiting"]
    house.rest.delete(f"/services/{waits['id']}")


def test_things_in_a_line_each(house, rest, sensor, heater, place):
    heater()
    sensor(18.0)
    answer = rest.get("/overview/things", params={"place": place, "limit": 1})
    assert answer.headers["X-Total-Count"] == "2"
    assert len(answer.json()) == 1
    (driven,) = house.get("/overview/things", place=place, capability="increase", quantity="Temperature")
    assert driven["drives"] == ["Temperature"]
    (measured,) = house.get("/overview/things", place=place, capability="read", quantity="Temperature")
    assert [each["quantity"] for each in measured["shows"]] == ["Temperature"]
    assert house.get("/overview/things", place=place, text="no such words at all") == []
    assert house.get("/overview/things", place=place, state="pending") == []
    assert house.get("/overview/things", status=422, quantity="Nonsense")["field"] == "quantity"
    facets = house.get("/overview/facets")
    assert place in facets["places"]
    assert "Temperature" in facets["quantities"]
    assert house.get("/overview/figures")["things"] >= 2


def test_events_of_late_the_newest_first(house, thing, place, until):
    bell = thing({"title": "Bell", "diat:place": place, "events": {"rung": {"data": {"type": "integer"}}}})
    for number in range(3):
        bell.say(f"diat/{bell.name}/events/rung", {"data": number})
    found = until(lambda: (got := house.get(f"{bell.path}/occurrences")) and len(got) == 3 and got)
    assert [each["value"] for each in found] == [2, 1, 0]
    assert {each["event"] for each in found} == {"rung"}
    assert len(house.get(f"{bell.path}/occurrences", limit=1)) == 1


class TestPictures:
    def test_one_is_put_seen_and_dropped(self, house, rest, place):
        where = {"place": place}
        assert rest.get("/places/picture", params=where).status_code == 404
        assert rest.put("/places/picture", params=where, content=PNG).status_code == 204
        answer = rest.get("/places/picture", params={"place": place.upper()})
        assert (answer.content, answer.headers["content-type"]) == (PNG, "image/png")
        assert rest.delete("/places/picture", params=where).status_code == 204
        assert rest.delete("/places/picture", params=where).status_code == 404

    @pytest.mark.parametrize(
        "picture", [b"", b"<svg onload=alert(1)>", b"GIF89a", PNG + bytes(4 * 1024 * 1024)]
    )
    def test_what_is_none_is_refused(self, rest, place, picture):
        assert rest.put("/places/picture", params={"place": place}, content=picture).status_code == 422

    def test_things_are_on_it_by_their_position(self, house, rest, sensor, place):
        one = sensor(18.0)
        kind = {"Content-Type": "application/merge-patch+json"}
        for position, shown in (([0.25, 0.5], [0.25, 0.5]), ([2, 0], None), ("here", None)):
            patch = json.dumps({"diat:position": position})
            assert rest.patch(one.path, content=patch, headers=kind).status_code == 204
            assert house.get("/overview/things", place=place)[0]["position"] == shown
