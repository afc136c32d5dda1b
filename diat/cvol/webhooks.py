"""Calls to web hooks: kept with the batch that decided on them, sent by an adapter, forgotten once answered.

Each call has an id of its own, which goes along as ``Idempotency-Key``: who is called may be called twice
(a crash between the answer and our noting it) and can tell. What nobody answers is tried again, less and less
often, and given up after ``LIFETIME``. A composite has at most ``MOST`` calls open; of more the oldest is
dropped. Whatever is given up or dropped is said and counted as a diagnostic.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from diat.cvol.composite import Composite
from diat.cvol.steps.effects import Webhook
from diat.kernel.clock import rfc3339
from diat.kernel.ids import NewId
from diat.kernel.overlay import Index, Ledger, Overlay
from diat.vol.diagnostics import STRANGERS, Diagnostics
from diat.vol.interaction import Delivery

LIFETIME = 86_400_000
"""Milliseconds after which a call is given up."""
MOST = 100
"""Open calls of one composite at most."""


class Call(Struct, frozen=True, kw_only=True):
    """A call that is to be made.

    Attributes:
        service: id of the composite that wants it.
        title: how that is called in front of people.
        body: what is sent, JSON.
        created: Unix milliseconds.
        tries: how often it was tried.
        next: not before this time, Unix milliseconds.
        delivery: what is promised; ``at-most-once`` is tried once and never again.
    """

    id: str
    service: str
    title: str
    thing: str = STRANGERS
    url: str
    body: dict[str, Any]
    created: int
    tries: int = 0
    next: int = 0
    delivery: Delivery = "exactly-once"

    @property
    def host(self) -> str:
        """Whom it goes to, for a person: the rest of an address may hold a secret."""
        return urlsplit(self.url).netloc.rpartition("@")[2]


class Webhooks:
    """The outbox of calls; changed by the writer alone, ``open`` may be read by any thread.

    Attributes:
        news: set when there may be something to send.
    """

    def __init__(
        self, ledger: Ledger, diagnostics: Diagnostics, new_id: NewId, calls: Iterable[Call] = ()
    ) -> None:
        self._diagnostics = diagnostics
        self._new_id = new_id
        calls = sorted(calls, key=lambda each: each.created)
        self._calls: Overlay[str, Call] = ledger.overlay("webhooks", ((each.id, each) for each in calls))
        self._of: Index[str] = ledger.index()
        for each in calls:
            self._of.add(each.service, each.id)
        self.news = threading.Event()
        self._asked = False
        ledger.join(self)

    def open(self) -> list[Call]:
        """The committed calls, oldest first."""
        return list(self._calls.committed.copy().values())

    def ask(self, composite: Composite, step: Webhook, value: Any, now: int) -> None:
        """A composite wants a call made."""
        body = {
            **step.body,
            "service": composite.id,
            "title": composite.title,
            "step": step.id,
            "value": value,
            "at": rfc3339(now),
        }
        self._put(
            Call(
                id=self._new_id(),
                service=composite.id,
                title=composite.title,
                thing=composite.thing or STRANGERS,
                url=step.url,
                body=body,
                created=now,
                next=now,
                delivery=composite.delivery,
            )
        )

    def owe(self, policy: str, url: str, body: dict[str, Any], now: int) -> None:
        """A policy obliges to a call."""
        owner = f"policy:{policy}"
        made = Call(id=self._new_id(), service=owner, title=owner, url=url, body=body, created=now, next=now)
        self._put(made)

    def _put(self, call: Call) -> None:
        while len(waiting := self._of.members(call.service)) >= MOST:
            oldest = self._calls.get(waiting[0])
            self._forget(call.service, waiting[0])
            if oldest is not None:
                self._note(oldest, "was dropped: too many wait", call.created)
        self._calls.put(call.id, call)
        self._of.add(call.service, call.id)
        self._asked = True

    def trying(self, reference: str) -> Call | None:
        """A call is about to be made; None if it must not be any more."""
        call = self._calls.get(reference)
        if call is None:
            return None
        if call.delivery == "at-most-once" and call.tries:
            return None
        tried = msgspec.structs.replace(call, tries=call.tries + 1)
        self._calls.put(reference, tried)
        return tried

    def answered(self, reference: str) -> None:
        """It was taken."""
        call = self._calls.get(reference)
        if call is not None:
            self._forget(call.service, reference)

    def unanswered(self, reference: str, why: str, again: int | None, now: int) -> None:
        """It was not taken.

        Args:
            reference: its id.
            why: for a person.
            again: milliseconds after which it may be tried again; None if that will not help.
            now: Unix milliseconds.
        """
        call = self._calls.get(reference)
        if call is None:
            return
        once = call.delivery == "at-most-once"
        if again is None or once or now + again > call.created + LIFETIME:
            self._forget(call.service, reference)
            self._note(call, f"was given up: {why}", now)
        else:
            self._calls.put(reference, msgspec.structs.replace(call, next=now + again))
            self._note(call, f"is tried again: {why}", now)

    def commit(self) -> None:
        """What was asked for is to be sent."""
        if self._asked:
            self._asked = False
            self.news.set()

    def rollback(self) -> None:
        """Nothing was asked for."""
        self._asked = False

    def _forget(self, service: str, reference: str) -> None:
        self._calls.remove(reference)
        self._of.discard(service, reference)

    def _note(self, call: Call, what: str, now: int) -> None:
        text = f"service {call.title!r}: the call to {call.host} {what}"
        self._diagnostics.note(call.thing, text, now)
