"""What is promised of a service's commands, with a real broker that goes and comes back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from diat.daemon import Daemon
from diat.service.templates import read_template
from diat.settings import Settings
from diat.simulation.link import Address, Inbound, Link

PATIENCE = 20.0
TEMPLATE = """
name: boil
title: Boil
parameters: {{type: object}}
delivery: {delivery}
roles:
  meter: {{capability: read, quantity: Temperature, freshness: 1000000, count: "1"}}
  kettle: {{capability: increase, quantity: Temperature, type: boolean, count: "1.."}}
steps:
  - {{id: level, do: latest, role: meter}}
  - {{id: cold, do: hysteresis, input: level, "on": below, low: 20, high: 24}}
  - {{id: drive, do: drive, role: kettle, input: cold}}
"""
KEEPING = ("persistence true", "autosave_interval 1")


class Kettle:
    """A native thing without a last will, so that its broker's end says nothing of it.

    Attributes:
        boiled: ids of the commands that it performed.
    """

    def __init__(self, address: Address) -> None:
        self.boiled: list[str] = []
        self.link = Link(
            address,
            "diat-kettle",
            subscriptions=("diat/kettle/actions/+",),
            on_message=self._perform,
            on_connected=self._announce,
            persistent=True,
        )

    def _announce(self) -> None:
        affects = {"quantity": "Temperature", "direction": "increase"}
        water = {"type": "number", "unit": "Cel", "@type": "quantitykind:Temperature", "readOnly": True}
        td = {"title": "K", "properties": {"t": water}, "actions": {"boil": {"diat:affects": affects}}}
        self.link.publish("wot/td/kettle", json.dumps(td), retain=True)
        self.link.publish("diat/kettle/properties", json.dumps({"b": 1, "n": 1, "v": {"t": 18.0}}))

    def _perform(self, message: Inbound) -> None:
        reference = json.loads(message.payload)["id"]
        if reference not in self.boiled:
            self.boiled.append(reference)
        self.link.publish("diat/kettle/results", json.dumps({"id": reference, "status": "completed"}))


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
    kettle = Kettle(address)
    with Daemon(Settings(data=tmp_path / "data", broker=broker.url, announce=False)) as daemon:
        until(lambda: daemon.trouble is None, "the platform")
        kettle.link.open()
        try:
            until(lambda: "t" in daemon.things.twin("urn:dev:kettle").values, "a reading")
            template = read_template(TEMPLATE.format(delivery=delivery))
            daemon.submit(lambda: daemon.services.templates.add(template)).result(PATIENCE)
            # Ended in order, so that it knows the kettle's session when it comes back.
            broker.stop()
            until(lambda: not daemon.link.up, "the link knows")
            made = daemon.submit(lambda: daemon.services.create("Tea", "boil", {})).result(PATIENCE)
            (given,) = daemon.things.interaction.outbox.committed
            broker.start()
            until(lambda: not daemon.history.actuation(given).open, "the command's end")
            state = daemon.composites.states.committed[made.id]
            dropped = int(delivery == "at-most-once")
            assert daemon.history.actuation(given).state == ("expired" if dropped else "completed")
            assert kettle.boiled == ([] if dropped else [given])
            assert (state.dropped, daemon.things.interaction.dropped) == (dropped, dropped)
        finally:
            kettle.link.close()
