"""``/ui/live``: a web socket for each browser tab, on which it says what it shows and is told what changes.

The browser sends ``{"on": {"7": ["value", thing, name]}, "off": [3]}``; it is sent ``{"7": …}`` with all
that changed since, at most every ``TICK``. A browser that is slow is told less often, and always the newest:
nothing waits in a queue for it. Kinds: ``value`` and ``positions`` (who is where: a map) of a property,
``status`` of a thing, ``crossing`` of a service (what
crosses from tier to tier), ``figures``, and what ``changes.Changes`` counts.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool

from diat.api.access import sees
from diat.api.service_access import may_service
from diat.api.traffic import shown
from diat.api.values import Handed, handed
from diat.api.watching import Watch
from diat.dashboard.likes import UNITS, liked
from diat.dashboard.mount import House
from diat.dashboard.topics import NOTHING, Rates, Values, crossing_of, fragment_of, positions_of
from diat.kernel.errors import DiatError, Forbidden
from diat.operation.shown_units import Preference
from diat.security.operations import PLATFORM
from diat.security.principal import Principal
from diat.service.service import Service
from diat.wire.envelope import Garbled, encode, read_json

TICK = 0.25
"""Seconds between two looks."""
MOST = 400
"""Topics that one tab watches at most."""
_OF_PROPERTIES = ("value", "positions")
LONGEST = 200_000
"""Characters of what a tab says at once."""
_BREATH = 0.02
_SLOW = 20.0
"""Seconds after which a browser that takes nothing is let go."""
_SECOND = 1_000
"""Milliseconds between two looks at what crosses from tier to tier."""
_HELD = 5_000
"""Milliseconds between two looks at a value that is told late or coarser in time."""


class Live:
    """The feed of one platform: what all tabs share."""

    def __init__(self, house: House) -> None:
        self.platform = house.platform
        self.values = Values(house.platform)
        self.rates = Rates(house.platform)
        self.changes = house.changes

    async def serve(self, socket: WebSocket) -> None:
        """Answer one tab until it goes."""
        units = liked(self.platform, socket.cookies.get(UNITS))
        await socket.accept()
        tab = Tab(self, socket.scope["state"]["principal"], units)
        telling = asyncio.create_task(_tell(socket, tab))
        try:
            while True:
                text = await socket.receive_text()
                said = read_json(text.encode()) if len(text) <= LONGEST else Garbled("too long")
                if not isinstance(said, Garbled):
                    tab.hear(said)
                # Whoever talks without end is heard a few times a second.
                await asyncio.sleep(_BREATH)
        except (WebSocketDisconnect, KeyError):  # it is gone, or sends what is no text
            return
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling
            tab.close()


class Tab:
    """What one tab watches."""

    def __init__(self, live: Live, principal: Principal, units: Preference | None) -> None:
        self._live = live
        self._principal = principal
        self._units = units
        self._topics: dict[str, Topic] = {}

    def hear(self, said: Any) -> None:
        """Take what a tab says; what cannot be understood is nothing."""
        if not isinstance(said, dict):
            return
        for each in said.get("off") or ():
            if (topic := self._topics.pop(str(each), None)) is not None:
                topic.close()
        wanted = said.get("on")
        for number, what in (wanted if isinstance(wanted, dict) else {}).items():
            if len(self._topics) >= MOST or number in self._topics or not number.isdigit() or len(number) > 9:
                continue
            if isinstance(what, list) and what and all(isinstance(part, str) for part in what):
                self._topics[number] = Topic(self._live, self._principal, self._units, what)

    async def news(self) -> bytes:
        """What changed since the last look, ``b""`` if nothing did."""
        found = []
        for number, topic in list(self._topics.items()):
            told = await topic.look() if topic.held else topic.now()
            if told is not topic.told and told != topic.told:
                topic.told = told
                found.append(b'"%s":%s' % (number.encode(), told))
        return b"{%s}" % b",".join(found) if found else b""

    def close(self) -> None:
        """It watches nothing any more."""
        for topic in self._topics.values():
            topic.close()


class Topic:
    """One thing watched by one tab: only as far as, and in the form in which, its person may know."""

    def __init__(self, live: Live, principal: Principal, units: Preference | None, what: list[str]) -> None:
        self.told = b""
        self._live = live
        self._principal = principal
        self._units = units
        self._kind, *self._of = what
        self._watch: Watch | None = None
        self._refusal: bytes | None = None
        self._looked = 0
        try:
            self._begin()
        except DiatError as error:
            self._refusal = _withheld(str(error))

    @property
    def held(self) -> bool:
        """Whether values are told late, or coarser in time: they are looked for in the history."""
        how = self._watch.how if self._watch is not None else None
        return how is not None and how.held

    def now(self) -> bytes:
        """What there is to tell."""
        if self._refusal is not None:
            return self._refusal
        if self._kind in _OF_PROPERTIES:
            return self._value()
        if self._kind == "status":
            return encode(self._live.platform.things.twin(self._of[0]).status)
        if self._kind == "crossing":
            return self._crossing()
        return self._live.rates.told() if self._kind == "figures" else self._live.changes.told(self._kind)

    async def look(self) -> bytes:
        """The same where it has to be looked for."""
        watch, now = self._watch, self._live.platform.clock()
        if watch is None or watch.how is None or watch.over() or now - self._looked < _HELD:
            return self.now() if watch is None or watch.over() else self.told
        self._looked = now
        how = watch.how._replace(now=now)
        known = await run_in_threadpool(how.newest)
        if known is None:
            return NOTHING
        if self._kind == "positions":
            return positions_of(known.value)
        prop = how.each.properties[how.name]
        return fragment_of(prop, self._units, known.value, known.observed, known.quality)

    def close(self) -> None:
        """It is watched no more."""
        if self._watch is not None:
            self._watch.close()

    def _begin(self) -> None:
        platform = self._live.platform
        if self._kind in _OF_PROPERTIES and len(self._of) == 2:
            how = self._handed(*self._of)
            self._watch = Watch(platform, self._principal, "observe", _nothing, how)
        elif self._kind == "status" and len(self._of) == 1:
            if not sees(platform, self._principal, platform.things.registry.get(self._of[0])):
                raise Forbidden("not for you")
        elif self._kind == "crossing" and len(self._of) == 1:
            self._read_service()
        elif self._kind == "figures":
            platform.decider.decide(self._principal, "read", PLATFORM, platform.clock()).or_refuse()
        elif not self._live.changes.known(self._kind) or not self._principal.grants:
            raise Forbidden("not for you")

    def _handed(self, thing: str, name: str) -> Handed:
        each = self._live.platform.things.registry.get(thing)
        prop = each.properties.get(name)
        if prop is None or not prop.readable:
            raise Forbidden("it cannot be read")
        return handed(self._live.platform, self._principal, "observe", each, name)

    def _read_service(self) -> Service:
        """The service, if the person may read it."""
        platform = self._live.platform
        each = platform.services.get(self._of[0])
        whole = platform.composites.composite(each.composite)
        may_service(platform, self._principal, "read", each.id, whole)
        return each

    def _crossing(self) -> bytes:
        platform = self._live.platform
        now = platform.clock()
        if 0 <= now - self._looked < _SECOND:
            return self.told
        self._looked = now
        try:
            composite = self._read_service().composite
        except DiatError as error:
            return _withheld(str(error))
        known = platform.crossings.of(composite)
        return crossing_of(shown(platform, self._principal, composite, known))

    def _value(self) -> bytes:
        watch = self._watch
        if watch is None or watch.how is None:
            return NOTHING
        if watch.over():
            return _withheld(watch.ended.reason if watch.ended is not None else "")
        how, (thing, name) = watch.how, self._of
        prop = how.each.properties[name]
        if self._kind == "positions":
            newest = how.newest()
            return NOTHING if newest is None else positions_of(newest.value)
        if how.form is None:
            return self._live.values.told(thing, name, prop, self._units)
        known = how.newest()
        if known is None:
            return NOTHING
        return fragment_of(prop, self._units, known.value, known.observed, known.quality)


async def _tell(socket: WebSocket, tab: Tab) -> None:
    while True:
        news = await tab.news()
        if news:
            await asyncio.wait_for(socket.send_text(news.decode()), _SLOW)
        await asyncio.sleep(TICK)


def _withheld(reason: str) -> bytes:
    return encode({"x": reason})


def _nothing() -> None:
    """Tabs look for themselves."""
