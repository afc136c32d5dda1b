"""``python -m diat_gateway``: the gateway's own process, as ``diat gateway`` starts it."""

from __future__ import annotations

import sys

from diat.kernel.errors import DiatError

NOT_WANTED = ("pydantic.v1", "watchfiles")
"""Loaded by libraries wherever they are there, and not used here: models of the first pydantic (FastAPI asks
of each model whether it is one), and watching source files (uvicorn). Together 3 MiB."""


def main() -> None:
    """Run by the orders that lie in the pipe which the first argument names."""
    if len(sys.argv) < 2 or not sys.argv[1].isdigit():
        sys.exit("diat: start it as `diat gateway`")
    for each in NOT_WANTED:
        sys.modules[each] = None  # type: ignore[assignment]
    from diat_gateway.launching import read_orders
    from diat_gateway.running import run_gateway

    try:
        run_gateway(read_orders(int(sys.argv[1])))
    except DiatError as error:
        print(f"diat: {error}", file=sys.stderr)
        sys.exit(2)


main()
