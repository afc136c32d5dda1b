"""How virtual objects are found without looking through all of them: by topic, by quantity, by place."""

from __future__ import annotations

from msgspec import Struct

from diat.kernel.overlay import Index, Ledger, Overlay
from diat.vol.gateways import is_gateway
from diat.vol.thing import VirtualObject
from diat.wire import topics
from diat.wot.places import around


class Route(Struct, frozen=True):
    """The native thing whose topic it is, and the channel (``diat.wire.topics.from_thing``)."""

    thing: str
    channel: str


class Lookups:
    """Topics, quantities and places, each to the things that belong to it; changed by the writer alone.

    Attributes are those of the same names in ``diat.vol.registry.Registry``.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.routes: Overlay[str, Route] = ledger.overlay()
        self.speakers: Index[str] = ledger.index()
        self.driven: Index[str] = ledger.index()
        self.by_quantity: Index[str] = ledger.index()
        self.by_place: Index[tuple[str, ...]] = ledger.index()
        self.gateways: Overlay[str, bool] = ledger.overlay()

    def replace(self, thing: str, old: VirtualObject | None, made: VirtualObject | None) -> None:
        """Find what a thing is now where it was found before; None if there was, or is, none."""
        listens = made is not None and old is not None and _listening(made) == _listening(old)
        if old is not None and not listens:
            self._unroute(old)
        if made is not None and not listens:
            self._route(made)
        if made is not None and made.wire and is_gateway(made.td):
            self.gateways.put(thing, True)
        elif self.gateways.get(thing):
            self.gateways.remove(thing)
        for quantity in _quantities(old) - _quantities(made):
            self.by_quantity.discard(quantity, thing)
        for quantity in _quantities(made) - _quantities(old):
            self.by_quantity.add(quantity, thing)
        if (old.place if old else "") != (made.place if made else ""):
            for whole in around(old.place) if old else []:
                self.by_place.discard(whole, thing)
            for whole in around(made.place) if made else []:
                self.by_place.add(whole, thing)

    def _route(self, made: VirtualObject) -> None:
        if made.wire:
            for topic, channel in _channels(made):
                self.routes.put(topic, Route(made.id, channel))
            return
        for topic in made.inlets:
            self.speakers.add(topic, made.id)
        for topic in _driven(made):
            self.driven.add(topic, made.id)

    def _unroute(self, old: VirtualObject) -> None:
        if old.wire:
            for topic, _ in _channels(old):
                self.routes.remove(topic)
            return
        for topic in old.inlets:
            self.speakers.discard(topic, old.id)
        for topic in _driven(old):
            self.driven.discard(topic, old.id)


def _listening(made: VirtualObject) -> tuple[int, tuple[str, ...], bool]:
    """What its routes depend on: a person's patch may take events away, or add some."""
    return id(made.description), tuple(made.events), is_gateway(made.td)


def _channels(made: VirtualObject) -> list[tuple[str, str]]:
    name = made.wire
    return [
        (topics.properties(name), "properties"),
        (topics.status(name), "status"),
        (topics.results(name), "results"),
        *([(topics.up(name), "up")] if is_gateway(made.td) else []),
        *((topics.event(name, made.outward(event)), f"events/{event}") for event in made.events),
    ]


def _driven(made: VirtualObject) -> set[str]:
    """The topics on which a foreign thing is told what to do."""
    if made.record.dialect != "wot":
        return set()
    return {getattr(outlet, "topic", "") for outlet in made.description.outlets.values()} - {""}


def _quantities(made: VirtualObject | None) -> frozenset[str]:
    return made.quantities if made is not None else frozenset()
