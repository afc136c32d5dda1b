"""Composites as wholes, where their steps run, and the parts that makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from diat.cvol.composite import Binding, Composite
from diat.cvol.execution import CompositeLayer
from diat.cvol.placement.splitting import Parts, split, with_portions
from diat.kernel.clock import Clock
from diat.kernel.overlay import Ledger, Overlay
from diat.service.placement.placing import HERE, Placing, part_id
from diat.vol.layer import VirtualObjectLayer


class Divided:
    """All composites at work, wherever their steps run; used by the writer alone.

    Attributes:
        wholes: composite as it was deployed.
        placings: composite to where it runs; those that are wholly here need not be in it.
    """

    def __init__(
        self,
        ledger: Ledger,
        things: VirtualObjectLayer,
        composites: CompositeLayer,
        clock: Clock,
        placings: Iterable[tuple[str, Placing]] = (),
    ) -> None:
        """Nothing runs yet."""
        self.things = things
        self.composites = composites
        self.clock = clock
        self.wholes: Overlay[str, Composite] = ledger.overlay()
        self.placings: Overlay[str, Placing] = ledger.overlay("placings", placings)

    def change(self, composite: str, **changes: Any) -> Placing | None:
        """Change what is known of where a composite runs; what it is then, None if nothing is known of it."""
        placing = self.placings.get(composite)
        if placing is None:
            return None
        changed = msgspec.structs.replace(placing, **changes)
        self.placings.put(composite, changed)
        return changed

    def here(self, whole: Composite) -> Composite:
        """The part of a composite that runs here."""
        placing = self.placings.get(whole.id)
        return self.split(whole, placing, placing.where).by_tier[HERE] if placing is not None else whole

    def split(self, whole: Composite, placing: Placing, where: Mapping[str, str]) -> Parts:
        """The parts of a composite if its steps run ``where`` it is said."""
        state = self.composites.states.get(whole.id)
        own = whole.defaults | (state.own if state is not None else {})
        made = with_portions(whole, placing.portions)
        return split(made, where, HERE, lambda tier: part_id(whole.id, tier), own)

    def know(self, composite: str, whole: Composite, bound: Iterable[Binding]) -> None:
        """Remember what filled roles that are read elsewhere from now on."""
        placing = self.placings.get(composite)
        if placing is not None:
            known = {(each.role, each.key): each for each in placing.bound}
            known |= {(each.role, each.key): each for each in bound if each.role in whole.roles}
            self.change(composite, bound=list(known.values()))

    def tier(self, thing: str) -> str:
        """The tier that a thing is at."""
        each = self.things.registry.seen(thing)
        return self.things.tiers.ties.get(each.wire) or HERE if each is not None and each.wire else HERE
