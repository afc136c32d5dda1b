"""What there is to decide: tiers that form a tree, and steps that hand values upward in it.

Readings come from where their things are; a step runs where all that it works on can be had, which is on the
way from there to the root. So values travel upward only; commands go down from where they are decided. A step
is *below* a link if it runs at the lower end of it or further down, and what is below costs nothing there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cached_property

from msgspec import Struct

HOUR = 3600.0
LOSS = 1e3
"""What it costs by the hour that what is driven stops when a link is cut, in the price of that many bytes."""
CUTS = 50.0
"""By how much more it costs if the link is always cut."""


class Tier(Struct, frozen=True, kw_only=True):
    """A node where steps can run, and the link from it to the one above.

    Attributes:
        above: name of the tier above; None of the root.
        price: of a byte over the link.
        latency: of the link, seconds that a reading takes up.
        back: likewise, that a command takes down.
        cut: share of the time in which the link is cut.
        capacity: of the link, bytes in an hour.
        cpu: seconds of CPU in an hour that steps may take.
        memory: bytes that steps may take.
        effort: price of a second of CPU, in the price of bytes: high on what runs on a battery.
    """

    name: str
    above: str | None = None
    price: float = 1.0
    latency: float = 0.0
    back: float = 0.0
    cut: float = 0.0
    capacity: float = math.inf
    cpu: float = math.inf
    memory: float = math.inf
    effort: float = 0.0


class Source(Struct, frozen=True, kw_only=True):
    """Readings that steps work on: of things of one tier that are read by the same steps.

    Attributes:
        bytes: in an hour, as they travel.
        messages: in an hour.
        within: the highest tier that they may be sent to; None for any.
        what: what people call them; the name if nothing is said.
    """

    name: str
    tier: str
    bytes: float
    messages: float = 0.0
    within: str | None = None
    what: str = ""

    @property
    def shown(self) -> str:
        """What people call it."""
        return self.what or self.name


class Node(Struct, frozen=True, kw_only=True):
    """A step.

    Attributes:
        needs: names of the sources and steps that it works on.
        bytes: in an hour, of what it says if that travels.
        messages: in an hour, likewise.
        cpu: seconds of CPU in an hour.
        memory: bytes.
        at: the tier that it must run on; None for any.
        beside: tiers of things that it must know of, though it reads nothing of them.
        drives: tier of what it drives, to the bytes of commands in an hour.
        within: seconds within which what it drives must have an answer to a reading.
        passes: whether what it says is what it works on: then that may be nowhere else either.
    """

    name: str
    needs: tuple[str, ...]
    bytes: float = 0.0
    messages: float = 0.0
    cpu: float = 0.0
    memory: float = 0.0
    at: str | None = None
    beside: tuple[str, ...] = ()
    drives: tuple[tuple[str, float], ...] = ()
    within: float = math.inf
    passes: bool = False


class Problem(Struct, frozen=True, kw_only=True, dict=True):
    """All of it; ``nodes`` come after what they work on.

    Attributes:
        tiers: one tree.
        together: pairs of steps that read the same and so run on one tier: what comes of one reading is told
            at once, and no step above sees one half of it before the other.

    Raises:
        ValueError: a tier, a source or a step is named that is not there, or the tiers are no tree.
    """

    tiers: tuple[Tier, ...]
    sources: tuple[Source, ...]
    nodes: tuple[Node, ...]
    together: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Check it."""
        if self.starts and len([each for each in self.tiers if each.above is None]) != 1:
            raise ValueError("tiers form one tree, with one root")

    @cached_property
    def tier(self) -> dict[str, Tier]:
        """Tiers by name."""
        return {each.name: each for each in self.tiers}

    @cached_property
    def root(self) -> str:
        """The tier that is above all others."""
        return next(each.name for each in self.tiers if each.above is None)

    @cached_property
    def ways(self) -> dict[str, tuple[str, ...]]:
        """From each tier to the root, both included."""
        found = {}
        for each in self.tiers:
            way = [each.name]
            while (above := self.tier[way[-1]].above) is not None:
                if above in way or above not in self.tier:
                    raise ValueError(f"{way[-1]} is below {above}, and that makes no tree")
                way.append(above)
            found[each.name] = tuple(way)
        return found

    @cached_property
    def starts(self) -> dict[str, str]:
        """For each source its tier, for each step the lowest tier at which it can have what it works on."""
        found = {each.name: self.ways[each.tier][0] for each in self.sources}
        for node in self.nodes:
            missing = [name for name in node.needs if name not in found]
            if missing:
                raise ValueError(f"{node.name} works on {missing[0]}, which does not come before it")
            below = [found[name] for name in node.needs] + list(node.beside)
            start = self.common(below + [tier for tier, _ in node.drives])
            if node.at is not None and below and node.at not in self.ways[start]:
                raise ValueError(f"{node.name} cannot have what it works on at {node.at}")
            found[node.name] = start if node.at is None else node.at
        return found

    def kept(self, node: Node) -> list[Source]:
        """What a step works on, itself or as others pass it on, that may not be sent everywhere."""
        found, waiting = [], list(node.needs)
        while waiting:
            name = waiting.pop()
            source, passing = self._sources.get(name), self._nodes.get(name)
            if source is not None and source.within is not None:
                found.append(source)
            if passing is not None and passing.passes:
                waiting += passing.needs
        return found

    @cached_property
    def _sources(self) -> dict[str, Source]:
        return {each.name: each for each in self.sources}

    @cached_property
    def _nodes(self) -> dict[str, Node]:
        return {each.name: each for each in self.nodes}

    def common(self, tiers: Iterable[str]) -> str:
        """The lowest tier that is above all of these, or is one of them; the root if there are none."""
        ways = [self.ways[tier] for tier in tiers]
        return next((each for each in ways[0] if all(each in way for way in ways)), "") if ways else self.root

    def links(self, tier: str) -> tuple[str, ...]:
        """The links from a tier to the root, lowest first, each by the tier at its lower end."""
        return self.ways[tier][:-1]
