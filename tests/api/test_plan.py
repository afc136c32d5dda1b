"""``/services/plan``, lineage and explanations: what would be, what was, and why."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from diat.cli import app
from diat.kernel.clock import rfc3339
from tests.unit.cvol.replaying import replays_live

KEEP = {"quantity": "Temperature", "low": 20, "high": 24, "unit": "Cel"}


def request(place, **more):
    return {"title": "Warm", "template": "keep-within", "parameters": KEEP | {"place": place}} | more


def now():
    return time.time_ns() // 1_000_000


@pytest.fixture
def plan(house):
    def ask(body, status=200, **query):
        answer = house.rest.post("/services/plan", json=body, params=query)
        assert answer.status_code == status, answer.text
        return answer.json()

    return ask


class TestPlanning:
    def test_nothing_happens(self, plan, sensor, heater, house, place):
        sensor(15.0)
        stove = heater()
        before = len(house.get("/services"))
        made = plan(request(place))
        assert made["state"] == "running"
        assert len(house.get("/services")) == before
        assert house.get("/actuations", thing=stove.id) == []
        assert stove.told == []

    def test_what_would_be_bound_and_what_not_each_with_its_reason(self, plan, sensor, heater, place):
        meter, other, stove = sensor(15.0), sensor(), heater()
        cooler = heater(direction="decrease")
        made = plan(request(place))
        by_role = {each["role"]: each for each in made["bindings"]}
        assert by_role["sensor"]["thing"] == meter.id
        assert by_role["sensor"]["title"] == "Thermometer"
        assert by_role["warmer"]["reason"] == f"can increase Temperature at {place}"
        assert {each["thing"] for each in made["bindings"]} == {meter.id, stove.id, cooler.id}
        refused = {(each["role"], each["thing"]): each["reason"] for each in made["refused"]}
        assert refused["sensor", other.id] == "it has not reported yet"
        assert refused["warmer", cooler.id] == "it can decrease, not increase"

    def test_it_says_what_is_missing(self, plan, place):
        made = plan(request(place))
        assert made["state"] == "waiting"
        assert any("sensor" in line for line in made["missing"])

    def test_a_goal_is_planned_as_well(self, plan, sensor, heater, place):
        sensor(15.0)
        heater()
        goal = {"keep": {"quantity": "Temperature", "place": place, "between": [20, 24], "unit": "Cel"}}
        made = plan({"title": "Warm", "goal": goal})
        assert (made["template"], made["state"]) == ("keep-within", "running")
        assert made["chosen"]

    def test_what_is_there_already_is_told_and_is_no_conflict(self, plan, sensor, heater, house, place):
        sensor(15.0)
        heater()
        running = house.keep(place)
        made = plan(request(place))
        assert made["shared_with"] == [running["id"]]
        assert made["conflicts"] == []

    def test_a_conflict_is_told_with_its_situation_and_the_winner(self, plan, sensor, heater, house, place):
        sensor(21.0)
        stove = heater()
        running = house.keep(place, low=16, high=18)
        made = plan(request(place))
        (conflict,) = made["conflicts"]
        assert conflict["kind"] == "direct"
        assert (conflict["service"], conflict["winner"], conflict["priority"]) == (
            running["id"],
            "a service",
            "automation",
        )
        assert conflict["mine"]["thing"] == conflict["theirs"]["thing"] == stove.id
        assert "“Warm” wants Heater" in conflict["situation"]
        assert "Cel" in conflict["situation"]
        assert plan(request(place), instead=running["id"])["conflicts"] == []

    def test_the_bytes_are_those_that_came(self, plan, sensor, heater, place):
        meter = sensor(15.0)
        heater()
        meter.has(temperature=16.0)
        placement = plan(request(place))["placement"]
        (tier,) = placement["tiers"]
        assert tier["tier"] == "core"
        assert "drive-warmer" in tier["steps"]
        assert placement["readings"] == [
            {"thing": meter.id, "messages_per_hour": 2, "bytes_per_hour": 2 * len('{"temperature":15.0}')}
        ]
        assert tier["bytes_per_hour"] == placement["readings"][0]["bytes_per_hour"]
        assert "nothing that it reads or drives is beside a gateway" in placement["note"]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"template": "keep-without"}, "template"),
            ({"colour": "red"}, "colour"),
            ({"parameters": {}}, "parameters.quantity"),
            ({"replay": {"from": "yesterday"}}, "replay.from"),
            ({"replay": {}}, "replay.from"),
            ({"replay": {"from": 1}}, "replay.from"),
            ({"replay": {"from": "2026-01-02", "to": "2026-01-01"}}, "replay.to"),
            ({"replay": {"from": "2026-01-02", "to": "2126-01-01"}}, "replay.to"),
            ({"replay": {"from": "2026-01-02", "speed": 2}}, "replay.speed"),
        ],
    )
    def test_what_is_wrong_is_named(self, house, problem, body, field):
        problem(house.rest.post("/services/plan", json=request("x") | body), 422, "invalid", field)

    def test_in_the_place_of_a_service_that_is_not_there(self, house, problem):
        answer = house.rest.post("/services/plan", json=request("x"), params={"instead": "nobody"})
        problem(answer, 404, "not-found")


class TestReplay:
    @pytest.fixture
    def history(self, sensor, heater, place, until):
        """A thermometer that has seen cold, warmth and cold again, and a heater; and since when."""
        meter, stove = sensor(), heater()
        began = now()
        for value in (15.0, 22.0, 26.0, 22.0, 17.0):
            meter.has(temperature=value)
        return meter, stove, began

    def test_the_commands_that_it_would_have_given(self, plan, history, place):
        _, stove, began = history
        replay = plan(request(place, replay={"from": began}))["replay"]
        assert replay["complete"]
        assert [(each["thing"], each["input"]) for each in replay["commands"]] == [
            (stove.id, True),
            (stove.id, False),
            (stove.id, True),
        ]
        assert [each["values"]["level"] for each in replay["commands"]] == [15.0, 26.0, 17.0]
        assert replay["difference"]["counts"] == {"same": 0, "planned": 3, "real": 0}

    def test_beside_what_really_was_given(self, plan, sensor, heater, house, place, until):
        meter, stove = sensor(21.0), heater()
        service = house.keep(place, low=18, high=19)
        began = now()
        for value in (15.0, 22.0, 26.0):
            meter.has(temperature=value)
        until(lambda: [told["v"]["on"] for told in stove.told][-2:] == [True, False])
        replay = plan(request(place, replay={"from": began}), instead=service["id"])["replay"]
        difference = replay["difference"]
        assert difference["counts"] == {"same": 2, "planned": 0, "real": 0}, difference
        assert {each["real"]["by"] for each in difference["same"]} == {"a service"}
        house.rest.put(f"{stove.path}/properties/on", json=True)
        replay = plan(request(place, replay={"from": began}), instead=service["id"])["replay"]
        assert [each["by"] for each in replay["difference"]["real"]] == ["a person"]

    def test_it_is_what_the_service_then_does(self, plan, history, house, place, until):
        """What was planned for a time and what is then done in it are the same."""
        meter, stove, _ = history
        began = now()
        house.keep(place)
        until(lambda: len(stove.told) == 1)
        for value in (22.0, 25.0, 19.0):
            meter.has(temperature=value)
        until(lambda: len(stove.told) == 3)
        real = [(each["decided"], each["input"]) for each in house.get("/actuations", thing=stove.id)][::-1]
        other = request(place) | {"parameters": KEEP | {"place": place, "min_on": 0.0001}}
        services = [each for each in house.get("/services") if each["parameters"].get("place") == place]
        replay = plan(other | {"replay": {"from": began}}, instead=services[0]["id"])["replay"]
        planned = [(each["at"], each["input"]) for each in replay["commands"]]
        assert planned[1:] == real[1:]
        assert planned[0][1] is real[0][1] is True

    def test_a_service_of_a_running_platform_decides_again_what_it_decided(
        self, sensor, heater, house, place, rest, until
    ):
        """Over a real broker and a real clock: messages come in bursts, things go and come, a person acts."""
        meters, stove = [sensor(18.0), sensor(19.0)], heater()
        service = house.keep(place, min_on=0.3)
        for turn in range(8):
            for number in range(12):
                meters[number % 2].report(temperature=15.0 + (turn * 7 + number) % 13)
            meters[turn % 2].status("offline" if turn % 3 else "online")
            if turn == 4:
                rest.put(f"{stove.path}/properties/on", json=True)
        meters[0].status("online")
        meters[0].has(temperature=30.0)
        meters[1].has(temperature=12.5)
        until(lambda: [each for each in house.get("/actuations", thing=stove.id) if each["input"] is False])
        assert len(replays_live(house.daemon, service["id"])) >= 2

    def test_before_anything_was_recorded(self, house, problem, history, place):
        body = request(place, replay={"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"})
        detail = problem(house.rest.post("/services/plan", json=body), 422, "invalid", "replay.from")[
            "detail"
        ]
        assert "nothing is recorded" in detail


class TestLineage:
    def test_a_command_of_a_service_is_explained_completely(self, sensor, heater, house, place, until):
        meter, stove = sensor(15.0), heater()
        service = house.keep(place, min_on=5)
        until(lambda: stove.told)
        (each,) = house.get("/actuations", service=service["id"])
        until(lambda: house.get(f"/actuations/{each['id']}")["status"] == "completed")
        full = house.get(f"/actuations/{each['id']}")
        assert full["by"] == {
            "person": False,
            "title": "a service",
            "services": [{"id": service["id"], "title": "a service", "revision": 1}],
        }
        assert full["template"] == "keep-within 1"
        assert full["parameters"] == service["parameters"]
        assert (full["step"], full["role"], full["decision"]) == ("drive-warmer", "warmer", "decided")
        assert full["values"]["level"] == 15.0
        assert full["values"]["too-low"] is True
        assert full["binding"] == f"can increase Temperature at {place}"
        assert full["claim"] == {"priority": "automation", "over": []}
        assert full["delivery"] == "exactly-once"
        (reading,) = full["readings"]
        assert (reading["thing"], reading["affordance"], reading["value"], reading["unit"]) == (
            meter.id,
            "temperature",
            15.0,
            "Cel",
        )
        assert full["cause"] == [reading["position"]]
        assert reading["observed"] == house.get(f"{meter.path}/properties/temperature/reading")["observed"]
        assert full["decided"] <= full["created"] <= full["resolved"]

    def test_a_command_of_a_person(self, heater, house, rest):
        stove = heater()
        answer = rest.put(f"{stove.path}/properties/on", json=True)
        full = house.get(answer.headers["location"])
        assert (full["by"]["person"], full["by"]["title"]) == (True, "a person")
        assert full["by"]["hold"] > full["created"]

    def test_over_whom(self, sensor, heater, house, place, until):
        sensor(15.0)
        stove = heater()
        house.keep(place)
        until(lambda: stove.told)
        body = request(place, title="Safe") | {"parameters": KEEP | {"place": place, "low": 21}}
        template = house.get("/templates/keep-within") | {"name": f"safe-{place.replace('/', '-')}"}
        template |= {"priority": "safety"}
        template.pop("shipped")
        house.post("/templates", template)
        house.post("/services", body | {"template": template["name"]})
        given = until(lambda: [e for e in house.get("/actuations", thing=stove.id) if e["service"]][:1])
        full = house.get(f"/actuations/{given[0]['id']}")
        assert full["claim"] in (
            {"priority": "automation", "over": []},
            {"priority": "safety", "over": ["a service (automation)"]},
        )


class TestExplanation:
    def test_what_it_does_and_on_what(self, sensor, heater, house, place, until):
        sensor(15.0)
        stove = heater()
        service = house.keep(place)
        until(lambda: stove.told)
        sentences = house.get(f"/services/{service['id']}/explanation")["sentences"]
        told = " ".join(sentences)
        assert sentences[0] == "“a service” is made from keep-within 1: Keep a quantity within a band."
        assert f"place {place}" in sentences[1]
        assert "It is at work, and has all that it needs." in sentences
        assert "sensor is filled by Thermometer (temperature) since" in told
        assert f"for it reads Temperature at {place}." in told
        assert "it set Heater (on) to true, for level was 15" in told
        assert "It had read Thermometer (temperature) 15 Cel, observed" in told
        assert "if Thermometer (temperature) has said nothing new by then" in told

    def test_what_is_missing(self, house, place):
        service = house.keep(place)
        sentences = house.get(f"/services/{service['id']}/explanation")["sentences"]
        assert "It waits for what it needs, and drives nothing meanwhile." in sentences
        assert any(each.startswith("Missing: sensor") for each in sentences)
        assert "It has not commanded anything yet." in sentences

    def test_who_outranks_it_until_when(self, sensor, heater, house, place, rest, until):
        meter, stove = sensor(15.0), heater()
        service = house.keep(place)
        until(lambda: stove.told)
        rest.put(f"{stove.path}/properties/on", json=False)
        meter.has(temperature=15.5)
        shown = until(lambda: house.get(f"/services/{service['id']}")["conflicts"])
        (conflict,) = shown
        assert (conflict["thing"], conflict["affordance"], conflict["winner"], conflict["priority"]) == (
            stove.id,
            "on",
            "a person",
            "person",
        )
        assert conflict["until"] > rfc3339(now())
        sentences = house.get(f"/services/{service['id']}/explanation")["sentences"]
        assert any(
            each.startswith("Heater (on) is driven by a person (person)") and conflict["until"] in each
            for each in sentences
        )

    def test_of_none(self, rest, problem):
        problem(rest.get("/services/nobody/explanation"), 404, "not-found")


class TestCommandLine:
    def run(self, house, path, *more):
        url = str(house.rest.base_url)
        return CliRunner().invoke(app, ["plan", str(path), "--url", url, *more])

    def test_it_prints_the_plan(self, sensor, heater, house, place, tmp_path):
        meter = sensor(15.0)
        heater()
        file = tmp_path / "warm.yaml"
        file.write_text(json.dumps(request(place)))
        began = now()
        meter.has(temperature=14.0)
        done = self.run(house, file, "--from", str(began))
        assert done.exit_code == 0, done.output
        assert "“Warm” (keep-within 1) would be running" in done.output
        assert f"can increase Temperature at {place}" in done.output
        assert "no conflict with another service" in done.output
        assert "on = True" in done.output
        assert json.loads(self.run(house, file, "--json").output)["state"] == "running"

    def test_how_it_ends(self, sensor, heater, house, place, tmp_path):
        file = tmp_path / "warm.json"
        file.write_text(json.dumps(request(place)))
        assert self.run(house, file).exit_code == 1
        sensor(15.0)
        heater()
        house.keep(place, low=16, high=18)
        fights = self.run(house, file)
        assert fights.exit_code == 3
        assert "conflict:" in fights.output
        assert "“a service” wins (automation)" in fights.output

    @pytest.mark.parametrize(
        ("content", "line"),
        [
            (None, "cannot be read"),
            ("[1]", "is no request"),
            ("{", "neither JSON nor YAML"),
            ('{"title": "x", "template": "keep-without"}', "template: "),
        ],
    )
    def test_bad_input_is_one_line(self, house, tmp_path, content, line):
        file = tmp_path / "request.yaml"
        if content is not None:
            file.write_text(content)
        command = [sys.executable, "-m", "diat", "plan", str(file), "--url", str(house.rest.base_url)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2
        assert done.stderr.startswith("diat: ")
        assert line in done.stderr
        assert done.stderr.count("\n") == 1
