"""From the command line to the gateway's own process: the same one, begun anew without what came before.

What reads flags, and what brings a database up to date, is needed once and would stay in memory for good: it
takes more than a thousand things do. So the command does both, and then has the process go on as
``python -m diat_gateway`` (``exec``: its id, its parent and its output stay).
"""

from __future__ import annotations

import os
import sys

import msgspec

from diat.adapters.sql.database import open_database
from diat.operation.lock import locked
from diat_gateway.running import Orders, line_of, networks_of, quiet_logs, settings_of


def launch(orders: Orders) -> None:
    """Make sure that it can be run as it is told, and run it; does not return.

    Raises:
        SetupError: something is in the way; the message names the way out.
        Invalid: a setting is wrong.
    """
    quiet_logs()
    settings = settings_of(orders)
    line_of(orders)
    networks_of(orders)
    with locked(settings.data):
        open_database(settings.data / "diat.db").dispose()
    # By a pipe, for they hold the join key: an environment would pass to every child.
    orders_at, written_at = os.pipe()
    os.write(written_at, msgspec.json.encode(orders))
    os.close(written_at)
    os.set_inheritable(orders_at, True)
    os.execv(sys.executable, [sys.executable, "-m", "diat_gateway", str(orders_at), *orders.arguments])


def read_orders(at: int) -> Orders:
    """What ``launch`` has written."""
    with os.fdopen(at, "rb") as file:
        return msgspec.json.decode(file.read(), type=Orders)
