"""The registry: which virtual objects there are, what announced them, and which topic belongs to whom."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from diat.kernel.errors import NotFound
from diat.kernel.overlay import Index, Ledger, Overlay
from diat.vol.dialects.port import Description, Dialect, Part, Refusal, Withdrawal
from diat.vol.places import around
from diat.vol.thing import ThingRecord, VirtualObject, compile_object
from diat.wire import topics
from diat.wot.td import complete, merge_patch

NATIVE = "native"


class Announced(Struct, frozen=True, kw_only=True):
    """An announcement that stands: what was published on its topic, and the thing that it is part of."""

    topic: str
    thing: str
    dialect: str
    payload: bytes
    received: int


class Route(Struct, frozen=True):
    """The native thing whose topic it is, and the channel (``diat.wire.topics.from_thing``)."""

    thing: str
    channel: str


class Registry:
    """All virtual objects; changed by the writer alone, read by anybody through ``committed``.

    Attributes:
        objects: thing id to virtual object, retired ones left out.
        routes: topic of a native thing to that thing.
        speakers: topic of another dialect to the ids of the things that it says something of.
        by_quantity: quantity kind to the ids of things that have, or affect, that quantity.
        by_place: place to the ids of things that are there or in what lies inside.
    """

    def __init__(
        self,
        ledger: Ledger,
        dialects: Iterable[Dialect],
        records: Iterable[ThingRecord] = (),
        announced: Iterable[Announced] = (),
    ) -> None:
        self.dialects = {dialect.name: dialect for dialect in dialects}
        self._records: Overlay[str, ThingRecord] = ledger.overlay("things", ((r.id, r) for r in records))
        self._announced: Overlay[str, Announced] = ledger.overlay(
            "announcements", ((a.topic, a) for a in announced)
        )
        self._parts: Overlay[str, Part] = ledger.overlay()
        self._topics: Index[str] = ledger.index()
        self._identifiers: Overlay[tuple[str, str], str] = ledger.overlay()
        self._claims: Overlay[tuple[str, str], str] = ledger.overlay()
        self._undescribed: Overlay[str, bool] = ledger.overlay()
        self.objects: Overlay[str, VirtualObject] = ledger.overlay()
        self.routes: Overlay[str, Route] = ledger.overlay()
        self.speakers: Index[str] = ledger.index()
        self.by_quantity: Index[str] = ledger.index()
        self.by_place: Index[tuple[str, ...]] = ledger.index()
        self._next_no = 1 + max((r.no for r in self._records.committed.values()), default=0)
        self._restore()

    # --- reading ---

    def get(self, thing: str) -> VirtualObject:
        """The committed virtual object; any thread may ask.

        Raises:
            NotFound: there is none, or it is retired.
        """
        found = self.objects.committed.get(thing)
        if found is None:
            raise NotFound(f"there is no thing {thing!r}")
        return found

    def seen(self, thing: str) -> VirtualObject | None:
        """The virtual object as the writer sees it."""
        return self.objects.get(thing)

    def everything(self) -> list[VirtualObject]:
        """All committed virtual objects by number; any thread may ask."""
        return sorted(self.objects.committed.values(), key=lambda each: each.record.no)

    def with_quantity(self, quantity: str) -> Iterator[VirtualObject]:
        """Objects that have or affect a quantity, by number, as the writer sees them."""
        found = [self.objects.get(thing) for thing in self.by_quantity.members(quantity)]
        yield from sorted((each for each in found if each is not None), key=lambda each: each.record.no)

    def topics_of(self, thing: str) -> list[str]:
        """The topics of the announcements that the thing is made of."""
        return self._topics.members(thing)

    # --- hearing ---

    def hear(self, topic: str, payload: bytes) -> tuple[Dialect, Part | Withdrawal | Refusal] | None:
        """Let the dialects read an announcement; None if it is none."""
        for dialect in self.dialects.values():
            heard = dialect.hear(topic, payload)
            if heard is not None:
                return dialect, heard
        return None

    def announce(self, dialect: Dialect, part: Part, payload: bytes, now: int) -> str | Refusal:
        """Take an announcement in; the id of its thing, or why not.

        A thing made of several parts is described when ``describe`` is next called.
        """
        known = self._announced.get(part.topic)
        if known is not None and known.payload == payload:
            return known.thing
        if part.claim is not None:
            holder = self._claims.get((dialect.name, part.claim))
            if holder is not None and holder != part.topic:
                return Refusal(f"{part.claim!r} is already claimed by {holder}")
        thing = self._thing_of(dialect, part)
        if isinstance(thing, Refusal):
            return thing
        if known is not None and known.thing != thing:
            self.withdraw(part.topic, now)
        record = self._records.get(thing)
        if record is None:
            record = ThingRecord(
                no=self._next_no,
                id=thing,
                name=part.identifiers[0],
                dialect=dialect.name,
                created=now,
                modified=now,
            )
            self._next_no += 1
        identifiers = tuple(dict.fromkeys((*record.identifiers, *part.identifiers)))
        self._put_record(record, now, identifiers=identifiers, retired=False)
        self._announced.put(
            part.topic,
            Announced(topic=part.topic, thing=thing, dialect=dialect.name, payload=payload, received=now),
        )
        self._adopt(dialect.name, thing, part)
        return thing

    def withdraw(self, topic: str, now: int) -> str | None:
        """Take an announcement back; the id of its thing, None if nothing was announced there."""
        known = self._announced.get(topic)
        if known is None:
            return None
        self._announced.remove(topic)
        part = self._parts.get(topic)
        self._parts.remove(topic)
        if part is not None and part.claim is not None:
            self._claims.remove((known.dialect, part.claim))
        self._topics.discard(known.thing, topic)
        if self.topics_of(known.thing):
            self._undescribed.put(known.thing, True)
        else:
            self.retire(known.thing, now)
        return known.thing

    def retire(self, thing: str, now: int) -> None:
        """Take a thing out of service; its number, patch and history wait for its return."""
        for topic in self.topics_of(thing):
            known = self._announced.get(topic)
            part = self._parts.get(topic)
            if known is not None and part is not None and part.claim is not None:
                self._claims.remove((known.dialect, part.claim))
            self._announced.remove(topic)
            self._parts.remove(topic)
            self._topics.discard(thing, topic)
        self._undescribed.remove(thing)
        record = self._records.get(thing)
        if record is not None:
            for identifier in record.identifiers:
                if self._identifiers.get((record.dialect, identifier)) == thing and record.dialect != NATIVE:
                    self._identifiers.remove((record.dialect, identifier))
            self._put_record(record, now, retired=True)
        self._replace(thing, None)

    def describe(self, now: int) -> list[VirtualObject]:
        """Describe the things whose parts changed; those that now stand anew."""
        made = []
        for thing in [key for key, waits in self._undescribed.changes.items() if waits]:
            self._undescribed.remove(thing)
            record = self._records.get(thing)
            parts = [p for t in sorted(self.topics_of(thing)) if (p := self._parts.get(t)) is not None]
            if record is None or not parts:
                continue
            description = self.dialects[record.dialect].describe(parts)
            made.append(self._stand(record, description))
        return made

    @property
    def waiting(self) -> bool:
        """Whether a thing waits to be described."""
        return any(self._undescribed.changes.values())

    # --- things without announcements ---

    def install(
        self, thing: str, dialect: str, name: str, description: Description, now: int
    ) -> VirtualObject:
        """Make or renew a thing that is not announced by anybody: a composite."""
        record = self._records.get(thing)
        if record is None:
            record = ThingRecord(
                no=self._next_no, id=thing, name=name, dialect=dialect, created=now, modified=now
            )
            self._next_no += 1
        known = self.objects.get(thing)
        if known is None or known.description != description:
            record = self._put_record(record, now, retired=False)
        return self._stand(record, description)

    # --- what people say ---

    def patch(self, thing: str, patch: Mapping[str, Any], now: int) -> VirtualObject:
        """Lay a merge patch over the description, on top of earlier ones.

        Raises:
            NotFound: there is no such thing.
        """
        known = self._known(thing)
        record = known.record
        laid = _layered(record.patch, patch)
        record = self._put_record(record, now, patch=laid)
        return self._stand(record, known.description)

    def admit(self, thing: str, admission: str, reason: str, now: int) -> VirtualObject:
        """Accept or reject a thing.

        Raises:
            NotFound: there is no such thing.
        """
        known = self._known(thing)
        record = self._put_record(known.record, now, admission=admission, reason=reason)
        return self._stand(record, known.description)

    # --- within ---

    def _known(self, thing: str) -> VirtualObject:
        known = self.objects.get(thing)
        if known is None:
            raise NotFound(f"there is no thing {thing!r}")
        return known

    def _put_record(self, record: ThingRecord, now: int, **changes: Any) -> ThingRecord:
        changed: ThingRecord = msgspec.structs.replace(
            record, **changes, modified=now, revision=record.revision + 1
        )
        self._records.put(record.id, changed)
        return changed

    def _thing_of(self, dialect: Dialect, part: Part) -> str | Refusal:
        if dialect.name == NATIVE:
            thing = part.claim or ""
            holder = self._identifiers.get((NATIVE, part.identifiers[0]))
            if holder is not None and holder != thing:
                known = self._records.get(holder)
                if known is not None and not known.retired:
                    return Refusal(f"{part.topic} already belongs to {holder}: withdraw that first")
            known = self._records.get(thing)
            if known is not None and known.dialect != NATIVE and not known.retired:
                return Refusal(f"{thing!r} is already claimed by a thing of dialect {known.dialect}")
            return thing
        for identifier in part.identifiers:
            holder = self._identifiers.get((dialect.name, identifier))
            if holder is not None:
                return holder
        thing = f"urn:diat:{dialect.name}:{_slug(part.identifiers[0])}"
        known = self._records.get(thing)
        if known is not None and not known.retired and not set(known.identifiers) & set(part.identifiers):
            digest = hashlib.sha256("\n".join(part.identifiers).encode()).hexdigest()[:8]
            return f"{thing}-{digest}"
        return thing

    def _adopt(self, dialect: str, thing: str, part: Part) -> None:
        """Note whose part it is."""
        old = self._parts.get(part.topic)
        if old is not None and old.claim is not None and old.claim != part.claim:
            self._claims.remove((dialect, old.claim))
        self._parts.put(part.topic, part)
        self._topics.add(thing, part.topic)
        for identifier in part.identifiers:
            self._identifiers.put((dialect, identifier), thing)
        if part.claim is not None:
            self._claims.put((dialect, part.claim), part.topic)
        self._undescribed.put(thing, True)

    def _stand(self, record: ThingRecord, description: Description) -> VirtualObject:
        td = complete(merge_patch({**description.td, "id": record.id}, record.patch))
        td["id"] = record.id
        made = compile_object(record, description, td)
        self._replace(record.id, made)
        return made

    def _replace(self, thing: str, made: VirtualObject | None) -> None:
        """Put a virtual object in the place of what was there, with its routes and its place in the index."""
        old = self.objects.get(thing)
        if old is not None and (made is None or made.description is not old.description):
            self._unroute(old)
        for quantity in _quantities(old) - _quantities(made):
            self.by_quantity.discard(quantity, thing)
        for quantity in _quantities(made) - _quantities(old):
            self.by_quantity.add(quantity, thing)
        if (old.place if old else "") != (made.place if made else ""):
            for whole in around(old.place) if old else []:
                self.by_place.discard(whole, thing)
            for whole in around(made.place) if made else []:
                self.by_place.add(whole, thing)
        if made is None:
            self.objects.remove(thing)
            return
        self.objects.put(thing, made)
        if old is None or made.description is not old.description:
            self._route(made)

    def _route(self, made: VirtualObject) -> None:
        if made.record.dialect == NATIVE:
            for topic, channel in _channels(made):
                self.routes.put(topic, Route(made.id, channel))
            return
        for topic in made.inlets:
            self.speakers.add(topic, made.id)

    def _unroute(self, old: VirtualObject) -> None:
        if old.record.dialect == NATIVE:
            for topic, _ in _channels(old):
                self.routes.remove(topic)
            return
        for topic in old.inlets:
            self.speakers.discard(topic, old.id)

    def _restore(self) -> None:
        """Describe everything anew from the announcements that stand."""
        for announced in list(self._announced.committed.values()):
            dialect = self.dialects.get(announced.dialect)
            heard = dialect.hear(announced.topic, announced.payload) if dialect is not None else None
            if dialect is not None and isinstance(heard, Part):
                self._adopt(dialect.name, announced.thing, heard)
        self.describe(0)


def _channels(made: VirtualObject) -> list[tuple[str, str]]:
    name = made.record.name
    return [
        (topics.properties(name), "properties"),
        (topics.status(name), "status"),
        (topics.results(name), "results"),
        *((topics.event(name, event), f"events/{event}") for event in made.events),
    ]


def _quantities(made: VirtualObject | None) -> set[str]:
    if made is None:
        return set()
    had = {p.quantity for p in made.properties.values()}
    affected = {p.affects.quantity for p in made.properties.values() if p.affects is not None}
    affected |= {a.affects.quantity for a in made.actions.values() if a.affects is not None}
    return {quantity for quantity in had | affected if quantity is not None}


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")[:64] or "thing"


def _layered(below: Any, above: Any) -> Any:
    """Two merge patches as one: nulls stay, for they remove what lies below both."""
    if not isinstance(above, Mapping) or not isinstance(below, Mapping):
        return above
    return {**below, **{key: _layered(below.get(key), value) for key, value in above.items()}}
