"""``/tokens``: what programs come with, in the name of a user and with part of what he may."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from diat.api.access import Asking, for_known
from diat.api.ports import IdempotencyKey, Limit, Offset, Platform, StrictRoute, ThePlatform, durably, page
from diat.api.users import NAME, Place
from diat.kernel.clock import parse_time, rfc3339
from diat.kernel.durations import parse_duration
from diat.kernel.errors import Forbidden, Invalid, NotFound
from diat.kernel.ids import derived_id
from diat.security.accounts import Token, User
from diat.security.operations import PLATFORM
from diat.security.people import DAY
from diat.security.principal import Grant, Principal, Role
from diat.security.scope import covers

router = APIRouter(tags=["people"], route_class=StrictRoute)
USUAL = 90 * DAY
LONGEST = 366 * DAY
"""Milliseconds that a token holds if nothing is said, and at most."""


class TokenSaid(BaseModel):
    """A token that is to be made."""

    model_config = ConfigDict(extra="forbid")
    title: str = Field(min_length=1, max_length=200, description="What it is for, for people")
    user: str | None = Field(
        None, pattern=f"^{NAME}$", description="Its owner: oneself, or for an administrator a program"
    )
    role: Role | None = Field(None, description="The highest role that it gives; else the owner's own")
    places: list[Place] | None = Field(
        None, min_length=1, max_length=1000, description="Where it holds at most; else where the owner's do"
    )
    purpose: str = Field("", max_length=100, description="What it asks for, as policies name it")
    expires: str | int | None = Field(
        None, description="RFC 3339 time, Unix milliseconds, or how long: `30d`; 90 days if not given"
    )


@router.get("/tokens", summary="Tokens that hold", dependencies=[for_known()])
def list_tokens(
    request: Request,
    response: Response,
    platform: ThePlatform,
    asking: Asking,
    user: Annotated[str | None, Query(description="Whose; administrators see those of all")] = None,
    limit: Limit = 1000,
    offset: Offset = 0,
) -> list[dict[str, Any]]:
    """One's own tokens and sessions, oldest first, without their secrets; administrators see those of all."""
    if not _administers(platform, asking):
        if user not in (None, asking.name):
            raise Forbidden("the tokens of others are for administrators")
        user = asking.name
    found = platform.people.tokens(user)[offset : offset + limit + 1]
    return [_view(each) for each in page(request, response, found, limit, offset=offset + limit)]


@router.post("/tokens", status_code=201, summary="Make a token", dependencies=[for_known()])
async def create_token(
    request: Request,
    platform: ThePlatform,
    asking: Asking,
    wanted: TokenSaid,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Make a token with part of what one may oneself; ``token`` is shown here and never again."""
    owner = _owner(platform, asking, wanted.user)
    _hold_within(asking, owner, wanted)
    scope: dict[str, Any] = {
        "role": wanted.role,
        "places": None if wanted.places is None else tuple(wanted.places),
        "purpose": wanted.purpose,
    }
    now = platform.clock()
    expires = now + _lasting(wanted.expires, now)
    by: Token | None = request.scope["state"].get("credential")
    if by is not None and by.kind == "token":
        if by.user == owner.name:
            # What is made with a token goes no further than that one, in time either.
            scope = {name: said or getattr(by, name) for name, said in scope.items()}
            expires = min(expires, by.expires)
        scope["by"] = by.id
    reference = None if idempotency_key is None else derived_id("token", owner.name, idempotency_key)
    made, secret = await durably(
        platform,
        lambda: platform.people.issue(
            owner.name,
            expires,
            token=reference,
            title=wanted.title,
            **scope,
        ),
    )
    headers = {"Location": f"/tokens/{made.id}", "Cache-Control": "no-store"}
    return JSONResponse({**_view(made), "token": secret}, 201, headers)


@router.get("/tokens/{token}", summary="One token", dependencies=[for_known()])
def get_token(platform: ThePlatform, asking: Asking, token: str) -> dict[str, Any]:
    """The token, without its secret."""
    return _view(_own(platform, asking, token))


@router.delete("/tokens/{token}", status_code=204, summary="Revoke a token", dependencies=[for_known()])
async def revoke_token(platform: ThePlatform, asking: Asking, token: str) -> None:
    """Let it open nothing any more; what runs under it ends at once. A session is a token too."""
    _own(platform, asking, token)
    await durably(platform, lambda: platform.people.revoke(token))


def _administers(platform: Platform, asking: Principal) -> bool:
    return platform.decider.decide(asking, "administer", PLATFORM, platform.clock()).effect != "deny"


def _own(platform: Platform, asking: Principal, token: str) -> Token:
    """A token that the one who asks may see.

    Raises:
        NotFound: it is another's, or there is none.
    """
    found = platform.people.token(token)
    mine = asking.kind in ("user", "account") and found.user == asking.name
    if found.kind == "invitation" or not (mine or _administers(platform, asking)):
        raise NotFound(f"there is no token {token!r}")
    return found


def _owner(platform: Platform, asking: Principal, name: str | None) -> User:
    """Who the token is to be of: whoever asks, or a program if an administrator asks.

    Raises:
        Forbidden: it would speak for another person.
        NotFound: there is no such user.
        Invalid: this machine is nobody who could own one.
    """
    if name in (None, asking.name) and asking.kind in ("user", "account"):
        return platform.people.get(asking.name)
    if name is None:
        raise Invalid("say whose it is to be", "user")
    if not _administers(platform, asking):
        raise Forbidden("a token for another is made by an administrator")
    found = platform.people.get(name)
    if found.kind != "account" and asking.kind != "local":
        raise Forbidden("a token that speaks for a person is made by that person")
    return found


def _hold_within(asking: Principal, owner: User, wanted: TokenSaid) -> None:
    """Hold a scope to be within what the owner has; and if it is for oneself, within what one came with.

    Raises:
        Invalid: it goes beyond; ``field`` says in what.
    """
    held = asking.grants if asking.name == owner.name else owner.grants
    places = None if wanted.places is None else tuple(wanted.places)
    if wanted.role is not None and not any(
        covers(held, Grant(role=wanted.role, places=each.places)) for each in held
    ):
        raise Invalid(f"{owner.name!r} has no role {wanted.role!r} to give", "role")
    if places is not None and not covers(held, Grant(role="viewer", places=places)):
        raise Invalid(f"{owner.name!r} has no role at all of these places", "places")


def _lasting(said: str | int | None, now: int) -> int:
    """Milliseconds that a token is to hold.

    Raises:
        Invalid: it is no time, is over, or is too far away.
    """
    if said is None:
        return USUAL
    try:
        lasts = parse_duration(said) if isinstance(said, str) else said - now
    except (ValueError, OverflowError):
        try:
            lasts = parse_time(str(said)) - now
        except (ValueError, OverflowError):
            raise Invalid(f"neither a time nor a duration: {str(said)[:100]!r}", "expires") from None
    if not 0 < lasts <= LONGEST:
        raise Invalid("a token holds for more than nothing and for 366 days at most", "expires")
    return lasts


def _view(each: Token) -> dict[str, Any]:
    return {
        "id": each.id,
        "user": each.user,
        "kind": each.kind,
        "title": each.title,
        "role": each.role,
        "places": None if each.places is None else list(each.places),
        "purpose": each.purpose,
        "created": rfc3339(each.created),
        "expires": rfc3339(each.expires),
    }
