"""The registry: which virtual objects there are, and which topic belongs to which of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from diat.kernel.errors import Conflict, NotFound
from diat.kernel.overlay import Ledger, Overlay
from diat.vol.alike import alike
from diat.vol.announcements import Announced, Announcements
from diat.vol.dialects.directory import ENTRY
from diat.vol.dialects.meaning import corrected
from diat.vol.dialects.port import Description, Dialect, Part, Refusal
from diat.vol.leases import Leases
from diat.vol.lookups import Lookups
from diat.vol.merging import counterparts, merge, renamed
from diat.vol.thing import Admission, ThingRecord, VirtualObject, compile_object
from diat.wire import topics
from diat.wot.places import steps
from diat.wot.registration import expiry
from diat.wot.td import complete, merge_patch

HEARD_EVERY = 60_000
"""Milliseconds after which it is noted that an unchanged announcement was heard once more."""
ENTERED = "a client of the directory put it there"
OnChange = Callable[[VirtualObject | None, VirtualObject | None, int], None]


class Bounds(Protocol):
    """What announcements may bring about, where it is known who made them."""

    def over(self, registry: Registry) -> None:
        """Be told which things there are; called once, before anything else is asked."""

    def may_join(self, topic: str, others: Iterable[str]) -> bool:
        """Whether what is announced on a topic may become part of what others announce."""

    def claim(self, each: str, announced: Iterable[str], topics: Iterable[str]) -> None:
        """A thing is described: topics of it that are nobody's are its own from now on."""

    def may_hear(self, each: str, announced: Iterable[str], topic: str) -> bool:
        """Whether a thing may take what is said on a topic for its own."""

    def admission(self, topic: str, usual: Admission, said: Mapping[str, Any]) -> Admission:
        """What a thing is that announces itself for the first time on a topic, saying this of itself."""


class Unbounded:
    """Whoever announces may bring about anything: nobody is asked who it is."""

    def over(self, registry: Registry) -> None:
        """It does not matter."""

    def may_join(self, topic: str, others: Iterable[str]) -> bool:
        """Yes."""
        return True

    def claim(self, each: str, announced: Iterable[str], topics: Iterable[str]) -> None:
        """Nobody asks whose a topic is."""

    def may_hear(self, each: str, announced: Iterable[str], topic: str) -> bool:
        """Yes."""
        return True

    def admission(self, topic: str, usual: Admission, said: Mapping[str, Any]) -> Admission:
        """The usual."""
        return usual


FAR = 2**30
"""What numbers that are given beside adopted things differ by from theirs, so that none is taken twice."""


