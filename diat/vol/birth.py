"""The birth message: by it devices know that somebody listens, and announce themselves again.

Home Assistant says ``online`` on its status topic when it comes, and ``offline`` when it goes; devices that
announce themselves to it wait for that word. Where no Home Assistant is on the broker the platform says it
instead. MQTT 3.1.1 does not tell who sent a message, so what is heard on the topic is held against what was
said: anything else is another's word, and from then on the topic is left to that one.
"""

from __future__ import annotations

from collections.abc import Callable

from diat.vol.dialects.port import Outgoing
from diat.wire.envelope import Message

STATUS = "homeassistant/status"
BIRTH = Outgoing(STATUS, b"online", qos=0)
FAREWELL = Outgoing(STATUS, b"offline", qos=0)


def _nobody() -> None:
    """Nobody needs to know."""


class Birth:
    """Says the birth message unless another does; used by the writer alone.

    Attributes:
        alone: whether nobody else was heard on the topic in this life.
        on_other: called once, when somebody else is.
    """

    def __init__(self) -> None:
        self.alone = True
        self.on_other: Callable[[], None] = _nobody
        self._awaited = False

    def connected(self, publish: Callable[[Outgoing], None]) -> None:
        """The broker is there anew: say so."""
        if self.alone:
            self._awaited = True
            publish(BIRTH)

    def heard(self, message: Message) -> None:
        """Somebody spoke on the topic."""
        if not message.payload or not self.alone:
            return
        if not message.retained and self._awaited:
            # Until our own word comes back, an ``offline`` is the last will of our life before.
            if message.payload == FAREWELL.payload:
                return
            if message.payload == BIRTH.payload:
                self._awaited = False
                return
        self.leave()

    def leave(self) -> None:
        """Leave the topic to others."""
        self.alone = False
        self.on_other()
