"""``/policies``: what may be done with what, in which form and when; and why somebody may or may not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from diat.api.access import needs
from diat.api.ports import (
    IfMatch,
    Limit,
    Offset,
    Platform,
    StrictRoute,
    ThePlatform,
    durably,
    etag,
    page,
)
from diat.api.views import Json
from diat.kernel.clock import rfc3339
from diat.kernel.errors import Invalid
from diat.kernel.lazy import Lazy
from diat.security.operations import PLATFORM, Operation, Target
from diat.security.policy import Policy
from diat.security.principal import Grant, Kind, Principal, Role
from diat.service.targets import targets_of
from diat.vol.targets import target_of
from diat.wire.envelope import Garbled, read_json
from diat.wot.places import lies_in

if TYPE_CHECKING:
    from diat.service import plain_yaml
else:
    plain_yaml = Lazy("diat.service.plain_yaml")

router = APIRouter(tags=["security"], route_class=StrictRoute)
PolicyId = Annotated[str, Path(description="The policy's id", max_length=100)]
_BODY: Json = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "application/yaml": {"schema": {"type": "string"}},
        },
    }
}
LONGEST = 100_000
"""Bytes of a policy at most."""


class Grants(BaseModel):
    """A role, and where it holds; everywhere if nothing is said."""

    model_config = ConfigDict(extra="forbid")
    role: Role
    places: Annotated[list[str], Field(max_length=100)] | None = None


class Question(BaseModel):
    """Whether somebody may do something.

    Attributes:
        kind: what is behind who asks.
        name: its login, name or id.
        grants: the roles that it is taken to have.
        purpose: what it says it asks for.
        operation: what it wants to do.
        thing: with which thing; or
        service: with which service; else with the platform.
        affordance: with which property, action or event of the thing.
    """

    model_config = ConfigDict(extra="forbid")
    kind: Kind = "user"
    name: Annotated[str, Field(min_length=1, max_length=200)]
    grants: Annotated[list[Grants], Field(max_length=50)] = []
    purpose: Annotated[str, Field(max_length=100)] = ""
    operation: Operation
    thing: Annotated[str, Field(max_length=300)] | None = None
    service: Annotated[str, Field(max_length=200)] | None = None
    affordance: Annotated[str, Field(max_length=300)] = ""


@router.get("/policies", summary="All policies", dependencies=[needs("administer")])
def list_policies(
    request: Request, response: Response, platform: ThePlatform, limit: Limit = 1000, offset: Offset = 0
) -> list[Json]:
    """Policies by id."""
    found = platform.policies.everything()[offset : offset + limit + 1]
    return [_shown(each) for each in page(request, response, found, limit, offset=offset + limit)]


@router.get("/policies/{policy}", summary="One policy", dependencies=[needs("administer")])
def get_policy(platform: ThePlatform, policy: PolicyId) -> Response:
    """The policy."""
    found = platform.policies.get(policy)
    return JSONResponse(_shown(found), headers={"ETag": etag(found.revision)})


@router.put(
    "/policies/{policy}",
    summary="Put a policy",
    openapi_extra=_BODY,
    dependencies=[needs("administer")],
    responses={201: {"description": "It was not there before"}},
)
async def put_policy(
    request: Request, platform: ThePlatform, policy: PolicyId, if_match: IfMatch
) -> Response:
    """Takes a policy as JSON or YAML; ``policy.schema.json`` says what it looks like. It holds at once.

    ``warnings`` tell where it meets other policies, and names that nobody bears.
    """
    content = _read(await request.body())
    made, told = await durably(platform, lambda: platform.policies.put(policy, content, if_match))
    told = told + _unknown(platform, made)
    status = 201 if made.revision == 1 else 200
    return JSONResponse(_shown(made, told), status, {"ETag": etag(made.revision)})


@router.post(
    "/policies/{policy}/check",
    summary="Check a policy",
    openapi_extra=_BODY,
    dependencies=[needs("administer")],
)
async def check_policy(request: Request, platform: ThePlatform, policy: PolicyId) -> Json:
    """What would be told if it was put; nothing happens."""
    content = _read(await request.body())
    document, told = platform.policies.check(policy, content)
    meant = Policy(id=policy, content=document.plain(), created=0, modified=0, revision=0)
    return {"id": policy, **meant.content, "warnings": told + _unknown(platform, meant)}


@router.delete(
    "/policies/{policy}", status_code=204, summary="Take a policy away", dependencies=[needs("administer")]
)
async def delete_policy(platform: ThePlatform, policy: PolicyId, if_match: IfMatch) -> None:
    """It does not hold any more, at once."""
    await durably(platform, lambda: platform.policies.remove(policy, if_match))


@router.post("/policies/decide", summary="Who may do what, and why", dependencies=[needs("administer")])
def decide(platform: ThePlatform, asked: Question) -> Json:
    """What would be decided just now; that is no use and changes nothing."""
    grants = tuple(
        Grant(role=each.role, places=None if each.places is None else tuple(each.places))
        for each in asked.grants
    )
    principal = Principal(kind=asked.kind, name=asked.name, grants=grants, purpose=asked.purpose)
    decided = [
        platform.decider.decide(principal, asked.operation, target, platform.clock())
        for target in _targets(platform, asked)
    ]
    # Of a service it must be permitted wherever that reaches.
    decision = next((each for each in decided if each.effect == "deny"), decided[0])
    return {
        "effect": decision.effect,
        "reason": decision.reason,
        "policies": list(decision.policies),
        "modify": list(decision.modify),
        "delay": decision.delay / 1000,
        "obligations": list(decision.obligations),
        "until": None if decision.until is None else rfc3339(decision.until),
    }


def _targets(platform: Platform, asked: Question) -> Iterable[Target]:
    if asked.thing is not None:
        return [target_of(platform.things.registry.get(asked.thing), asked.affordance)]
    if asked.service is not None:
        composite = platform.services.get(asked.service).composite
        return targets_of(asked.service, platform.composites.composite(composite))
    return [PLATFORM]


def _read(body: bytes) -> Any:
    """A document, JSON or YAML.

    Raises:
        Invalid: it is neither, or too long.
    """
    if len(body) > LONGEST:
        raise Invalid(f"a policy has at most {LONGEST} bytes")
    found = read_json(body)
    if not isinstance(found, Garbled):
        return found
    try:
        return plain_yaml.read_yaml(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise Invalid("the body is not UTF-8") from None


def _shown(policy: Policy, warnings: Iterable[str] = ()) -> Json:
    shown: Json = {
        "id": policy.id,
        **policy.content,
        "created": rfc3339(policy.created),
        "modified": rfc3339(policy.modified),
        "revision": policy.revision,
    }
    return shown | ({"warnings": told} if (told := list(warnings)) else {})


def _unknown(platform: Platform, policy: Policy) -> list[str]:
    """Names in a policy that nobody bears just now."""
    what, who = policy.content.get("what", {}), policy.content.get("who", {})
    things = platform.things.registry.objects.committed
    places = [each.place for each in things.values()] if what.get("places") else []
    told = [f"there is no thing {each!r} yet" for each in what.get("things", []) if each not in things]
    told += [
        f"there is no service {each!r} yet"
        for each in [*what.get("services", []), *who.get("services", [])]
        if not platform.services.known(each)
    ]
    told += [
        f"nothing is at {each!r} yet"
        for each in what.get("places", [])
        if not any(lies_in(place, each) for place in places)
    ]
    return told
