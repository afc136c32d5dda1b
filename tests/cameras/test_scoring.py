"""What is measured, and that what must not pass does not: records, video, agreement of cameras."""

from __future__ import annotations

import msgspec
import pytest

pytest.importorskip("cv2")
pytest.importorskip("av")
pytest.importorskip("scipy")

from diat_gateway.cameras import score, truth
from diat_gateway.cameras.agreement import Agreement, Candidate, read, same
from diat_gateway.cameras.clipping import Clipping
from diat_gateway.cameras.encoding import Encoder, Packet, Quality
from diat_gateway.cameras.truth import Event

from benchmarks.cameras import judging
from benchmarks.cameras.baseline import Baseline
from diat.kernel.errors import Invalid

EVENTS = [Event(1, 2.0, 6.0), Event(2, 10.0, 20.0), Event(3, 11.0, 14.0)]
HONEST = Baseline(1_000_000, Quality(), 35.0, [20, 20], 10.0)


def test_each_event_is_matched_once() -> None:
    assert score.events(EVENTS, [(2.5, 6.5), (10.0, 19.0), (11.0, 13.0)]) == score.Score(3, 3, 3)
    assert score.events(EVENTS, [(10.0, 20.0), (10.0, 20.0)]) == score.Score(1, 3, 2)
    assert score.events(EVENTS, [(0.0, 60.0)]) == score.Score(0, 3, 1)
    assert score.events(EVENTS, []).recall == 0.0
    assert score.events([], []).precision == 1.0


def test_video_counts_if_begin_and_end_of_an_event_were_sent() -> None:
    assert score.covered(EVENTS, [(1.0, 8.0), (9.0, 22.0)]).found == 3
    assert score.covered(EVENTS, [(2.9, 8.0), (9.0, 22.0)]).found == 2
    assert score.covered(EVENTS, []).found == 0


def test_places_count_within_a_metre() -> None:
    found = score.places({0: [(0.0, 0.0), (5.0, 5.0)], 1: [(1.0, 0.0)]}, {0: [(0.3, 0.4), (7.0, 5.0)]})
    assert (found.score, found.error) == (score.Score(1, 3, 2), pytest.approx(0.5))


@pytest.mark.parametrize(
    ("sent", "reported"), [(0, []), (500, [(0.0, 60.0)]), (500_000, [(2.0, 6.0), (10.0, 20.0), (11.0, 14.0)])]
)
def test_savings_without_recall_and_recall_without_savings_miss(
    sent: int, reported: list[tuple[float, float]]
) -> None:
    assert not judging.records("x", sent, HONEST, score.events(EVENTS, reported)).passed


def test_what_holds_passes() -> None:
    all_found = score.Score(3, 3, 3)
    assert judging.records("x", 50_000, HONEST, all_found).passed
    assert judging.video("x", 400_000, HONEST, all_found, 0.6, 34.0, [20]).passed


@pytest.mark.parametrize(
    "baseline",
    [
        Baseline(9_000_000, Quality(codec="mjpeg"), 35.0, [1], 10.0),
        Baseline(1_000_000, Quality(crf=18), 35.0, [20], 10.0),
        Baseline(1_000_000, Quality(), 35.0, [5], 10.0),
    ],
)
def test_a_baseline_that_is_easier_to_beat_is_refused(baseline: Baseline) -> None:
    assert not judging.records("x", 50_000, baseline, score.Score(3, 3, 3)).passed


@pytest.mark.parametrize(
    ("psnr", "gaps", "found"), [(20.0, [20], 3), (34.0, [100], 3), (34.0, [20], 2), (float("nan"), [20], 3)]
)
def test_video_that_is_worse_or_rarer_or_misses_something_misses(
    psnr: float, gaps: list[int], found: int
) -> None:
    assert not judging.video("x", 400_000, HONEST, score.Score(found, 3, 3), 0.6, psnr, gaps).passed


def test_a_whole_picture_comes_every_two_seconds() -> None:
    import numpy as np

    encoder = Encoder(64, 48, 10)
    images = [np.full((48, 64, 3), n, np.uint8) for n in range(50)]
    packets = [p for image in images for p in encoder.encode(image)] + encoder.finish()
    assert [i for i, p in enumerate(packets) if p.key] == [0, 20, 40]


def way(camera: str, rank: float, x: float, start: float = 100.0) -> Candidate:
    return Candidate(camera, 1, start, start + 10.0, rank, [(float(t), x + t, 0.0) for t in range(11)])


def test_who_saw_it_largest_keeps_it_and_only_he() -> None:
    near, far, elsewhere = way("a", 80.0, 0.0), way("b", 40.0, 1.0), way("c", 10.0, 50.0)
    told = [near, far, elsewhere]
    kept = []
    for mine in told:
        agreement = Agreement()
        for other in told:
            if other is not mine:
                agreement.told(other)
        if agreement.keeps(mine):
            kept.append(mine.camera)
    assert kept == ["a", "c"]


def test_without_places_or_at_another_time_all_keep_theirs() -> None:
    assert not same(way("a", 1.0, 0.0), way("b", 2.0, 0.0, start=300.0))
    assert not same(Candidate("a", 1, 0, 9, 1.0), Candidate("b", 1, 0, 9, 2.0))
    assert Agreement().keeps(way("a", 1.0, 0.0))


def test_what_is_no_candidate_is_left_out() -> None:
    assert read({"nothing": "sensible"}) is None
    assert read(msgspec.to_builtins(way("a", 1.0, 0.0))) == way("a", 1.0, 0.0)


def test_runs_that_nobody_wants_are_not_kept() -> None:
    encoder, clipping = Encoder(64, 48, 10), Clipping(10)
    import numpy as np

    packets: list[Packet] = []
    for n in range(20):
        packets += encoder.encode(np.full((48, 64, 3), n, np.uint8))
    packets += encoder.finish()
    for begin in (0.0, 100.0):
        for i, packet in enumerate(packets):
            clipping.add(begin + i / 10, packet)
        clipping.cut()
    clipping.wanted(101.0, 101.5)
    assert [start for start, _, _ in clipping.take(waiting=True)] == [100.0]
    assert list(clipping.take(waiting=False)) == []


def test_a_truth_that_is_none_is_refused(tmp_path) -> None:
    path = tmp_path / "truth.json"
    path.write_text('{"fps": 10}')
    with pytest.raises(Invalid, match="truth"):
        truth.read(path)
    with pytest.raises(Invalid, match="truth"):
        truth.read(tmp_path / "nothing.json")
    mot = tmp_path / "gt.txt"
    mot.write_text("1,7,10,20,30,40,1,2.5,3.5,0\n21,7,12,20,30,40,1,2.6,3.5,0\n")
    known = truth.read(mot, fps=10, width=100, height=100)
    assert (known.events[0].start, known.events[0].end, known.boxes[1].frame) == (0.0, 2.0, 20)
