"""A stream as a use: in which form it tells values, decided on anew while it runs, and why it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from fastapi.sse import ServerSentEvent

from diat.api.ports import Platform
from diat.api.values import Handed
from diat.security.decision import Decision
from diat.security.form import form_of
from diat.security.operations import Operation, Target
from diat.security.principal import Principal
from diat.vol.targets import target_of


class Watch:
    """What was decided on a stream, as of now.

    Attributes:
        how: in which form values are told; None for a stream that decides on each item itself.
        ended: the decision that ends it; None while it may go on.
        version: grows with each change of the form.
    """

    def __init__(
        self,
        platform: Platform,
        principal: Principal,
        operation: Operation,
        wake: Callable[[], None],
        how: Handed | None = None,
    ) -> None:
        self.how = how
        self.ended: Decision | None = None
        self.version = 0
        self._platform = platform
        self._wake = wake
        self._lock = threading.Lock()
        self._use = platform.uses.open(principal, operation, self._target, self._on_change)
        if how is not None:  # it may have turned between what was asked at the door and this
            self._on_change(self._use.decision)

    def over(self) -> bool:
        """Whether the reader may have nothing of it any more."""
        return self.ended is not None

    def farewell(self) -> ServerSentEvent:
        """What tells a reader, as the last event, why a stream ends."""
        why = self.ended
        data: dict[str, Any] = {} if why is None else {"reason": why.reason, "policies": list(why.policies)}
        return ServerSentEvent(event="ended", data=data)

    def close(self) -> None:
        """It is over."""
        self._platform.uses.close(self._use)

    def _target(self) -> Target | None:
        if self.how is None:
            return None
        each = self._platform.things.registry.objects.committed.get(self.how.each.id)
        return None if each is None else target_of(each, self.how.name)

    def _on_change(self, decision: Decision) -> None:
        with self._lock:
            if decision.effect == "deny":
                self.ended = self.ended or decision
            elif self.how is not None and form_of(decision) != self.how.form:
                self.how = self.how._replace(form=form_of(decision))
                self.version += 1
            else:
                return
        self._wake()
