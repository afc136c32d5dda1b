"""The Service Layer: services made, changed and ended; what they are made of is the CVOL's business."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import jsonschema_rs
import msgspec

from diat.cvol.composing import compose
from diat.cvol.composite import Composite
from diat.cvol.execution import CompositeLayer
from diat.cvol.template import Template, nowhere
from diat.kernel.clock import Clock
from diat.kernel.errors import Conflict, DiatError, Invalid, NotFound, Stale
from diat.kernel.ids import NewId
from diat.kernel.overlay import Ledger, Overlay
from diat.service.service import Service
from diat.service.templates import Templates
from diat.vol.layer import VirtualObjectLayer
from diat.wot.quantities import quantity_kind
from diat.wot.units import ucum


class ServiceLayer:
    """All services; changed by the writer alone, read by any thread through ``get`` and ``everything``."""

    def __init__(
        self,
        ledger: Ledger,
        things: VirtualObjectLayer,
        composites: CompositeLayer,
        templates: Templates,
        clock: Clock,
        new_id: NewId,
        services: Iterable[Service] = (),
    ) -> None:
        self._things = things
        self._composites = composites
        self.templates = templates
        self._clock = clock
        self._new_id = new_id
        self._services: Overlay[str, Service] = ledger.overlay("services", ((s.id, s) for s in services))
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

    def everything(self) -> list[Service]:
        """All committed services, oldest first."""
        return sorted(self._services.committed.values(), key=lambda each: (each.created, each.id))

    # --- asked within the writer ---

    def create(
        self, title: str, template: str, parameters: dict[str, Any], *, service: str | None = None
    ) -> Service:
        """Make a service and start it.

        Args:
            title: for people.
            template: name of a template.
            parameters: as its schema says.
            service: the id to give it, derived from an idempotency key; a repeat with the same content
                answers with the service that is there.

        Raises:
            Invalid: unknown template or wrong parameters; ``field`` names the place.
            Conflict: the idempotency key was used for something else.
        """
        found, full = self._checked(template, parameters)
        fingerprint = _fingerprint(title, template, full)
        if service is not None and (known := self._services.get(service)) is not None:
            if known.fingerprint != fingerprint:
                raise Conflict("this Idempotency-Key was used for another service")
            return known
        now = self._clock()
        made = Service(
            id=service or self._new_id(),
            title=title,
            template=found.name,
            version=found.version,
            parameters=full,
            created=now,
            modified=now,
            fingerprint=fingerprint,
        )
        self._deploy(made, found)
        return made

    def replace(
        self, service: str, title: str, template: str, parameters: dict[str, Any], revision: int | None
    ) -> Service:
        """Give a service another content; what is bound and still fits stays bound.

        Raises:
            NotFound: there is no such service.
            Stale: it is not at ``revision`` any more.
            Invalid: as in ``create``.
        """
        known = self._known(service, revision)
        found, full = self._checked(template, parameters)
        return self._change(
            known,
            found,
            title=title,
            template=found.name,
            version=found.version,
            parameters=full,
            fingerprint=_fingerprint(title, template, full),
        )

    def pause(self, service: str, paused: bool, revision: int | None = None) -> Service:
        """Let a service rest, or resume it; doing it twice changes nothing.

        Raises:
            NotFound: there is no such service.
            Stale: it is not at ``revision`` any more.
        """
        known = self._known(service, revision)
        if known.paused == paused:
            return known
        return self._change(known, self.templates.get(known.template), paused=paused)

    def delete(self, service: str, revision: int | None = None) -> None:
        """End a service: what it drives is let go.

        Raises:
            NotFound: there is no such service.
            Stale: it is not at ``revision`` any more.
        """
        known = self._known(service, revision)
        self._composites.remove(known.id)
        self._services.remove(known.id)
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

    def _known(self, service: str, revision: int | None = None) -> Service:
        known = self._services.get(service)
        if known is None:
            raise NotFound(f"there is no service {service!r}")
        if revision is not None and revision != known.revision:
            raise Stale(f"the service is at revision {known.revision}, not {revision}")
        return known

    def _checked(self, template: str, parameters: dict[str, Any]) -> tuple[Template, dict[str, Any]]:
        try:
            found = self.templates.get(template)
        except NotFound as missing:
            raise Invalid(str(missing), "template") from None
        return found, checked_parameters(found, parameters)

    def _change(self, known: Service, made_from: Template, **changes: Any) -> Service:
        changed: Service = msgspec.structs.replace(
            known, **changes, modified=self._clock(), revision=known.revision + 1
        )
        self._deploy(changed, made_from)
        return changed

    def _deploy(self, service: Service, template: Template) -> None:
        composite = _composite(service, template)
        self._services.put(service.id, service)
        self._composites.deploy(composite)
        self._things.ingest.finish(self._clock())

    def _restore(self) -> None:
        """Start kept services again; one whose template is gone or changed fails, and says so."""
        made = []
        for service in self.everything():
            try:
                made.append(_composite(service, self.templates.get(service.template)))
            except DiatError as error:
                self._composites.fail(service.id, str(error))
        self._composites.restore(made)


def checked_parameters(template: Template, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters with defaults filled in.

    Raises:
        Invalid: they are against the template's schema; ``field`` names the parameter.
    """
    full = {
        name: schema["default"]
        for name, schema in template.parameters.get("properties", {}).items()
        if isinstance(schema, dict) and "default" in schema
    } | parameters
    validator = _validator(msgspec.json.encode(template.parameters))
    error = next(iter(validator.iter_errors(full)), None)
    if error is not None:
        place = [str(step) for step in error.instance_path]
        unknown = sorted(set(full) - set(template.parameters.get("properties", {})))
        if not place and unknown:
            place = [unknown[0]]
        missing = [name for name in template.parameters.get("required", []) if name not in full]
        if not place and missing:
            place = [missing[0]]
        raise Invalid(error.message[:300], ".".join(["parameters", *place]))
    return full


@lru_cache(maxsize=500)
def _validator(schema: bytes) -> jsonschema_rs.Draft202012Validator:
    formats: dict[str, Callable[[str], bool]] = {
        "quantity": lambda text: quantity_kind(text) is not None,
        "unit": lambda text: ucum(text) is not None,
    }
    return jsonschema_rs.Draft202012Validator(
        msgspec.json.decode(schema), formats=formats, validate_formats=True, retriever=nowhere
    )


def _composite(service: Service, template: Template) -> Composite:
    return compose(template, service.parameters, service.id, service.title, paused=service.paused)


def _fingerprint(title: str, template: str, parameters: dict[str, Any]) -> str:
    content = msgspec.json.encode([title, template, parameters], order="deterministic")
    return hashlib.sha256(content).hexdigest()
