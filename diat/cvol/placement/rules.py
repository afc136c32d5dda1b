"""From what is needed of a role to the rule for a property that fills it.

Edges are carried over into the property's unit to the last bit. A thing that counts in single precision, or
does not say how it counts, gets those that it knows exactly; short decimals, that is.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Sequence

from diat.cvol.composite import Binding
from diat.cvol.matching import freshness
from diat.cvol.placement.needs import CHANGES, Need, before
from diat.cvol.wanted import Wanted
from diat.vol.pushdown import Rule
from diat.vol.thing import Property
from diat.wot.units import converter

SHARE = 0.25
"""Of the time for which a reading is fresh, what may pass until the next one is sent."""
_DAY = 86_400.0


def silence(role: Wanted, prop: Property, keep: float) -> float:
    """Seconds after which a value is wanted whatever it is."""
    seconds = min(keep, freshness(role, prop) * SHARE, _DAY)
    return float(math.floor(seconds)) if seconds >= 10 else seconds


def rule(
    need: Need,
    role: Wanted,
    binding: Binding,
    prop: Property,
    takes: Collection[str],
    *,
    every: float,
    exact: bool,
    newest: float | None = None,
) -> Rule:
    """The rule by which as little is sent as is needed; empty where it has to be every reading.

    Args:
        need: what is needed of the role.
        role: what the property fills.
        binding: how it fills it.
        prop: the property.
        takes: the steps that the thing takes.
        every: seconds after which a value is wanted whatever it is.
        exact: whether the thing counts in double precision.
        newest: the property's last value: of many edges those around it are the quiet ones.
    """
    if need.much == "every" or binding.form is not None or binding.kind != "property" or prop.writable:
        return Rule()
    if need.much == "edges":
        found = _edged(need, role, binding, prop, every, exact, newest)
        if found is not None and set(found.steps()) <= set(takes):
            return found
        need = CHANGES
    found = Rule(delta=0.0, silence=every) if need == CHANGES else Rule(silence=every)
    return found if set(found.steps()) <= set(takes) else Rule()


def _edged(
    need: Need,
    role: Wanted,
    binding: Binding,
    prop: Property,
    every: float,
    exact: bool,
    newest: float | None,
) -> Rule | None:
    if not need.edges:
        return Rule(silence=every)
    if not prop.numeric:
        return None
    at = sorted(before(_carried(role, binding), need.edges))
    if len(at) == 1:
        low = Rule(below=at[0], every=every, delta=0.0, silence=every)
        high = Rule(above=_under(at[0]), every=every, delta=0.0, silence=every)
        return next((each for each in (low, high) if known_exactly(each)), low if exact else None)
    if len(at) == 2:
        found = Rule(below=at[0], above=_under(at[1]), every=every, delta=0.0, silence=every)
        return found if exact or known_exactly(found) else None
    # Beyond the quiet ones each change goes, and so whatever edge it passes there.
    quiet = [
        Rule(below=low, above=_under(high), delta=0.0, silence=every) for low, high in itertools.pairwise(at)
    ]
    sure = [each for each in quiet if exact or known_exactly(each)]
    return min(sure, key=lambda each: _apart(each, newest, at), default=None)


def _apart(each: Rule, newest: float | None, at: Sequence[float]) -> tuple[float, float]:
    """How far the quiet part is from a value, and then how narrow it is."""
    low, high = float(each.below), float(each.above)  # type: ignore[arg-type]
    value = newest if newest is not None else (at[0] + at[-1]) / 2
    return max(low - value, value - high, 0.0), low - high


def known_exactly(each: Rule) -> bool:
    """Whether its limits are the same numbers in single precision: decimals of six digits at most."""
    limits = [limit for step, limit in each.steps().items() if step in ("above", "below")]
    return all(float(f"{limit:.6g}") == limit for limit in limits)


def _carried(role: Wanted, binding: Binding) -> Callable[[float], float]:
    """A property's value as the role has it."""
    unit = role.unit or binding.unit
    convert = converter(binding.unit, unit, role.quantity) if binding.unit and unit else None
    if role.type != "number" or convert is None:
        return lambda value: value
    return convert


def _under(edge: float) -> float:
    return math.nextafter(edge, -math.inf)
