"""Accounts of people and programs, and the tokens that open the door for them.

Whatever opens a door (a personal access token, a session of a browser, an invitation) is a token:
``diat_{id}_{secret}``, of which only a digest is kept. The secret has 256 bits of chance, so a plain digest
is enough; passwords, which have not, are kept by argon2 (``diat.security.passwords``).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Any, Literal

from msgspec import Struct

from diat.kernel.clock import rfc3339
from diat.security.principal import Grant, Principal, Role
from diat.security.scope import narrowed

PREFIX = "diat_"
_TOKEN = re.compile(rf"{PREFIX}([0-9a-f]{{16,64}})_([A-Za-z0-9_-]{{43}})")
_ANY_TOKEN = re.compile(rf"{PREFIX}[0-9a-f]{{16,64}}_[A-Za-z0-9_-]{{20,43}}")


class User(Struct, frozen=True, kw_only=True):
    """A person, or a program with an account of its own.

    Attributes:
        name: the login; ``[a-z0-9]``, then also ``. _ -``, at most 64.
        title: for people.
        kind: ``user`` for a person, ``account`` for a program and ``daemon`` for a peer, which have tokens
            and no password.
        grants: its roles, and where each holds.
        password: what argon2 made of the password; None while there is none.
        disabled: it cannot do anything until it is enabled again.
        created: Unix milliseconds, as is ``modified``.
        revision: grows with each change; the ETag.
    """

    name: str
    title: str = ""
    kind: Literal["user", "account", "daemon"] = "user"
    grants: tuple[Grant, ...] = ()
    password: str | None = None
    disabled: bool = False
    created: int
    modified: int
    revision: int = 1

    def __repr__(self) -> str:
        return f"User({self.name!r}, {self.kind}, {self.grants})"

    def __rich_repr__(self) -> Any:
        yield self.name
        yield self.kind
        yield self.grants


class Token(Struct, frozen=True, kw_only=True):
    """Something that opens the door for a user, for a while.

    Attributes:
        user: name of its owner.
        kind: ``token`` for a program, ``session`` for a browser, ``invitation`` to set a password, once.
        title: for people.
        digest: of its secret, SHA-256, hexadecimal.
        role: the highest role that it gives; None for the owner's own.
        places: where it holds at most; None for wherever the owner's roles hold.
        purpose: what it is for, a word of the site.
        by: id of the token that it was made with; it goes when that is revoked.
        created: Unix milliseconds, as is ``expires``.
    """

    id: str
    user: str
    kind: Literal["token", "session", "invitation"] = "token"
    title: str = ""
    digest: str
    role: Role | None = None
    places: tuple[str, ...] | None = None
    purpose: str = ""
    by: str = ""
    created: int
    expires: int

    def __repr__(self) -> str:
        return f"Token({self.id!r}, {self.kind} of {self.user!r}, until {rfc3339(self.expires)})"

    def __rich_repr__(self) -> Any:
        yield self.id
        yield self.kind
        yield self.user

    def opens(self, secret: str, now: int) -> bool:
        """Whether this is its secret, and it is in time; takes as long either way."""
        return hmac.compare_digest(digest(secret), self.digest) and now < self.expires

    def principal(self, owner: User) -> Principal:
        """Who asks with it."""
        return Principal(
            kind=owner.kind,
            name=owner.name,
            grants=narrowed(owner.grants, self.role, self.places),
            purpose=self.purpose,
            token=self.id,
        )


def new_secret() -> str:
    """A secret that nobody guesses."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def written(token: str, secret: str) -> str:
    """A token as it is handed out, once."""
    return f"{PREFIX}{token}_{secret}"


def read(text: str) -> tuple[str, str] | None:
    """Id and secret of a token as it was handed out; None if it is none."""
    match = _TOKEN.fullmatch(text)
    return None if match is None else (match[1], match[2])


def csrf_of(secret: str) -> str:
    """What a page has to send along with what its session changes: only who has the secret can tell."""
    return hmac.new(secret.encode(), b"diat csrf", hashlib.sha256).hexdigest()


def redacted(text: str) -> str:
    """A text without the tokens in it, for logs."""
    return _ANY_TOKEN.sub(f"{PREFIX}***", text) if PREFIX in text else text
