"""All pages, in the order of the navigation. To add one: a module with a ``PAGE``, and its name here."""

from __future__ import annotations

from diat.dashboard.pages import (
    cameras,
    command,
    home,
    places,
    service,
    service_new,
    services,
    start,
    thing,
    things,
    tiers,
)
from diat.dashboard.pages.managing import MANAGING
from diat.dashboard.registry import Page

PAGES: tuple[Page, ...] = (
    home.PAGE,
    things.PAGE,
    thing.PAGE,
    places.PAGE,
    services.PAGE,
    service.PAGE,
    service_new.PAGE,
    command.PAGE,
    tiers.PAGE,
    cameras.PAGE,
    *MANAGING,
    start.PAGE,
)
