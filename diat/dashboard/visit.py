"""A visit: one page, as one person sees it."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import Literal

from fastapi import Request
from msgspec import Struct

from diat.api.ports import Platform
from diat.dashboard.mount import STATE, House
from diat.dashboard.rest import Rest
from diat.security.principal import ROLES, Principal, Role

THEME, UNITS = "diat_theme", "diat_units"
"""Cookies in which a browser keeps how its person likes things; they say nothing of who that is."""
Units = Literal["own", "metric", "us"] | tuple[tuple[str, str], ...]
"""The things' own, those of a system, or a unit for each quantity kind that is named."""
_SYSTEMS: dict[str, Units] = {"own": "own", "metric": "metric", "imperial": "us", "us": "us"}


class Visit(Struct, frozen=True):
    """What a page knows of who looks.

    Attributes:
        request: the request for the page; its query are the page's arguments.
        rest: REST as this person.
        platform: for what is no act and no value: the clock, names.
        principal: who looks.
        theme: ``light``, ``dark``, or ``system``.
        units: in which units numbers are shown.
        likes: of that what the browser says; ``site`` for what is set for all.
    """

    request: Request
    rest: Rest
    platform: Platform
    principal: Principal
    theme: str
    units: Units
    likes: str

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
    theme, units = likes.get(THEME, ""), likes.get(UNITS, "")
    return Visit(
        request,
        Rest(house.rest, request),
        house.platform,
        request.scope["state"]["principal"],
        theme if theme in ("light", "dark") else "system",
        units_of(units, house.platform),
        units if units in _SYSTEMS else "site",
    )


def units_of(liked: str, platform: Platform) -> Units:
    """The units that a browser says its person likes, or those that are set for all."""
    if liked in _SYSTEMS:
        return _SYSTEMS[liked]
    said = platform.preferences.get("units")
    return tuple(sorted(said.items())) if isinstance(said, dict) else _SYSTEMS.get(said or "own", "own")


def _cookies(request: Request) -> dict[str, str]:
    try:
        found = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return {}
    return {name: each.value for name, each in found.items()}
