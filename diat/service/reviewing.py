"""Looking again, every few seconds, where steps had better run, and moving them if it is worth it."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Protocol

from msgspec import Struct

from diat.cvol.composite import Binding, Composite
from diat.cvol.placement.building import Facts, Rate, build, portions_of
from diat.cvol.placement.costing import Bill, bill
from diat.cvol.placement.measuring import Came, Lived, live
from diat.cvol.placement.predicting import Flow, Predicted, predict
from diat.cvol.placement.problem import Problem, Tier
from diat.cvol.placement.solving import place
from diat.cvol.placement.splitting import split, with_portions
from diat.cvol.steps.parts import TOLD
from diat.cvol.steps.windows import Window
from diat.kernel.clock import Clock
from diat.kernel.errors import DiatError
from diat.security.decision import Decider
from diat.security.principal import Grant, Principal
from diat.service.placing import HERE, Placing, Placings, part_id
from diat.vol.journal import RESERVED
from diat.vol.layer import VirtualObjectLayer
from diat.vol.recorded import Record
from diat.vol.targets import target_of

_LOG = logging.getLogger("diat.placement")
Submit = Callable[[Callable[[], Any]], Future[Any]]
EVERY = 3.0
"""Seconds between two looks."""
LOOKS_BACK = 600.0
"""Seconds over which rates are taken."""
SETTLES = 20_000
"""Milliseconds for which steps stay where they are after a move."""
MEASURES = 60.0
"""Seconds for which the steps of a service are measured before it moves first."""
WORTH = 0.8
"""Share of the present cost that another placement may have at most to be worth a move."""
LEAST = 2_000.0
"""Cost in an hour that has to be saved for it."""
HOUR = 3_600_000
ABOVE = Principal(kind="daemon", name="above", grants=(Grant(role="engineer"),))


class Beat:
    """Does something beside and then something within the writer, every few seconds."""

    def __init__(
        self,
        submit: Submit,
        within: Callable[[], Any],
        beside: Callable[[], Any] = lambda: None,
        every: float = EVERY,
    ) -> None:
        """``submit`` runs a change in the writer."""
        self._submit, self._within, self._beside, self._every = submit, within, beside, every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="diat-placement")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._every):
            try:
                self._beside()
                self._submit(self._within).result()
            except DiatError as error:
                _LOG.warning("where steps run could not be looked at: %s", error)
            except Exception:  # noqa: BLE001 - the next look may find what this one could not
                if not self._over.is_set():
                    _LOG.exception("where steps run could not be looked at")


class Has(Protocol):
    """What a review looks at; the daemon."""

    things: VirtualObjectLayer
    record: Record
    clock: Clock
    decider: Decider


Key = tuple[str, str]
"""Name of a thing in topics, and an affordance of it."""
_LINE: Key = ("", "")


class Seen(Struct, frozen=True):
    """What had come at a gateway by a time, as bytes and messages.

    Attributes:
        by: all of it, whether it travelled or not.
        up: what travelled.
        total: over the line upward, with all that is of no thing.
        down: over the line downward.
    """

    at: int
    by: dict[Key, tuple[float, int]]
    up: dict[Key, tuple[float, int]]
    total: tuple[float, int]
    down: tuple[float, int]


class Used(Struct, frozen=True, kw_only=True):
    """What a service has a line carry in an hour, as measured.

    Attributes:
        bytes: what travels for it; of what several services need, its share.
        above: what would, were everything in the core.
        steps: step of a part, or role that is read, to its share.
    """

    bytes: float
    messages: float
    above: float
    steps: dict[str, float]


class Link(Struct, frozen=True, kw_only=True):
    """A line over the last minutes, in an hour.

    Attributes:
        seconds: over how long it was measured.
        services: composite to what it uses.
    """

    seconds: float
    up: Rate
    down: Rate
    services: dict[str, Used]


class Proposal(Struct, frozen=True, kw_only=True):
    """Where the steps of a composite had better run.

    Attributes:
        where: step to tier.
        portions: steps made of portions.
        bill: what that costs.
        above: what it costs with everything here.
        predicted: over each line in an hour, by gateway.
        all_above: the same with everything here.
    """

    problem: Problem
    where: dict[str, str]
    portions: dict[str, tuple[str, ...]]
    bill: Bill
    above: Bill
    predicted: dict[str, Predicted]
    all_above: dict[str, Predicted]


class Reviewer:
    """Knows rates, proposes placements; used by any thread, one at a time."""

    def __init__(self, daemon: Has, placings: Placings) -> None:
        """``placings`` carries out what is found to be better."""
        self._daemon = daemon
        self._placings = placings
        self._seen: dict[str, deque[Seen]] = {}
        self._lived: dict[str, Lived] = {}
        self._first: dict[str, int] = {}
        self._lock = threading.Lock()

    # --- every few seconds ---

    def look(self, *, moves: bool = True) -> list[Callable[[], None]]:
        """Take figures down, and answer with the moves that are worth it, to be made within the writer.

        Without ``moves`` there are none, but what would be better is measured all the same.
        """
        with self._lock:
            self._count()
            if not self._seen:
                return []
            if not moves:
                for composite in self._placings.everything():
                    self._measure(composite, self._placings.bindings(composite.id))
                return []
            found: list[Callable[[], None]] = []
            for composite in self._placings.everything():
                move = self._better(composite)
                if move is not None:
                    found.append(move)
            return found

    def _count(self) -> None:
        now, tiers = self._daemon.clock(), self._daemon.things.tiers
        for gateway in tiers.gateways():
            traffic = tiers.traffic(gateway.name)
            up = {key: (flow.bytes, flow.messages) for key, flow in list(traffic.ups.items())}
            by = dict(up)
            for key, flow in list(traffic.untold.items()):
                size, messages = by.get(key, (0.0, 0))
                by[key] = (size + flow.bytes, messages + flow.messages)
            seen = self._seen.setdefault(gateway.name, deque(maxlen=int(LOOKS_BACK / EVERY)))
            if seen and any(by.get(key, (0, 0))[1] < count for key, (_, count) in seen[-1].by.items()):
                seen.clear()  # it was started again and counts anew
            total = (traffic.up.bytes, traffic.up.messages)
            seen.append(Seen(now, by, up, total, (traffic.down.bytes, traffic.down.messages)))

    def _better(self, composite: Composite) -> Callable[[], None] | None:
        _, placing = self._placings.committed(composite.id)
        if composite.paused or placing.phase != "rests" or self._daemon.clock() - placing.since < SETTLES:
            return None
        if any(each.error is not None for each in placing.told.values()):
            return None
        bound = self._placings.bindings(composite.id)
        self._measure(composite, bound)
        since = self._first.setdefault(composite.id, self._daemon.clock())
        if not placing.where and self._daemon.clock() - since < MEASURES * 1000:
            return None  # soon more is known of it
        try:
            made = self.propose(composite, bound, placing.portions)
        except ValueError:
            return None
        if made is None:
            return None
        where = {step: tier for step, tier in made.where.items() if tier != HERE}
        now = {step: tier for step, tier in placing.where.items() if tier != HERE}
        if where == now:
            return None
        present = {node.name: now.get(node.name, HERE) for node in made.problem.nodes}
        before = bill(made.problem, present).total
        if made.bill.total > before * WORTH or made.bill.total > before - LEAST:
            return None
        predicted = {name: each.bytes for name, each in made.predicted.items()}
        above = {name: each.bytes for name, each in made.all_above.items()}
        return lambda: self._placings.want(composite.id, where, made.portions, predicted, above)

    def link(self, gateway: str, since: int = 0) -> Link | None:
        """A line as measured, from a time on at the earliest; None if it was not looked at twice."""
        seen = [each for each in list(self._seen.get(gateway, ())) if each.at >= since]
        if len(seen) < 2:
            return None
        first, last = seen[0], seen[-1]
        hours = (last.at - first.at) / HOUR
        wanted, readers = self._uses(gateway)
        up, line = (
            _rate(last.total, first.total, hours),
            _rate(last.up.get(_LINE), first.up.get(_LINE), hours),
        )
        # What frames have of their own belongs to what is in them.
        whole = up.bytes / (up.bytes - line.bytes) if up.bytes > line.bytes else 1.0
        used: dict[str, dict[str, Rate]] = {}
        for key, users in readers.items():
            went = _rate(last.up.get(key), first.up.get(key), hours)
            went = Rate(went.messages, went.bytes * whole)
            for composite, what in users:
                known = used.setdefault(composite, {}).get(what, Rate(0.0, 0.0))
                used[composite][what] = Rate(
                    known.messages + went.messages / len(users), known.bytes + went.bytes / len(users)
                )
        # Of what did not travel the messages are counted; what they would have taken, frames of them say.
        keys = {key: thing for found in wanted.values() for key, thing in found.items()}
        comes = {key: _rate(last.by.get(key), first.by.get(key), hours).messages for key in keys}
        flows = [
            Flow(name=key[0], values=self._values(thing, key[1]), hourly=comes[key])
            for key, thing in keys.items()
        ]
        above = predict(gateway, flows).by
        shares = Counter(key[0] for found in wanted.values() for key in found)
        services = {
            composite: Used(
                bytes=sum(each.bytes for each in used.get(composite, {}).values()),
                messages=sum(each.messages for each in used.get(composite, {}).values()),
                above=sum(above.get(key[0], 0.0) / shares[key[0]] for key in found),
                steps={what: each.bytes for what, each in used.get(composite, {}).items()},
            )
            for composite, found in wanted.items()
        }
        return Link(
            seconds=(last.at - first.at) / 1000,
            up=up,
            down=_rate(last.down, first.down, hours),
            services=services,
        )

    def _uses(self, gateway: str) -> tuple[dict[str, dict[Key, str]], dict[Key, list[tuple[str, str]]]]:
        """What composites read of a gateway's things, and what of it travels for whom, and as what."""
        wanted: dict[str, dict[Key, str]] = {}
        readers: dict[Key, list[tuple[str, str]]] = {}
        for composite in self._placings.everything():
            _, placing = self._placings.committed(composite.id)
            read = {role for role, _ in self._read_here(composite, placing)}
            for each in self._placings.bindings(composite.id):
                drives = composite.roles[each.role].drives
                if drives or self._daemon.things.tiers.gateway_of(each.thing) != gateway:
                    continue
                key = self._wire(each.thing), each.affordance
                wanted.setdefault(composite.id, {})[key] = each.thing
                if each.role in read:
                    readers.setdefault(key, []).append((composite.id, each.role))
            if gateway in placing.told:
                part = part_id(composite.id, gateway)
                readers.setdefault((part, TOLD), []).append((composite.id, part))
        return wanted, readers

    def looks(self, gateway: str) -> list[Seen]:
        """What was seen of a gateway of late, oldest first."""
        return list(self._seen.get(gateway, ()))

    def settled(self) -> int:
        """Since when no service has moved, Unix milliseconds."""
        known = [self._placings.committed(each.id)[1].since for each in self._placings.everything()]
        return max(known, default=0)

    def joint(self, gateway: str) -> Predicted:
        """What all services together are expected to make travel over a line in an hour."""
        flows: dict[str, Flow] = {}
        for composite in self._placings.everything():
            _, placing = self._placings.committed(composite.id)
            bound = self._placings.bindings(composite.id)
            for each in self.flows(composite, bound, placing.where, placing.portions).get(gateway, []):
                what = next(iter(each.values[0]), "") if each.values else ""
                key = f"{each.name} {what}" if what != TOLD else f"{each.name} {len(flows)}"
                known = flows.get(key)
                if known is None or known.hourly < each.hourly:
                    flows[key] = each
        return predict(gateway, list(flows.values()))

    def _read_here(self, composite: Composite, placing: Placing) -> list[tuple[str, str]]:
        """The roles that are read by steps here."""
        parts = split(
            with_portions(composite, placing.portions),
            placing.where,
            HERE,
            lambda tier: part_id(composite.id, tier),
        ).by_tier
        return [(role.name.partition("@")[0], role.name) for role in parts[HERE].roles.values()]

    # --- what is better ---

    def propose(
        self,
        composite: Composite,
        bindings: Iterable[Binding],
        portions: dict[str, tuple[str, ...]] | None = None,
    ) -> Proposal | None:
        """Where its steps had better run; None where there is but one tier for them.

        Raises:
            ValueError: something must not leave where it is and is needed elsewhere.
        """
        bound = list(bindings)
        tiers = self._daemon.things.tiers
        below = {tiers.gateway_of(each.thing) for each in bound} - {None}
        if not below:
            return None
        facts = self._facts(composite, bound, {str(each) for each in below})
        portions = portions or portions_of(composite, bound, facts, HERE)
        problem = build(composite, bound, facts, HERE, portions)
        placed = place(problem)
        kept = {
            step: made
            for step, made in portions.items()
            if all(placed.where.get(f"{step}@{tier}") == tier for tier in made)
        }
        if kept != portions:
            portions = kept
            problem = build(composite, bound, facts, HERE, portions)
            placed = place(problem)
        whole = {node.name: HERE for node in problem.nodes}
        return Proposal(
            problem=problem,
            where={step: tier for step, tier in placed.where.items() if step != "(said)"},
            portions=portions,
            bill=placed.bill,
            above=bill(problem, whole),
            predicted=self.predicted(composite, bound, placed.where, portions),
            all_above=self.predicted(composite, bound, {}, {}),
        )

    def predicted(
        self,
        composite: Composite,
        bindings: Iterable[Binding],
        where: dict[str, str],
        portions: dict[str, tuple[str, ...]],
    ) -> dict[str, Predicted]:
        """What a composite makes travel over each line in an hour if its steps run there."""
        flows = self.flows(composite, bindings, where, portions)
        return {gateway: predict(gateway, each) for gateway, each in flows.items()}

    def flows(
        self,
        composite: Composite,
        bindings: Iterable[Binding],
        where: dict[str, str],
        portions: dict[str, tuple[str, ...]],
    ) -> dict[str, list[Flow]]:
        """What of a composite travels over each line."""
        tiers = self._daemon.things.tiers
        bound = list(bindings)
        gateways = {str(gateway) for each in bound if (gateway := tiers.gateway_of(each.thing))}
        parts = split(
            with_portions(composite, portions), where, HERE, lambda tier: part_id(composite.id, tier)
        ).by_tier
        found: dict[str, list[Flow]] = {gateway: [] for gateway in gateways}
        here = set(parts[HERE].roles)
        raw: dict[tuple[str, str], list[str]] = {}
        for each in bound:
            gateway = tiers.gateway_of(each.thing)
            if gateway is not None and each.role in here and composite.roles[each.role].capability == "read":
                raw.setdefault((gateway, each.thing), []).append(each.affordance)
        for (gateway, thing), names in raw.items():
            values = [
                {name: said for name, said in came.values.items() if name in names}
                for came in self._recent(thing)
            ]
            rate = max((self._rate(thing, name).messages for name in names), default=0.0)
            wire = self._wire(thing)
            found[gateway].append(Flow(name=wire, values=[each for each in values if each], hourly=rate))
        lived = self._lived.get(composite.id)
        for tier, part in parts.items():
            if tier == HERE or lived is None or lived.seconds <= 0:
                continue
            for step in part.tells:
                said = lived.said.get(step.partition("@")[0], [])
                # What it began with was said once.
                hourly = max(0, len(said) - 1) / lived.seconds * 3600 * self._pace(bound, lived)
                periodic = _periodic(composite, step)
                stale = [[step]] if periodic is not None else []
                found.setdefault(tier, []).append(
                    Flow(
                        name=part.id,
                        values=[{TOLD: [{step: value}, *stale]} for value in said],
                        hourly=periodic or hourly,
                        together=periodic is not None,
                    )
                )
        return found

    # --- within ---

    def _pace(self, bound: list[Binding], lived: Lived) -> float:
        """By how much more comes by now than did when it was measured."""
        comes = {each.key: self._rate(each.thing, each.affordance).messages for each in bound}
        now = sum(rate for rate in comes.values())
        then = lived.came / lived.seconds * 3600
        return now / then if now > 0 and then > 0 else 1.0

    def _facts(self, composite: Composite, bound: list[Binding], below: set[str]) -> Facts:
        self._measure(composite, bound)
        lived = self._lived.get(composite.id)
        out = {}
        if lived is not None and lived.came >= 20:
            out = {step: len(said) / lived.came for step, said in lived.said.items()}
        tiers = self._daemon.things.tiers
        objects = self._daemon.things.registry.objects.committed

        def within(thing: str, affordance: str) -> str | None:
            each = objects.get(thing)
            if each is None:
                return None
            decided = self._daemon.decider.use(
                ABOVE, "send-up", target_of(each, affordance), self._daemon.clock()
            )
            return tiers.gateway_of(thing) if decided.effect == "deny" else None

        comes: dict[str, float] = {}
        for each in bound:
            comes[each.key] = self._rate(each.thing, each.affordance).messages
        total = sum(comes.values())
        scaled = {step: self._relative(composite, step, share, total) for step, share in out.items()}
        found = [Tier(name=HERE), *(Tier(name=name, above=HERE) for name in sorted(below))]
        return Facts(
            tiers=tuple(found),
            tier=lambda thing: tiers.gateway_of(thing) or HERE,
            rate=self._rate,
            within=within,
            out=scaled,
        )

    def _relative(self, composite: Composite, step: str, share: float, total: float) -> float:
        """Of what goes into a step; measured was of all that came."""
        wire = next(wire for wire in composite.wires if wire.step.id == step)
        if wire.sources and not wire.role:
            before = [self._lived[composite.id].said.get(source, []) for _, source in wire.sources]
            goes_in = sum(len(each) for each in before)
            return len(self._lived[composite.id].said[step]) / goes_in if goes_in else share
        return share

    def _measure(self, composite: Composite, bound: list[Binding]) -> None:
        """Run its steps over what came within the last hour, where enough of it is here."""
        things = {each.thing for each in bound if not composite.roles[each.role].drives}
        record, now = self._daemon.record, self._daemon.clock()
        numbers = {}
        for thing in things:
            known = self._daemon.things.registry.record(thing)
            if known is not None:
                numbers[known.no] = thing
        start = record.position_at(now - HOUR)
        if start is None or not numbers:
            return
        came = [
            Came(
                numbers[row.thing],
                row.data if not row.name else {row.name: row.data},
                row.observed,
                row.received,
            )
            for row in record.rows(set(numbers), start)
            if not row.name.startswith(RESERVED) and isinstance(row.data, dict)
        ][-3000:]
        lived = live(composite, bound, came)
        known_so_far = self._lived.get(composite.id)
        if known_so_far is None or (lived.came >= 20 and lived.came >= known_so_far.came / 2):
            self._lived[composite.id] = lived

    def _rate(self, thing: str, affordance: str) -> Rate:
        gateway, wire = self._daemon.things.tiers.gateway_of(thing), self._wire(thing)
        seen = self._seen.get(gateway or "")
        if not seen or len(seen) < 2 or seen[-1].at == seen[0].at:
            return Rate(0.0, 0.0)
        size, messages = seen[-1].by.get((wire, affordance), (0.0, 0))
        before_size, before = seen[0].by.get((wire, affordance), (0.0, 0))
        hours = (seen[-1].at - seen[0].at) / HOUR
        return Rate(max(0, messages - before) / hours, max(0.0, size - before_size) / hours)

    def _wire(self, thing: str) -> str:
        each = self._daemon.things.registry.objects.committed.get(thing)
        return each.wire if each is not None and each.wire else thing.rpartition(":")[2]

    def _values(self, thing: str, affordance: str) -> list[dict[str, Any]]:
        """What a property said of late, as far as that is known here."""
        found = [
            {affordance: came.values[affordance]} for came in self._recent(thing) if affordance in came.values
        ]
        return found or [{affordance: 0.5}]

    def _recent(self, thing: str) -> list[Came]:
        known = self._daemon.things.registry.record(thing)
        start = self._daemon.record.position_at(self._daemon.clock() - HOUR)
        if known is None or start is None:
            return []
        rows = [row for row in self._daemon.record.rows({known.no}, start) if not row.name][-50:]
        return [Came(thing, row.data, row.observed, row.received) for row in rows]


def _rate(now: tuple[float, int] | None, before: tuple[float, int] | None, hours: float) -> Rate:
    """What was added within some hours, as bytes and messages, in one."""
    size, count = now or (0.0, 0)
    size_before, count_before = before or (0.0, 0)
    return Rate(max(0, count - count_before) / hours, max(0.0, size - size_before) / hours)


def _periodic(composite: Composite, name: str) -> float | None:
    """How often in an hour a step says something by the clock alone; None if it does not."""
    step = next((each for each in composite.steps if each.id == name), None)
    if isinstance(step, Window) and step.kind in ("tumbling", "hopping"):
        return 3600 / (step.every or step.size or 1)
    return None
