"""``/services``: asked for, bound by meaning, healed, paused, ended."""

from __future__ import annotations

import pytest

KEEP = {"quantity": "Temperature", "low": 20, "high": 24, "unit": "Cel"}


def request(place, **more):
    return {"title": "Warm", "template": "keep-within", "parameters": KEEP | {"place": place}} | more


def bound(service, role):
    return [each["thing"] for each in service["bindings"] if each["role"] == role]


class TestCreating:
    def test_answers_with_state_bindings_and_reasons(self, sensor, heater, house, rest, place, until):
        meter, stove = sensor(18.0), heater()
        answer = rest.post("/services", json=request(place))
        assert answer.status_code == 201
        made = answer.json()
        assert made["state"] == "running"
        assert made["missing"] == []
        assert (made["title"], made["template"], made["version"]) == ("Warm", "keep-within", 1)
        assert made["parameters"] == KEEP | {
            "place": place,
            "min_on": 0,
            "min_off": 0,
            "freshness": 3600,
            "latency": 60,
        }
        by_role = {each["role"]: each for each in made["bindings"]}
        assert by_role["sensor"]["thing"] == meter.id
        assert by_role["sensor"]["affordance"] == "temperature"
        assert by_role["sensor"]["reason"] == f"reads Temperature at {place}"
        assert by_role["warmer"]["thing"] == stove.id
        assert house.get(answer.headers["location"]) == made
        assert rest.get(answer.headers["location"]).headers["etag"] == answer.headers["etag"]
        until(lambda: [told["v"] for told in stove.told] == [{"on": True}])
        (actuation,) = house.get("/actuations", service=made["id"])
        assert (actuation["thing"], actuation["input"]) == (stove.id, True)
        assert len(actuation["cause"]) == 1

    def test_says_what_is_missing_in_words(self, sensor, heater, house, place):
        made = house.keep(place)
        assert made["state"] == "waiting"
        assert made["missing"] == [
            f"sensor: a property of Temperature at {place}",
            f"warmer or cooler: nothing that can increase or decrease Temperature at {place}",
        ]
        heater()
        meter = sensor()
        waiting = house.get(f"/services/{made['id']}")
        assert waiting["missing"] == [
            f"sensor: a property of Temperature at {place} "
            "(turned down: Thermometer (temperature): it has not reported yet)"
        ]
        meter.has(temperature=22.0)
        assert house.state_of(made, "running")["missing"] == []

    def test_a_repeat_under_the_same_key_is_one_service(self, rest, house, place, problem):
        key = {"idempotency-key": f"key-{place}"}
        answers = [rest.post("/services", json=request(place), headers=key) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201] * 3
        assert len({answer.json()["id"] for answer in answers}) == 1
        problem(rest.post("/services", json=request(place, title="Other"), headers=key), 409, "conflict")
        mine = [each for each in house.get("/services") if each["parameters"].get("place") == place]
        assert len(mine) == 1

    def test_without_a_key_each_is_another(self, rest, place):
        made = {rest.post("/services", json=request(place)).json()["id"] for _ in range(3)}
        assert len(made) == 3

    def test_the_list_comes_in_pages(self, rest, house, place):
        made = [house.keep(place)["id"] for _ in range(5)]
        answer = rest.get("/services", params={"limit": 2})
        seen = answer.json()
        while "link" in answer.headers:
            answer = rest.get(answer.headers["link"].partition(">")[0].lstrip("<"))
            seen += answer.json()
        ids = [each["id"] for each in seen]
        assert [each for each in ids if each in made] == made
        assert len(ids) == len(set(ids))

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"template": "keep-without"}, "template"),
            ({"title": ""}, "title"),
            ({"title": None}, "title"),
            ({"template": None}, "template"),
            ({"parameters": []}, "parameters"),
            ({"colour": "red"}, "colour"),
            ({"Colour": "red"}, "Colour"),
            ({"parameters": {}}, "parameters.quantity"),
            ({"parameters": KEEP}, "parameters.place"),
            ({"parameters": KEEP | {"place": "x", "speed": 3}}, "parameters.speed"),
            ({"parameters": KEEP | {"place": 3}}, "parameters.place"),
            ({"parameters": KEEP | {"place": "x", "low": "20"}}, "parameters.low"),
            ({"parameters": KEEP | {"place": "x", "low": 30}}, "parameters.low"),
            ({"parameters": KEEP | {"place": "x", "unit": "parsnips"}}, "parameters.unit"),
            ({"parameters": KEEP | {"place": "x", "unit": "W"}}, "parameters.unit"),
            ({"parameters": KEEP | {"place": "x", "quantity": "Happiness"}}, "parameters.quantity"),
            ({"parameters": KEEP | {"place": "x", "min_on": -1}}, "parameters.min_on"),
            ({"parameters": KEEP | {"place": "x", "min_off": 1e300}}, "parameters.min_off"),
            ({"parameters": KEEP | {"place": "x", "freshness": 0}}, "parameters.freshness"),
            ({"parameters": KEEP | {"place": "x", "freshness": 1e300}}, "parameters.freshness"),
            ({"parameters": KEEP | {"place": "x", "freshness": 10**400}}, "parameters.freshness"),
        ],
    )
    def test_what_is_wrong_is_named(self, rest, house, problem, body, field):
        before = len(house.get("/services"))
        problem(rest.post("/services", json=request("x") | body), 422, "invalid", field)
        assert len(house.get("/services")) == before

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"[]",
            b"5",
            b"null",
            b'{"title": "\\ud800"}',
            b'{"title": NaN}',
            b"\xff",
            b'{"a":' * 50_000,
        ],
    )
    def test_what_is_no_request_is_refused(self, rest, problem, content):
        answer = rest.post("/services", content=content, headers={"content-type": "application/json"})
        problem(answer, 422, "invalid")

    def test_a_body_that_says_it_is_a_form_is_told_what_to_say(self, rest, problem):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        detail = problem(rest.post("/services", content=b"{}", headers=headers), 422, "invalid")["detail"]
        assert "application/json" in detail


