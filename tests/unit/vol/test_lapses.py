"""What a thing says to have begun is over after its delay, also when the platform was down meanwhile.

The layers are the real ones over a real database; time stands still unless it is moved.
"""

import pytest

from diat.adapters.sql.database import open_database
from diat.adapters.sql.history import History
from diat.adapters.sql.store import SqlStore
from diat.kernel.overlay import Ledger
from diat.vol.dialects.homeassistant import HomeAssistant
from diat.vol.layer import VirtualObjectLayer
from diat.wire.envelope import Message, encode

PIR = "urn:diat:homeassistant:pir-1"
DELAY = 30_000
CONFIG = {
    "unique_id": "pir",
    "device": {"identifiers": ["pir-1"], "name": "Hall"},
    "state_topic": "pir/state",
    "device_class": "motion",
    "off_delay": DELAY / 1000,
}


class House:
    def __init__(self, path):
        self.now = 1_000_000_000
        self.engine = open_database(path)
        self.begin()

    def begin(self):
        self.store = SqlStore(self.engine)
        self._ledger = Ledger()
        self.vol = VirtualObjectLayer(
            self._ledger, [HomeAssistant()], self.store.kept(), lambda: self.now, lambda: "c"
        )
        self.batch(lambda: None)

    def restart(self):
        self.store.close()
        self.begin()

    def batch(self, change, *, fails=False):
        change()
        if fails:
            self._ledger.rollback()
            return
        self.store.write(self._ledger)
        self._ledger.commit()

    def hear(self, topic, payload, retained=False):
        def take():
            self.vol.ingest.message(Message(topic, payload, self.now, retained))
            self.vol.ingest.finish(self.now)

        self.batch(take)

    def pass_time(self, ms, *, fails=False):
        self.now += ms
        self.batch(lambda: self.vol.tick(self.now), fails=fails)

    @property
    def history(self):
        no = self.vol.registry.get(PIR).record.no
        return [past.value for past in History(self.engine).readings(no, "pir", None, None, 10)]

    @property
    def motion(self):
        return self.vol.twin(PIR).values["pir"].value


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path / "diat.db")
    house.hear("homeassistant/binary_sensor/pir/config", encode(CONFIG))
    yield house
    house.store.close()
    house.engine.dispose()


def test_what_began_is_over_after_its_delay(house):
    house.hear("pir/state", b"ON")
    assert house.vol.lapses.due() == house.now + DELAY
    house.pass_time(DELAY - 1)
    assert house.motion is True
    house.pass_time(1)
    assert house.motion is False
    assert house.history == [True, False]


def test_said_again_it_begins_again(house):
    house.hear("pir/state", b"ON")
    house.pass_time(DELAY - 1)
    house.hear("pir/state", b"ON")
    house.pass_time(DELAY - 1)
    assert house.motion is True
    house.pass_time(1)
    assert house.motion is False


def test_what_the_thing_ends_itself_does_not_lapse(house):
    house.hear("pir/state", b"ON")
    house.hear("pir/state", b"OFF")
    house.pass_time(2 * DELAY)
    assert house.motion is False
    assert house.vol.lapses.due() is None
    assert house.history == [True, False]


@pytest.mark.parametrize("down", [DELAY // 2, 10 * DELAY])
def test_it_lapses_after_a_restart(house, down):
    house.hear("pir/state", b"ON")
    house.now += down
    house.restart()
    house.pass_time(DELAY)
    assert house.motion is False


def test_a_batch_that_fails_lets_it_lapse_later(house):
    house.hear("pir/state", b"ON")
    house.pass_time(DELAY, fails=True)
    assert house.motion is True
    house.pass_time(1000)
    assert house.motion is False


def test_what_was_retained_lapses_too(house):
    house.hear("pir/state", b"ON", retained=True)
    house.pass_time(DELAY)
    assert house.motion is False
