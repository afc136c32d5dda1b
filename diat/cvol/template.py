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
"""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal

import jsonschema_rs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from diat.cvol.steps import STEPS, Step
from diat.kernel.errors import Invalid

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}")
_COUNT = re.compile(r"(\d{1,6})(?:(\.\.)(\d{1,6})?)?", re.ASCII)

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NO_SCHEMA = (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError)

Capability = Literal["read", "increase", "decrease"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Role(_Strict):
    """What kind of affordance is wanted, and how many.

    Attributes:
        capability: ``read`` a property of the quantity; ``increase`` or ``decrease`` the quantity.
        quantity: a quantity kind in any spelling that we know.
        place: path of a place; what lies inside counts. Empty: anywhere.
        unit: UCUM code that values are converted to.
        freshness: seconds that a reading may be old.
        count: ``1`` exactly one, ``1..`` one or more, ``0..1`` at most one, ``0..`` any number.
        composites: whether things that are themselves composed may fill it.
    """

    capability: Capability
    quantity: str
    place: str = ""
    unit: str | None = None
    freshness: float | str = 3600.0
    count: str = "1"
    composites: bool = True

    @field_validator("count")
    @classmethod
    def _counted(cls, value: str) -> str:
        match = _COUNT.fullmatch(value)
        if match is None or int(match.group(3) or 999_999) < int(match.group(1)):
            raise ValueError("a count is like 1, 1.., 0..1 or 2..5")
        return value

    @property
    def least(self) -> int:
        """How many must fill it."""
        match = _COUNT.fullmatch(self.count)
        return int(match.group(1)) if match else 0

    @property
    def most(self) -> int | None:
        """How many may fill it; None for any number."""
        match = _COUNT.fullmatch(self.count)
        if match is None or match.group(2) is None:
            return self.least
        return int(match.group(3)) if match.group(3) else None


class Derived(_Strict):
    """A property of the composite as a thing: the output of a step, described as in a TD."""

    from_: str = Field(alias="from")
    type: Literal["number", "integer", "boolean", "string"] = "number"
    title: str | None = None
    quantity: str | None = None
    unit: str | None = None

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Template(_Strict):
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
    place: str = ""

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
            for key in step:
                if key != "do" and key not in kind.model_fields:
                    raise ValueError(f"{at}.{key}: the step {step['do']!r} has no such field")
            for key in ("role", "against", "input"):
                if not isinstance(step.get(key, ""), str):
                    raise ValueError(f"{at}.{key}: a name is wanted")  # noqa: TRY004 - pydantic's
            for key, field in kind.model_fields.items():
                if field.is_required() and key not in step:
                    raise ValueError(f"{at}.{key}: the step {step['do']!r} needs it")
        return value

    @model_validator(mode="after")
    def _joined(self) -> Template:
        order(self.steps)
        for at, step in enumerate(self.steps):
            for key in ("role", "against"):
                if key in step and step[key] not in self.roles:
                    raise ValueError(f"steps.{at}.{key}: there is no role {step[key]!r}")
            if "role" in step and (self.roles[step["role"]].capability == "read") is (step["do"] == "drive"):
                raise ValueError(f"steps.{at}.role: {step['do']!r} cannot use the role {step['role']!r}")
        for group in self.requires:
            for role in group:
                if role not in self.roles:
                    raise ValueError(f"requires: there is no role {role!r}")
        names = {step["id"] for step in self.steps}
        for name, derived in self.derives.items():
            if derived.from_ not in names:
                raise ValueError(f"derives.{name}.from: there is no step {derived.from_!r}")
        known = set(self.parameters.get("properties", {}))
        for placeholder in placeholders([self.model_dump(exclude={"parameters"}, by_alias=True)]):
            if placeholder not in known:
                raise ValueError(f"parameters: there is none for the placeholder {{{{{placeholder}}}}}")
        return self


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
        source = step.get("input")
        if source is not None and source not in names:
            raise ValueError(f"steps.{at}.input: there is no step {source!r}")
        graph.add(step["id"], *([source] if source is not None else []))
    try:
        return list(graph.static_order())
    except CycleError as error:
        raise ValueError(f"steps: they form a cycle: {' -> '.join(error.args[1])}") from None


def placeholders(value: Any) -> set[str]:
    """All parameters that a value refers to."""
    if isinstance(value, str):
        return set(_PLACEHOLDER.findall(value))
    if isinstance(value, dict):
        return set().union(*(placeholders(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*(placeholders(each) for each in value))
    return set()


def parameter_of(value: Any) -> str:
    """The parameter that a part of a template is filled from, as a field; the template where it is fixed."""
    named = sorted(placeholders(value))
    return f"parameters.{named[0]}" if named else "template"


def fill(value: Any, parameters: dict[str, Any]) -> Any:
    """Replace placeholders; a whole string becomes the parameter's value, None where it is not given."""
    if isinstance(value, str):
        whole = _PLACEHOLDER.fullmatch(value)
        if whole is not None:
            return parameters.get(whole.group(1))
        return _PLACEHOLDER.sub(lambda match: str(parameters.get(match.group(1), "")), value)
    if isinstance(value, dict):
        return {key: fill(each, parameters) for key, each in value.items()}
    if isinstance(value, list):
        return [fill(each, parameters) for each in value]
    return value


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
