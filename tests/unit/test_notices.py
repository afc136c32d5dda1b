"""Notices outlive the process, and no more of them are kept than is said."""

from __future__ import annotations

import pytest

from diat.adapters.sql.database import open_database
from diat.adapters.sql.notices import KeptNotices
from diat.adapters.sql.store import SqlStore
from diat.kernel.overlay import Ledger
from diat.vol.dialects.native import Native
from diat.vol.layer import VirtualObjectLayer
from diat.vol.notices import KEPT
from diat.wire.envelope import Message

TD = b'{"title": "Lamp"}'


class World:
    """A Virtual Object Layer over a database."""

    def __init__(self, path):
        self.engine = open_database(path)
        self.store = SqlStore(self.engine)
        self.ledger = Ledger()
        self.things = VirtualObjectLayer(self.ledger, [Native()], self.store.kept(), lambda: 1_000, str)
        self.things.ingest.finish(1_000)
        self.commit()
        self.notices = KeptNotices(self.engine)

    def commit(self):
        self.store.write(self.ledger)
        self.ledger.commit()

    def say(self, topic, payload):
        self.things.ingest.message(Message(topic, payload, received=1_000))
        self.things.ingest.finish(1_000)

    def told(self, since=0):
        return [(each.kind, each.thing) for each in self.notices.since(since, 100)]


@pytest.fixture
def start(tmp_path):
    made = []

    def start():
        made.append(World(tmp_path / "diat.db"))
        return made[-1]

    yield start
    for each in made:
        each.store.close()
        each.engine.dispose()


def test_a_start_makes_no_notices_of_what_is_known(start):
    world = start()
    world.say("wot/td/lamp", TD)
    world.commit()
    assert world.told() == [("thing_created", "urn:dev:lamp")]
    again = start()
    assert again.told() == [("thing_created", "urn:dev:lamp")]
    again.say("wot/td/lamp", b"")
    again.commit()
    assert again.told() == [("thing_created", "urn:dev:lamp"), ("thing_deleted", "urn:dev:lamp")]


def test_what_never_happened_makes_none(start):
    world = start()
    world.say("wot/td/lamp", TD)
    world.ledger.rollback()
    world.commit()
    assert world.told() == []
    world.say("wot/td/lamp", TD)
    world.say("wot/td/lamp", b"")
    world.say("wot/td/lamp", TD)
    world.commit()
    kinds = [kind for kind, _ in world.told()]
    assert kinds[0] == kinds[-1] == "thing_created"


def test_old_ones_are_dropped_and_those_who_missed_them_can_tell(start):
    world = start()
    assert world.notices.reach_back_to(0)
    for at in range(KEPT + 2_500):
        world.things.notices._make("thing_created", f"urn:dev:{at}")
        if at % 500 == 0:
            world.commit()
    world.commit()
    kept = world.notices.since(0, 10**6)
    assert KEPT <= len(kept) <= KEPT + 1_000
    assert kept[-1].thing == f"urn:dev:{KEPT + 2_499}"
    assert not world.notices.reach_back_to(1)
    assert world.notices.reach_back_to(kept[0].position)
