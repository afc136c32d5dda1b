"""Reading what ``exporting`` writes, and CSV files of others that have at least its most needed columns.

A CSV needs ``thing,property,observed,value``. ``received`` is as observed if it is left out, ``quality`` is
good; without ``kind`` a value that is JSON is that, and any other is text.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from diat.adapters.lake.exporting import layout
from diat.adapters.lake.shapes import VALUE, together
from diat.kernel.clock import parse_time
from diat.kernel.errors import Invalid, NotFound
from diat.kernel.lazy import Lazy

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
else:
    pa = Lazy("pyarrow")
    pq = Lazy("pyarrow.parquet")
    pc = Lazy("pyarrow.compute")

LONGEST = 16 * 1024 * 1024
"""Characters of one field of a CSV file."""
LARGEST = 512 * 1024 * 1024
"""Bytes that one piece of a Parquet file may become."""
LATEST = 253_402_300_800_000
"""The year 10000, Unix milliseconds."""

_WRONG = (ValueError, TypeError, OverflowError, RecursionError, msgspec.MsgspecError)
_decode = msgspec.json.Decoder().decode
_SPARED = re.compile(r"'+[=+\-@\t\r]")
_NEEDED = ("thing", "property", "observed", "value")
_QUALITIES = ("good", "uncertain", "bad")


@cache
def _coded() -> pa.Schema:
    """The columns of an export with each text kept once."""
    return pa.schema(
        [
            (field.name, pa.dictionary(pa.int32(), pa.string()) if field.type == pa.string() else field.type)
            for field in layout()
        ]
    )


class Given(Struct, frozen=True):
    """One reading of a file."""

    thing: str
    name: str
    observed: int
    received: int
    quality: str
    value: Any


def read_lines(file: Path) -> Iterator[Given]:
    """The readings of a file, a Parquet file if its name ends so, else CSV.

    Raises:
        Invalid: it cannot be read, or a line is wrong; the message names the line.
    """
    read = _parquet if file.suffix.lower() == ".parquet" else _csv
    try:
        yield from read(file)
    except OSError as error:
        raise Invalid(f"{file} cannot be read ({error.strerror or error})") from None
    except (pa.ArrowException, csv.Error, UnicodeDecodeError) as error:
        raise Invalid(f"{file} cannot be read: {error}") from None


def count_lines(file: Path, known: Mapping[str, int]) -> int:
    """How many readings a file has.

    Raises:
        NotFound: one of them is of a thing that is not known.
        Invalid: it cannot be read, or a line is wrong.
    """
    count = 0
    for each in read_lines(file):
        if each.thing not in known:
            raise NotFound(f"{file}: there is no thing {each.thing!r} here: let it announce itself first")
        count += 1
    return count


def _csv(file: Path) -> Iterator[Given]:
    csv.field_size_limit(LONGEST)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        reader = csv.DictReader(opened, strict=True)
        lacking = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
        if lacking:
            raise Invalid(f"{file} has no column {', '.join(lacking)}")
        for row in reader:
            try:
                observed = _time(row["observed"])
                received = _time(row["received"]) if row.get("received") else observed
                given = Given(
                    _as_it_was(row["thing"]) if row.get("kind") else row["thing"],
                    _as_it_was(row["property"]) if row.get("kind") else row["property"],
                    observed,
                    received,
                    row.get("quality") or "good",
                    _value(row["value"], row.get("kind") or ""),
                )
                _check(given)
            except _WRONG as error:
                raise Invalid(f"{file}, line {reader.line_num}: {_plain(error)}") from None
            yield given


def _time(text: str | None) -> int:
    # A cell that is missing is None.
    return parse_time((text or "").strip().replace(" ", "T", 1))


def _as_it_was(text: str) -> str:
    """A text without the apostrophe that an export puts before what looks like a formula."""
    return text[1:] if _SPARED.match(text) else text


def _value(text: str, kind: str) -> Any:
    if kind == "string":
        return _as_it_was(text)
    if kind == "null":
        return None
    try:
        return _decode(text)
    except msgspec.DecodeError:
        if kind:
            raise
        return text


def _parquet(file: Path) -> Iterator[Given]:
    texts = [field.name for field in layout() if field.type == pa.string()]
    # A few bytes can stand for many texts: they are counted before they are made.
    with pq.ParquetFile(file, read_dictionary=texts) as opened:
        if not opened.schema_arrow.equals(_coded()):
            raise Invalid(f"{file} does not have the columns of an export")
        at = 0
        for group in range(opened.num_row_groups):
            if opened.metadata.row_group(group).total_byte_size > LARGEST:
                raise Invalid(f"{file}: more than {LARGEST} bytes in one piece")
        for batch in opened.iter_batches(batch_size=10_000):
            if sum(_size(batch.column(name)) for name in texts) > LARGEST:
                raise Invalid(f"{file}, after row {at}: more than {LARGEST} bytes of text in 10000 rows")
            # Times as the numbers that they are inside: dates of Python would only be turned back.
            times = [batch.column(name).cast(pa.int64()) for name in ("observed", "received")]
            others = [batch.column(name) for name in ("thing", "property", "quality", *VALUE)]
            columns = [column.to_pylist() for column in (*times, *others)]
            for observed, received, thing, name, quality, *value in zip(*columns, strict=True):
                at += 1
                try:
                    given = Given(thing, name, observed, received, quality, together(*value))
                    _check(given)
                except _WRONG as error:
                    raise Invalid(f"{file}, row {at}: {_plain(error)}") from None
                yield given


def _plain(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)[:300]


def _size(column: pa.Array) -> int:
    """Bytes of the texts of a column, each counted as often as it stands there."""
    lengths = pc.take(pc.binary_length(column.dictionary), column.indices)
    return pc.sum(lengths).as_py() or 0


def _check(given: Given) -> None:
    if not given.thing or not given.name:
        raise ValueError("no thing or no property")
    for time in (given.observed, given.received):
        if not 0 <= time < LATEST:
            raise ValueError(f"{time} ms is not between the years 1970 and 9999")
    if given.quality not in _QUALITIES:
        raise ValueError(f"the quality {given.quality!r} is none of {', '.join(_QUALITIES)}")
