"""How a camera is set up, as YAML, and how it describes itself to the platform."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from diat.kernel.errors import Invalid
from diat.wire.topics import is_name
from diat_gateway.cameras import sources
from diat_gateway.cameras.levels import LEVELS, Level


class CameraSetup(Struct, frozen=True, forbid_unknown_fields=True):
    """One camera.

    Attributes:
        name: of the thing in topics.
        source: path of a file, ``rtsp://…``, or ``usb:`` with an index or the path of a device.
        title: what people call it.
        place: where it is, as a path of places.
        level: what leaves it at first: ``low``, ``middle`` or ``high``.
        fps: pictures a second that are looked at.
        homography: 3 x 3, pixels to metres on the ground.
        area: pairs ``[pixel x, pixel y, metre x, metre y]`` to make it of, four or more; instead.
        again: whether a file begins again at its end.
        paced: whether a file runs at its own pace; else as fast as it can be looked at.
    """

    name: str
    source: str
    title: str = ""
    place: str = ""
    level: Level = "high"
    fps: float = 10.0
    homography: list[list[float]] | None = None
    area: list[tuple[float, float, float, float]] = []
    again: bool = False
    paced: bool = True


def read(path: Path) -> list[CameraSetup]:
    """The cameras of one file: ``cameras: [{name, source, …}, …]``.

    Raises:
        Invalid: it is not a description; the message names the field.
    """
    try:
        setups = msgspec.yaml.decode(path.read_bytes(), type=dict[str, list[CameraSetup]])
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}", "cameras") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise Invalid(f"{path}: {error}", "cameras") from error
    cameras = setups.get("cameras", [])
    if not cameras or set(setups) != {"cameras"}:
        raise Invalid(f"{path}: needs cameras: [{{name, source}}, …] and nothing else", "cameras")
    for each in cameras:
        if not is_name(each.name):
            raise Invalid(f"{path}: {each.name!r} is no name: letters, digits, - and _, at most 64", "name")
        if each.source.startswith("usb:"):
            try:
                sources.device(each.source)
            except ValueError as error:
                raise Invalid(f"{path}: {each.name}: {error}", "source") from error
        if not 0.5 <= each.fps <= 60:
            raise Invalid(f"{path}: {each.name}: fps is from 0.5 to 60", "fps")
        if each.homography is not None and [len(row) for row in each.homography] != [3, 3, 3]:
            raise Invalid(f"{path}: {each.name}: homography is 3 x 3", "homography")
        if each.area and len(each.area) < 4:
            raise Invalid(f"{path}: {each.name}: area needs four points or more", "area")
    if len({each.name for each in cameras}) < len(cameras):
        raise Invalid(f"{path}: two cameras of one name", "name")
    return cameras


def description(setup: CameraSetup) -> dict[str, Any]:
    """The Thing Description of a camera, without forms."""
    whole = {"type": "integer", "minimum": 0, "readOnly": True}
    said: dict[str, Any] = {
        "@type": "diat:Camera",
        "diat:pushdown": ["level"],
        "title": setup.title or setup.name,
        "properties": {
            "level": {"type": "string", "enum": list(LEVELS), "idempotent": True, "title": "What leaves it"},
            "sight": {
                "type": "string",
                "readOnly": True,
                "title": "Whether it can see",
                "enum": [
                    "clear",
                    "covered",
                    "blinded",
                    "dark",
                    "blurred",
                    "shaken",
                    "moved",
                    "unsettled",
                    "unknown",
                ],
            },
            "stream": {
                "type": "string",
                "readOnly": True,
                "enum": ["starting", "running", "stalled", "torn", "unreachable", "ended"],
                "title": "Whether pictures come",
            },
            "storage": {
                "type": "string",
                "readOnly": True,
                "enum": ["ready", "full"],
                "title": "Whether clips are kept",
            },
            "motion": {
                "type": "boolean",
                "@type": "Motion",
                "readOnly": True,
                "title": "Whether something moves",
            },
            "objects": {**whole, "title": "Objects in the picture"},
            "sent": {**whole, "unit": "By", "title": "Bytes of video that left it"},
            "detections": {
                "type": "array",
                "maxItems": 32,
                "@type": "Detections",
                "readOnly": True,
                "title": "What it sees on the ground",
                "items": {
                    "type": "object",
                    "required": ["id", "x", "y"],
                    "properties": {
                        "id": {"type": "integer"},
                        "x": {"type": "number", "unit": "m"},
                        "y": {"type": "number", "unit": "m"},
                    },
                },
            },
        },
        "actions": {
            "fetch": {
                "title": "Bring a clip to the platform",
                "idempotent": True,
                "input": {
                    "type": "object",
                    "required": ["clip", "ticket"],
                    "properties": {"clip": {"type": "string"}, "ticket": {"type": "string"}},
                },
            },
            "keep": {
                "title": "Keep a clip until it is taken away",
                "idempotent": True,
                "input": {"type": "object", "required": ["clip"], "properties": {"clip": {"type": "string"}}},
            },
        },
        "events": {
            "object": {"title": "Something was there", "data": {"type": "object"}},
            "candidate": {"title": "What it tells other cameras", "data": {"type": "object"}},
            "clip": {
                "title": "A clip or snapshot is kept",
                "data": {
                    "type": "object",
                    "properties": {
                        "id": {"type": "string"},
                        "kind": {"type": "string", "enum": ["clip", "snapshot"]},
                        "from": {"type": "integer"},
                        "to": {"type": "integer"},
                        "bytes": {"type": "integer"},
                    },
                },
            },
        },
    }
    if setup.homography is None and not setup.area:
        del said["properties"]["detections"]
    if setup.place:
        said["diat:place"] = setup.place
    return said
