"""Passwords of things: random, long, kept as a salted hash that mosquitto reads as well.

They are random and have 256 bits, so a fast hash is enough: what argon2 makes dear is guessing, and these
cannot be guessed. The form is that of ``mosquitto_passwd``: ``$7$iterations$salt$hash``, PBKDF2 with SHA-512.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

_ITERATIONS = 101
_LENGTH = 64
_LONGEST = 1024
"""Characters of a password that are looked at: who sends more sends a wrong one."""


def new_password() -> str:
    """43 letters and digits, ``-`` and ``_`` that nobody will guess."""
    return secrets.token_urlsafe(32)


def hashed(password: str) -> str:
    """What is kept of a password."""
    salt = secrets.token_bytes(12)
    return f"$7${_ITERATIONS}${_text(salt)}${_text(_derived(password, salt, _ITERATIONS))}"


def matches(password: str, kept: str) -> bool:
    """Whether this is the password of which the hash was kept."""
    _, _, iterations, salt, expected = kept.split("$")
    found = _derived(password[:_LONGEST], base64.b64decode(salt), int(iterations))
    return hmac.compare_digest(found, base64.b64decode(expected)) and len(password) <= _LONGEST


def _derived(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations, _LENGTH)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


NOBODY = hashed(new_password())
"""The hash of no password: compared with where nobody is known, so that an answer takes as long."""
