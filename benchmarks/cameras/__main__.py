"""``python -m benchmarks.cameras``: the two systems of cameras, measured; ends with 1 if a bar is missed."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.cameras import clips, costs, report, running, work
from benchmarks.cameras.judging import Verdict
from benchmarks.cameras.report import Bar
from benchmarks.cameras.work import Piece
from benchmarks.vehicles import cases
from diat.kernel.errors import DiatError

EXAMPLES = """\
examples:
  python -m benchmarks.cameras                          all of it, about ten minutes on two cores
  python -m benchmarks.cameras --quick                  two kinds of weather, no six cases: does it run?
  python -m benchmarks.cameras --seconds 180 --events 15 --seed 100    longer, and scenes nobody has seen
  python -m benchmarks.cameras cases                    the six cases of who computes what
  python -m benchmarks.cameras score CLIP --truth FILE  a clip of your own (docs/reference/cameras.md)
  PETS_TRUTH=gt.txt python -m benchmarks.cameras        with the annotation of Debian's clip
"""
WIDE = 150
"""Columns of what is printed where there is no terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit code."""
    options = _options(arguments)
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console = Console(highlight=False, soft_wrap=True, width=WIDE)
    try:
        if options.what == "cases":
            return _cases(console, options)
        with running.post() as post:
            if options.what == "score":
                return _score(options, console, post.port)
            return _all(options, console, post.port)
    except (DiatError, OSError) as failure:
        console.print(f"benchmark failed: {failure}", markup=False)
        return 1


def _all(options: argparse.Namespace, console: Console, port: int) -> int:
    began = time.monotonic()
    names = options.weather or (["day", "night"] if options.quick else list(work.WEATHER))
    pieces = [
        *_pets(options, console),
        Piece("controls", seed=options.seed, seconds=options.seconds, events=options.events),
        *work.scenes(names, options.seed, options.seconds, options.events),
    ]
    done = {each.piece: each.verdicts for each in _watched(console, pieces, port, options.jobs, began)}
    bars = []
    rows: list[Verdict] = []
    for name in names:
        for kind in ("records", "video"):
            found = [
                v
                for p in pieces
                if p.what == "scene" and p.weather == name
                for v in done[p]
                if v.kind == kind
            ]
            rows += found
            bars.append(report.together(name, found))
    report.verdicts(console, "Generated scenes, each camera by itself", rows)
    for piece in pieces:
        if piece.what == "map":
            bars += [report.one(each) for each in done[piece]]
        if piece.what == "controls":
            bars += [report.control(each) for each in done[piece]]
    costs.report(console)
    if not options.quick:
        held = _cases(console, options) == 0
        bars.append(Bar("six cases of who computes what", "the model's order holds", "see above", held))
    report.summary(console, bars, time.monotonic() - began)
    return int(not all(bar.held for bar in bars))


def _watched(
    console: Console, pieces: Sequence[Piece], port: int, jobs: int, began: float
) -> Sequence[work.Done]:
    """Run the pieces, with a line for each that is done."""
    all_done = []
    for done in work.run(pieces, port, jobs):
        all_done.append(done)
        passed = time.monotonic() - began
        console.print(
            f"[{len(all_done)}/{len(pieces)}] {passed // 60:.0f}:{passed % 60:02.0f} {done.piece.name}: "
            + "; ".join(report.line(each) for each in done.verdicts),
            markup=False,
        )
    return all_done


def _cases(console: Console, options: argparse.Namespace) -> int:
    """Vehicle localisation, as ``python -m benchmarks.vehicles`` has it."""
    return cases.run(console, options.seed, 30.0, 5, 480, options.plots)


def _pets(options: argparse.Namespace, console: Console) -> list[Piece]:
    path, noted = clips.pets(options.cache), options.truth or clips.annotation()
    if path is None or noted is None:
        console.print(
            "Debian's clip: left out; it needs apt-get (or opencv-doc) and PETS_TRUTH=FILE, the MOT15 "
            "annotation of PETS09-S2L1, whose licence does not let us ship it"
        )
        return []
    return [Piece("map", path=path, known=noted)]


def _score(options: argparse.Namespace, console: Console, port: int) -> int:
    if options.clip is None or options.truth is None:
        console.print("score needs CLIP and --truth FILE")
        return 2
    pieces = [Piece("clip", path=options.clip, known=options.truth)]
    found = [v for done in work.run(pieces, port, 1) for v in done.verdicts]
    report.verdicts(console, str(options.clip), found)
    return int(not all(each.passed for each in found))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.cameras",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="?", choices=("all", "score", "cases"), default="all")
    parser.add_argument("clip", nargs="?", type=Path)
    parser.add_argument("--truth", type=Path, help="what happened in the clip, or MOT annotation")
    parser.add_argument("--quick", action="store_true", help="two kinds of weather, no six cases")
    parser.add_argument("--weather", nargs="+", choices=list(work.WEATHER), help="only these  [default: all]")
    parser.add_argument("--seed", type=int, default=1, help="of the first scene (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=40.0, help="of a scene (default %(default)s)")
    parser.add_argument("--events", type=int, default=3, help="of a scene (default %(default)s)")
    parser.add_argument(
        "--jobs",
        type=int,
        default=min(work.SIDE_BY_SIDE, os.cpu_count() or 1),
        help="cameras measured side by side (default %(default)s)",
    )
    parser.add_argument(
        "--cache", type=Path, default=Path.home() / ".cache" / "diat-bench", help="for Debian's clip"
    )
    parser.add_argument("--plots", type=Path, help="directory to write the plots of the six cases to")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
