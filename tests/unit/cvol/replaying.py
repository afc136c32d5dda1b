"""Replay held against reality: what a service decided live over a ``kept_world`` is decided again.

decided = replays(world, service)      # the decisions, or a failed assertion that shows where they part
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diat.adapters.sql import rows
from diat.adapters.sql.record import SqlRecord
from diat.cvol.composing import compose
from diat.cvol.composite import Composite
from diat.cvol.replay import DECISIONS, Budget, Decision, Replay, Survey, decision
from diat.vol.recorded import Record
from tests.unit.cvol.conftest import World


def replays(world: World, service: str, record: Record | None = None) -> list[Decision]:
    """Hold a service's decisions over all that was recorded to be those that it took live.

    Equal are thing, affordance, value and time in milliseconds, in their order. Commands told again, because
    an actuator did not do as it was told, are no decisions.

    Args:
        world: where it ran; it must be kept.
        service: its id, or that of its composite.
        record: what was recorded, if it is not all in the database.

    Returns:
        The decisions.
    """
    assert world._engine is not None, "only a kept_world has a history"
    kept = world.services.everything()
    composite = next((each.composite for each in kept if each.id == service), service)
    live = lived(world, composite)
    replay = Replay(record or SqlRecord(world._engine), survey(world), Budget(seconds=600))

    def made(said: Mapping[str, Any]) -> Composite:
        template = world.templates.get(said["template"].rpartition(" ")[0])
        return compose(template, said["parameters"], said["id"], said["title"], paused=said["paused"])

    replayed = replay.follow(composite, made, 0, world.now + 1)
    assert replayed.stopped is None, replayed.stopped
    again = replayed.decisions
    for at, (one, other) in enumerate(zip(live, again, strict=False)):
        assert one.key == other.key, f"decision {at}: {shown(one)} live, {shown(other)} replayed"
    assert len(live) == len(again), (
        f"{len(live)} live, {len(again)} replayed; further ones: "
        f"{[shown(each) for each in (live[len(again) :] + again[len(live) :])[:5]]}"
    )
    return again


def lived(world: World, composite: str) -> list[Decision]:
    """What a composite decided live, oldest first."""
    assert world._engine is not None
    with world._engine.connect() as connection:
        query = "SELECT body FROM actuations WHERE service = ? ORDER BY created, rowid"
        given = [rows.read_actuation(body) for (body,) in connection.exec_driver_sql(query, (composite,))]
    return [decision(each) for each in given if (each.why or {}).get("decision") in DECISIONS]


def survey(world: World) -> Survey:
    """What there is now."""
    return Survey(
        position=world.things.journal.position,
        objects=world.things.registry.everything(),
        twins=dict(world.things.intake.twins.committed),
        site=world.composites.site,
    )


def shown(each: Decision) -> str:
    """A decision in one line."""
    return f"{each.at}: {each.thing} {each.affordance} = {each.value!r} ({each.why.get('decision')})"
