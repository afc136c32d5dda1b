"""A usage-control policy: who may do which operation with what, when, and in which form.

The document is what people write, as YAML or JSON. Those who know Cedar write Cedar instead (``cedar``).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, get_args

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from diat.kernel.durations import parse_duration
from diat.kernel.errors import NO_SUCH_FIELD, Invalid
from diat.security.decision import Effect
from diat.security.operations import Operation
from diat.security.principal import Kind, Role
from diat.wot.places import steps
from diat.wot.quantities import quantity_kind

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST = 31 * 86_400_000
"""Milliseconds of a delay or of an interval at most."""
MOST_CEDAR = 20_000
"""Characters of a Cedar text."""
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)

Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=300)]], Field(max_length=100)]


class Strict(BaseModel):
    """Nothing unknown, nothing changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Who(Strict):
    """Who it is about; what is not said is anybody's.

    Attributes:
        kinds: what is behind them.
        users: people by login; with the next five, any of those named.
        accounts: service accounts by name.
        services: by id: what a service binds, reads and drives.
        things: by id.
        situations: by id: what they start and set.
        daemons: by name.
        roles: of which one is their highest role at the place of what they ask for.
        purposes: what they say they ask for.
    """

    kinds: list[Kind] = []
    users: Names = []
    accounts: Names = []
    services: Names = []
    things: Names = []
    situations: Names = []
    daemons: Names = []
    roles: list[Role] = []
    purposes: Names = []

    @property
    def named(self) -> dict[Kind, list[str]]:
        """The named ones, by what is behind them."""
        found: dict[Kind, list[str]] = {
            "user": self.users,
            "account": self.accounts,
            "service": self.services,
            "thing": self.things,
            "situation": self.situations,
            "daemon": self.daemons,
        }
        return {kind: names for kind, names in found.items() if names}


class What(Strict):
    """What it is about, by meaning and place; of each list one must fit, what is not said fits all.

    Attributes:
        quantities: quantity kinds, in any spelling that we know.
        types: semantic types of the thing or of the affordance.
        places: paths; what lies inside counts.
        things: by id.
        services: by id.
        affordances: names of properties, actions and events.
    """

    quantities: Names = []
    types: Names = []
    places: Names = []
    things: Names = []
    services: Names = []
    affordances: Names = []

    @field_validator("quantities")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        found = []
        for term in value:
            kind = quantity_kind(term)
            if kind is None:
                raise ValueError(f"unknown quantity {term!r}")
            found.append(kind)
        return found

    @field_validator("places")
    @classmethod
    def _placed(cls, value: list[str]) -> list[str]:
        for path in value:
            if not steps(path):
                raise ValueError(f"{path!r} is no path of a place: leave places out for everywhere")
        return ["/".join(steps(path)) for path in value]


class Count(Strict):
    """How often it was used in a period; periods begin at multiples of their length, for each principal anew.

    Attributes:
        first: the policy holds for this many uses.
        after: it holds after this many.
        per: the period, ``1h``.
    """

    first: int | None = Field(default=None, ge=1, le=1_000_000)
    after: int | None = Field(default=None, ge=1, le=1_000_000)
    per: str

    @model_validator(mode="after")
    def _one(self) -> Count:
        if (self.first is None) is (self.after is None):
            raise ValueError("either first or after is wanted")
        return self

    @field_validator("per")
    @classmethod
    def _length(cls, value: str) -> str:
        return _duration(value)

    @property
    def period(self) -> int:
        """Milliseconds."""
        return parse_duration(self.per)

    def holds(self, used: int) -> bool:
        """Whether the next use is one of those meant, after so many in this period."""
        return used < self.first if self.first is not None else used >= (self.after or 0)


class When(Strict):
    """When it holds; all that is said must be so.

    Attributes:
        start: time of day in the site's zone from which on, ``22:00``; after ``end`` it lasts over midnight.
        end: time of day until which, excluded.
        days: of the week, as of the moment itself.
        situation: id of a situation that must hold.
        unless: id of a situation that must not hold.
        count: how often it was used.
    """

    start: str | None = Field(default=None, alias="from")
    end: str | None = Field(default=None, alias="to")
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = []
    situation: str | None = Field(default=None, min_length=1, max_length=200)
    unless: str | None = Field(default=None, min_length=1, max_length=200)
    count: Count | None = None

    @field_validator("start", "end")
    @classmethod
    def _time(cls, value: str | None) -> str | None:
        if value is not None and not _TIME.fullmatch(value):
            raise ValueError("a time of day is like 22:00")
        return value

    @model_validator(mode="after")
    def _both(self) -> When:
        if (self.start is None) is not (self.end is None):
            raise ValueError("from and to go together")
        if self.start is not None and self.start == self.end:
            raise ValueError("from and to are the same: leave both out for the whole day")
        return self

    @property
    def minutes(self) -> tuple[int, int] | None:
        """Minute of the day from which on, and until which."""
        return None if self.start is None or self.end is None else (_minute(self.start), _minute(self.end))


