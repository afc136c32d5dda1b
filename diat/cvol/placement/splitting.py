"""From a composite and where its steps run to the parts of it, each a composite of its own.

What a step needs that runs further down it hears from the part there (``diat.cvol.steps.parts``). A step that
rests on nothing but the time and the service's settings runs in each part that needs it: it says the same
there. A value of a role that is filled beside several gateways may be made of portions; then each gateway has
a step for its own, and the step itself puts them together.

Invariant: fed with the same, the parts together say and drive what the composite does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

import msgspec
from msgspec import Struct

from diat.cvol.composite import Composite, own_thing
from diat.cvol.steps import SHIPPED, Step
from diat.cvol.steps.effects import Drive, Webhook
from diat.cvol.steps.parts import TOLD, Heard, HeardPulse, Portion, Whole, portioned
from diat.cvol.steps.patterns import Join
from diat.cvol.steps.windows import Window
from diat.cvol.steps.wiring import Wire
from diat.cvol.wanted import Wanted

PART_OF = "part of "
"""How the role of a part begins, in the part above it."""


class Parts(Struct, frozen=True, kw_only=True):
    """The parts of a composite.

    Attributes:
        by_tier: tier to what runs there; the root's is always there, others only where something runs.
        hears: tier to the tiers whose parts it is told by.
    """

    by_tier: dict[str, Composite]
    hears: dict[str, tuple[str, ...]]


def everywhere(composite: Composite) -> frozenset[str]:
    """The steps that rest on nothing but the time and the settings, and so can run in every part."""
    found: set[str] = set()
    for wire in composite.wires:
        alone = not roles_of(wire) and all(source in found for _, source in wire.sources)
        if alone and not isinstance(wire.step, Drive | Webhook):
            found.add(wire.step.id)
    return frozenset(found)


def roles_of(wire: Wire) -> tuple[str, ...]:
    """The roles that a step reads, drives or must know to be filled."""
    named = (wire.role, getattr(wire.step, "against", None))
    return tuple(dict.fromkeys(role for role in named if role is not None))


def portion(step: str, tier: str) -> str:
    """The name of the step that makes a tier's portion of a value."""
    return f"{step}@{tier}"


def portionable(composite: Composite) -> dict[str, str]:
    """The steps that can be made of portions, each with its role; roles that any number may fill."""
    found = {}
    for wire in composite.wires:
        role = composite.roles.get(wire.role or "")
        if portioned(wire.step) is not None and role is not None and role.most is None:
            found[wire.step.id] = role.name
    return found


def with_portions(composite: Composite, portions: Mapping[str, Collection[str]]) -> Composite:
    """The same composite, with portions of some steps as steps of their own.

    Args:
        composite: the composite.
        portions: step to the tiers that make a portion of it; the last one has what all others leave.
    """
    if not portions:
        return composite
    steps: list[Step] = []
    roles = dict(composite.roles)
    for step in composite.steps:
        by = portioned(step)
        if step.id not in portions or by is None:
            steps.append(step)
            continue
        role = roles[step.role]  # type: ignore[attr-defined]
        *apart, rest = portions[step.id]
        for tier in (*apart, rest):
            name = portion(role.name, tier)
            left = tuple(apart) if tier == rest else ()
            roles[name] = msgspec.structs.replace(role, name=name, least=0, apart=left)
            steps.append(Portion(id=portion(step.id, tier), role=name, by=by))
        named = {tier: portion(step.id, tier) for tier in (*apart, rest)}
        steps.append(Whole(id=step.id, inputs=named, by=by))
    return msgspec.structs.replace(composite, steps=tuple(steps), roles=roles)


def split(
    composite: Composite,
    where: Mapping[str, str],
    root: str,
    name: Callable[[str], str],
    fixed: Mapping[str, object] | None = None,
) -> Parts:
    """Make the parts.

    Args:
        composite: what is to be split.
        where: step to tier; steps of ``everywhere`` need not be there.
        root: the tier that the service is at: its own thing and what it tells others stay there.
        name: tier to the id of the part there; of the root the composite's own.
        fixed: what the service's settings are, for parts elsewhere.
    """
    return _Splitting(composite, where, root, name, dict(fixed or {})).parts()


