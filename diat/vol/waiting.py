"""Messages of things that are not admitted, or not even announced yet: kept within bounds, applied later.

What a native thing said is kept in the database, for it will not say it again. Of any other topic only the
last message is kept, in memory: a state may come before the announcement that says what it means, and what
the broker has retained it sends once, whoever comes to read the topic later.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from msgspec import Struct

from diat.kernel.overlay import Ledger, Overlay
from diat.vol.diagnostics import STRANGERS
from diat.vol.intake import Intake
from diat.wire import topics
from diat.wire.envelope import Message

HELD_EACH = 1000
"""Messages held for one thing that is not admitted yet."""
HELD_HEAVY = 8
"""Messages held for one thing when a large one comes."""
HELD_LIGHT = 1024
"""Bytes up to which a message is not large."""
HELD_THINGS = 200
"""Things for which messages are held."""
LAST_WORDS = 32 * 1024 * 1024
"""Bytes in memory for the last messages of topics; those longest silent give way."""
LAST_WORD = 4 * 1024
"""Bytes of a message up to which it is kept."""
_OVERHEAD = 300
"""Bytes that it takes to keep a message, besides its topic and payload."""


class Held(Struct, frozen=True):
    """A message of a native thing that is not admitted yet."""

    thing: str
    topic: str
    payload: bytes
    received: int


class WaitingRoom:
    """Holds messages until somebody can take them; used by the writer alone."""

    def __init__(self, ledger: Ledger, intake: Intake, held: Iterable[tuple[int, Held]] = ()) -> None:
        self._intake = intake
        self._held: Overlay[int, Held] = ledger.overlay("held", held)
        self._waiting: Overlay[str, tuple[int, ...]] = ledger.overlay()
        for at, each in sorted(self._held.committed.items()):
            self._waiting.committed[each.thing] = (*self._waiting.committed.get(each.thing, ()), at)
        self._last: OrderedDict[str, Message] = OrderedDict()
        self._size = 0

    def hold(self, thing: str, message: Message) -> None:
        """Keep a message of a native thing that is not admitted, within bounds."""
        if message.retained and not message.payload:
            return
        waiting = self._waiting.get(thing) or ()
        full = len(self._waiting.committed) + len(self._waiting.changes) >= HELD_THINGS and not waiting
        if full or len(message.payload) > topics.NATIVE_LIMIT:
            self._intake.reject(
                STRANGERS, f"{thing}: its messages are not held: not announced", message.received
            )
            return
        heavy = len(message.payload) > HELD_LIGHT and len(waiting) >= HELD_HEAVY
        if heavy or len(waiting) >= HELD_EACH:
            self._held.remove(waiting[0])
            waiting = waiting[1:]
            self._intake.reject(
                STRANGERS,
                f"{thing}: not announced; held messages were dropped, oldest first",
                message.received,
            )
        at = self._intake.arrival()
        self._held.put(at, Held(thing, message.topic, message.payload, message.received))
        self._waiting.put(thing, (*waiting, at))

    def released(self, thing: str) -> list[Message]:
        """Hand over, and forget, what was held for a native thing."""
        waiting = self._waiting.get(thing)
        if not waiting:
            return []
        self._waiting.remove(thing)
        found = []
        for at in waiting:
            held = self._held.get(at)
            self._held.remove(at)
            if held is not None:
                found.append(Message(held.topic, held.payload, held.received))
        return found

    def leave(self, message: Message) -> None:
        """Keep the last message of a topic that nobody reads yet; an empty one leaves nothing."""
        known = self._last.pop(message.topic, None)
        if known is not None:
            self._size -= _size(known)
        if not 0 < len(message.payload) <= LAST_WORD:
            return
        self._last[message.topic] = message
        self._size += _size(message)
        while self._size > LAST_WORDS:
            _, oldest = self._last.popitem(last=False)
            self._size -= _size(oldest)

    def remember(self, message: Message) -> None:
        """Keep the last message of a topic that is read: to a later reader it says what was last so."""
        self.leave(Message(message.topic, message.payload, message.received, True))

    def taken(self, topics: Iterable[str]) -> None:
        """What was left on these topics has been taken: from here on it says what was last so."""
        for topic in topics:
            message = self._last.get(topic)
            if message is not None and not message.retained:
                self._last[topic] = Message(topic, message.payload, message.received, True)

    def left(self, topics: Iterable[str]) -> list[Message]:
        """The last messages of these topics, oldest first."""
        found = [message for topic in topics if (message := self._last.get(topic)) is not None]
        return sorted(found, key=lambda message: message.received)


def _size(message: Message) -> int:
    return _OVERHEAD + len(message.topic) + len(message.payload)
