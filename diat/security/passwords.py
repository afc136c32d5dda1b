"""Passwords, by argon2id with the parameters that RFC 9106 recommends where memory is scarce.

To verify takes as long for a user that there is not, or that has no password, as for any other.
"""

from __future__ import annotations

import argon2

from diat.kernel.errors import Invalid

SHORTEST = 10
LONGEST = 1000
_HASHER = argon2.PasswordHasher()
_NOBODY = _HASHER.hash("a password that nobody has, for whoever is not there")


def hashed(password: str) -> str:
    """What is kept of a password; takes some 50 ms and 64 MiB.

    Raises:
        Invalid: it is too short, or absurdly long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(f"a password has {SHORTEST} to {LONGEST} characters", "password")
    return _HASHER.hash(password)


def verified(password: str, kept: str | None) -> bool:
    """Whether it is the password of which this is kept; nobody's if None, which takes as long."""
    try:
        _HASHER.verify(kept if kept is not None else _NOBODY, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
    return kept is not None
