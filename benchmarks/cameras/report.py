"""What was measured, as tables for people, and each bar with whether it held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.cameras import judging
from benchmarks.cameras.judging import Verdict


@dataclass(frozen=True)
class Bar:
    """One thing that must hold."""

    name: str
    asks: str
    came: str
    held: bool


def verdicts(console: Console, title: str, rows: Sequence[Verdict]) -> None:
    """The four numbers of each run."""
    table = Table(title=title, title_justify="left")
    for column in ("run", "what", "saving", "found", "told", "recall", "precision", "quality", "misses"):
        table.add_column(column, overflow="fold")
    for each in rows:
        found, video = each.score, each.kind == "video"
        table.add_row(
            each.name, each.kind, f"{each.saving:.1%}", f"{found.found}/{found.true}",
            "-" if video else str(found.reported), f"{found.recall:.2f}",
            "-" if video else f"{found.precision:.2f}", each.detail, "; ".join(each.missed) or "-",
        )  # fmt: skip
    console.print(table)


def line(each: Verdict) -> str:
    """One run in a line."""
    found, video = each.score, each.kind == "video"
    told = "" if video else f", precision {found.precision:.2f}"
    missed = f"  MISSES {'; '.join(each.missed)}" if each.missed else ""
    return f"{each.kind} saves {each.saving:.1%}, recall {found.recall:.2f}{told}{missed}"


def together(name: str, cameras: Sequence[Verdict]) -> Bar:
    """The bar of one kind of sending, over the cameras of one scene together."""
    found = sum((each.score for each in cameras[1:]), cameras[0].score)
    saving = sum(each.saving for each in cameras) / len(cameras)
    if cameras[0].kind == "records":
        asks = f"saving >= {judging.SAVES:.1%}, recall >= {judging.RECALL}, precision >= {judging.PRECISION}"
        held = (
            saving >= judging.SAVES
            and found.recall >= judging.RECALL
            and found.precision >= judging.PRECISION
            and not any(each.refused for each in cameras)
        )
        came = f"{saving:.1%}, {found.recall:.2f} ({found.found}/{found.true}), {found.precision:.2f}"
    else:
        asks = f"each camera: saving >= idle - {judging.LAW:.0%}, recall 1.0, objects as in the baseline"
        held = not any(each.missed for each in cameras)
        came = f"{saving:.1%}, {found.recall:.2f} ({found.found}/{found.true})"
    alone = sum(not each.missed for each in cameras)
    return Bar(
        f"{name}: {cameras[0].kind}", asks, f"{came}; {alone} of {len(cameras)} cameras hold it alone", held
    )


def one(each: Verdict) -> Bar:
    """The bar of a run that stands for itself."""
    found = each.score
    came = f"{each.saving:.1%}, {found.recall:.3f}, {found.precision:.3f}, {each.detail}"
    asks = (
        f"recall >= {judging.MAP_RECALL}, precision >= {judging.MAP_PRECISION}, "
        f"median error <= {judging.MAP_ERROR} m"
    )
    return Bar(f"{each.name}: {each.kind}", asks, came, each.passed)


def control(each: Verdict) -> Bar:
    """A control holds if it misses."""
    return Bar(each.name, "must miss", "; ".join(each.missed) or "passed", not each.passed)


def summary(console: Console, bars: Sequence[Bar], took: float) -> None:
    """All bars, and what that comes to."""
    table = Table(title="What must hold", title_justify="left")
    for column in ("what", "bar", "measured", ""):
        table.add_column(column, overflow="fold")
    for bar in bars:
        table.add_row(bar.name, bar.asks, bar.came, "held" if bar.held else "MISSED")
    console.print(table)
    missed = [bar.name for bar in bars if not bar.held]
    told = f"missed: {', '.join(missed)}" if missed else "all bars held"
    console.print(f"{len(bars)} bars, {told}; {took / 60:.1f} minutes")
