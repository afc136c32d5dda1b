"""Binding: choosing what fills each role of a composite, and holding on to it as long as it fits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from msgspec import Struct

from diat.cvol.composite import Binding, Composite
from diat.cvol.matching import Candidate, candidates
from diat.cvol.wanted import Wanted
from diat.vol.registry import Registry
from diat.vol.twin import Twin

SHOWN = 10
"""Lines on what is lacking that are told."""


class Bound(Struct, frozen=True, kw_only=True):
    """The outcome for all roles of a composite.

    Attributes:
        bindings: what fills them.
        missing: what a required role lacks, a line for a person each.
        lacking: what could fill a role further and is not there just now, what only stands in for what was
            wanted, and roles that nothing fills and that may stay empty at a ``loss``, a line each.
        waits: properties whose next reading may fill a role.
    """

    bindings: list[Binding]
    missing: list[str]
    lacking: list[str]
    waits: list[tuple[str, str]]


def bind(
    composite: Composite,
    current: Sequence[Binding],
    registry: Registry,
    twin: Callable[[str], Twin],
    now: int,
    own: Collection[str] = (),
) -> Bound:
    """Fill all roles: what is bound and still fits stays, the best of the rest fills up.

    Args:
        composite: whose roles they are.
        current: what is bound now.
        registry: where things are.
        twin: the live state of a thing by id.
        now: Unix milliseconds.
        own: ids of things that depend on this composite.
    """
    bindings: list[Binding] = []
    missing: list[str] = []
    waits: list[tuple[str, str]] = []
    lacking: list[str] = []
    filled = set()
    refused: dict[str, list[Candidate]] = {}
    for role in composite.roles.values():
        found = candidates(role, registry, twin, now, own)
        fitting = [each for each in found if each.refusal is None]
        refused[role.name] = [each for each in found if each.refusal is not None]
        chosen = _choose(role, fitting, current, now)
        bindings += chosen
        if chosen:
            filled.add(role.name)
        if len(chosen) < role.least:
            missing.append(_explain(role, len(chosen), refused[role.name]))
        if role.most is None or len(chosen) < role.most:
            waits += [(each.thing, each.affordance) for each in refused[role.name] if each.later]
            loss = f"; meanwhile: {role.loss}" if role.loss else ""
            lacking += [
                f"{role.name}: {each.title} ({each.affordance}): {each.refusal}{loss}"
                for each in refused[role.name]
                if each.absent
            ]
        if role.loss and not chosen and not role.least and not any(each.absent for each in found):
            lacking.append(f"{_explain(role, 0, refused[role.name])}; meanwhile: {role.loss}")
        held = {each.key for each in chosen}
        lacking += [
            f"{role.name}: {each.title} ({each.affordance}) stands in: {each.cost}"
            for each in fitting
            if each.cost and f"{each.thing} {each.affordance}" in held
        ]
    for group in composite.requires:
        if not filled & set(group):
            # What is away stands for itself; that it cannot do the other role's work says nothing more.
            away = {(each.thing, each.affordance) for name in group for each in refused[name] if each.absent}
            turned_down = [
                each
                for name in group
                for each in refused[name]
                if each.absent or (each.thing, each.affordance) not in away
            ]
            roles = [composite.roles[name] for name in group]
            capabilities = " or ".join(role.capability for role in roles)
            where = f" at {roles[0].place}" if roles[0].place else ""
            line = f"{' or '.join(group)}: nothing that can {capabilities} {roles[0].quantity}{where}"
            missing.append(line + _because(turned_down))
    return Bound(bindings=bindings, missing=missing, lacking=lacking[:SHOWN], waits=waits)


def _choose(
    role: Wanted, fitting: Sequence[Candidate], current: Sequence[Binding], now: int
) -> list[Binding]:
    held = {(b.thing, b.affordance): b for b in current if b.role == role.name}
    # What is bound stays bound: a slightly better newcomer must not make a service jump.
    ranked = sorted(fitting, key=lambda each: (each.thing, each.affordance) not in held)
    return [
        Binding(
            role=role.name,
            thing=each.thing,
            affordance=each.affordance,
            kind=each.kind,
            unit=each.unit,
            accuracy=each.accuracy,
            opposite=each.opposite,
            how=each.how,
            cost=each.cost,
            reason=each.reason,
            since=held[key].since if (key := (each.thing, each.affordance)) in held else now,
        )
        for each in ranked[: role.most]
    ]


def _explain(role: Wanted, got: int, refused: Sequence[Candidate]) -> str:
    count = f"{role.least - got} more of " if got else ""
    return f"{role.name}: {count}{role}" + _because(refused)


def _because(refused: Sequence[Candidate]) -> str:
    if not refused:
        return ""
    # Roles of one group may turn down the same affordance for the same reason.
    told = list(dict.fromkeys(f"{each.title} ({each.affordance}): {each.refusal}" for each in refused))
    more = f"; and {len(told) - 5} others" if len(told) > 5 else ""
    return f" (turned down: {'; '.join(told[:5])}{more})"
