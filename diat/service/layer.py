"""The Service Layer: services made, changed and ended; what they are made of is the CVOL's business."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from diat.cvol.composing import compose
from diat.cvol.composite import Composite
from diat.cvol.execution import CompositeLayer
from diat.cvol.template import Template
from diat.kernel.clock import Clock
from diat.kernel.errors import Conflict, DiatError, NotFound, Stale
from diat.kernel.ids import NewId
from diat.kernel.overlay import Ledger, Overlay
from diat.security.decision import Decider
from diat.security.principal import LOCAL, Grant, Principal
from diat.security.roles import ByRole
from diat.service.acting import Acting, GrantsOf, nobody_knows
from diat.service.choosing import Wanted
from diat.service.delegation import Delegations
from diat.service.parameters import checked_parameters
from diat.service.placement.placing import Placing
from diat.service.placement.placings import Placings
from diat.service.resolving import Resolver, checked
from diat.service.service import Service
from diat.service.sharing import Sharing, content_of
from diat.service.templates import Templates
from diat.vol.layer import VirtualObjectLayer

__all__ = ["ServiceLayer", "checked_parameters"]


class ServiceLayer:
    """All services; changed by the writer alone, read by any thread through ``get`` and ``everything``.

    Attributes:
        sharing: which services use which composite.
        acting: as whom services act, and what they may.
        on_change: told of a service that was made, changed or ended, within the batch.
        delegations: which of them peers do.
        placings: where their steps run.
        resolve: what a request comes to, nothing done: see ``Resolver.resolve``.
    """

    def __init__(
        self,
        ledger: Ledger,
        things: VirtualObjectLayer,
        composites: CompositeLayer,
        templates: Templates,
        clock: Clock,
        new_id: NewId,
        services: Iterable[Service] = (),
        decider: Decider | None = None,
        key: bytes = b"",
        grants_of: GrantsOf = nobody_knows,
        placings: Iterable[tuple[str, Placing]] = (),
        delegations: Delegations | None = None,
        keep: float = 0.0,
    ) -> None:
        """Start kept services.

        ``placings`` says where their steps run, ``delegations`` which of them peers do.
        ``decider`` says what they may, ``key`` makes pseudonyms of what they read, and ``grants_of`` knows
        what their creators may by now. Of what less will do for them, things are told to send one value in
        ``keep`` seconds at least; 0: they send everything.
        """
        self.delegations = delegations or Delegations(ledger, clock)
        self.delegations.on_change = self._delegated
        self._things = things
        self._composites = composites
        self.templates = templates
        self._clock = clock
        self._new_id = new_id
        self._services: Overlay[str, Service] = ledger.overlay("services", ((s.id, s) for s in services))
        self.sharing = Sharing(ledger)
        self.on_change: Callable[[str], None] = _nobody_cares
        self.acting = Acting(self._of, decider or ByRole(), clock, grants_of)
        composites.allow_by(self.acting.allow, key)
        things.interaction.permit = self.acting.allow
        self.placings = Placings(ledger, things, composites, clock, placings, keep)
        self.placings.act_for(self._for_whom)
        self.resolve = Resolver(templates, self.sharing, things, composites, clock).resolve
        self._restore()
        things.ingest.finish(clock())

    # --- asked by any thread ---

    def get(self, service: str) -> Service:
        """The committed service.

        Raises:
            NotFound: there is none.
        """
        found = self._services.committed.get(service)
        if found is None:
            raise NotFound(f"there is no service {service!r}")
        return found

    def known(self, service: str) -> bool:
        """Whether there is a committed service of this id."""
        return service in self._services.committed

    def everything(self) -> list[Service]:
        """All committed services, oldest first."""
        return sorted(self._services.committed.values(), key=lambda each: (each.created, each.id))

    def shared_with(self, service: Service) -> list[str]:
        """The other services that the same composite works for, as it is committed."""
        return [each for each in self.sharing.committed(service.composite) if each != service.id]

    # --- asked within the writer ---

    def seen(self, service: str) -> Service | None:
        """The service as the writer sees it."""
        return self._services.get(service)

    def must_be(self, service: str, revision: int | None = None) -> Service:
        """The service as the writer sees it.

        Raises:
            NotFound: there is none.
            Stale: it is not at ``revision``.
        """
        known = self._services.get(service)
        if known is None:
            raise NotFound(f"there is no service {service!r}")
        if revision is not None and revision != known.revision:
            raise Stale(f"the service is at revision {known.revision}, not {revision}")
        return known

    def create(
        self,
        title: str,
        template: str | None,
        parameters: dict[str, Any],
        *,
        goal: dict[str, Any] | None = None,
        service: str | None = None,
        started_by: str | None = None,
        creator: Principal = LOCAL,
        purpose: str = "",
    ) -> Service:
        """Make a service and start it; one that equals another is done by the same composite.

        Args:
            title: for people.
            template: name of a template, None if a goal is given.
            parameters: as its schema says.
            goal: what is to be reached instead.
            service: the id to give it, derived from an idempotency key; a repeat with the same content
                answers with the service that is there.
            started_by: id of the situation that makes it.
            creator: for whom it acts.
            purpose: what it is for.

        Raises:
            Invalid: as in ``Resolver.resolve``.
            Conflict: the idempotency key was used for something else.
        """
        known = self._services.get(service) if service is not None else None
        if known is not None and goal is not None:
            # What fits a goal best may be another template by now; what was asked for is the same.
            if known.fingerprint == _fingerprint(title, "", goal):
                return known
            raise Conflict("this Idempotency-Key was used for another service")
        wanted = self.resolve(template, parameters, goal)
        fingerprint = self._fingerprint(title, wanted, goal)
        if known is not None:
            if known.fingerprint != fingerprint:
                raise Conflict("this Idempotency-Key was used for another service")
            return known
        now = self._clock()
        made = Service(
            id=service or self._new_id(),
            title=title,
            goal=goal,
            chosen=wanted.chosen,
            template=wanted.template.name,
            version=wanted.template.version,
            parameters=wanted.parameters,
            started_by=started_by,
            creator=creator.id,
            grants=creator.grants,
            purpose=purpose,
            created=now,
            modified=now,
            fingerprint=fingerprint,
        )
        composite = self._place(made, wanted, None)
        self._put(made, composite)
        self._settle(composite)
        return self._done(made.id)

    def replace(
        self,
        service: str,
        title: str,
        template: str | None,
        parameters: dict[str, Any],
        revision: int | None,
        *,
        goal: dict[str, Any] | None = None,
        creator: Principal | None = None,
        purpose: str | None = None,
    ) -> Service:
        """Give a service another content; what is bound and still fits stays bound.

        From then on it acts for who gave it that: otherwise it could be made to do what he may not.

        Raises:
            NotFound: there is no such service.
            Stale: it is not at ``revision`` any more.
            Invalid: as in ``Resolver.resolve``.
        """
        known = self.must_be(service, revision)
        wanted = self.resolve(template, parameters, goal)
        fingerprint = self._fingerprint(title, wanted, goal)
        acting: dict[str, Any] = {} if creator is None else {"creator": creator.id, "grants": creator.grants}
        if purpose is not None:
            acting["purpose"] = purpose
        changes = {"title": title, "goal": goal, "chosen": wanted.chosen, "fingerprint": fingerprint}
        return self._move(known, wanted, **changes, **acting)

    def would_take(self, service: str, parameters: dict[str, Any]) -> Wanted:
        """What a service would be with other parameters instead of some of its own; None drops one.

        Raises:
            NotFound: there is no such service.
            Invalid: it does not take them; ``field`` names one.
        """
        known = self.must_be(service)
        changed = known.parameters | parameters
        given = {name: value for name, value in changed.items() if value is not None}
        return checked(self.templates.get(known.template), given)

    def reparameterise(self, service: str, parameters: dict[str, Any]) -> Service:
        """Give a service other parameters instead of some of its own; arguments, errors as ``would_take``."""
        wanted = self.would_take(service, parameters)
        return self._move(self.must_be(service), wanted)

    def pause(self, service: str, paused: bool, revision: int | None = None) -> Service:
        """Let a service rest, or resume it; doing it twice changes nothing.

        Raises:
            NotFound: there is no such service.
            Stale: it is not at ``revision`` any more.
        """
        known = self.must_be(service, revision)
        if known.paused == paused:
            return known
        self._change(known, known.composite, paused=paused)
        self._settle(known.composite)
        return self._done(service)

    def delete(self, service: str, revision: int | None = None) -> None:
        """End a service: what it drives is let go, unless another service wants the very same.

        Raises:
            NotFound: there is no such service.
            Stale: it is not at ``revision`` any more.
        """
        known = self.must_be(service, revision)
        self._services.remove(service)
        self.sharing.leave(service, known.composite)
        self._settle(known.composite)
        self.on_change(service)
        self._things.ingest.finish(self._clock())

    def drop_template(self, name: str) -> None:
        """Drop a template of people's own that no service is made from.

        Raises:
            NotFound: there is none of this name.
            Conflict: services are made from it, or it came with the platform.
        """
        users = [each.title for _, each in self._services.items() if each.template == name]
        if users:
            raise Conflict(f"services are made from it: {', '.join(users[:5])}")
        self.templates.remove(name)

    # --- within ---

    def _of(self, composite: str) -> list[Service]:
        """The services that are done by a composite; any thread may ask."""
        try:
            users = self.sharing.users(composite)
        except RuntimeError:  # the writer is changing them: who is not the writer looks at what is durable
            users = self.sharing.committed(composite)
        return [each for each in map(self._services.get, users) if each is not None]

    def _place(self, service: Service, wanted: Wanted, current: str | None) -> str:
        """The composite that is to do what is wanted: the one that does so already, or one of its own."""
        running = self.sharing.find(content_of(wanted.template, wanted.parameters, service.acting))
        if running is not None:
            return running
        for own in (current, service.id):
            if own is not None and not set(self.sharing.users(own)) - {service.id}:
                return own
        return self._new_id()

    def _put(self, service: Service, composite: str) -> None:
        """Keep a service, and that it uses a composite."""
        known = self._services.get(service.id)
        if known is not None and known.composite != composite:
            self.sharing.leave(service.id, known.composite)
        uses = composite if composite != service.id else ""
        self._services.put(service.id, msgspec.structs.replace(service, uses=uses))
        template = self.templates.get(service.template)
        self.sharing.join(service.id, composite, content_of(template, service.parameters, service.acting))

    def _change(self, known: Service, composite: str, **changes: Any) -> None:
        changed: Service = msgspec.structs.replace(
            known, **changes, modified=self._clock(), revision=known.revision + 1
        )
        self._put(changed, composite)

    def _move(self, known: Service, wanted: Wanted, **changes: Any) -> Service:
        """Have a service do what is wanted now, by whichever composite does that."""
        changed = msgspec.structs.replace(known, **changes)
        before, after = known.composite, self._place(changed, wanted, known.composite)
        self._change(
            known,
            after,
            template=wanted.template.name,
            version=wanted.template.version,
            parameters=wanted.parameters,
            **changes,
        )
        self._settle(after, again=True)
        if before != after:
            self._settle(before)
        return self._done(known.id)

    def _settle(self, composite: str, *, again: bool = False) -> None:
        """Have a composite be what its services want, and end with the last of them."""
        users = self._users(composite)
        if not users:
            self.placings.remove(composite)
            return
        made = self._composite(composite, users, self.templates.get(users[0].template))
        if again or self.placings.whole(composite) != made:
            self.placings.deploy(made)
        else:
            # It acts for others than before.
            self._composites.reconsider([composite], self._clock())

    def _composite(self, composite: str, users: list[Service], template: Template) -> Composite:
        oldest = users[0]
        paused = all(each.paused or self.delegations.elsewhere(each.id) for each in users)
        return compose(template, oldest.parameters, composite, oldest.title, paused=paused)

    def _delegated(self, service: str) -> None:
        """A peer does a service from now on, or no longer."""
        known = self._services.get(service)
        if known is not None:
            self._settle(known.composite)
            self._things.ingest.finish(self._clock())

    def _for_whom(self, composite: str) -> tuple[tuple[Grant, ...], str, int]:
        """What a composite may, what it is for and since when it works, as its parts elsewhere are told."""
        acting = self.acting.principals(composite)
        since = min((each.modified for each in self._users(composite)), default=0)
        return (acting[0].grants, acting[0].purpose, since) if acting else ((), "", since)

    def _users(self, composite: str) -> list[Service]:
        found = (self._services.get(each) for each in self.sharing.users(composite))
        return [each for each in found if each is not None]

    def _done(self, service: str) -> Service:
        self.on_change(service)
        self._things.ingest.finish(self._clock())
        return self.must_be(service)

    def _restore(self) -> None:
        """Start kept services again; one whose template is gone or changed fails, and says so."""
        composites: dict[str, list[Service]] = {}
        for service in self.everything():
            composites.setdefault(service.composite, []).append(service)
        made = []
        for composite, users in composites.items():
            content = None
            try:
                template = self.templates.get(users[0].template)
                content = content_of(template, users[0].parameters, users[0].acting)
                made.append(self._composite(composite, users, template))
            except DiatError as error:
                self._composites.fail(composite, str(error))
            for service in users:
                self.sharing.join(service.id, composite, content)
        self.placings.restore(made)

    def _fingerprint(self, title: str, wanted: Wanted, goal: dict[str, Any] | None) -> str:
        if goal is not None:
            return _fingerprint(title, "", goal)
        return _fingerprint(title, wanted.template.name, wanted.parameters)


def _fingerprint(title: str, template: str, content: dict[str, Any]) -> str:
    encoded = msgspec.json.encode([title, template, content], order="deterministic")
    return hashlib.sha256(encoded).hexdigest()


def _nobody_cares(service: str) -> None:
    """Stands in until somebody listens."""
