"""Values that lapse: a thing says when motion begins and not when it ends; after its delay it is over."""

from __future__ import annotations

from collections.abc import Iterable

from diat.vol.intake import Intake
from diat.vol.leases import Leases
from diat.vol.registry import Registry
from diat.vol.thing import VirtualObject

_BETWEEN = "\n"


class Lapses:
    """What is true, of a property with ``diat:offDelay``, becomes false; used by the writer alone.

    Nothing of it is stored: when a value lapses follows from the reading that the twin has, also after a
    restart.
    """

    def __init__(self, registry: Registry, intake: Intake) -> None:
        self._registry = registry
        self._intake = intake
        self._looks = Leases(self._end)
        for _, each in registry.objects.items():
            self.told(each, each.properties)

    def told(self, each: VirtualObject, names: Iterable[str]) -> None:
        """These properties of the thing were told anew."""
        for name in names:
            prop = each.properties.get(name)
            if prop is not None and prop.off_delay is not None:
                look = f"{each.id}{_BETWEEN}{name}"
                if (end := self._end(look)) is not None:
                    self._looks.note(look, end)

    def due(self) -> int | None:
        """When ``tick`` is next needed, Unix milliseconds."""
        return self._looks.due()

    def tick(self, now: int) -> None:
        """Let lapse what is over."""
        for look in self._looks.over(now):
            thing, _, name = look.partition(_BETWEEN)
            each, end = self._registry.seen(thing), self._end(look)
            if each is not None and end is not None:
                self._intake.keep(each, self._intake.changing(thing), {name: False}, end, now)

    def _end(self, look: str) -> int | None:
        """When it lapses; None if it does not."""
        thing, _, name = look.partition(_BETWEEN)
        each = self._registry.seen(thing)
        prop = each.properties.get(name) if each is not None else None
        reading = self._intake.twin(thing).values.get(name)
        if prop is None or prop.off_delay is None or reading is None or reading.value is not True:
            return None
        return reading.received + int(prop.off_delay * 1000)
