"""All pages, in the order of the navigation. To add one: a module with a ``PAGE``, and its name here."""

from __future__ import annotations

from diat.dashboard.pages import home
from diat.dashboard.registry import Page

PAGES: tuple[Page, ...] = (home.PAGE,)
