"""Whether something of a kind has changed, told by one number: whoever cares asks REST what it is."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from diat.api.ports import Platform
from diat.wire.envelope import encode


class Changes:
    """Numbers that are others when something of a kind has changed; looked at once for all who watch."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._looked: dict[str, tuple[int, bytes]] = {}
        self._kinds: dict[str, tuple[int, Callable[[], object]]] = {
            "things": (200, lambda: platform.things.notices.last),
            "statuses": (2000, self._statuses),
            "services": (400, self._services),
            "rollouts": (1000, self._rollouts),
            "events": (1000, lambda: platform.things.intake.counts.events),
            "commands": (400, lambda: platform.things.interaction.begun),
        }

    def known(self, kind: str) -> bool:
        """Whether there is such a kind."""
        return kind in self._kinds

    def told(self, kind: str) -> bytes:
        """The number of a kind."""
        pause, look = self._kinds[kind]
        now = self._platform.clock()
        looked = self._looked.get(kind)
        if looked is not None and 0 <= now - looked[0] < pause:
            return looked[1]
        number = encode(zlib.crc32(repr(look()).encode()))
        self._looked[kind] = now, number
        return number

    def _statuses(self) -> object:
        twins = list(self._platform.things.intake.twins.committed.items())
        return [thing for thing, twin in twins if twin.status == "offline"]

    def _rollouts(self) -> object:
        return [
            (each.id, each.state, [member.state for member in each.members.values()])
            for each in self._platform.rollouts.everything()
        ]

    def _services(self) -> object:
        states = self._platform.composites.states.committed
        placings = self._platform.services.placings
        return [
            (
                each.id,
                each.revision,
                each.paused,
                state and (state.state, state.missing, state.outranked),
                (placing.phase, placing.where),
            )
            for each in self._platform.services.everything()
            for state in (states.get(each.composite),)
            for _, placing in (placings.committed(each.composite),)
        ]
