"""Who drives what of things at gateways: claims made here are told there, and theirs count here."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from diat.kernel.overlay import Ledger, Overlay
from diat.vol.arbitration import BELOW, Arbiter
from diat.vol.claiming import Claiming, Claims, Said
from diat.vol.registry import Registry
from diat.vol.thing import VirtualObject
from diat.wire import frame, topics
from diat.wire.envelope import encode

AT_ONCE = 200
"""Things in a message at most."""


class Contention:
    """Tells gateways of claims, and takes theirs; used by the writer alone.

    Args:
        ledger: what it commits with.
        registry: knows things.
        arbiter: has all claims.
        ties: name of a thing in topics to its gateway.
        tell: tells a gateway something: gateway, topic, payload.
        clock: answers with the time.
        reaches: whether a gateway is there; who is not is told when it is again.
    """

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        arbiter: Arbiter,
        ties: Overlay[str, str],
        tell: Callable[[str, str, bytes], None],
        clock: Callable[[], int],
        reaches: Callable[[str], bool],
    ) -> None:
        self._registry = registry
        self._ties = ties
        self._tell = tell
        self._reaches = reaches
        self._claiming = Claiming(ledger, arbiter, BELOW, clock)
        arbiter.on_first.append(self._changed)

    def greet(self, gateway: str) -> None:
        """A gateway is there anew: tell it all claims on its things."""
        things = {}
        for name, of in self._ties.items():
            known = self._registry.announcements.at(topics.announcement(name)) if of == gateway else None
            each = self._registry.seen(known.thing) if known is not None else None
            if each is not None:
                things[each.id] = each
        claims = [
            (things[thing].wire, {actuator: _outward(things[thing], said) for actuator, said in on.items()})
            for thing, on in self._claiming.everything(things).items()
        ]
        for at in range(0, max(1, len(claims)), AT_ONCE):
            self._say(gateway, Claims(dict(claims[at : at + AT_ONCE]), all=at == 0))

    def take(self, gateway: str, said: Claims) -> None:
        """A gateway tells of claims there."""
        if said.all:
            for name in [name for name, of in self._ties.items() if of == gateway]:
                if (each := self._thing(name)) is not None:
                    self._claiming.only(each.id, _actuators(each, said.of.get(name, {})))
        for name, on in said.of.items():
            each = self._thing(name) if self._ties.get(name) == gateway else None
            for actuator, claim in on.items() if each is not None else ():
                ours = _inward(each, claim) if each is not None else None
                if each is not None:
                    self._claiming.take(each, ours, each.actuator(_ours(each, actuator)))

    def forget(self, name: str) -> None:
        """A thing has no gateway any more, or another."""
        if (each := self._thing(name)) is not None:
            self._claiming.release(each.id)

    # --- within ---

    def _changed(self, key: str) -> None:
        thing, _, actuator = key.partition(" ")
        each = self._registry.seen(thing)
        gateway = self._ties.get(each.wire) if each is not None and each.wire else None
        if each is None or gateway is None or not self._reaches(gateway):
            return
        news, said = self._claiming.news(thing, actuator)
        if news:
            self._say(gateway, Claims({each.wire: {each.outward(actuator): _outward(each, said)}}))

    def _say(self, gateway: str, claims: Claims) -> None:
        self._tell(gateway, frame.claims(gateway), encode(msgspec.to_builtins(claims)))

    def _thing(self, name: str) -> VirtualObject | None:
        known = self._registry.announcements.at(topics.announcement(name))
        return self._registry.seen(known.thing) if known is not None else None


def _outward(each: VirtualObject, said: Said | None) -> Said | None:
    """A claim by the names of the gateway."""
    names = tuple(each.outward(name) for name in said.names) if said is not None else ()
    return msgspec.structs.replace(said, names=names) if said is not None else None


def _inward(each: VirtualObject, said: Said | None) -> Said | None:
    """A claim by our own names."""
    names = tuple(_ours(each, name) for name in said.names) if said is not None else ()
    return msgspec.structs.replace(said, names=names) if said is not None else None


def _ours(each: VirtualObject, name: str) -> str:
    return each.record.renames.get(name, name)


def _actuators(each: VirtualObject, on: dict[str, Said | None]) -> list[str]:
    return [
        each.actuator(_ours(each, said.names[0] if said is not None and said.names else actuator))
        for actuator, said in on.items()
    ]
