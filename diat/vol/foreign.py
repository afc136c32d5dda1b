"""What things of other dialects say, read by the inlets that their descriptions brought."""

from __future__ import annotations

from collections.abc import Iterable

from diat.vol.intake import Intake
from diat.vol.interaction import Interaction
from diat.vol.lapses import Lapses
from diat.vol.observers import Observers
from diat.vol.thing import VirtualObject
from diat.vol.twin import Availability, Status
from diat.wire.envelope import Message


class ForeignMessages:
    """Reads the messages of foreign things; used by the writer alone."""

    def __init__(
        self, intake: Intake, interaction: Interaction, observers: Observers, lapses: Lapses
    ) -> None:
        self._lapses = lapses
        self._intake = intake
        self._interaction = interaction
        self._observers = observers

    def take(self, each: VirtualObject, message: Message) -> None:
        """Take a message of a thing that takes part.

        A retained message says what was last so, not when: it is no reading, and no event happens by it.
        """
        received = message.received
        for inlet in each.inlets.get(message.topic, ()):
            uptake = inlet.read(message.payload)
            for note in uptake.notes:
                self._intake.reject(each.id, note, received)
            if uptake.available is not None:
                self._available(each, inlet.topic, uptake.available, received)
            if message.retained:
                self._intake.replay(each, uptake.values, received)
                self._lapses.told(each, uptake.values)
                continue
            if not uptake.values and not uptake.events:
                continue
            twin = self._intake.heard(each.id, received)
            self._intake.meters.said(each.id, message, (*uptake.values, *(name for name, _ in uptake.events)))
            for name, data in uptake.events:
                self._intake.occur(each, name, data, received, received, hints=True)
            if uptake.values:
                self._intake.keep(each, twin, uptake.values, received, received, hints=True)
                self._lapses.told(each, uptake.values)
            for name, value in uptake.values.items():
                self._interaction.reading(each.id, name, value, received)

    def _available(self, each: VirtualObject, source: str, available: Availability, received: int) -> None:
        sources = {**self._intake.twin(each.id).sources, source: available}
        mode = each.description.availability
        told = [available] if mode == "latest" else sources.values()
        if sources != self._intake.twin(each.id).sources:
            self._intake.changing(each.id).sources = sources
        self._intake.turn(each.id, _status(told, any_will_do=mode == "any"), received)


def _status(told: Iterable[Availability], *, any_will_do: bool) -> Status:
    """One status from what several sources say: the best of them if any will do, else the worst."""
    ranks = [1 if each == "sleeping" else 2 * bool(each) for each in told]
    ranking: tuple[Status, ...] = ("offline", "sleeping", "online")
    return ranking[max(ranks) if any_will_do else min(ranks)]
