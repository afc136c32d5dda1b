"""Credentials of things, bridges and gateways: issued, renewed, revoked; only hashes are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import msgspec
from msgspec import Struct

from diat.kernel.errors import Conflict, Invalid, NotFound
from diat.kernel.overlay import Ledger, Overlay
from diat.security.permissions import RESERVED, Permissions, meeting
from diat.security.thing_passwords import NOBODY, hashed, matches, new_password
from diat.wire.topics import is_name

Kind = Literal["thing", "bridge", "gateway", "key"]
OWN = frozenset({"diat", "join", "hook", "anyone", "things", "clock"})
"""Names that are the platform's own."""
CLIENTS = 8
"""Client ids that a bridge may have used; the one that it used longest ago is forgotten first."""


class Credential(Struct, frozen=True, kw_only=True):
    """What somebody proves with who it is.

    Attributes:
        name: its user name; of a thing also its name in topics and its client id.
        kind: a thing has its own topics; a bridge speaks for many things and has a scope; a gateway comes
            in where a certificate is asked for as well; a key is shared by all who join.
        hash: of its password (``passwords``); ``""`` where there is none.
        former: hash of the password before it, good until the present one is used; ``""`` for none.
        created: Unix milliseconds.
        renewed: when the present password was made, Unix milliseconds.
        used: whether somebody has come with the present password.
        clients: client ids that a bridge has used, and that are its own.
        scope: topics of a bridge or gateway.
        revoked: when it was revoked, Unix milliseconds; None if it holds.
    """

    name: str
    kind: Kind = "thing"
    hash: str = ""
    former: str = ""
    created: int
    renewed: int
    used: bool = False
    clients: tuple[str, ...] = ()
    scope: Permissions = Permissions()
    revoked: int | None = None

    def __repr__(self) -> str:
        return f"Credential({self.name}, {self.kind})"


