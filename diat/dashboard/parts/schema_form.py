"""A form made from a JSON Schema: a field for each property, what is required first."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nicegui import ui

Schema = Mapping[str, Any]
Read = Callable[[], Any]
NOTHING = object()
"""Stands for a field that was left empty."""


class Unfilled(Exception):
    """A field is missing or cannot be read.

    Attributes:
        field: its name.
    """

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field


class Form:
    """Fields for what a schema describes, made where this is made."""

    def __init__(
        self, schema: Schema, value: Any = None, suggestions: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        """Make the fields.

        Args:
            schema: of an object, or of a single value.
            value: what is filled in; defaults of the schema where it says nothing.
            suggestions: values to choose from, by the ``format`` or the name of a property.
        """
        self._suggestions = suggestions or {}
        self._elements: dict[str, Any] = {}
        self._object = "properties" in schema
        self._fields: dict[str, tuple[Read, bool]] = {}
        if not self._object:
            self._field("value", schema, value, required=True)
            return
        required = set(schema.get("required", ()))
        given = value if isinstance(value, Mapping) else {}
        properties = {name: each for name, each in schema["properties"].items() if isinstance(each, Mapping)}
        with ui.element("div").classes("form"):
            for name in (each for each in properties if each in required):
                self._field(name, properties[name], given.get(name), required=True)
        rest = [name for name in properties if name not in required]
        if not rest:
            return
        more = ui.expansion("More settings", value=not required).classes("more-settings")
        with more, ui.element("div").classes("form"):
            for name in rest:
                self._field(name, properties[name], given.get(name), required=False)

    def value(self) -> Any:
        """What was filled in; what was left empty is left out.

        Raises:
            Unfilled: something required is missing, or is not what it should be.
        """
        found = {}
        for name, (read, required) in self._fields.items():
            self.blame(name, "")
            try:
                value = read()
            except ValueError as error:
                self.blame(name, str(error))
                raise Unfilled(name, str(error)) from None
            if value is NOTHING and required:
                self.blame(name, "it is needed")
                raise Unfilled(name, "it is needed")
            if value is not NOTHING:
                found[name] = value
        return found if self._object else found.get("value")

    def blame(self, field: str, why: str) -> bool:
        """Say beside a field what is wrong with it, ``""`` for nothing; whether there is such a field."""
        element = self._elements.get(field.rpartition(".")[2])
        if element is None or not hasattr(element, "error"):
            return False
        element.error = why or None
        return True

    def _field(self, name: str, schema: Schema, value: Any, *, required: bool) -> None:
        label = str(schema.get("title", name))
        unit = schema.get("unit")
        if isinstance(unit, str) and unit != "1":
            label += f" ({unit})"
        if value is None:
            value = schema.get("default")
        kind = schema.get("type")
        element: Any
        if isinstance(schema.get("enum"), list):
            element = ui.select(list(schema["enum"]), label=label, value=value)
            read = _chosen(element)
        elif kind == "boolean":
            element = ui.switch(label, value=bool(value))
            read = _switched(element)
        elif kind in ("number", "integer"):
            element = ui.number(label, value=value, min=schema.get("minimum"), max=schema.get("maximum"))
            read = _number(element, whole=kind == "integer")
        elif kind == "string":
            element = self._text(name, schema, label, value)
            read = _chosen(element)
        else:
            shown = "" if value is None else json.dumps(value, ensure_ascii=False)
            element = ui.input(f"{label}, as JSON", value=shown)
            read = _json(element)
        if kind != "boolean" or "enum" in schema:
            element.props("outlined dense")
            if (hint := _hint(schema)) and not value:
                element.props["hint"] = hint
        self._elements[name] = element
        self._fields[name] = read, required

    def _text(self, name: str, schema: Schema, label: str, value: Any) -> Any:
        known = self._suggestions.get(str(schema.get("format", name))) or self._suggestions.get(name)
        if known is None:
            return ui.input(label, value=value or "")
        options = list(dict.fromkeys([*known, *([value] if value else [])]))
        return ui.select(options, label=label, value=value, with_input=True, new_value_mode="add-unique")


def _hint(schema: Schema) -> str:
    examples = schema.get("examples")
    return f"such as {examples[0]}" if isinstance(examples, list) and examples else ""


def _chosen(element: Any) -> Read:
    return lambda: NOTHING if element.value in (None, "") else element.value


def _switched(element: Any) -> Read:
    return lambda: bool(element.value)


def _number(element: Any, *, whole: bool) -> Read:
    def read() -> Any:
        if element.value is None:
            return NOTHING
        return int(element.value) if whole or element.value == int(element.value) else element.value

    return read


def _json(element: Any) -> Read:
    def read() -> Any:
        if not (element.value or "").strip():
            return NOTHING
        try:
            return json.loads(element.value)
        except ValueError:
            raise ValueError("this is no JSON") from None

    return read
