"""Claims over the line, at its lower end: theirs count at this gate, ours at that of the daemon above."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from diat.kernel.clock import Clock
from diat.kernel.overlay import Ledger
from diat.vol.arbitration import ABOVE
from diat.vol.claiming import DECODER, Claiming, Claims
from diat.vol.layer import VirtualObjectLayer
from diat.vol.thing import VirtualObject
from diat.wire import frame
from diat.wire.envelope import encode
from diat_gateway.announcing import name_of
from diat_gateway.state import OWN
from diat_gateway.uplink import Uplink

LETS_GO = 300_000
"""Milliseconds of a cut after which services above hold nothing here any more: they see and say nothing."""


class ClaimsAbove:
    """Tells the daemon above of claims here, and takes its; used by the writer alone.

    Attributes:
        connected: whether the line is up; what changes meanwhile is told when it is again.
    """

    def __init__(self, ledger: Ledger, uplink: Uplink, things: VirtualObjectLayer, clock: Clock) -> None:
        """Nothing is told before the daemon above knows us."""
        self._uplink = uplink
        self._things = things
        self._clock = clock
        self._claiming = Claiming(ledger, things.interaction.arbiter, ABOVE, clock)
        self._cut: int | None = None
        self.connected: Callable[[], bool] = _never
        things.interaction.arbiter.on_first.append(self._changed)

    def greet(self) -> None:
        """The daemon above knows us: tell it all claims."""
        passed = {each.thing: name for name, each in self._uplink.passed.items() if each.td}
        of = {passed[thing]: on for thing, on in self._claiming.everything(passed).items()}
        self._say(Claims(of, all=True))

    def take(self, payload: bytes) -> str | None:
        """The daemon above tells of claims; what is wrong with that, if anything is."""
        try:
            said = DECODER.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return f"claims: {error}"[:300]
        own = self._uplink.own.get(OWN)
        offset = own.offset if own is not None else 0
        if said.all:
            for name, _ in list(self._uplink.passed.items()):
                each, on = self._thing(name), said.of.get(name, {})
                if each is not None:
                    wanted = [
                        each.actuator(claim.names[0]) if claim is not None and claim.names else actuator
                        for actuator, claim in on.items()
                    ]
                    self._claiming.only(each.id, wanted)
        for name, on in said.of.items():
            each = self._thing(name)
            for actuator, claim in on.items() if each is not None else ():
                if each is not None:
                    self._claiming.take(each, claim, each.actuator(actuator), offset)
        return None

    def look(self) -> None:
        """Let go of what services above hold, when the line has been cut for a while."""
        now = self._clock()
        self._cut = None if self.connected() else self._cut or now
        if self._cut is not None and now - self._cut >= LETS_GO:
            for _, passed in self._uplink.passed.items():
                self._claiming.release(passed.thing, lasting=True)

    # --- within ---

    def _changed(self, key: str) -> None:
        thing, _, actuator = key.partition(" ")
        each = self._things.registry.seen(thing)
        name = name_of(each) if each is not None else None
        passed = self._uplink.passed.get(name) if name is not None else None
        if not self.connected() or name is None or passed is None or passed.thing != thing or not passed.td:
            return
        news, said = self._claiming.news(thing, actuator)
        if news:
            self._say(Claims({name: {actuator: said}}))

    def _say(self, claims: Claims) -> None:
        topic, body = frame.claims(self._uplink.name), encode(msgspec.to_builtins(claims))
        self._uplink.say(topic, body, urgent=True)

    def _thing(self, name: str) -> VirtualObject | None:
        passed = self._uplink.passed.get(name)
        return self._things.registry.seen(passed.thing) if passed is not None and passed.td else None


def _never() -> bool:
    """Stands in until there is a session."""
    return False