class Credentials:
    """All credentials; changed by the writer alone, read by anybody through ``get`` and ``everything``.

    Attributes:
        on_change: told, once it is durable, whose credential was made, renewed or revoked.
    """

    def __init__(self, ledger: Ledger, kept: Iterable[Credential] = ()) -> None:
        self._all: Overlay[str, Credential] = ledger.overlay("credentials", ((c.name, c) for c in kept))
        self._kinds: dict[Kind, dict[str, None]] = {"thing": {}, "bridge": {}, "gateway": {}, "key": {}}
        for each in self._all.committed.values():
            self._sort(each)
        self._touched: list[tuple[str, bool]] = []
        self.on_change: Callable[[str, bool], None] = _nobody
        ledger.join(self)

    # --- asked by any thread ---

    def get(self, name: str) -> Credential | None:
        """The credential of this name that holds, None if there is none."""
        found = self._all.committed.get(name)
        return found if found is not None and found.revoked is None else None

    def everything(self) -> list[Credential]:
        """All credentials, revoked ones too, by name."""
        return sorted(self._all.committed.values(), key=lambda each: each.name)

    def barred(self, name: str) -> bool:
        """Whether this name had a credential that was revoked."""
        found = self._all.committed.get(name)
        return found is not None and found.revoked is not None

    def holding(self, kind: Kind) -> list[Credential]:
        """The credentials of a kind that hold."""
        return [self._all.committed[name] for name in tuple(self._kinds[kind])]

    def scoped(self) -> list[Credential]:
        """The credentials that hold and have a scope of their own."""
        return [*self.holding("bridge"), *self.holding("gateway")]

    def is_newest(self, name: str, password: str) -> bool:
        """Whether this is the present password, not the one before it."""
        known = self.get(name)
        return known is not None and matches(password, known.hash)

    def right(self, name: str, password: str) -> Credential | None:
        """The credential that name and password prove; None takes as long."""
        known = self.get(name)
        if known is None or not known.hash:
            matches(password, NOBODY)
            return None
        former = bool(known.former) and not known.used and matches(password, known.former)
        return known if matches(password, known.hash) or former else None

    # --- asked within the writer ---

    def seen(self, name: str) -> Credential | None:
        """The credential of this name that holds, as the writer sees it."""
        found = self._all.get(name)
        return found if found is not None and found.revoked is None else None

    def issue(self, name: str, now: int, kind: Kind = "thing", scope: Permissions | None = None) -> str:
        """Make a credential; its password, told this once. One that was never used is renewed.

        Raises:
            Invalid: it is no name, or the scope is not one that a bridge may have.
            Conflict: there is such a credential, or another's scope overlaps this one's.
        """
        if not is_name(name) or name in OWN:
            raise Invalid(f"{name!r} is no name of a credential: 1 to 64 letters, digits, - and _", "name")
        known = self.seen(name)
        if known is not None and (known.used or known.kind != kind):
            raise Conflict(f"{name} has a credential: renew it, or revoke it first")
        asked = scope or Permissions()
        self._must_be_free(name, asked)
        password, former = new_password(), known.hash if known is not None else ""
        made = Credential(
            name=name,
            kind=kind,
            hash=hashed(password),
            former=former,
            created=now,
            renewed=now,
            scope=asked,
        )
        self._put(made, cut=False)
        return password

    def renew(self, name: str, now: int) -> str:
        """Make another password; the one before it is good until this one is used.

        Raises:
            NotFound: there is no such credential that holds.
        """
        known = self._must_hold(name)
        password = new_password()
        former = known.hash if known.used else known.former
        self._put(
            msgspec.structs.replace(known, hash=hashed(password), former=former, renewed=now, used=False),
            cut=False,
        )
        return password

    def revoke(self, name: str, now: int) -> None:
        """Let a credential hold no more.

        Raises:
            NotFound: there is no such credential that holds.
        """
        self._put(
            msgspec.structs.replace(self._must_hold(name), revoked=now, former="", clients=()), cut=True
        )

    def is_news(self, held: Credential, client: str, *, newest: bool) -> bool:
        """Whether ``came`` would change something."""
        return (newest and not held.used) or (held.kind == "bridge" and client not in held.clients)

    def came(self, name: str, client: str, *, newest: bool) -> None:
        """Note that somebody came with it, under a client id, and whether with the present password."""
        known = self.seen(name)
        if known is None or not self.is_news(known, client, newest=newest):
            return
        seen = known
        if newest and not known.used:
            seen = msgspec.structs.replace(seen, used=True, former="")
        if known.kind == "bridge" and client not in known.clients:
            seen = msgspec.structs.replace(seen, clients=(*known.clients, client)[-CLIENTS:])
        self._all.put(name, seen)
        self._touched.append((name, False))

    def make_key(self, name: str, now: int) -> str:
        """Make a key that many share, in the place of one before it."""
        key = new_password()
        self._put(Credential(name=name, kind="key", hash=hashed(key), created=now, renewed=now), cut=True)
        return key

    # --- within ---

    def commit(self) -> None:
        """What changed is durable: tell whoever lets things in."""
        touched, self._touched = self._touched, []
        for name, cut in touched:
            self._sort(self._all.committed[name])
            self.on_change(name, cut)

    def rollback(self) -> None:
        """Nothing changed."""
        self._touched = []

    def _must_hold(self, name: str) -> Credential:
        known = self.seen(name)
        if known is None:
            raise NotFound(f"there is no credential {name!r}")
        return known

    def _put(self, made: Credential, *, cut: bool) -> None:
        self._all.put(made.name, made)
        self._touched.append((made.name, cut))

    def _sort(self, each: Credential) -> None:
        for kind, names in self._kinds.items():
            if kind == each.kind and each.revoked is None:
                names[each.name] = None
            else:
                names.pop(each.name, None)

    def _must_be_free(self, name: str, scope: Permissions) -> None:
        for each in (*scope.publish, *scope.subscribe):
            if each.startswith(("#", "+", *RESERVED)) or not _well_formed(each):
                raise Invalid(f"{each!r} is no scope of a bridge", "topics")
        for _, other in self._all.items():
            if other.revoked is not None or other.name == name:
                continue
            met = meeting(scope.publish, other.scope.publish)
            if met is not None:
                raise Conflict(f"{met[0]!r} overlaps {met[1]!r}, which belongs to {other.name}")


def _well_formed(asked: str) -> bool:
    levels = asked.split("/")
    return (
        0 < len(asked) <= 256
        and asked.isprintable()
        and not set(" .*>") & set(asked)
        and all(level in ("+", "#") or not {"+", "#"} & set(level) for level in levels)
        and "#" not in levels[:-1]
    )


def _nobody(name: str, cut: bool) -> None:
    """Stands in until somebody listens."""
