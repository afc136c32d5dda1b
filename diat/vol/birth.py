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


class Birth:
    """Says the birth message, once told to, unless another does; used by the writer alone.

    Attributes:
        alone: whether the topic is ours: nobody else was heard on it.
    """

    def __init__(self) -> None:
        self.alone = False
        self._on_other: Callable[[], None] | None = None
        self._awaited = False

    def begin(self, on_other: Callable[[], None]) -> None:
        """Say it from now on; ``on_other`` is called once, when somebody else is heard."""
        self.alone = True
        self._on_other = on_other

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
        self.alone = False
        if self._on_other is not None:
            self._on_other()
