"""Fields of a form that is sent as a whole; what REST says is wrong shows at the field that it names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from nicegui import ui
from nicegui.elements.mixins.value_element import ValueElement

from diat.dashboard.parts.acts import tell
from diat.dashboard.parts.markup import Markup, html
from diat.dashboard.rest import Refused

F = TypeVar("F", bound=ValueElement[Any])
ROLES = ("viewer", "operator", "engineer", "admin")


class Fields:
    """Fields by the name that REST calls them."""

    def __init__(self) -> None:
        self._made: dict[str, ValueElement[Any]] = {}

    def text(self, name: str, label: str, value: str | None = "", hint: str = "") -> ui.input:
        """A line of text."""
        return self._kept(name, ui.input(label, value=value or ""), hint)

    def typed(
        self, name: str, label: str, options: Iterable[str], value: str | None, hint: str = ""
    ) -> ui.input:
        """A line of text with very many suggestions, which the browser itself shows."""
        choices = Markup().join(Markup('<option value="{}">').format(each) for each in options)
        html(Markup('<datalist id="{}-choices">{}</datalist>').format(name, choices))
        field = self.text(name, label, value, hint)
        field.props(f'list="{name}-choices"')
        return field

    def number(self, name: str, label: str, value: float | None = None, hint: str = "") -> ui.number:
        """A number, or none."""
        return self._kept(name, ui.number(label, value=value), hint)

    def one_of(
        self, name: str, label: str, options: Mapping[Any, str], value: Any = None, hint: str = ""
    ) -> ui.select:
        """One of several."""
        known = dict(options) if value in options or value is None else {**options, value: str(value)}
        field = ui.select(known, label=label, value=value, with_input=len(known) > 12)
        return self._kept(name, field, hint, "options-dense")

    def several(
        self,
        name: str,
        label: str,
        options: Sequence[str],
        value: Sequence[str] = (),
        hint: str = "",
        *,
        new: bool = False,
    ) -> ui.select:
        """Any number of several; ``new``: also others, typed in."""
        known = list(dict.fromkeys([*options, *value]))
        more: dict[str, Any] = {"with_input": True, "new_value_mode": "add-unique"} if new else {}
        field = ui.select(known, label=label, value=list(value), multiple=True, **more)
        return self._kept(name, field, hint, "use-chips options-dense")

    def yes(self, name: str, label: str, *, value: bool = False) -> ui.checkbox:
        """Yes or no."""
        box = ui.checkbox(label, value=value)
        self._made[name] = box
        return box

    def get(self, name: str) -> Any:
        """What a field says; nothing that was typed is None."""
        value = self._made[name].value
        if isinstance(value, str):
            return value.strip() or None
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return value

    def set(self, name: str, value: Any) -> None:
        """Have a field say something else."""
        self._made[name].set_value(value)

    def offer(self, name: str, value: Sequence[str]) -> None:
        """Have a field of several say these, which it may not have offered before."""
        field = self._made[name]
        if isinstance(field, ui.select):
            known = list(field.options)
            field.set_options([*known, *(each for each in value if each not in known)], value=list(value))

    def listen(self, told: Callable[[], Awaitable[None]]) -> None:
        """Have each change told."""
        for field in self._made.values():
            if isinstance(field, ui.input | ui.number):
                field.props('debounce="300"')
            field.on_value_change(lambda _: told())

    def fix(self, name: str, why: str = "") -> None:
        """Let nobody change a field, and say why."""
        self._made[name].props("readonly")
        if why:
            self.hint(name, why)

    def hint(self, name: str, text: str) -> None:
        """Say something below a field."""
        self._made[name].props["hint"] = text

    async def send(self, act: Callable[[], Awaitable[Any]], done: str = "") -> Any:
        """Send it; the answer, or None if it was refused, which is told at the field or below."""
        for field in self._made.values():
            field.props(remove="error error-message")
        try:
            answer = await act()
        except Refused as refusal:
            self._tell(refusal)
            return None
        if done:
            tell(done)
        return answer if answer is not None else True

    def _tell(self, refusal: Refused) -> None:
        named = refusal.field
        known = next((each for each in (named, named.split(".")[0]) if each in self._made), None)
        if known is None:
            tell(f"{named}: {refusal.detail}" if named else refusal.detail, bad=True)
            return
        field = self._made[known]
        field.props("error")
        field.props["error-message"] = refusal.detail
        field.run_method("focus")

    def _kept(self, name: str, field: F, hint: str, props: str = "") -> F:
        field.props(f"outlined dense {props}").classes("entry")
        if hint:
            field.props["hint"] = hint
        self._made[name] = field
        return field
