"""Pages: a page is one module in ``diat/dashboard/pages`` with a ``PAGE``, listed there in ``PAGES``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from msgspec import Struct

from diat.dashboard.visit import Visit
from diat.security.principal import Role

Place = Literal["main", "more", "hidden"]


class Page(Struct, frozen=True, kw_only=True):
    """One page.

    Attributes:
        path: below ``/ui``: ``/things``. Arguments come in the query.
        title: in the navigation and as heading of the browser's tab.
        build: makes the page's content with NiceGUI, in the main part of the frame; may raise ``Refused``. A
            timer comes last: NiceGUI sends what there is of a page as soon as one waits for the browser.
        icon: name of one in ``parts/icons.py``.
        nav: where it is in the navigation: ``main`` (on a phone in the bar), ``more``, or ``hidden``.
        least: the least role to which the navigation shows it; what it tells REST decides.
        under: path of the page that the navigation marks instead; of one that is hidden.
    """

    path: str
    title: str
    build: Callable[[Visit], Awaitable[None]]
    icon: str = "dot"
    nav: Place = "main"
    least: Role = "viewer"
    under: str = ""
