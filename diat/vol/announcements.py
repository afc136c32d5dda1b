"""What stands announced: which announcement is part of which thing, who claims what, and what was buried.

A physical thing is known by its identifiers. Those that name hardware whatever the dialect (``ieee:…``,
``mac:…``) bring the announcements of all dialects together; others count within their dialect.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import msgspec
from msgspec import Struct

from diat.kernel.errors import Conflict
from diat.kernel.overlay import Index, Ledger, Overlay
from diat.vol.dialects.directory import ENTRY
from diat.vol.dialects.port import Dialect, Heard, Part
from diat.wire import topics

NATIVE = "native"
_HARDWARE = ("ieee:", "mac:")
"""How identifiers begin that mean the same in every dialect."""


class Announced(Struct, frozen=True, kw_only=True):
    """An announcement that stands: what was published on its topic, and the thing that it is part of.

    Attributes:
        since: when something first stood announced there, Unix milliseconds.
        received: when it was last heard from whoever announces, copies that a broker had kept left out.
    """

    topic: str
    thing: str
    dialect: str
    payload: bytes
    since: int
    received: int


class Named(Struct, frozen=True):
    """What an announcement names: the physical thing, and what only one announcement may claim."""

    identifiers: tuple[str, ...]
    claim: str | None


class Buried(Struct, frozen=True):
    """A topic whose announcement a person took out of service: a retained copy does not bring it back."""

    thing: str
    at: int


class Announcements:
    """All announcements that stand; changed by the writer alone."""

    def __init__(
        self,
        ledger: Ledger,
        dialects: Iterable[Dialect],
        announced: Iterable[Announced] = (),
        buried: Iterable[tuple[str, Buried]] = (),
    ) -> None:
        self._dialects = {dialect.name: dialect for dialect in dialects}
        self._announced: Overlay[str, Announced] = ledger.overlay(
            "announcements", ((a.topic, a) for a in announced)
        )
        self._buried: Overlay[str, Buried] = ledger.overlay("buried", buried)
        self._named: Overlay[str, Named] = ledger.overlay()
        # What was said is needed while its thing is described, and read anew when it is described again: kept
        # for good, it would take as much memory as all the rest of a thing.
        self._parts: Overlay[str, Part] = ledger.overlay(wanted=lambda _: False)
        self._topics: Index[str] = ledger.index()
        self._bundles: Index[str] = ledger.index()
        self._owners: Overlay[tuple[str, str], str] = ledger.overlay()
        self._claims: Overlay[tuple[str, str], str] = ledger.overlay()

    def restore(self) -> Iterator[str]:
        """Read the kept announcements anew: thing by thing, to be described while its parts are at hand."""
        for thing, announced_on in self._by_thing().items():
            for topic in announced_on:
                announced = self._announced.committed[topic]
                part = self._part(announced)
                if part is not None:
                    self._note(announced, part)
            yield thing
            self._parts.rollback()

    def _by_thing(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for announced in self._announced.committed.values():
            found.setdefault(announced.thing, []).append(announced.topic)
        return found

    # --- asked ---

    def hear(self, topic: str, payload: bytes) -> tuple[Dialect, Heard] | None:
        """Let the dialects read an announcement; None if it is none."""
        for dialect in self._dialects.values():
            heard = dialect.hear(topic, payload)
            if heard is not None:
                return dialect, heard
        return None

    def standing(self, topic: str, payload: bytes) -> str | None:
        """The thing that exactly this announcement stands for; None if something else, or nothing, does."""
        known = self._announced.get(topic)
        if known is None or known.payload != payload or self._named.get(topic) is None:
            return None
        return known.thing

    def at(self, topic: str) -> Announced | None:
        """What stands announced on a topic."""
        return self._announced.get(topic)

    def standing_at(self, topic: str) -> Announced | None:
        """What stands announced on a topic, committed; any thread may ask."""
        return self._announced.committed.get(topic)

    def bundle(self, topic: str) -> list[str]:
        """The topics of the parts that one message on this topic announced together."""
        return self._bundles.members(topic)

    def native_name(self, thing: str) -> str:
        """What a thing is called in the topics of native things; empty if it is none."""
        for topic in self._topics.members(thing):
            announced = self._announced.get(topic)
            if announced is not None and announced.dialect == NATIVE:
                return topic.removeprefix(topics.TD_PREFIX)
        return ""

    def topics(self, thing: str) -> list[str]:
        """The topics of the announcements that a thing is made of."""
        return self._topics.members(thing)

    def committed(self, thing: str) -> list[Announced]:
        """The announcements that a thing is made of, committed, by topic; any thread may ask."""
        known = [
            self._announced.committed.get(topic) for topic in self._topics.committed.get(thing, {}).copy()
        ]
        return sorted((each for each in known if each is not None), key=lambda each: each.topic)

    def parts(self, thing: str) -> dict[Dialect, list[Part]]:
        """What a thing is made of, by dialect, the dialect first that announced it first."""
        standing = [a for topic in self._topics.members(thing) if (a := self._announced.get(topic))]
        found: dict[Dialect, list[Part]] = {}
        for announced in sorted(standing, key=lambda a: a.topic):
            part = self._part(announced)
            if part is not None:
                found.setdefault(self._dialects[announced.dialect], []).append(part)
        first = {
            name: min(a.since for a in standing if a.dialect == name)
            for name in {a.dialect for a in standing}
        }
        return dict(sorted(found.items(), key=lambda each: (first[each[0].name], each[0].name)))

    def owner(self, dialect: str, part: Part) -> str | None:
        """The thing that a part belongs to by its identifiers; None if it belongs to none we know."""
        for identifier in part.identifiers:
            found = self._owners.get(_key(dialect, identifier))
            if found is not None:
                return found
        return None

    def claimant(self, dialect: str, part: Part) -> str | None:
        """The other topic that already claims what this part claims; None if there is none."""
        holder = self._claims.get((dialect, part.claim)) if part.claim is not None else None
        return holder if holder != part.topic else None

    def claim_on(self, topic: str) -> str | None:
        """What the announcement that stands on a topic claims."""
        named = self._named.get(topic)
        return named.claim if named is not None else None

    def buried(self, topic: str) -> bool:
        """Whether a person took what was announced there out of service."""
        return self._buried.get(topic) is not None

    # --- changed ---

    def dig_up(self, topic: str, but: Collection[str]) -> None:
        """Forget what was buried of a bundle and is no more announced in it: should it return, it is new."""
        for buried in [name for name, _ in self._buried.items() if name.startswith(f"{topic}#")]:
            if buried not in but:
                self._buried.remove(buried)

    def put(self, announced: Announced, part: Part) -> None:
        """Let an announcement stand in the place of what stood on its topic."""
        known = self._announced.get(announced.topic)
        if known is not None:
            self.take_down(announced.topic)
        self._announced.put(announced.topic, announced)
        self._buried.remove(announced.topic)
        self._note(announced, part)

    def take_down(self, topic: str) -> str | None:
        """Let it stand no more; the thing that it was part of, None if nothing stood there."""
        known = self._announced.get(topic)
        if known is None:
            return None
        named = self._named.get(topic)
        self._announced.remove(topic)
        self._named.remove(topic)
        self._parts.remove(topic)
        self._topics.discard(known.thing, topic)
        self._bundles.discard(topic.partition("#")[0], topic)
        if named is not None:
            if named.claim is not None:
                self._claims.remove((known.dialect, named.claim))
            rest = self._keys(known.thing)
            for identifier in named.identifiers:
                if (key := _key(known.dialect, identifier)) not in rest:
                    self._owners.remove(key)
        return known.thing

    def heard(self, topic: str, now: int) -> None:
        """What stands on a topic was announced once more."""
        known = self._announced.get(topic)
        if known is not None:
            self._announced.put(topic, msgspec.structs.replace(known, received=now))

    def bury(self, topic: str, now: int) -> None:
        """Take it down for good: only a live announcement, not a retained copy, stands there again."""
        thing = self.take_down(topic)
        # Of an entry of the directory no broker keeps a copy.
        if thing is not None and not topic.startswith(ENTRY):
            self._buried.put(topic, Buried(thing, now))

    def raise_again(self, announced: Announced) -> None:
        """Let what was buried stand again as it stood.

        Raises:
            Conflict: something else stands there, or claims the same.
        """
        part = self._part(announced)
        if part is None or self._announced.get(announced.topic) is not None:
            raise Conflict(f"{announced.topic} is something else by now")
        holder = self.claimant(announced.dialect, part) or self.owner(announced.dialect, part)
        if holder is not None and holder != announced.thing:
            raise Conflict(f"{holder} is what it was by now")
        self.put(announced, part)

    def move(self, topic: str, thing: str) -> None:
        """Make an announcement part of another thing."""
        known = self._announced.get(topic)
        part = self._part(known) if known is not None else None
        if known is not None and part is not None:
            self.put(msgspec.structs.replace(known, thing=thing), part)

    def _part(self, announced: Announced) -> Part | None:
        """What an announcement says; None if that is not understood."""
        fresh = self._parts.get(announced.topic)
        if fresh is not None:
            return fresh
        dialect = self._dialects.get(announced.dialect)
        heard = dialect.hear(announced.topic, announced.payload) if dialect is not None else None
        return heard if isinstance(heard, Part) else None

    def _keys(self, thing: str) -> set[tuple[str, str]]:
        """By what the announcements of a thing name it."""
        return {
            _key(announced.dialect, identifier)
            for topic in self._topics.members(thing)
            if (announced := self._announced.get(topic)) and (named := self._named.get(topic))
            for identifier in named.identifiers
        }

    def _note(self, announced: Announced, part: Part) -> None:
        self._parts.put(announced.topic, part)
        self._named.put(announced.topic, Named(part.identifiers, part.claim))
        self._topics.add(announced.thing, announced.topic)
        if "#" in announced.topic[1:]:
            self._bundles.add(announced.topic.partition("#")[0], announced.topic)
        for identifier in part.identifiers:
            self._owners.put(_key(announced.dialect, identifier), announced.thing)
        if part.claim is not None:
            self._claims.put((announced.dialect, part.claim), announced.topic)


def _key(dialect: str, identifier: str) -> tuple[str, str]:
    return ("", identifier) if identifier.startswith(_HARDWARE) else (dialect, identifier)