class _Splitting:
    def __init__(
        self,
        composite: Composite,
        where: Mapping[str, str],
        root: str,
        name: Callable[[str], str],
        fixed: dict[str, object],
    ) -> None:
        self._composite, self._root, self._name, self._fixed = composite, root, name, fixed
        self._anywhere = everywhere(composite)
        self._where = {step: tier for step, tier in where.items() if step not in self._anywhere}
        self._wires = {wire.step.id: wire for wire in composite.wires}
        self._counts_each = _counting(composite)
        self._told = {each.from_ for each in composite.derives.values()}
        self._told |= {each.from_ for each in composite.emits.values()}

    def parts(self) -> Parts:
        tiers = [self._root, *dict.fromkeys(self._where[s] for s in self._wires if s in self._where)]
        runs = {tier: self._needed(tier) for tier in dict.fromkeys(tiers)}
        hears = {
            tier: {step: self._where[step] for step in needed if self._where.get(step, tier) != tier}
            for tier, needed in runs.items()
        }
        made = {}
        for tier, needed in runs.items():
            tells = [step for step in needed if any(own.get(step) == tier for own in hears.values())]
            made[tier] = self._part(tier, needed, hears[tier], tells)
        return Parts(
            by_tier=made,
            hears={tier: tuple(dict.fromkeys(heard.values())) for tier, heard in hears.items()},
        )

    def _needed(self, tier: str) -> list[str]:
        """The steps of a tier's part, those included that it hears of, in the order in which they run."""
        wanted = {step for step, at in self._where.items() if at == tier}
        if tier == self._root:
            wanted |= self._told | {each.id for each in self._composite.webhooks}
        needed = set(wanted)
        for step in reversed(self._wires):
            if step in needed and self._where.get(step, tier) == tier:
                needed |= {source for _, source in self._wires[step].sources}
        return [step for step in self._wires if step in needed]

    def _part(self, tier: str, needed: list[str], hears: dict[str, str], tells: list[str]) -> Composite:
        whole = self._composite
        roles: dict[str, Wanted] = {}
        steps: list[Step] = []
        for step in needed:
            wire = self._wires[step]
            if step in hears:
                role = PART_OF + hears[step]
                roles[role] = _told_by(role, own_thing(self._name(hears[step])))
                steps.append((HeardPulse if wire.beats else Heard)(id=step, role=role))
            else:
                roles |= {role: whole.roles[role] for role in roles_of(wire)}
                steps.append(wire.step)
        if tier == self._root:
            # What no step uses may be required all the same.
            used = {role for wire in self._wires.values() for role in roles_of(wire)}
            roles |= {name: role for name, role in whole.roles.items() if name not in used}
        requires = tuple(group for group in whole.requires if set(group) <= roles.keys())
        here = tier == self._root
        settings = any(getattr(step, "property", None) is not None for step in steps)
        return msgspec.structs.replace(
            whole,
            id=self._name(tier),
            title=whole.title if here else f"{whole.title} (part)",
            roles=roles,
            requires=requires,
            steps=tuple(steps),
            derives=whole.derives if here else {},
            emits=whole.emits if here else {},
            settings=whole.settings if here else {},
            place=whole.place if here else "",
            tells=tuple(tells),
            each=frozenset(tells) & self._counts_each,
            fixed=self._fixed if settings and not here else {},
        )


def _counting(composite: Composite) -> frozenset[str]:
    """The steps behind which some step counts what comes, also if it is the same again."""
    found: set[str] = set()
    for wire in reversed(composite.wires):
        kind = type(wire.step)
        counts = isinstance(wire.step, Join) or (isinstance(wire.step, Window) and wire.input is not None)
        if counts or (kind not in SHIPPED.values() and kind not in _JOINING) or wire.step.id in found:
            found |= {source for _, source in wire.sources}
    return frozenset(found)


_JOINING: tuple[type[Step], ...] = (Heard, HeardPulse, Portion, Whole)


def _told_by(role: str, thing: str) -> Wanted:
    return Wanted(
        name=role,
        capability="read",
        quantities=(),
        place="",
        unit=None,
        type="any",
        freshness=10 * 366 * 86_400.0,
        least=0,
        most=1,
        composites=True,
        exact=(thing, TOLD),
    )


def steps_at(parts: Parts) -> Iterator[tuple[str, str]]:
    """Each step with each tier that it runs at."""
    for tier, part in parts.by_tier.items():
        for step in part.steps:
            if not isinstance(step, Heard):
                yield step.id, tier


def read_above(parts: Parts, root: str) -> Iterable[str]:
    """The roles that the root's part reads itself."""
    return [role.name for role in parts.by_tier[root].roles.values() if role.exact is None]
