"""Users and tokens: kept, changed by the writer alone, asked by any thread.

Who loses something is told at once, when it is durable (``listen``): whose tokens hold no longer as they
did, so that what still runs under them ends.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from diat.kernel.clock import Clock
from diat.kernel.errors import Conflict, Invalid, NotFound, Stale
from diat.kernel.ids import NewId
from diat.kernel.overlay import Ledger, Overlay
from diat.security.accounts import Token, User, digest, new_secret, read, written
from diat.security.principal import Grant, Principal

MOST_USERS = 10_000
MOST_TOKENS = 200
"""Tokens of one kind that one user has at most; of sessions the oldest gives way."""
DAY = 86_400_000
SESSION = 12 * 3_600_000
"""Milliseconds that a session lasts."""
INVITATION = DAY
"""Milliseconds in which a password can be set by an invitation."""
OWNER = Principal(kind="local", name="owner", grants=(Grant(role="admin"),))
"""Whoever can read the data directory of the platform: what works on this machine, by its command line."""


class People:
    """All users and their tokens. Commits with the ledger (``diat.kernel.overlay.Part``)."""

    def __init__(
        self, ledger: Ledger, clock: Clock, new_id: NewId, users: Iterable[User], tokens: Iterable[Token]
    ) -> None:
        self._clock = clock
        self._new_id = new_id
        self._users: Overlay[str, User] = ledger.overlay("users", ((each.name, each) for each in users))
        self._tokens: Overlay[str, Token] = ledger.overlay("tokens", ((each.id, each) for each in tokens))
        self._ended: set[str] = set()
        self._owner = ""
        self._told: list[Callable[[frozenset[str]], None]] = []
        ledger.join(self)

    def listen(self, ended: Callable[[frozenset[str]], None]) -> None:
        """Have ids of tokens told, in the writer's thread, that hold no longer as they did."""
        self._told.append(ended)

    # --- asked by any thread ---

    def who(self, text: str, now: int) -> tuple[Principal, Token | None] | None:
        """Who asks with a token as it was handed out, and the token; None if it opens nothing."""
        found = read(text)
        if found is None:
            return None
        name, secret = found
        if self._owner and hmac.compare_digest(digest(secret), self._owner):
            return OWNER, None
        token = self._tokens.committed.get(name)
        if token is None or not token.opens(secret, now) or token.kind == "invitation":
            return None
        owner = self._users.committed.get(token.user)
        if owner is None or owner.disabled:
            return None
        return token.principal(owner), token

    def holds(self, principal: Principal, token: Token) -> bool:
        """Whether a token still stands for the principal that once came with it."""
        known, owner = self._tokens.committed.get(token.id), self._users.committed.get(token.user)
        if known is None or owner is None or owner.disabled:
            return False
        return known.principal(owner) == principal

    def invited(self, text: str, now: int) -> str | None:
        """The name of the user that an invitation is for; None if it is none that holds."""
        found = read(text)
        token = self._tokens.committed.get(found[0]) if found is not None else None
        if found is None or token is None or token.kind != "invitation" or not token.opens(found[1], now):
            return None
        return token.user

    def get(self, name: str) -> User:
        """The committed user.

        Raises:
            NotFound: there is none.
        """
        found = self._users.committed.get(name)
        if found is None:
            raise NotFound(f"there is no user {name!r}")
        return found

    def find(self, name: str) -> User | None:
        """The committed user; None if there is none."""
        return self._users.committed.get(name)

    def grants_of(self, who: str) -> tuple[Grant, ...] | None:
        """What a user or account may by now, by ``kind:name``; None for anybody else."""
        kind, _, name = who.partition(":")
        if kind not in ("user", "account", "daemon"):
            return None
        known = self._users.get(name)
        return () if known is None or known.disabled or known.kind != kind else known.grants

    def renewed(self, principal: Principal) -> Principal | None:
        """A principal as it is by now, with the purpose that it gave; None if it is no more."""
        if not principal.token:
            return principal
        token = self._tokens.committed.get(principal.token)
        owner = self._users.committed.get(principal.name)
        if token is None or owner is None or owner.disabled or token.expires <= self._clock():
            return None
        return msgspec.structs.replace(token.principal(owner), purpose=principal.purpose)

    def everybody(self) -> list[User]:
        """All committed users, by name."""
        return sorted(self._users.committed.values(), key=lambda each: each.name)

    def token(self, token: str) -> Token:
        """The committed token.

        Raises:
            NotFound: there is none, or no more.
        """
        found = self._tokens.committed.get(token)
        if found is None or found.expires <= self._clock():
            raise NotFound(f"there is no token {token!r}")
        return found

    def tokens(self, user: str | None = None) -> list[Token]:
        """The committed tokens that hold, of all or of one user, oldest first; invitations are none."""
        now = self._clock()
        found = (each for each in self._tokens.committed.values() if each.expires > now)
        wanted = (each for each in found if each.kind != "invitation" and user in (None, each.user))
        return sorted(wanted, key=lambda each: (each.created, each.id))

    # --- asked within the writer ---

    def create(self, user: User) -> User:
        """Keep a new user.

        Raises:
            Conflict: there is one of that name, or there are too many.
        """
        if self._users.get(user.name) is not None:
            raise Conflict(f"there is a user {user.name!r} already")
        if sum(1 for _ in self._users.items()) >= MOST_USERS:
            raise Conflict(f"there are {MOST_USERS} users already")
        self._users.put(user.name, user)
        return user

    def replace(self, name: str, revision: int | None = None, **changes: Any) -> User:
        """Change a user; what runs under its tokens ends, and goes on as it may be from then on.

        Raises:
            NotFound: there is none.
            Stale: it is not at this revision.
            Conflict: nobody would be left who can change users.
        """
        known = self._known(name, revision)
        now = self._clock()
        made = msgspec.structs.replace(known, **changes, modified=now, revision=known.revision + 1)
        self._users.put(name, made)
        self._someone_is_left(known)
        if (made.grants, made.disabled) != (known.grants, known.disabled):
            self._ended.update(each.id for _, each in self._tokens.items() if each.user == name)
        return made

    def remove(self, name: str, revision: int | None = None) -> None:
        """Remove a user with all its tokens; errors as of ``replace``."""
        known = self._known(name, revision)
        self._users.remove(name)
        self._someone_is_left(known)
        for key, each in self._tokens.items():
            if each.user == name:
                self._drop(key)

    def set_password(self, name: str, kept: str) -> User:
        """Set what is kept of a password; sessions and invitations of before hold no longer.

        Raises:
            NotFound: there is no such user.
            Invalid: it is a program, which has none.
        """
        if self._known(name).kind != "user":
            raise Invalid("the account of a program has no password: make a token for it", "password")
        made = self.replace(name, password=kept)
        for key, each in self._tokens.items():
            if each.user == name and each.kind != "token":
                self._drop(key)
        return made

    def issue(self, user: str, expires: int, *, token: str | None = None, **said: Any) -> tuple[Token, str]:
        """Make a token; also as it is handed out, which nobody can tell later.

        Args:
            user: its owner.
            expires: Unix milliseconds.
            token: the id to give it, derived from an idempotency key.
            said: further attributes of it.

        Raises:
            NotFound: there is no such user.
            Conflict: there is a token of this id, or the user has too many.
        """
        self._known(user)
        now = self._clock()
        if token is not None and self._tokens.get(token) is not None:
            raise Conflict("it was made already, and its secret is not shown again: revoke it, make another")
        secret = new_secret()
        made = Token(
            id=token or self._new_id(),
            user=user,
            digest=digest(secret),
            created=now,
            expires=expires,
            **said,
        )
        self._make_room(made, now)
        self._tokens.put(made.id, made)
        return made, written(made.id, secret)

    def revoke(self, token: str) -> None:
        """Let a token, and those made with it, open nothing any more; what runs under them ends.

        Raises:
            NotFound: there is none.
        """
        if self._tokens.get(token) is None:
            raise NotFound(f"there is no token {token!r}")
        self._drop(token)
        for key, each in self._tokens.items():
            if each.by == token:
                self.revoke(key)

    def first_admin(self, name: str) -> str | None:
        """An invitation for somebody who can log in and change users; None if there is one already.

        Makes the user if there is none of this name.
        """
        if any(_rules(each) and each.password is not None for _, each in self._users.items()):
            return None
        return self.invite_admin(name)

    def invite_admin(self, name: str) -> str:
        """An invitation for a user of this name, who is an administrator from then on."""
        now, grants = self._clock(), (Grant(role="admin"),)
        if self._users.get(name) is None:
            self.create(User(name=name, title="Administrator", grants=grants, created=now, modified=now))
        elif not _rules(self._known(name)):
            self.replace(name, grants=grants, disabled=False, kind="user")
        return self.invite(name)

    def invite(self, name: str) -> str:
        """An invitation to set a password, as it is handed out; earlier ones hold no longer.

        Raises:
            NotFound: there is no such user.
            Invalid: it is a program, which has no password.
        """
        if self._known(name).kind != "user":
            raise Invalid("the account of a program has no password: make a token for it", "name")
        for key, each in self._tokens.items():
            if each.user == name and each.kind == "invitation":
                self._drop(key)
        return self.issue(name, self._clock() + INVITATION, kind="invitation")[1]

    def owner_token(self) -> str:
        """A token, as it is handed out, for whoever can read the data directory; holds until the next one."""
        secret = new_secret()
        self._owner = digest(secret)
        return written("0" * 16, secret)

    # --- within ---

    def _known(self, name: str, revision: int | None = None) -> User:
        known = self._users.get(name)
        if known is None:
            raise NotFound(f"there is no user {name!r}")
        if revision is not None and revision != known.revision:
            raise Stale(f"the user is at revision {known.revision}, not {revision}")
        return known

    def _someone_is_left(self, before: User) -> None:
        if _rules(before) and not any(_rules(each) for _, each in self._users.items()):
            raise Conflict("nobody would be left who can change users")

    def _make_room(self, made: Token, now: int) -> None:
        """Forget what expired; refuse what would be too many, but of sessions let the oldest go."""
        alike = []
        for key, each in self._tokens.items():
            if each.expires <= now:
                self._drop(key)
            elif (each.user, each.kind) == (made.user, made.kind):
                alike.append(each)
        if len(alike) < MOST_TOKENS:
            return
        if made.kind != "session":
            raise Conflict(f"{made.user!r} has {MOST_TOKENS} tokens already: revoke one")
        self._drop(min(alike, key=lambda each: each.created).id)

    def _drop(self, token: str) -> None:
        self._tokens.remove(token)
        self._ended.add(token)

    def commit(self) -> None:
        """It is durable: tell."""
        if self._ended:
            ended, self._ended = frozenset(self._ended), set()
            for tell in self._told:
                tell(ended)

    def rollback(self) -> None:
        """It never happened."""
        self._ended = set()


def _rules(each: User) -> bool:
    """Whether somebody can change users."""
    return not each.disabled and any(one.role == "admin" and one.places is None for one in each.grants)
