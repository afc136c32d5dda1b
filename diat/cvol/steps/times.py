"""Steps that know what time it is: at the hour that clocks show, and by the sun.

Each says when it changes next, so that it is right to the millisecond without being asked. It remembers how
long its answer holds; that is no state in earnest, but spares working it out at each reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import ClassVar, Literal

from cronsim import CronSim, CronSimError
from pydantic import Field, field_validator, model_validator

from diat.cvol.steps.base import LONGEST, Given, Outcome, Reduces, Step

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"


class Timed(Step):
    """What ``schedule`` and ``sun`` have in common: an answer that holds for a known time."""

    reduces: ClassVar[Reduces] = "much"

    def run(self, given: Given) -> Outcome:
        """True or false; None with a note where it cannot be known."""
        place = str(given.site)
        if given.state is not None and given.state[0] == place and given.state[1] <= given.now:
            _, _, until, value = given.state
            if until is None or given.now < until:
                return Outcome(value, given.state, until)
        value, until, note = self.answer(given)
        return Outcome(value, [place, given.now, until, value] if note is None else None, until, note)

    def answer(self, given: Given) -> tuple[bool | None, int | None, str | None]:
        """The answer, until when it holds at least (Unix milliseconds), and why there is none."""
        raise NotImplementedError


class Schedule(Timed):
    """True at set times: for a while from each time of a ``cron`` line on, or between two times of day.

    Times are those that clocks show in the platform's time zone. Where they are put forward, a time that is
    left out is taken as that much later; where they are put back, the first of two equal times counts. A
    cron line follows Debian's cron there, as the library cronsim has it.

    {do: schedule, id: morning, cron: "0 7 * * 1-5", for: 3600}
    {do: schedule, id: night, from: "22:00", to: "06:00", days: [mon, tue, wed, thu, fri]}

    Attributes:
        cron: minute, hour, day of the month, month, day of the week.
        for: seconds that it is true from then on.
        from: time of day, ``HH:MM`` or ``HH:MM:SS``.
        to: time of day; if it is not after ``from``, that of the next day.
        days: on which it begins; not given: on all.
    """

    cron: str | None = Field(default=None, max_length=200)
    for_: float | None = Field(default=None, alias="for", gt=0, le=LONGEST, allow_inf_nan=False)
    from_: str | None = Field(default=None, alias="from", pattern=_CLOCK)
    to: str | None = Field(default=None, pattern=_CLOCK)
    days: list[Day] | None = Field(default=None, min_length=1)

    @field_validator("cron")
    @classmethod
    def _cron(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                next(CronSim(value, datetime(2000, 1, 1, tzinfo=UTC)))
            except (CronSimError, StopIteration) as error:
                raise ValueError(f"not a cron line with a time to come: {error}") from None
        return value

    @model_validator(mode="after")
    def _either(self) -> Schedule:
        by_cron = (self.cron is not None, self.for_ is not None)
        by_clock = (self.from_ is not None, self.to is not None)
        if not (all(by_cron) and not any(by_clock) and self.days is None) and not (
            all(by_clock) and not any(by_cron)
        ):
            raise ValueError("either cron and for are wanted, or from and to, with days if need be")
        return self

    def answer(self, given: Given) -> tuple[bool | None, int | None, str | None]:
        """Whether it is one of those times."""
        spans = self._by_cron(given) if self.cron is not None else self._by_clock(given)
        changes = []
        on = False
        for begin, end in spans:
            on = on or begin <= given.now < end
            changes += [each for each in (begin, end) if each > given.now]
        return on, min(changes, default=None), None

    def _by_cron(self, given: Given) -> Iterator[tuple[int, int]]:
        """From the last time that came to the next one."""
        length = round((self.for_ or 0) * 1000)
        here = datetime.fromtimestamp(given.now / 1000, given.site.zone)
        # Backwards it does not find times that a change of clocks has moved: it only says where to begin.
        start = next(CronSim(self.cron or "", here + timedelta(seconds=1), reverse=True), here)
        for found in CronSim(self.cron or "", _before(start)):
            begin = round(found.timestamp() * 1000)
            yield begin, begin + length
            if begin > given.now:
                return

    def _by_clock(self, given: Given) -> Iterator[tuple[int, int]]:
        """Those that begin from yesterday until this day next week."""
        zone = given.site.zone
        begin, end = time.fromisoformat(self.from_ or "00:00"), time.fromisoformat(self.to or "00:00")
        today = datetime.fromtimestamp(given.now / 1000, zone).date()
        for ahead in range(-1, 8):
            day = today + timedelta(days=ahead)
            if self.days is None or DAYS[day.weekday()] in self.days:
                last = day if end > begin else day + timedelta(days=1)
                yield _at(datetime.combine(day, begin), zone), _at(datetime.combine(last, end), zone)


class Every(Step):
    """Pulses every so many seconds, counted from 1970-01-01T00:00Z; what was missed is not made up for.

    {do: every, id: tick, seconds: 900}
    """

    pure: ClassVar[bool] = False
    pulse: ClassVar[bool] = True
    seconds: float = Field(ge=1, le=LONGEST, allow_inf_nan=False)

    def run(self, given: Given) -> Outcome:
        """True at its times, else None."""
        period = round(self.seconds * 1000)
        turn = given.now // period
        return Outcome(True if given.state not in (None, turn) else None, turn, (turn + 1) * period)


def _before(moment: datetime) -> datetime:
    """A second earlier, also where clocks are changed."""
    return (moment.astimezone(UTC) - timedelta(seconds=1)).astimezone(moment.tzinfo)


def _at(local: datetime, zone: tzinfo) -> int:
    return round(local.replace(tzinfo=zone).timestamp() * 1000)
