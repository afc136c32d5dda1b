"""From a composite at work to what there is to decide: what it reads where, how much, what comes out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import msgspec
from msgspec import Struct

from diat.cvol.composite import Binding, Composite
from diat.cvol.placement.problem import Node, Problem, Source, Tier
from diat.cvol.placement.splitting import everywhere, portion, portionable, roles_of, with_portions
from diat.cvol.steps import Step
from diat.cvol.steps.effects import Webhook
from diat.cvol.steps.expressions import Filter
from diat.cvol.steps.sources import Latest
from diat.cvol.steps.switching import Deadband, Debounce, RateLimit
from diat.cvol.steps.windows import Window
from diat.cvol.steps.wiring import Wire

SAID = "(said)"
"""Stands for what a service says of itself, where it is."""
PASSING = (Latest, Filter, RateLimit, Deadband, Debounce)
"""Steps that say what they work on, if they say anything."""
OUT = {"nothing": 1.0, "some": 0.5, "much": 0.1}
"""Messages that come out of a step for each that goes in, if nobody has measured it."""
COMMAND = 200.0
"""Bytes of a command with its answer."""
HOUR = 3600.0


class Rate(Struct, frozen=True):
    """How much travels in an hour if it does."""

    messages: float
    bytes: float


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of where things are and how much they say.

    Attributes:
        tiers: those there are; one tree.
        tier: thing to its tier.
        rate: thing and affordance to what it would be on the line.
        within: thing and affordance to the highest tier that it may go to; None for any.
        out: step to messages that came out of it for each that went in, as measured.
        size: bytes on the line of a message of a part.
        cpu: step to seconds of CPU for each message that goes in, as measured.
        memory: step to bytes that it takes, as measured.
        shown: thing and affordance to what people call it.
    """

    tiers: tuple[Tier, ...]
    tier: Callable[[str], str]
    rate: Callable[[str, str], Rate]
    within: Callable[[str, str], str | None] = lambda thing, affordance: None
    out: Mapping[str, float] = {}
    size: float = 120.0
    cpu: Mapping[str, float] = {}
    memory: Mapping[str, float] = {}
    shown: Callable[[str, str], str] = lambda thing, affordance: f"{affordance} of {thing}"


def portions_of(
    composite: Composite, bindings: Iterable[Binding], facts: Facts, root: str
) -> dict[str, tuple[str, ...]]:
    """The steps that could be made of portions, for what fills their roles is beside several tiers."""
    found = {}
    bound = list(bindings)
    for step, role in portionable(composite).items():
        tiers = dict.fromkeys(facts.tier(each.thing) for each in bound if each.role == role)
        below = [tier for tier in tiers if tier != root]
        if len(tiers) > 1 and below:
            found[step] = (*below, root)
    return found


