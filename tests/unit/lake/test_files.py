"""History to a file and back, and the ``diat history`` commands."""

from __future__ import annotations

import csv
import fcntl
import os
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from diat.adapters.lake import exporting
from diat.adapters.lake.exporting import Pick, csv_text, lines
from diat.adapters.lake.importing import import_file
from diat.adapters.lake.opening import opened
from diat.cli.history import app
from diat.kernel.errors import Invalid, NotFound, SetupError
from tests.unit.lake.house import DAY, House

LAMP, PUMP = "urn:dev:lamp", "urn:dev:pump"
VALUES = [1, 1.0, 2**60, -0.5, True, None, "on", "1", "", 'a,"b"\n', "ü\r\n", [1, "x"], {"a": None}]
FORMULAS = ["=1+1", "+1", "-1", "@x", "\t=1", "'=1", "''-2", "'", "'a", "x=1"]
COMMON = ["--data"]


def inhabited(directory):
    directory.mkdir(exist_ok=True)
    house = House(directory)
    with house.engine.begin() as connection:
        for number, thing in enumerate((LAMP, PUMP), 1):
            connection.exec_driver_sql("INSERT INTO things VALUES (?, ?, '{}')", (thing, number))
    return house


@pytest.fixture
def told(tmp_path):
    """A data directory with a day in Parquet files and a day in the database, its daemon stopped."""
    house = inhabited(tmp_path / "data")
    for day in range(2):
        for at, value in enumerate(VALUES):
            house.report(day * DAY + at, {"any": value, 'odd "name"': at}, thing=1)
        house.report(day * DAY, {"any": day}, thing=2, quality="uncertain")
    house.mover.move(1)
    house.stop()
    return tmp_path / "data"


@pytest.fixture
def empty(tmp_path):
    house = inhabited(tmp_path / "other")
    house.stop()
    return tmp_path / "other"


def everything(data):
    with opened(data) as archive:
        return {
            (thing, name): [
                (past.observed, past.received, past.quality, repr(past.value))
                for past in archive.history.readings(number, name, None, None, 1000)
            ]
            for thing, number in archive.numbers.items()
            for name in archive.history.census(number, None, None)
        }


def run(*arguments):
    return CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_what_was_exported_and_imported_is_the_same(told, empty, tmp_path, suffix):
    file = tmp_path / f"all.{suffix}"
    exported = run("export", "-o", file, "--data", told)
    assert exported.exit_code == 0
    assert "54 readings of 3 properties" in exported.stderr

    imported = run("import", file, "--data", empty)

    assert "54 of 54 readings were new" in imported.stderr
    assert everything(empty) == everything(told)
    assert list(tmp_path.glob(".*")) == []


def test_no_spreadsheet_takes_text_for_a_formula_and_the_text_comes_back(empty, tmp_path):
    house = inhabited(tmp_path / "data")
    for at, value in enumerate(FORMULAS):
        house.report(at, {"=cmd()": value, "number": -at}, thing=1)
    house.stop()
    file = tmp_path / "all.csv"
    run("export", "-o", file, "--data", tmp_path / "data")
    with file.open(newline="") as opened_file:
        rows = list(csv.DictReader(opened_file))
    for row in rows:
        assert not row["property"].startswith(("=", "+", "-", "@"))
        assert row["kind"] == "number" or not row["value"].startswith(("=", "+", "-", "@", "\t", "\r"))

    run("import", file, "--data", empty)

    assert everything(empty) == everything(tmp_path / "data")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_import_done_again_adds_nothing(told, tmp_path, suffix):
    before = everything(told)
    run("export", "-o", tmp_path / f"all.{suffix}", "--data", told)

    again = run("import", tmp_path / f"all.{suffix}", "--data", told)

    assert "0 of 54 readings were new" in again.stderr
    assert everything(told) == before


def test_imported_readings_move_like_all_others(told, empty, tmp_path):
    run("export", "-o", tmp_path / "all.csv", "--data", told)
    run("import", tmp_path / "all.csv", "--data", empty)
    house = House(empty)
    house.mover.move(1)
    with house.engine.connect() as connection:
        position = connection.exec_driver_sql("SELECT value FROM meta WHERE key = 'position'").scalar()
    assert position == max(house.hot())
    house.stop()

    assert everything(empty) == everything(told)


def test_only_what_is_asked_for_is_exported(told, tmp_path):
    file = tmp_path / "some.csv"
    run(
        *("export", "-o", file, "--thing", LAMP, "--property", "any", "--data", told),
        *("--from", "1970-01-01T00:00:00.003Z", "--to", DAY + 1),
    )

    with file.open(newline="") as opened_file:
        rows = list(csv.DictReader(opened_file))
    assert {(row["thing"], row["property"]) for row in rows} == {(LAMP, "any")}
    assert rows[0] == {
        "thing": LAMP,
        "property": "any",
        "observed": "1970-01-01T00:00:00.003Z",
        "received": "1970-01-01T00:00:00.008Z",
        "quality": "good",
        "kind": "number",
        "value": "-0.5",
    }
    assert rows[-1]["observed"] == "1970-01-02T00:00:00.000Z"
    assert [row["kind"] for row in rows[1:4]] == ["boolean", "null", "string"]


def test_csv_goes_to_standard_output_too(told):
    shown = run("export", "-o", "-", "--thing", PUMP, "--data", told)
    assert shown.stdout.splitlines() == [
        "thing,property,observed,received,quality,kind,value",
        f"{PUMP},any,1970-01-01T00:00:00.000Z,1970-01-01T00:00:00.005Z,uncertain,number,0",
        f"{PUMP},any,1970-01-02T00:00:00.000Z,1970-01-02T00:00:00.005Z,uncertain,number,1",
    ]


