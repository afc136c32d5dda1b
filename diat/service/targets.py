"""Services as decisions see them: one target for each place that a service reaches into."""

from __future__ import annotations

from diat.cvol.composite import Composite
from diat.security.operations import Target


def targets_of(service: str, composite: Composite | None) -> tuple[Target, ...]:
    """What has to be permitted of a service: wherever its roles look for things, and where it is itself.

    Args:
        service: its id.
        composite: what does its work; None if it could not be made.
    """
    if composite is None:
        return (Target(id=service, kind="service"),)
    places = {role.place for role in composite.roles.values()} or {""}
    if composite.place:
        places.add(composite.place)
    quantities = tuple(sorted({kind for role in composite.roles.values() for kind in role.quantities}))
    return tuple(
        Target(id=service, kind="service", place=place, quantities=quantities) for place in sorted(places)
    )
