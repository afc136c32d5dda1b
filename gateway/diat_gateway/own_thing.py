"""The gateway as a thing of the daemon above: what it says of itself."""

from __future__ import annotations

from typing import Any

from diat.vol.gateways import GATEWAY

_FIGURES: dict[str, tuple[str, str | None]] = {
    "spool": ("messages that wait to go up", None),
    "spoolBytes": ("bytes that they take on disk", "By"),
    "thinned": ("readings that were given up, within a stated bound", None),
    "cpu": ("share of one core that it takes", "1"),
    "memory": ("memory that it takes", "MiBy"),
    "cores": ("cores of the machine", None),
    "memoryTotal": ("memory of the machine", "MiBy"),
    "clockOffset": ("by how much the clock above is ahead of its own", "s"),
    "cpuFree": ("processors of the machine that nobody uses", "1"),
    "memoryFree": ("memory of the machine that can still be taken", "MiBy"),
    "battery": ("share of the charge that is left; 1 on mains", "1"),
    "roundTrip": ("time until a frame is acknowledged above", "s"),
    "linger": ("time for which readings wait for others to share a frame", "s"),
    "carries": ("bytes a second that go up", "By/s"),
    "price": ("what a byte over the line costs; 1 as usual", "1"),
}


def description(name: str, title: str) -> dict[str, Any]:
    """Its Thing Description."""
    properties = {}
    for figure, (said, unit) in _FIGURES.items():
        properties[figure] = {
            "type": "number",
            "readOnly": True,
            "title": said,
            "diat:entityCategory": "diagnostic",
        }
        if unit is not None:
            properties[figure]["unit"] = unit
    return {"id": f"urn:dev:{name}", "@type": GATEWAY, "title": title, "properties": properties}
