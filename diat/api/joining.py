"""How things get in: the join key and its window, and the credentials that were given."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from diat.api.access import needs, on_thing
from diat.api.ports import Platform, StrictRoute, ThePlatform, ThingId, durably
from diat.kernel.clock import rfc3339
from diat.kernel.errors import Invalid, NotFound
from diat.security.credentials import Credential
from diat.security.joining import ALWAYS
from diat.security.permissions import Permissions
from diat.wire import topics

router = APIRouter(tags=["joining"], route_class=StrictRoute)
_UNKEPT = {"Cache-Control": "no-store"}
Name = Annotated[str, Field(pattern=topics.NAME.pattern, max_length=64)]
Seconds = Annotated[int, Field(ge=0, le=86_400)]
Topics = Annotated[list[Annotated[str, Field(min_length=1, max_length=256)]], Field(max_length=50)]


class WindowSaid(BaseModel):
    """For how long things get in: seconds from now, ``always`` or ``closed``."""

    model_config = ConfigDict(extra="forbid")
    open: Literal["always", "closed"] | Seconds
    anyone: Annotated[int, Field(ge=0, le=3600)] = 0


class BridgeSaid(BaseModel):
    """A bridge or gateway: its name, and the topics that are its own."""

    model_config = ConfigDict(extra="forbid")
    name: Name
    kind: Literal["bridge", "gateway"] = "bridge"
    publish: Topics
    subscribe: Topics


@router.get("/joining", summary="How things join", dependencies=[needs("administer")])
def get_joining(platform: ThePlatform) -> JSONResponse:
    """The join key as an address and a QR code, and for how long it opens the door."""
    return JSONResponse(_joining(platform), headers=_UNKEPT)


@router.put("/joining", summary="Open or close the door for things", dependencies=[needs("administer")])
async def put_joining(platform: ThePlatform, said: WindowSaid) -> JSONResponse:
    """Until when who has the join key takes part at once; past it a person has to accept it.

    ``anyone``: for so many seconds the key is not even asked for.
    """
    now = platform.clock()
    window = said.open
    until = now + window * 1000 if isinstance(window, int) else ALWAYS if window == "always" else 0
    anyone = now + said.anyone * 1000 if said.anyone else 0
    await durably(platform, lambda: platform.access.joining.open(until, anyone, now))
    return JSONResponse(_joining(platform), headers=_UNKEPT)


@router.post(
    "/joining/key", status_code=201, summary="Make another join key", dependencies=[needs("administer")]
)
async def post_join_key(platform: ThePlatform) -> JSONResponse:
    """Make another join key; the one before it opens nothing any more. Things with a credential stay."""
    key = await durably(platform, lambda: platform.access.joining.new_key(platform.clock()))
    platform.keep_join_key(key)
    return JSONResponse(_joining(platform), 201, headers=_UNKEPT)


@router.get("/credentials", summary="Credentials of things", dependencies=[needs("administer")])
def list_credentials(platform: ThePlatform) -> list[dict[str, Any]]:
    """All credentials of things, bridges and gateways, by name; no secrets."""
    return [_view(each) for each in platform.access.credentials.everything() if each.kind != "key"]


@router.post("/credentials", status_code=201, summary="Let a bridge in", dependencies=[needs("administer")])
async def create_credential(platform: ThePlatform, said: BridgeSaid) -> JSONResponse:
    """Make a credential for what speaks for many things; its password is shown here and never again."""
    scope = Permissions(tuple(said.publish), tuple(said.subscribe))
    now = platform.clock()
    issue = platform.access.credentials.issue
    password = await durably(platform, lambda: issue(said.name, now, said.kind, scope))
    return JSONResponse({"username": said.name, "password": password}, 201, headers=_UNKEPT)


@router.post(
    "/credentials/{name}", status_code=201, summary="Renew a credential", dependencies=[needs("administer")]
)
async def renew_credential(platform: ThePlatform, name: str) -> JSONResponse:
    """Make another password; the one before it is good until this one is used."""
    now = platform.clock()
    password = await durably(platform, lambda: platform.access.credentials.renew(name, now))
    return JSONResponse({"username": name, "password": password}, 201, headers=_UNKEPT)


@router.delete(
    "/credentials/{name}", status_code=204, summary="Revoke a credential", dependencies=[needs("administer")]
)
async def revoke_credential(platform: ThePlatform, name: str) -> None:
    """Let it hold no more; who is in with it is cut off."""
    now = platform.clock()
    await durably(platform, lambda: platform.access.credentials.revoke(name, now))


@router.get("/things/{thing}/credential", summary="A thing's credential", dependencies=[on_thing("manage")])
def get_credential(platform: ThePlatform, thing: ThingId) -> dict[str, Any]:
    """What is known of it; no secret."""
    name = _name(platform, thing)
    held = next((each for each in platform.access.credentials.everything() if each.name == name), None)
    if held is None:
        raise NotFound(f"{thing} has no credential")
    return _view(held)


@router.post(
    "/things/{thing}/credential",
    status_code=201,
    summary="Give a thing another credential",
    dependencies=[on_thing("manage")],
)
async def renew_thing(platform: ThePlatform, thing: ThingId) -> JSONResponse:
    """Make another password and tell it to the thing, if it is there; also after one was revoked."""
    name, now, access = _name(platform, thing), platform.clock(), platform.access

    def change() -> str:
        held = access.credentials.seen(name)
        password = access.credentials.renew(name, now) if held else access.credentials.issue(name, now)
        access.give(name, password)
        return password

    password = await durably(platform, change)
    return JSONResponse({"username": name, "password": password}, 201, headers=_UNKEPT)


@router.delete(
    "/things/{thing}/credential",
    status_code=204,
    summary="Revoke a thing's credential",
    dependencies=[on_thing("manage")],
)
async def revoke_thing(platform: ThePlatform, thing: ThingId) -> None:
    """Cut the thing off and keep it out: the join key does not let it in again."""
    name, now = _name(platform, thing), platform.clock()
    await durably(platform, lambda: platform.access.credentials.revoke(name, now))


def _joining(platform: Platform) -> dict[str, Any]:
    window = platform.access.joining.window
    found: dict[str, Any] = {
        "asked": platform.access.asked,
        "open": {ALWAYS: "always", 0: "closed"}.get(window.until) or rfc3339(window.until),
        "anyone": rfc3339(window.anyone) if window.anyone > platform.clock() else None,
    }
    return found | platform.invitation()


def _name(platform: Platform, thing: str) -> str:
    """What a thing is called in topics.

    Raises:
        NotFound: there is no such thing.
        Invalid: it does not announce itself by a name.
    """
    platform.things.registry.get(thing)
    for announced in platform.things.registry.announcements.committed(thing):
        if announced.topic.startswith(topics.TD_PREFIX):
            return announced.topic.removeprefix(topics.TD_PREFIX)
    raise Invalid("it comes by a bridge, whose credential is in /credentials")


def _view(each: Credential) -> dict[str, Any]:
    return {
        "name": each.name,
        "kind": each.kind,
        "created": rfc3339(each.created),
        "renewed": rfc3339(each.renewed),
        "used": each.used,
        "revoked": None if each.revoked is None else rfc3339(each.revoked),
        "publish": list(each.scope.publish),
        "subscribe": list(each.scope.subscribe),
    }
