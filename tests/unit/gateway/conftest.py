"""Fixtures:
clock: the time of the test.
core, gateway: two daemons' layers on stores of their own; the gateway sends every reading.
line: between them, up; ``line.run()`` until nothing is left to say.
thing: announces a thermometer at the gateway and lets it be known above.
"""

import pytest

from tests.unit.gateway.tiers import THERMOMETER, Clock, Core, Gateway, Line


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def core(tmp_path, clock):
    made = Core(tmp_path / "core", clock)
    yield made
    made.stop()


@pytest.fixture
def gateway(tmp_path, clock):
    made = Gateway(tmp_path / "barn", clock)
    yield made
    made.stop()


@pytest.fixture
def line(core, gateway):
    made = Line(core, gateway)
    made.meet()
    made.run()
    return made


@pytest.fixture
def thing(gateway, line):
    gateway.take(("wot/td/th1", THERMOMETER), ("diat/th1/status", b"online"))
    line.run()
    return "urn:dev:th1"
