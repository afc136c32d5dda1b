"""node-wot knows nothing of us; it finds a thing in the directory and uses it by its description alone."""

from __future__ import annotations

import json
import subprocess

import pytest

TANK = {
    "properties": {
        "level": {"type": "number", "unit": "%", "readOnly": True},
        "target": {"type": "integer"},
    },
    "actions": {
        "fill": {"input": {"type": "object", "properties": {"by": {"type": "number"}}}},
    },
    "events": {"overflow": {"data": {"type": "object", "properties": {"by": {"type": "number"}}}}},
}


@pytest.mark.timeout(300)
def test_finds_and_uses_a_thing_by_its_description_alone(node_wot, needed, house, thing):
    title = "Tank for node-wot"
    tank = thing({"title": title, **TANK}, name="tank")
    tank.has(level=12.5, target=1)
    perform = tank._perform

    def overflowing(body):
        perform(body)
        if body.get("input", {}).get("by", 0) > 50:
            tank.say("diat/tank/events/overflow", {"data": body["input"]})

    tank._perform = overflowing
    url = str(house.rest.base_url).rstrip("/")
    done = subprocess.run(
        [needed("node", "nodejs"), "client.js", url, title],
        cwd=node_wot,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert {each["what"]: each["value"] for each in said} == {
        "introduced": "ThingDirectory",
        "found": tank.id,
        "retrieved": title,
        "read": 12.5,
        "read all": 12.5,
        "wrote": 42,
        "invoked": True,
        "observed": 43,
        "heard": {"by": 100},
        "read over MQTT": 12.5,
        "observed over MQTT": 43,
    }
    assert [each.get("v", each.get("input")) for each in tank.told] == [
        {"target": 42},
        {"by": 3},
        {"target": 43},
        {"by": 100},
    ]
