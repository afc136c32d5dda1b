"""A step pushed down, the whole way: from REST to the node on MicroPython, and back to what it saves."""

from __future__ import annotations

import json
import math

from diat.vol import pushdown
from tests.api.conftest import _until, house, problem, thing
from tests.firmware import nodes
from tests.firmware.conftest import until

__all__ = ["_until", "house", "thing"]

PATH = "/things/urn:dev:warm"


def test_the_node_sends_the_share_that_the_data_says(boards, house, tmp_path, monkeypatch):
    board = boards(heap=64, folder=tmp_path)
    board.run("import asyncio, json, math")
    for name in nodes.IMPORTS:
        board.run(f"import diat_node.{name}")
    board.run(
        "from diat_node.node import Node\nfrom diat_node.life import Life\n"
        "from diat_node.board import Board\n"
        "node = Node('warm', title='Warm')\nat = [0]\n"
        "def measure():\n    at[0] += 1\n    return round(24 + 8 * math.sin(at[0] / 40), 2)\n"
        "node.property('temperature', measure, unit='Cel', quantity='Temperature', every=1)"
    )
    config = {
        "thing": "warm",
        "host": "127.0.0.1",
        "port": house.mqtt_port,
        "folder": "/flash/q",
        "health": 0,
        "patience": 100,
        "keepalive": 300,
    }
    board.run(f"life = Life(node, {config!r}, Board())\nasyncio.create_task(life.live())")
    until(lambda: house.rest.get(f"{PATH}/properties/temperature").status_code == 200)
    board.tell(speed=100)

    def sent_in(samples: int) -> tuple[float, float]:
        """Bytes on the way to the broker for each sample, and the share of samples that were beyond."""
        start, bytes_before = board.give("at[0]"), board.give("life.client.sent")
        end = until(lambda: (now := board.give("at[0]")) >= start + samples and now, 60)
        values = [round(24 + 8 * math.sin(i / 40), 2) for i in range(start + 1, end + 1)]
        before = [round(24 + 8 * math.sin(start / 40), 2), *values]
        crossed = sum((a > 30) != (b > 30) and b <= 30 for a, b in zip(before, values, strict=False))
        share = (sum(value > 30 for value in values) + crossed) / len(values)
        return (board.give("life.client.sent") - bytes_before) / len(values), share

    monkeypatch.setattr(pushdown, "_MEASURED", 1_000)  # a minute, otherwise
    whole, _ = sent_in(300)
    answer = house.rest.put(f"{PATH}/config", json={"report": {"temperature": {"above": 30}}})
    assert answer.status_code == 200, answer.text
    until(lambda: house.get(f"{PATH}/config").get("state") == "completed")
    thinned, share = sent_in(600)
    print(f"\nbytes a sample: {whole:.1f} before, {thinned:.1f} after; share of the data {share:.3f}")
    assert 0.05 < share < 0.6
    # What keeps the link alive comes on top: two bytes every fifteen seconds.
    assert abs(thinned / whole - share) < 0.05
    (node,) = [each for each in house.get("/daemons") if each["id"] == "urn:dev:warm"]
    assert node["report"] == {"temperature": {"above": 30.0}}
    assert node["bytes_per_hour"] < node["bytes_per_hour_before"]
    assert house.rest.put(f"{PATH}/config", json={"report": {}}).json()["report"] == {}
    until(lambda: board.give("node.properties['temperature'].rule is None"))


def test_what_a_thing_cannot_do_is_refused(house, thing):
    problem(house.rest.put("/things/urn:dev:none/config", json={"report": {}}), 404, "not-found")
    dumb = thing({"title": "Dumb", "properties": {"level": {"type": "number"}}})
    wanted = {"report": {"level": {"every": 5}}}
    problem(house.rest.put(f"{dumb.path}/config", json=wanted), 409, "conflict")
    able = thing({"title": "Able", "diat:pushdown": ["every"], "properties": {"level": {"type": "number"}}})
    for report, field in (
        ({"none": {"every": 5}}, "report.none"),
        ({"level": {"delta": 1}}, "report.level.delta"),
        ({"level": {"every": -1}}, "report.level.every"),
        ({"level": {"often": 1}}, "report.level.often"),
    ):
        problem(house.rest.put(f"{able.path}/config", json={"report": report}), 422, "invalid", field)
    assert house.rest.put(f"{able.path}/config", json=wanted).json()["needs"] == {"by hand": wanted["report"]}
    told = able.listen(f"diat/{able.name}/config")
    until(lambda: told and json.loads(told[-1])["report"] == wanted["report"])
    able.answer(json.loads(told[-1])["id"], "failed", error="level: no")
    until(lambda: house.get(f"{able.path}/config").get("error") == "level: no")
    house.rest.put(f"{able.path}/config", json={"report": {}})
    until(lambda: json.loads(told[-1])["report"] == {})
