"""The file that a backup is: written and read in one pass, every member by its SHA-256."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

import msgspec
from msgspec import Struct

from diat.kernel.errors import Invalid
from diat.kernel.lazy import Lazy
from diat.operation.backup.sealing import MAGIC, Sealer, Unsealer

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = Lazy("pyarrow")

ABOUT, MANIFEST = "about.json", "manifest.json"
FILES = "data/"
"""What the names of the data directory's files begin with."""
FORMAT = 1
_ZSTD = b"\x28\xb5\x2f\xfd"
_PIECE = 1 << 20
_SMALL = 64 << 20
"""Bytes that the first and the last member have at most."""


class About(Struct, frozen=True, kw_only=True):
    """What a backup is.

    Attributes:
        format: of the file.
        version: of the platform that made it.
        schema: of its database.
        made: Unix milliseconds.
        position: the ingest position up to which it holds everything.
        bytes: of all files.
        files: how many.
    """

    format: int = FORMAT
    version: str
    schema: str
    made: int
    position: int
    bytes: int
    files: int


class Member(Struct, frozen=True):
    """A file in a backup."""

    bytes: int
    sha256: str


T = TypeVar("T")
Told = Callable[[int], None]
"""Told how many further bytes were read or written; may raise to end it."""


class Packer:
    """Writes a backup, member by member."""

    def __init__(self, tar: tarfile.TarFile, told: Told) -> None:
        self._tar = tar
        self._told = told
        self._members: dict[str, Member] = {}

    def about(self, about: About) -> None:
        """Write what it is; comes first."""
        self._small(ABOUT, msgspec.json.encode(about))

    def add(self, name: str, path: Path) -> None:
        """Write a file, as long as it was when it was opened.

        Raises:
            Invalid: it became shorter meanwhile.
        """
        with path.open("rb") as file:
            info = tarfile.TarInfo(FILES + name)
            info.size, info.mode = path.stat().st_size, 0o600
            reading = _Hashing(file, info.size, self._told)
            try:
                self._tar.addfile(info, cast("IO[bytes]", reading))
            except OSError as error:
                if reading.left:
                    raise Invalid(f"{name} became shorter while it was read") from error
                raise
        self._members[FILES + name] = Member(info.size, reading.sha256)

    def end(self) -> None:
        """Write the manifest; comes last."""
        self._small(MANIFEST, msgspec.json.encode(self._members))

    def _small(self, name: str, content: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(content), 0o600
        self._tar.addfile(info, io.BytesIO(content))
        self._members[name] = Member(len(content), hashlib.sha256(content).hexdigest())


class _Hashing:
    """Reads so many bytes of a file, and tells their SHA-256."""

    def __init__(self, file: BinaryIO, size: int, told: Told) -> None:
        self._file = file
        self.left = size
        self._told = told
        self._hash = hashlib.sha256()

    def read(self, count: int = -1) -> bytes:
        found = self._file.read(self.left if count < 0 else min(count, self.left))
        self.left -= len(found)
        self._hash.update(found)
        self._told(len(found))
        return found

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


class _Lent:
    """A file that its reader or writer does not close."""

    closed = False

    def __init__(self, file: Any) -> None:
        self.read = getattr(file, "read", None)
        self.write = getattr(file, "write", None)

    def flush(self) -> None:
        """Whoever owns it does."""

    def close(self) -> None:
        """Whoever owns it does."""


@contextmanager
def packing(out: BinaryIO, passphrase: str, told: Told) -> Iterator[Packer]:
    """Write a backup into a file; it is whole once the context has ended without an error."""
    sealer = Sealer(out, passphrase) if passphrase else None
    target = pa.PythonFile(_Lent(sealer or out), "w")
    with (
        pa.CompressedOutputStream(target, "zstd") as packed,
        tarfile.open(fileobj=cast("IO[bytes]", packed), mode="w|", bufsize=_PIECE) as tar,
    ):
        yield Packer(tar, told)
    if sealer is not None:
        sealer.seal()


def is_backup(source: BinaryIO) -> bool:
    """Whether a file begins as a backup does; whether it is one that is whole ``unpack`` finds out."""
    head = source.read(len(MAGIC))
    return head == MAGIC or head[:4] == _ZSTD


def unpack(
    source: BinaryIO, passphrase: str, target: Path, agree: Callable[[About], None], told: Told
) -> About:
    """Write the files of a backup below a directory, and hold them to its manifest.

    Args:
        source: the backup.
        passphrase: what it was sealed with; not looked at if it was not.
        target: an empty directory.
        agree: told what it is before anything is written; may raise.
        told: see ``Told``.

    Raises:
        Invalid: it is no backup, it is damaged, or the passphrase is another one.
    """
    head = source.read(len(MAGIC))
    source.seek(0)
    if head == MAGIC:
        if not passphrase:
            raise Invalid("the backup is sealed: its passphrase is needed")
        source = io.BufferedReader(Unsealer(source, passphrase), _PIECE)
        # Whether it is the right passphrase shows with the first piece.
        head = source.peek(4)
    if head[:4] != _ZSTD:
        raise Invalid("it is no backup of a platform")
    try:
        with (
            pa.CompressedInputStream(pa.PythonFile(_Lent(source), "r"), "zstd") as packed,
            tarfile.open(fileobj=cast("IO[bytes]", packed), mode="r|", bufsize=_PIECE) as tar,
        ):
            return _unpack(tar, target, agree, told)
    except (tarfile.TarError, pa.ArrowException, EOFError) as error:
        raise Invalid(f"the backup is damaged: {error}") from None
    except OSError as error:
        if error.errno is None:  # pyarrow's own, about the stream
            raise Invalid(f"the backup is damaged: {error}") from None
        raise


def _unpack(tar: tarfile.TarFile, target: Path, agree: Callable[[About], None], told: Told) -> About:
    found: dict[str, Member] = {}
    about: About | None = None
    for info in tar:
        if not info.isreg():
            raise Invalid(f"the backup is damaged: {info.name[:100]!r} is no file")
        if about is None:
            content = _content(tar, info, ABOUT)
            about = _read(content, About)
            if about.format > FORMAT:
                raise Invalid(f"the backup was made by a newer version ({about.version})")
            agree(about)
            found[ABOUT] = Member(len(content), hashlib.sha256(content).hexdigest())
        elif info.name == MANIFEST:
            wanted = _read(_content(tar, info, MANIFEST), dict[str, Member])
            wrong = sorted(
                name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
            )
            if wrong:
                raise Invalid(f"the backup is damaged: {wrong[0]} is not what the manifest says")
            return about
        else:
            told(0)
            found[info.name] = _extract(tar, info, target, told)
    raise Invalid("the backup is damaged: it ends early")


def _extract(tar: tarfile.TarFile, info: tarfile.TarInfo, target: Path, told: Told) -> Member:
    name = PurePosixPath(info.name.removeprefix(FILES))
    if not info.name.startswith(FILES) or name.is_absolute() or ".." in name.parts or not name.parts:
        raise Invalid(f"the backup is damaged: a file is called {info.name[:100]!r}")
    path = target / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = tar.extractfile(info)
    hashed = hashlib.sha256()
    with path.open("xb") as out:
        path.chmod(0o600)
        while file is not None and (piece := file.read(_PIECE)):
            out.write(piece)
            hashed.update(piece)
            told(len(piece))
    return Member(info.size, hashed.hexdigest())


def _content(tar: tarfile.TarFile, info: tarfile.TarInfo, name: str) -> bytes:
    file = tar.extractfile(info)
    if info.name != name or info.size > _SMALL or file is None:
        raise Invalid(f"the backup is damaged: {name} is not where it belongs")
    return file.read()


def _read(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise Invalid(f"the backup is damaged: {error}") from None
