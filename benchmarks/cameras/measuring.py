"""The four numbers of one clip at the levels, and the controls that must fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from diat_gateway.cameras import levels, score
from diat_gateway.cameras.encoding import Quality
from diat_gateway.cameras.records import foot, on_ground
from diat_gateway.cameras.seeing.pictures import Frame
from diat_gateway.cameras.truth import Truth

from benchmarks.cameras import baseline, judging, running
from benchmarks.cameras.clips import TRAINS, homography
from benchmarks.cameras.judging import Verdict


def idle_share(known: Truth, seconds: float) -> float:
    """Share of the time in which nothing is there, a second before and two after counted as something."""
    step = 0.05
    count = max(1, int(seconds / step))
    spans = [(e.start - levels.BEFORE, e.end + levels.AFTER) for e in known.events]
    return sum(not any(a <= i * step <= b for a, b in spans) for i in range(count)) / count


def clip(
    post: running.Post, name: str, frames: Sequence[Frame], known: Truth, source: int | None
) -> Iterator[tuple[Verdict, running.Arrived]]:
    """Records, then gated video, of one clip."""
    spots = known.by_frame()
    base = baseline.measure(frames, known.fps, spots, source)
    arrived = post.records(levels.High(known.fps), frames)
    found = score.events(known.events, [(r["from"], r["to"]) for r in arrived.records])
    yield _sighted(judging.records(name, arrived.bytes, base, found), arrived, len(frames)), arrived
    sent = running.video(levels.Middle(known.fps), frames, known.fps, spots)
    idle = idle_share(known, len(frames) / known.fps)
    verdict = judging.video(
        name,
        sent.bytes,
        base,
        score.covered(known.events, sent.runs),
        idle,
        sent.psnr if spots else base.psnr,
        sent.gaps,
    )
    yield _sighted(verdict, sent, len(frames)), sent


def _sighted(verdict: Verdict, arrived: running.Arrived, pictures: int) -> Verdict:
    """A camera that could not see claims no savings for that time."""
    if arrived.impaired:
        verdict.detail += " impaired " + ", ".join(
            f"{reason} {count / pictures:.0%}" for reason, count in arrived.impaired.items()
        )
        if sum(arrived.impaired.values()) > 0.5 * pictures:
            verdict.missed.append("could not see for most of the time, and said so: no saving is claimed")
            verdict.refused = True
    return verdict


def ground_map(
    name: str, frames: Sequence[Frame], known: Truth, source: int | None, post: running.Post
) -> Verdict:
    """Places on the ground from records, on a clip whose annotation knows them."""
    base = baseline.measure(frames, known.fps, known.by_frame(), source)
    to_metres = homography(known, TRAINS)
    told: dict[int, list[tuple[float, float]]] = {}

    level = levels.High(known.fps, points=100_000)
    arrived = post.records(level, frames)
    for record in arrived.records:
        start = record["from"]
        for t, x, y, w, h in record["way"]:
            told.setdefault(round((start + t) * known.fps), []).append(
                on_ground(to_metres, foot((x, y, w, h)))
            )
    there = {
        n: [(s.x, s.y) for s in known.by_frame().get(n, []) if s.x is not None and s.y is not None]
        for n in range(TRAINS, len(frames))
    }
    return judging.ground(name, arrived.bytes, base, score.places(there, told))


def controls(post: running.Post, frames: Sequence[Frame], known: Truth) -> Iterator[Verdict]:
    """What must fail: if any of these passes, the benchmark is worth nothing."""
    spots = known.by_frame()
    base = baseline.measure(frames, known.fps, spots, None)
    length = len(frames) / known.fps
    yield judging.records("control: nothing sent", 0, base, score.events(known.events, []))
    yield judging.records("control: always-on track", 800, base, score.events(known.events, [(0.0, length)]))
    idle = idle_share(known, length)
    for name, quality in (
        ("CRF 40", Quality(crf=40, still=True)),
        ("group of 10 s", Quality(crf=21, group=10.0, still=True)),
    ):
        sent = running.video(levels.Middle(known.fps, quality), frames, known.fps, spots)
        found = score.covered(known.events, sent.runs)
        yield judging.video(f"control: {name}", sent.bytes, base, found, idle, sent.psnr, sent.gaps)
    other = baseline.measure(frames, known.fps, spots, None, Quality(codec="mjpeg"))
    arrived = post.records(levels.High(known.fps), frames)
    found = score.events(known.events, [(r["from"], r["to"]) for r in arrived.records])
    yield judging.records("control: Motion-JPEG baseline", arrived.bytes, other, found)
