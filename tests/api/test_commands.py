"""Driving things: properties written, actions invoked, and every command ever given."""

from __future__ import annotations

import threading

import httpx
import pytest

TANK = {
    "title": "Tank",
    "properties": {
        "target": {
            "type": "number",
            "minimum": 0,
            "maximum": 100,
            "idempotent": True,
            "diat:envelope": {"min": 10, "max": 60},
        },
        "mode": {"type": "string", "enum": ["eco", "boost"]},
        "level": {"type": "number", "readOnly": True},
    },
    "actions": {
        "flush": {},
        "fill": {
            "input": {
                "type": "object",
                "properties": {"litres": {"type": "number", "minimum": 0}},
                "required": ["litres"],
            }
        },
    },
}


@pytest.fixture
def tank(thing):
    return thing(TANK)


@pytest.fixture
def deaf(thing):
    """A tank that takes commands and never answers."""
    return thing(TANK, obeys=None)


class TestWriting:
    def test_204_once_the_thing_confirmed(self, tank, rest, house):
        answer = rest.put(f"{tank.path}/properties/target", json=40)
        assert (answer.status_code, answer.content) == (204, b"")
        (told,) = tank.told
        assert told["v"] == {"target": 40}
        assert told["expires"] > 0
        tank.shows(target=40)
        actuation = house.get(answer.headers["location"])
        assert actuation["id"] == told["id"]
        assert (actuation["status"], actuation["input"], actuation["kind"]) == ("completed", 40, "property")

    def test_202_with_its_location_while_it_has_not(self, deaf, rest, house, until):
        answer = rest.put(f"{deaf.path}/properties/target", json=40, headers={"prefer": "wait=0"})
        assert answer.status_code == 202
        location = answer.headers["location"]
        assert answer.json()["status"] == house.get(location)["status"] == "pending"
        told = until(lambda: deaf.told)[0]
        deaf.answer(told["id"], "completed", output={"took": 3})
        until(lambda: house.get(location)["status"] == "completed")
        assert house.get(location)["output"] == {"took": 3}
        assert house.get(location)["resolved"] >= house.get(location)["created"]

    def test_it_waits_as_long_as_is_preferred(self, deaf, rest):
        """A thing that answers while the request waits turns a 202 into a 204."""
        answers = []

        def ask():
            answers.append(
                rest.put(f"{deaf.path}/properties/target", json=30, headers={"prefer": "respond, wait=20"})
            )

        waiting = threading.Thread(target=ask)
        waiting.start()
        while not deaf.told:
            waiting.join(0.01)
        deaf.answer(deaf.told[0]["id"], "completed")
        waiting.join(10)
        assert answers[0].status_code == 204

    @pytest.mark.parametrize("status", ["failed", "expired", "in-doubt"])
    def test_502_when_it_could_not(self, thing, rest, house, problem, status):
        tank = thing(TANK, obeys=status)
        answer = rest.put(f"{tank.path}/properties/target", json=40)
        assert status in problem(answer, 502, "actuation")["detail"]
        assert house.get(answer.headers["location"])["status"] == status

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("target", "warm"),
            ("target", -1),
            ("target", 101),
            ("target", 5),
            ("target", 61),
            ("target", None),
            ("mode", "eco "),
            ("level", 3),
        ],
    )
    def test_422_for_what_it_does_not_take(self, tank, rest, problem, name, value):
        problem(rest.put(f"{tank.path}/properties/{name}", json=value), 422, "invalid", name)
        assert rest.put(f"{tank.path}/properties/target", json=20).status_code == 204
        assert [told["v"] for told in tank.told] == [{"target": 20}]

    @pytest.mark.parametrize("body", [b"", b"{", b"NaN", b"1e999", b'"\\ud800"', b"\xff", b"[" * 100_000])
    def test_422_for_what_is_no_value(self, tank, rest, problem, body):
        answer = rest.put(
            f"{tank.path}/properties/mode", content=body, headers={"content-type": "application/json"}
        )
        problem(answer, 422, "invalid")
        assert tank.told == []

    def test_404_for_what_is_not_there(self, tank, rest, problem):
        problem(rest.put(f"{tank.path}/properties/nonsense", json=1), 404, "not-found")
        problem(rest.put("/things/urn:dev:nobody/properties/target", json=1), 404, "not-found")

    @pytest.mark.parametrize("prefer", ["wait=-1", "wait=soon", "wait=\xb2", "wait", "=", ",,wait=1=2"])
    def test_a_preference_that_cannot_be_read_is_none(self, tank, rest, prefer):
        answer = rest.put(
            f"{tank.path}/properties/target", json=20, headers={"prefer": prefer.encode("latin-1")}
        )
        assert answer.status_code == 204

    def test_a_repeat_under_the_same_key_is_one_command(self, tank, rest, problem):
        key = {"idempotency-key": f"write-{tank.name}"}
        answers = [rest.put(f"{tank.path}/properties/target", json=40, headers=key) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [204] * 3
        assert len({answer.headers["location"] for answer in answers}) == 1
        assert len(tank.told) == 1
        problem(rest.put(f"{tank.path}/properties/target", json=41, headers=key), 409, "conflict")

    def test_a_newer_set_point_overtakes(self, deaf, rest, house, until):
        first = rest.put(f"{deaf.path}/properties/target", json=20, headers={"prefer": "wait=0"})
        second = rest.put(f"{deaf.path}/properties/target", json=30, headers={"prefer": "wait=0"})
        until(lambda: any(told["v"] == {"target": 30} for told in deaf.told))
        for told in deaf.told:
            deaf.answer(told["id"], "completed")
        until(lambda: house.get(second.headers["location"])["status"] == "completed")
        assert house.get(first.headers["location"])["status"] in ("completed", "expired")


class TestInvoking:
    def test_201_with_the_location_of_the_invocation(self, tank, rest, house, until):
        answer = rest.post(f"{tank.path}/actions/fill", json={"litres": 5})
        assert answer.status_code == 201
        location = answer.headers["location"]
        assert answer.json()["href"] == location
        assert location.startswith(f"{tank.path}/actions/fill/")
        shown = until(lambda: (got := house.get(location))["status"] == "completed" and got)
        assert shown["timeEnded"] >= shown["timeRequested"]
        (told,) = tank.told
        assert (told["channel"], told["input"]) == ("actions/fill", {"litres": 5})

    def test_an_output_or_an_error_is_told(self, deaf, rest, house, until):
        ends = {"completed": {"output": [1, 2]}, "failed": {"error": "no water"}, "in-doubt": {}}
        for at, (status, more) in enumerate(ends.items()):
            location = rest.post(f"{deaf.path}/actions/flush").headers["location"]
            assert house.get(location)["status"] == "pending"
            told = until(lambda at=at: deaf.told[at:])[0]
            assert "input" not in told
            deaf.answer(told["id"], status, **more)
            shown = until(lambda at=location: (got := house.get(at))["status"] != "pending" and got)
            assert shown["status"] == status
            assert more.items() <= shown.items()

    def test_the_first_answer_counts(self, deaf, rest, house, until):
        location = rest.post(f"{deaf.path}/actions/flush").headers["location"]
        told = until(lambda: deaf.told)[0]
        deaf.answer(told["id"], "failed", error="first")
        deaf.answer(told["id"], "completed")
        deaf.has(level=1.0)
        assert house.get(location)["error"] == "first"

    def test_nobody_answers_for_another(self, deaf, tank, rest, house, until):
        location = rest.post(f"{deaf.path}/actions/flush").headers["location"]
        told = until(lambda: deaf.told)[0]
        tank.answer(told["id"], "failed")
        tank.has(level=1.0)
        assert house.get(location)["status"] == "pending"

    def test_a_repeat_under_the_same_key_is_one_command(self, tank, rest, problem, until):
        key = {"idempotency-key": f"fill-{tank.name}"}
        answers = [rest.post(f"{tank.path}/actions/fill", json={"litres": 5}, headers=key) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201] * 3
        assert len({answer.headers["location"] for answer in answers}) == 1
        problem(rest.post(f"{tank.path}/actions/fill", json={"litres": 6}, headers=key), 409, "conflict")
        rest.post(f"{tank.path}/actions/flush")
        until(lambda: tank.told[-1]["channel"] == "actions/flush")
        assert len(tank.told) == 2

    def test_repeats_at_the_same_time_are_one_command(self, tank, house, until):
        locations = []

        def ask():
            answer = httpx.post(
                f"{house.rest.base_url}{tank.path}/actions/fill",
                json={"litres": 5},
                headers={"idempotency-key": f"race-{tank.name}"},
            )
            locations.append(answer.headers["location"])

        racers = [threading.Thread(target=ask) for _ in range(8)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        assert len(locations) == 8
        assert len(set(locations)) == 1
        until(lambda: house.get(locations[0])["status"] == "completed")
        assert len(tank.told) == 1

    def test_422_for_an_input_against_its_schema(self, tank, rest, problem):
        for wrong in ({"litres": -1}, {"litres": "5"}, {}, None, 5):
            problem(rest.post(f"{tank.path}/actions/fill", json=wrong), 422, "invalid", "input")
        problem(rest.post(f"{tank.path}/actions/fill"), 422, "invalid", "input")
        assert tank.told == []

    def test_404_for_what_is_not_there(self, tank, rest, problem):
        problem(rest.post(f"{tank.path}/actions/nonsense"), 404, "not-found")
        problem(rest.get(f"{tank.path}/actions/flush/nonsense"), 404, "not-found")
        location = rest.post(f"{tank.path}/actions/flush").headers["location"]
        reference = location.rpartition("/")[2]
        problem(rest.get(f"{tank.path}/actions/fill/{reference}"), 404, "not-found")

    def test_a_key_that_is_too_long_is_refused(self, tank, rest, problem):
        answer = rest.post(f"{tank.path}/actions/flush", headers={"idempotency-key": "k" * 201})
        problem(answer, 422, "invalid", "idempotency-key")


class TestActuations:
    def test_newest_first_and_by_thing(self, tank, deaf, rest, house):
        for value in (20, 30, 40):
            rest.put(f"{tank.path}/properties/target", json=value)
        rest.post(f"{deaf.path}/actions/flush")
        mine = house.get("/actuations", thing=tank.id)
        assert [each["input"] for each in mine] == [40, 30, 20]
        assert all(each["service"] is None for each in mine)
        newest = house.get("/actuations", limit=1)
        assert newest[0]["thing"] == deaf.id

    def test_in_pages(self, tank, rest):
        for value in (20, 30, 40):
            rest.put(f"{tank.path}/properties/target", json=value)
        answer = rest.get("/actuations", params={"thing": tank.id, "limit": 2})
        assert [each["input"] for each in answer.json()] == [40, 30]
        following = answer.headers["link"].partition(">")[0].lstrip("<")
        last = rest.get(following)
        assert [each["input"] for each in last.json()] == [20]
        assert "link" not in last.headers

    def test_an_unknown_one_is_not_found(self, rest, problem):
        problem(rest.get("/actuations/nonsense"), 404, "not-found")
        for query in ("limit=1001", "offset=99999999999999999999"):
            problem(rest.get(f"/actuations?{query}"), 422, "invalid", query.partition("=")[0])
