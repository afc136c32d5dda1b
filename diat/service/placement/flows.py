"""What of services travels over each line, as it is expected if their steps run at given tiers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from diat.cvol.composite import Binding, Composite
from diat.cvol.placement.predicting import Flow, Predicted, predict
from diat.cvol.placement.splitting import split, with_portions
from diat.cvol.steps.parts import TOLD
from diat.cvol.steps.windows import Window
from diat.service.placement.lives import Lives
from diat.service.placement.placing import HERE, part_id
from diat.service.placement.placings import Placings
from diat.service.placement.rates import Has, Rates
from diat.service.placement.sparing import EVERYTHING, Sparing

Portions = Mapping[str, tuple[str, ...]]


class Flows:
    """Makes what would travel; used by one thread at a time."""

    def __init__(self, daemon: Has, placings: Placings, rates: Rates, lives: Lives, sparing: Sparing) -> None:
        """``rates``, ``lives`` and ``sparing`` are what it rests on."""
        self._daemon = daemon
        self._placings = placings
        self._rates = rates
        self._lives = lives
        self._sparing = sparing

    def predicted(
        self,
        composite: Composite,
        bindings: Iterable[Binding],
        where: Mapping[str, str],
        portions: Portions,
    ) -> dict[str, Predicted]:
        """What a composite makes travel over each line in an hour if its steps run there."""
        flows = self.of(composite, bindings, where, portions)
        return {gateway: predict(gateway, each) for gateway, each in flows.items()}

    def joint(self, gateway: str) -> Predicted:
        """What all services together are expected to make travel over a line in an hour."""
        flows: dict[str, Flow] = {}
        for composite in self._placings.everything():
            _, placing = self._placings.committed(composite.id)
            bound = self._placings.bindings(composite.id)
            flowing = self.of(composite, bound, placing.where, placing.portions, all_needs=True)
            for each in flowing.get(gateway, []):
                what = next(iter(each.values[0]), "") if each.values else ""
                key = f"{each.name} {what}" if what != TOLD else f"{each.name} {len(flows)}"
                known = flows.get(key)
                if known is None or known.hourly < each.hourly:
                    flows[key] = each
        return predict(gateway, list(flows.values()))

    def of(
        self,
        composite: Composite,
        bindings: Iterable[Binding],
        where: Mapping[str, str],
        portions: Portions,
        *,
        all_needs: bool = False,
    ) -> dict[str, list[Flow]]:
        """What of a composite travels over each line: what is read here, and what parts below tell.

        With ``all_needs`` of what is read as much as is asked for by all who read it.
        """
        bound = list(bindings)
        gateway_of = self._daemon.things.tiers.gateway_of
        gateways = {str(gateway) for each in bound if (gateway := gateway_of(each.thing))}
        found: dict[str, list[Flow]] = {gateway: [] for gateway in gateways}
        parts = split(
            with_portions(composite, portions), where, HERE, lambda tier: part_id(composite.id, tier)
        ).by_tier
        self._read(parts[HERE], bound, found, all_needs=all_needs)
        for tier, part in parts.items():
            if tier != HERE:
                found.setdefault(tier, []).extend(self._told(composite, bound, part))
        return found

    def _read(
        self, here: Composite, bound: list[Binding], found: dict[str, list[Flow]], *, all_needs: bool
    ) -> None:
        raw: dict[tuple[str, str], list[str]] = {}
        rules = self._sparing.rules(here, [each for each in bound if each.role in here.roles])
        for each in bound:
            gateway = self._daemon.things.tiers.gateway_of(each.thing)
            role = here.roles.get(each.role)
            if gateway is None or role is None or role.capability != "read":
                continue
            rule = rules.get(each.thing, {}).get(each.affordance, EVERYTHING)
            rule = self._sparing.told(each.thing, each.affordance, rule) if all_needs else rule
            if rule == EVERYTHING:
                raw.setdefault((gateway, each.thing), []).append(each.affordance)
                continue
            hourly = self._sparing.rate(each.thing, each.affordance, rule).messages
            values = self._lives.values(each.thing, each.affordance)
            found[gateway].append(Flow(name=self._rates.wire(each.thing), values=values, hourly=hourly))
        for (gateway, thing), names in raw.items():
            values = [
                {name: said for name, said in came.values.items() if name in names}
                for came in self._lives.recent(thing)
            ]
            rate = max((self._rates.of(thing, name).messages for name in names), default=0.0)
            wire = self._rates.wire(thing)
            found[gateway].append(Flow(name=wire, values=[each for each in values if each], hourly=rate))

    def _told(self, composite: Composite, bound: list[Binding], part: Composite) -> list[Flow]:
        lived = self._lives.of(composite.id)
        if lived is None or lived.seconds <= 0:
            return []
        found = []
        for step in part.tells:
            said = lived.said.get(step.partition("@")[0], [])
            # What it began with was said once.
            hourly = max(0, len(said) - 1) / lived.seconds * 3600 * self._lives.pace(composite, bound)
            periodic = _periodic(composite, step)
            stale = [[step]] if periodic is not None else []
            found.append(
                Flow(
                    name=part.id,
                    values=[{TOLD: [{step: value}, *stale]} for value in said],
                    hourly=periodic or hourly,
                    together=periodic is not None,
                )
            )
        return found


def _periodic(composite: Composite, name: str) -> float | None:
    """How often in an hour a step says something by the clock alone; None if it does not."""
    step = next((each for each in composite.steps if each.id == name), None)
    if isinstance(step, Window) and step.kind in ("tumbling", "hopping"):
        return 3600 / (step.every or step.size or 1)
    return None
