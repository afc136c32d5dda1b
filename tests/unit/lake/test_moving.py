"""Days move to Parquet files: what lies where, in which form, and what a crash at any point leaves."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from diat.adapters.lake import mover as mover_module
from diat.adapters.lake.mover import Stopped
from diat.kernel.errors import Unavailable
from tests.unit.lake.house import DAY, HOUR

VALUES = {"t": 21.5, "n": 5, "five": 5.0, "on": True, "mode": "eco", "where": {"x": [1, None]}, "no": None}


def told(history, name="t", thing=1):
    return [(past.observed, past.value) for past in history.readings(thing, name, None, None, 1000)]


def test_a_whole_day_moves_and_the_next_one_stays(house):
    first = house.report(0, {"t": 1})
    house.report(DAY - 1, {"t": 2})
    stays = house.report(DAY, {"t": 3})

    moved = house.mover.move(1)

    assert (moved.days, moved.rows, moved.values, moved.deleted) == (1, 2, 2, 2)
    assert house.hot() == [stays]
    name = f"day=1970-01-01/part-{first - 1:016d}-{stays:016d}.parquet"
    assert [str(path.relative_to(house.root)) for path in house.parts()] == [f"readings/{name}"]
    assert told(house.history) == [(0, 1), (DAY - 1, 2), (DAY, 3)]


def test_a_row_holds_one_value_in_a_column_of_its_type(house):
    house.report(7, VALUES)
    house.mover.move(1)

    [part] = house.parts()
    rows = {row["property"]: row for row in pq.read_table(part).to_pylist()}

    filled = ("value_number", "whole", "value_bool", "value_text", "value_json")
    assert {name: tuple(row[column] for column in filled) for name, row in rows.items()} == {
        "t": (21.5, False, None, None, None),
        "n": (5.0, True, None, None, None),
        "five": (5.0, False, None, None, None),
        "on": (None, None, True, None, None),
        "mode": (None, None, None, "eco", None),
        "where": (None, None, None, None, '{"x":[1,null]}'),
        "no": (None, None, None, None, None),
    }
    assert rows["t"]["thing"] == 1
    assert (rows["t"]["observed"], rows["t"]["received"], rows["t"]["position"]) == (7, 12, 1)
    assert (rows["t"]["boot"], rows["t"]["n"], rows["t"]["quality"]) == ("b", 1, "good")
    assert pq.read_metadata(part).row_group(0).column(0).compression == "ZSTD"


def test_every_value_comes_back_as_it_was(house):
    wide = {
        **VALUES,
        "big": 2**63 - 1,
        "negative": -(2**63),
        "zero": -0.0,
        "text": "\x00ü\n",
        'a"b': 1,
        "": 2,
    }
    house.report(7, wide)
    house.mover.move(1)

    for name, value in wide.items():
        [past] = house.history.readings(1, name, None, None, 10)
        assert repr(past.value) == repr(value)
        assert (past.observed, past.received, past.quality, past.position) == (7, 12, "good", 1)


def test_rows_are_sorted_by_thing_property_and_time(house, monkeypatch):
    monkeypatch.setattr(mover_module, "GROUP", 3)
    monkeypatch.setattr(mover_module, "GROUP_MOST", 5)
    for at in (5, 3, 9, 1, 3, 8, 2):
        house.report(at, {"b": at, "a": at}, thing=2)
        house.report(at, {"b": at, "a": at}, thing=1)
    house.mover.move(1)

    [part] = house.parts()
    with pq.ParquetFile(part) as file:
        groups = [file.read_row_group(at).to_pylist() for at in range(file.num_row_groups)]
    keys = [[(row["thing"], row["property"], row["observed"], row["position"]) for row in g] for g in groups]

    assert len(keys) > 2
    assert all(group == sorted(group) for group in keys)
    assert [group[0][0] for group in keys] == sorted(group[0][0] for group in keys)
    assert [value for _, value in told(house.history, "a")] == [1, 2, 3, 3, 5, 8, 9]


def test_what_comes_late_goes_to_another_file_of_its_day(house):
    house.report(HOUR, {"t": 1})
    house.mover.move(1)
    house.report(0, {"t": 2})
    late = house.report(2 * HOUR, {"t": 3})

    assert told(house.history) == [(0, 2), (HOUR, 1), (2 * HOUR, 3)]
    house.mover.move(1)

    assert house.hot() == []
    assert [path.name for path in house.parts()][1] == f"part-{1:016d}-{late:016d}.parquet"
    assert told(house.history) == [(0, 2), (HOUR, 1), (2 * HOUR, 3)]


def test_events_move_too(house):
    for at in (3, DAY, 1):
        house.occur(at, "pressed", {"times": at})
    house.occur(2, "other", "x")
    house.mover.move(1)

    assert len(house.hot("events")) == 1
    found = house.history.occurrences(1, "pressed", None, None, 10)
    assert [(past.observed, past.value) for past in found] == [(at, {"times": at}) for at in (1, 3, DAY)]
    assert house.history.occurrences(1, "pressed", 2, DAY, 10)[0].observed == 3
    after = (found[0].observed, found[0].position)
    assert house.history.occurrences(1, "pressed", None, None, 1, after=after) == [found[1]]


def test_what_came_since_a_position_is_in_the_order_in_which_it_came(house):
    for at in (DAY + 5, 3, 2 * DAY, 1, DAY):
        house.report(at, {"t": at})
        house.occur(at, "e", at)
    house.mover.move(2)

    assert [past.value for past in house.history.readings_since(1, "t", 0, 9)] == [
        DAY + 5,
        3,
        2 * DAY,
        1,
        DAY,
    ]
    assert [past.value for past in house.history.readings_since(1, "t", 3, 2)] == [2 * DAY, 1]
    assert [past.value for past in house.history.events_since(1, "e", 4, 9)] == [2 * DAY, 1, DAY]


class Crash(BaseException):
    """The power goes."""


def crash_at(monkeypatch, number):
    """Let the power go at the number-th step to the disk or to the writer, counted from 0; steps made."""
    made = []

    def counted(call):
        def step(*arguments, **options):
            if len(made) == number:
                raise Crash
            made.append(call)
            return call(*arguments, **options)

        return step

    monkeypatch.setattr("os.fsync", counted(os.fsync))
    monkeypatch.setattr(Path, "replace", counted(Path.replace))
    monkeypatch.setattr(pq.ParquetWriter, "write_table", counted(pq.ParquetWriter.write_table))
    return made, counted


@pytest.mark.parametrize("late", [False, True], ids=["first file", "late rows"])
def test_a_crash_at_any_step_neither_loses_nor_doubles(house, monkeypatch, late):
    monkeypatch.setattr(mover_module, "PIECE", 2)
    monkeypatch.setattr(mover_module, "WINDOW", 3)
    crashes = 0
    for number in range(100):
        house.clear()
        for at in range(5):
            house.report(at * HOUR, {"t": at, "u": at})
        if late:
            house.mover.move(1)
        for at in range(5, 10):
            house.report(at * HOUR, {"t": at, "u": at})
        whole = [(at * HOUR, at) for at in range(10)]
        with monkeypatch.context() as patch:
            made, counted = crash_at(patch, number)
            house.mover._submit = counted(house.submit)
            try:
                house.mover.move(1)
            except Crash:
                crashes += 1
            else:
                break
        half = house.root / ".drafts" / "readings-0.parquet"  # we tidied up, a power cut does not
        half.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(b"PAR1 and no more")
        house.restart()

        assert told(house.history) == whole, f"after step {number}"
        assert [p.value for p in house.history.aggregates(1, "u", None, None, DAY, "count", 9)] == [10]
        house.mover.move(1)
        assert house.hot() == [], f"after step {number}"
        assert told(house.history) == whole
        assert list((house.root / ".drafts").glob("*")) == []
    assert crashes == len(made) >= 7  # write, fsync of file and directory, rename, three pieces


def test_a_writer_that_cannot_store_stops_the_move_and_the_next_ends_it(house):
    for at in range(3):
        house.report(at, {"t": at})

    def refuse(change):
        future = Future()
        future.set_exception(Unavailable("no"))
        return future

    house.mover._submit = refuse
    with pytest.raises(Unavailable):
        house.mover.move(1)
    assert [value for _, value in told(house.history)] == [0, 1, 2]

    house.mover._submit = house.submit
    house.mover.move(1)
    assert house.hot() == []
    assert [value for _, value in told(house.history)] == [0, 1, 2]


def test_a_stop_ends_a_move_between_two_pieces(house, monkeypatch):
    monkeypatch.setattr(mover_module, "PIECE", 1)
    for at in range(5):
        house.report(at, {"t": at})

    def once(change):
        done = house.submit(change)
        house.mover._stop.set()
        return done

    house.mover._submit = once
    with pytest.raises(Stopped):
        house.mover.move(1)

    assert len(house.hot()) == 4
    assert len(told(house.history)) == 5


def test_whoever_asks_during_a_move_sees_everything_once(house, monkeypatch):
    monkeypatch.setattr(mover_module, "PIECE", 1)
    for day in range(6):
        for at in range(20):
            house.report(day * DAY + at, {"t": at})
    everything = told(house.history)
    wrong, done = [], threading.Event()

    def ask():
        while not done.is_set():
            if told(house.history) != everything:
                wrong.append("readings")
            figures = house.history.aggregates(1, "t", None, None, DAY, "count", 99)
            if [past.value for past in figures] != [20] * 6:
                wrong.append("figures")

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for each in asking:
        each.start()
    try:
        for before in range(1, 7):
            house.mover.move(before)
    finally:
        done.set()
        for each in asking:
            each.join()
    assert wrong == []
    assert house.hot() == []


def test_a_message_that_cannot_be_read_is_kept_as_it_is(house):
    with house.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO readings VALUES (1, 1, 5, 5, NULL, NULL, 'good', '{broken')")
    house.mover.move(1)

    [part] = house.parts()
    assert pq.read_table(part, columns=["property", "value_text"]).to_pylist() == [
        {"property": "", "value_text": "{broken"}
    ]
    assert house.hot() == []