class Registry:
    """All virtual objects; changed by the writer alone, read by anybody through ``committed``.

    Attributes:
        objects: thing id to virtual object, retired ones left out.
        routes: topic of a native thing to that thing.
        speakers: topic of another dialect to the ids of the things that it says something of.
        by_quantity: quantity kind to the ids of things that have, or affect, that quantity.
        by_place: place to the ids of things that are there or in what lies inside.
        gateways: ids of things that speak for others.
        leases: whose registration ends when.
        admission: what a thing is that announces itself for the first time.
        bounds: what announcements may bring about.
        on_change: told of each thing that comes, goes or is described anew: what it was, what it is, when.
        gateway_of: the gateway that brings a thing, by the thing's id; None for none.
    """

    def __init__(
        self,
        ledger: Ledger,
        announcements: Announcements,
        records: Iterable[ThingRecord] = (),
        admission: Admission = "accepted",
        bounds: Bounds | None = None,
    ) -> None:
        self.announcements = announcements
        self.admission = admission
        self._records: Overlay[str, ThingRecord] = ledger.overlay("things", ((r.id, r) for r in records))
        self._undescribed: Overlay[str, bool] = ledger.overlay()
        self.objects: Overlay[str, VirtualObject] = ledger.overlay()
        self._lookups = Lookups(ledger)
        self.routes = self._lookups.routes
        self.speakers = self._lookups.speakers
        self.by_quantity = self._lookups.by_quantity
        self.by_place = self._lookups.by_place
        self.gateways = self._lookups.gateways
        self.leases = Leases(self._expires)
        for record in self._records.committed.values():
            if record.expires is not None:
                self.leases.note(record.id, record.expires)
        self.on_change: OnChange = _nobody_notes
        self.gateway_of: Callable[[str], str | None] = _nobody_brings
        self.bounds: Bounds = bounds or Unbounded()
        self.bounds.over(self)
        self._next_no = 1 + max((r.no for r in self._records.committed.values()), default=0)
        for thing in announcements.restore():
            self._describe(thing, 0)

    # --- reading ---

    def record(self, thing: str) -> ThingRecord | None:
        """The committed record of a thing, retired or not; any thread may ask."""
        return self._records.committed.get(thing)

    def users(self, topic: str) -> list[str]:
        """The things of other dialects that speak on a topic, and foreign ones that are driven by it."""
        return [*self.speakers.members(topic), *self._lookups.driven.members(topic)]

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

    def known(self, thing: str) -> VirtualObject:
        """The virtual object as the writer sees it.

        Raises:
            NotFound: there is none, or it is retired.
        """
        found = self.objects.get(thing)
        if found is None:
            raise NotFound(f"there is no thing {thing!r}")
        return found

    def stood(self, thing: str) -> bool:
        """Whether there was such a thing when the running batch began, described already or not."""
        record = self._records.committed.get(thing)
        return record is not None and not record.retired

    def some(self, things: Iterable[str]) -> list[VirtualObject]:
        """The committed virtual objects with these ids, those that are there; any thread may ask."""
        return [each for each in map(self.objects.committed.get, things) if each is not None]

    def everything(self) -> list[VirtualObject]:
        """All committed virtual objects by number; any thread may ask."""
        return sorted(self.objects.committed.values(), key=lambda each: each.record.no)

    def with_quantity(self, quantity: str, place: str = "") -> list[VirtualObject]:
        """Objects that have or affect a quantity, at a place or in it, by number, as the writer sees them."""
        return sorted(self.found(quantity, place), key=lambda each: each.record.no)

    def found(self, quantity: str, place: str) -> Iterator[VirtualObject]:
        """The same in no order, one after the other: who has enough need not go on.

        The smaller of the two indices is walked.
        """
        where = steps(place)
        if where and self.by_place.size(where) < self.by_quantity.size(quantity):
            ids = (each for each in self.by_place.members(where) if self.by_quantity.holds(quantity, each))
        else:
            ids = (
                each
                for each in self.by_quantity.members(quantity)
                if not where or self.by_place.holds(where, each)
            )
        yield from (each for each in map(self.objects.get, ids) if each is not None)

    # --- hearing ---

    def announce(
        self, dialect: Dialect, part: Part, payload: bytes, now: int, *, live: bool = True
    ) -> str | Refusal | None:
        """Take an announcement in; the id of its thing, why not, or None if it counts for nothing.

        A thing made of several parts is described when ``describe`` is next called.

        Args:
            dialect: who read it.
            part: what it says.
            payload: what was published, to be read anew at the next start.
            now: Unix milliseconds.
            live: whether it was published just now; False for a copy that the broker had retained.
        """
        known = self.announcements.at(part.topic)
        if known is not None and known.payload == payload:
            if live and now - known.received >= HEARD_EVERY:
                self.announcements.heard(part.topic, now)
            if live and self.objects.get(known.thing) is not None:
                self.renew(known.thing, now)
            return known.thing
        # One of several in a message comes live whenever any of the others changes.
        if self.announcements.buried(part.topic) and (not live or "#" in part.topic):
            return None
        holder = self.announcements.claimant(dialect.name, part)
        if holder is not None:
            return Refusal(f"{part.claim!r} is already claimed by {holder}", holder)
        thing = self._thing_of(dialect, part)
        if isinstance(thing, Refusal):
            return thing
        if known is not None and known.thing != thing:
            self.withdraw(part.topic, now)
        others = [each for each in self.announcements.topics(thing) if each != part.topic]
        if not self.bounds.may_join(part.topic, others):
            return Refusal("it names what others have announced with another credential", others[0])
        record = self._records.get(thing)
        if record is None:
            admission = self.bounds.admission(part.topic, self.admission, part.body)
            record = self._new(thing, dialect.name, part.identifiers[0], now, admission=admission)
        identifiers = tuple(dict.fromkeys((*record.identifiers, *part.identifiers)))
        self._put_record(record, now, identifiers=identifiers, retired=False)
        self.announcements.put(
            Announced(
                topic=part.topic,
                thing=thing,
                dialect=dialect.name,
                payload=payload,
                since=known.since if known is not None and known.thing == thing else now,
                received=now,
            ),
            part,
        )
        self._undescribed.put(thing, True)
        return thing

    def withdraw(self, topic: str, now: int) -> str | None:
        """Take an announcement back; the id of its thing, None if nothing was announced there."""
        thing = self.announcements.take_down(topic)
        if thing is None:
            return None
        if self.announcements.topics(thing):
            self._undescribed.put(thing, True)
        else:
            self.retire(thing, now)
        return thing

    def retire(self, thing: str, now: int) -> None:
        """Take a thing out of service; its number, patch and history wait for its return."""
        for topic in self.announcements.topics(thing):
            self.announcements.bury(topic, now)
        self._undescribed.remove(thing)
        record = self._records.get(thing)
        if record is not None:
            self._put_record(record, now, retired=True, renames={}, identifiers=(), expires=None)
        self._replace(thing, None, now)

    def bring_back(self, was: VirtualObject, stood: Iterable[Announced], now: int) -> None:
        """Undo that a thing was retired; it is described when ``describe`` is next called.

        Raises:
            Conflict: it is there again, or something else took its place.
        """
        if self.objects.get(was.id) is not None:
            raise Conflict("it is there again by itself")
        for announced in stood:
            self.announcements.raise_again(announced)
        known = self._records.get(was.id) or was.record
        before = {name: getattr(was.record, name) for name in ("renames", "identifiers", "expires")}
        self._put_record(known, now, retired=False, **before)
        self._undescribed.put(was.id, True)

    def replace_hardware(self, thing: str, other: str, now: int) -> VirtualObject:
        """Put the physical thing behind ``other`` behind ``thing``; what was behind it is buried.

        The object keeps its id, number, patch and so its history, services and policies; affordances that do
        the same keep their names (``merging.counterparts``).

        Raises:
            NotFound: there is no such thing.
        """
        kept, given = self.known(thing), self.known(other)
        for topic in self.announcements.topics(thing):
            self.announcements.bury(topic, now)
        for topic in self.announcements.topics(other):
            self.announcements.move(topic, thing)
        self._put_record(given.record, now, retired=True, renames={}, identifiers=())
        self._replace(other, None, now)
        renames = counterparts(kept.description.td, given.description.td)
        # What it is called and where it is belongs to the object, not to the hardware.
        own = {key: kept.td[key] for key in ("title", "diat:place") if key in kept.td}
        self._put_record(
            kept.record,
            now,
            identifiers=given.record.identifiers,
            dialect=given.record.dialect,
            renames=renames,
            patch={**own, **kept.record.patch},
        )
        self._undescribed.put(thing, True)
        self.describe(now)
        return self.known(thing)

    def describe(self, now: int) -> list[VirtualObject]:
        """Describe the things whose parts changed; those that now stand anew."""
        made = []
        for thing in [key for key, waits in self._undescribed.changes.items() if waits]:
            # Taken out, not marked: a batch asks after each of its messages what is waiting.
            del self._undescribed.changes[thing]
            if self._describe(thing, now) is not None:
                made.append(self.renew(thing, now))
        return made

    @property
    def waiting(self) -> bool:
        """Whether a thing waits to be described."""
        return any(self._undescribed.changes.values())

    def outdated(self, thing: str) -> bool:
        """Whether a thing was announced anew and is not described yet."""
        return self._undescribed.get(thing) is True

    # --- things without announcements ---

    def install(
        self, thing: str, dialect: str, name: str, description: Description, now: int
    ) -> VirtualObject:
        """Make or renew a thing that is not announced by anybody: a composite."""
        record = self._records.get(thing) or self._new(thing, dialect, name, now, admission="accepted")
        known = self.objects.get(thing)
        if known is None or known.description != description:
            record = self._put_record(record, now, retired=False)
        return self._stand(record, description, now)

    def adopt(self, made: VirtualObject, now: int) -> None:
        """Take a virtual object over from another registry: in a replay."""
        self._records.put(made.id, made.record)
        self._next_no = max(self._next_no, FAR + made.record.no)
        self._replace(made.id, made, now)

    # --- what people say ---

    def enter(self, dialect: Dialect, part: Part, payload: bytes, now: int) -> str:
        """Keep an entry of the directory, to be described by ``describe``; the id of its thing.

        What people said of an earlier one of that id is gone: the entry is what they say.

        Raises:
            Conflict: the id belongs to a thing that announces itself.
        """
        taken = self.announce(dialect, part, payload, now)
        if not isinstance(taken, str):
            raise Conflict(taken.reason if taken is not None else "it counts for nothing")
        record = self._records.get(taken)
        if record is not None:
            decided = {"admission": "accepted", "reason": ENTERED, "decided_by": "person"}
            self._put_record(record, now, patch={}, renames={}, **decided)
        self._undescribed.put(taken, True)
        return taken

    def patch(self, thing: str, patch: Mapping[str, Any], now: int, *, anew: bool = False) -> VirtualObject:
        """Lay a merge patch over the description, on top of earlier ones or, ``anew``, in their place.

        Raises:
            NotFound: there is no such thing.
        """
        known = self.known(thing)
        record = known.record
        laid = dict(patch) if anew else _layered(record.patch, patch)
        touched = dict.fromkeys({*patch, *(record.patch if anew else ())}, now)
        record = self._put_record(record, now, patch=laid, edited={**record.edited, **touched})
        self._stand(record, known.description, now)
        return self.renew(thing, now)

    def edited(self, thing: str, times: Mapping[str, int]) -> None:
        """Note when people elsewhere said what was just laid over a description."""
        made = self.known(thing)
        record = msgspec.structs.replace(made.record, edited={**made.record.edited, **times})
        self._records.put(thing, record)
        self._stand(record, made.description, record.modified)

    def overruled(self, thing: str, times: Mapping[str, int], now: int) -> list[str]:
        """Drop what people said here of a thing, where others said something below since; what that was."""
        record = self._records.get(thing)
        if record is None:
            return []
        older = [key for key in record.patch if times.get(key, 0) > record.edited.get(key, 0)]
        if older:
            patch = {key: value for key, value in record.patch.items() if key not in older}
            kept = {key: at for key, at in record.edited.items() if key not in older}
            self._put_record(record, now, patch=patch, edited=kept)
            self._undescribed.put(thing, True)
        return older

    def renew(self, thing: str, now: int) -> VirtualObject:
        """Let the registration of a thing begin anew, if it is one that ends.

        Raises:
            NotFound: there is no such thing.
        """
        known = self.known(thing)
        # A composite lives as long as its service does.
        end = expiry(known.td, now) if known.record.dialect != "composite" else None
        if end == known.record.expires:
            return known
        record = self._put_record(known.record, now, expires=end)
        if end is not None:
            self.leases.note(thing, end)
        renewed = msgspec.structs.replace(known, record=record)
        self.objects.put(thing, renewed)
        return renewed

    def admit(self, thing: str, admission: str, reason: str, now: int) -> VirtualObject:
        """Accept or reject a thing.

        Raises:
            NotFound: there is no such thing.
        """
        known = self.known(thing)
        record = self._put_record(known.record, now, admission=admission, reason=reason, decided_by="person")
        return self._stand(record, known.description, now)

    # --- within ---

    def _expires(self, thing: str) -> int | None:
        record = self._records.get(thing)
        return record.expires if record is not None and not record.retired else None

    def _put_record(self, record: ThingRecord, now: int, **changes: Any) -> ThingRecord:
        changed: ThingRecord = msgspec.structs.replace(
            record, **changes, modified=now, revision=record.revision + 1
        )
        self._records.put(record.id, changed)
        return changed

    def _new(
        self, thing: str, dialect: str, name: str, now: int, *, admission: Admission | None = None
    ) -> ThingRecord:
        state = admission or self.admission
        self._next_no += 1
        return ThingRecord(
            no=self._next_no - 1,
            id=thing,
            name=name,
            dialect=dialect,
            admission=state,
            reason="its announcement is valid" if state == "accepted" else "a person has to accept it",
            created=now,
            modified=now,
        )

    def _thing_of(self, dialect: Dialect, part: Part) -> str | Refusal:
        if part.topic.startswith((topics.TD_PREFIX, ENTRY)) and part.claim is not None:
            return self._stated(part, part.claim)
        owner = self.announcements.owner(dialect.name, part)
        if owner is not None:
            return owner
        thing = f"urn:diat:{dialect.name}:{_slug(part.identifiers[0])}"
        known = self._records.get(thing)
        if known is not None and not known.retired and not set(known.identifiers) & set(part.identifiers):
            digest = hashlib.sha256("\n".join(part.identifiers).encode()).hexdigest()[:8]
            return f"{thing}-{digest}"
        return thing

    def _stated(self, part: Part, thing: str) -> str | Refusal:
        """Whose a description is that states its own id."""
        known = self.announcements.at(part.topic)
        if known is not None:
            claim = self.announcements.claim_on(part.topic)
            if claim != thing:
                return Refusal(f"{part.topic} already belongs to {claim}: withdraw that first", part.topic)
            return known.thing
        standing = self.announcements.topics(thing)
        if standing and part.topic not in standing:
            holder = "an entry of the directory" if standing[0].startswith(ENTRY) else standing[0]
            return Refusal(f"{thing!r} is already claimed by {holder}", standing[0])
        unannounced = self._records.get(thing)
        if not standing and unannounced is not None and not unannounced.retired:
            return Refusal(f"{thing!r} is already claimed by a {unannounced.dialect}")
        return thing

    def _describe(self, thing: str, now: int) -> VirtualObject | None:
        """Describe a thing from its parts; None if there are none, or nobody knows it any more."""
        record = self._records.get(thing)
        parts = self.announcements.parts(thing)
        if record is None or not parts:
            return None
        heard = [dialect for dialect in parts if dialect.whole][:1] or list(parts)
        described = [(dialect.name, dialect.describe(parts[dialect])) for dialect in heard]
        if described[0][0] != record.dialect:
            record = self._put_record(record, now, dialect=described[0][0])
        return self._stand(record, self._bounded(record, merge(described)), now)

    def _bounded(self, record: ThingRecord, description: Description) -> Description:
        """A description without what its announcers may not speak for."""
        announced = self.announcements.topics(record.id)
        told = (getattr(outlet, "topic", "") for outlet in description.outlets.values())
        self.bounds.claim(record.id, announced, (*(each.topic for each in description.inlets), *told))
        hears = self.bounds.may_hear
        heard = [each for each in description.inlets if hears(record.id, announced, each.topic)]
        if len(heard) < len(description.inlets):
            left = sorted({each.topic for each in description.inlets} - {each.topic for each in heard})
            note = f"topics of others are left out: {', '.join(left[:20])[:300]}"
            description = msgspec.structs.replace(
                description, inlets=tuple(heard), notes=(*description.notes, note)
            )
        return alike(renamed(description, record.renames))

    def _stand(self, record: ThingRecord, description: Description, now: int) -> VirtualObject:
        patched = merge_patch({**description.td, "id": record.id}, record.patch)
        td = complete(corrected(patched, record.patch))
        td["id"] = record.id
        wire = self.announcements.native_name(record.id) or description.wire
        made = compile_object(record, description, td, wire)
        self._replace(record.id, made, now)
        return made

    def _replace(self, thing: str, made: VirtualObject | None, now: int) -> None:
        """Put a virtual object in the place of what was there, with its routes and its place in the index."""
        old = self.objects.get(thing)
        self.on_change(old, made, now)
        self._lookups.replace(thing, old, made)
        if made is None:
            self.objects.remove(thing)
        else:
            self.objects.put(thing, made)


def _nobody_brings(thing: str) -> str | None:
    """Stands in until there are gateways."""
    return None


def _nobody_notes(old: VirtualObject | None, made: VirtualObject | None, now: int) -> None:
    """Stands in until somebody notes it."""


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")[:64] or "thing"


def _layered(below: Any, above: Any) -> Any:
    """Two merge patches as one: nulls stay, for they remove what lies below both."""
    if not isinstance(above, Mapping) or not isinstance(below, Mapping):
        return above
    return {**below, **{key: _layered(below.get(key), value) for key, value in above.items()}}
