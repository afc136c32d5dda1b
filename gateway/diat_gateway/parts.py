"""Parts of services of the daemon above that run here.

What comes down on ``diat/{gateway}/parts/{service}`` has a revision; the newest holds, and what is said twice
counts once. ``stop``: from a mark in the spool on, the part that ran is no more; the mark has what it
remembered, and a new part, if one is named, waits with what comes. ``go``: it lays in what it is to remember
and runs. ``be``: it is told anew what the settings are, or to rest. ``end``: it lets go of what it drives.
Each is answered, a repeat likewise.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, Literal

import msgspec
from msgspec import Struct

from diat.cvol.execution import CompositeLayer, Remembered
from diat.cvol.placement.packing import unpacked
from diat.kernel.errors import DiatError
from diat.kernel.overlay import Ledger, Overlay
from diat.security.principal import Grant, Principal
from diat.wire import topics
from diat.wire.envelope import encode
from diat_gateway.withheld import Withheld

_LOG = logging.getLogger("diat.parts")


class Hosted(Struct, frozen=True, kw_only=True):
    """A part that runs here, or ran; durable.

    Attributes:
        revision: of what was said last.
        at: ``held`` until it is told to go, then ``runs``; ``ended`` where nothing of the service runs here.
        part: what runs, as it was told.
        mark: what the part before it remembered, as it was handed over.
        grants: what the service may.
        purpose: what it is for.
        said: its state, as the daemon above was told last.
        kept: ``thing affordance`` of what it reads and was kept here, to the position of the first of it.
        until: position of what had come when it began to wait.
        since: since when the service works, Unix milliseconds of the clock above.
    """

    revision: int
    at: Literal["held", "runs", "ended"]
    part: dict[str, Any] | None = None
    mark: Remembered = Remembered()
    grants: tuple[Grant, ...] = ()
    purpose: str = ""
    said: str = ""
    kept: dict[str, int] = {}
    until: int = 0
    since: int = 0


class _Said(Struct, kw_only=True):
    """What comes down."""

    r: int
    do: Literal["stop", "go", "be", "end"]
    part: dict[str, Any] | None = None
    memory: Remembered = Remembered()
    grants: tuple[Grant, ...] = ()
    purpose: str = ""
    since: int = 0


_SAID = msgspec.json.Decoder(_Said)


class Parts:
    """All parts that run here; used by the writer alone.

    Attributes:
        hosted: service to its part.
    """

    def __init__(
        self,
        ledger: Ledger,
        composites: CompositeLayer,
        name: str,
        say: Callable[[str, bytes], None],
        withheld: Withheld,
        hosted: Iterable[tuple[str, Hosted]] = (),
    ) -> None:
        """``say`` says something above, in order with all readings; ``withheld`` knows what was not told."""
        self._composites = composites
        self._name = name
        self._say = say
        self._withheld = withheld
        self.hosted: Overlay[str, Hosted] = ledger.overlay("parts", hosted)

    def begin(self) -> None:
        """Take parts up again that ran here; it must be known by then what they may (``acts_as``)."""
        for _, each in list(self.hosted.items()):
            if each.part is not None:
                self._composites.deploy(unpacked(each.part))

    def acts_as(self, composite: str) -> Principal | None:
        """As whom a part acts, by its id; None if it is none."""
        for _, each in self.hosted.items():
            if each.part is not None and each.part["id"] == composite:
                return Principal(kind="service", name=composite, grants=each.grants, purpose=each.purpose)
        return None

    def told(self, topic: str, payload: bytes) -> None:
        """Something is said of a part."""
        service = topic.rpartition("/")[2]
        try:
            said = _SAID.decode(payload)
            known = self.hosted.get(service)
            if known is None or said.r > known.revision or (said.r == known.revision and said.do == "go"):
                self._take(service, known, said)
        except (msgspec.MsgspecError, DiatError) as error:
            _LOG.error("a part of the service %s cannot be run here: %s", service, error)
            self._up(service, {"error": str(error)[:300]})
            return
        self.report(service, again=True)

    def report(self, service: str, *, again: bool = False) -> None:
        """Say how a part stands, if that is news."""
        known = self.hosted.get(service)
        if known is None:
            return
        said: dict[str, Any] = {"r": known.revision, "at": known.at}
        if known.part is not None:
            state = self._composites.states.get(known.part["id"])
            if state is not None:
                said |= {"state": state.state, "missing": state.missing, "error": state.error}
        body = encode(said).decode()
        if body == known.said and not again:
            return
        self.hosted.put(service, msgspec.structs.replace(known, said=body))
        self._up(service, said if known.at == "runs" else said | {"mark": known.mark})

    def look(self, *, again: bool = False) -> None:
        """Say what has changed of any of them; with ``again``, how each of them stands."""
        for service, _ in list(self.hosted.items()):
            self.report(service, again=again)

    # --- within ---

    def _take(self, service: str, known: Hosted | None, said: _Said) -> None:
        part = unpacked(said.part) if said.part is not None else None
        if said.do == "go":
            if known is not None and known.at == "held" and known.part is not None:
                before = self._withheld.rows(known.kept, known.until, known.since)
                self._composites.go_on(known.part["id"], said.memory, before)
                self.hosted.put(service, msgspec.structs.replace(known, at="runs", kept={}))
            return
        if said.do == "end":
            if known is not None and known.part is not None:
                self._composites.remove(known.part["id"])
            self.hosted.put(service, Hosted(revision=said.r, at="ended"))
            return
        made = Hosted(
            revision=said.r,
            at="runs" if said.do == "be" else "held" if part is not None else "ended",
            part=said.part,
            grants=said.grants,
            purpose=said.purpose,
        )
        if said.do == "be" and known is not None and known.at == "held":
            made = msgspec.structs.replace(
                made, at="held", mark=known.mark, kept=known.kept, until=known.until, since=known.since
            )
        self.hosted.put(service, made)
        if said.do == "be":
            if part is not None:
                self._composites.deploy(part)
            return
        mark, read = Remembered(), set[str]()
        if known is not None and known.part is not None:
            read = self._read(known.part["id"])
            before = known.part["id"]
            mark = self._composites.remembered(before)
            if part is None:
                mark = self._composites.take_away(before)
        kept: dict[str, int] = {}
        if part is not None:
            self._composites.move(part, holds=True)
            state = self._composites.states.get(part.id)
            kept = self._withheld.since(part, state.bindings if state is not None else ())
        # What the part before it read was run on here.
        fresh = {key: first for key, first in kept.items() if key not in read}
        made = msgspec.structs.replace(
            made, mark=mark, kept=fresh, until=self._composites.position, since=said.since
        )
        self.hosted.put(service, made)

    def _read(self, part: str) -> set[str]:
        """``thing affordance`` of what fills the roles of a part."""
        state = self._composites.states.get(part)
        return {each.key for each in state.bindings} if state is not None else set()

    def _up(self, service: str, said: dict[str, Any]) -> None:
        self._say(topics.parts(self._name, service), encode(said))
