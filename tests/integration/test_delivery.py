"""What is promised of a service's commands, with a real broker that goes and comes back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from diat.daemon import Daemon
from diat.service.templates import read_template
from diat.settings import Settings
from diat.simulation.link import Address
from diat.simulation.native import NativeNode

PATIENCE = 20.0
TEMPLATE = """
name: boil
title: Boil
parameters: {{type: object}}
delivery: {delivery}
roles:
  meter: {{capability: read, quantity: Temperature, freshness: 1000000}}
  kettle: {{capability: increase, quantity: Temperature, type: boolean, count: "1.."}}
steps:
  - {{id: level, do: latest, role: meter}}
  - {{id: cold, do: hysteresis, input: level, "on": below, low: 20, high: 24}}
  - {{id: drive, do: drive, role: kettle, input: cold}}
"""
KEEPING = ("persistence true", "autosave_interval 1")


def until(wanted: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not wanted():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


@pytest.mark.parametrize("delivery", ["at-most-once", "at-least-once", "exactly-once"])
def test_a_command_that_is_given_while_there_is_no_broker(
    delivery: str, start_mosquitto: Any, tmp_path: Any
) -> None:
    broker = start_mosquitto(*KEEPING)
    address = Address("127.0.0.1", broker.port)
    meter = {"type": "number", "unit": "Cel", "@type": "quantitykind:Temperature", "readOnly": True}
    affects = {"quantity": "Temperature", "direction": "increase"}
    boiled: list[Any] = []
    thermometer = NativeNode(address, "meter", {"title": "M", "properties": {"t": meter}})
    kettle = NativeNode(
        address,
        "kettle",
        {"title": "K", "actions": {"boil": {"diat:affects": affects}}},
        performers={"boil": boiled.append},
    )
    with Daemon(Settings(data=tmp_path / "data", broker=broker.url, announce=False)) as daemon:
        until(lambda: daemon.trouble is None, "the platform")
        thermometer.start()
        kettle.start()
        try:
            thermometer.report({"t": 18.0})
            until(lambda: "t" in daemon.things.twin("urn:dev:meter").values, "a reading")
            until(lambda: daemon.things.twin("urn:dev:kettle").status == "online", "a kettle")
            template = read_template(TEMPLATE.format(delivery=delivery))
            daemon.submit(lambda: daemon.services.templates.add(template)).result(PATIENCE)
            # Ended in order, so that it knows the kettle's session when it comes back.
            broker.stop()
            until(lambda: not daemon.link.up, "the link knows")
            made = daemon.submit(lambda: daemon.services.create("Tea", "boil", {})).result(PATIENCE)
            (given,) = daemon.things.interaction.outbox.committed
            broker.start()
            until(lambda: not daemon.history.actuation(given).open, "the command's end")
            until(lambda: daemon.things.interaction.outbox.committed == {}, "the end of all")
            state = daemon.composites.states.committed[made.id]
            if delivery == "at-most-once":
                assert daemon.history.actuation(given).state == "expired"
                assert (state.dropped, daemon.things.interaction.dropped) == (1, 1)
            else:
                assert daemon.history.actuation(given).state == "completed"
                assert (state.dropped, daemon.things.interaction.dropped) == (0, 0)
            # The kettle was away with the broker; bound anew it may be told anew, by a command of its own.
            ended = [each.state for each in daemon.history.actuations(10, 0)]
            assert len(boiled) == ended.count("completed")
        finally:
            thermometer.stop()
            kettle.stop()
