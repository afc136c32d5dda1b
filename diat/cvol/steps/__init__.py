"""The steps that composites are made of. To add a kind, write it in a file here and give it an entry.

Steps of one's own come from other packages: an entry point of the group ``diat.steps`` names a subclass of
``Step`` under the word that templates use.
"""

from __future__ import annotations

import logging
from importlib.metadata import entry_points

from diat.cvol.steps import (
    effects,
    expressions,
    ground,
    machine,
    patterns,
    sources,
    sun,
    switching,
    times,
    windows,
)
from diat.cvol.steps.base import GREENWICH, LONGEST, Given, Outcome, Sample, Site, Step

_LOG = logging.getLogger("diat.cvol")

SHIPPED: dict[str, type[Step]] = {
    "latest": sources.Latest,
    "mean": sources.Mean,
    "fuse": sources.Fuse,
    "notice": sources.Notice,
    "setting": sources.Setting,
    "hysteresis": switching.Hysteresis,
    "dwell": switching.Dwell,
    "debounce": switching.Debounce,
    "hold": switching.Hold,
    "lasting": switching.Lasting,
    "rate-limit": switching.RateLimit,
    "deadband": switching.Deadband,
    "map": expressions.Map,
    "filter": expressions.Filter,
    "window": windows.Window,
    "join": patterns.Join,
    "sequence": patterns.Sequence,
    "absence": patterns.Absence,
    "machine": machine.Machine,
    "track": ground.Track,
    "neighbours": ground.Neighbours,
    "schedule": times.Schedule,
    "sun": sun.Sun,
    "every": times.Every,
    "drive": effects.Drive,
    "shed": effects.Shed,
    "webhook": effects.Webhook,
}


def _installed() -> dict[str, type[Step]]:
    """Kinds of step from other packages; one that cannot be used is said and left out."""
    found: dict[str, type[Step]] = {}
    for entry in entry_points(group="diat.steps"):
        try:
            kind = entry.load()
        except Exception:  # noqa: BLE001 - somebody else's code, which must not stop ours
            _LOG.exception("the step %r of %s cannot be loaded", entry.name, entry.value)
            continue
        if entry.name in SHIPPED or not (isinstance(kind, type) and issubclass(kind, Step)):
            _LOG.error("the step %r of %s is none, or has a name that is taken", entry.name, entry.value)
            continue
        found[entry.name] = kind
    return found


STEPS: dict[str, type[Step]] = SHIPPED | _installed()
"""Name in templates to kind of step."""

__all__ = ["GREENWICH", "LONGEST", "SHIPPED", "STEPS", "Given", "Outcome", "Sample", "Site", "Step"]
