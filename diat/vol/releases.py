"""Releases of firmware that the platform keeps: what ``diat node release`` made, for nodes to fetch.

The platform cannot judge the signature, for it does not know the key; the nodes do. It holds the files to
what the signed list says of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from diat.kernel.clock import Clock
from diat.kernel.errors import Conflict, Invalid, NotFound
from diat.kernel.overlay import Ledger, Overlay

MOST = 50
"""Releases at most."""
SIGNATURE = 256
"""Bytes of a signature by RSA-2048."""
MANIFEST, SIGNED = "manifest.json", "manifest.sig"


class _Manifest(Struct):
    n: int
    board: str
    files: list[tuple[str, int, str]]


class Release(Struct, frozen=True, kw_only=True):
    """A release.

    Attributes:
        board: the kind of board that it is for.
        number: grows from release to release of a board.
        manifest: the signed list, as it was signed.
        signature: of the manifest.
        files: name to content.
        created: when it was put here, Unix milliseconds.
    """

    id: str
    board: str
    number: int
    manifest: bytes
    signature: bytes
    files: dict[str, bytes]
    created: int

    def file(self, name: str) -> bytes:
        """What nodes fetch: the manifest, its signature, or a file.

        Raises:
            NotFound: it has no such file.
        """
        found = {MANIFEST: self.manifest, SIGNED: self.signature, **self.files}.get(name)
        if found is None:
            raise NotFound(f"release {self.id} has no file {name!r}")
        return found


class Releases:
    """All releases; changed by the writer alone."""

    def __init__(self, ledger: Ledger, clock: Clock, kept: Iterable[Release] = ()) -> None:
        self._clock = clock
        self._releases: Overlay[str, Release] = ledger.overlay("releases", ((each.id, each) for each in kept))

    def get(self, release: str) -> Release:
        """The committed release.

        Raises:
            NotFound: there is none.
        """
        found = self._releases.committed.get(release)
        if found is None:
            raise NotFound(f"there is no release {release!r}")
        return found

    def everything(self) -> list[Release]:
        """All committed releases, by board and number."""
        return sorted(self._releases.committed.values(), key=lambda each: (each.board, each.number))

    def add(self, manifest: bytes, signature: bytes, files: Mapping[str, bytes]) -> Release:
        """Keep a release; the same one again changes nothing.

        Raises:
            Invalid: it is not whole, or not what its manifest says; ``field`` names the part.
            Conflict: another one has its number, or there are too many.
        """
        listed = _read(manifest)
        if len(signature) != SIGNATURE:
            raise Invalid(f"a signature has {SIGNATURE} bytes", "signature")
        for name, size, digest in listed.files:
            content = files.get(name)
            if content is None:
                raise Invalid(f"{name} is missing", "files")
            if len(content) != size or hashlib.sha256(content).hexdigest() != digest:
                raise Invalid(f"{name} is not what the manifest lists", f"files.{name}")
        more = files.keys() - {name for name, _, _ in listed.files}
        if more:
            raise Invalid(f"{sorted(more)[0]} is not in the manifest", "files")
        made = Release(
            id=f"{listed.board}-{listed.n}",
            board=listed.board,
            number=listed.n,
            manifest=manifest,
            signature=signature,
            files=dict(files),
            created=self._clock(),
        )
        known = self._releases.get(made.id)
        if known is not None:
            if (known.manifest, known.signature) != (manifest, signature):
                raise Conflict(f"there is another release {made.id}: give this one a higher number")
            return known
        if sum(1 for _ in self._releases.items()) >= MOST:
            raise Conflict(f"there are {MOST} releases already: delete some")
        self._releases.put(made.id, made)
        return made

    def remove(self, release: str) -> None:
        """Keep it no longer.

        Raises:
            NotFound: there is none.
        """
        if self._releases.get(release) is None:
            raise NotFound(f"there is no release {release!r}")
        self._releases.remove(release)


def _read(manifest: bytes) -> _Manifest:
    try:
        listed = msgspec.json.decode(manifest, type=_Manifest)
    except msgspec.MsgspecError as error:
        raise Invalid(f"it is no manifest: {error}", "manifest") from None
    if listed.n < 1 or not listed.board.isidentifier() or len(listed.board) > 64:
        raise Invalid("n is 1 or more, and board a name", "manifest")
    return listed
