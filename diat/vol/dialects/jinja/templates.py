"""Templates as dialects use them; what runs them is loaded with the first one, for many houses have none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Template(Protocol):
    """A compiled template (``diat.vol.dialects.jinja.engine``).

    Attributes:
        source: its text.
        names: the variables it asks for.
    """

    source: str
    names: frozenset[str]

    def unknown(self, offered: frozenset[str]) -> list[str]:
        """The variables it asks for that are not among these, in order."""

    def knowing(self, offered: frozenset[str], known: Mapping[str, Any]) -> Template:
        """The same template, told what is the same for all its messages.

        Args:
            offered: the variables that a rendering may give it besides.
            known: the values of others. What is in neither has no value, and nothing follows from it.
        """

    def render(self, names: Mapping[str, Any], size: int = 0) -> str | None:
        """Render with these variables, which come from a message of ``size`` characters.

        Returns:
            The text without the space around it; None if it asks for what the message does not have.

        Raises:
            Unfit: it cannot be rendered, or not within bounds.
        """


def compile_template(source: str) -> Template:
    """Compile a template; the same text is compiled once.

    Raises:
        Unfit: it is malformed, too long, or uses what is not offered.
    """
    from diat.vol.dialects.jinja import engine

    return engine.compile_template(source)
