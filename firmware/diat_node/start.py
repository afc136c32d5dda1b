"""How a node starts: ``main.py`` says ``start()``, the user's node is ``node`` in ``thing.py``.

A start that ends in an exception or by the watchdog is counted. After four in a row the node starts in safe
mode: without the user's code, but on line, so that it can be seen; the start after one that was well tries
the user's code again. Power that comes and goes is no crash.
"""

import json
import sys

from diat_node.board import Board
from diat_node.life import Life
from diat_node.node import Node
from diat_node.store import Store

SAFE_AFTER = 4


def crashes(store, bitten):
    """Count this start among the crashes if the watchdog caused it; how many came in a row."""
    count = store.load("crashes", 0)
    if bitten:
        count += 1
        store.save("crashes", count)
    return count


def start(config=None, node=None, board=None):
    """Read the configuration, run the node (that of ``thing.py`` unless given), start anew at its end.

    A board without a ``diat.json`` asks for one on an access point of its own (``portal``).
    """
    if config is None:
        try:
            with open("diat.json") as file:
                config = json.load(file)
        except OSError:
            from diat_node.portal import ask

            ask(board or Board())
            return
    store = Store(config.setdefault("folder", "diat"))
    board = board or Board(config.get("watchdog", 30), config.get("wifi", ()))
    count = crashes(store, board.started_by("WDT"))
    try:
        safe = count >= SAFE_AFTER
        node = Node(config["thing"]) if safe else node or __import__("thing").node
        Life(node, config, board, safe).run()
    except Exception as error:
        if hasattr(sys, "print_exception"):
            sys.print_exception(error)
        store.save("crashes", count + 1)
        store.save("crash", repr(error)[:200])
    board.reset()
