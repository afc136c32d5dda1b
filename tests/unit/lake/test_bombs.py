"""Files that are small and would become large, or are made to break who reads them: refused, and soon."""

import csv
import resource
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diat.adapters.lake.exporting import HEADER, layout
from diat.adapters.lake.lines import read_lines
from diat.kernel.errors import Invalid

FULL = {"thing": "urn:dev:x", "property": "p", "observed": 1, "received": 1, "quality": "good",
        "value_number": None, "whole": None, "value_bool": None, "value_text": None,
        "value_json": None}  # fmt: skip


def parquet(path, **row):
    columns = [pa.array([{**FULL, **row}[field.name]], field.type) for field in layout()]
    pq.write_table(pa.table(columns, schema=layout()), path, compression="zstd")


@pytest.mark.parametrize("name", ["thing", "value_text", "value_json"])
def test_a_text_that_stands_there_ten_thousand_times_is_counted_before_it_is_made(tmp_path, name):
    path = tmp_path / "bomb.parquet"
    text = "x" * 1024 * 1024
    codes = pa.DictionaryArray.from_arrays(pa.array([0] * 10_000, pa.int32()), pa.array([text]))
    arrays = [
        codes.cast(pa.dictionary(pa.int32(), pa.string())) if field.name == name
        else pa.array([FULL[field.name]] * 10_000, field.type)
        for field in layout()
    ]  # fmt: skip
    schema = pa.schema([(f.name, a.type) for f, a in zip(layout(), arrays, strict=True)])
    pq.write_table(pa.table(arrays, schema=schema), path, compression="zstd", store_schema=False)
    assert path.stat().st_size < 200_000
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Invalid, match=r"bytes of text in 10000 rows|bytes in one piece"):
        list(read_lines(path))
    assert time.monotonic() - began < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 * 1024


def test_json_without_a_bottom_is_told(tmp_path):
    path = tmp_path / "deep.parquet"
    parquet(path, value_json="[" * 100_000)
    with pytest.raises(Invalid):
        list(read_lines(path))


@pytest.mark.parametrize("value", ["[" * 100_000, '{"a":' * 50_000, "1e999", "9" * 5000])
def test_a_cell_of_json_that_is_none_is_told_with_its_line(tmp_path, value):
    path = tmp_path / "x.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerow(["urn:x", "p", "2026-01-01T00:00:00Z", "", "good", "json", value])
    with pytest.raises(Invalid, match="line 2"):
        list(read_lines(path))