class Modify(Strict):
    """In which form values are handed out.

    Attributes:
        round: numbers, in the unit that the thing gives them in, to the nearest multiple of this.
        coarsen: of each interval of this length only the first value is told, as of the interval's beginning.
        anonymise: texts (true), or the members of objects with these names, become pseudonyms: the same for
            the same, and different on every platform.
        drop: members of objects with these names are left out.
    """

    round: float | None = Field(default=None, gt=0, le=1e12, allow_inf_nan=False)
    coarsen: str | None = None
    anonymise: bool | Names = False
    drop: Names = []

    @field_validator("coarsen")
    @classmethod
    def _length(cls, value: str | None) -> str | None:
        return value if value is None else _duration(value)


class Obligation(Strict):
    """What has to be done besides.

    Attributes:
        notify: HTTP address that is told of each use.
        delete_after: values that the policy is about are deleted when they are so old, ``30d``.
        log: each use is put into the audit, reads too.
    """

    notify: str | None = Field(default=None, max_length=2000, pattern=r"^https?://[^\s]+$")
    delete_after: str | None = Field(default=None, alias="delete-after")
    log: bool = False

    @field_validator("delete_after")
    @classmethod
    def _length(cls, value: str | None) -> str | None:
        if value is not None:
            parse_duration(value)
        return value

    @model_validator(mode="after")
    def _one(self) -> Obligation:
        if (self.notify is not None) + (self.delete_after is not None) + self.log != 1:
            raise ValueError("one of notify, delete-after and log is wanted")
        return self


class Document(Strict):
    """A policy as people write it.

    Attributes:
        version: of this format.
        title: for people.
        who: whom it is about.
        operations: what they want to do; none for any.
        what: with what.
        when: when it holds.
        effect: what is decided. ``permit`` grants what no role does; ``deny`` wins over all; ``modify`` and
            ``delay`` restrict what is permitted.
        modify: for ``modify``: the form.
        delay: for ``delay``: nothing younger than this is handed out.
        obligations: what has to be done besides.
        cedar: the policy in Cedar, instead of everything but title and version.
    """

    version: Literal[1] = 1
    title: str = Field(default="", max_length=200)
    who: Who = Who()
    operations: list[Operation] = Field(default=[], max_length=len(get_args(Operation)))
    what: What = What()
    when: When = When()
    effect: Effect | None = None
    modify: Modify = Modify()
    delay: str | None = None
    obligations: list[Obligation] = Field(default=[], max_length=10)
    cedar: str | None = Field(default=None, min_length=1, max_length=MOST_CEDAR)

    @field_validator("delay")
    @classmethod
    def _length(cls, value: str | None) -> str | None:
        return value if value is None else _duration(value)

    @model_validator(mode="after")
    def _whole(self) -> Document:
        said = self.model_fields_set - {"version", "title", "cedar"}
        if self.cedar is not None:
            if said:
                raise ValueError(f"cedar: it says all there is, {', '.join(sorted(said))} is too much")
        elif self.effect is None:
            raise ValueError("effect: permit, deny, modify or delay is wanted")
        elif (self.effect == "modify") is (self.modify == Modify()):
            raise ValueError("modify: it says the form where effect is modify, and only there")
        elif (self.effect == "delay") is (self.delay is None):
            raise ValueError("delay: it says how long where effect is delay, and only there")
        return self

    def plain(self) -> dict[str, Any]:
        """As JSON, without what is not said."""
        return self.model_dump(by_alias=True, exclude_defaults=True, mode="json")


class Policy(Struct, frozen=True, kw_only=True):
    """A policy as it is kept.

    Attributes:
        content: the document.
        created: Unix milliseconds, as is ``modified``.
        revision: grows with each change; the ETag.
    """

    id: str
    content: dict[str, Any]
    created: int
    modified: int
    revision: int = 1

    @property
    def title(self) -> str:
        """For people."""
        return str(self.content.get("title") or self.id)


def read_document(content: Any) -> Document:
    """A document that was brought.

    Raises:
        Invalid: it is none; ``field`` names the place.
    """
    try:
        return Document.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            message = NO_SUCH_FIELD
        # What is wrong between two members leads with the name of one.
        head, colon, rest = message.partition(": ")
        if not field and colon and head in Document.model_fields:
            field, message = head, rest
        raise Invalid(message, field) from None


def _duration(text: str) -> str:
    if parse_duration(text) > LONGEST:
        raise ValueError(f"at most {LONGEST // 86_400_000} days are possible, not {text!r}")
    return text


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)
