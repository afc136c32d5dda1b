"""Pictures of places, as people upload them: one file each, written whole or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from diat.kernel.errors import Invalid, NotFound, Refused
from diat.wot.places import steps

LARGEST = 4 * 1024 * 1024
"""Bytes of a picture at most."""
MOST = 500
"""Pictures at most."""
_KINDS = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))


class Pictures:
    """The pictures in a directory, by place; any thread may ask."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def get(self, place: str) -> tuple[bytes, str]:
        """A picture and its media type.

        Raises:
            NotFound: there is none of that place.
        """
        try:
            picture = self._file(place).read_bytes()
        except OSError:
            raise NotFound(f"there is no picture of {place!r}") from None
        return picture, kind_of(picture)

    def has(self, place: str) -> bool:
        """Whether there is one."""
        return self._file(place).exists()

    def put(self, place: str, picture: bytes) -> None:
        """Keep a picture in the place of what there was.

        Raises:
            Invalid: it is none, or too large, or of nowhere.
            Refused: there are too many.
        """
        if not steps(place):
            raise Invalid("say of which place", "place")
        if len(picture) > LARGEST:
            raise Invalid(f"a picture has at most {LARGEST // 1024 // 1024} MiB")
        kind_of(picture)
        self._directory.mkdir(mode=0o700, exist_ok=True)
        file = self._file(place)
        if not file.exists() and sum(1 for _ in self._directory.iterdir()) >= MOST:
            raise Refused(f"there are {MOST} pictures already: drop one first")
        draft = file.with_suffix(".new")
        with draft.open("wb") as out:
            out.write(picture)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)

    def drop(self, place: str) -> None:
        """Drop a picture.

        Raises:
            NotFound: there is none of that place.
        """
        try:
            self._file(place).unlink()
        except OSError:
            raise NotFound(f"there is no picture of {place!r}") from None

    def _file(self, place: str) -> Path:
        name = hashlib.sha256("/".join(steps(place)).encode()).hexdigest()[:32]
        return self._directory / f"{name}.picture"


def kind_of(picture: bytes) -> str:
    """The media type of a picture, by its first bytes; nothing else is ever said of it.

    Raises:
        Invalid: it is none that every browser shows.
    """
    for beginning, kind in _KINDS:
        if picture.startswith(beginning):
            return kind
    if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        return "image/webp"
    raise Invalid("a picture is PNG, JPEG or WebP")
