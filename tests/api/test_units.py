"""Values in the unit that somebody asks for: read, listed, streamed, in history, and written."""

from __future__ import annotations

import json

import pytest

NOON = 1_767_268_800_000
ROOM = {
    "title": "Room",
    "properties": {
        "temperature": {
            "type": "number", "unit": "Cel", "@type": "quantitykind:Temperature", "readOnly": True,
        },
        "warmer": {
            "type": "number", "unit": "Cel", "@type": "quantitykind:TemperatureDifference", "readOnly": True,
        },
        "pressure": {"type": "number", "unit": "hPa", "readOnly": True},
        "target": {"type": "number", "unit": "Cel", "minimum": 5, "maximum": 30, "idempotent": True},
        "stage": {"type": "integer", "unit": "s"},
        "bare": {"type": "number", "readOnly": True},
        "mode": {"type": "string", "readOnly": True},
    },
}  # fmt: skip


@pytest.fixture
def room(thing):
    made = thing(ROOM)
    made.has(temperature=20.0, warmer=10, pressure=1013.25, bare=1, mode="eco", target=21)
    return made


def test_a_value_comes_in_the_unit_asked_for(room, house):
    path = f"{room.path}/properties"
    assert house.get(f"{path}/temperature", unit="degF") == 68
    assert house.get(f"{path}/temperature", unit="K") == 293.15
    assert house.get(f"{path}/temperature", unit="Cel") == 20
    assert house.get(f"{path}/warmer", unit="°F") == 18
    reading = house.get(f"{path}/temperature/reading", unit="°F")
    assert (reading["value"], reading["unit"]) == (68, "[degF]")


def test_a_listing_converts_what_converts(room, house, rest, problem):
    shown = house.get(f"{room.path}/readings", unit=["degF", "kPa"])
    found = {name: (each["value"], each["unit"]) for name, each in shown.items()}
    assert found == {
        "temperature": (68, "[degF]"), "warmer": (18, "[degF]"), "pressure": (101.325, "kPa"),
        "bare": (1, None), "mode": ("eco", None), "target": (69.8, "[degF]"),
    }  # fmt: skip
    assert house.get(f"{room.path}/properties", unit="K")["temperature"] == 293.15
    problem(rest.get(f"{room.path}/readings", params={"unit": ["K", "kg"]}), 400, "unit", "unit")


@pytest.mark.parametrize(
    ("name", "unit", "words"),
    [
        ("temperature", "hPa", ("Cel", "hPa")),
        ("temperature", "bananas", ("bananas",)),
        ("bare", "degF", ("degF", "not known")),
        ("mode", "degF", ("degF", "no numbers")),
    ],
)
def test_what_does_not_convert_is_told_with_both_units(room, rest, problem, name, unit, words):
    for path in ("", "/reading", "/history", "/observe"):
        answer = rest.get(f"{room.path}/properties/{name}{path}", params={"unit": unit})
        told = problem(answer, 400, "unit", "unit")
        assert all(word in told["detail"] for word in words)


def test_history_and_figures_come_in_the_unit(room, rest, house, until, problem):
    for minute in range(4):
        room.report(at=NOON + minute * 60_000, temperature=10.0 * minute)
    path = f"{room.path}/properties/temperature/history"
    asked = {"from": str(NOON), "to": str(NOON + 3_600_000), "unit": "degF"}
    until(lambda: len(house.get(path, **asked)) == 4)
    assert [(each["value"], each["unit"]) for each in house.get(path, **asked)] == [
        (32, "[degF]"), (50, "[degF]"), (68, "[degF]"), (86, "[degF]"),
    ]  # fmt: skip
    for aggregate, figure in (("mean", 59), ("min", 32), ("max", 86), ("last", 86)):
        (each,) = house.get(path, **asked, every="1h", aggregate=aggregate)
        assert (each["value"], each["unit"]) == (figure, "[degF]")
    del asked["unit"]
    (count,) = house.get(path, **asked, every="1h", aggregate="count")
    assert (count["value"], count["unit"]) == (4, "1")
    for aggregate in ("sum", "count"):
        refused = rest.get(path, params=asked | {"every": "1h", "aggregate": aggregate, "unit": "degF"})
        problem(refused, 400, "unit", "unit")


def test_a_stream_comes_in_the_unit(room, rest, house):
    path = f"{room.path}/properties/temperature/observe"
    headers = {"Last-Event-ID": "0"}
    with rest.stream("GET", path, params={"unit": "degF"}, headers=headers) as answer:
        lines = (line for line in answer.iter_lines() if line.startswith("data:"))
        assert json.loads(next(lines).removeprefix("data:")) == 68
        room.report(temperature=30.0)
        assert json.loads(next(lines).removeprefix("data:")) == 86


def test_what_is_written_in_a_unit_is_told_in_the_things_own(room, rest, house, problem):
    path = f"{room.path}/properties"
    assert rest.put(f"{path}/target", json=68, params={"unit": "degF"}).status_code == 204
    assert room.told[-1]["v"] == {"target": 20}
    assert rest.put(f"{path}/stage", json=2, params={"unit": "min"}).status_code == 204
    assert room.told[-1]["v"] == {"stage": 120}
    assert isinstance(room.told[-1]["v"]["stage"], int)
    # 68 would be too hot if it were Celsius, as 100 degF is
    problem(rest.put(f"{path}/target", json=100, params={"unit": "degF"}), 422, "invalid")
    problem(rest.put(f"{path}/target", json=1, params={"unit": "hPa"}), 400, "unit", "unit")
    problem(rest.put(f"{path}/target", json="warm", params={"unit": "degF"}), 422, "invalid")
