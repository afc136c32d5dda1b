"""A file sealed by a passphrase: AES-256-GCM in pieces, the key by scrypt.

Each piece has a nonce of its number and of whether it is the last, so pieces that were changed, moved,
removed or cut off are found (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015). The
salt is new for each file, and so is the key.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, BinaryIO

from diat.kernel.errors import Invalid
from diat.kernel.lazy import Lazy

if TYPE_CHECKING:
    from cryptography import exceptions
    from cryptography.hazmat.primitives.ciphers import aead
    from cryptography.hazmat.primitives.kdf import scrypt
else:
    exceptions = Lazy("cryptography.exceptions")
    aead = Lazy("cryptography.hazmat.primitives.ciphers.aead")
    scrypt = Lazy("cryptography.hazmat.primitives.kdf.scrypt")

MAGIC = b"diat-sealed-1\n"
PIECE = 1 << 20
"""Bytes sealed at once."""
_COST = 16
"""Binary logarithm of scrypt's cost: 64 MiB and some 0.2 s."""
_DEAREST = 20
_SALT, _TAG = 16, 16


class Sealer(io.RawIOBase):
    """A file to write to; what is written comes out sealed. ``seal`` ends it."""

    def __init__(self, out: BinaryIO, passphrase: str) -> None:
        super().__init__()
        self._out = out
        self._header = MAGIC + bytes([_COST]) + os.urandom(_SALT)
        self._cipher = _cipher(passphrase, self._header)
        self._waiting = bytearray()
        self._number = 0
        out.write(self._header)

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: object, /) -> int:
        """Take bytes."""
        taken = memoryview(data).cast("B")  # type: ignore[arg-type]
        self._waiting += taken
        # The last piece is told from the others: keep one until more is there.
        while len(self._waiting) > PIECE:
            self._put(bytes(self._waiting[:PIECE]), last=False)
            del self._waiting[:PIECE]
        return len(taken)

    def seal(self) -> None:
        """Write what is left; nothing may come behind it."""
        self._put(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _put(self, piece: bytes, *, last: bool) -> None:
        self._out.write(self._cipher.encrypt(_nonce(self._number, last=last), piece, self._header))
        self._number += 1


class Unsealer(io.RawIOBase):
    """What was sealed, to read from.

    Raises:
        Invalid: from the constructor and ``read``: it is another passphrase, or the file is damaged.
    """

    def __init__(self, source: BinaryIO, passphrase: str) -> None:
        super().__init__()
        self._source = source
        self._header = source.read(len(MAGIC) + 1 + _SALT)
        if len(self._header) < len(MAGIC) + 1 + _SALT or self._header[len(MAGIC)] > _DEAREST:
            raise Invalid("the backup is damaged: its head is not whole")
        self._cipher = _cipher(passphrase, self._header)
        self._next = source.read(PIECE + _TAG)
        self._open = b""
        self._number = 0
        self._ended = False

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Fill a buffer; how many bytes there were, 0 at the end."""
        target = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        if not self._open and not self._ended:
            self._open = self._piece()
        count = min(len(target), len(self._open))
        target[:count] = self._open[:count]
        self._open = self._open[count:]
        return count

    def _piece(self) -> bytes:
        sealed, self._next = self._next, self._source.read(PIECE + _TAG)
        self._ended = not self._next
        try:
            piece = self._cipher.decrypt(_nonce(self._number, last=self._ended), sealed, self._header)
        except exceptions.InvalidTag:
            if self._number == 0:
                raise Invalid("the passphrase is another one, or the backup is damaged") from None
            raise Invalid("the backup is damaged: it was changed or cut off") from None
        self._number += 1
        return piece


def _cipher(passphrase: str, header: bytes) -> aead.AESGCM:
    cost, salt = header[len(MAGIC)], header[len(MAGIC) + 1 :]
    return aead.AESGCM(
        scrypt.Scrypt(salt=salt, length=32, n=1 << max(cost, 10), r=8, p=1).derive(passphrase.encode())
    )


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
