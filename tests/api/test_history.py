"""Readings and their history: shapes, order, pages, figures over intervals."""

from __future__ import annotations

import re
import time

import pytest

NOON = 1_767_268_800_000
"""2026-01-01T12:00:00Z."""
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

METER = {
    "title": "Meter",
    "properties": {
        "level": {"type": "number", "unit": "Cel", "@type": "quantitykind:Temperature"},
        "open": {"type": "boolean", "readOnly": True},
        "mode": {"type": "string"},
        "colour": {"type": "object", "properties": {"r": {"type": "integer"}}},
        "list": {"type": "array"},
        "never": {"type": "number"},
        "secret": {"type": "string", "writeOnly": True},
        'odd".name $[0] ü': {"type": "number"},
    },
}


def following(answer):
    return re.fullmatch(r'<(.+)>; rel="next"', answer.headers["link"])[1]


@pytest.fixture
def meter(thing):
    return thing(METER)


@pytest.fixture
def course(meter, house, until):
    """Ten readings a minute apart, from noon on, told out of order."""
    for at in (3, 0, 1, 2, 9, 4, 5, 6, 8, 7):
        meter.report(at=NOON + at * 60_000, level=20.0 + at)
    until(lambda: len(house.get(f"{meter.path}/properties/level/history")) == 10)
    return f"{meter.path}/properties/level/history"


def values(readings):
    return [each["value"] for each in readings]


class TestNewest:
    def test_values_are_bare(self, meter, house):
        said = {"level": 21.5, "open": True, "mode": "eco", "colour": {"r": 1}, "list": [1, "a", None]}
        meter.has(**said)
        assert house.get(f"{meter.path}/properties") == said
        for name, value in said.items():
            assert house.get(f"{meter.path}/properties/{name}") == value

    def test_a_reading_has_its_unit_both_times_and_its_quality(self, meter, house):
        before = time.time_ns() // 1_000_000
        meter.has(level=21.5, open=False)
        reading = house.get(f"{meter.path}/properties/level/reading")
        assert reading.keys() == {"value", "unit", "observed", "received", "quality"}
        assert (reading["value"], reading["unit"], reading["quality"]) == (21.5, "Cel", "good")
        assert ISO.fullmatch(reading["observed"])
        assert ISO.fullmatch(reading["received"])
        assert reading["observed"] <= reading["received"]
        assert reading["received"] >= time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(before / 1000))
        readings = house.get(f"{meter.path}/readings")
        assert readings["level"] == reading
        assert readings["open"]["unit"] is None

    def test_what_was_never_reported_is_not_found(self, meter, rest, problem):
        problem(rest.get(f"{meter.path}/properties/never"), 404, "not-found")
        problem(rest.get(f"{meter.path}/properties/nonsense"), 404, "not-found")
        assert rest.get(f"{meter.path}/properties/never/history").json() == []

    def test_what_is_write_only_is_not_read(self, meter, rest, problem):
        for path in ("", "/reading", "/history"):
            problem(rest.get(f"{meter.path}/properties/secret{path}"), 422, "invalid", "secret")

    def test_a_clock_that_says_nonsense_disturbs_nothing(self, meter, house, until):
        for nonsense in (-(2**62), 2**62, -1):
            meter.report(at=nonsense, level=1.0)
        path = f"{meter.path}/properties/level/history"
        until(lambda: len(house.get(path)) == 3)
        meter.has(level=2.0)
        assert values(house.get(path)) == [1.0, 1.0, 1.0, 2.0]
        assert any("clock" in line for line in house.diagnostics(meter.id))


