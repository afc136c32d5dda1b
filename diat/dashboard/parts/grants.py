"""Roles, and where each holds: told in words, and changed by a form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from nicegui import ui

from diat.dashboard.parts.inputs import act
from diat.dashboard.parts.markup import Markup, html
from diat.security.principal import ROLES

Json = dict[str, Any]


def told(grants: Iterable[Json]) -> str:
    """Roles in words: ``operator at hq/2; viewer everywhere``."""
    said = [
        f"{each['role']} at {', '.join(each['places'])}"
        if each.get("places")
        else f"{each['role']} everywhere"
        for each in grants
    ]
    return "; ".join(said) or "no role: nothing at all"


class Grants:
    """Fields for any number of roles, each at some places or everywhere."""

    def __init__(self, places: Sequence[str], grants: Iterable[Json] = ()) -> None:
        self._places = list(places)
        self._rows: list[tuple[ui.element, ui.select, ui.select]] = []
        self._place = ui.element("div").classes("stack")
        for each in grants:
            self._add(each["role"], each.get("places") or [])
        with ui.element("div").classes("buttons"):
            act("Add a role", lambda: self._add("viewer", []))

    def get(self) -> list[Json]:
        """What the fields say, as REST takes it."""
        return [
            {"role": role.value} | ({"places": places.value} if places.value else {})
            for row, role, places in self._rows
            if not row.is_deleted
        ]

    def _add(self, role: str, places: Sequence[str]) -> None:
        with self._place, ui.element("div").classes("row-wrap") as row:
            chosen = ui.select(list(ROLES), label="Role", value=role).props("outlined dense options-dense")
            options = list(dict.fromkeys([*self._places, *places]))
            where = ui.select(
                options, label="At", value=list(places), multiple=True, with_input=True,
                new_value_mode="add-unique",
            )  # fmt: skip
            where.props('outlined dense use-chips options-dense hint="Nothing: everywhere"')
            chosen.classes("entry")
            where.classes("entry wide")
            act("Take away", row.delete)
        self._rows.append((row, chosen, where))


def nothing_here(text: str) -> None:
    """Say that there is nothing yet, and what to do."""
    html(Markup('<p class="empty">{}</p>').format(text))
