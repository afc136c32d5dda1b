"""Days moved by a process of its own: as the keeper does it itself, and though it ends anywhere."""

import threading

import pytest

from diat.adapters.lake.beside import Beside, Orders
from diat.adapters.lake.keeper import Keeper
from diat.adapters.lake.mover import Stopped
from diat.adapters.lake.retention import Retention
from diat.kernel.errors import Unavailable
from tests.unit.lake.house import DAY

KEPT = Retention(hot_days=1)


@pytest.fixture
def beside(house):
    """A keeper that has its steps done by a process, at a time that a test may set."""
    submit = Submitting(house)
    made = Keeper(
        house.engine, house.lake, house.ledger, submit, KEPT, lambda: 3 * DAY, house.database.parent
    )
    made.submitting = submit
    yield made
    made.stop()


class Submitting:
    """Passes pieces on, the first so many."""

    def __init__(self, house):
        self.house, self.left = house, 1_000_000

    def __call__(self, change):
        self.left -= 1
        if self.left < 0:
            raise Unavailable("the disk is full")
        return self.house.submit(change)


def test_everything_is_moved_and_told_as_before(house, beside):
    house.report_many(2_500, 60_000)
    house.occur(7, "alarm", {"x": 1})
    before = house.history.readings(1, "t", None, None, 10_000)
    beside.step()
    assert house.hot() == []
    assert house.hot("events") == []
    assert house.parts() != []
    assert house.history.readings(1, "t", None, None, 10_000) == before


def test_one_that_was_broken_off_is_gone_on_with(house, beside):
    house.report_many(2_500, 30_000)
    before = house.history.readings(1, "t", None, None, 10_000)
    beside.submitting.left = 1
    with pytest.raises(Unavailable, match="the disk is full"):
        beside.step()
    assert len(house.hot()) == 1_500
    assert house.history.readings(1, "t", None, None, 10_000) == before
    beside.submitting.left = 1_000
    beside.step()
    assert house.hot() == []
    assert house.history.readings(1, "t", None, None, 10_000) == before


def test_a_file_that_cannot_be_read_is_told_of(house, beside):
    house.report(0, {"t": 1})
    beside.step()
    (part,) = house.parts()
    part.write_bytes(b"no file of ours")
    beside.retention = Retention(hot_days=1, raw_days=1)
    beside.step()
    assert [part.name in line for line in house.reported] == [True]
    assert part.exists()


def test_what_is_in_the_way_is_said(house, tmp_path):
    made = Beside(house.lake, house.mover.logs, house.submit, threading.Event())
    with pytest.raises(Unavailable, match="name the data directory"):
        made.step(Orders(str(tmp_path / "nothing"), 2, 3 * DAY, KEPT))


def test_none_is_begun_once_the_daemon_stops(house):
    stopping = threading.Event()
    stopping.set()
    made = Beside(house.lake, house.mover.logs, house.submit, stopping)
    with pytest.raises(Stopped):
        made.step(Orders(str(house.database.parent), 2, 3 * DAY, KEPT))
