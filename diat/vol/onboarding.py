"""How a thing gets in: announcements heard, taken or refused, and always answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from diat.kernel.clock import Clock
from diat.kernel.errors import InvalidDocument
from diat.vol.announcements import Announced
from diat.vol.diagnostics import STRANGERS, Diagnostics
from diat.vol.dialects.directory import DIRECTORY
from diat.vol.dialects.port import Dialect, Outgoing, Part, Refusal, Withdrawal
from diat.vol.entries import Entries, said_otherwise, valid
from diat.vol.interaction import Interaction
from diat.vol.observers import Observers
from diat.vol.registry import Registry
from diat.vol.thing import VirtualObject
from diat.wire import topics
from diat.wire.envelope import Message, encode
from diat.wot.frozen import too_deep
from diat.wot.td import Json, complete, merge_patch


class Onboarding:
    """Takes announcements in and answers them; used by the writer alone."""

    def __init__(
        self,
        registry: Registry,
        interaction: Interaction,
        observers: Observers,
        diagnostics: Diagnostics,
        entries: Entries,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._interaction = interaction
        self._observers = observers
        self._diagnostics = diagnostics
        self._entries = entries
        self._clock = clock
        self.on_answer: Callable[[str, str], None] = _nobody

    def announced(self, message: Message) -> bool:
        """Take the message if it is an announcement; whether it was one."""
        if message.retained and self._kept_copy(message):
            return True
        heard = self._registry.announcements.hear(message.topic, message.payload)
        if heard is None:
            return False
        dialect, said = heard
        if isinstance(said, tuple):
            self._bundle(dialect, said, message)
        elif isinstance(said, Withdrawal):
            for topic in [said.topic, *self._registry.announcements.bundle(said.topic)]:
                self._withdraw(topic, message.received)
        elif isinstance(said, Refusal):
            self._refuse(message.topic, said, message.received)
        elif said is not None:
            self._take(dialect, said, message.payload, message)
        return True

    def _kept_copy(self, message: Message) -> bool:
        """Answer a copy of what stands already, as a broker sends it of every thing at each start.

        Reading thousands of them anew would take longer than all else that a start does.
        """
        thing = self._registry.announcements.standing(message.topic, message.payload)
        if thing is None:
            return False
        known = self._registry.seen(thing)
        if known is not None and not self._registry.outdated(thing):
            self._answer(known)
        return True

    def _bundle(self, dialect: Dialect, said: tuple[Part | Refusal, ...], message: Message) -> None:
        """Take all things that one message announces; what it announced before and does not now is gone."""
        named = {part.topic for part in said if isinstance(part, Part)}
        for topic in self._registry.announcements.bundle(message.topic):
            if topic not in named:
                self._withdraw(topic, message.received)
        self._registry.announcements.dig_up(message.topic, named)
        for each in said:
            if isinstance(each, Refusal):
                self._refuse(message.topic, each, message.received)
            else:
                self._take(dialect, each, each.payload or message.payload, message)

    def _take(self, dialect: Dialect, part: Part, payload: bytes, message: Message) -> None:
        now, live = message.received, not message.retained
        taken = self._registry.announce(dialect, part, payload, now, live=live)
        if isinstance(taken, Refusal):
            self._refuse(part.topic, taken, now)
        elif taken is not None and not self._registry.waiting:
            known = self._registry.seen(taken)
            if known is not None:
                self._answer(known)

    def _withdraw(self, topic: str, now: int) -> None:
        gone = self._registry.withdraw(topic, now)
        if gone is not None:
            self._observers.changed(gone)

    def described(self, made: VirtualObject, now: int) -> None:
        """A thing stands anew: note what of it was not understood, and answer it."""
        standing = self._registry.objects.committed.get(made.id)
        before = standing.notes if standing is not None else ()
        self._diagnostics.describe(made.id, before, made.notes, now)
        self._answer(made)

    def native_thing(self, name: str) -> str | None:
        """The id of the native thing whose topics bear this name."""
        route = self._registry.routes.get(topics.properties(name))
        return route.thing if route is not None else None

    # --- what people do ---

    def admit(self, thing: str, admission: str, reason: str) -> VirtualObject:
        """Accept or reject a thing, as a person decided.

        Raises:
            NotFound: there is no such thing.
        """
        made = self._registry.admit(thing, admission, reason, self._clock())
        self._answer(made)
        self._observers.changed(thing)
        return made

    def patch(self, thing: str, patch: Mapping[str, Any]) -> None:
        """Lay what a person says over a thing's description; an entry of the directory is itself changed.

        Raises:
            NotFound: there is no such thing.
            InvalidDocument: the description would no longer be one.
        """
        known = self._registry.get(thing)
        if too_deep(patch):
            raise InvalidDocument(("", "the patch is nested too deeply"))
        if patch.get("id", thing) != thing:
            raise InvalidDocument(("id", "the id of a thing cannot be changed"))
        if known.record.dialect == DIRECTORY:
            self._entries.put(thing, merge_patch(self._entries.brought(thing), patch))
            return
        valid(complete(merge_patch(known.td, patch)), self._clock())
        self._lay(thing, patch, anew=False)

    def put(self, thing: str, td: Json) -> bool:
        """Keep a description that a client brings; whether a thing came into being by it.

        Of an entry of the directory it takes the place. A thing that announces itself, or a composite, goes
        on doing so: what the client says otherwise is laid over that, in the place of earlier patches.

        Raises:
            InvalidDocument: it is no Thing Description of this thing.
            Conflict: the id belongs to a thing that announces itself but could not be described yet.
        """
        known = self._registry.seen(thing)
        if known is None or known.record.dialect == DIRECTORY:
            self._entries.put(thing, td)
            return known is None
        own = complete({**known.description.td, "id": thing})
        patch = said_otherwise(own, td)
        valid(complete(merge_patch(own, patch)), self._clock())
        self._lay(thing, patch, anew=True)
        return False

    def expire(self, thing: str) -> None:
        """Take a thing out of service whose registration was not renewed in time."""
        self._diagnostics.note(thing, "its registration expired", self._clock())
        self.retire(thing)

    def _lay(self, thing: str, patch: Mapping[str, Any], *, anew: bool) -> None:
        made = self._registry.patch(thing, patch, self._clock(), anew=anew)
        for note in made.notes:
            self._diagnostics.note(thing, note, self._clock())
        self._observers.changed(thing)

    def retire(self, thing: str) -> None:
        """Take a thing out of service and clear its retained announcements, so that they cannot return.

        Raises:
            NotFound: there is no such thing.
        """
        self._registry.get(thing)
        cleared = self._registry.announcements.topics(thing)
        self._registry.retire(thing, self._clock())
        # What a bridge announces together with others is its own to clear.
        for topic in sorted(each for each in cleared if "#" not in each):
            self._interaction.publish(Outgoing(topic, b"", retain=True))
        for name in _answered(cleared):
            self._interaction.publish(Outgoing(topics.admission(name), b"", retain=True))
        self._observers.changed(thing)

    def bring_back(self, was: VirtualObject, stood: Iterable[Announced]) -> None:
        """Undo that a thing was retired: what it announced stands again, also at the broker.

        Raises:
            Conflict: it is there again, or something else took its place.
        """
        self._registry.bring_back(was, stood, self._clock())
        for announced in stood:
            if "#" not in announced.topic:
                self._interaction.publish(Outgoing(announced.topic, announced.payload, retain=True))
        self._observers.changed(was.id)

    # --- within ---

    def _refuse(self, topic: str, refusal: Refusal, now: int) -> None:
        """Tell the one who announced, and whoever holds what it claims."""
        for name in _answered([topic]):
            self._say(name, "rejected", refusal.reason)
        standing = self._registry.announcements.at(topic)
        holder = self._registry.announcements.at(refusal.holder) if refusal.holder else None
        owners = {each.thing for each in (standing, holder) if each is not None} or {STRANGERS}
        for owner in sorted(owners):
            line = f"announcement on {topic[:200]} rejected: {refusal.reason}"
            self._diagnostics.note(owner, line, now)

    def _answer(self, made: VirtualObject) -> None:
        for name in _answered(self._registry.announcements.topics(made.id)):
            self._say(name, made.record.admission, made.record.reason)

    def _say(self, name: str, state: str, reason: str) -> None:
        body = encode({"state": state, "reason": reason})
        self._interaction.publish(Outgoing(topics.admission(name), body, retain=True))
        self.on_answer(name, state)


def _nobody(name: str, state: str) -> None:
    """Stands in until somebody listens to how things are answered."""


def _answered(announced: Iterable[str]) -> list[str]:
    """The names of things that are told of their admission: those announced on ``wot/td/{thing}``."""
    names = [
        topic.removeprefix(topics.TD_PREFIX) for topic in announced if topic.startswith(topics.TD_PREFIX)
    ]
    return [name for name in names if topics.is_name(name)]
