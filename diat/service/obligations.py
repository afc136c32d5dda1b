"""What a decision obliges to: a note in the audit, and somebody told by HTTP."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from diat.cvol.webhooks import Webhooks
from diat.kernel.clock import Clock, rfc3339
from diat.security.audit import Audit
from diat.security.decision import Decision
from diat.security.operations import Operation, Target
from diat.security.principal import Principal

WAITING = 1000
"""Calls that wait to be put into the outbox at most; the audit tells of those that are left out."""


class _Owed(Struct, frozen=True):
    policy: str
    url: str
    body: dict[str, Any]


class Obligations:
    """Sees to what uses oblige to; any thread may ask, and never waits.

    Attributes:
        submit: runs a change in the writer; set before anything is asked.
    """

    def __init__(self, audit: Audit, webhooks: Webhooks, clock: Clock) -> None:
        self._audit = audit
        self._webhooks = webhooks
        self._clock = clock
        self._owed: deque[_Owed] = deque()
        self._asked = False
        self._lock = threading.Lock()
        self.submit: Callable[[Callable[[], None]], Any] = lambda _: None

    def see_to(self, decision: Decision, principal: Principal, operation: Operation, target: Target) -> None:
        """Something was done that was decided on so."""
        did = f"{operation} {target.kind} {target.id} {target.affordance}".rstrip()
        for each in decision.obligations:
            if each.get("log"):
                self._audit.tell(
                    principal.id,
                    did,
                    "permitted",
                    why=decision.reason,
                    policies=(str(each["policy"]),),
                    purpose=principal.purpose,
                    token=principal.token,
                )
            elif "notify" in each:
                body = {
                    "policy": each["policy"],
                    "who": principal.id,
                    "purpose": principal.purpose,
                    "operation": operation,
                    "target": {"kind": target.kind, "id": target.id, "affordance": target.affordance},
                    "at": rfc3339(self._clock()),
                }
                self._owe(_Owed(str(each["policy"]), str(each["notify"]), body))

    def _owe(self, owed: _Owed) -> None:
        with self._lock:
            if len(self._owed) >= WAITING:
                left_out = self._owed.popleft()
                self._audit.tell("daemon:", f"left out a call of policy {left_out.policy}", "noted")
            self._owed.append(owed)
            first, self._asked = not self._asked, True
        if first:
            self.submit(self._take)

    def _take(self) -> None:
        with self._lock:
            waiting = list(self._owed)
            self._owed.clear()
            self._asked = False
        for each in waiting:
            self._webhooks.owe(each.policy, each.url, each.body, self._clock())