class TestUnits:
    @pytest.mark.parametrize(("unit", "cold", "warm"), [("[degF]", 60.0, 77.0), ("K", 280.0, 298.0)])
    def test_a_thing_may_speak_another(self, sensor, heater, house, place, until, unit, cold, warm):
        meter, stove = sensor(cold, unit=unit), heater()
        made = house.keep(place)
        assert "converted to Cel" in next(b["reason"] for b in made["bindings"] if b["role"] == "sensor")
        until(lambda: [told["v"] for told in stove.told] == [{"on": True}])
        meter.report(temperature=warm)
        until(lambda: [told["v"] for told in stove.told][1:] == [{"on": False}])

    def test_a_mean_is_taken_over_all(self, sensor, house, place, until):
        sensor(20.0)
        sensor(75.2, unit="[degF]")
        sensor(295.15, unit="K")
        made = house.service("mean-of-place", quantity="Temperature", place=place, unit="Cel")
        td = next(each for each in house.get("/things") if each["id"] == made["thing"])
        assert td["properties"]["mean"]["unit"] == "Cel"
        assert td["diat:place"] == place
        assert house.rest.get(td["properties"]["mean"]["forms"][0]["href"]).json() == pytest.approx(22.0)
        assert len(made["bindings"]) == 3


class TestHealing:
    @pytest.mark.parametrize("how", ["offline", "withdrawn", "rejected", "retired", "moved", "stale"])
    def test_an_equivalent_thing_takes_over(self, sensor, heater, house, rest, place, until, how):
        meter = sensor(22.0, **({"diat:silence": 0.5} if how == "stale" else {}))
        spare = sensor(71.6, unit="[degF]")
        heater()
        made = house.keep(place)
        if how != "stale":
            assert bound(made, "sensor") == [meter.id]
        if how == "offline":
            meter.status("offline")
        elif how == "withdrawn":
            meter.withdraw()
        elif how == "rejected":
            rest.put(f"{meter.path}/admission", json="rejected")
        elif how == "retired":
            rest.delete(meter.path)
        elif how == "moved":
            rest.patch(meter.path, json={"diat:place": "elsewhere"})

        def other():
            now = house.get(f"/services/{made['id']}")
            return bound(now, "sensor") == [spare.id] and now["state"] == "running"

        until(other)

    def test_without_one_it_waits_and_lets_go(self, sensor, heater, house, place, until):
        meter, stove = sensor(18.0), heater()
        made = house.keep(place)
        until(lambda: [told["v"] for told in stove.told] == [{"on": True}])
        meter.status("offline")
        waiting = house.state_of(made, "waiting")
        assert "it is offline" in waiting["missing"][0]
        until(lambda: [told["v"] for told in stove.told] == [{"on": True}, {"on": False}])
        meter.status("online")
        house.state_of(made, "running")
        until(lambda: [told["v"] for told in stove.told][2:] == [{"on": True}])

    def test_a_person_who_says_where_a_thing_is_brings_it_in(self, sensor, heater, house, rest, place):
        heater()
        lost = sensor(22.0, at="")
        made = house.keep(place)
        assert "nobody said where it is" in made["missing"][0]
        rest.patch(lost.path, json={"diat:place": f"{place}/corner"})
        assert bound(house.state_of(made, "running"), "sensor") == [lost.id]

    def test_a_service_on_a_service(self, sensor, heater, house, rest, place, until):
        """The mean of two rooms, put into the yard, is what the yard's heater goes by."""
        one, _ = sensor(18.0, at=f"{place}/a"), sensor(20.0, at=f"{place}/b")
        mean = house.service("mean-of-place", quantity="Temperature", place=place, unit="Cel")
        rest.patch(f"/things/{mean['thing']}", json={"diat:place": f"yard-of-{place}"})
        stove = heater(at=f"yard-of-{place}")
        keep = house.keep(f"yard-of-{place}")
        assert bound(keep, "sensor") == [mean["thing"]]
        until(lambda: [told["v"] for told in stove.told] == [{"on": True}])
        one.report(temperature=40.0)
        until(lambda: [told["v"] for told in stove.told][1:] == [{"on": False}])


