"""Announcements and messages that others recorded (tests/data/README.md): what each becomes.

Beside each announcement stands what its thing is to have, beside each message what it is to say.
"""

import json
from itertools import groupby
from pathlib import Path

import pytest

from diat.vol.dialects.homeassistant import HomeAssistant
from diat.vol.dialects.homeassistant.components import COMPONENTS
from diat.vol.dialects.port import Part

HA = HomeAssistant()
RECORDED = Path(__file__).parents[2] / "data" / "homeassistant" / "core.jsonl"
LINES = [json.loads(line) for line in RECORDED.read_text("utf-8").splitlines()]
# Not among the recorded: newer than they are, or without anything to say in a test of their own.
UNRECORDED = {"date", "datetime", "infrared/emitter", "infrared/receiver", "notify", "time", "vacuum"}


def sessions():
    """Each announcement with the messages that came after it."""
    found = []
    for test, lines in groupby(LINES, key=lambda line: line["test"]):
        for line in lines:
            if "affordances" in line:
                found.append((line, []))
            else:
                found[-1][1].append(line)
        assert found[-1][0]["test"] == test
    return [pytest.param(*each, id=f"{each[0]['test']}-{n}") for n, each in enumerate(found)]


def body(payload):
    return payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()


@pytest.mark.parametrize(("announced", "messages"), sessions())
def test_what_was_recorded_is_understood(announced, messages):
    part = HA.hear(announced["topic"], body(announced["payload"]))
    assert isinstance(part, Part)
    described = HA.describe([part])
    groups = ("properties", "actions", "events")
    assert {g: sorted(described.td[g]) for g in groups if g in described.td} == announced["affordances"]
    assert list(described.notes) == announced["notes"]
    for message in messages:
        told = [
            inlet.read(body(message["payload"]))
            for inlet in described.inlets
            if inlet.topic == message["topic"]
        ]
        assert {name: value for each in told for name, value in each.values.items()} == message["values"]
        assert [list(event) for each in told for event in each.events] == message["events"]
        assert [note for each in told for note in each.notes] == message["notes"]
        available = [each.available for each in told if each.available is not None]
        assert available == ([] if message["available"] is None else [message["available"]])


def test_every_component_was_recorded():
    recorded = set()
    for line in LINES:
        if "affordances" in line:
            name, schema = line["topic"].split("/")[1], line["payload"].get("schema")
            recorded.add(f"{name}/{schema}" if schema else name)
    assert recorded | UNRECORDED == COMPONENTS.keys()
    assert not recorded & UNRECORDED
