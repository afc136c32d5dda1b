"""Binding: choosing what fills each role of a composite, and holding on to it as long as it fits.

What is bound and still fits stays, so that nothing flaps: something better of the same kind makes nothing
jump. Only what stands in for what was wanted gives way to that once it is back: a substitute to what it
stands for, and a thing to those before it in the role's ``order``. It does so at once if it has stood in for
``SETTLED``, and when that time is over if it has not: what comes and goes changes a binding twice in that
time at most.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from msgspec import Struct

from diat.cvol.composite import Binding, Composite, Denied
from diat.cvol.matching import Allow, Candidate, candidates, elsewhere
from diat.cvol.wanted import Wanted
from diat.vol.registry import Registry
from diat.vol.twin import Twin

SETTLED = 30_000
"""Milliseconds for which what stands in keeps its place though what was wanted is back."""
SHOWN = 10
"""Lines on what is lacking that are told."""
_REASONS = 5
"""Refusals that are told of a role."""


class Bound(Struct, frozen=True, kw_only=True):
    """The outcome for all roles of a composite.

    Attributes:
        bindings: what fills them; of each role the best first.
        missing: what a required role lacks, a line for a person each.
        lacking: what could fill a role further and is not there just now, what only stands in for what was
            wanted, and roles that nothing fills and that may stay empty at a ``loss``, a line each.
        waits: properties whose next reading may fill a role, or fill it better.
        regarded: ids of the things that were looked at: when one of them changes, the outcome may.
        denied: what was turned down by a role or a policy alone: when that changes, the outcome may.
    """

    bindings: list[Binding]
    missing: list[str]
    lacking: list[str]
    waits: list[tuple[str, str]]
    regarded: frozenset[str]
    denied: list[Denied] = []


def bind(
    composite: Composite,
    current: Sequence[Binding],
    registry: Registry,
    twin: Callable[[str], Twin],
    now: int,
    own: Collection[str] = (),
    allow: Allow | None = None,
) -> Bound:
    """Fill all roles: what is bound and still fits stays, the best of the rest fills up.

    Args:
        composite: whose roles they are.
        current: what is bound now.
        registry: where things are.
        twin: the live state of a thing by id.
        now: Unix milliseconds.
        own: ids of things that depend on this composite.
        allow: what may fill its roles; None for anything.
    """
    bindings: list[Binding] = []
    missing: list[str] = []
    waits: list[tuple[str, str]] = []
    lacking: list[str] = []
    denied: list[Denied] = []
    filled = set()
    refused: dict[str, list[Candidate]] = {}
    regarded: set[str] = set()

    def turned_down(role: Wanted) -> list[Candidate]:
        """Why nothing fills a role; where there is little to say, what would fill it at another place."""
        room = _REASONS - len(refused[role.name])
        afar = elsewhere(role, registry, twin, now, own, room, allow=allow) if room > 0 else []
        regarded.update(each.thing for each in afar)
        return refused[role.name] + afar

    for role in composite.roles.values():
        held = {(b.thing, b.affordance): b for b in current if b.role == role.name}
        young = {key for key, each in held.items() if now - each.since < SETTLED}
        stand_ins = any(held[key].cost for key in young)
        found = candidates(role, registry, twin, now, own, allow=allow, stand_ins=stand_ins)
        denied += [
            Denied(role.name, each.thing, each.affordance, each.kind, each.opposite, each.refusal or "")
            for each in found
            if each.denied
        ]
        regarded.update(each.thing for each in found)
        refused[role.name] = [each for each in found if each.refusal is not None]
        chosen = _choose(role, [each for each in found if each.refusal is None], held, young)
        if role.exact is not None:
            regarded.add(role.exact[0])
            if not chosen:
                waits.append(role.exact)
        bindings += [_bound(role, each, held, now) for each in chosen]
        if chosen:
            filled.add(role.name)
        if len(chosen) < role.least:
            missing.append(_explain(role, len(chosen), turned_down(role)))
        improving = [each for each in refused[role.name] if _improves(role, each, chosen)]
        waits += [(each.thing, each.affordance) for each in improving if each.later]
        lacking += _lacks(role, [each for each in improving if each.absent], chosen)
        if role.loss and not chosen and not role.least and not any(each.absent for each in found):
            lacking.append(f"{_explain(role, 0, turned_down(role))}; meanwhile: {role.loss}")
    for group in composite.requires:
        if not filled & set(group):
            roles = [composite.roles[name] for name in group]
            reasons = [each for role in roles for each in turned_down(role)]
            # What is away stands for itself; that it cannot do the other role's work says nothing more.
            away = {_key(each) for each in reasons if each.absent}
            told = [each for each in reasons if each.absent or _key(each) not in away]
            capabilities = " or ".join(role.capability for role in roles)
            where = f" at {roles[0].place}" if roles[0].place else ""
            line = f"{' or '.join(group)}: nothing that can {capabilities} {roles[0].quantity}{where}"
            missing.append(line + _because(told))
    return Bound(
        bindings=bindings,
        missing=missing,
        lacking=lacking[:SHOWN],
        waits=waits,
        regarded=frozenset(regarded),
        denied=denied,
    )


def _choose(
    role: Wanted,
    fitting: Sequence[Candidate],
    held: Collection[tuple[str, str]],
    young: Collection[tuple[str, str]],
) -> list[Candidate]:
    """What fills a role, the best first; never what was wanted together with what stands in for it."""
    wanted = [each for each in fitting if not each.cost]
    stand_ins = [each for each in fitting if each.cost]
    if not wanted or any(_key(each) in young for each in stand_ins):
        wanted = stand_ins
    # A stable sort: what neither is held nor stands before others in the order comes as it is ranked.
    preferred = sorted(
        wanted, key=lambda each: (_key(each) not in young, each.rank[0], _key(each) not in held)
    )
    chosen = {_key(each) for each in preferred[: role.most]}
    return [each for each in wanted if _key(each) in chosen]


def _improves(role: Wanted, each: Candidate, chosen: Sequence[Candidate]) -> bool:
    """Whether something refused would take a place if only it fitted."""
    if role.most is None or len(chosen) < role.most:
        return True
    return any((not each.cost and other.cost) or each.rank[0] < other.rank[0] for other in chosen)


def _bound(role: Wanted, each: Candidate, held: dict[tuple[str, str], Binding], now: int) -> Binding:
    return Binding(
        role=role.name,
        thing=each.thing,
        affordance=each.affordance,
        kind=each.kind,
        unit=each.unit,
        accuracy=each.accuracy,
        opposite=each.opposite,
        how=each.how,
        cost=each.cost,
        form=each.form,
        reason=each.reason,
        since=held[key].since if (key := _key(each)) in held else now,
    )


def _lacks(role: Wanted, absent: Sequence[Candidate], chosen: Sequence[Candidate]) -> list[str]:
    loss = f"; meanwhile: {role.loss}" if role.loss else ""
    away = [f"{role.name}: {each.title} ({each.affordance}): {each.refusal}{loss}" for each in absent]
    stands_in = [each for each in chosen if each.cost]
    return away + [
        f"{role.name}: {each.title} ({each.affordance}) stands in: {each.cost}" for each in stands_in
    ]


def _explain(role: Wanted, got: int, refused: Sequence[Candidate]) -> str:
    count = f"{role.least - got} more of " if got else ""
    return f"{role.name}: {count}{role}" + _because(refused)


def _because(refused: Sequence[Candidate]) -> str:
    if not refused:
        return ""
    # Roles of one group may turn down the same affordance for the same reason.
    told = list(dict.fromkeys(f"{each.title} ({each.affordance}): {each.refusal}" for each in refused))
    more = f"; and {len(told) - _REASONS} others" if len(told) > _REASONS else ""
    return f" (turned down: {'; '.join(told[:_REASONS])}{more})"


def _key(each: Candidate) -> tuple[str, str]:
    return each.thing, each.affordance
