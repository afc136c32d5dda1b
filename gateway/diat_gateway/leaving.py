"""What of a value may leave: policies decide on each that goes up, in the form that they say."""

from __future__ import annotations

from diat.security.decision import Decider, Decision
from diat.security.principal import Principal
from diat.vol.sending import Sent, send_up
from diat.vol.thing import VirtualObject
from diat.vol.twin import Reading

_FREELY = Decision(effect="permit", reason="no policy is in the way")


class Leaving:
    """Decides on what leaves to the daemon above.

    Args:
        decider: who is asked.
        to: the daemon above.
        key: of pseudonyms.
    """

    def __init__(self, decider: Decider, to: Principal, key: bytes) -> None:
        self._decider = decider
        self._to = to
        self._key = key

    @property
    def shapes(self) -> bool:
        """Whether there is anything that values are held to."""
        return not self._decider.everywhere(self._to, "send-up")

    def of(self, each: VirtualObject, name: str, reading: Reading, now: int, told: int | None) -> Sent:
        """What of a reading may leave, and when; arguments as in ``diat.vol.sending.send_up``."""
        if not self.shapes:
            return Sent(reading, now, _FREELY)
        return send_up(self._decider, self._to, each, name, reading, now, self._key, told)
