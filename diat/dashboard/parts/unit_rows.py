"""A unit for each of some quantities: a row for each, with the units that fit it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from diat.dashboard.likes import written
from diat.dashboard.parts.inputs import act
from diat.operation.shown_units import units_of


class UnitRows:
    """Fields for any number of quantities."""

    def __init__(self, quantities: Sequence[str], known: Mapping[str, str], *, fixed: bool) -> None:
        """Make the fields.

        Args:
            quantities: to choose from, besides those that are known.
            known: quantity to unit (UCUM), as it is set.
            fixed: whether nobody may change them here.
        """
        self._quantities = sorted({*quantities, *known})
        self._rows: list[tuple[ui.element, ui.select, ui.select]] = []
        self._fixed = fixed
        self.element = ui.element("div").classes("stack")
        with self.element:
            self._place = ui.element("div").classes("stack")
            for kind, unit in known.items():
                self._add(kind, unit)
            if not fixed:
                with ui.element("div").classes("buttons"):
                    act("Add a quantity", lambda: self._add(None, None))

    def get(self) -> dict[str, str]:
        """What the fields say: quantity to unit; rows that are not filled are left out."""
        return {
            str(kind.value): str(unit.value)
            for row, kind, unit in self._rows
            if not row.is_deleted and kind.value and unit.value
        }

    def _add(self, kind: str | None, unit: str | None) -> None:
        def chosen(event: Any) -> None:
            units.set_options(_options(event.value), value=None)

        with self._place, ui.element("div").classes("row-wrap") as row:
            quantity = ui.select(
                self._quantities, label="Quantity", value=kind, with_input=True, on_change=chosen
            )
            units = ui.select(_options(kind), label="Shown in", value=unit)
            for field in (quantity, units):
                field.props(f"outlined dense options-dense{' readonly' if self._fixed else ''}").classes(
                    "entry"
                )
            if not self._fixed:
                act("Take away", row.delete)
        self._rows.append((row, quantity, units))


def _options(kind: str | None) -> dict[str, str]:
    """The units of a quantity as people write them."""
    return {unit: written(unit) or unit for unit in units_of(kind)} if kind else {}
