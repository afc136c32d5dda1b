"""Fragments of HTML. Everything that comes from outside goes in by ``Markup.format``, which escapes it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from nicegui import ui

from diat.dashboard.mount import PATH

__all__ = [
    "Markup",
    "age",
    "chip",
    "html",
    "link",
    "live",
    "moment",
    "sentence",
    "shortly",
    "status",
    "table",
]

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)")
_TONES = {
    "running": "good",
    "online": "good",
    "accepted": "good",
    "completed": "good",
    "degraded": "warn",
    "waiting": "warn",
    "pending": "warn",
    "stale": "warn",
    "in-doubt": "warn",
    "offline": "bad",
    "failed": "bad",
    "rejected": "bad",
    "expired": "bad",
}


def html(content: Markup, tag: str = "div") -> ui.html:
    """An element with this content, which is escaped already: text alone would not be taken."""
    if not isinstance(content, Markup):
        raise TypeError("only Markup goes into a page as it is")
    return ui.html(str(content), sanitize=False, tag=tag)


def link(path: str, text: str, **query: str) -> Markup:
    """A link to a page below ``/ui``, its query encoded."""
    asked = f"?{urlencode(query)}" if query else ""
    return Markup('<a href="{}">{}</a>').format(f"{PATH}{path}{asked}", text)


def chip(state: str, text: str = "") -> Markup:
    """A state as a word with its colour."""
    return Markup('<span class="chip {}">{}</span>').format(_TONES.get(state, "plain"), text or state)


def live(thing: str, name: str, unit: str | None = None) -> Markup:
    """The value of a property, kept up to date by ``live.js`` as long as it is on screen."""
    return Markup('<diat-value thing="{}" name="{}" unit="{}"></diat-value>').format(thing, name, unit or "")


def shortly(title: str, thing: str) -> str:
    """The title of an affordance without that of its thing, which stands beside it."""
    rest = title.removeprefix(thing).strip(" :-")
    return rest if rest and rest != title else "" if title == thing else title


def status(thing: str, known: str) -> Markup:
    """Whether a thing is there, kept up to date by ``live.js``."""
    said = "not said" if known == "unknown" else known
    return Markup('<diat-status thing="{}" class="chip {}">{}</diat-status>').format(
        thing, _TONES.get(known, "plain"), said
    )


def moment(text: str | None) -> Markup:
    """An RFC 3339 time, shown in the person's zone."""
    return Markup('<diat-time at="{}"></diat-time>').format(text) if text else Markup("&ndash;")


def sentence(text: str) -> Markup:
    """A sentence of ours, its times shown in the person's zone."""
    parts = _TIME.split(text)
    return Markup().join(
        moment(part) if at % 2 else Markup("{}").format(part) for at, part in enumerate(parts)
    )


def age(text: str | None) -> Markup:
    """How long ago a time was; it counts up by itself."""
    return Markup('<diat-time at="{}" ago></diat-time>').format(text) if text else Markup("&ndash;")


def table(caption: str, heads: list[str], rows: list[list[Any]], *, numbers: tuple[int, ...] = ()) -> Markup:
    """A table; ``numbers`` are the columns that stand right. On a phone each row is a card."""
    head = Markup().join(
        Markup('<th scope="col"{}>{}</th>').format(Markup(' class="number"') if at in numbers else "", each)
        for at, each in enumerate(heads)
    )
    body = Markup().join(
        Markup("<tr>{}</tr>").format(
            Markup().join(
                Markup('<td data-label="{}"{}>{}</td>').format(
                    heads[at], Markup(' class="number"') if at in numbers else "", cell
                )
                for at, cell in enumerate(row)
            )
        )
        for row in rows
    )
    return Markup(
        '<table class="table"><caption class="unseen">{}</caption><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table>"
    ).format(caption, head, body)
