"""Home: what needs a person, then what is going on."""

from __future__ import annotations

from diat.dashboard.parts.markup import Markup, html
from diat.dashboard.registry import Page
from diat.dashboard.visit import Visit


async def build(visit: Visit) -> None:
    """Make the page."""
    html(Markup("<h1>Home</h1>"))


PAGE = Page(path="/", title="Home", icon="home", build=build)
