"""Lines as they were measured, and what of that each service uses."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct

from diat.cvol.composite import Composite
from diat.cvol.placement.building import Rate
from diat.cvol.placement.predicting import Flow, predict
from diat.cvol.placement.splitting import split, with_portions
from diat.cvol.steps.parts import TOLD
from diat.service.placement.lives import Lives
from diat.service.placement.placing import HERE, Placing, part_id
from diat.service.placement.placings import Placings
from diat.service.placement.rates import HOUR, Has, Key, Rates, added

_LINE: Key = ("", "")


class Used(Struct, frozen=True, kw_only=True):
    """What a service has a line carry in an hour, as measured.

    Attributes:
        bytes: what travels for it; of what several services need, its share.
        above: what would, were everything in the core.
        steps: step of a part, or role that is read, to its share.
    """

    bytes: float
    messages: float
    above: float
    steps: dict[str, float]


class Link(Struct, frozen=True, kw_only=True):
    """A line over the last minutes, in an hour.

    Attributes:
        seconds: over how long it was measured.
        services: composite to what it uses.
    """

    seconds: float
    up: Rate
    down: Rate
    services: dict[str, Used]


class Links:
    """Shares out what travelled; used by any thread."""

    def __init__(self, daemon: Has, placings: Placings, rates: Rates, lives: Lives) -> None:
        """``rates`` is what was measured."""
        self._daemon = daemon
        self._placings = placings
        self._rates = rates
        self._lives = lives

    def of(self, gateway: str, since: int = 0) -> Link | None:
        """A line as measured, from a time on at the earliest; None if it was not looked at twice."""
        ends = self._rates.ends(gateway, since)
        if ends is None:
            return None
        first, last = ends
        hours = (last.at - first.at) / HOUR
        wanted, readers = self._uses(gateway)
        up = added(last.total, first.total, hours)
        line = added(last.up.get(_LINE), first.up.get(_LINE), hours)
        # What frames have of their own belongs to what is in them.
        whole = up.bytes / (up.bytes - line.bytes) if up.bytes > line.bytes else 1.0
        used: dict[str, dict[str, Rate]] = {}
        for key, users in readers.items():
            went = added(last.up.get(key), first.up.get(key), hours)
            went = Rate(went.messages, went.bytes * whole)
            for composite, what in users:
                known = used.setdefault(composite, {}).get(what, Rate(0.0, 0.0))
                used[composite][what] = Rate(
                    known.messages + went.messages / len(users), known.bytes + went.bytes / len(users)
                )
        # Of what did not travel the messages are counted; what they would have taken, frames of them say.
        keys = {key: thing for found in wanted.values() for key, thing in found.items()}
        comes = {key: added(last.by.get(key), first.by.get(key), hours).messages for key in keys}
        flows = [
            Flow(name=key[0], values=self._lives.values(thing, key[1]), hourly=comes[key])
            for key, thing in keys.items()
        ]
        above = predict(gateway, flows).by
        shares = Counter(key[0] for found in wanted.values() for key in found)
        services = {
            composite: Used(
                bytes=sum(each.bytes for each in used.get(composite, {}).values()),
                messages=sum(each.messages for each in used.get(composite, {}).values()),
                above=sum(above.get(key[0], 0.0) / shares[key[0]] for key in found),
                steps={what: each.bytes for what, each in used.get(composite, {}).items()},
            )
            for composite, found in wanted.items()
        }
        return Link(
            seconds=(last.at - first.at) / 1000,
            up=up,
            down=added(last.down, first.down, hours),
            services=services,
        )

    def _uses(self, gateway: str) -> tuple[dict[str, dict[Key, str]], dict[Key, list[tuple[str, str]]]]:
        """What composites read of a gateway's things, and what of it travels for whom, and as what."""
        wanted: dict[str, dict[Key, str]] = {}
        readers: dict[Key, list[tuple[str, str]]] = {}
        for composite in self._placings.everything():
            _, placing = self._placings.committed(composite.id)
            read = read_here(composite, placing)
            for each in self._placings.bindings(composite.id):
                drives = composite.roles[each.role].drives
                if drives or self._daemon.things.tiers.gateway_of(each.thing) != gateway:
                    continue
                key = self._rates.wire(each.thing), each.affordance
                wanted.setdefault(composite.id, {})[key] = each.thing
                if each.role in read:
                    readers.setdefault(key, []).append((composite.id, each.role))
            if gateway in placing.told:
                part = part_id(composite.id, gateway)
                readers.setdefault((part, TOLD), []).append((composite.id, part))
        return wanted, readers


def read_here(composite: Composite, placing: Placing) -> set[str]:
    """The roles that are read by steps here."""
    made = with_portions(composite, placing.portions)
    parts = split(made, placing.where, HERE, lambda tier: part_id(composite.id, tier)).by_tier
    return {role.name.partition("@")[0] for role in parts[HERE].roles.values()}
