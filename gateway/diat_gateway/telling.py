"""What comes down the line: commands through the gateway's own gate, once, and what else things are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from diat.kernel.errors import DiatError
from diat.kernel.overlay import Ledger, Overlay
from diat.vol.actuation import Actuation, Order
from diat.vol.arbitration import ABOVE
from diat.vol.layer import VirtualObjectLayer
from diat_gateway.state import Told

REMEMBERED = 4096
"""Commands of which it is remembered what became of them."""
LONGEST = 30 * 86_400_000
"""Milliseconds that a command may ask for at most."""

_SET = msgspec.json.Decoder(dict[str, Any])


class Commands:
    """Commands from above; used by the writer alone.

    Args:
        ledger: what it commits with.
        things: the layer whose gate they go through.
        answer: puts an answer into the spool: name of the thing, the answer.
        kept: commands of which the end is known, or still waited for.
    """

    def __init__(
        self,
        ledger: Ledger,
        things: VirtualObjectLayer,
        answer: Callable[[str, dict[str, Any]], None],
        kept: Iterable[tuple[str, Told]] = (),
    ) -> None:
        self._things = things
        self._answer = answer
        self._told: Overlay[str, Told] = ledger.overlay("told", sorted(kept, key=lambda each: each[1].at))

    def take(self, name: str, thing: str, channel: str, payload: bytes, now: int, offset: int) -> str | None:
        """Do what a thing is told, on ``set`` or ``actions/{action}``; what is wrong with it, if anything is.

        What came before is not done again, but answered again.
        """
        try:
            body = _SET.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return f"{channel}: {error}"[:300]
        reference, expires = body.get("id"), body.get("expires")
        if not isinstance(reference, str) or not 0 < len(reference) <= 64 or not isinstance(expires, int):
            return f"{channel}: neither id nor expires"
        known = self._told.get(reference)
        if known is not None:
            if known.result is not None:
                self._answer(name, known.result)
            return None
        self._make_room()
        self._told.put(reference, Told(at=now, name=name))
        lifetime = expires - offset - now
        if lifetime <= 0:
            self._end(reference, {"id": reference, "status": "expired"})
            return None
        # What a person wants is told as a claim; that of a service is held to who has won (``claims``).
        service = ABOVE if body.get("as") == "service" else None
        order = Order(
            service=service,
            command_id=reference,
            lifetime=min(lifetime, LONGEST),
            hold=0,
            why={"decision": "from above"},
            letting_go=True,
        )
        try:
            if channel == "set":
                values = body.get("v")
                if not isinstance(values, dict) or len(values) != 1:
                    raise DiatError("v must be one property")  # noqa: TRY301
                ((prop, value),) = values.items()
                self._things.interaction.write(thing, prop, value, now, order)
            else:
                action = channel.removeprefix("actions/")
                self._things.interaction.invoke(thing, action, body.get("input"), now, order)
        except DiatError as error:
            self._end(reference, {"id": reference, "status": "failed", "error": str(error)[:300]})
        return None

    def ended(self, actuation: Actuation) -> None:
        """A command of this daemon came to its end: if it was one from above, it is answered."""
        known = self._told.get(actuation.id)
        if known is None or known.result is not None:
            return
        result: dict[str, Any] = {"id": actuation.id, "status": actuation.state}
        if actuation.output is not None:
            result["output"] = actuation.output
        if actuation.error is not None:
            result["error"] = actuation.error
        self._end(actuation.id, result)

    def _end(self, reference: str, result: dict[str, Any]) -> None:
        known = self._told.get(reference)
        if known is None:
            return
        self._told.put(reference, msgspec.structs.replace(known, result=result))
        self._answer(known.name, result)

    def _make_room(self) -> None:
        known = self._told.committed
        if len(known) + len(self._told.changes) < REMEMBERED:
            return
        for reference in list(known)[: REMEMBERED // 8]:
            self._told.remove(reference)
