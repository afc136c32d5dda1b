"""A gateway cut off for thirty days, its clock wrong, both sides started anew: 0 lost, 0 doubled."""

import random

import pytest

from tests.unit.gateway.tiers import DAY, THERMOMETER, Clock, Core, Gateway, Line

THINGS = [f"th{number}" for number in range(6)]
EVERY = 40 * 60_000


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pair(tmp_path, clock):
    core = Core(tmp_path / "core", clock)
    gateway = Gateway(tmp_path / "gateway", clock, skew=7 * 60_000)
    yield core, gateway
    gateway.stop()
    core.stop()


def test_thirty_days_cut_off(pair, clock):
    core, gateway = pair
    chance = random.Random(30)
    line = Line(core, gateway, 30)
    for name in THINGS:
        gateway.take((f"wot/td/{name}", THERMOMETER), (f"diat/{name}/status", b"online"))
    line.meet()
    line.run()
    line.part()
    assert core.things.twin("urn:dev:th0").status == "offline"

    n, said = dict.fromkeys(THINGS, 0), {name: [] for name in THINGS}
    alarms = {name: [] for name in THINGS}
    end = clock.now + 30 * DAY
    while clock.now < end:
        clock.now += EVERY
        batch = []
        for name in THINGS:
            n[name] += 1
            value = round(20 + chance.random(), 2)
            body = {"b": 1, "n": n[name], "t": gateway.time(), "v": {"temperature": value}}
            said[name].append((gateway.time(), value))
            batch.append((f"diat/{name}/properties", body))
            if chance.random() < 0.02:
                n[name] += 1
                alarms[name].append(n[name])
                batch.append(
                    (
                        f"diat/{name}/events/alarm",
                        {"b": 1, "n": n[name], "t": gateway.time(), "data": n[name]},
                    )
                )
        gateway.take(*batch)
        if chance.random() < 0.01:
            gateway.restart()
        if chance.random() < 0.005:
            core.restart()
    gateway.restart()
    assert gateway.uplink.lanes.rows == sum(map(len, said.values())) + sum(map(len, alarms.values()))

    # The line comes back, badly: frames come twice, acknowledgements are lost, both sides are killed.
    line.meet()
    frames = 0
    while line.frame(acknowledged=chance.random() < 0.8, times=chance.choice((1, 1, 2))):
        frames += 1
        if chance.random() < 0.1:
            core.restart()
        if chance.random() < 0.1:
            gateway.restart()
            line.meet()
    gateway.restart()
    line.meet()
    line.run()

    assert gateway.uplink.lanes.rows == 0
    assert len([each for each in core.things.registry.everything() if each.record.name.startswith("th")]) == 6
    skew = gateway.skew
    for name in THINGS:
        came = core.history(f"urn:dev:{name}")
        assert [values["temperature"] for _, values in came] == [value for _, value in said[name]]
        assert [observed for observed, _ in came] == [at - skew for at, _ in said[name]]
        assert [int(data) for _, data in core.events(f"urn:dev:{name}", "alarm")] == alarms[name]
        assert core.things.twin(f"urn:dev:{name}").missing() == []
        assert core.things.twin(f"urn:dev:{name}").status == "online"
