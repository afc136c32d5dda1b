"""Templates: from the text in an announcement to text or nothing.

What is hostile or too large is refused when compiled; what goes wrong with one message is an ``Unfit`` with
one line. Neither takes long. A template that asks for what nobody here can know (the state of another entity,
the time) is taken: where it does need that, it has no result.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import StrictUndefined, meta
from jinja2.exceptions import TemplateError, UndefinedError

from diat.vol.dialects.jinja import bounds
from diat.vol.dialects.jinja.sandbox import BUDGET, SANDBOX, bounded, checked
from diat.vol.dialects.words import Unfit, quoted

MAX_SOURCE = 4_096
"""Characters of a template; the longest that Zigbee2MQTT emits has about 800."""

_FAULTS = (
    *(ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError),
    *(TemplateError, re.error, struct.error),
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
        self._known: Mapping[str, Any] = {}

    def unknown(self, offered: frozenset[str]) -> list[str]:
        """The variables it asks for that are not among these, in order."""
        return sorted(self.names - offered)

    def knowing(self, offered: frozenset[str], known: Mapping[str, Any]) -> Template:
        """The same template, told what is the same for all its messages.

        Args:
            offered: the variables that a rendering may give it besides.
            known: the values of others. What is in neither has no value, and nothing follows from it.
        """
        told = Template(self.source, self.names, self._nodes, self._program)
        told._known = {
            name: known[name] if name in known else StrictUndefined(name=name)
            for name in self.names - offered
        }
        return told

    def render(self, names: Mapping[str, Any], size: int = 0) -> str | None:
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
        context = self._program.new_context({**self._known, **names, BUDGET: budget})
        try:
            for piece in self._program.root_render_func(context):
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


def compile_template(source: str) -> Template:
    """Compile a template; the same text is compiled once.

    Raises:
        Unfit: it is malformed, too long, or uses what is not offered.
    """
    template = _compiled(source)
    if isinstance(template, str):
        raise Unfit(template)
    return template


@lru_cache(maxsize=4096)
def _compiled(source: str) -> Template | str:
    """The template, or why it is refused."""
    if len(source) > MAX_SOURCE:
        return f"the template is longer than {MAX_SOURCE} characters"
    try:
        tree = SANDBOX.parse(source.strip())
        nodes = checked(tree)
        asked = frozenset(meta.find_undeclared_variables(tree) - SANDBOX.globals.keys())
        code = SANDBOX.compile(bounded(tree))
        program = jinja2.Template.from_code(SANDBOX, code, dict(SANDBOX.globals), None)
    except Unfit as unfit:
        return str(unfit)
    except (*_FAULTS, SyntaxError) as error:
        return f"the template {quoted(source)} cannot be used: {_line(error)}"
    return Template(source, asked, nodes, program)


def _line(error: BaseException) -> str:
    said = error.message if isinstance(error, TemplateError) else str(error)
    text = " ".join((said or type(error).__name__).split())
    return text if len(text) <= 120 else f"{text[:120]}…"
