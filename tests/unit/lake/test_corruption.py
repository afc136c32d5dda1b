"""A file that cannot be read is said once, left out, and stops nothing else."""

from __future__ import annotations

import duckdb
import pytest

from tests.unit.lake.house import DAY, House


def filled(house):
    for day in range(3):
        for at in range(50):
            house.report(day * DAY + at, {"t": at + day / 8, "text": str(at)})
    house.mover.move(3)
    return house.parts()


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


def empty(path):
    path.write_bytes(b"")


def scramble(path):
    """Only data is hit; the footer says that all is well."""
    content = bytearray(path.read_bytes())
    for at in range(4, len(content) // 2):
        content[at] ^= 0x55
    path.write_bytes(content)


def replace(path):
    """A sound Parquet file, but of something else."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"thing": [1]}), path)


@pytest.mark.parametrize("harm", [cut, empty, scramble, replace])
def test_the_rest_is_answered(house, harm):
    parts = filled(house)
    harm(parts[1])

    found = house.history.readings(1, "t", None, None, 1000)
    figures = house.history.aggregates(1, "t", None, None, DAY, "count", 10)

    assert {past.observed // DAY for past in found} == {0, 2}
    assert [(past.observed // DAY, past.value) for past in figures] == [(0, 50), (2, 50)]
    assert len(house.reported) == 1
    assert house.reported[0].startswith(
        f"{parts[1].relative_to(house.root)} cannot be read and is left out: "
    )


def test_rows_that_are_still_in_the_database_are_moved_again(house):
    position = house.report(5, {"t": 1})
    house.report(6, {"t": 2})
    row = "SELECT * FROM readings WHERE position = ?"
    with house.engine.connect() as connection:
        kept = tuple(connection.exec_driver_sql(row, (position,)).one())
    house.mover.move(1)
    with house.engine.begin() as connection:  # the crash came before this one was deleted
        connection.exec_driver_sql("INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?)", kept)
    [part] = house.parts()
    empty(part)
    house.restart()

    house.mover.move(1)

    assert house.hot() == []
    assert [past.value for past in house.history.readings(1, "t", None, None, 9)] == [1]
    assert len(house.reported) == 1


def test_a_file_that_is_replaced_by_a_good_one_is_read(house):
    parts = filled(house)
    good = parts[0].read_bytes()
    empty(parts[0])
    assert len(house.history.readings(1, "t", None, None, 1000)) == 100
    parts[0].write_bytes(good)
    house.lake.catalog.refresh()

    assert len(house.history.readings(1, "t", None, None, 1000)) == 150


def test_other_files_in_the_directory_are_left_alone(house):
    parts = filled(house)
    for name in ("part-1-2.parquet", "notes.txt", f"{parts[0].name}.bak"):
        (parts[0].parent / name).write_text("x")
    (house.root / "readings" / "day=never").mkdir()
    (house.root / "readings" / "day=never" / parts[0].name).write_text("x")
    house.restart()

    assert isinstance(house, House)
    assert len(house.history.readings(1, "t", None, None, 1000)) == 150
    assert house.reported == []


def test_the_lake_cannot_be_left(house, tmp_path):
    filled(house)
    (tmp_path / "secret.csv").write_text("a\n1\n")
    [part, *_] = [each for days in house.lake.catalog.holdings().parts["readings"].values() for each in days]

    outside = f"SELECT * FROM read_csv('{tmp_path}/secret.csv'), read_parquet($files)"
    with pytest.raises(duckdb.PermissionException):
        house.lake.reader.rows(outside, [part], {})
