"""Codes: what a person must know to unlock a door or to switch an alarm off."""

from __future__ import annotations

import hmac
from typing import Any

from msgspec import Struct

from diat.vol.dialects.commands import through
from diat.vol.dialects.jinja.patterns import compiled
from diat.vol.dialects.jinja.templates import Template
from diat.vol.dialects.words import Unfit, as_text, quoted

DIGITS = r"^\d+$"


class Coded(Struct, frozen=True):
    """A command that may carry a code; its input is ``{"code": …}`` or nothing.

    Attributes:
        payload: what is sent, ``value`` in the template.
        template: may ask for the code.
        secret: the code that is checked here, before anything is sent; None if the thing checks it.
        required: whether it does not go without.
        names: what the template may ask for besides.
    """

    payload: Any
    template: Template | None = None
    secret: str | None = None
    required: bool = False
    names: dict[str, Any] = {}

    def __call__(self, value: Any) -> str:
        """Encode."""
        code = _code(value)
        if code is None and self.required:
            raise Unfit("it needs a code")
        if self.required and self.secret is not None and not _same(self.secret, code or ""):
            raise Unfit("the code is wrong")
        return through(self.template, as_text(self.payload), {"code": code, **self.names})


def _same(secret: str, code: str) -> bool:
    """Compare in a time that tells nothing of where they differ."""
    return hmac.compare_digest(secret.encode(errors="replace"), code.encode(errors="replace"))


def code_input(pattern: str | None, *, required: bool) -> dict[str, Any]:
    """The DataSchema of the input: the code itself never stands in a description."""
    code = {"type": "string", **({"pattern": pattern} if pattern else {})}
    schema: dict[str, Any] = {"type": "object", "properties": {"code": code}}
    return {"input": schema | ({"required": ["code"]} if required else {})}


def safe_pattern(pattern: str, *, whole: bool = False) -> str:
    """Give a pattern back for a DataSchema, which looks for it anywhere in the text.

    Args:
        pattern: a regular expression from an announcement.
        whole: whether it was meant for the beginning of the text.

    Raises:
        Unfit: it is malformed, or checking it may take long.
    """
    compiled(pattern, ignore_case=False)
    return f"^(?:{pattern})" if whole and not pattern.startswith("^") else pattern


def _code(value: Any) -> str | None:
    said = value.get("code") if isinstance(value, dict) else value
    if said is None:
        return None
    if not isinstance(said, str) or len(said) > 256:
        raise Unfit(f"{quoted(type(said).__name__)} is not a code")
    return said