def test_a_parquet_export_has_times_as_times(told, tmp_path):
    run("export", "-o", tmp_path / "x", "--format", "parquet", "--thing", PUMP, "--data", told)
    row = pq.read_table(tmp_path / "x").to_pylist()[1]
    assert row["observed"] == datetime(1970, 1, 2, tzinfo=UTC)
    assert (row["value_number"], row["whole"]) == (1.0, True)


def test_export_reads_beside_a_running_daemon(told, tmp_path):
    house = House(told)
    house.position = 1000
    try:
        house.report(DAY + 5000, {"any": "new"}, thing=2)
        house.mover.move(2)  # files come, rows go while the other has the directory open
        shown = run("export", "-o", "-", "--thing", PUMP, "--data", told)
    finally:
        house.stop()
    assert shown.stdout.splitlines()[-1].endswith("string,new")


def test_pages_of_an_export_join_without_a_seam(told, monkeypatch):
    monkeypatch.setattr(exporting, "PAGE", 3)
    with opened(told) as archive:
        found = list(lines(archive.history, [Pick(LAMP, 1, "any"), Pick(PUMP, 2, "any")], None, None))
        assert len(found) == 2 * len(VALUES) + 2
        assert "".join(csv_text(found)).count(LAMP) == 2 * len(VALUES)


def test_import_needs_a_stopped_daemon(told, tmp_path):
    run("export", "-o", tmp_path / "all.csv", "--data", told)
    lock = os.open(told / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        with pytest.raises(SetupError, match="stop it first"):
            import_file(told, tmp_path / "all.csv", lambda *_: None)
    finally:
        os.close(lock)


def test_a_csv_of_others_needs_four_columns(empty, tmp_path):
    file = tmp_path / "other.csv"
    file.write_text(
        "\ufeffvalue,thing,property,observed\n"
        f'21.5,{LAMP},t,2026-01-01 10:00:00\non,{LAMP},mode,1000\n"[1,2]",{LAMP},x,1000\n'
    )
    done = import_file(empty, file, lambda *_: None)

    assert (done.read, done.added) == (3, 3)
    assert everything(empty) == {
        (LAMP, "t"): [(1_767_261_600_000, 1_767_261_600_000, "good", "21.5")],
        (LAMP, "mode"): [(1000, 1000, "good", "'on'")],
        (LAMP, "x"): [(1000, 1000, "good", "[1, 2]")],
    }


HEAD = "thing,property,observed,received,quality,kind,value\n"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("thing,observed\n", "has no column property, value"),
        ("", "has no column thing"),
        (HEAD + f"{LAMP},t,yesterday,,,,1\n", "line 2"),
        (HEAD + f"{LAMP},t,-5,,,,1\n", "line 2: -5 ms is not between"),
        (HEAD + f"{LAMP},t,5,,superb,,1\n", "line 2: the quality 'superb'"),
        (HEAD + f"{LAMP},t,5,,,number,abc\n", "line 2"),
        (HEAD + f"{LAMP},t\n", "line 2"),
        (HEAD + f"{LAMP},,5,,,,1\n", "line 2: no thing or no property"),
        (HEAD + '"', "cannot be read"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_brought_in(empty, tmp_path, content, complaint):
    file = tmp_path / "wrong.csv"
    file.write_text(content)
    with pytest.raises(Invalid, match=complaint):
        import_file(empty, file, lambda *_: None)
    assert everything(empty) == {}


def test_lines_may_come_in_any_order(told, empty, tmp_path):
    run("export", "-o", tmp_path / "all.csv", "--data", told)
    with (tmp_path / "all.csv").open(newline="") as file:
        head, *rest = csv.reader(file)
    with (tmp_path / "mixed.csv").open("w", newline="") as file:
        csv.writer(file).writerows([head, *sorted(rest, key=lambda row: row[::-1])])

    done = import_file(empty, tmp_path / "mixed.csv", lambda *_: None)

    assert done.added == 54
    assert everything(empty) == everything(told)


def test_positions_go_on_behind_those_in_files(told, tmp_path):
    with House(told).engine.begin() as connection:  # a database older than its files
        connection.exec_driver_sql("DELETE FROM readings")
    (tmp_path / "x.csv").write_text(HEAD + f"{LAMP},late,5,,,,1\n")
    import_file(told, tmp_path / "x.csv", lambda *_: None)
    assert everything(told)[LAMP, "late"] == [(5, 5, "good", "1")]


def test_an_unknown_thing_is_refused(empty, tmp_path):
    (tmp_path / "x.csv").write_text(HEAD + f"{LAMP},t,5,,,,1\nurn:dev:other,t,5,,,,1\n")
    with pytest.raises(NotFound, match="urn:dev:other"):
        import_file(empty, tmp_path / "x.csv", lambda *_: None)
    assert everything(empty) == {}


@pytest.mark.parametrize("name", ["gone.csv", "gone.parquet", "text.parquet"])
def test_a_file_that_cannot_be_read_is_refused(empty, tmp_path, name):
    (tmp_path / "text.parquet").write_text("no Parquet")
    with pytest.raises(Invalid, match=name):
        import_file(empty, tmp_path / name, lambda *_: None)


def test_commands_name_what_is_wrong(told, tmp_path):
    for arguments, error in (
        (("export", "-o", "x.csv", "--data", tmp_path / "nowhere"), SetupError),
        (("export", "-o", "x.csv", "--thing", "urn:dev:none", "--data", told), NotFound),
        (("export", "-o", "x.csv", "--from", "soon", "--data", told), Invalid),
        (("export", "-o", "-", "--format", "parquet", "--data", told), Invalid),
        (("import", tmp_path / "x.csv", "--data", tmp_path / "nowhere"), SetupError),
    ):
        with pytest.raises(error):
            run(*arguments)
