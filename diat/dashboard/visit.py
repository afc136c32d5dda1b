"""A visit: one page, as one person sees it."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

from fastapi import Request
from msgspec import Struct

from diat.api.ports import Platform
from diat.dashboard.likes import UNITS, liked
from diat.dashboard.mount import STATE, House
from diat.dashboard.rest import Rest
from diat.operation.shown_units import Preference
from diat.security.principal import ROLES, Principal, Role

THEME = "diat_theme"
"""The cookie in which a browser keeps how its person likes pages; it says nothing of who that is."""


class Visit(Struct, frozen=True):
    """What a page knows of who looks.

    Attributes:
        request: the request for the page; its query are the page's arguments.
        rest: REST as this person.
        platform: for what is no act and no value: the clock, names.
        principal: who looks.
        theme: ``light``, ``dark``, or ``system``.
        units: in which units numbers are shown; None for those of the things.
        chosen: what the browser keeps of that, ``""`` for the platform's setting.
    """

    request: Request
    rest: Rest
    platform: Platform
    principal: Principal
    theme: str
    units: Preference | None
    chosen: str

    def argument(self, name: str, default: str = "") -> str:
        """What the address says in its query."""
        return self.request.query_params.get(name, default)

    def is_at_least(self, role: Role) -> bool:
        """Whether the person has a role, somewhere: what to show; whether it may be done REST decides."""
        return any(ROLES.index(grant.role) >= ROLES.index(role) for grant in self.principal.grants)


def visit_of(request: Request) -> Visit:
    """The visit that a request begins."""
    house: House = request.scope["state"][STATE]
    likes = _cookies(request)
    theme, chosen = likes.get(THEME, ""), likes.get(UNITS, "")
    return Visit(
        request,
        Rest(house.rest, request),
        house.platform,
        request.scope["state"]["principal"],
        theme if theme in ("light", "dark") else "system",
        liked(house.platform, chosen),
        chosen,
    )


def _cookies(request: Request) -> dict[str, str]:
    try:
        found = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return {}
    return {name: each.value for name, each in found.items()}
