"""``/peers``: daemons that trust each other, what they have, and what they do for each other."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from diat.adapters.mdns import host_title
from diat.adapters.peers.asking import Answer, Unreachable
from diat.api.access import Asking, for_roles, needs, on_each, seen
from diat.api.ports import Limit, Platform, StrictRoute, ThePlatform, base_url, durably
from diat.api.users import NAME, Place
from diat.kernel.clock import rfc3339
from diat.kernel.errors import Conflict, Invalid, Unavailable
from diat.security.accounts import User
from diat.security.principal import Grant, Role
from diat.service.peers import Peer
from diat.vol.thing import VirtualObject

router = APIRouter(tags=["peers"], route_class=StrictRoute)
Json = dict[str, Any]
TEN_YEARS = 3_652 * 86_400_000
HOPS = 4
"""Daemons that a lookup goes through at most."""
Address = Annotated[str, Field(pattern=r"^https?://[^/?#@\s]+$", max_length=500)]
Authority = Annotated[
    str | None, Field(max_length=100_000, description="PEM of the authority that its certificate is of")
]


class Trusting(BaseModel):
    """What both are to let each other do."""

    model_config = ConfigDict(extra="forbid")
    role: Role = Field("engineer", description="What each may do at the other; services take `engineer`")
    places: Annotated[list[Place], Field(min_length=1, max_length=100)] | None = Field(
        None, description="Only at these places and in them"
    )

    @property
    def grants(self) -> tuple[Grant, ...]:
        """What is granted."""
        return (Grant(role=self.role, places=None if self.places is None else tuple(self.places)),)


class NewPeer(Trusting):
    """A daemon that is to be trusted, and to trust this one."""

    address: Address = Field(description="Where its REST is")
    token: str | None = Field(
        None, max_length=200, description="Of an administrator there; used once, not kept"
    )
    authority: Authority = None
    here: Address | None = Field(None, description="Where this one is for it, if not where you asked")


class Exchanged(Trusting):
    """What another daemon says of itself."""

    name: str = Field(pattern=f"^{NAME}$")
    title: str = Field("", max_length=200)
    address: Address
    token: str = Field(max_length=200)
    authority: Authority = None


@router.get("/peers", summary="Peers", dependencies=[for_roles()])
def list_peers(platform: ThePlatform) -> list[Json]:
    """Daemons that are trusted, and those that were found on this network and are not."""
    trusted = platform.peers.everything()
    names = {each.name for each in trusted}
    found = [each for each in platform.found() if each.name not in names]
    return [_shown(platform, each) for each in trusted] + [
        {"name": each.name, "title": each.title, "address": each.address, "trusted": False} for each in found
    ]


@router.get("/peers/me", summary="What this daemon is called among others", dependencies=[for_roles()])
def get_self(platform: ThePlatform) -> Json:
    """Name and title."""
    return {"name": platform.name, "title": host_title()}


@router.get("/peers/things", summary="Things here and at peers", dependencies=[on_each("discover")])
def find_things(
    platform: ThePlatform,
    asking: Asking,
    response: Response,
    quantity: Annotated[str, Query(max_length=100, description="Quantity kind; any if not given")] = "",
    place: Annotated[str, Query(max_length=500, description="Path; what lies inside counts")] = "",
    hops: Annotated[int, Query(ge=0, le=HOPS, description="Through how many daemons to ask")] = 1,
    visited: Annotated[list[str], Query(description="Daemons that were asked already")] = [],  # noqa: B006
    limit: Limit = 1000,
) -> list[Json]:
    """Things that have or affect a quantity at a place: of this daemon, and of those that it trusts.

    Each says at which ``daemon`` it is. Who did not answer in time is told in ``X-Unanswered``.
    """
    here = [
        {"id": each.id, "title": each.td["title"], "place": each.place, "daemon": platform.name}
        | {"quantities": sorted(each.quantities)}
        for each in seen(platform, asking, _matching(platform, quantity, place))
    ]
    if hops == 0 or len(here) >= limit:
        return here[:limit]
    query = {name: said for name, said in (("quantity", quantity), ("place", place)) if said}
    asked = [each for each in platform.peers.everything() if f"daemon:{each.name}" != asking.id]
    found = platform.lookups.things(asked, query, hops=hops - 1, visited=[platform.name, *visited])
    if found.unanswered:
        response.headers["X-Unanswered"] = ", ".join(found.unanswered)
    return [*here, *found.things][:limit]


@router.post("/peers", status_code=201, summary="Trust a daemon", dependencies=[needs("administer")])
async def trust_peer(request: Request, platform: ThePlatform, wanted: NewPeer) -> Response:
    """Has this daemon and another trust each other; both give each other a token.

    It takes an administrator of both: who asks here, and whose token for there is sent along. On loopback
    without ``--lan`` none is needed.
    """
    there = Peer(
        name="",
        title="",
        address=wanted.address,
        token=wanted.token or "",
        authority=wanted.authority,
        since=platform.clock(),
    )
    told = await _ask(platform, there, "GET", "/peers/me")
    name = str(told.body["name"])
    if name == platform.name:
        raise Invalid("that is this daemon itself", "address")
    token = await durably(platform, lambda: _admit(platform, name, str(told.body["title"]), wanted.grants))
    ours = platform.tls.authority if platform.tls is not None else None
    said = {
        "name": platform.name,
        "title": host_title(),
        "address": wanted.here or base_url(request),
        "token": token,
        "authority": ours.read_text("ascii") if ours is not None else None,
        "role": wanted.role,
        "places": wanted.places,
    }
    try:
        answer = await _ask(platform, there, "POST", "/peers/exchange", body=said)
    except (Invalid, Unavailable):
        await durably(platform, lambda: _dismiss(platform, name), told=False)
        raise
    peer = Peer(
        name=name,
        title=str(told.body["title"]),
        address=wanted.address,
        token=str(answer.body["token"]),
        authority=wanted.authority,
        since=platform.clock(),
    )
    await durably(platform, lambda: platform.peers.trust(peer), told=False)
    return JSONResponse(_shown(platform, peer), 201, {"Location": f"/peers/{name}"})


@router.post(
    "/peers/exchange", status_code=201, summary="Be trusted by a daemon", dependencies=[needs("administer")]
)
async def exchange(platform: ThePlatform, said: Exchanged) -> Json:
    """What a daemon asks that is told to trust this one; answers with the token that it is to show here."""
    if said.name == platform.name:
        raise Conflict("that is this daemon itself")
    peer = Peer(
        name=said.name,
        title=said.title,
        address=said.address,
        token=said.token,
        authority=said.authority,
        since=platform.clock(),
    )

    def change() -> str:
        platform.peers.trust(peer)
        return _admit(platform, said.name, said.title, said.grants)

    return {"name": platform.name, "title": host_title(), "token": await durably(platform, change)}


@router.delete(
    "/peers/{name}", status_code=204, summary="Trust a daemon no more", dependencies=[needs("administer")]
)
async def forget_peer(
    platform: ThePlatform,
    name: str,
    anyway: Annotated[
        bool, Query(description="Also while it does services of ours, which then may run in both places")
    ] = False,
) -> None:
    """What it had a token for ends here at once. It should be told to forget this one, too."""

    def change() -> None:
        platform.peers.forget(name)
        there = [each for each in platform.services.delegations.everything() if each.peer == name]
        if there and not anyway:
            raise Conflict(f"it does {len(there)} services of ours: end them first, or forget it anyway")
        _dismiss(platform, name)
        platform.services.delegations.forgotten(name)

    await durably(platform, change)


def runs_at(platform: Platform, service: str) -> Json | None:
    """Where a service runs, if a peer does it: the daemon, its state there, and whether it answers."""
    each = platform.services.delegations.get(service)
    if each is None:
        return None
    peer = platform.peers.find(each.peer)
    trouble = platform.reached.get(each.peer)
    return {
        "daemon": each.peer,
        "title": peer.title if peer is not None else "",
        "address": peer.address if peer is not None else None,
        "service": each.remote or None,
        "phase": each.state,
        "state": each.told or None,
        "since": rfc3339(each.since),
        "heard": rfc3339(each.heard) if each.heard else None,
        "reachable": trouble is None,
        "trouble": trouble,
    }


def _matching(platform: Platform, quantity: str, place: str) -> list[VirtualObject]:
    registry = platform.things.registry
    return [
        each
        for each in registry.everything()
        if each.taking_part
        and each.record.dialect != "composite"
        and (not quantity or quantity in each.quantities)
        and (not place or each.place == place or each.place.startswith(f"{place}/"))
    ]


def _shown(platform: Platform, peer: Peer) -> Json:
    doing = [each.service for each in platform.services.delegations.everything() if each.peer == peer.name]
    trouble = platform.reached.get(peer.name)
    return {
        "name": peer.name,
        "title": peer.title,
        "address": peer.address,
        "trusted": True,
        "since": rfc3339(peer.since),
        "reachable": trouble is None,
        "trouble": trouble,
        "does": doing,
    }


def _admit(platform: Platform, name: str, title: str, grants: tuple[Grant, ...]) -> str:
    """Within the writer: a user for a peer, and a new token for it; earlier ones hold no longer."""
    people, now = platform.people, platform.clock()
    known = people.find(name)
    if known is not None and known.kind != "daemon":
        raise Conflict(f"there is a user {name!r} who is no daemon")
    if known is not None:
        people.remove(name)
    people.create(User(name=name, title=title, kind="daemon", grants=grants, created=now, modified=now))
    return people.issue(name, now + TEN_YEARS, title="a peer")[1]


def _dismiss(platform: Platform, name: str) -> None:
    if (known := platform.people.find(name)) is not None and known.kind == "daemon":
        platform.people.remove(name)


async def _ask(platform: Platform, peer: Peer, method: str, path: str, body: Any = None) -> Answer:
    """What a daemon answers that is not trusted yet.

    Raises:
        Unavailable: nobody answers there.
        Invalid: it refuses.
    """
    try:
        answer = await run_in_threadpool(
            lambda: platform.peer_client.ask(peer, method, path, body=body, timeout=10.0)
        )
    except Unreachable as error:
        raise Unavailable(f"no daemon answers at {peer.address}{error}") from None
    if not answer.fine or not isinstance(answer.body, dict):
        raise Invalid(f"it refuses: {answer.detail}", "token" if answer.status in (401, 403) else "address")
    return answer
