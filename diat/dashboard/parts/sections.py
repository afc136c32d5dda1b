"""The pages that belong together, one beside the other: links above the content of each."""

from __future__ import annotations

from collections.abc import Sequence

from diat.dashboard.mount import PATH
from diat.dashboard.parts.markup import Markup, html
from diat.dashboard.visit import Visit

_OPERATION = (
    ("/operation", "Overview"),
    ("/firmware", "Firmware"),
    ("/backups", "Backups"),
    ("/settings", "Settings"),
    ("/log", "Log"),
)
_FOR_ADMINS = frozenset({"/backups", "/log"})
SECURITY = (
    ("/security", "People"),
    ("/tokens", "Tokens"),
    ("/policies", "Policies"),
    ("/why", "Who may what"),
    ("/audit", "Audit"),
    ("/joining", "Things"),
)


def sections(name: str, pages: Sequence[tuple[str, str]], here: str) -> None:
    """Links to the pages that belong together; ``here`` is the path of the one that is shown."""
    links = Markup().join(
        Markup('<li><a href="{}"{}>{}</a></li>').format(
            PATH + path, Markup(' aria-current="page"') if path == here else "", title
        )
        for path, title in pages
    )
    html(Markup("<ul>{}</ul>").format(links), "nav").classes("sections").props(f'aria-label="{name}"')


def operation_sections(visit: Visit, here: str) -> None:
    """Links to the pages of operation that this person may see."""
    admin = visit.is_at_least("admin")
    sections("Operation", [each for each in _OPERATION if admin or each[0] not in _FOR_ADMINS], here)
