"""The audit as it is kept: its table, sealed files of what was moved out of it, and its head in a file.

Sealed files lie beside the head in ``audit/`` of the data directory, named by the number of their first
entry. Each is one chain with the next, and the last with the table.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Engine

from diat.kernel.errors import Invalid, Unavailable
from diat.security.audit import FIRST, Audit, Head, Row, faults

_LOG = logging.getLogger("diat.audit")
KEPT = 100_000
"""Entries that stay in the table at least."""
MOVED = 50_000
"""Entries of one sealed file."""
_PAGE = 5_000
_LINE = re.compile(r'\{"link":"([0-9a-f]{64})","entry":(.*)\}', re.DOTALL)


def line_of(row: Row) -> str:
    """A row as a line of an export: its link, and its body as it is."""
    return f'{{"link":"{row[2]}","entry":{row[1]}}}\n'


def row_of(line: str, where: str) -> Row:
    """A row of a line.

    Raises:
        Invalid: it is none.
    """
    match = _LINE.fullmatch(line.rstrip("\n"))
    try:
        no = msgspec.json.decode(match[2])["no"] if match is not None else None
    except (msgspec.DecodeError, KeyError, TypeError):
        no = None
    if match is None or not isinstance(no, int):
        raise Invalid(f"{where} is no entry of an audit: {line[:80]!r}")
    return no, match[2], match[1]


class KeptHead(Struct, frozen=True, omit_defaults=True):
    """The head beside the database.

    Attributes:
        no: number of the last entry, ``link`` its link.
        following: the head of the batch that is being written: after a kill the audit ends at one of the two.
    """

    no: int = 0
    link: str = FIRST
    following: Head | None = None

    @property
    def head(self) -> Head:
        """Where the audit ends for sure."""
        return Head(self.no, self.link)

    def admits(self, last: Head) -> bool:
        """Whether the audit may end there."""
        return last in (self.head, self.following)


class KeptAudit:
    """Reads what is kept of an audit. Any thread may ask.

    Args:
        engine: the database.
        directory: where the head and the sealed files are.
    """

    def __init__(self, engine: Engine, directory: Path) -> None:
        self._engine = engine
        self.directory = directory

    def last(self) -> Head:
        """The last entry of the table; of the sealed files if it has none."""
        query = "SELECT no, link FROM audit ORDER BY no DESC LIMIT 1"
        with self._engine.connect() as connection:
            found = connection.exec_driver_sql(query).first()
        if found is not None:
            return Head(found[0], found[1])
        last = Head()
        for no, _, link in self.sealed():
            last = Head(no, link)
        return last

    def count(self) -> int:
        """How many entries the table has."""
        with self._engine.connect() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM audit").scalar() or 0)

    def rows(self, behind: int = 0, upto: int = 2**62) -> Iterator[Row]:
        """The rows of the table behind a number, in order; a portion at a time."""
        query = "SELECT no, body, link FROM audit WHERE no > ? AND no <= ? ORDER BY no LIMIT ?"
        while True:
            with self._engine.connect() as connection:
                found = connection.exec_driver_sql(query, (behind, upto, _PAGE)).all()
            yield from ((no, str(body), str(link)) for no, body, link in found)
            if len(found) < _PAGE:
                return
            behind = found[-1][0]

    def newest(
        self, limit: int, before: int | None, who: str | None, outcome: str | None, words: str | None
    ) -> list[dict[str, Any]]:
        """Entries of the table, newest first.

        Args:
            limit: how many at most.
            before: only with a number below this one.
            who: only of this principal.
            outcome: only with this one.
            words: only where ``did`` has these in it.
        """
        query = (
            "SELECT body, link FROM audit WHERE no < ?"
            " AND (? IS NULL OR body ->> '$.who' = ?)"
            " AND (? IS NULL OR body ->> '$.outcome' = ?)"
            " AND (? IS NULL OR instr(body ->> '$.did', ?) > 0) ORDER BY no DESC LIMIT ?"
        )
        asked = (2**62 if before is None else before, who, who, outcome, outcome, words, words, limit)
        with self._engine.connect() as connection:
            found = connection.exec_driver_sql(query, asked).all()
        return [{**msgspec.json.decode(body), "link": link} for body, link in found]

    def sealed(self) -> Iterator[Row]:
        """The rows of the sealed files, in order."""
        for file in sorted(self.directory.glob("[0-9]*.jsonl")):
            with file.open(encoding="utf-8") as lines:
                for at, line in enumerate(lines, start=1):
                    yield row_of(line, f"{file.name}:{at}")

    def everything(self) -> Iterator[Row]:
        """All rows, of the sealed files and of the table; those that are in both once."""
        last = 0
        for row in self.sealed():
            last = row[0]
            yield row
        yield from self.rows(last)

    def head(self) -> KeptHead | None:
        """The head as it is kept in its file; None if there is none."""
        try:
            return msgspec.json.decode((self.directory / "head.json").read_bytes(), type=KeptHead)
        except (FileNotFoundError, msgspec.DecodeError, msgspec.ValidationError):
            return None

    def verify(self, along: Callable[[Iterator[Row]], Iterator[Row]] = iter) -> tuple[int, list[str]]:
        """How many entries there are, and what is wrong with them, for a person; the daemon may be running.

        Args:
            along: is handed the rows and hands them on.
        """
        before = self.head()
        last = Head()

        def told() -> Iterator[Row]:
            nonlocal last
            for row in along(self.everything()):
                last = Head(row[0], row[2])
                yield row

        try:
            found = list(faults(told(), Head(), None))
        except Invalid as error:
            return last.no, [str(error)]
        after = self.head()
        known = [each for each in (before, after) if each is not None]
        if any(each.admits(last) for each in known) or (before is None and not last.no):
            return last.no, found
        if before is None:
            return last.no, [*found, "the head that is kept beside the database is not there"]
        if after is not None and before.no < last.no < after.no:
            return last.no, found  # it is being written
        return last.no, found + list(faults((), last, before.head))


class AuditKeeper:
    """Keeps the head in its file, and moves out what becomes too much. Used by the writer and a thread."""

    def __init__(self, kept: KeptAudit, audit: Audit) -> None:
        self._kept = kept
        self._audit = audit
        self._count = kept.count()
        self._last = audit.head.no
        self._thread: threading.Thread | None = None
        kept.directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def begin(self) -> None:
        """Hold the table to the head that was kept, and note it if they differ; then keep each new one."""
        head, last = self._kept.head(), self._audit.head
        self._audit.on_next, self._audit.on_head = self._expect, self._keep
        if not (head.admits(last) if head is not None else last.no == 0):
            found = list(faults((), last, head.head)) if head is not None else ["its head was not there"]
            why = "; ".join(found)
            _LOG.error("the audit is not as it was left: %s", why)
            self._audit.note("daemon:", "found the audit other than it was left", "noted", why=why)

    def stop(self) -> None:
        """Wait for what is being moved."""
        if self._thread is not None:
            self._thread.join()

    def _expect(self, head: Head, following: Head) -> None:
        """Write where the audit is going to end, before it does."""
        try:
            self._write(KeptHead(head.no, head.link, following))
        except OSError as error:
            raise Unavailable(f"the head of the audit cannot be written: {error}") from error

    def _write(self, head: KeptHead) -> None:
        draft = self._kept.directory / ".head"
        draft.write_bytes(msgspec.json.encode(head))
        draft.replace(self._kept.directory / "head.json")

    def _keep(self, head: Head) -> None:
        self._write(KeptHead(head.no, head.link))
        self._count += head.no - self._last
        self._last = head.no
        if self._count >= KEPT + MOVED and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._move, name="diat-audit")
            self._thread.start()

    def _move(self) -> None:
        """Write the oldest entries into a sealed file; once that is on the disk they leave the table."""
        try:
            first = next(self._kept.rows(), None)
            if first is None:
                return
            upto = first[0] + MOVED - 1
            write_sealed(self._kept.directory, self._kept.rows(upto=upto), first[0])
        except OSError as error:
            _LOG.error("the audit cannot be moved out of the database: %s", error)
            self._count -= MOVED // 10  # tried again after so many further ones
            return
        self._count -= MOVED
        self._audit.submit(lambda: self._audit.forget(upto))


def write_sealed(directory: Path, rows: Iterable[Row], first: int) -> Path:
    """Write rows into a sealed file; it is there as a whole or not at all."""
    path = directory / f"{first:012d}.jsonl"
    draft = path.with_name(f".{path.name}")
    with draft.open("w", encoding="utf-8") as file:
        file.writelines(map(line_of, rows))
        file.flush()
        os.fsync(file.fileno())
    draft.chmod(0o600)
    draft.replace(path)
    return path


def lines(rows: Iterator[Row]) -> Iterator[str]:
    """Rows as an export, a portion of lines at a time."""
    while some := "".join(map(line_of, islice(rows, 1000))):
        yield some
