"""Replay held against reality: what a service decided live is decided again from what was recorded.

    replays(world, service)         # over a ``kept_world``
    replays_live(daemon, service)   # over a running daemon

Both answer with the decisions, or fail with an assertion that shows where the two part. Equal are thing,
affordance, value and time in milliseconds, in their order. Commands told again, because an actuator did not
do as it was told, are no decisions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diat.adapters.sql.record import SqlRecord
from diat.cvol.composing import compose
from diat.cvol.composite import Composite, own_thing
from diat.cvol.execution import CompositeLayer
from diat.cvol.replay import DECISIONS, Budget, Decision, Replay, Survey, decision
from diat.cvol.sandbox import Said, said
from diat.daemon import Daemon
from diat.service.layer import ServiceLayer
from diat.vol.interaction import Actuation
from diat.vol.journal import RESERVED
from diat.vol.layer import VirtualObjectLayer
from diat.vol.recorded import Record
from tests.unit.cvol.conftest import World

MOST = 1_000_000
"""Commands that are looked at: all there are."""


def replays(world: World, service: str, record: Record | None = None) -> list[Decision]:
    """Hold a service's decisions over all that was recorded to be those that it took live.

    Args:
        world: where it ran; it must be kept.
        service: its id, or that of its composite.
        record: what was recorded, if it is not all in the database.
    """
    assert world._engine is not None, "only a kept_world has a history"
    survey = _survey(world.things, world.composites)
    return _hold(record or SqlRecord(world._engine), survey, world.services, service, world.now)


def replays_live(daemon: Daemon, service: str) -> list[Decision]:
    """The same over a running daemon, up to now."""
    survey = daemon.submit(lambda: _survey(daemon.things, daemon.composites)).result(20)
    return _hold(daemon.record, survey, daemon.services, service, daemon.clock())


def _survey(things: VirtualObjectLayer, composites: CompositeLayer) -> Survey:
    return Survey(
        position=things.journal.position,
        objects=things.registry.everything(),
        twins=dict(things.intake.twins.committed),
        site=composites.site,
    )


def _hold(record: Record, survey: Survey, services: ServiceLayer, service: str, end: int) -> list[Decision]:
    found = (each.composite for each in services.everything() if each.id == service)
    composite = next(found, service)

    def made(said: Mapping[str, Any]) -> Composite:
        template = services.templates.get(said["template"].rpartition(" ")[0])
        return compose(template, said["parameters"], said["id"], said["title"], paused=said["paused"])

    live = [decision(each) for each in _lived(record, survey, composite, end)]
    replayed = Replay(record, survey, Budget(seconds=600)).follow(composite, made, 0, end + 1)
    assert replayed.stopped is None, replayed.stopped
    again = replayed.decisions
    for at, (one, other) in enumerate(zip(live, again, strict=False)):
        assert one.key == other.key, f"decision {at}: {shown(one)} live, {shown(other)} replayed"
    further = (live[len(again) :] + again[len(live) :])[:5]
    assert len(live) == len(again), (
        f"{len(live)} live, {len(again)} replayed; further ones: {[shown(each) for each in further]}"
    )
    assert _spoke(record, survey, composite, end) == replayed.said, "what its own thing said"
    return again


def _spoke(record: Record, survey: Survey, composite: str, end: int) -> list[Said]:
    """What a composite said live of itself: derived values and events, in their order."""
    own = next((each.record.no for each in survey.objects if each.id == own_thing(composite)), 0)
    return [
        each
        for row in record.rows({own} if own else set(), 0, survey.position + 1)
        if row.received <= end and not row.name.startswith(RESERVED)
        for each in said(row.name, row.data, row.observed)
    ]


def _lived(record: Record, survey: Survey, composite: str, end: int) -> list[Actuation]:
    """What a composite decided live, in the order in which it was given, to whatever is or was there."""
    things = {each.id for each in survey.objects} | set(survey.twins)
    return [
        each
        for each in record.commands(things, 0, end + 1, MOST)
        if each.service == composite
        and each.position <= survey.position
        and (each.why or {}).get("decision") in DECISIONS
    ]


def shown(each: Decision) -> str:
    """A decision in one line."""
    return f"{each.at}: {each.thing} {each.affordance} = {each.value!r} ({each.why.get('decision')})"
