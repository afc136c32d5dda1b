"""Doing what a situation says, and undoing it: services started, paused, resumed and set."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from diat.kernel.errors import DiatError, Invalid, NotFound, Refused
from diat.kernel.ids import derived_id
from diat.security.principal import Principal
from diat.service.layer import ServiceLayer
from diat.service.situation import Done, Situation

_LOG = logging.getLogger("diat.service")

Permit = Callable[[Situation, dict[str, Any]], str | None]
"""Whether a situation may do an action: None, or why not. Here a usage policy is asked."""


class Doer:
    """Carries out what situations want of services; used by the writer alone."""

    def __init__(self, services: ServiceLayer, permit: Permit) -> None:
        self._services = services
        self._permit = permit

    def check(self, actions: Iterable[dict[str, Any]], field: str) -> None:
        """Hold actions to be such as can be done just now.

        Raises:
            Invalid: one is not; ``field`` names the place.
        """
        for at, action in enumerate(actions):
            what, said = next(iter(action.items()))
            place = f"{field}.{at}.{what}"
            try:
                if what == "start":
                    self._services.resolve(said.get("template"), said["parameters"], said.get("goal"))
                elif what == "set":
                    self._services.would_take(said["service"], said["parameters"])
                else:
                    self._services.must_be(said)
            except Invalid as error:
                raise Invalid(str(error), f"{place}.{error.field}".rstrip(".")) from None
            except NotFound as error:
                raise Invalid(str(error), f"{place}.service" if what == "set" else place) from None

    def do(self, situation: Situation, actions: Iterable[dict[str, Any]]) -> tuple[list[Done], list[str]]:
        """Do actions; what was done, and what could not be, a line each."""
        done: list[Done] = []
        wrong: list[str] = []
        for action in actions:
            refusal = self._permit(situation, action)
            if refusal is not None:
                wrong.append(f"not allowed: {refusal}")
                continue
            self._try(lambda action=action: self._do(situation, action, done), wrong)  # type: ignore[misc]
        return done, wrong

    def undo(self, done: Iterable[Done]) -> list[str]:
        """Undo what was done, the last first, as far as nobody else has changed it since."""
        wrong: list[str] = []
        for each in reversed(list(done)):
            if self._services.seen(each.service) is not None:
                self._try(lambda each=each: self._undo(each), wrong)  # type: ignore[misc]
        return wrong

    def _try(self, act: Callable[[], None], wrong: list[str]) -> None:
        try:
            act()
        except DiatError as refusal:
            wrong.append(str(refusal))
        except Exception as error:  # noqa: BLE001 - one situation's fault must not stop the ingest of all
            _LOG.exception("a situation could not act")
            wrong.append(f"{type(error).__name__}: {error}"[:300])

    def _do(self, situation: Situation, action: dict[str, Any], done: list[Done]) -> None:
        services = self._services
        what, said = next(iter(action.items()))
        if what == "start":
            # The same id each time: however often it comes and goes, it makes one service.
            made = derived_id("situation", situation.id, repr(sorted(said.items())))
            if services.seen(made) is None:
                services.create(
                    said["title"],
                    said.get("template"),
                    said["parameters"],
                    goal=said.get("goal"),
                    service=made,
                    started_by=situation.id,
                    creator=Principal(
                        kind=situation.creator.partition(":")[0],  # type: ignore[arg-type]
                        name=situation.creator.partition(":")[2],
                        grants=situation.grants,
                    ),
                )
                done.append(Done("start", made))
            return
        service = services.seen(said["service"] if what == "set" else said)
        if service is None:
            raise Refused(f"there is no service {said!r} any more")
        if what == "set":
            before = {name: service.parameters.get(name) for name in said["parameters"]}
            services.reparameterise(service.id, said["parameters"])
            done.append(Done("set", service.id, before, dict(said["parameters"])))
        elif service.paused != (what == "pause"):
            services.pause(service.id, what == "pause")
            done.append(Done(what, service.id))

    def _undo(self, done: Done) -> None:
        services = self._services
        service = services.seen(done.service)
        if service is None:
            return
        if done.what == "start":
            services.delete(done.service)
        elif done.what == "set":
            # What somebody else has set meanwhile stays.
            own = {n: v for n, v in done.before.items() if service.parameters.get(n) == done.after[n]}
            if own:
                services.reparameterise(done.service, own)
        else:
            services.pause(done.service, done.what == "resume")


def anything_goes(situation: Situation, action: dict[str, Any]) -> str | None:
    """Permit everything: as long as there are no policies."""
    return None
