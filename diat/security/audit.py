"""The audit: who did what, and what was decided; each entry linked to the one before it.

The link of an entry is the SHA-256 of the link before it and of the entry's body, so whoever changes,
removes, inserts or moves an entry breaks every link from there on. That the last ones were not cut off is
told by the *head*, the number and link of the last entry, which is kept elsewhere too (``on_head``).

What a change did is written in the transaction of the change itself. What changes nothing (a denied request,
a read that a policy wants logged) is told from any thread and written soon after; of what comes faster than
that the number is written.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct

from diat.kernel.clock import Clock
from diat.kernel.overlay import Ledger, Log

FIRST = "0" * 64
"""What stands before the first entry."""
WAITING = 1000
"""Entries that wait to be written at most."""
Outcome = Literal["done", "permitted", "denied", "noted"]
"""A change was made; something was handed out; something was refused; something that nobody asked for."""
Row = tuple[int, str, str]
"""Number, body as JSON, link."""

_encode = msgspec.json.Encoder(order="deterministic").encode


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened.

    Attributes:
        at: Unix milliseconds.
        who: ``kind:name``.
        did: method and path of a request, or the operation and what it was done with.
        outcome: see ``Outcome``.
        why: which role or policy decided, for a person.
        policies: ids of the policies that decided.
        purpose: what it was said to be for.
        token: id of the token that it came with.
        times: how often; more than once where it came faster than it could be written.
    """

    at: int
    who: str
    did: str
    outcome: Outcome
    why: str = ""
    policies: tuple[str, ...] = ()
    purpose: str = ""
    token: str = ""
    times: int = 1


class Head(Struct, frozen=True):
    """Where the audit ends: number and link of its last entry."""

    no: int = 0
    link: str = FIRST


def link_of(before: str, body: str) -> str:
    """The link of an entry."""
    return hashlib.sha256(f"{before}\n{body}".encode()).hexdigest()


class Audit:
    """Writes the audit. Commits with the ledger (``diat.kernel.overlay.Part``).

    Attributes:
        head: the committed head.
        submit: runs a change in the writer; set before anything is told.
        on_next: told of the head, and of the one that a batch is about to have; may raise ``Unavailable``.
        on_head: told of each new head, once it is durable.
    """

    def __init__(self, ledger: Ledger, clock: Clock, head: Head | None = None) -> None:
        self._clock = clock
        self._rows: Log[Row] = ledger.log("audit")
        self._moved: Log[tuple[int]] = ledger.log("moved_audit")
        self.head = head or Head()
        self._next = self.head
        self._waiting: deque[Entry] = deque()
        self._missed = 0
        self._taken = (0, 0)
        self._asked = False
        self._lock = threading.Lock()
        self.submit: Callable[[Callable[[], None]], Any] = lambda _: None
        self.on_next: Callable[[Head, Head], None] = lambda _, __: None
        self.on_head: Callable[[Head], None] = lambda _: None
        ledger.join(self)
        ledger.announce = self._announce

    def note(self, who: str, did: str, outcome: Outcome, **more: Any) -> None:
        """Write an entry within the running batch; used by the writer alone."""
        self._write(Entry(at=self._clock(), who=who, did=did, outcome=outcome, **more))

    def tell(self, who: str, did: str, outcome: Outcome, **more: Any) -> None:
        """Have an entry written soon; any thread may ask, and never waits."""
        entry = Entry(at=self._clock(), who=who, did=did, outcome=outcome, **more)
        with self._lock:
            last = self._waiting[-1] if len(self._waiting) > self._taken[0] else None
            if last is not None and _alike(last, entry):
                self._waiting[-1] = msgspec.structs.replace(last, times=last.times + 1)
                return
            if len(self._waiting) >= WAITING:
                self._missed += 1
                return
            self._waiting.append(entry)
            first, self._asked = not self._asked, True
        if first:
            self.submit(self._take)

    def forget(self, upto: int) -> None:
        """Take entries up to a number out of the table; they are kept elsewhere. Used by the writer alone."""
        self._moved.append((upto,))

    def _announce(self) -> None:
        if self._next is not self.head:
            self.on_next(self.head, self._next)

    def commit(self) -> None:
        """It is durable."""
        if any(self._taken):
            with self._lock:
                for _ in range(self._taken[0]):
                    self._waiting.popleft()
                self._missed -= self._taken[1]
                self._taken = (0, 0)
        if self._next is not self.head:
            self.head = self._next
            self.on_head(self.head)

    def rollback(self) -> None:
        """It never happened; what waited still does."""
        self._taken = (0, 0)
        self._next = self.head

    def _take(self) -> None:
        with self._lock:
            waiting, missed = list(self._waiting), self._missed
            self._taken, self._asked = (len(waiting), missed), False
        for entry in waiting:
            self._write(entry)
        if missed:
            did = "more came than could be written"
            self._write(Entry(at=self._clock(), who="daemon:", did=did, outcome="noted", times=missed))

    def _write(self, entry: Entry) -> None:
        no = self._next.no + 1
        body = body_of(no, entry)
        self._next = Head(no, link_of(self._next.link, body))
        self._rows.append((no, body, self._next.link))


def body_of(no: int, entry: Entry) -> str:
    """An entry as it is linked: JSON, its members in order."""
    return _encode({"no": no, **msgspec.to_builtins(entry)}).decode()


def faults(rows: Iterable[Row], start: Head, head: Head | None) -> Iterator[str]:
    """What is wrong with an audit, for a person; nothing if it is as it was written.

    Args:
        rows: all entries from behind ``start`` on, as they are kept.
        start: what the first of them follows.
        head: where it must end; None if nobody knows.
    """
    last = start
    for no, body, link in rows:
        if no != last.no + 1:
            yield f"entry {last.no + 1} is not there: {no} follows {last.no}"
        elif link != link_of(last.link, body) or _number(body) != no:
            yield f"entry {no} is not as it was written, or not what followed {last.no}"
        last = Head(no, link)
    if head is not None and last != head:
        if last.no < head.no:
            yield f"the entries from {last.no + 1} to {head.no} were cut off"
        elif last.no > head.no:
            yield f"the entries from {head.no + 1} to {last.no} came behind the head that is kept"
        else:
            yield f"the last entry, {last.no}, is not the one of the head that is kept"


def _alike(one: Entry, other: Entry) -> bool:
    return msgspec.structs.replace(one, at=0, times=1) == msgspec.structs.replace(other, at=0)


def _number(body: str) -> Any:
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    return found.get("no") if isinstance(found, dict) else None
