"""The background step: at the start, at each new day, again after trouble, and ended in time."""

from __future__ import annotations

import threading

import pytest

from diat.adapters.lake import keeper as keeper_module
from diat.adapters.lake.keeper import Keeper
from diat.adapters.lake.retention import Retention
from diat.kernel.errors import Unavailable
from diat.kernel.writer import Writer
from tests.unit.lake.house import DAY


class Minder:
    """A keeper whose time is moved by hand, and that says when it has looked at the date."""

    def __init__(self, house, monkeypatch):
        monkeypatch.setattr(keeper_module, "_LOOK", 0.01)
        monkeypatch.setattr(keeper_module, "_AGAIN", 0.01)
        self.now = 2 * DAY
        self.refuse = None
        self.looked = threading.Semaphore(0)
        self.house = house
        self.keeper = Keeper(
            house.engine, house.lake, house.ledger, self.submit, Retention(hot_days=1, raw_days=2), self.clock
        )

    def clock(self):
        self.looked.release()
        return self.now

    def submit(self, change):
        if self.refuse:
            raise self.refuse
        return self.house.submit(change)

    def wait(self):
        """Until the date has been looked at from now on, and what followed from it was done."""
        while self.looked.acquire(blocking=False):
            pass
        for _ in range(4):
            assert self.looked.acquire(timeout=10)


@pytest.fixture
def minder(house, monkeypatch):
    made = Minder(house, monkeypatch)
    yield made
    made.keeper.stop()


def test_it_moves_at_the_start_and_when_a_day_has_begun(house, minder):
    for day in range(4):
        house.report(day * DAY, {"t": day})
    minder.keeper.start()
    minder.wait()
    assert len(house.hot()) == 3

    minder.now = 5 * DAY
    minder.wait()

    assert house.hot() == []
    assert [path.parent.name for path in house.parts()] == ["day=1970-01-04"]
    assert len(house.parts("hourly")) == 3


def test_it_tries_again_after_trouble(house, minder):
    house.report(0, {"t": 1})
    minder.refuse = Unavailable("the disk is full")
    minder.keeper.start()
    minder.wait()
    assert minder.keeper.trouble == "old readings cannot be moved: the disk is full"

    minder.refuse = None
    minder.wait()

    assert minder.keeper.trouble is None
    assert house.hot() == []


class NoLink:
    """A link on which nothing ever comes."""

    def __init__(self):
        self.woken = threading.Event()

    def wait(self, timeout):
        self.woken.wait(timeout)
        self.woken.clear()

    def wake(self):
        self.woken.set()

    def take(self, limit):
        return []

    def settle(self, messages):
        pass

    def receipts(self):
        return []

    def fresh(self):
        return False

    def close(self):
        pass


class NoLayers:
    """Layers that have nothing to do."""

    def due(self):
        return None

    def drain(self):
        return []


def test_rows_go_through_the_one_writer(house, monkeypatch):
    monkeypatch.setattr("diat.adapters.lake.mover.PIECE", 7)
    for at in range(50):
        house.report(at, {"t": at})
    writer = Writer(NoLink(), NoLayers(), house.ledger, house.store, lambda: 3 * DAY)
    keeper = Keeper(
        house.engine, house.lake, house.ledger, writer.submit, Retention(hot_days=1), lambda: 3 * DAY
    )
    writer.start()
    try:
        keeper.step()
    finally:
        keeper.stop()
        writer.stop()
    assert house.hot() == []
    assert len(house.history.readings(1, "t", None, None, 100)) == 50


def test_one_that_was_never_started_can_be_stopped(minder):
    minder.keeper.stop()