def build(
    composite: Composite,
    bindings: Iterable[Binding],
    facts: Facts,
    root: str,
    portions: Mapping[str, tuple[str, ...]] | None = None,
) -> Problem:
    """What there is to decide.

    Args:
        composite: the whole.
        bindings: what fills its roles.
        facts: what is known.
        root: the tier that the service is at.
        portions: steps that are made of portions, with the tiers that make one, the last one the root.
    """
    made = with_portions(composite, portions or {})
    bound = _bound(composite, made, bindings, facts, portions or {})
    groups: dict[tuple[str, str], list[Binding]] = {}
    readers: dict[str, set[str]] = {}
    anywhere = everywhere(made)
    for wire in made.wires:
        for role in roles_of(wire) if wire.step.takes != "drive" else ():
            for each in bound.get(role, ()):
                readers.setdefault(each.key, set()).add(wire.step.id)
    for role, found in bound.items():
        if not made.roles[role].drives:
            for each in found:
                groups.setdefault((role, facts.tier(each.thing)), []).append(each)
    sources, seen = [], set[str]()
    for (role, tier), found in groups.items():
        rates = [facts.rate(each.thing, each.affordance) for each in found if each.key not in seen]
        seen |= {each.key for each in found}
        highest = [facts.within(each.thing, each.affordance) for each in found]
        kept = [each for each, most in zip(found, highest, strict=True) if most is not None]
        sources.append(
            Source(
                name=f"{role} of {tier}",
                tier=tier,
                bytes=sum(each.bytes for each in rates),
                messages=sum(each.messages for each in rates),
                within=next((each for each in highest if each is not None), None),
                what=facts.shown(kept[0].thing, kept[0].affordance) if kept else "",
            )
        )
    by_role: dict[str, list[Source]] = {}
    for (role, _), source in zip(groups, sources, strict=True):
        by_role.setdefault(role, []).append(source)
    messages = {each.name: each.messages for each in sources}
    nodes = []
    for wire in made.wires:
        if wire.step.id in anywhere:
            continue
        node = _node(wire, made, bound, by_role, anywhere, messages, facts)
        messages[node.name] = node.messages
        nodes.append(node)
    said = {each.from_ for each in made.derives.values()} | {each.from_ for each in made.emits.values()}
    said |= {step.id for step in made.webhooks}
    needs = tuple(node.name for node in nodes if node.name in said)
    if needs:
        nodes.append(Node(name=SAID, needs=needs, at=root))
    pairs = {
        (a, b) for names in readers.values() for a in names for b in names if a < b and a not in anywhere
    }
    return Problem(
        tiers=facts.tiers, sources=tuple(sources), nodes=tuple(nodes), together=tuple(sorted(pairs))
    )


def _node(
    wire: Wire,
    composite: Composite,
    bound: Mapping[str, list[Binding]],
    sources: Mapping[str, list[Source]],
    anywhere: Iterable[str],
    messages: Mapping[str, float],
    facts: Facts,
) -> Node:
    step = wire.step
    needs = [each.name for role in roles_of(wire) for each in sources.get(role, ())]
    needs += [source for _, source in wire.sources if source not in anywhere]
    needs = list(dict.fromkeys(needs))
    comes = sum(messages[name] for name in needs)
    goes = _out(step, comes, facts)
    # What has anything to do with what is driven must know whether it is there.
    others = [each for role in roles_of(wire) for each in bound.get(role, ()) if composite.roles[role].drives]
    tiers = dict.fromkeys(facts.tier(each.thing) for each in others)
    drives = step.takes == "drive"
    return Node(
        name=step.id,
        needs=tuple(needs),
        messages=goes,
        bytes=goes * facts.size,
        drives=tuple((tier, goes * COMMAND) for tier in tiers) if drives else (),
        beside=() if drives else tuple(tiers),
        at=facts.tiers[0].name if isinstance(step, Webhook) else None,
        cpu=comes * facts.cpu.get(step.id, 0.0),
        memory=facts.memory.get(step.id, 0.0),
        within=math.inf if composite.latency is None else composite.latency,
        passes=isinstance(step, PASSING),
    )


def _out(step: Step, comes: float, facts: Facts) -> float:
    """Messages that come out of a step in an hour."""
    if step.id in facts.out:
        return comes * facts.out[step.id]
    if isinstance(step, Window):
        if step.kind == "count":
            return comes / (step.size or 1)
        if step.kind in ("tumbling", "hopping"):
            return min(comes, HOUR / (step.every or step.size or 1))
        if step.kind == "session":
            return min(comes, HOUR / (step.gap or 1))
    return comes * OUT[step.reduces]


def _bound(
    composite: Composite,
    made: Composite,
    bindings: Iterable[Binding],
    facts: Facts,
    portions: Mapping[str, tuple[str, ...]],
) -> dict[str, list[Binding]]:
    found: dict[str, list[Binding]] = {role: [] for role in made.roles}
    tiers_of = {role: portions[step] for step, role in portionable(composite).items() if step in portions}
    for each in bindings:
        if each.role in found:
            found[each.role].append(each)
        for at, tier in enumerate(tiers_of.get(each.role, ())):
            here = facts.tier(each.thing)
            last = at == len(tiers_of[each.role]) - 1
            if here == tier or (last and here not in tiers_of[each.role]):
                name = portion(each.role, tier)
                found[name].append(msgspec.structs.replace(each, role=name))
    return found