class TestHistory:
    def test_oldest_first_however_it_came(self, course, house):
        assert values(house.get(course)) == [20.0 + at for at in range(10)]

    def test_between_two_times(self, course, house):
        """The first included, the last excluded; RFC 3339 or Unix milliseconds, with any offset."""
        for query in (
            {"from": "2026-01-01T12:02:00Z", "to": "2026-01-01T12:05:00Z"},
            {"from": "2026-01-01T13:02:00+01:00", "to": "2026-01-01T07:05:00-05:00"},
            {"from": NOON + 120_000, "to": NOON + 300_000},
            {"from": "2026-01-01T12:02:00", "to": str(NOON + 300_000)},
        ):
            assert values(house.get(course, **query)) == [22.0, 23.0, 24.0], query

    def test_in_pages_by_cursor(self, course, rest):
        answer = rest.get(course, params={"limit": 3, "from": NOON + 60_000})
        seen = values(answer.json())
        while "link" in answer.headers:
            assert "cursor=" in following(answer)
            answer = rest.get(following(answer))
            seen += values(answer.json())
        assert seen == [21.0 + at for at in range(9)]

    def test_in_pages_by_offset(self, course, house):
        assert values(house.get(course, limit=3, offset=4)) == [24.0, 25.0, 26.0]

    def test_a_late_reading_does_not_shift_the_pages(self, course, meter, rest, house, until):
        answer = rest.get(course, params={"limit": 5})
        meter.report(at=NOON + 30_000, level=0.0)
        until(lambda: len(house.get(course)) == 11)
        assert values(rest.get(following(answer)).json()) == [25.0 + at for at in range(5)]

    def test_several_readings_within_one_millisecond_all_count(self, meter, house, until):
        for value in (1.0, 2.0, 3.0):
            meter.report(at=NOON, level=value)
        history = until(lambda: (got := house.get(f"{meter.path}/properties/level/history"))[2:] and got)
        assert values(history) == [1.0, 2.0, 3.0]

    def test_of_any_type(self, meter, house, until):
        said = {
            "open": [True, False],
            "mode": ["eco", "boost"],
            "colour": [{"r": 1}, {"r": 2}],
            "list": [[], [0]],
        }
        for at in range(2):
            meter.report(at=NOON + at, **{name: both[at] for name, both in said.items()})
        for name, both in said.items():
            path = f"{meter.path}/properties/{name}/history"
            assert values(until(lambda path=path: (got := house.get(path))[1:] and got)) == both

    def test_of_a_property_with_an_odd_name(self, meter, house, rest):
        meter.has(**{'odd".name $[0] ü': 1.5})
        href = house.get(meter.path)["properties"]['odd".name $[0] ü']["forms"][0]["href"]
        assert rest.get(href).json() == 1.5
        for _ in range(2):
            meter.report(**{'odd".name $[0] ü': 1.5})
        meter.has(level=0)
        answer = rest.get(f"{href}/history", params={"limit": 2})
        assert values(answer.json()) == [1.5, 1.5]
        assert values(rest.get(following(answer)).json()) == [1.5]
        figures = rest.get(f"{href}/history", params={"every": "1d", "aggregate": "count"})
        assert sum(values(figures.json())) == 3

    def test_a_repeated_message_makes_one_row(self, meter, house):
        body = {"b": 7, "n": 1, "t": NOON, "v": {"level": 5.0}}
        for _ in range(3):
            meter.say(f"diat/{meter.name}/properties", body)
        meter.has(mode="end")
        assert values(house.get(f"{meter.path}/properties/level/history")) == [5.0]


class TestFigures:
    @pytest.mark.parametrize(
        ("aggregate", "figures"),
        [
            ("mean", [21.0, 24.0, 27.0, 29.0]),
            ("min", [20.0, 23.0, 26.0, 29.0]),
            ("max", [22.0, 25.0, 28.0, 29.0]),
            ("sum", [63.0, 72.0, 81.0, 29.0]),
            ("count", [3, 3, 3, 1]),
            ("last", [22.0, 25.0, 28.0, 29.0]),
        ],
    )
    def test_one_for_each_interval(self, course, house, aggregate, figures):
        for every in ("3m", "180s", "180", "PT3M"):
            got = house.get(course, every=every, aggregate=aggregate)
            assert values(got) == pytest.approx(figures)
            assert [each["observed"] for each in got] == [
                f"2026-01-01T12:{minute:02}:00.000Z" for minute in (0, 3, 6, 9)
            ]

    def test_between_two_times_and_in_pages(self, course, rest):
        query = {"every": "1m", "aggregate": "mean", "limit": 4, "from": NOON + 60_000, "to": NOON + 540_000}
        answer = rest.get(course, params=query)
        seen = values(answer.json())
        while "link" in answer.headers:
            answer = rest.get(following(answer))
            seen += values(answer.json())
        assert seen == [21.0 + at for at in range(8)]

    def test_an_interval_without_readings_is_left_out(self, meter, house, until):
        path = f"{meter.path}/properties/level/history"
        for at in (0, 10):
            meter.report(at=NOON + at * 60_000, level=1.0 + at)
        until(lambda: len(house.get(path)) == 2)
        assert values(house.get(path, every="1m", aggregate="mean")) == [1.0, 11.0]

    def test_of_what_is_no_number_only_count_and_last(self, meter, house, rest, problem, until):
        for at, value in enumerate((True, False, False)):
            meter.report(at=NOON + at, open=value)
        path = f"{meter.path}/properties/open/history"
        until(lambda: len(house.get(path)) == 3)
        assert values(house.get(path, every="1h", aggregate="count")) == [3]
        assert values(house.get(path, every="1h", aggregate="last")) == [False]
        problem(rest.get(path, params={"every": "1h", "aggregate": "mean"}), 422, "invalid", "aggregate")


class TestRefusals:
    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("from=yesterday", "from"),
            ("to=2026-13-01T00:00:00Z", "to"),
            ("from=99999999999999999999999999", "from"),
            ("to=-99999999999999999999999999", "to"),
            ("from=%C2%B2", "from"),
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("offset=-1", "offset"),
            ("offset=99999999999999999999", "offset"),
            ("cursor=next", "cursor"),
            ("cursor=%C2%B2.%C2%B2", "cursor"),
            (f"cursor={'9' * 5000}.1", "cursor"),
            ("cursor=1.99999999999999999999", "cursor"),
            ("every=1h", "aggregate"),
            ("aggregate=mean", "every"),
            ("every=often&aggregate=mean", "every"),
            ("every=0s&aggregate=mean", "every"),
            ("every=999999999999d&aggregate=mean", "every"),
            ("every=1h&aggregate=median", "aggregate"),
        ],
    )
    def test_name_the_field(self, meter, rest, problem, query, field):
        problem(rest.get(f"{meter.path}/properties/level/history?{query}"), 422, "invalid", field)
