"""The bars. What is told is always four numbers together; a run passes if all of them hold."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from diat_gateway.cameras.score import MapScore, Score

from benchmarks.cameras.baseline import Baseline, group_wrong

SAVES, RECALL, PRECISION = 0.913, 0.9, 0.8
"""Records with one best picture of each object."""
LAW = 0.03
"""Gated video may fall so far short of the share of time in which nothing happens."""
WORSE = 1.5
"""dB by which objects may be worse than in the baseline."""
MAP_RECALL, MAP_PRECISION, MAP_ERROR = 0.85, 0.75, 0.3


@dataclass
class Verdict:
    """What one run is worth; ``missed`` says what did not hold."""

    name: str
    kind: str
    saving: float
    score: Score
    detail: str
    missed: list[str] = field(default_factory=list)
    refused: bool = False
    """Whether it was measured against something that is no baseline, or claims what nobody saw."""

    @property
    def passed(self) -> bool:
        """Whether all held."""
        return not self.missed


def records(name: str, sent: int, baseline: Baseline, found: Score) -> Verdict:
    """Records and best pictures."""
    verdict = Verdict(name, "records", 1 - sent / baseline.bytes, found, "")
    _honest(verdict, baseline)
    if verdict.saving < SAVES:
        verdict.missed.append(f"saves {verdict.saving:.1%}, less than {SAVES:.1%}")
    if found.recall < RECALL:
        verdict.missed.append(f"recall {found.recall:.2f}")
    if found.precision < PRECISION:
        verdict.missed.append(f"precision {found.precision:.2f}")
    return verdict


def video(
    name: str, sent: int, baseline: Baseline, found: Score, idle: float, psnr: float, gaps: list[int]
) -> Verdict:
    """Gated video.

    Args:
        name: of the run.
        sent: bytes on the socket.
        baseline: all of the video.
        found: events whose first and last second were sent.
        idle: share of the time in which nothing happens, a second before and two after taken off, 0 to 1.
        psnr: inside objects, dB.
        gaps: pictures from one whole picture to the next within runs.
    """
    verdict = Verdict(
        name,
        "video",
        1 - sent / baseline.bytes,
        found,
        f"idle {idle:.0%}, {psnr:.1f} dB ({baseline.psnr:.1f})",
    )
    _honest(verdict, baseline)
    if (wrong := group_wrong(gaps, baseline.fps)) is not None:
        verdict.missed.append(wrong)
    if verdict.saving < idle - LAW:
        verdict.missed.append(f"saves {verdict.saving:.1%} with {idle:.1%} idle")
    if found.recall < 1.0:
        verdict.missed.append(f"recall {found.recall:.2f}")
    # Where nobody knows where objects are, nothing is said of how they look.
    if not math.isnan(baseline.psnr) and not psnr >= baseline.psnr - WORSE:
        verdict.missed.append(f"objects at {psnr:.1f} dB, baseline {baseline.psnr:.1f} dB")
    return verdict


def ground(name: str, sent: int, baseline: Baseline, found: MapScore) -> Verdict:
    """Places on the ground."""
    verdict = Verdict(
        name, "map", 1 - sent / baseline.bytes, found.score, f"median error {found.error:.2f} m"
    )
    _honest(verdict, baseline)
    if found.score.recall < MAP_RECALL:
        verdict.missed.append(f"recall {found.score.recall:.3f}")
    if found.score.precision < MAP_PRECISION:
        verdict.missed.append(f"precision {found.score.precision:.3f}")
    if not found.error <= MAP_ERROR:
        verdict.missed.append(f"median error {found.error:.2f} m")
    return verdict


def _honest(verdict: Verdict, baseline: Baseline) -> None:
    if (why := baseline.dishonest) is not None:
        verdict.missed.append(why)
        verdict.refused = True
