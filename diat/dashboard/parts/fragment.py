"""A part of a page that is made anew when what it tells of has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from nicegui import ui

from diat.dashboard.mount import STATE, House
from diat.dashboard.parts.acts import attempt
from diat.dashboard.parts.markup import Markup, html

_PAUSE = 0.4
"""Seconds between two times that a part is made anew, however much happens."""


class Fragment:
    """HTML that is asked for at once, and again when something changes: never twice at the same time."""

    def __init__(self, make: Callable[[], Awaitable[Markup]], *follows: str) -> None:
        """Make the element; ``follows`` are kinds of changes (``changes.Changes``)."""
        self._make = make
        self._running = self._again = False
        self.element = html(Markup()).classes("fragment")
        follow(self.refresh, *follows)

    async def show(self) -> Fragment:
        """Make it for the first time, while the page is made.

        Raises:
            Refused: it may not be shown.
        """
        self.element.set_content(str(await self._make()))
        return self

    def begin(self, made: Markup) -> None:
        """Have what was made already in it."""
        self.element.set_content(str(made))

    async def refresh(self) -> None:
        """Make it anew; what comes meanwhile makes it anew once more."""
        if self._running:
            self._again = True
            return
        self._running = self._again = True
        try:
            while self._again and not self.element.is_deleted:
                self._again = False
                await attempt(self.show)
                await asyncio.sleep(_PAUSE)
        finally:
            self._running = False


def follow(act: Callable[[], Awaitable[object]], *kinds: str) -> None:
    """Do something whenever something of these kinds has changed, as long as the page is looked at."""
    house: House = ui.context.client.request.scope["state"][STATE]
    for kind in kinds:
        # What changes from here on, while the page is still being made, is news when it is there.
        since = house.changes.told(kind).decode()
        ui.element("diat-watch").props(f'of="{kind}" since="{since}"').on("changed", act)
