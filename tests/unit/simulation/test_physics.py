"""Rooms obey their heat balance, however time is cut, and a band can be kept in them."""

from random import Random

import pytest

from diat.simulation.cadence import Cadence
from diat.simulation.link import Address
from diat.simulation.physics import Building, Heater, Room, Thermometer
from diat.simulation.process import TICK
from diat.simulation.rooms import ROOMS, NativeHeater, Setting

BUILDING = Building(capacity=300e3, loss=100, gains=500, outside=10)
FACTOR = 60


def room(*, temperature=16.0, power=1000.0, on=False):
    heater = Heater(power)
    heater.on = on
    return Room(BUILDING, temperature=temperature, heater=heater)


@pytest.mark.parametrize(("on", "nears"), [(False, 15.0), (True, 25.0)])
def test_nears_the_balance_of_heat_and_loss(on, nears):
    warmed = room(on=on)
    warmed.step(100 * BUILDING.time_constant)
    assert warmed.temperature == pytest.approx(nears)


def test_one_time_constant_leaves_1_over_e_of_the_difference():
    cooled = room(temperature=25.0)
    cooled.step(BUILDING.time_constant)
    assert cooled.temperature - 15.0 == pytest.approx(10 * 0.36787944)


def test_begins_to_warm_by_power_over_capacity():
    warmed = room(temperature=15.0, on=True)  # balanced but for the heater
    warmed.step(1.0)
    assert warmed.temperature - 15.0 == pytest.approx(1000 / 300e3, rel=1e-3)


def test_the_same_time_in_other_steps_gives_the_same_temperature():
    whole, cut = room(on=True), room(on=True)
    whole.step(600)
    for _ in range(60):
        cut.step(10)
    assert cut.temperature == pytest.approx(whole.temperature)


def test_air_gets_drier_when_warmed():
    warmed = room(on=True)
    assert warmed.humidity == pytest.approx(45)
    warmed.step(1800)
    assert warmed.humidity < 40


def test_the_same_seed_gives_the_same_noise_within_its_bound():
    first, second = (Thermometer(room(), random=Random(7)) for _ in range(2))
    measured = [first.measure(4) for _ in range(100)]
    assert measured == [second.measure(4) for _ in range(100)]
    assert len(set(measured)) > 50
    assert all(abs(value - 16.0) <= first.noise for value in measured)


def test_reports_steadily_and_when_the_value_moves():
    cadence = Cadence(every=1.0, delta=0.1)
    reported = [
        now for now, value in ((0, 5), (0.5, 5), (1.0, 5), (1.25, 5.2), (1.5, 5.2), (2.25, 5.2))
        if cadence.due(now, value)
    ]  # fmt: skip
    assert reported == [0, 1.0, 1.25, 2.25]


def test_nothing_heats_unless_commanded():
    setting = Setting(address=Address("127.0.0.1", 1), random=Random(1))
    for name, build in ROOMS.items():
        scene = build(setting)
        before = scene.room.temperature
        scene.room.step(3600)
        assert scene.room.temperature <= before + 0.5, name
    living = ROOMS["living"](setting)
    living.room.step(24 * 3600)
    assert living.room.temperature == pytest.approx(16.0), "it waits for a service, however long that takes"


@pytest.mark.parametrize("late", [0, 1], ids=["at once", "a quarter of a second late"])
def test_a_switch_with_hysteresis_keeps_the_living_room_within_its_band(late, monkeypatch):
    """What ``keep-within`` 20-22 °C does: on below, off above, seen through the reports only."""
    heaters = []
    monkeypatch.setattr(
        NativeHeater, "__init__", lambda self, setting, thing, title, place, heater: heaters.append(heater)
    )
    setting = Setting(address=Address("127.0.0.1", 1), random=Random(1))
    living = ROOMS["living"](setting).room
    (heater,) = heaters
    thermometer = Thermometer(living, random=Random(1))
    cadence = Cadence(every=1.0, delta=0.03)
    arrived, extremes, orders = None, [], {}
    for tick in range(round(300 / TICK)):
        living.step(TICK * FACTOR)
        measured = thermometer.measure()
        if cadence.due(tick * TICK, measured) and not 20 <= measured <= 22:
            orders[tick + late] = measured < 20
        heater.on = orders.pop(tick, heater.on)
        if arrived is None and measured >= 20:
            arrived = tick * TICK
        if arrived is not None:
            extremes.append(living.temperature)
    assert 20 <= arrived <= 25
    assert min(extremes) > 19.9
    assert max(extremes) < 22.1
    assert max(extremes) > 22, "it was switched off, and on again"
    assert min(extremes) < 20.05
