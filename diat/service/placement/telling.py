"""What gateways are told of parts of services, until they have answered, and what they answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from diat.cvol.composite import Composite
from diat.cvol.execution import Remembered
from diat.cvol.placement.packing import packed
from diat.security.principal import Grant
from diat.service.placement.divided import Divided
from diat.service.placement.placing import HERE, Placing, Told
from diat.wire import topics
from diat.wire.envelope import encode

ForWhom = Callable[[str], tuple[tuple[Grant, ...], str, int]]
AGAIN = 15_000
"""Milliseconds after which a gateway that does not answer is told again."""


class Telling:
    """Tells gateways of parts; used by the writer alone.

    Attributes:
        for_whom: what a composite may, what it is for, and since when it works, Unix milliseconds.
        on_mark: told that the mark of a gateway that was stopped is here: composite, gateway, mark.
    """

    def __init__(self, divided: Divided) -> None:
        """Nothing is told yet."""
        self._divided = divided
        self.for_whom: ForWhom = lambda _: ((), "", 0)
        self.on_mark: Callable[[str, str, Remembered], None] = _nobody_moves

    def tell(self, composite: str, gateway: str, message: dict[str, Any]) -> None:
        """Tell a gateway something of a composite, again and again until it answers."""
        told = Told(message=msgspec.to_builtins(message), since=self._divided.clock())
        self._note(composite, gateway, told)
        self._send(composite, gateway, message)

    def stop(self, composite: str, gateway: str, revision: int, part: Composite | None) -> None:
        """Have a gateway end the part that runs there; a new one, if there is any, waits with what comes."""
        self.tell(composite, gateway, self._said(composite, revision, "stop", part))

    def anew(self, whole: Composite, placing: Placing) -> None:
        """Tell gateways what the settings are by now, and whether to rest."""
        revision = placing.revision + 1
        for tier, part in self._divided.split(whole, placing, placing.where).by_tier.items():
            if tier != HERE and placing.phase != "stopped":
                self._divided.change(whole.id, revision=revision)
                self.tell(whole.id, tier, self._said(whole.id, revision, "be", part))

    def end(self, composite: str, placing: Placing) -> None:
        """Have all gateways end their parts."""
        for gateway in {*placing.told} | ({placing.moving} if placing.moving else set()):
            self._send(composite, gateway, {"r": placing.revision + 1, "do": "end"})
        self._divided.placings.remove(composite)

    def again(self) -> None:
        """Tell again what was not answered."""
        now = self._divided.clock()
        for composite, placing in list(self._divided.placings.items()):
            for gateway, told in placing.told.items():
                if not told.answered and now - told.since >= AGAIN:
                    self._send(composite, gateway, told.message)
                    self._note(composite, gateway, msgspec.structs.replace(told, since=now))

    def answer(self, gateway: str, composite: str, said: Any) -> None:
        """A gateway says how a part stands there."""
        placing = self._divided.placings.get(composite)
        told = placing.told.get(gateway) if placing is not None else None
        if placing is None or told is None or not isinstance(said, dict):
            if isinstance(said, dict) and said.get("at") in ("held", "runs"):
                # Of a service that is gone, or that a restored database does not know to be there.
                self._send(composite, gateway, {"r": int(said.get("r", 0)) + 1, "do": "end"})
            return
        if (error := said.get("error")) and "r" not in said:
            # It goes on there as before, and here.
            self._note(composite, gateway, msgspec.structs.replace(told, error=str(error), answered=True))
            self._divided.change(composite, phase="rests", moving=None, wanted=placing.where)
            return
        if said.get("r") != told.message["r"]:
            return
        expected = {"go": "runs", "be": "runs", "stop": "held" if told.message.get("part") else "ended"}
        has = said.get("at") == expected[told.message["do"]]
        changed = msgspec.structs.replace(
            told,
            answered=told.answered or has,
            state=str(said.get("state") or ""),
            missing=list(said.get("missing") or []),
            error=said.get("error"),
        )
        self._note(composite, gateway, changed)
        if has and told.message["do"] == "stop" and placing.phase == "stopped" and placing.moving == gateway:
            try:
                mark = msgspec.convert(said.get("mark") or {}, Remembered)
            except msgspec.ValidationError:
                return
            self.on_mark(composite, gateway, mark)

    # --- within ---

    def _said(self, composite: str, revision: int, do: str, part: Composite | None) -> dict[str, Any]:
        grants, purpose, since = self.for_whom(composite)
        return {
            "r": revision,
            "do": do,
            "part": packed(part) if part is not None else None,
            "grants": grants,
            "purpose": purpose,
            "since": since,
        }

    def _send(self, composite: str, gateway: str, message: dict[str, Any]) -> None:
        self._divided.things.tiers.tell(gateway, topics.parts(gateway, composite), encode(message))

    def _note(self, composite: str, gateway: str, told: Told) -> None:
        placing = self._divided.placings.get(composite)
        if placing is not None:
            self._divided.change(composite, told={**placing.told, gateway: told})


def _nobody_moves(composite: str, gateway: str, mark: Remembered) -> None:
    """Stands in until steps move."""
