"""Templates: from the text in an announcement to text or nothing.

What is hostile, too large or asks for something that is not there is refused when compiled; what goes wrong
with one message is an ``Unfit`` with one line. Neither takes long.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import meta
from jinja2.exceptions import TemplateError, UndefinedError

from diat.vol.dialects.jinja import bounds
from diat.vol.dialects.jinja.sandbox import BUDGET, SANDBOX, bounded, checked
from diat.vol.dialects.words import Unfit, quoted

MAX_SOURCE = 4_096
"""Characters of a template; the longest that Zigbee2MQTT emits has about 800."""

_FAULTS = (
    *(ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError),
    *(TemplateError, re.error),
)


class Template:
    """A compiled template.

    Attributes:
        source: its text.
        names: the variables it asks for.
    """

    def __init__(self, source: str, names: frozenset[str], nodes: int, program: jinja2.Template) -> None:
        self.source = source
        self.names = names
        self._nodes = nodes
        self._program = program

    def render(self, names: dict[str, Any], size: int = 0) -> str | None:
        """Render with these variables, which come from a message of ``size`` characters.

        Returns:
            The text without the space around it; None if it asks for what the message does not have.

        Raises:
            Unfit: it cannot be rendered, or not within bounds.
        """
        budget = bounds.Budget(size)
        budget.spend(budget.size * self._nodes)
        pieces: list[str] = []
        length = 0
        try:
            for piece in self._program.root_render_func(self._program.new_context({**names, BUDGET: budget})):
                length += len(piece)
                bounds.text_of(length)
                pieces.append(piece)
        except UndefinedError:
            return None
        except Unfit:
            raise
        except _FAULTS as error:
            raise Unfit(f"the template fails: {_line(error)}") from None
        return "".join(pieces).strip()


def compile_template(source: str, offered: frozenset[str]) -> Template:
    """Compile a template that may use the offered variables; the same text is compiled once.

    Raises:
        Unfit: it is malformed, too long, asks for another variable, or uses what is not offered.
    """
    template = _compiled(source, offered)
    if isinstance(template, str):
        raise Unfit(template)
    return template


@lru_cache(maxsize=4096)
def _compiled(source: str, offered: frozenset[str]) -> Template | str:
    """The template, or why it is refused."""
    if len(source) > MAX_SOURCE:
        return f"the template is longer than {MAX_SOURCE} characters"
    try:
        tree = SANDBOX.parse(source.strip())
        nodes = checked(tree)
        asked = meta.find_undeclared_variables(tree)
        if unknown := sorted(asked - offered - SANDBOX.globals.keys()):
            return f"the template asks for {quoted(unknown[0])}, which there is not here"
        code = SANDBOX.compile(bounded(tree))
        program = jinja2.Template.from_code(SANDBOX, code, dict(SANDBOX.globals), None)
    except Unfit as unfit:
        return str(unfit)
    except (*_FAULTS, SyntaxError) as error:
        return f"the template {quoted(source)} cannot be used: {_line(error)}"
    return Template(source, frozenset(asked & offered), nodes, program)


def _line(error: BaseException) -> str:
    said = error.message if isinstance(error, TemplateError) else str(error)
    text = " ".join((said or type(error).__name__).split())
    return text if len(text) <= 120 else f"{text[:120]}…"
