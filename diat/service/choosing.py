"""Choosing: which template reaches a goal best with what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from diat.cvol.composite import State
from diat.cvol.template import Template
from diat.kernel.errors import Invalid
from diat.service.goals import Asked
from diat.service.parameters import checked_parameters
from diat.service.service import Choice, Chosen
from diat.service.unifying import Unified, unify

_BEST_FIRST: tuple[State, ...] = ("running", "degraded", "waiting")
SHOWN = 10
"""Templates that were turned down and are told of."""


class Fit(Struct, frozen=True):
    """How well a service would do just now.

    Attributes:
        state: what it would be at once.
        missing: what is not there, a line each.
        reused: whether it is there already, for somebody else.
    """

    state: State
    missing: tuple[str, ...] = ()
    reused: bool = False


class Wanted(Struct, frozen=True, kw_only=True):
    """What a service is to be made from.

    Attributes:
        parameters: checked, with defaults.
        chosen: how the template was found; None if it was named.
    """

    template: Template
    parameters: dict[str, Any]
    chosen: Chosen | None = None


class _Candidate(Struct, frozen=True, kw_only=True):
    wanted: Wanted
    fit: Fit
    fixed: int
    order: int

    @property
    def rank(self) -> tuple[int, int, bool, int, int]:
        """Lower is better."""
        state = _BEST_FIRST.index(self.fit.state)
        return state, len(self.fit.missing), not self.fit.reused, -self.fixed, self.order


def choose(
    goal: Asked, templates: Iterable[Template], fit: Callable[[Template, dict[str, Any]], Fit]
) -> Wanted:
    """The template that reaches a goal best, and its parameters.

    Ranked by what it would be at once (running before degraded before waiting), by how little is missing,
    by whether it runs already for somebody else, by how much of the goal the template states itself, by
    the order of the templates.

    Args:
        goal: what is to be reached.
        templates: what there is.
        fit: how well a service of a template with these parameters would do; may raise ``Invalid``.

    Raises:
        Invalid: no template reaches it; the text says of each that is made for such goals why.
    """
    found: list[_Candidate] = []
    refused: list[Choice] = []
    for order, template in enumerate(templates):
        reasons = []
        for pattern in template.achieves:
            unified = unify(pattern, goal)
            if isinstance(unified, str):
                # What is made for another kind of goal was never asked.
                if goal.kind in pattern:
                    reasons.append(unified)
                continue
            try:
                found.append(_candidate(template, unified, order, fit))
            except Invalid as error:
                reasons.append(f"{error.field}: {error}" if error.field else str(error))
            else:
                break
        else:
            if reasons:
                refused.append(Choice(template.name, None, "; ".join(dict.fromkeys(reasons))))
    if not found:
        why = "; ".join(f"{each.template}: {each.reason}" for each in refused[:SHOWN])
        raise Invalid(f"no template reaches this goal{f' ({why})' if why else ''}", f"goal.{goal.kind}")
    found.sort(key=lambda each: each.rank)
    best, rest = found[0], found[1:]
    others = [Choice(each.wanted.template.name, each.fit.state, _lost(best, each)) for each in rest]
    wanted = best.wanted
    return Wanted(
        template=wanted.template,
        parameters=wanted.parameters,
        chosen=Chosen(_won(best, len(found)), tuple([*others, *refused][:SHOWN])),
    )


def _candidate(
    template: Template, unified: Unified, order: int, fit: Callable[[Template, dict[str, Any]], Fit]
) -> _Candidate:
    parameters = checked_parameters(template, unified.parameters)
    return _Candidate(
        wanted=Wanted(template=template, parameters=parameters),
        fit=fit(template, parameters),
        fixed=unified.fixed,
        order=order,
    )


def _won(best: _Candidate, among: int) -> str:
    fit = best.fit
    how = f"of {among} templates that reach it the one that fits best" if among > 1 else "it alone reaches it"
    if fit.reused:
        how += ", and a service of it is there already"
    if fit.missing:
        return f"{how}; {fit.state}, for {len(fit.missing)} of what it needs or could use is not there"
    return how


def _lost(best: _Candidate, other: _Candidate) -> str:
    name = best.wanted.template.name
    if best.fit.state != other.fit.state:
        missing = f" ({'; '.join(other.fit.missing[:3])})" if other.fit.missing else ""
        return f"it would be {other.fit.state}{missing}, {name} is {best.fit.state}"
    if len(best.fit.missing) != len(other.fit.missing):
        return f"it misses more than {name}: {'; '.join(other.fit.missing[:3])}"
    if best.fit.reused != other.fit.reused:
        return f"a service of {name} is there already"
    if best.fixed != other.fixed:
        return f"{name} is made more for this goal"
    return f"it fits as well as {name}, which comes first"
