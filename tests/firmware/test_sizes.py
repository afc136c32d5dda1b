"""What the firmware takes on a chip, held to the table in docs/reference/firmware.md."""

from __future__ import annotations

import re

from tests.firmware import nodes
from tests.firmware.conftest import ROOT, until

TABLE = ROOT / "docs" / "reference" / "firmware.md"
CORE = {*nodes.IMPORTS, "__init__", "start", "wifi"}
"""What every node loads; the rest is loaded by those that use it."""
MOST_CORE = 20 * 1024
MOST_RAM = 40 * 1024


def table() -> dict[str, int]:
    """File to bytes, as the document says."""
    rows = re.findall(r"^\| `(\S+)\.mpy` \|.*\| ([\d,]+) \|$", TABLE.read_text(), re.MULTILINE)
    return {name: int(size.replace(",", "")) for name, size in rows}


def test_the_table_of_sizes_is_true(compiled):
    sizes = {
        str(path.relative_to(compiled / "diat_node").with_suffix("")): path.stat().st_size
        for path in (compiled / "diat_node").rglob("*.mpy")
    }
    assert table() == sizes


def test_the_core_fits(compiled):
    assert sum((compiled / "diat_node" / f"{name}.mpy").stat().st_size for name in CORE) <= MOST_CORE


def test_ram_after_boot(boards, mosquitto, tmp_path):
    board = boards(heap=64, folder=tmp_path)
    before = board.heap
    board.run("import diat_node.start")
    nodes.start(board, mosquitto.port)
    until(lambda: board.give("life.state") == "online" and board.give("len(life.ring)") == 0)
    took = board.heap - before
    print(f"\nRAM after boot: {took:,} B")
    said = re.search(r"RAM after boot: ([\d,]+) B", TABLE.read_text())
    assert said, "the document does not say what the RAM after boot is"
    assert took <= MOST_RAM
    # The heap is in blocks, and what waits just then differs.
    assert abs(took - int(said[1].replace(",", ""))) <= 1024
