"""Watching what situations are about: which property or event of which thing, and what it is just now."""

from __future__ import annotations

from typing import Any, Final

from diat.cvol.execution import CompositeLayer
from diat.kernel.errors import Invalid
from diat.kernel.overlay import Index, Ledger, Overlay
from diat.service.layer import ServiceLayer
from diat.service.situation import Situation
from diat.vol.layer import VirtualObjectLayer
from diat.wot.units import converter, ucum

KIND: Final = "situation"
"""The kind of watcher that situations are."""
GONE: Final = object()
"""What is watched can no longer be: the service is ended, or makes no thing."""
_Target = tuple[str, str, bool]
"""Thing, affordance, whether that is an event."""


class Watching:
    """What each situation watches; used by the writer alone."""

    def __init__(
        self, ledger: Ledger, things: VirtualObjectLayer, composites: CompositeLayer, services: ServiceLayer
    ) -> None:
        self._things = things
        self._composites = composites
        self._services = services
        self._watched: Overlay[str, _Target] = ledger.overlay()
        self._of_service: Index[str] = ledger.index()

    def check(self, when: dict[str, Any]) -> None:
        """Hold what is to be watched to be there, and bring its unit into our spelling.

        Raises:
            Invalid: it is not; ``field`` names what.
        """
        source = "thing" if "thing" in when else "service"
        thing = self.thing(when)
        each = self._things.registry.seen(thing) if thing is not None else None
        if each is None:
            made = " that is a thing of its own" if source == "service" else ""
            raise Invalid(f"there is no {source} {when[source]!r}{made}", f"when.{source}")
        if "event" in when:
            if when["event"] not in each.events:
                raise Invalid(f"{each.td['title']} has no event {when['event']!r}", "when.event")
            return
        prop = each.properties.get(when["property"])
        if prop is None:
            raise Invalid(f"{each.td['title']} has no property {when['property']!r}", "when.property")
        if "unit" not in when:
            return
        unit = ucum(when["unit"], prop.quantity)
        if unit is None or prop.unit is None or converter(prop.unit, unit, prop.quantity) is None:
            raise Invalid(f"{prop.unit or 'no unit'} does not convert to {when['unit']!r}", "when.unit")
        when["unit"] = unit

    def thing(self, when: dict[str, Any]) -> str | None:
        """The thing that is watched; None if the service is gone or makes none."""
        if "thing" in when:
            return str(when["thing"])
        service = self._services.seen(when["service"])
        composite = self._composites.seen(service.composite) if service is not None else None
        return composite.thing if composite is not None else None

    def begin(self, situation: Situation) -> Any:
        """Watch; the last value, None if there is none, or ``GONE``.

        That a thing is silent or away changes nothing: what it said last stands.
        """
        self.end(situation)
        if "service" in situation.when:
            self._of_service.add(situation.when["service"], situation.id)
        target = self._target(situation)
        if target is None:
            return GONE
        thing, name, event = target
        self._watched.put(situation.id, target)
        self._things.observers.watch(f"{KIND}:{situation.id}", thing, name, event=event)
        reading = None if event else self._things.intake.twin(thing).values.get(name)
        return None if reading is None else reading.value

    def end(self, situation: Situation) -> None:
        """Watch no more."""
        watched = self._watched.get(situation.id)
        if watched is not None:
            thing, name, event = watched
            self._things.observers.unwatch(f"{KIND}:{situation.id}", thing, name, event=event)
            self._watched.remove(situation.id)
        if "service" in situation.when:
            self._of_service.discard(situation.when["service"], situation.id)

    def of_service(self, service: str) -> list[str]:
        """The situations that watch what a service makes."""
        return self._of_service.members(service)

    def moved(self, situation: Situation) -> bool:
        """Whether what it is about is another thing than the one that is watched."""
        return self._target(situation) != self._watched.get(situation.id)

    def in_its_unit(self, situation: Situation, value: Any) -> Any:
        """A number in the unit in which the situation speaks; None if it does not convert any more."""
        unit = situation.when.get("unit")
        watched = self._watched.get(situation.id)
        if unit is None or watched is None or isinstance(value, bool) or not isinstance(value, int | float):
            return value
        each = self._things.registry.seen(watched[0])
        prop = each.properties.get(watched[1]) if each is not None else None
        if prop is None or prop.unit is None:
            return None
        convert = converter(prop.unit, unit, prop.quantity)
        return None if convert is None else convert(float(value))

    def _target(self, situation: Situation) -> _Target | None:
        when = situation.when
        thing = self.thing(when)
        return None if thing is None else (thing, when.get("event") or when["property"], "event" in when)
