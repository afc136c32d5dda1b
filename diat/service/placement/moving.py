"""How steps move from one tier to another, one gateway at a time, and nothing is lost or doubled.

``asked``: what is to be read here from then on is asked for. ``stopped``: the gateway was told to stop, and
to wait with what comes from a mark in its spool on. When the mark is here, everything from before it is, for
the spool is in order: what steps remember is exchanged, and the gateway is told to go on. A reading is before
the mark or after it, and so run on once.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from diat.cvol.composite import Binding, Composite
from diat.cvol.execution import Remembered
from diat.cvol.steps.parts import Heard
from diat.service.placement.asking import Asking
from diat.service.placement.divided import Divided
from diat.service.placement.placing import HERE, Placing
from diat.service.placement.telling import Telling


class Moving:
    """Moves the steps of composites; used by the writer alone."""

    def __init__(self, divided: Divided, asking: Asking, telling: Telling) -> None:
        """Nothing moves yet."""
        self._divided = divided
        self._composites = divided.composites
        self._asking = asking
        self._telling = telling
        telling.on_mark = self._marked

    def want(
        self,
        composite: str,
        where: Mapping[str, str],
        portions: Mapping[str, tuple[str, ...]] | None = None,
        predicted: Mapping[str, float] | None = None,
        above: Mapping[str, float] | None = None,
    ) -> None:
        """Have the steps of a composite run elsewhere; nothing while it is still moving."""
        placing = self._divided.placings.get(composite) or Placing()
        if placing.phase != "rests" or self._divided.wholes.get(composite) is None:
            return
        changed = msgspec.structs.replace(
            placing, wanted=dict(where), predicted=dict(predicted or {}), above=dict(above or {})
        )
        if portions is not None and not placing.where:
            changed = msgspec.structs.replace(changed, portions=dict(portions))
        self._divided.placings.put(composite, changed)
        self._next(composite)

    def tick(self) -> None:
        """Go on with what waits for an answer to what was asked for."""
        for composite, placing in list(self._divided.placings.items()):
            if placing.phase == "asked":
                self._next(composite)

    # --- within ---

    def _next(self, composite: str) -> None:
        """Begin to move what is next: what comes up first, so that nothing is ever above what it works on."""
        divided = self._divided
        placing, whole = divided.placings.get(composite), divided.wholes.get(composite)
        if placing is None or whole is None:
            return
        moving = placing.moving if placing.phase == "asked" else _first(placing)
        if moving is None:
            divided.change(composite, phase="rests", since=divided.clock())
            return
        after = divided.split(whole, placing, _step(placing, moving))
        if not self._asking.answered(after.by_tier[HERE]):
            divided.change(composite, phase="asked", moving=moving)
            return
        revision = placing.revision + 1
        divided.change(composite, phase="stopped", moving=moving, revision=revision)
        self._telling.stop(composite, moving, revision, after.by_tier.get(moving))

    def _marked(self, composite: str, gateway: str, mark: Remembered) -> None:
        """The mark is here: everything that came before it was run on."""
        divided = self._divided
        placing, whole = divided.placings.get(composite), divided.wholes.get(composite)
        if placing is None or whole is None or placing.moving != gateway:
            return
        where = _step(placing, gateway)
        after = divided.split(whole, placing, where)
        values = self._composites.values(composite)
        memory = self._composites.remembered(composite)
        state = self._composites.states.get(composite)
        here, there = after.by_tier[HERE], after.by_tier.get(gateway)
        bound = list(state.bindings) if state is not None else []
        heard = {
            step.id: [values[step.id]]
            for step in here.steps
            if isinstance(step, Heard) and not step.pulse and values.get(step.id) is not None
        }
        up = {
            step.id: mark.steps[step.id]
            for step in here.steps
            if step.id in mark.steps and not isinstance(step, Heard)
        }
        divided.change(composite, where=where)
        divided.know(composite, whole, bound)
        self._composites.move(here, Remembered(steps=heard | up, driven=mark.driven))
        if there is not None:
            goes = _goes(placing, there, bound, memory, mark, heard)
            message = {"r": placing.revision, "do": "go", "memory": msgspec.to_builtins(goes)}
            self._telling.tell(composite, gateway, message)
        self._divided.change(composite, phase="rests", moving=None)
        self._next(composite)


def _first(placing: Placing) -> str | None:
    """The gateway that is to be dealt with first; None if all is as it is wanted."""
    now, wanted = placing.where, placing.wanted
    up = [tier for step, tier in now.items() if tier != HERE and wanted.get(step, HERE) != tier]
    down = [tier for step, tier in wanted.items() if tier != HERE and now.get(step, HERE) != tier]
    return next(iter(up or down), None)


def _step(placing: Placing, moving: str) -> dict[str, str]:
    """Where steps run when a gateway has been dealt with."""
    up = any(t == moving and placing.wanted.get(s, HERE) != t for s, t in placing.where.items())
    where = dict(placing.where)
    for step in {*placing.where, *placing.wanted}:
        now, then = placing.where.get(step, HERE), placing.wanted.get(step, HERE)
        if up and now == moving and then != moving:
            where[step] = HERE
        elif not up and then == moving and now == HERE:
            where[step] = moving
    return where


def _goes(
    placing: Placing,
    there: Composite,
    bound: list[Binding],
    memory: Remembered,
    mark: Remembered,
    heard: Mapping[str, list[object]],
) -> Remembered:
    """What the part at a gateway lays in: of steps that come there, and of those that stay."""
    names, roles = {step.id for step in there.steps}, {step.role for step in there.drives}
    driven = {each.key for each in bound if each.role in roles}
    return Remembered(
        steps={
            step: kept
            for step, kept in (memory.steps | mark.steps).items()
            if step in names and (step in mark.steps or placing.where.get(step, HERE) == HERE)
        },
        told={
            step: mark.told[step] if step in mark.told else heard[step][0]
            for step in there.tells
            if step in mark.told or step in heard
        },
        driven={key: told for key, told in memory.driven.items() if key in driven} | mark.driven,
    )
