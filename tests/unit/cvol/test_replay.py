"""Replay: decisions over what was recorded are those that were taken live."""

from __future__ import annotations

import json
import os
import random
from concurrent.futures import Future

import pytest

from diat.adapters.lake.history import Lake
from diat.adapters.lake.mover import Mover
from diat.adapters.lake.record import LakeRecord
from diat.adapters.sql.hot import DAY
from diat.adapters.sql.record import SqlRecord
from diat.adapters.sql.store import SqlStore
from diat.kernel.overlay import Ledger
from diat.wire.envelope import Message
from tests.unit.cvol.conftest import NOON
from tests.unit.cvol.replaying import replays

SEEDS = int(os.environ.get("REPLAY_SEEDS", "6"))


class Days:
    """Hours of a house in which things come, go, fall silent and do not obey; the same for the same seed."""

    def __init__(self, world, seed, *, manual=False):
        self.world = world
        self.chance = random.Random(seed)
        self.manual = manual
        self.sensors = {}
        self.actuators = {}
        self.obeys = {}

    def begin(self, sensors=3, actuators=2):
        for number in range(sensors):
            self.join(f"t{number}")
        for number in range(actuators):
            name = f"a{number}"
            self.world.actuator(name, direction="increase" if number else "decrease")
            self.actuators[name] = True
            self.obeys[name] = True

    def join(self, name):
        place = self.chance.choice(["hq/1", "hq/1/east", "hq/2"])
        silence = {"diat:silence": self.chance.choice([600, 1800])} if self.chance.random() < 0.4 else {}
        self.world.sensor(name, place=place, unit=self.chance.choice(["Cel", "[degF]"]), **silence)
        self.sensors[name] = 22.0

    def value(self, name):
        self.sensors[name] += self.chance.gauss(0, 2.5) + (22 - self.sensors[name]) * 0.1
        return round(self.sensors[name], 2)

    def measure(self, name):
        late = self.chance.random() < 0.1
        at = self.world.now - self.chance.randrange(1, 900_000) if late else None
        self.world.measure(name, self.value(name), at=at)

    def burst(self):
        """Many messages in one batch, which is worked on some seconds after they came."""
        came = self.world.now
        self.world.later(self.chance.choice([0.005, 2]))
        messages = []
        for number in range(self.chance.randrange(2, 8)):
            name = self.chance.choice(sorted(self.sensors))
            body = json.dumps({"v": {"temperature": self.value(name)}}).encode()
            topic = f"diat/{name}/properties"
            if self.chance.random() < 0.3:
                name = self.chance.choice(sorted(self.sensors | self.actuators))
                topic, body = f"diat/{name}/status", self.chance.choice([b"online", b"offline"])
            messages.append(Message(topic, body, came + number // 2))

        def take():
            for message in messages:
                self.world.layers.message(message)
            self.world.layers.finish(self.world.now)

        self.world.batch(take)

    def live(self, steps):
        acts = [self.some_measure] * 20 + [self.come, self.burst] * 3
        acts += [self.wait, self.go, self.leave, self.newcomer, self.patch, self.disobey]
        acts += [self.by_hand] if self.manual else []
        for _ in range(steps):
            self.world.later(self.chance.choice([0, 0.001, 1, 30, 60, 300]))
            self.chance.choice(acts)()
            self.answer()

    def some_measure(self):
        if self.sensors:
            self.measure(self.chance.choice(sorted(self.sensors)))

    def wait(self):
        self.world.later(self.chance.choice([700, 2000, 4000]))

    def go(self):
        self.world.status(self.chance.choice(sorted(self.sensors | self.actuators)), "offline")

    def come(self):
        self.world.status(self.chance.choice(sorted(self.sensors | self.actuators)), "online")

    def leave(self):
        name = self.chance.choice(sorted(self.sensors))
        if len(self.sensors) > 1:
            self.world.withdraw(name)
            del self.sensors[name]

    def newcomer(self):
        self.join(f"t{self.chance.randrange(6)}")

    def patch(self):
        name = self.chance.choice(sorted(self.sensors))
        place = self.chance.choice(["hq/1", "hq/3"])
        self.world.batch(lambda: self.world.things.patch(f"urn:dev:{name}", {"diat:place": place}))

    def disobey(self):
        name = self.chance.choice(sorted(self.actuators))
        self.obeys[name] = not self.obeys[name]

    def by_hand(self):
        name = self.chance.choice(sorted(self.actuators))
        world, value = self.world, self.chance.random() < 0.5
        world.batch(
            lambda: world.layers.change(
                lambda: world.things.interaction.write(f"urn:dev:{name}", "on", value, world.now)
            )
        )

    def answer(self):
        for told in self.world.commands():
            if self.obeys.get(told.thing, True):
                self.world.answer(told)
            elif self.chance.random() < 0.5:
                self.world.answer(told, "failed")


@pytest.mark.parametrize("seed", range(SEEDS))
def test_keep_within_decides_again_what_it_decided(kept_world, seed):
    days = Days(kept_world, seed)
    days.begin()
    service = kept_world.keep(min_on=days.chance.choice([0, 120]), min_off=60)
    days.live(250)
    assert len(replays(kept_world, service)) > 3


@pytest.mark.parametrize("seed", range(SEEDS))
def test_with_a_person_and_another_service_at_the_same_things(kept_world, seed):
    days = Days(kept_world, seed, manual=True)
    days.begin()
    services = [kept_world.keep(low=20, high=24), kept_world.keep(low=18, high=21, min_on=300)]
    days.live(300)
    assert sum(len(replays(kept_world, service)) for service in services) > 3


RELAY = """
name: relay
title: Drive by the mean of another
parameters:
  type: object
  properties: {place: {type: string}, order: {type: array}}
  required: [place]
roles:
  level: {capability: read, quantity: Temperature, place: "{{place}}", unit: Cel, order: "{{order}}"}
  warmer: {capability: increase, quantity: Temperature, place: "{{place}}", count: "0.."}
settings:
  armed: {type: boolean, default: true}
steps:
  - {id: level, do: latest, role: level}
  - {id: cold, do: hysteresis, input: level, "on": below, low: 20, high: 23}
  - {id: armed, do: setting, property: armed}
  - {id: warm, do: drive, role: warmer, input: cold, when: armed, otherwise: false}
"""


@pytest.mark.parametrize("seed", range(SEEDS))
def test_means_of_means_and_settings(kept_world, seed):
    """A service that reads what another composite derives, and that people arm and disarm."""
    days = Days(kept_world, seed)
    days.begin()
    mean = kept_world.mean(place="hq/1")
    kept_world.template(RELAY)
    service = kept_world.service("relay", place="hq/1", order=[f"urn:diat:composite:{mean}"])
    thing = f"urn:diat:composite:{service}"
    for _ in range(6):
        days.live(40)
        armed = days.chance.random() < 0.7
        kept_world.batch(
            lambda armed=armed: kept_world.things.interaction.write(thing, "armed", armed, kept_world.now)
        )
    assert len(replays(kept_world, service)) > 2 or seed >= 6, "a seed at which nothing is decided"


def test_changed_paused_resumed_and_ended(kept_world):
    days = Days(kept_world, 3)
    days.begin()
    service = kept_world.keep()
    days.live(80)
    kept_world.pause(service)
    days.live(30)
    kept_world.resume(service)
    days.live(80)
    said = {"quantity": "Temperature", "place": "hq", "low": 21, "high": 23, "unit": "Cel"}
    kept_world.batch(lambda: kept_world.services.replace(service, "again", "keep-within", said, None))
    days.live(80)
    kept_world.delete(service)
    days.live(20)
    assert len(replays(kept_world, service)) > 3


def test_over_a_restart_and_a_long_sleep(kept_world):
    days = Days(kept_world, 5)
    days.begin()
    service = kept_world.keep(min_on=60)
    days.live(60)
    kept_world.restart(away=5400)
    days.live(120)
    # The machine slept: nothing was looked at for an hour.
    kept_world.now += 3_600_000
    kept_world.batch(lambda: kept_world.layers.tick(kept_world.now))
    days.live(60)
    assert len(replays(kept_world, service)) > 3


def test_over_what_was_moved_to_cold_storage(kept_world, tmp_path):
    """Half of it is in Parquet files: nobody can tell."""
    days = Days(kept_world, 1)
    days.begin()
    service = kept_world.keep()
    days.live(120)
    kept_world.later(86_400)
    days.live(120)
    decided = replays(kept_world, service)
    lake, ledger, store = Lake(tmp_path / "lake"), Ledger(), SqlStore(kept_world._engine)

    def submit(change):
        done = Future()
        done.set_result(change())
        store.write(ledger)
        ledger.commit()
        return done

    moved = Mover(kept_world._engine, lake, ledger, submit).move(NOON // DAY + 1)
    assert moved.rows > 100
    record = LakeRecord(kept_world._engine, lake)
    assert record.begins() < NOON + 60_000 < NOON + DAY // 2 < SqlRecord(kept_world._engine).begins()
    second = NOON + 3_600_000
    assert record.position_at(second) < SqlRecord(kept_world._engine).position_at(second)
    assert [each.key for each in replays(kept_world, service, record)] == [each.key for each in decided]
    store.close()
    lake.close()
