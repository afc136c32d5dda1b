"""What savings are measured against: the smaller of the source and all of it encoded at the standing choice.

x264, CRF 23, veryfast, a whole picture every two seconds, no B frames. Another codec or another group makes a
baseline that is easier to beat, so what is measured against one is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from diat_gateway.cameras import score
from diat_gateway.cameras.encoding import FULL, GROUP, Decoder, Encoder, Packet, Quality
from diat_gateway.cameras.seeing.pictures import Frame, Image
from diat_gateway.cameras.truth import Spot


@dataclass(frozen=True)
class Baseline:
    """All of a clip's video.

    Attributes:
        bytes: of the smaller of source and encoding.
        quality: how it was encoded.
        psnr: inside objects, dB; NaN if nobody knows where they are.
        gaps: pictures from one whole picture to the next, as they are in the stream.
        fps: pictures a second.
    """

    bytes: int
    quality: Quality
    psnr: float
    gaps: list[int]
    fps: float

    @property
    def dishonest(self) -> str | None:
        """Why it must not be measured against, or None."""
        if self.quality.codec != "libx264":
            return f"{self.quality.codec} is no baseline: H.264 without any edge saves most of it"
        if (self.quality.crf, self.quality.preset) != (23, "veryfast"):
            return "not CRF 23 veryfast"
        return group_wrong(self.gaps, self.fps)


def group_wrong(gaps: Sequence[int], fps: float) -> str | None:
    """Why whole pictures come at another pace than every two seconds, or None."""
    if any(gap != round(GROUP * fps) for gap in gaps):
        return f"whole pictures every {max(gaps) / fps:.1f} s instead of {GROUP:.0f} s"
    return None


def gaps_of(packets: Sequence[Packet]) -> list[int]:
    """Pictures from one whole picture to the next."""
    keys = [i for i, packet in enumerate(packets) if packet.key]
    return np.diff(keys).tolist() if len(keys) > 1 else []


def errors(image: Image, frame: Frame, spots: Sequence[Spot]) -> list[float]:
    """Mean squared error inside each object of a picture."""
    found = []
    for spot in spots:
        part = (
            slice(int(spot.top), int(spot.top + spot.height) + 1),
            slice(int(spot.left), int(spot.left + spot.width) + 1),
        )
        off = (
            image[part].astype(np.float64) - frame.image[part][: image[part].shape[0], : image[part].shape[1]]
        )
        if off.size:
            found.append(float(np.mean(off**2)))
    return found


def measure(
    frames: Sequence[Frame],
    fps: float,
    spots: Mapping[int, Sequence[Spot]],
    source: int | None,
    quality: Quality = FULL,
) -> Baseline:
    """Encode all of it and look at what comes out.

    Args:
        frames: the clip.
        fps: pictures a second.
        spots: where objects are, by frame.
        source: bytes of the file as found, or None if the pictures were generated.
        quality: anything but the standing choice is for controls.
    """
    high, wide = frames[0].image.shape[:2]
    encoder = Encoder(wide, high, fps, quality)
    packets = [p for frame in frames for p in encoder.encode(frame.image)] + encoder.finish()
    size = sum(len(p.data) for p in packets)
    decoder = Decoder("mjpeg" if quality.codec == "mjpeg" else "h264")
    wrong: list[float] = []
    shown = (image for data in [*(p.data for p in packets), None] for image in _images(decoder, data))
    for frame, image in zip(frames, shown, strict=False):
        wrong += errors(image, frame, spots.get(frame.number, ()))
    smaller = size if source is None else min(size, source)
    return Baseline(smaller, quality, score.psnr(wrong), gaps_of(packets), fps)


def _images(decoder: Decoder, data: bytes | None) -> list[Image]:
    return list(decoder.finish() if data is None else decoder.decode(data))
