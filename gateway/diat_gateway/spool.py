"""The spool: what waits to go up, in the gateway's own database, in the transaction that brought it about.

Two lanes, each in order: what is urgent goes first. Messages of a thing are numbered in each lane by
itself, under a name of the lane's own, so that the daemon above sees no gap where one lane overtakes the
other.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Engine

from diat.wire import topics
from diat.wire.envelope import encode
from diat.wire.frame import entry, line, untold

CALM, URGENT = 0, 1
"""Lanes: readings, and what must not wait behind them."""
PARKED = 9
"""Not in a lane yet: a policy lets it leave only later."""
HANDED = 20
"""Added to the lane of what the daemon above has acknowledged; its ``due`` says how far the spool had got."""
OVERHEAD = 120
"""Bytes that a row takes on disk besides its body."""
SUFFIX = ("", "!")
"""What is put to the name of the store in each lane."""

Row = tuple[int, int, int, str, str, str, int | None, int, int | None, str]
"""seq, lane, due, name, channel, store, n, lost, observed, body."""
_COLUMNS = "seq, lane, due, thing, channel, store, n, lost, observed, body"


class Waiting(Struct, frozen=True):
    """A row of the spool."""

    seq: int
    lane: int
    name: str
    channel: str
    store: str
    n: int | None
    lost: int
    observed: int | None
    body: str

    def entry(self, offset: int, off: dict[str, float]) -> bytes:
        """The message as it stands in a frame.

        Args:
            offset: milliseconds by which the clock above is ahead of ours.
            off: bound of what thinning has changed, by property.
        """
        topic = topic_of(self.name, self.channel)
        if self.n is None:
            return entry(topic, self.body.encode())
        boot = encode(self.store + SUFFIX[self.lane])
        at = (self.observed or 0) + offset
        key = b"v" if self.channel == "properties" else b"data"
        said = b'{"b":%b,"n":%d,"t":%d,"%b":%b}' % (boot, self.n, at, key, self.body.encode())
        if self.lost:
            within = b',"within":%b' % encode(off) if off else b""
            gone = b'{"b":%b,"lost":[%d,%d]%b}' % (boot, self.n - self.lost, self.n - 1, within)
            if self.channel != "properties":
                return entry(topics.properties(self.name), gone) + b"," + entry(topic, said)
            said = b"[%b,%b]" % (gone, said)
        return entry(topic, said)


def topic_of(name: str, channel: str) -> str:
    """The topic of a channel of a thing, or of the line."""
    if channel == "td":
        return topics.announcement(name)
    return {"line": line, "untold": untold}.get(channel, lambda each: f"diat/{each}/{channel}")(name)


class Spool:
    """Reads the spool on a connection of its own; it is written by the one writer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def size(self) -> tuple[int, int]:
        """Rows, and about how many bytes they take."""
        found = self._ask("SELECT count(*), coalesce(sum(length(body)), 0) FROM spool WHERE lane < ?", HANDED)
        rows, size = found[0]
        return rows, size + OVERHEAD * rows

    def handed(self, since: int = 0) -> tuple[int, int]:
        """The same of what the daemon above has acknowledged since the spool had got so far."""
        sql = "SELECT count(*), coalesce(sum(length(body)), 0) FROM spool WHERE lane IN (?, ?) AND due >= ?"
        rows, size = self._ask(sql, HANDED + CALM, HANDED + URGENT, since)[0]
        return rows, size + OVERHEAD * rows

    def oldest_handed(self, limit: int) -> list[tuple[int, int, int]]:
        """What was acknowledged first: number, size, and how far the spool had got."""
        sql = "SELECT seq, length(body), due FROM spool WHERE lane IN (?, ?) ORDER BY due, seq LIMIT ?"
        found = self._ask(sql, HANDED + CALM, HANDED + URGENT, limit)
        return [(seq, size + OVERHEAD, due) for seq, size, due in found]

    def highest(self) -> int:
        """The highest number in it."""
        return int(self._ask("SELECT coalesce(max(seq), 0) FROM spool")[0][0])

    def next(self, lane: int, after: int, limit: int, skip: Collection[int] = ()) -> list[Waiting]:
        """The oldest rows of a lane behind a number."""
        found = self._ask(
            f"SELECT {_COLUMNS} FROM spool WHERE lane = ? AND due = 0 AND seq > ? ORDER BY seq LIMIT ?",
            lane,
            after,
            limit,
        )
        return [_waiting(row) for row in found if row[0] not in skip]

    def marks(self) -> list[int]:
        """Numbers of what is said of parts of services, and must not be overtaken."""
        sql = "SELECT seq FROM spool WHERE lane = ? AND due = 0 AND channel LIKE 'parts/%' ORDER BY seq"
        return [seq for (seq,) in self._ask(sql, CALM)]

    def parked(self, now: int, limit: int) -> list[Row]:
        """What may leave by now, oldest first."""
        sql = f"SELECT {_COLUMNS} FROM spool WHERE lane = ? AND due <= ? ORDER BY due, seq LIMIT ?"
        return self._ask(sql, PARKED, now, limit)

    def next_due(self) -> int | None:
        """When what is parked may leave next."""
        found: int | None = self._ask("SELECT min(due) FROM spool WHERE lane = ?", PARKED)[0][0]
        return found

    def since(self, first: int, after: int, limit: int) -> list[Row]:
        """Numbered rows from a number on, in pages."""
        sql = (
            f"SELECT {_COLUMNS} FROM spool WHERE seq >= ? AND seq > ? AND lane < ? AND n IS NOT NULL "
            "ORDER BY seq LIMIT ?"
        )
        return self._ask(sql, first, after, HANDED, limit)

    def _ask(self, sql: str, *values: Any) -> list[Any]:
        connection = self._connection = self._connection or self._engine.connect()
        with connection.begin():
            return [tuple(row) for row in connection.exec_driver_sql(sql, values)]


def _waiting(row: Row) -> Waiting:
    seq, lane, _, name, channel, store, n, lost, observed, body = row
    return Waiting(seq, lane, name, channel, store, n, lost, observed, body)
