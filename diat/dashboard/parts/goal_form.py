"""A goal as a sentence with gaps: keep something at a place between two values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from diat.dashboard.parts.schema_form import Unfilled

_KINDS = {"keep": "Keep", "maintain": "Make sure that", "notify": "Tell me when", "know": "Know"}
_EDGES = {"between": "between", "above": "above", "below": "below"}


class GoalForm:
    """The gaps of a sentence."""

    def __init__(
        self,
        suggestions: Mapping[str, Sequence[str]],
        goal: Mapping[str, Any] | None = None,
        place: str = "",
    ) -> None:
        """Make the fields; ``goal`` fills them."""
        kind, said = next(iter(goal.items())) if goal else ("keep", {"place": place})
        edge = next((each for each in _EDGES if said.get(each) is not None), "between")
        between = said.get("between") or [20, 24]
        with ui.element("div").classes("sentence"):
            self._kind = _select(_KINDS, "Do", kind)
            self._quantity = _select(
                _options(suggestions["quantity"], said.get("quantity")),
                "What",
                said.get("quantity"),
                new=True,
            )
            self._place = _select(
                _options(suggestions["place"], said.get("place")),
                "Where",
                said.get("place") or None,
                new=True,
            )
            self._edge = _select(_EDGES, "How", edge)
            self._low = _number(
                "From" if edge == "between" else "Edge", between[0] if edge == "between" else said.get(edge)
            )
            self._high = _number("To", between[1])
            self._is = _select({"true": "so", "false": "not so"}, "It is", str(said.get("is", True)).lower())
            self._unit = ui.input("Unit", value=said.get("unit") or "").props(
                "outlined dense hint='the usual'"
            )
            self._for = _number("For seconds", said.get("for"))
        self._while = {name: said[name] for name in ("while",) if said.get(name) is not None}
        self._latency = {name: said[name] for name in ("latency",) if said.get(name) is not None}
        self._low.bind_visibility_from(self._kind, "value", lambda value: value in ("keep", "notify"))
        self._unit.bind_visibility_from(self._kind, "value", lambda value: value != "maintain")
        self._is.bind_visibility_from(self._kind, "value", lambda value: value == "maintain")
        self._for.bind_visibility_from(self._kind, "value", lambda value: value == "notify")
        for field in (self._kind, self._edge):
            field.on_value_change(self._show)
        self._show()

    def value(self) -> dict[str, Any]:
        """The goal.

        Raises:
            Unfilled: a gap is left.
        """
        kind = self._kind.value
        if not self._quantity.value:
            raise Unfilled("What", "choose a quantity")
        goal: dict[str, Any] = {"quantity": self._quantity.value, "place": self._place.value or ""}
        if self._unit.value and kind != "maintain":
            goal["unit"] = self._unit.value
        if kind == "maintain":
            goal |= {"is": self._is.value == "true", **self._while}
        elif kind in ("keep", "notify"):
            goal |= self._limits(kind)
        if kind in ("keep", "maintain"):
            goal |= self._latency
        if kind == "notify" and self._for.value:
            goal["for"] = self._for.value
        return {kind: goal}

    def sentence(self) -> str:
        """The goal in words, for a name."""
        what = f"{_KINDS[self._kind.value]} {self._quantity.value or ''}".strip()
        return f"{what} at {self._place.value}" if self._place.value else what

    def _limits(self, kind: str) -> dict[str, Any]:
        edge = self._edge.value
        if self._low.value is None or (edge == "between" and self._high.value is None):
            raise Unfilled("From", "say a number")
        if edge != "between":
            return {edge: self._low.value}
        if kind == "notify":
            raise Unfilled("How", "tell me when it is above, or below")
        return {"between": [self._low.value, self._high.value]}

    def _show(self) -> None:
        kind, between = self._kind.value, self._edge.value == "between"
        self._edge.set_visibility(kind in ("keep", "notify"))
        self._high.set_visibility(kind == "keep" and between)


def _select(options: Any, label: str, value: Any, *, new: bool = False) -> ui.select:
    field = ui.select(
        options, label=label, value=value, with_input=new, new_value_mode="add-unique" if new else None
    )
    return field.props("outlined dense options-dense")


def _number(label: str, value: Any) -> ui.number:
    return ui.number(label, value=value).props("outlined dense")


def _options(known: Sequence[str], value: Any) -> list[str]:
    return list(dict.fromkeys([*known, *([value] if value else [])]))
