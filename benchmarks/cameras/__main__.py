"""``python -m benchmarks.cameras``: the two systems of cameras, measured; ends with 1 if a bar is missed."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import cv2
from diat_gateway.cameras import truth
from diat_gateway.cameras.scenes.scene import Scene, Weather
from rich.console import Console
from rich.table import Table

from benchmarks.cameras import clips, costs, measuring, running
from benchmarks.cameras.judging import Verdict
from benchmarks.vehicles import cases
from diat.kernel.errors import DiatError

EXAMPLES = """\
examples:
  python -m benchmarks.cameras                          all of it
  python -m benchmarks.cameras --quick                  two kinds of weather, one seed: does it run?
  python -m benchmarks.cameras --seed 100               scenes nobody has seen
  python -m benchmarks.cameras cases                    the six cases of who computes what
  python -m benchmarks.cameras score CLIP --truth FILE  a clip of your own (docs/reference/cameras.md)
  PETS_TRUTH=gt.txt python -m benchmarks.cameras        with the annotation of Debian's clip
"""

WEATHER = {
    "day": Weather(),
    "night": Weather(night=True, noise=4.0),
    "exposure": Weather(exposure=((15.0, 1.35), (28.0, 0.7))),
    "noise": Weather(noise=6.0),
    "sway": Weather(sway=2.5),
    "shake": Weather(shake=1.0),
}


def main() -> int:
    """Run it; the exit code."""
    options = _options()
    os.nice(10)
    cv2.setNumThreads(1)
    console = Console(highlight=False, soft_wrap=True)
    try:
        with running.post() as post:
            if options.what == "score":
                return _score(options, console, post)
            if options.what == "cases":
                return _cases(console, options)
            return _all(options, console, post)
    except (DiatError, OSError) as failure:
        console.print(f"benchmark failed: {failure}", markup=False)
        return 1


def _all(options: argparse.Namespace, console: Console, post: running.Post) -> int:
    missed = 0
    names = ("day", "night") if options.quick else tuple(WEATHER)
    table = _table("Generated scenes, four cameras")
    total: dict[str, list[Verdict]] = {}
    for i, name in enumerate(names):
        scene = Scene(options.seed + i, seconds=options.seconds, events=options.events, weather=WEATHER[name])
        for camera in range(len(scene.cameras)):
            frames = list(scene.frames(camera))
            for verdict, _ in measuring.clip(
                post, f"{name}, camera {camera}", frames, scene.truth(camera), None
            ):
                _row(table, verdict)
                total.setdefault(f"{name}, {verdict.kind}", []).append(verdict)
    console.print(table)
    missed += _summary(console, total)
    scene = Scene(options.seed, seconds=options.seconds, events=options.events)
    table, frames = _table("Controls: each must miss"), list(scene.frames(0))
    for verdict in measuring.controls(post, frames, scene.truth(0)):
        _row(table, verdict)
        missed += verdict.passed
    console.print(table)
    missed += _pets(options, console, post)
    costs.report(console, frames, scene.fps)
    return (1 if missed else 0) or (0 if options.quick else _cases(console, options))


def _cases(console: Console, options: argparse.Namespace) -> int:
    """Vehicle localisation, as ``python -m benchmarks.vehicles`` has it."""
    return cases.run(console, options.seed, 30.0, 5, 480, options.plots)


def _summary(console: Console, total: dict[str, list[Verdict]]) -> int:
    """The bar is held over the four cameras of one scene together; gated video on each of them."""
    table, missed = _table("Four cameras together"), 0
    for name, all_of in total.items():
        found = sum((v.score for v in all_of[1:]), all_of[0].score)
        saving = sum(v.saving for v in all_of) / len(all_of)
        wrong = []
        if all_of[0].kind == "records":
            wrong = [
                f"{what} {value:.3f}"
                for what, value, least in (
                    ("saving", saving, 0.913),
                    ("recall", found.recall, 0.9),
                    ("precision", found.precision, 0.8),
                )
                if value < least
            ]
        else:
            wrong = [m for v in all_of for m in v.missed]
        missed += bool(wrong)
        _row(table, Verdict(name, all_of[0].kind, saving, found, "", wrong))
    console.print(table)
    return missed


def _pets(options: argparse.Namespace, console: Console, post: running.Post) -> int:
    path, noted = clips.pets(options.cache), options.truth or clips.annotation()
    if path is None or noted is None:
        console.print(
            "Debian's clip: left out; it needs apt-get (or opencv-doc) and PETS_TRUTH=FILE, the MOT15 "
            "annotation of PETS09-S2L1, whose licence does not let us ship it"
        )
        return 0
    frames, fps = clips.frames_of(path)
    known = truth.read(noted, fps=fps, width=768, height=576)
    table = _table("Debian's clip (PETS2009 S2.L1)")
    verdict = measuring.ground_map("vtest.avi", frames, known, path.stat().st_size, post)
    _row(table, verdict)
    console.print(table)
    return int(not verdict.passed)


def _score(options: argparse.Namespace, console: Console, post: running.Post) -> int:
    if options.clip is None or options.truth is None:
        console.print("score needs CLIP and --truth FILE")
        return 2
    frames, fps = clips.frames_of(options.clip)
    high, wide = frames[0].image.shape[:2]
    known = truth.read(options.truth, fps=fps, width=wide, height=high)
    table, missed = _table(str(options.clip)), 0
    for verdict, _ in measuring.clip(post, options.clip.name, frames, known, options.clip.stat().st_size):
        _row(table, verdict)
        missed += not verdict.passed
    console.print(table)
    return 1 if missed else 0


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in ("run", "what", "saving", "found", "recall", "precision", "quality", "missed"):
        table.add_column(column)
    return table


def _row(table: Table, verdict: Verdict) -> None:
    found = verdict.score
    table.add_row(
        verdict.name,
        verdict.kind,
        f"{verdict.saving:.1%}",
        f"{found.found}/{found.true}" + (f" of {found.reported}" if verdict.kind != "video" else ""),
        f"{found.recall:.2f}",
        f"{found.precision:.2f}" if verdict.kind != "video" else "-",
        verdict.detail,
        "; ".join(verdict.missed) or "-",
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.cameras",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="?", choices=("all", "score", "cases"), default="all")
    parser.add_argument("clip", nargs="?", type=Path)
    parser.add_argument("--truth", type=Path, help="what happened in the clip, or MOT annotation")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=1, help="of the first scene (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=40.0, help="of a scene (default %(default)s)")
    parser.add_argument("--events", type=int, default=4, help="of a scene (default %(default)s)")
    parser.add_argument(
        "--cache", type=Path, default=Path.home() / ".cache" / "diat-bench", help="for Debian's clip"
    )
    parser.add_argument("--plots", type=Path, help="directory to write the plots of the six cases to")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
