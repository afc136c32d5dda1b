"""The backups that a running platform makes: on demand, and by itself every so often; the oldest go."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from diat.kernel.clock import Clock
from diat.kernel.durations import parse_duration
from diat.kernel.errors import Busy, DiatError, NotFound, Unavailable
from diat.operation.backup.receiving import Receiving
from diat.operation.backup.restoring import stage
from diat.operation.backup.sealing import MAGIC
from diat.operation.backup.taking import take

_LOG = logging.getLogger("diat.backup")
_LOOK = 60.0
"""Seconds between two looks at the time."""
_AGAIN = 3_600_000
"""Milliseconds until another attempt after one that failed."""
_NAME = re.compile(r"diat-(\d{8}T\d{9}Z)(-auto)?\.backup")
NAME = _NAME.pattern


class Backup(Struct, frozen=True, kw_only=True):
    """A backup of a running platform.

    Attributes:
        name: of its file.
        made: Unix milliseconds.
        bytes: how large it is by now.
        state: ``making``, ``ready``, ``coming back``, or ``failed`` (of what was done last alone).
        by: whether a ``person`` or the ``schedule`` made it.
        sealed: whether a passphrase is needed to bring it back.
        progress: how much of it is done, 0 to 1.
        error: why it failed.
    """

    name: str
    made: int
    bytes: int = 0
    state: Literal["making", "ready", "coming back", "failed"] = "ready"
    by: Literal["person", "schedule"] = "person"
    sealed: bool = False
    progress: float = 1.0
    error: str = ""


class _Stopped(Exception):
    """The platform stops."""


class Shelf:
    """All backups of a platform; any thread may ask.

    Args:
        data: what is backed up.
        directory: where the backups lie.
        clock: answers with Unix milliseconds.
        wanted: how often one is made by itself (``1d``), None for never; and how many of those are kept.
        passphrase: seals those for which nothing else is said.
        restart: starts the platform again, to have a backup put in place.
    """

    def __init__(
        self,
        data: Path,
        directory: Path,
        clock: Clock,
        wanted: Callable[[], tuple[str | None, int]],
        passphrase: str = "",
        restart: Callable[[], None] = lambda: None,
    ) -> None:
        self._restart = restart
        self._data = data
        self.directory = directory
        self._clock = clock
        self._wanted = wanted
        self._passphrase = passphrase
        self._making: Backup | None = None
        self._failed: Backup | None = None
        self._job: threading.Thread | None = None
        self._guard = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="diat-backups")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is being made is given up."""
        self._stopping.set()
        for each in (self._thread, self._job):
            if each is not None and each.ident is not None:
                each.join()

    def everything(self) -> list[Backup]:
        """All backups, newest first, with the one that is being made, and the last one if it failed."""
        found = {}
        if self.directory.is_dir():
            found = {
                path.name: each for path in self.directory.iterdir() if (each := _read(path)) is not None
            }
        for each in (self._failed, self._making):
            if each is not None:
                found[each.name] = each
        return sorted(found.values(), key=lambda each: (each.made, each.name), reverse=True)

    def get(self, name: str) -> Backup:
        """One backup.

        Raises:
            NotFound: there is none of that name.
        """
        found = next((each for each in self.everything() if each.name == name), None)
        if found is None:
            raise NotFound(f"there is no backup {name[:60]!r}")
        return found

    def path(self, name: str) -> Path:
        """The file of a backup that is ready.

        Raises:
            NotFound: there is none of that name.
            Unavailable: it is not ready.
        """
        self.get(name)
        path = self.directory / name
        if not path.is_file():
            raise Unavailable(f"the backup {name} is not ready")
        return path

    def make(self, passphrase: str | None = None, *, by: Literal["person", "schedule"] = "person") -> Backup:
        """Begin to make one; it is made in a thread of its own.

        Raises:
            Busy: another one is being made.
            Unavailable: the platform stops.
        """
        with self._guard:
            self._must_be_idle()
            now = self._clock()
            begun = Backup(name=_name(now, by), made=now, state="making", by=by, progress=0.0)
            self._making, self._failed = begun, None
            secret = self._passphrase if passphrase is None else passphrase
            self._job = threading.Thread(target=self._make, args=(begun, secret), name="diat-backup")
            self._job.start()
        return begun

    def bring_back(self, name: str, passphrase: str | None = None) -> Backup:
        """Begin to bring one back; once it is ready the platform starts again with it.

        Raises:
            NotFound: there is none of that name.
            Busy: a backup is being made or brought back.
            Unavailable: it is not ready, or the platform stops.
        """
        path = self.path(name)
        with self._guard:
            self._must_be_idle()
            secret = self._passphrase if passphrase is None else passphrase
            begun = self._making = replace(self.get(name), state="coming back", progress=0.0)
            self._failed = None
            self._job = threading.Thread(target=self._bring, args=(begun, path, secret), name="diat-restore")
            self._job.start()
        return begun

    def receive(self, name: str, size: int) -> Receiving:
        """Begin to take one that was made elsewhere, of so many bytes; it is on the shelf once it is whole.

        Raises:
            Busy: another one is coming, is being made or brought back.
            Unavailable: the platform stops.
        """
        with self._guard:
            self._must_be_idle()
        return Receiving(self.directory, name, size)

    def remove(self, name: str) -> None:
        """Remove a backup.

        Raises:
            NotFound: there is none of that name.
            Busy: it is being made.
        """
        found = self.get(name)
        if found.state in ("making", "coming back"):
            raise Busy("it is being made or brought back")
        if found is self._failed:
            self._failed = None
        (self.directory / name).unlink(missing_ok=True)

    def _must_be_idle(self) -> None:
        if self._stopping.is_set():
            raise Unavailable("the platform is stopping")
        if self._job is not None and self._job.is_alive():
            raise Busy("a backup is being made or brought back")

    def _tell(self, begun: Backup) -> Callable[[int, int], None]:
        def told(done: int, total: int) -> None:
            if self._stopping.is_set():
                raise _Stopped
            self._making = replace(begun, progress=round(done / max(total, 1), 3))

        return told

    def _bring(self, begun: Backup, path: Path, passphrase: str) -> None:
        try:
            with path.open("rb") as source:
                stage(self._data, source, self._clock(), passphrase, self._tell(begun))
            _LOG.warning("the backup %s is put in place by a restart", begun.name)
            self._restart()
        except _Stopped:
            _LOG.info("the backup %s was not brought back: the platform stops", begun.name)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told where people look
            self._fail(begun, error)
        finally:
            self._making = None

    def _fail(self, begun: Backup, error: Exception) -> None:
        what = "the backup %s %s: %s"
        did = "does not come back" if begun.state == "coming back" else "failed"
        if isinstance(error, DiatError | OSError):
            _LOG.error(what, begun.name, did, error)
        else:
            _LOG.exception(what, begun.name, did, error)
        self._failed = replace(begun, state="failed", error=str(error))

    def _make(self, begun: Backup, passphrase: str) -> None:
        draft = self.directory / f".{begun.name}"
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in self.directory.glob(".diat-*.backup"):  # of one that was killed
                left.unlink()
            with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                take(self._data, out, begun.made, passphrase, self._tell(begun))
            draft.rename(self.directory / begun.name)
            _LOG.info("made the backup %s", begun.name)
            if begun.by == "schedule":
                self._thin_out()
        except _Stopped:
            _LOG.info("the backup %s was given up: the platform stops", begun.name)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told where people look
            self._fail(begun, error)
        finally:
            self._making = None
            with suppress(OSError):
                draft.unlink(missing_ok=True)

    def _whole(self) -> dict[str, Backup]:
        """Those that are there as a whole, by name."""
        if not self.directory.is_dir():
            return {}
        return {path.name: each for path in self.directory.iterdir() if (each := _read(path)) is not None}

    def _thin_out(self) -> None:
        kept = self._wanted()[1]
        own = [each for each in self._whole().values() if each.by == "schedule"]
        for each in sorted(own, key=lambda each: each.made, reverse=True)[kept:]:
            (self.directory / each.name).unlink(missing_ok=True)

    def _run(self) -> None:
        while not self._stopping.wait(min(_LOOK, self._rest())):
            every = self._wanted()[0]
            if every is not None and self._due(parse_duration(every)) <= self._clock():
                try:
                    self.make(by="schedule")
                except DiatError as error:
                    _LOG.info("no backup by itself just now: %s", error)

    def _rest(self) -> float:
        every = self._wanted()[0]
        if every is None:
            return _LOOK
        return max(0.05, (self._due(parse_duration(every)) - self._clock()) / 1000)

    def _due(self, every: int) -> int:
        """When the next one is to be made by itself, Unix milliseconds."""
        own = [each for each in self.everything() if each.by == "schedule"]
        if not own:
            return 0
        return own[0].made + (every if own[0].state != "failed" else min(every, _AGAIN))


def _name(made: int, by: str) -> str:
    stamp = datetime.fromtimestamp(made // 1000, UTC).strftime("%Y%m%dT%H%M%S")
    return f"diat-{stamp}{made % 1000:03d}Z{'-auto' if by == 'schedule' else ''}.backup"


def _read(path: Path) -> Backup | None:
    name = _NAME.fullmatch(path.name)
    if name is None:
        return None
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            sealed = file.read(len(MAGIC)) == MAGIC
        begun = datetime.strptime(name[1][:-4] + "+0000", "%Y%m%dT%H%M%S%z")
    except (OSError, ValueError):
        return None
    made = int(begun.timestamp()) * 1000 + int(name[1][-4:-1])
    by: Literal["person", "schedule"] = "schedule" if name[2] else "person"
    return Backup(name=path.name, made=made, bytes=size, by=by, sealed=sealed)
