"""Services that run at a peer, because the things that they need are there.

    (waiting here) ──▶ placing ──▶ placed ──▶ ending ──▶ (here again, or gone)
                          └─ refused ─────────────────▶ (here again)

What is to be asked of a peer is durable before it is asked, and the same is asked again, under the same key,
until there is an answer. From ``placing`` to the answer to ``ending`` the service rests here: as long as
nobody knows whether it runs there, it does not run here, so it never runs in two places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

import msgspec
from msgspec import Struct

from diat.kernel.clock import Clock
from diat.kernel.overlay import Ledger, Overlay
from diat.service.service import Service

State = Literal["placing", "placed", "ending"]


class Delegation(Struct, frozen=True, kw_only=True):
    """A service that is, or is to be, done by a peer.

    Attributes:
        key: by which the peer knows the request again, however often it comes.
        service: id of the service here.
        peer: name of the peer.
        body: what is asked of the peer: title, template, parameters, purpose.
        state: how far it is.
        remote: its id there; empty until the peer has told.
        told: its state there, as the peer told last; empty until then.
        since: when it was decided on, Unix milliseconds.
        heard: when the peer last told, Unix milliseconds; 0 for never.
    """

    key: str
    service: str
    peer: str
    body: dict[str, Any]
    state: State = "placing"
    remote: str = ""
    told: str = ""
    since: int
    heard: int = 0


class Delegations:
    """All delegations, one for each service at most; changed by the writer alone.

    Attributes:
        on_change: told of a service that rests here from now on, or no longer; within the batch.
    """

    def __init__(self, ledger: Ledger, clock: Clock, kept: Iterable[Delegation] = ()) -> None:
        self._clock = clock
        self._all: Overlay[str, Delegation] = ledger.overlay(
            "delegations", ((each.service, each) for each in kept)
        )
        self.on_change: Callable[[str], None] = _nobody_cares

    # --- asked by any thread ---

    def get(self, service: str) -> Delegation | None:
        """The committed delegation of a service."""
        return self._all.committed.get(service)

    def everything(self) -> list[Delegation]:
        """All committed delegations."""
        return list(self._all.committed.values())

    def elsewhere(self, service: str) -> bool:
        """Whether a service rests here, as the writer sees it."""
        return self._all.get(service) is not None

    # --- asked within the writer ---

    def place(self, service: Service, peer: str, key: str) -> None:
        """Have a peer do a service from now on; nothing happens if one does already."""
        if self._all.get(service.id) is not None:
            return
        body = {
            "title": service.title,
            "template": service.template,
            "parameters": service.parameters,
            "purpose": service.purpose,
        }
        made = Delegation(key=key, service=service.id, peer=peer, body=body, since=self._clock())
        self._all.put(service.id, made)
        self.on_change(service.id)

    def placed(self, key: str, service: str, remote: str, told: str) -> None:
        """The peer does it, under this id, and it is in this state."""
        known = self._at(service, key)
        if known is not None:
            state: State = "placed" if known.state == "placing" else known.state
            changes = {"state": state, "remote": remote, "told": told, "heard": self._clock()}
            self._all.put(service, msgspec.structs.replace(known, **changes))

    def end(self, service: str) -> None:
        """It is not to be done there any more: the service ended, was changed, or is better off here."""
        known = self._all.get(service)
        if known is not None and known.state != "ending":
            self._all.put(service, msgspec.structs.replace(known, state="ending"))

    def over(self, key: str, service: str) -> None:
        """The peer does it no more, or never did: the service, if it is still wanted, may run here."""
        if self._at(service, key) is not None:
            self._all.remove(service)
            self.on_change(service)

    def forgotten(self, peer: str) -> None:
        """A peer is trusted no more, and so is not told to end anything."""
        for service, each in list(self._all.items()):
            if each.peer == peer:
                self.over(each.key, service)

    def _at(self, service: str, key: str) -> Delegation | None:
        known = self._all.get(service)
        return known if known is not None and known.key == key else None


def outdated(delegation: Delegation, service: Service | None) -> bool:
    """Whether a peer does something else than is wanted by now."""
    if service is None:
        return True
    asked = {name: delegation.body[name] for name in ("template", "parameters", "purpose")}
    wanted = {"template": service.template, "parameters": service.parameters, "purpose": service.purpose}
    return asked != wanted


def _nobody_cares(service: str) -> None:
    """Stands in until somebody listens."""
