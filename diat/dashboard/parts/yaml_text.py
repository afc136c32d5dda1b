"""A YAML text that a person edits: its lines numbered, the one that is wrong marked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import yaml
from nicegui import ui

from diat.dashboard.parts.markup import Markup, html

MOST = 100_000
"""Characters of a text in which a line is looked for."""
_LINES = 14
"""Lines for which there is room at least."""


def line_of(text: str, field: str) -> int | None:
    """The line, from 1 on, of what a dotted path names; of the last part of it that is there."""
    try:
        node = yaml.compose(text[:MOST], yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return None
    if node is None or not field:
        return None
    line: int = node.start_mark.line
    for part in field.split("."):
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == part), None)
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and part.isdecimal() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line
        else:
            break
    return line + 1


def unreadable(text: str) -> tuple[int, str] | None:
    """Line and reason of what is no YAML in a text; None if it is."""
    try:
        yaml.compose(text[:MOST], yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        return (mark.line + 1 if mark is not None else 1, str(error.problem or error.context or "not YAML"))
    except (yaml.YAMLError, RecursionError) as error:
        return 1, str(error)[:200]
    return None


class YamlText:
    """The editor; ``changed`` is told of what a person wrote, when typing pauses."""

    def __init__(self, label: str, text: str, changed: Callable[[str], Awaitable[None]]) -> None:
        self.text = text
        self._wrong: int | None = None
        self._changed = changed
        with ui.element("div").classes("editor"):
            self._numbers = html(Markup(), "ol").props("aria-hidden=true")
            self._area = ui.element("textarea").props('spellcheck="false" autocapitalize="off" wrap="off"')
            self._area.props["aria-label"] = label
            self._area.props["value"] = text
            self._area.on(
                "input",
                self._typed,
                throttle=0.5,
                leading_events=False,
                js_handler="(e) => emit(e.target.value)",
            )
        self._number()

    def put(self, text: str) -> None:
        """Have it say something else."""
        self.text = text
        self._area.props["value"] = text
        self._area.update()
        self._number()

    def mark(self, line: int | None) -> None:
        """Mark the line that is wrong."""
        self._wrong = line
        self._area.props["aria-invalid"] = "true" if line is not None else "false"
        self._area.update()
        self._number()

    async def _typed(self, event: Any) -> None:
        self.text = str(event.args)
        # What the browser shows is what was typed; this keeps a later update from bringing the old text back.
        self._area.props["value"] = self.text
        await self._changed(self.text)

    def _number(self) -> None:
        count = max(_LINES, self.text.count("\n") + 2)
        lines = Markup().join(
            Markup("<li{}>{}</li>").format(Markup(' class="wrong"') if at == self._wrong else "", at)
            for at in range(1, count + 1)
        )
        self._numbers.set_content(str(lines))
        self._area.props["rows"] = count
