"""A situation as somebody asks for it: what is watched, and what is done about it while it holds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from diat.cvol.steps import LONGEST
from diat.kernel.errors import Invalid
from diat.service.goals import Goal, Number, Value

Seconds = Annotated[float, Field(ge=0, le=LONGEST, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=2000)]
Policy = Literal["undo", "leave"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class When(_Strict):
    """What is watched: a property or an event, of a thing or of what a service makes."""

    thing: Name | None = None
    service: Name | None = None
    property: Name | None = None
    event: Name | None = None
    is_: Value | None = Field(default=None, alias="is")
    above: Number | None = None
    below: Number | None = None
    until: Number | None = Field(
        default=None, description="Where it ends again, if not at the edge where it began"
    )
    unit: str | None = Field(default=None, description="Of these numbers; not given: the property's own")
    for_: Seconds = Field(default=0, alias="for", description="Seconds that it must be so before it counts")
    lasts: Seconds | None = Field(default=None, description="Seconds that it holds after an event")

    @model_validator(mode="after")
    def _one_each(self) -> When:
        for one, other in (("thing", "service"), ("property", "event")):
            if (getattr(self, one) is None) == (getattr(self, other) is None):
                raise ValueError(f"exactly one of {one}, {other} is wanted")
        limits = [name for name in ("is_", "above", "below") if getattr(self, name) is not None]
        if self.event is not None:
            if limits or self.until is not None or self.unit is not None or self.for_:
                raise ValueError("an event happens: it takes lasts, and no value")
            return self
        if len(limits) != 1:
            raise ValueError("exactly one of is, above, below is wanted")
        if self.lasts is not None:
            raise ValueError("lasts: that is for events")
        if self.until is not None:
            edge = self.above if self.above is not None else self.below
            if edge is None or (self.until > edge if self.above is not None else self.until < edge):
                raise ValueError("until: it must lie behind the edge of above or below")
        return self


class Start(_Strict):
    """A service to start, as a request for one says it."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    template: str | None = None
    parameters: dict[str, Any] = {}
    goal: Goal | None = None


class Set(_Strict):
    """Parameters that a service is to have instead of its own."""

    service: Name
    parameters: dict[str, Any] = Field(min_length=1)


class Action(_Strict):
    """One thing that is done; exactly one of its kinds."""

    start: Start | None = None
    pause: Name | None = None
    resume: Name | None = None
    set: Set | None = None

    @model_validator(mode="after")
    def _one(self) -> Action:
        if sum(each is not None for each in (self.start, self.pause, self.resume, self.set)) != 1:
            raise ValueError("exactly one of start, pause, resume, set is wanted")
        return self


Actions = Annotated[list[Action], Field(min_length=1, max_length=50)]


class SituationRequest(_Strict):
    """A situation as somebody asks for it."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "title": "Air the office while somebody is in",
                    "when": {"thing": "urn:dev:radar", "property": "present", "is": True, "for": 60},
                    "then": [
                        {
                            "start": {
                                "title": "Office air",
                                "goal": {
                                    "keep": {
                                        "quantity": "Temperature",
                                        "place": "hq/2",
                                        "between": [20, 24],
                                        "unit": "Cel",
                                    }
                                },
                            }
                        }
                    ],
                }
            ]
        },
    )
    title: Annotated[str, Field(min_length=1, max_length=200)]
    when: When
    then: Actions
    otherwise: Policy | Actions = "undo"
    cooldown: Annotated[float, Field(ge=1, le=86_400, allow_inf_nan=False)] = 10

    def plain(self) -> dict[str, Any]:
        """As it was written, defaults filled in."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def read_situation(content: dict[str, Any]) -> SituationRequest:
    """Read what somebody asks for.

    Raises:
        Invalid: it is no situation; ``field`` names the place.
    """
    try:
        return SituationRequest.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        path = [str(part) for part in first["loc"] if "[" not in str(part)]
        raise Invalid(first["msg"].removeprefix("Value error, "), ".".join(path)) from None
