"""History as CSV and Parquet over REST: what is in it, how it is asked for, and that it takes no harm."""

from __future__ import annotations

import csv
import io

import pyarrow.parquet as pq
import pytest

NOON = 1_767_268_800_000
PARQUET = "application/vnd.apache.parquet"
METER = {
    "title": "Meter",
    "properties": {
        "level": {"type": "number", "unit": "Cel", "@type": "quantitykind:Temperature"},
        "count": {"type": "integer"},
        "open": {"type": "boolean", "readOnly": True},
        "mode": {"type": "string", "enum": ["eco", "=1+1"]},
        "colour": {"type": "object", "properties": {"r": {"type": "integer"}}},
        "list": {"type": "array"},
        "secret": {"type": "string", "writeOnly": True},
    },
}
SAID = {"level": 21.5, "count": 7, "open": True, "mode": "eco", "colour": {"r": 1}, "list": [1, "a", None]}


@pytest.fixture
def meter(thing, place, house, until):
    made = thing(METER | {"diat:place": place})
    made.report(at=NOON, **SAID)
    made.report(at=NOON + 1000, level=22.0, mode="=1+1")
    until(lambda: house.get(f"{made.path}/properties").get("mode") == "=1+1")
    return made


def rows(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_csv_has_a_line_for_each_reading_of_whatever_type(meter, rest):
    found = rows(rest.get(f"{meter.path}/history"))
    assert {(row["property"], row["kind"], row["value"]) for row in found} == {
        ("level", "number", "21.5"), ("level", "number", "22.0"), ("count", "number", "7"),
        ("open", "boolean", "true"), ("mode", "string", "eco"), ("mode", "string", "'=1+1"),
        ("colour", "json", '{"r":1}'), ("list", "json", '[1,"a",null]'),
    }  # fmt: skip
    assert {row["thing"] for row in found} == {meter.id}
    assert [row["observed"] for row in found if row["property"] == "level"] == [
        "2026-01-01T12:00:00.000Z",
        "2026-01-01T12:00:01.000Z",
    ]


@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        ({}, "*/*", "text/csv"),
        ({}, "text/csv", "text/csv"),
        ({}, PARQUET, PARQUET),
        ({}, f"{PARQUET};q=0.9, text/csv", PARQUET),
        ({"format": "csv"}, PARQUET, "text/csv"),
        ({"format": "parquet"}, "text/csv", PARQUET),
    ],
)
def test_the_format_is_negotiated(meter, rest, query, accept, media_type):
    answer = rest.get(f"{meter.path}/history", params=query, headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == media_type
    suffix = "csv" if media_type == "text/csv" else "parquet"
    name = meter.id.replace(":", "-")
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}.{suffix}"'


def test_parquet_has_the_same_with_typed_columns(meter, rest):
    answer = rest.get(f"{meter.path}/history", params={"format": "parquet"})
    table = pq.read_table(io.BytesIO(answer.content))
    found = {(row["property"], row["value_number"]): row for row in table.to_pylist()}
    assert found["level", 22.0]["observed"].timestamp() * 1000 == NOON + 1000
    assert found["count", 7.0]["whole"]
    assert found["open", None]["value_bool"] is True
    assert found["colour", None]["value_json"] == '{"r":1}'
    assert table.num_rows == 8


def test_a_time_and_properties_are_picked(meter, rest, problem):
    path = f"{meter.path}/history"
    asked = {"from": NOON + 1000, "to": NOON + 2000, "property": ["level", "open"]}
    assert [row["value"] for row in rows(rest.get(path, params=asked))] == ["22.0"]
    assert rows(rest.get(path, params={"to": NOON})) == []
    assert rows(rest.get(path, params={"property": "secret"})) == []
    problem(rest.get(path, params={"property": "nonsense"}), 404, "not-found")
    problem(rest.get(path, params={"from": "yesterday"}), 422, "invalid", "from")
    problem(rest.get(path, params={"format": "xls"}), 422, "invalid", "format")
    problem(rest.get(path, headers={"Accept": "application/pdf"}), 406, "refused")
    problem(rest.get("/things/urn%3Adev%3Anobody/history"), 404, "not-found")


def test_history_of_a_property_that_is_no_more_can_be_had(meter, rest, until, house):
    meter.announce(METER | {"properties": {"level": METER["properties"]["level"]}})
    until(lambda: "count" not in house.get(meter.path)["properties"])
    assert {row["property"] for row in rows(rest.get(f"{meter.path}/history"))} == {"level"}
    asked = {"property": "count"}
    assert [row["value"] for row in rows(rest.get(f"{meter.path}/history", params=asked))] == ["7"]


def test_many_things_are_found_by_meaning(meter, sensor, rest, place, problem):
    other = sensor(19.0)
    found = rows(rest.get("/history/export", params={"quantity": "temperature", "place": place}))
    assert {(row["thing"], row["property"]) for row in found} == {
        (meter.id, "level"),
        (other.id, "temperature"),
    }
    found = rows(rest.get("/history/export", params={"thing": other.id}))
    assert {row["thing"] for row in found} == {other.id}
    problem(rest.get("/history/export", params={"quantity": "nonsense"}), 422, "invalid", "quantity")
    problem(rest.get("/history/export", params={"thing": "urn:dev:nobody"}), 404, "not-found")


def test_more_than_a_page_comes_whole(thing, rest, house, until):
    meter = thing({"title": "Long", "properties": {"n": {"type": "integer", "readOnly": True}}})
    for start in range(0, 12_000, 400):
        reports = [
            {"b": 1, "n": 1 + start + at, "t": NOON + start + at, "v": {"n": start + at}} for at in range(400)
        ]
        meter.say(f"diat/{meter.name}/properties", reports)
    until(lambda: house.get(f"{meter.path}/properties").get("n") == 11_999)
    found = rows(rest.get(f"{meter.path}/history"))
    assert [int(row["value"]) for row in found] == list(range(12_000))
    answer = rest.get(f"{meter.path}/history", params={"format": "parquet"})
    assert pq.read_table(io.BytesIO(answer.content)).column("value_number").to_pylist() == list(range(12_000))