class TestChanging:
    def test_put_gives_it_another_content(self, sensor, heater, house, rest, place, until):
        sensor(22.0)
        stove = heater()
        made = house.keep(place)
        since = made["bindings"]
        content = request(place, title="Warmer", parameters=KEEP | {"place": place, "low": 23, "high": 25})
        answer = rest.put(f"/services/{made['id']}", json=content)
        assert answer.status_code == 200
        changed = answer.json()
        assert (changed["title"], changed["parameters"]["low"]) == ("Warmer", 23)
        assert changed["bindings"] == since
        assert changed["modified"] >= changed["created"] == made["created"]
        until(lambda: [told["v"] for told in stove.told] == [{"on": True}])

    def test_a_lost_race_changes_nothing(self, house, rest, place, problem):
        made = house.keep(place)
        path = f"/services/{made['id']}"
        tag = {"if-match": rest.get(path).headers["etag"]}
        first = rest.put(path, json=request(place, title="first"), headers=tag)
        assert first.status_code == 200
        for answer in (
            rest.put(path, json=request(place, title="second"), headers=tag),
            rest.post(f"{path}/pause", headers=tag),
            rest.post(f"{path}/resume", headers=tag),
            rest.delete(path, headers=tag),
        ):
            problem(answer, 412, "stale")
        assert house.get(path)["title"] == "first"
        assert rest.delete(path, headers={"if-match": first.headers["etag"]}).status_code == 204

    def test_a_wrong_put_changes_nothing(self, house, rest, place, problem):
        made = house.keep(place)
        wrong = request(place, parameters=KEEP | {"place": place, "low": 99})
        problem(rest.put(f"/services/{made['id']}", json=wrong), 422, "invalid")
        assert house.get(f"/services/{made['id']}") == made

    def test_pause_and_resume(self, sensor, heater, house, rest, place, until):
        meter, stove = sensor(18.0), heater()
        made = house.keep(place)
        until(lambda: len(stove.told) == 1)
        for _ in range(2):
            paused = rest.post(f"/services/{made['id']}/pause")
            assert (paused.status_code, paused.json()["state"]) == (200, "paused")
        until(lambda: [told["v"] for told in stove.told] == [{"on": True}, {"on": False}])
        meter.has(temperature=10.0)
        for _ in range(2):
            resumed = rest.post(f"/services/{made['id']}/resume")
            assert (resumed.status_code, resumed.json()["state"]) == (200, "running")
        until(lambda: [told["v"] for told in stove.told][2:] == [{"on": True}])

    def test_delete_lets_go_and_forgets(self, sensor, heater, house, rest, place, until, problem):
        sensor(18.0)
        stove = heater()
        made = house.keep(place)
        until(lambda: len(stove.told) == 1)
        assert rest.delete(f"/services/{made['id']}").status_code == 204
        until(lambda: [told["v"] for told in stove.told] == [{"on": True}, {"on": False}])
        for answer in (
            rest.get(f"/services/{made['id']}"),
            rest.delete(f"/services/{made['id']}"),
            rest.put(f"/services/{made['id']}", json=request(place)),
            rest.post(f"/services/{made['id']}/pause"),
            rest.post(f"/services/{made['id']}/resume"),
        ):
            problem(answer, 404, "not-found")
        history = house.get("/actuations", service=made["id"])
        assert [each["input"] for each in history] == [False, True], "what it did stays on record"
