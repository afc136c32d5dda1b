"""What nats-server wants signed by whoever decides on its clients: JSON Web Tokens with Ed25519.

Keys are written as nats-server writes them: a prefix, the key and a checksum in base 32.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from diat.kernel.lazy import Lazy

if TYPE_CHECKING:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519
else:
    serialization = Lazy("cryptography.hazmat.primitives.serialization")
    ed25519 = Lazy("cryptography.hazmat.primitives.asymmetric.ed25519")


_ACCOUNT = b"\x00"
"""The prefix of an account's key; as text it begins with A."""
_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}


class Signer:
    """A key of this run of the daemon, and what is signed with it.

    Attributes:
        issuer: the public key, as the server's configuration takes it.
    """

    def __init__(self) -> None:
        self._key = ed25519.Ed25519PrivateKey.generate()
        raw = _ACCOUNT + self._key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        checked = raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")
        self.issuer = base64.b32encode(checked).rstrip(b"=").decode()

    def token(self, claims: Mapping[str, Any]) -> str:
        """The claims as a signed token; issuer and time are filled in."""
        body = f"{_text(_HEADER)}.{_text({**claims, 'iss': self.issuer, 'iat': int(time.time())})}"
        return f"{body}.{_encoded(self._key.sign(body.encode()))}"


def claims_of(token: bytes) -> dict[str, Any]:
    """The claims of a token whose signature need not be checked: it came by a connection of our own.

    Raises:
        ValueError: it is no token.
    """
    parts = token.split(b".")
    if len(parts) != 3:
        raise ValueError("not a token")
    found = json.loads(base64.urlsafe_b64decode(parts[1] + b"=="))
    if not isinstance(found, dict):
        raise ValueError("a token without claims")  # noqa: TRY004 - it is the text that is wrong
    return found


def _text(claims: Mapping[str, Any]) -> str:
    return _encoded(json.dumps(claims).encode())


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
