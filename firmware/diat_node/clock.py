"""Two times: ``up`` (milliseconds since boot, never jumps) and ``now`` (Unix milliseconds, once known)."""

from diat_node.port import since, ticks

_JUMP = 2000


class Clock:
    """The time, as ``diat/clock`` or NTP told it."""

    def __init__(self):
        self._ticks = ticks()
        self._up = 0
        self._ahead = None
        self._doubt = None

    def up(self):
        """Milliseconds since boot. The ticks of a chip wrap after 12 days, so differences are added up."""
        at = ticks()
        self._up += since(at, self._ticks)
        self._ticks = at
        return self._up

    def now(self):
        """Unix milliseconds; None as long as nobody told the time."""
        return None if self._ahead is None else self.up() + self._ahead

    def stamp(self):
        """When it is: Unix milliseconds, or, while unknown, minus the ``up`` of this boot less one."""
        return -1 - self.up() if self._ahead is None else self.up() + self._ahead

    def dated(self, stamp):
        """A stamp of this boot, in Unix milliseconds if these are known by now, as it is if not."""
        return stamp if stamp >= 0 or self._ahead is None else self._ahead - 1 - stamp

    def tell(self, unix):
        """Take the time from the platform.

        A message can only be late, never early: a later time is taken at once. An earlier one is followed
        slowly, as clocks drift; a jump back counts when the next message says the same.
        """
        ahead = int(unix) - self.up()
        behind = 0 if self._ahead is None else self._ahead - ahead
        if self._ahead is None or behind <= 0:
            self._ahead, self._doubt = ahead, None
        elif behind <= _JUMP:
            self._ahead -= behind // 8
            self._doubt = None
        elif self._doubt is not None and -_JUMP < self._doubt - ahead < _JUMP:
            self._ahead, self._doubt = ahead, None
        else:
            self._doubt = ahead
