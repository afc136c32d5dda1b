"""Services whose steps run on several tiers, as the service layer sees them.

A service runs here as a whole until somebody finds (``reviewing``) that less travels otherwise. Then its
steps move (``moving``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from diat.cvol.composite import Binding, Composite, State
from diat.cvol.execution import CompositeLayer
from diat.kernel.clock import Clock
from diat.kernel.overlay import Ledger
from diat.service.placement.asking import Asking
from diat.service.placement.divided import Divided
from diat.service.placement.moving import Moving
from diat.service.placement.placing import Placing
from diat.service.placement.telling import ForWhom, Telling
from diat.vol.layer import VirtualObjectLayer
from diat.vol.pushdown import Rules

_WORSE = ("running", "degraded", "waiting", "paused", "failed")


class Placings:
    """All services at work, wherever their steps run; used by the writer alone unless said.

    Attributes:
        want: has the steps of a composite run elsewhere, see ``Moving.want``.
        tier: the tier that a thing is at, as the writer sees it.
        needed: what composites need of what they read here.
        again: asks anew for what a composite reads, by the thing that it makes.
    """

    def __init__(
        self,
        ledger: Ledger,
        things: VirtualObjectLayer,
        composites: CompositeLayer,
        clock: Clock,
        placings: Iterable[tuple[str, Placing]] = (),
        keep: float = 0.0,
    ) -> None:
        """Nothing runs yet; ``keep`` as of ``Needed``."""
        self._composites = composites
        self._divided = divided = Divided(ledger, things, composites, clock, placings)
        self._asking = Asking(divided)
        self.needed, self.again = self._asking.needed, self._asking.again
        self.needed.keep = keep
        self._telling = Telling(divided)
        self._moving = Moving(divided, self._asking, self._telling)
        self._wholes, self._placings = divided.wholes, divided.placings
        self.want, self.tier = self._moving.want, divided.tier
        composites.on_bound = self._asking.ask
        composites.on_own = self._set
        things.tiers.on_part = self._telling.answer

    def act_for(self, for_whom: ForWhom) -> None:
        """Say what a composite may, what it is for and since when it works, as its parts are to be told."""
        self._telling.for_whom = for_whom

    def whole(self, composite: str) -> Composite | None:
        """The whole composite, as the writer sees it."""
        return self._wholes.get(composite)

    # --- asked by any thread ---

    def committed(self, composite: str) -> tuple[Composite | None, Placing]:
        """The whole composite and where it runs."""
        return self._wholes.committed.get(composite), self._placings.committed.get(composite) or Placing()

    def everything(self) -> list[Composite]:
        """All whole composites."""
        return list(self._wholes.committed.values())

    def bindings(self, composite: str) -> list[Binding]:
        """What fills the roles of a whole composite, as far as is known here."""
        state = self._composites.states.committed.get(composite)
        placing = self._placings.committed.get(composite)
        found = {(each.role, each.key): each for each in (placing.bound if placing is not None else ())}
        if state is not None:
            found |= {(each.role, each.key): each for each in state.bindings}
        whole = self._wholes.committed.get(composite)
        return [each for each in found.values() if whole is not None and each.role in whole.roles]

    def planned(self, composite: Composite, bindings: Iterable[Binding]) -> dict[str, Rules]:
        """Thing to what is needed of what a composite, or a part of one, reads; as if it were alone."""
        return self.needed.alone(composite, bindings)

    def missing(self, composite: str) -> list[str]:
        """What parts elsewhere lack, a line each."""
        placing = self._placings.committed.get(composite) or Placing()
        return [
            f"at {gateway}: {line}"
            for gateway, told in placing.told.items()
            if gateway in placing.where.values()
            for line in ([told.error] if told.error else told.missing)
        ]

    def state(self, composite: str, here: State) -> State:
        """The state of a composite with all of its parts: the worst of them."""
        placing = self._placings.committed.get(composite) or Placing()
        found = [told.state for name, told in placing.told.items() if name in placing.where.values()]
        worst = max((here, *(each for each in found if each in _WORSE)), key=_WORSE.index)
        return cast("State", worst)

    # --- within the writer ---

    def restore(self, composites: Iterable[Composite]) -> None:
        """Start kept composites again, each as far as it runs here."""
        found = list(composites)
        for each in found:
            self._wholes.put(each.id, each)
        self._composites.restore(self._divided.here(each) for each in found)

    def deploy(self, composite: Composite) -> None:
        """Put a composite to work, or a changed one in its place.

        If its steps are others than before, it begins here as a whole; parts of the former are ended.
        """
        known, placing = self._wholes.get(composite.id), self._placings.get(composite.id)
        self._wholes.put(composite.id, composite)
        if placing is not None and (known is None or not _same_work(known, composite)):
            self._telling.end(composite.id, placing)
            placing = None
        self._composites.deploy(self._divided.here(composite))
        if placing is not None:
            self._telling.anew(composite, placing)

    def remove(self, composite: str) -> None:
        """End a composite, wherever it runs."""
        placing = self._placings.get(composite)
        if placing is not None:
            self._telling.end(composite, placing)
        self._wholes.remove(composite)
        self._composites.remove(composite)
        self._asking.end(composite)

    def tick(self) -> None:
        """Go on with what moves; tell again what was not answered."""
        self._asking.release()
        self._moving.tick()
        self._telling.again()

    # --- within ---

    def _set(self, composite: str) -> None:
        placing, whole = self._placings.get(composite), self._wholes.get(composite)
        if placing is not None and whole is not None:
            self._telling.anew(whole, placing)


def _same_work(known: Composite, changed: Composite) -> bool:
    return (known.steps, known.roles, known.requires) == (changed.steps, changed.roles, changed.requires)
