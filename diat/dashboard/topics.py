"""What can be watched on a page: small facts that change, each told in the same few bytes to all who watch.

A topic is looked at as often as ``live.TICK``; that costs a look into a dictionary, and the ingest nothing.
"""

from __future__ import annotations

from typing import Any

from diat.api.overview import figures
from diat.api.ports import Platform
from diat.dashboard.likes import preferred, written
from diat.operation.shown_units import Preference
from diat.vol.thing import Property
from diat.vol.twin import Reading
from diat.wire.envelope import encode

LONGEST = 200
"""Characters of a value that are shown."""
MOST_SHOWN = 200
"""Objects that are shown on a map."""
NOTHING = b"null"


class Rates:
    """What is going on, a sample a second, as long as somebody looks."""

    KEPT = 60

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._samples: list[dict[str, Any]] = []
        self._told = NOTHING
        self._before: tuple[int, dict[str, Any]] | None = None

    def told(self) -> bytes:
        """The newest samples, the oldest first; sampled anew once a second."""
        now = self._platform.clock()
        if self._before is not None and now - self._before[0] < 1000:
            return self._told
        counts = figures(self._platform)
        if self._before is not None and 0 < now - self._before[0] < 10_000:
            seconds = (now - self._before[0]) / 1000
            before = self._before[1]
            sample = {
                name: round(max(0, counts[name] - before[name]) / seconds, 1)
                for name in ("messages", "commands")
            }
            self._samples = [*self._samples, sample][-self.KEPT :]
        self._before = now, counts
        self._told = encode({"samples": self._samples, "counts": counts})
        return self._told


class Values:
    """Newest values as fragments of JSON: made once for all who are told the same."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._made: dict[tuple[str, str, str], tuple[Reading, bytes]] = {}

    def told(self, thing: str, name: str, prop: Property, units: Preference | None) -> bytes:
        """The newest value of a property; the same object as long as nothing new came."""
        known = self._platform.things.twin(thing).values.get(name)
        if known is None:
            return NOTHING
        key = thing, name, units if isinstance(units, str) else repr(units)
        made = self._made.get(key)
        if made is not None and made[0] is known:
            return made[1]
        fragment = fragment_of(prop, units, known.value, known.observed, known.quality)
        if len(self._made) > 20_000:
            self._made.clear()
        self._made[key] = known, fragment
        return fragment


def crossing_of(told: dict[str, Any]) -> bytes:
    """What crosses for a service, as ``live.js`` takes it: messages and bytes a second."""
    return encode(
        {
            "lines": {f"{each['from']}>{each['to']}": _rate(each) for each in told["lines"]},
            "of": {f"{each['thing']} {each['affordance']}": _rate(each) for each in told["of"]},
            "since": told["seconds"] > 0,
        }
    )


def _rate(each: dict[str, Any]) -> list[float]:
    return [each["messages_per_second"], each["bytes_per_second"]]


def positions_of(value: Any) -> bytes:
    """Who is where, for a map: number, metres, heading in degrees if there is one."""
    known = [each for each in value if isinstance(each, dict)][:MOST_SHOWN] if isinstance(value, list) else []
    return encode(
        [[each.get(name) for name in ("id", "x", "y", "heading")] for each in known if _is_somewhere(each)]
    )


def _is_somewhere(each: dict[str, Any]) -> bool:
    return all(isinstance(each.get(name), int | float) for name in ("x", "y"))


def fragment_of(prop: Property, units: Preference | None, value: Any, observed: int, quality: str) -> bytes:
    """A value as ``live.js`` takes it."""
    scale = preferred(prop, units)
    shown = _counted(value) or shortened(scale.value(value))
    said: dict[str, Any] = {"v": shown, "u": written(scale.unit), "t": observed}
    if quality != "good":
        said["q"] = quality
    if prop.writable and prop.type == "boolean":
        said["w"] = 1
    if prop.type == "integer":
        said["d"] = 0
    return encode(said)


def _counted(value: Any) -> str | None:
    """How many a list of objects has, which nobody reads in a line; None for what can be read."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        return None
    return f"{len(value)} {'entry' if len(value) == 1 else 'entries'}"


def shortened(value: Any) -> Any:
    """A value, or the beginning of its text."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST else value[:LONGEST] + "…"
    if isinstance(value, dict | list):
        text = encode(value).decode()
        return text if len(text) <= LONGEST else text[:LONGEST] + "…"
    return value
