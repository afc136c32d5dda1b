"""The node of the tests, as Python to run on a board: six properties, three actions."""

from __future__ import annotations

import json
from typing import Any

IMPORTS = ("port", "store", "clock", "mqtt", "ring", "journal", "commands", "board", "node", "life")

NODE = """
from diat_node.node import Node
done = bytearray(100)
toggled = [0]
level = [0]
node = Node("board", title="Board", place="lab")
count = [0]
def reading(step):
    def read():
        count[0] += 1
        return count[0] * step
    return read
node.property("temperature", reading(0.01), unit="Cel", quantity="Temperature", every=10)
node.property("humidity", reading(0.1), unit="%", quantity="RelativeHumidity", every=10)
node.property("light", reading(1), unit="lx", quantity="Illuminance", every=30)
node.property("motion", lambda: count[0] % 7 == 0, type="boolean", every=30)
def switch(to):
    level[0] = int(to)
node.property("heating", lambda: level[0] > 0, switch, type="boolean", every=60)
node.property("level", lambda: level[0], lambda v: level.__setitem__(0, v), type="integer", every=60)

def note(which):
    done[which] += 1
def toggle():
    toggled[0] += 1
node.action("note", note, input={"type": "integer", "minimum": 0, "maximum": 99})
node.action("toggle", toggle)
node.action("measure", lambda: count[0], safe=True, output={"type": "integer"})
pressed = node.event("pressed", data={"type": "integer"})
"""


def start(board: Any, port: int, **config: Any) -> None:
    """Import and start, each in a call of its own, so that what is left over is collected between."""
    board.run("import asyncio, json")
    for name in IMPORTS:
        board.run(f"import diat_node.{name}")
    board.run(NODE)
    live(board, port, **config)


def live(board: Any, port: int, **config: Any) -> None:
    """Start ``node``."""
    board.run("import asyncio, json")
    config = {"thing": "board", "host": "127.0.0.1", "port": port, "folder": "/flash/q", **config}
    board.run(
        "from diat_node.board import Board\nfrom diat_node.life import Life\n"
        f"life = Life(node, json.loads({json.dumps(config)!r}), Board())"
    )
    board.run("asyncio.create_task(life.live())")
