"""What people set while the platform runs: kept by the one writer, and held to what each setting may be.

What a flag or its environment variable says stands above what is kept here, and cannot be changed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from diat.adapters.lake.retention import Retention
from diat.cvol.steps.base import Site
from diat.kernel.durations import parse_duration
from diat.kernel.errors import Invalid, Stale
from diat.kernel.overlay import Ledger, Overlay
from diat.operation.shown_units import System, must_fit

HOUR = 3_600_000


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"a time zone is like Europe/Berlin, not {name[:60]!r}") from None
    return name


def _every(text: str) -> str:
    if parse_duration(text) < HOUR:
        raise ValueError("no more often than once an hour: 1h")
    return text


Zone = Annotated[str, Field(max_length=100), AfterValidator(_zone)]
Days = Annotated[int, Field(ge=1, le=36_500)]


class Location(BaseModel):
    """Where the platform is, in degrees north and east."""

    model_config = ConfigDict(extra="forbid")
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class Said(BaseModel):
    """Settings to change; what is null goes back to what it is if nobody says anything.

    Attributes:
        title: what people call this place.
        units: in which units values are shown: of a system, or a unit for each quantity kind; null for the
            things' own.
        zone: time zone in which times are shown; null for that of whoever looks.
        location: where the platform is, for the sun.
        schedule_zone: time zone of schedules and of policies.
        hot_days: days until history moves to Parquet files.
        raw_days: days that readings are kept as they came; null for ever.
        hourly_days: days that hourly figures of dropped readings are kept; null for ever, 0 for none.
        event_days: days that events are kept; null for ever.
        stale_after: seconds of silence after which a thing counts as stale.
        admission: what a thing is that announces itself for the first time.
        backup_every: how often a backup is made by itself, like `1d`; null for never.
        backup_keep: of the backups made by themselves so many are kept.
    """

    model_config = ConfigDict(extra="forbid")
    title: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    units: System | Annotated[dict[str, str], Field(max_length=200), AfterValidator(must_fit)] | None = None
    zone: Zone | None = None
    location: Location | None = None
    schedule_zone: Zone | None = None
    hot_days: Days | None = None
    raw_days: Days | None = None
    hourly_days: Annotated[int, Field(ge=0, le=36_500)] | None = None
    event_days: Days | None = None
    stale_after: Annotated[float, Field(ge=1, le=31_536_000)] | None = None
    admission: Literal["accepted", "pending"] | None = None
    backup_every: Annotated[str, Field(max_length=30), AfterValidator(_every)] | None = None
    backup_keep: Annotated[int, Field(ge=1, le=1000)] | None = None


AT_START = frozenset({"location", "schedule_zone"})
"""What holds from the next start on."""
_RETENTION = ("hot_days", "raw_days", "hourly_days", "event_days")


class Preferences:
    """All settings. Commits with the ledger (``diat.kernel.overlay.Part``).

    Args:
        ledger: the writer's.
        usual: each setting as it is if nothing is kept: what flags, or nobody, said.
        fixed: names that a flag or its environment variable says, to that flag.
        kept: what people set, by name.

    Attributes:
        revision: grows with each change since the start.
        on_change: told, in the writer's thread, once a change is durable.
    """

    def __init__(
        self,
        ledger: Ledger,
        usual: Mapping[str, Any],
        fixed: Mapping[str, str],
        kept: Iterable[tuple[str, Any]] = (),
    ) -> None:
        self._usual = dict(usual)
        self._fixed = dict(fixed)
        known = ((name, value) for name, value in kept if name in Said.model_fields)
        self._kept: Overlay[str, Any] = ledger.overlay("settings", known)
        self._began = {name: self.get(name) for name in AT_START}
        self._changed = False
        self.revision = 1
        self.on_change: Callable[[], None] = _nobody_asks
        ledger.join(self)

    def get(self, name: str) -> Any:
        """What holds by now, or from the next start on; any thread may ask."""
        if name not in self._fixed and name in self._kept.committed:
            return self._kept.committed[name]
        return self._usual[name]

    def shown(self) -> dict[str, dict[str, Any]]:
        """All of them: the value that is in use, where it comes from, and what holds after a restart."""
        return {name: self._one(name) for name in Said.model_fields}

    def change(self, said: Said, revision: int | None = None) -> None:
        """Keep what is said; used by the writer alone.

        Raises:
            Invalid: one of them is said by a flag, or does not go together with the others.
            Stale: they are not at this revision.
        """
        if revision is not None and revision != self.revision:
            raise Stale(f"the settings are at revision {self.revision}, not {revision}")
        told = {name: getattr(said, name) for name in said.model_fields_set}
        for name in told:
            if name in self._fixed:
                raise Invalid(f"{self._fixed[name]} says it: change it there", name)
        self._hold_together(told)
        for name, value in told.items():
            if value is None:
                self._kept.remove(name)
            else:
                self._kept.put(name, value.model_dump() if isinstance(value, BaseModel) else value)
        self._changed = bool(told)

    def retention(self) -> Retention:
        """How long what is kept."""
        return Retention(**{name: self.get(name) for name in _RETENTION})

    def site(self, usual: Site) -> Site:
        """Where the platform is, as of the next start; of what nobody set, as usual."""
        where, zone = self.get("location") or {}, self.get("schedule_zone")
        zone = usual.zone if zone == str(usual.zone) else ZoneInfo(zone)
        return Site(where.get("latitude"), where.get("longitude"), zone)

    def commit(self) -> None:
        """It is durable."""
        if self._changed:
            self._changed = False
            self.revision += 1
            self.on_change()

    def rollback(self) -> None:
        """It never happened."""
        self._changed = False

    def _one(self, name: str) -> dict[str, Any]:
        next_one = self.get(name)
        one: dict[str, Any] = {
            "value": self._began.get(name, next_one),
            "from": "flag" if name in self._fixed else "kept" if name in self._kept.committed else "default",
            "default": self._usual[name],
            "restart": name in AT_START,
        }
        if name in self._fixed:
            one["flag"] = self._fixed[name]
        if one["value"] != next_one:
            one["next"] = next_one
        return one

    def _hold_together(self, told: Mapping[str, Any]) -> None:
        days = {name: self.get(name) for name in _RETENTION}
        for name in days.keys() & told.keys():
            days[name] = self._usual[name] if told[name] is None else told[name]
        Retention(**days)


def usual_of(site: Site, retention: Retention, stale_after: float, admission: str) -> dict[str, Any]:
    """Each setting as it is if nobody set it."""
    where = None if site.latitude is None else {"latitude": site.latitude, "longitude": site.longitude}
    return {
        "title": "My place",
        "units": None,
        "zone": None,
        "location": where,
        "schedule_zone": str(site.zone),
        **msgspec.structs.asdict(retention),
        "stale_after": stale_after,
        "admission": admission,
        "backup_every": None,
        "backup_keep": 7,
    }


def _nobody_asks() -> None:
    """Stands in until somebody wants to know."""
