"""Policies in Cedar: documents written in it, texts checked against our schema, questions put to it.

Cedar says which policies apply; what they bring about is said by annotations of ours, JSON each:
``@modify("{…}")``, ``@delay("PT1H")``, ``@obligations("[…]")`` and ``@count("{…}")``, with the members of the
document of the same names. ``forbid`` denies; ``permit`` with ``@modify`` or ``@delay`` restricts; any other
``permit`` grants.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from pydantic import TypeAdapter, ValidationError

from diat.kernel.durations import parse_duration
from diat.kernel.errors import Invalid
from diat.kernel.lazy import Lazy
from diat.security.operations import Operation, Target
from diat.security.policy import LONGEST, Count, Document, Modify, Obligation
from diat.security.principal import Principal
from diat.wot.places import steps

if TYPE_CHECKING:
    import cedarpy
else:
    cedarpy = Lazy("cedarpy")

SCHEMA = """
entity Place in [Place];
entity User, Account, Local, Situation, Daemon;
entity Thing, Service, Platform in [Place] {
  affordance: String, quantities: Set<String>, types: Set<String>
};
action discover, read, observe, history, export, write, invoke, bind, "send-up", operate, compose, manage,
  administer
appliesTo {
  principal: [User, Account, Local, Situation, Daemon, Thing, Service],
  resource: [Thing, Service, Platform],
  context: { role: String, purpose: String, minute: Long, day: String, situations: Set<String> }
};
"""
"""What a policy can speak of. ``minute`` is that of the day in the site's zone, ``day`` ``mon`` to ``sun``,
``role`` the highest that the principal has at the place, ``""`` for none. Ids of places are lower case."""
_ARITHMETIC = {"+", "-", "*", "neg"}
MOST_STATEMENTS = 50
"""Statements in one text."""


@cache
def _schema() -> cedarpy.Schema:
    return cedarpy.Schema.from_str(SCHEMA)


@cache
def _obligations() -> TypeAdapter[list[Obligation]]:
    return TypeAdapter(list[Obligation])


class Statement(Struct, frozen=True, kw_only=True):
    """One statement of a policy, ready to be used.

    Attributes:
        id: among all statements.
        policy: id of its policy.
        title: of its policy.
        operations: what it is about; None for all.
        denies: whether it is a ``forbid``.
        grants: whether it permits what no role does.
        count: how often it must have been used to hold; None if that does not matter.
        minutes: minutes of the day at which what it says may turn.
        daily: whether it speaks of the day of the week.
        situated: whether it speaks of situations.
        body: in Cedar's JSON.
    """

    id: str
    policy: str
    title: str
    operations: frozenset[str] | None
    denies: bool
    grants: bool
    modify: dict[str, Any]
    delay: int
    obligations: tuple[dict[str, Any], ...]
    count: Count | None
    minutes: frozenset[int]
    daily: bool
    situated: bool
    body: dict[str, Any]


class Moment(Struct, frozen=True):
    """What a decision depends on beside who asks for what: minute of the day, day, situations that hold."""

    minute: int
    day: str
    situations: frozenset[str]


def statements(policy: str, document: Document, *, checked: bool = False) -> list[Statement]:
    """The statements of a policy; ``checked`` if it is known to go together with our schema.

    Raises:
        Invalid: it is no Cedar, or speaks of what is not there.
    """
    text = document.cedar or written(document)
    result = None if checked else cedarpy.validate_policies(text, _schema())
    if result is not None and not result:
        raise Invalid("; ".join(each.error for each in result.errors)[:1000], "cedar")
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise Invalid(str(error)[:1000], "cedar") from None
    found = list(parsed["staticPolicies"].values())
    if parsed["templates"] or not 1 <= len(found) <= MOST_STATEMENTS:
        raise Invalid(f"1 to {MOST_STATEMENTS} statements and no templates are wanted", "cedar")
    title = document.title or policy
    made = [_statement(policy, title, number, each) for number, each in enumerate(found)]
    deletes = any("delete-after" in owed for each in made for owed in each.obligations)
    if document.cedar is not None and deletes:
        raise Invalid("@obligations: delete-after is for documents, which say of what", "cedar")
    return made


def written(document: Document) -> str:
    """A structured document as Cedar text."""
    when = document.when
    notes = []
    if document.effect == "modify":
        notes.append(("modify", json.dumps(document.modify.model_dump(by_alias=True, exclude_defaults=True))))
    if document.delay is not None:
        notes.append(("delay", document.delay))
    if document.obligations:
        owed = [each.model_dump(by_alias=True, exclude_defaults=True) for each in document.obligations]
        notes.append(("obligations", json.dumps(owed)))
    if when.count is not None:
        notes.append(("count", json.dumps(when.count.model_dump(exclude_none=True))))
    annotations = "".join(f"@{name}({_quoted(value)})\n" for name, value in notes)
    actions = ", ".join(f"Action::{_quoted(each)}" for each in document.operations)
    action = f"action in [{actions}]" if actions else "action"
    conditions = "".join(f"\nwhen {{ {each} }}" for each in (*_who(document), *_what(document)))
    conditions += "".join(f"\nwhen {{ {each} }}" for each in _when(document))
    if when.unless is not None:
        conditions += f"\nunless {{ context.situations.contains({_quoted(when.unless)}) }}"
    effect = "forbid" if document.effect == "deny" else "permit"
    return f"{annotations}{effect} (principal, {action}, resource){conditions};"


class Compiled:
    """All statements together, ready to be asked.

    Attributes:
        minutes: minutes of the day at which what they say may turn.
        daily: whether it may turn at midnight.
        situated: whether situations matter.
    """

    def __init__(self, found: Iterable[Statement] = ()) -> None:
        self.statements = {each.id: each for each in found}
        self._forbids = _policy_set(each for each in self.statements.values() if each.denies)
        self._permits = _policy_set(each for each in self.statements.values() if not each.denies)
        scopes = [each.operations for each in self.statements.values()]
        self._all = None in scopes
        self._operations = frozenset().union(*(scope for scope in scopes if scope is not None))
        each_minute = [each.minutes for each in self.statements.values()]
        self.minutes = sorted(frozenset().union(*each_minute))
        self.daily = any(each.daily for each in self.statements.values())
        self.situated = any(each.situated for each in self.statements.values())

    def about(self, operation: Operation) -> bool:
        """Whether any is about an operation, or all may be."""
        return self._all or operation in self._operations

    def matching(
        self, principal: Principal, operation: Operation, target: Target, moment: Moment
    ) -> tuple[list[Statement], str | None]:
        """The statements that apply, those that deny first, each in the order of their ids.

        Cedar leaves out what it cannot evaluate; then the second is why, and nothing may be permitted.
        """
        request = _request(principal, operation, target, moment)
        entities = json.dumps(_entities(request, target))
        request["context"] = json.dumps(request["context"])
        found: list[str] = []
        wrong: list[str] = []
        for policies in (self._forbids, self._permits):
            if policies is not None:
                said = cedarpy.is_authorized(request, policies, entities).diagnostics
                found += sorted(said.reasons)
                wrong += said.errors
        return [self.statements[each] for each in found], "; ".join(map(str, wrong)) or None


def _policy_set(found: Iterable[Statement]) -> cedarpy.PolicySet | None:
    bodies = {each.id: each.body for each in found}
    if not bodies:
        return None
    whole = {"staticPolicies": bodies, "templates": {}, "templateLinks": []}
    return cedarpy.PolicySet.from_json_str(json.dumps(whole))


def _request(principal: Principal, operation: Operation, target: Target, moment: Moment) -> dict[str, Any]:
    return {
        "principal": {"type": principal.kind.capitalize(), "id": principal.name},
        "action": {"type": "Action", "id": operation},
        "resource": {"type": target.kind.capitalize(), "id": target.id},
        "context": {
            "role": principal.role_at(target.place) or "",
            "purpose": principal.purpose,
            "minute": moment.minute,
            "day": moment.day,
            "situations": sorted(moment.situations),
        },
    }


def _entities(request: dict[str, Any], target: Target) -> list[dict[str, Any]]:
    path = steps(target.place)
    around = ["/".join(path[:length]) for length in range(1, len(path) + 1)]
    described = {
        "affordance": target.affordance,
        "quantities": list(target.quantities),
        "types": list(target.types),
    }
    resource = {
        "uid": request["resource"],
        "attrs": described,
        "parents": [{"type": "Place", "id": each} for each in around],
    }
    if request["principal"] == request["resource"]:
        return [resource]
    attributes = {"affordance": "", "quantities": [], "types": []}
    known = request["principal"]["type"] in ("Thing", "Service")
    return [resource, {"uid": request["principal"], "attrs": attributes if known else {}, "parents": []}]


def _who(document: Document) -> Iterator[str]:
    who = document.who
    if who.kinds:
        yield " || ".join(f"principal is {each.capitalize()}" for each in who.kinds)
    if who.named:
        named = [(kind.capitalize(), name) for kind, names in who.named.items() for name in names]
        yield " || ".join(f"principal == {kind}::{_quoted(name)}" for kind, name in named)
    if who.roles:
        yield f"{_set(who.roles)}.contains(context.role)"
    if who.purposes:
        yield f"{_set(who.purposes)}.contains(context.purpose)"


def _what(document: Document) -> Iterator[str]:
    what = document.what
    if what.things or what.services:
        named = [("Thing", each) for each in what.things] + [("Service", each) for each in what.services]
        yield " || ".join(f"resource == {kind}::{_quoted(name)}" for kind, name in named)
    if what.places:
        yield " || ".join(f"resource in Place::{_quoted(each)}" for each in what.places)
    if what.quantities:
        yield f"resource.quantities.containsAny({_set(what.quantities)})"
    if what.types:
        yield f"resource.types.containsAny({_set(what.types)})"
    if what.affordances:
        yield f"{_set(what.affordances)}.contains(resource.affordance)"


def _when(document: Document) -> Iterator[str]:
    when = document.when
    if when.minutes is not None:
        start, end = when.minutes
        joined = "&&" if start < end else "||"
        yield f"context.minute >= {start} {joined} context.minute < {end}"
    if when.days:
        yield f"{_set(when.days)}.contains(context.day)"
    if when.situation is not None:
        yield f"context.situations.contains({_quoted(when.situation)})"


def _set(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_quoted, texts))}]"


def _quoted(text: str) -> str:
    """A text as a Cedar literal: whatever is no plain letter is escaped."""
    plain = (c if c.isascii() and c.isprintable() and c not in '"\\' else f"\\u{{{ord(c):x}}}" for c in text)
    return f'"{"".join(plain)}"'


def _statement(policy: str, title: str, number: int, body: dict[str, Any]) -> Statement:
    said = dict(body.get("annotations") or {})
    unknown = set(said) - {"id", "title", "modify", "delay", "obligations", "count"}
    if unknown:
        raise Invalid(f"unknown annotation {sorted(unknown)[0]!r}", "cedar")
    denies = body["effect"] == "forbid"
    if denies and {"modify", "delay"} & set(said):
        raise Invalid("forbid hands out nothing in any form: modify and delay go with permit", "cedar")
    modify = _annotated(Modify.model_validate_json, said.get("modify"), "modify")
    owed = _annotated(_obligations().validate_json, said.get("obligations"), "obligations") or []
    spoken = list(_walk(body["conditions"]))
    context = {each["attr"] for each in spoken if each.get("left") == {"Var": "context"} and "attr" in each}
    return Statement(
        id=f"{policy}#{number:03d}",
        policy=policy,
        title=title,
        operations=_operations(body["action"]),
        denies=denies,
        grants=not denies and not {"modify", "delay"} & set(said),
        modify=modify.model_dump(by_alias=True, exclude_defaults=True) if modify is not None else {},
        delay=_delay(said.get("delay")),
        obligations=tuple(each.model_dump(by_alias=True, exclude_defaults=True) for each in owed),
        count=_annotated(Count.model_validate_json, said.get("count"), "count"),
        minutes=_turns(spoken) if "minute" in context else frozenset(),
        daily="day" in context,
        situated="situations" in context,
        body={**body, "annotations": {}},
    )


def _operations(action: dict[str, Any]) -> frozenset[str] | None:
    """The operations in a statement's scope; None for all."""
    if action["op"] == "All":
        return None
    found = action.get("entities") or [action["entity"]]
    return frozenset(str(each["id"]) for each in found)


def _annotated(read: Any, text: str | None, name: str) -> Any:
    if text is None:
        return None
    try:
        return read(text)
    except ValidationError as error:
        raise Invalid(f"@{name}: {error.errors()[0]['msg']}", "cedar") from None


def _delay(text: str | None) -> int:
    if text is None:
        return 0
    try:
        delay = parse_duration(text)
    except ValueError as error:
        raise Invalid(f"@delay: {error}", "cedar") from None
    if delay > LONGEST:
        raise Invalid(f"@delay: at most {LONGEST // 86_400_000} days are possible", "cedar")
    return delay


def _walk(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in Cedar's JSON."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each


def _turns(spoken: Iterable[dict[str, Any]]) -> frozenset[int]:
    """Minutes of the day at which a statement that speaks of the minute may turn."""
    numbers = set()
    for each in spoken:
        if _ARITHMETIC & set(each):
            return frozenset(range(1440))
        value = each.get("Value")
        if isinstance(value, int) and not isinstance(value, bool):
            numbers |= {value, value + 1}
    return frozenset({0} | {each for each in numbers if 0 <= each < 1440})
