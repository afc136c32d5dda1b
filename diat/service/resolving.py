"""Resolving a request: from a template's name or a goal to a template with all its parameters."""

from __future__ import annotations

from typing import Any

from diat.cvol.binding import bind
from diat.cvol.composing import compose
from diat.cvol.execution import CompositeLayer
from diat.cvol.template import Template
from diat.kernel.clock import Clock
from diat.kernel.errors import Invalid, NotFound
from diat.service.choosing import Fit, Wanted, choose
from diat.service.goals import asked
from diat.service.parameters import checked_parameters
from diat.service.sharing import Sharing, content_of
from diat.service.templates import Templates
from diat.vol.layer import VirtualObjectLayer


class Resolver:
    """Finds what a request comes to; changes nothing. Used by the writer alone."""

    def __init__(
        self,
        templates: Templates,
        sharing: Sharing,
        things: VirtualObjectLayer,
        composites: CompositeLayer,
        clock: Clock,
    ) -> None:
        self._templates = templates
        self._sharing = sharing
        self._things = things
        self._composites = composites
        self._clock = clock

    def resolve(
        self, template: str | None, parameters: dict[str, Any], goal: dict[str, Any] | None
    ) -> Wanted:
        """What a request comes to.

        Args:
            template: name of a template, None if a goal is given.
            parameters: as its schema says.
            goal: what is to be reached instead, see ``goals``.

        Raises:
            Invalid: unknown template, wrong parameters, or a goal that no template reaches; ``field`` names
                the place.
        """
        if goal is not None:
            if template is not None or parameters:
                raise Invalid("a goal finds its template and parameters itself", "goal")
            return choose(asked(goal), self._templates.in_order(), self._fit)
        if template is None:
            raise Invalid("either a template or a goal is needed", "template")
        try:
            found = self._templates.get(template)
        except NotFound as missing:
            raise Invalid(str(missing), "template") from None
        return checked(found, parameters)

    def _fit(self, template: Template, parameters: dict[str, Any]) -> Fit:
        """How a service would do: as the one that does just this already, else as it would be bound."""
        running = self._sharing.find(content_of(template, parameters))
        state = self._composites.states.get(running) if running is not None else None
        if state is not None and state.state in ("running", "degraded", "waiting"):
            return Fit(state.state, tuple(state.missing), reused=True)
        composite = compose(template, parameters, "", template.title)
        bound = bind(composite, [], self._things.registry, self._things.intake.twin, self._clock())
        reused = running is not None
        if bound.missing:
            return Fit("waiting", tuple(bound.missing), reused)
        return Fit("degraded" if bound.lacking else "running", tuple(bound.lacking), reused)


def checked(template: Template, parameters: dict[str, Any]) -> Wanted:
    """A template with parameters that are right and go together, defaults filled in.

    Raises:
        Invalid: they are not; ``field`` names one.
    """
    full = checked_parameters(template, parameters)
    compose(template, full, "", template.title)  # what contradicts itself is told before anything happens
    return Wanted(template=template, parameters=full)
