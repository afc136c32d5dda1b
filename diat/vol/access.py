"""Who among the things gets in, and which topics it may use.

Brokers ask ``decide`` for every client that connects. What a credential may do follows from what its thing
announced; what it announced counts only within what the credential may do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from diat.kernel.clock import Clock
from diat.kernel.overlay import Ledger
from diat.security.credentials import OWN, Credential, Credentials
from diat.security.joining import JOIN, Joining
from diat.security.permissions import (
    Permissions,
    of_gateway,
    of_joining,
    of_native,
    together,
)
from diat.vol.dialects.port import Outgoing
from diat.vol.gateways import is_gateway
from diat.vol.rations import Rations
from diat.vol.thing import Admission, VirtualObject
from diat.vol.ties import Ties
from diat.wire import topics
from diat.wire.envelope import encode

AGAIN = 30_000
"""Milliseconds after which a credential that nobody came with is given once more."""
READ_WITHIN = 1_000
"""Milliseconds in which a broker that is not ours to ask has read what we wrote for it."""
MOST_JOINING = 1_000
"""Things of which it is remembered that they are in by the join key."""
PublishNow = Callable[[Outgoing], None]


class Entry(Struct, frozen=True):
    """A client that may come in.

    Attributes:
        name: of its credential; ``join`` while it has none.
        permissions: what it may do.
        newest: whether it came with the present password of its credential.
        certified: whether it may come in only where a certificate is asked for: a gateway.
    """

    name: str
    permissions: Permissions
    newest: bool = True
    certified: bool = False


class Access(Ties):
    """Decides on clients; ``decide`` and ``permissions`` may be called from any thread.

    Attributes:
        publish: sends a message once the batch is committed.
        on_issue: told of a thing (by name) that is given a credential since it joined.
        rations: how much each may send.
        on_other: told who may do something else than before, and so has to come in again.
        knows_who_joins: whether the broker tells who is in by the join key.
        brought: whether a thing of this name comes through a gateway.
        joined: things that are in by the join key just now, as brokers tell.
    """

    def __init__(
        self,
        ledger: Ledger,
        credentials: Credentials,
        joining: Joining,
        clock: Clock,
        owned: Iterable[tuple[str, str]] = (),
        *,
        asked: bool,
    ) -> None:
        """Access over the things of the registry that it is given to.

        Args:
            ledger: what it commits with.
            credentials: what they prove with who they are.
            joining: how they get in without.
            clock: answers with the time.
            owned: topics of foreign things, each with whose it is.
            asked: whether credentials are asked for at all.
        """
        super().__init__(ledger, credentials, owned, asked=asked)
        self.knows_who_joins = False
        self.joining = joining
        self.publish: PublishNow = _nowhere
        self.on_issue: Callable[[str], None] = _nobody_notes
        self._clock = clock
        self.rations = Rations(self.owner, self._speaks_for_many)
        self.brought: Callable[[str], bool] = _nobody_brings
        self.joined: dict[str, str] = {}
        self.on_other: Callable[[str], None] = _nobody
        self._granted: dict[str, Permissions] = {}
        self._answered: set[str] = set()
        self._to_tell: dict[str, tuple[int, str]] = {}

    def now(self) -> int:
        """The time, Unix milliseconds."""
        return self._clock()

    # --- asked by brokers, in any thread ---

    def decide(self, user: str, password: str, client: str) -> Entry | str:
        """Whether a client may come in; if not, why, for the log."""
        if user == JOIN:
            return self._joins(password, client)
        held = self.credentials.right(user, password)
        if held is None or held.kind == "key":
            return "name or password is wrong, or was revoked"
        if not self._owns(held, client):
            return f"the client id {client[:64]!r} is not that of {user}"
        if self._rejected(user):
            return f"{user} was rejected"
        if self.rations.held_out(user, self._clock()):
            return f"{user} has sent too much"
        self.joined.pop(user, None)
        permissions = self._granted[user] = self.permissions(held)
        newest = held.used or self.credentials.is_newest(user, password)
        return Entry(user, permissions, newest, certified=held.kind == "gateway")

    def allowed(self, user: str, client: str) -> Permissions:
        """What a client may do that was let in before, under this name."""
        if user == JOIN:
            return of_joining(client) if client in self.joined else Permissions()
        held = self.credentials.get(user)
        if held is None or held.kind == "key" or not self._owns(held, client) or self._rejected(user):
            return Permissions()
        return self.permissions(held)

    def permissions(self, held: Credential) -> Permissions:
        """What a credential may do."""
        if held.kind not in ("thing", "gateway"):
            return held.scope
        announced = self._announced(held.name)
        own = held.scope if held.kind == "gateway" else self._foreign(announced)
        if announced is not None and announced.taking_part and is_gateway(announced.td):
            own = together(own, of_gateway(held.name))
        return together(of_native(held.name), own)

    def _joins(self, password: str, client: str) -> Entry | str:
        if not topics.is_name(client) or client in OWN:
            return f"the client id {client[:64]!r} is no name of a thing"
        if self.rations.held_out(client, self._clock()):
            return f"{client} has sent too much"
        welcome = self.joining.welcome(password, self._clock())
        if welcome is None:
            return "the join key is wrong"
        held = self.credentials.get(client)
        if self.credentials.barred(client) or (held is not None and held.used) or self._is_clients(client):
            return f"{client} has, or had, a credential of its own"
        self.joined[client] = welcome
        while len(self.joined) > MOST_JOINING:
            self.joined.pop(next(iter(self.joined)), None)
        return Entry(JOIN, of_joining(client))

    def _owns(self, held: Credential, client: str) -> bool:
        if held.kind != "bridge":
            return client == held.name
        if client == held.name or client in held.clients:
            return True
        free = self.credentials.get(client) is None and not self._is_clients(client)
        return free and 0 < len(client) <= 64 and client not in OWN and not client.startswith("diat-")

    def _speaks_for_many(self, name: str) -> bool:
        held = self.credentials.get(name)
        if held is None or held.kind != "thing":
            return held is not None
        announced = self._announced(name)
        return announced is not None and announced.taking_part and is_gateway(announced.td)

    def _is_clients(self, client: str) -> bool:
        return any(client in each.clients for each in self.credentials.holding("bridge"))

    def _rejected(self, name: str) -> bool:
        announced = self._registry.announcements.standing_at(topics.announcement(name))
        record = self._registry.record(announced.thing) if announced is not None else None
        return record is not None and record.admission == "rejected"

    def _announced(self, name: str) -> VirtualObject | None:
        """The thing that is announced under a name."""
        announced = self._registry.announcements.standing_at(topics.announcement(name))
        return self._registry.objects.committed.get(announced.thing) if announced is not None else None

    def _foreign(self, each: VirtualObject | None) -> Permissions:
        """What the forms of a foreign thing ask for, as far as nobody else's topics are touched."""
        if each is None or each.wire or not each.taking_part:
            return Permissions()
        return self.given(each)

    def left(self, name: str, client: str) -> None:
        """Somebody who was let in is gone."""
        if name == JOIN:
            self.joined.pop(client, None)
        else:
            self._granted.pop(name, None)

    # --- asked within the writer: what announcements may bring about ---

    def admission(self, topic: str, usual: Admission, said: Mapping[str, Any]) -> Admission:
        """What a thing is that announces itself for the first time on a topic."""
        if not self.asked or not topic.startswith(topics.TD_PREFIX):
            return usual
        name = self.owner(topic)
        if self.brought(name):
            return usual
        if is_gateway(said):
            # It will speak for others: that is for a person to say.
            return "pending"
        # Of a broker that does not tell who joins, the window says it for all that have no credential.
        welcome = self.joined.get(name)
        if welcome is None and self.credentials.seen(name) is None:
            welcome = "accepted" if self.joining.is_open(self._clock()) else "pending"
        return "pending" if welcome == "pending" else usual

    def answered(self, name: str, state: str) -> None:
        """A thing was told of its admission: one that is accepted and has no credential is given one."""
        if not self.asked or self.brought(name):
            return
        self._answered.add(name)
        if state != "accepted" or self.credentials.barred(name):
            return
        now, held = self._clock(), self.credentials.seen(name)
        waits = held is None or (not held.used and held.kind == "thing")
        # Who is not there cannot be told; of most brokers nobody knows who is.
        perhaps = not self.knows_who_joins and (held is None or now - held.renewed >= AGAIN)
        due = name in self.joined or perhaps
        if waits and due and name not in OWN:
            password = self.credentials.issue(name, now)
            self.on_issue(name)
            if self.knows_who_joins:
                self.give(name, password)
            else:
                # A thing that comes with it before the broker has read of it would be refused.
                self._to_tell[name] = (now + READ_WITHIN, password)

    def due(self) -> int | None:
        """When ``tick`` is next needed, Unix milliseconds; None if never."""
        return min((when for when, _ in self._to_tell.values()), default=None)

    def tick(self, now: int) -> None:
        """Tell things what they were given, once the broker lets them in with it."""
        for name in [name for name, (when, _) in self._to_tell.items() if when <= now]:
            _, password = self._to_tell.pop(name)
            if self.credentials.is_newest(name, password):
                self.give(name, password)

    def commit(self) -> None:
        """What things are is durable: who may do something else than before has to come in again."""
        answered, self._answered = self._answered, set()
        for name in [each for each in answered if each in self._granted]:
            held = self.credentials.get(name)
            if held is None or self._rejected(name) or self.permissions(held) != self._granted.get(name):
                self.on_other(name)

    def rollback(self) -> None:
        """What was answered was not."""
        self._answered = set()

    def give(self, name: str, password: str) -> None:
        """Tell a thing its credential."""
        body = encode({"username": name, "password": password})
        self.publish(Outgoing(topics.credential(name), body))


def _nobody(name: str) -> None:
    """Stands in until somebody cuts off who may do something else than before."""


def _nobody_brings(name: str) -> bool:
    """Stands in until there are gateways."""
    return False


def _nobody_notes(name: str) -> None:
    """Stands in until somebody writes it down."""


def _nowhere(message: Outgoing) -> None:
    """Stands in until there is somebody who sends."""
