"""Composite templates: what a service needs, in terms of meaning, and what it does with it.

A template is a Thing Model in spirit: a description with placeholders ``{{parameter}}`` that become concrete
when a service is made. A placeholder that is a whole string takes the parameter's value with its type.

    name: keep-within
    version: 1
    title: Keep a quantity within a band
    parameters: {type: object, properties: {…}, required: […]}     a JSON Schema
    roles:      {sensor: {capability: read, quantity: "{{quantity}}", place: "{{place}}", …}}
    requires:   [[warmer, cooler]]                                  at least one of these roles is filled
    steps:      [{id: level, do: latest, role: sensor}, …]          a graph, joined by ``input``
    derives:    {mean: {from: average, type: number, …}}            properties of the composite as a thing
    emits:      {finished: {from: done, …}}                         events of it
    settings:   {armed: {type: boolean, default: false, …}}         properties of it that people set
    latency:    "{{latency}}"                    seconds in which what it drives is to answer a reading
    achieves:   [{keep: {quantity: "{{quantity}}", …}}]             goals that a service of it reaches
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Any, Literal

import jsonschema_rs
from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from diat.cvol.placeholders import fill, parameter_of, placeholders
from diat.cvol.roles import Role, Strict
from diat.cvol.steps import LONGEST, STEPS, Step
from diat.cvol.steps.base import fields, sources
from diat.kernel.errors import Invalid
from diat.vol.arbitration import Priority
from diat.vol.interaction import Delivery

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NO_SCHEMA = (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError)


class Derived(Strict):
    """A property of the composite as a thing: the output of a step, described as in a TD."""

    from_: str = Field(alias="from")
    type: Literal["number", "integer", "boolean", "string", "array", "object"] = "number"
    title: str | None = None
    quantity: str | None = None
    unit: str | None = None

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Emitted(Strict):
    """An event of the composite: it happens each time the value of a step becomes true or another."""

    from_: str = Field(alias="from")
    title: str | None = None
    quantity: str | None = None

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Settable(Strict):
    """A property of the composite that people and other services set."""

    type: Literal["number", "integer", "boolean", "string"]
    default: Any = None
    title: str | None = None
    quantity: str | None = None
    unit: str | None = None
    enum: list[Any] | None = None
    minimum: float | None = None
    maximum: float | None = None


class Template(Strict):
    """A composite template, checked: its steps are known, joined to what exists, and free of cycles."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    version: int = Field(default=1, ge=1)
    title: str = Field(min_length=1, max_length=200)
    description: str = ""
    parameters: dict[str, Any]
    roles: dict[str, Role]
    requires: list[list[str]] = []
    steps: list[dict[str, Any]] = Field(min_length=1, max_length=200)
    derives: dict[str, Derived] = {}
    emits: dict[str, Emitted] = {}
    settings: dict[str, Settable] = {}
    place: str = ""
    achieves: list[dict[str, Any]] = []
    priority: Priority | str = "automation"
    delivery: Delivery | str = "exactly-once"
    latency: Annotated[float, Field(gt=0, le=LONGEST)] | str | None = None

    @field_validator("parameters")
    @classmethod
    def _schema(cls, value: dict[str, Any]) -> dict[str, Any]:
        if value.get("type") != "object":
            raise ValueError("a JSON Schema of an object is needed")
        made = {"additionalProperties": False, **value, "$schema": _DIALECT}
        try:
            jsonschema_rs.meta.validate(made)
            jsonschema_rs.Draft202012Validator(made, retriever=nowhere)
        except _NO_SCHEMA as error:
            raise ValueError(f"not a JSON Schema: {error}"[:300]) from None
        del made["$schema"]
        return made

    @field_validator("steps")
    @classmethod
    def _known(cls, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        seen: set[str] = set()
        for at, step in enumerate(value):
            kind = STEPS.get(str(step.get("do")))
            if kind is None:
                raise ValueError(
                    f"{at}.do: unknown step {step.get('do')!r}; known: {', '.join(sorted(STEPS))}"
                )
            name = step.get("id")
            if not isinstance(name, str) or not name or name in seen:
                raise ValueError(f"{at}.id: each step needs an id of its own")
            seen.add(name)
            known = fields(kind)
            for key in step:
                if key != "do" and key not in known:
                    raise ValueError(f"{at}.{key}: the step {step['do']!r} has no such field")
            for key in ("role", "against", "input", "when"):
                if key in known and not isinstance(step.get(key, ""), str):
                    raise ValueError(f"{at}.{key}: a name is wanted")
            for key, source in sources(kind, step):
                if not isinstance(source, str):
                    raise ValueError(f"{at}.{key}: the id of a step is wanted")  # noqa: TRY004
            for key, name in known.items():
                if kind.model_fields[name].is_required() and key not in step:
                    raise ValueError(f"{at}.{key}: the step {step['do']!r} needs it")
            _settled(at, step, kind)
        return value

    @model_validator(mode="after")
    def _joined(self) -> Template:
        order(self.steps)
        for at, step in enumerate(self.steps):
            for key in ("role", "against"):
                if key in step and step[key] not in self.roles:
                    raise ValueError(f"steps.{at}.{key}: there is no role {step[key]!r}")
            if "role" in step and not _suits(STEPS[step["do"]], self.roles[step["role"]]):
                raise ValueError(f"steps.{at}.role: {step['do']!r} cannot use the role {step['role']!r}")
            if step["do"] == "setting" and step["property"] not in self.settings:
                raise ValueError(f"steps.{at}.property: there is no setting {step['property']!r}")
        return self

    @model_validator(mode="after")
    def _named(self) -> Template:
        for group in self.requires:
            for role in group:
                if role not in self.roles:
                    raise ValueError(f"requires: there is no role {role!r}")
        names = {step["id"] for step in self.steps}
        for kind, made in (("derives", self.derives), ("emits", self.emits)):
            for name, each in made.items():
                if each.from_ not in names:
                    raise ValueError(f"{kind}.{name}.from: there is no step {each.from_!r}")
        if taken := set(self.derives) & set(self.settings):
            raise ValueError(f"settings.{min(taken)}: a derived property has that name")
        known = set(self.parameters.get("properties", {}))
        for placeholder in placeholders([self.model_dump(exclude={"parameters"}, by_alias=True)]):
            if placeholder not in known:
                raise ValueError(f"parameters: there is none for the placeholder {{{{{placeholder}}}}}")
        return self


def _settled(at: int, step: dict[str, Any], kind: type[Step]) -> None:
    """Check what no parameter decides; the rest is checked when there are parameters."""
    try:
        kind.model_validate({key: value for key, value in step.items() if key != "do"})
    except ValidationError as error:
        for each in error.errors():
            place = [str(part) for part in each["loc"]]
            if not placeholders(step.get(place[0]) if place else step):
                where = ".".join([str(at), *place])
                raise ValueError(f"{where}: {each['msg'].removeprefix('Value error, ')}") from None


def _suits(kind: type[Step], role: Role) -> bool:
    return kind.takes == ("drive" if role.drives else role.capability)


def nowhere(uri: str) -> Any:
    """Look nothing up: a schema that refers elsewhere must not make the platform go there."""
    raise ValueError(f"{uri} is not looked up")


def order(steps: list[dict[str, Any]]) -> list[str]:
    """The ids of the steps, each after its inputs.

    Raises:
        ValueError: an input does not exist, or the steps form a cycle; it names the steps.
    """
    names = {step["id"] for step in steps}
    graph: TopologicalSorter[str] = TopologicalSorter()
    for at, step in enumerate(steps):
        needed = sources(STEPS[step["do"]], step)
        for key, source in needed:
            if source not in names:
                raise ValueError(f"steps.{at}.{key}: there is no step {source!r}")
        graph.add(step["id"], *(source for _, source in needed))
    try:
        return list(graph.static_order())
    except CycleError as error:
        raise ValueError(f"steps: they form a cycle: {' -> '.join(error.args[1])}") from None


def filled_steps(template: Template, parameters: dict[str, Any]) -> list[Step]:
    """The template's steps with these parameters, in the order in which they run.

    Raises:
        Invalid: a step does not take what the parameters say; ``field`` names the parameter.
    """
    made = {}
    for step in template.steps:
        filled = {key: value for key, value in fill(step, parameters).items() if value is not None}
        kind = STEPS[filled.pop("do")]
        try:
            made[step["id"]] = kind.model_validate(filled)
        except ValidationError as error:
            raise _wrong_parameter(step, error) from None
    return [made[name] for name in order(template.steps)]


def _wrong_parameter(step: dict[str, Any], error: ValidationError) -> Invalid:
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]] or list(step)
    for key in place:
        if placeholders(step.get(key)):
            return Invalid(first["msg"].removeprefix("Value error, "), parameter_of(step[key]))
    return Invalid(f"step {step['id']}: {first['msg']}", "parameters")
