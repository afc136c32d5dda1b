"""``/users``: people and the accounts of programs, their roles, and where each holds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from diat.api.access import Asking, for_known, needs
from diat.api.login_page import PATH
from diat.api.logins import logins
from diat.api.ports import (
    IdempotencyKey,
    IfMatch,
    Limit,
    Offset,
    StrictRoute,
    ThePlatform,
    base_url,
    durably,
    etag,
    page,
)
from diat.kernel.clock import rfc3339
from diat.kernel.errors import Conflict, Forbidden
from diat.security.accounts import User
from diat.security.passwords import hashed, verified
from diat.security.people import INVITATION
from diat.security.principal import Grant, Role

router = APIRouter(tags=["people"], route_class=StrictRoute)
NAME = r"[a-z0-9][a-z0-9._-]{0,63}"
Name = Annotated[str, Path(pattern=f"^{NAME}$", description="The login")]
Place = Annotated[str, Field(min_length=1, max_length=500)]


class GrantSaid(BaseModel):
    """A role, and where it holds."""

    model_config = ConfigDict(extra="forbid")
    role: Role
    places: Annotated[list[Place], Field(min_length=1, max_length=1000)] | None = Field(
        None, description="Paths of places; what lies inside counts. Not given: everywhere"
    )


class UserSaid(BaseModel):
    """Somebody, as he is to be."""

    model_config = ConfigDict(extra="forbid")
    title: str = Field("", max_length=200)
    grants: list[GrantSaid] = Field([], max_length=100)
    disabled: bool = False

    def content(self) -> dict[str, Any]:
        """What is kept of it."""
        grants = tuple(
            Grant(role=each.role, places=None if each.places is None else tuple(each.places))
            for each in self.grants
        )
        return {"title": self.title, "grants": grants, "disabled": self.disabled}


class NewUser(UserSaid):
    """Somebody who is to be made."""

    name: str = Field(pattern=f"^{NAME}$")
    kind: Literal["user", "account"] = Field(
        "user", description="`account` for a program, which has tokens and no password"
    )


class PasswordSaid(BaseModel):
    """Another password of one's own."""

    model_config = ConfigDict(extra="forbid")
    current: str = Field(max_length=1000)
    password: str = Field(max_length=1000)


@router.get("/users", summary="All users", dependencies=[needs("administer")])
def list_users(
    request: Request, response: Response, platform: ThePlatform, limit: Limit = 1000, offset: Offset = 0
) -> list[dict[str, Any]]:
    """People and accounts of programs, by name."""
    found = platform.people.everybody()[offset : offset + limit + 1]
    return [_view(each) for each in page(request, response, found, limit, offset=offset + limit)]


@router.post("/users", status_code=201, summary="Make a user", dependencies=[needs("administer")])
async def create_user(
    platform: ThePlatform, wanted: NewUser, idempotency_key: IdempotencyKey = None
) -> Response:
    """Make somebody, without a password: an invitation lets him set it. Without grants he can do nothing."""

    def change() -> User:
        known = platform.people.find(wanted.name)
        if idempotency_key is not None and known is not None:
            content = {"title": known.title, "grants": known.grants, "disabled": known.disabled}
            if (content, known.kind) != (wanted.content(), wanted.kind):
                raise Conflict("this Idempotency-Key was used for another user")
            return known
        now = platform.clock()
        made = User(name=wanted.name, kind=wanted.kind, created=now, modified=now, **wanted.content())
        return platform.people.create(made)

    return _shown(await durably(platform, change), 201)


@router.get("/users/{name}", summary="One user", dependencies=[needs("administer")])
def get_user(platform: ThePlatform, name: Name) -> Response:
    """Somebody: his roles, and where each holds."""
    return _shown(platform.people.get(name))


@router.put("/users/{name}", summary="Change a user", dependencies=[needs("administer")])
async def replace_user(platform: ThePlatform, name: Name, wanted: UserSaid, if_match: IfMatch) -> Response:
    """Give somebody other roles, or disable him; what runs under his tokens ends at once."""
    made = await durably(platform, lambda: platform.people.replace(name, if_match, **wanted.content()))
    return _shown(made)


@router.delete("/users/{name}", status_code=204, summary="Remove a user", dependencies=[needs("administer")])
async def remove_user(platform: ThePlatform, name: Name, if_match: IfMatch) -> None:
    """Remove somebody with all his tokens; what runs under them ends at once."""
    await durably(platform, lambda: platform.people.remove(name, if_match))


@router.post(
    "/users/{name}/invitation",
    status_code=201,
    summary="Let a user set his password",
    dependencies=[needs("administer")],
)
async def invite_user(request: Request, platform: ThePlatform, name: Name) -> dict[str, Any]:
    """A link that sets his password, once, within a day; earlier ones hold no longer."""
    made = await durably(platform, lambda: platform.people.invite(name))
    link = f"{base_url(request)}{PATH}#{made}"
    return {"invitation": made, "link": link, "expires": rfc3339(platform.clock() + INVITATION)}


@router.put(
    "/users/{name}/password", status_code=204, summary="Change one's password", dependencies=[for_known()]
)
async def change_password(
    request: Request, platform: ThePlatform, asking: Asking, name: Name, said: PasswordSaid
) -> None:
    """Change one's own password, in a session; all sessions end, this one too."""
    if (asking.kind, asking.name) != ("user", name):
        raise Forbidden("a password is changed by whose it is; others take an invitation")
    known = platform.people.get(name).password
    if not await logins(request).in_turn(lambda: verified(said.current, known)):
        raise Forbidden("the current password is another")
    kept = await logins(request).in_turn(lambda: hashed(said.password))
    await durably(platform, lambda: platform.people.set_password(name, kept))


def _shown(made: User, status: int = 200) -> Response:
    headers = {"ETag": etag(made.revision)}
    if status == 201:
        headers["Location"] = f"/users/{made.name}"
    return JSONResponse(_view(made), status, headers)


def _view(each: User) -> dict[str, Any]:
    return {
        "name": each.name,
        "title": each.title,
        "kind": each.kind,
        "grants": grants(each.grants),
        "disabled": each.disabled,
        "password": each.password is not None,
        "created": rfc3339(each.created),
        "modified": rfc3339(each.modified),
    }


def grants(held: tuple[Grant, ...]) -> list[dict[str, Any]]:
    """Roles, and where each holds; without places: everywhere."""
    return [
        {"role": each.role} | ({} if each.places is None else {"places": list(each.places)}) for each in held
    ]
