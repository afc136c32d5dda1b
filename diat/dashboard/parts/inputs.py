"""Fields, each with its label."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from nicegui import ui

Taken = Callable[[str], Awaitable[object]]
_MANY = 12
"""Options from which on a list can be searched by typing."""


class Asked(Protocol):
    """What fields of a search write to."""

    asked: dict[str, str]

    def set(self, name: str) -> Taken:
        """What takes a new value of a field."""


def line(label: str, taken: Taken, value: str = "", *, wide: bool = False) -> ui.input:
    """A line of text; told when typing pauses."""
    field = ui.input(label, value=value, on_change=lambda event: taken(event.value or ""))
    field.props("outlined dense clearable debounce=250").classes("grow" if wide else "field")
    return field


def choice(label: str, options: Mapping[str, str], search: Asked, name: str) -> ui.select:
    """One of several, told at once."""
    taken, chosen = search.set(name), search.asked[name]
    known = dict(options) if chosen in options else {**options, chosen: chosen}
    field = ui.select(
        known,
        label=label,
        value=chosen,
        with_input=len(known) > _MANY,
        on_change=lambda event: taken(event.value or ""),
    )
    field.props("outlined dense options-dense").classes("field")
    return field


def act(text: str, done: Callable[[], Any], *, main: bool = False, grave: bool = False) -> ui.button:
    """A button."""
    look = "unelevated" if main else "outline"
    return ui.button(text, on_click=done).props(f"{look} no-caps{' color=negative' if grave else ''}")
