"""How long readings are kept, and what remains of them: raw ones, then hourly figures, then nothing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from msgspec import Struct

from diat.adapters.lake.catalog import Holdings, Part, Shelf
from diat.adapters.lake.days import HOUR, name_of
from diat.adapters.lake.history import Lake
from diat.adapters.lake.parts import PartWriter, remove
from diat.adapters.lake.shapes import VALUE, hourly
from diat.kernel.errors import Invalid
from diat.kernel.lazy import Lazy

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = Lazy("pyarrow")

_LOG = logging.getLogger("diat.lake")
_GROUP = 60_000
"""Hourly figures in a row group."""

_LAST = ("observed", "position", "received", *VALUE)
_SOMETHING = " OR ".join(f"{name} IS NOT NULL" for name in VALUE)
_HOURS = f"""
SELECT thing, property, hour, count, numbers, min, max, sum / nullif(numbers, 0) AS mean, sum, all_whole,
  newest,
  {", ".join(f"last.{name} AS {name}" for name in _LAST)}
FROM (
  SELECT thing, property, observed - observed % {HOUR} AS hour, count(*) AS count,
    count(value_number) AS numbers, min(value_number) AS min, max(value_number) AS max,
    fsum(value_number) AS sum, coalesce(bool_and(whole), false) AS all_whole, max(received) AS newest,
    max_by({{{", ".join(f"'{name}': {name}" for name in _LAST)}}}, row(observed, position)) AS last
  FROM read_parquet($files, hive_partitioning = false) WHERE {_SOMETHING} GROUP BY ALL
)
ORDER BY thing, property, hour
"""


class Retention(Struct, frozen=True, kw_only=True):
    """How long what is kept; whole days in UTC, and no less than said.

    Attributes:
        hot_days: days that readings and events stay in the database before they move to Parquet files.
        raw_days: days that readings are kept as they came; None for ever.
        hourly_days: days that hourly figures of dropped readings are kept; None for ever, 0 for none.
        event_days: days that events are kept; None for ever.
    """

    hot_days: int = 7
    raw_days: int | None = None
    hourly_days: int | None = None
    event_days: int | None = None

    def __post_init__(self) -> None:
        if self.hot_days < 1:
            raise Invalid("hot_days must be at least 1", "hot_days")
        for name in ("raw_days", "event_days"):
            days = getattr(self, name)
            if days is not None and days < self.hot_days:
                raise Invalid(f"{name} must not be less than hot_days ({self.hot_days})", name)
        if self.hourly_days and (self.raw_days is None or self.hourly_days < self.raw_days):
            raise Invalid("hourly_days must not be less than raw_days", "hourly_days")


def first_kept(now: int, days: int) -> int:
    """The earliest day that is kept: older ones ended more than ``days`` days before ``now`` (Unix ms)."""
    return now // (24 * HOUR) - days


def drop(lake: Lake, retention: Retention, now: int) -> int:
    """Drop what the policy does not keep at a time in Unix milliseconds; how many days were dropped.

    To be called when nothing of those days is left in the database. Hourly figures are there before the
    readings they are made of go. A day with a file that cannot be read is left alone.
    """
    catalog = lake.catalog
    catalog.refresh()
    holdings = catalog.holdings()
    remove(catalog, holdings.replaced)
    dropped = 0
    if retention.raw_days is not None:
        kept = first_kept(now, retention.raw_days)
        hourly = None if retention.hourly_days is None else first_kept(now, retention.hourly_days)
        for day in sorted(day for day in holdings.parts["readings"] if day < kept):
            wanted = hourly is None or day >= hourly
            dropped += _readings(lake, holdings, day, hourly=wanted and retention.hourly_days != 0)
        if hourly is not None:
            dropped += _before(lake, "hourly", hourly)
    if retention.event_days is not None:
        dropped += _before(lake, "events", first_kept(now, retention.event_days))
    return dropped


def _readings(lake: Lake, holdings: Holdings, day: int, *, hourly: bool) -> int:
    parts = list(holdings.parts["readings"][day])
    if lake.catalog.spoilt("readings", day) or len(lake.reader.sound(parts)) < len(parts):
        return 0
    if hourly:
        _summarize(lake, parts)
    remove(lake.catalog, parts)
    _LOG.info("dropped the readings of %s%s", name_of(day), ", hourly figures remain" if hourly else "")
    return 1


def _summarize(lake: Lake, parts: list[Part]) -> None:
    with PartWriter(lake.catalog, "hourly", parts[0].day) as figures:
        for batch in lake.reader.tables(_HOURS, parts, {}, _GROUP):
            figures.write(pa.Table.from_batches([batch]).select(hourly().names).cast(hourly()))
        if figures.rows:
            figures.finish(min(part.low for part in parts), max(part.high for part in parts))


def _before(lake: Lake, shelf: Shelf, kept: int) -> int:
    shelved = lake.catalog.holdings().parts[shelf]
    days = [day for day in shelved if day < kept]
    remove(lake.catalog, [part for day in days for part in shelved[day]])
    return len(days)
