"""What the routes need of the daemon that serves them, and how they ask for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from json import JSONDecodeError
from typing import Annotated, Any, Protocol, TypeVar
from urllib.parse import quote, unquote, urlencode

from fastapi import Depends, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from diat.adapters.brokers.address import BrokerAddress
from diat.adapters.certificates import Tls
from diat.adapters.peers.asking import Lookups, PeerClient
from diat.adapters.peers.finding import Seen
from diat.adapters.pictures import Pictures
from diat.adapters.sql.audit import KeptAudit
from diat.adapters.sql.history import History
from diat.adapters.sql.notices import KeptNotices
from diat.api.deed import DEED, Deed
from diat.cvol.execution import CompositeLayer
from diat.kernel.clock import Clock
from diat.kernel.errors import Invalid, InvalidDocument, NotFound, Stale, Unavailable
from diat.operation.backup.shelf import Shelf
from diat.operation.inside import Inside
from diat.operation.preferences import Preferences
from diat.operation.recent import RecentLog
from diat.security.audit import Audit
from diat.security.decision import Decider
from diat.security.limits import Limits
from diat.security.people import People
from diat.security.policies import Policies
from diat.security.uses import Uses
from diat.service.crossing import Crossings
from diat.service.layer import ServiceLayer
from diat.service.obligations import Obligations
from diat.service.peers import Peers
from diat.service.placement.reviewing import Reviewer
from diat.service.situations import SituationLayer
from diat.vol.access import Access
from diat.vol.layer import VirtualObjectLayer
from diat.vol.models import Models
from diat.vol.recorded import Record
from diat.vol.releases import Releases
from diat.vol.rollouts import Rollouts
from diat.vol.thing import Property
from diat.wire.envelope import Garbled, read_json

T = TypeVar("T")
PATIENCE = 15.0
"""Seconds that a write waits for the database."""


class Platform(Protocol):
    """The daemon, as the routes see it."""

    things: VirtualObjectLayer
    composites: CompositeLayer
    services: ServiceLayer
    reviewer: Reviewer
    crossings: Crossings
    models: Models
    situations: SituationLayer
    releases: Releases
    rollouts: Rollouts
    history: History
    notices: KeptNotices
    record: Record
    clock: Clock
    name: str
    decider: Decider
    policies: Policies
    uses: Uses
    obligations: Obligations
    audit: Audit
    kept_audit: KeptAudit
    pseudonyms: bytes
    access: Access
    broker_secret: str
    people: People
    preferences: Preferences
    log: RecentLog
    backups: Shelf
    inside: Inside
    peers: Peers
    peer_client: PeerClient
    lookups: Lookups
    reached: dict[str, str | None]
    found: Callable[[], list[Seen]]
    tls: Tls | None
    pictures: Pictures

    @property
    def broker(self) -> BrokerAddress:
        """Where others reach the broker; without a credential."""

    def invitation(self) -> dict[str, Any]:
        """What a thing needs to join: ``address``, ``qr`` (SVG), and our ``authority``, each None if none."""

    def keep_join_key(self, key: str) -> None:
        """Keep the join key for ``invitation``."""

    def lets_in(self, user: str, password: str, client: str) -> bool:
        """Whether a client of a broker that is not ours may come in."""

    @property
    def trouble(self) -> str | None:
        """Why it cannot do its work just now; None if all is well."""

    @property
    def address(self) -> str:
        """Where others reach REST, as they call it; no slash at its end."""

    @property
    def lan(self) -> bool:
        """Whether it is open beyond loopback, and so asks for credentials everywhere."""

    @property
    def names(self) -> frozenset[str]:
        """The host names, in lower case, that it goes by beyond loopback."""

    @property
    def limits(self) -> Limits:
        """How much one may ask."""

    @property
    def stale_after(self) -> float:
        """Seconds of silence after which a thing counts as stale."""

    def restart(self) -> None:
        """End soon and start again."""

    def submit(self, change: Callable[[], T]) -> Future[T]:
        """Run a change in the writer, in a transaction of its own."""


async def _platform(request: Request) -> Platform:
    platform: Platform = request.app.state.platform
    return platform


async def _thing_id(
    request: Request, thing: Annotated[str, Path(description="The thing's TD id, percent-encoded")]
) -> str:
    return _segment_of(request, 2, thing)


async def _affordance(
    request: Request, name: Annotated[str, Path(description="The affordance's name, percent-encoded")]
) -> str:
    return _segment_of(request, 4, name)


def _segment_of(request: Request, at: int, decoded: str) -> str:
    """A segment of the path as it was sent, decoded once: with the slashes and percent signs it has."""
    raw: bytes | None = request.scope.get("raw_path")
    return decoded if raw is None else unquote(raw.partition(b"?")[0].decode("latin-1").split("/")[at])


async def _revision(
    if_match: Annotated[str | None, Header(description="ETag that must still hold")] = None,
) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    # A tag that is none of ours matches nothing.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


ThePlatform = Annotated[Platform, Depends(_platform)]
ThingId = Annotated[str, Depends(_thing_id)]
Affordance = Annotated[str, Depends(_affordance)]
IfMatch = Annotated[int | None, Depends(_revision)]
IdempotencyKey = Annotated[
    str | None, Header(max_length=200, description="Repeating a request with the same key does it once")
]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most")]
Offset = Annotated[int, Query(ge=0, le=2**53, description="How many to leave out first")]


def readable_property(platform: Platform, thing: str, name: str) -> Property:
    """A property that can be read.

    Raises:
        NotFound: there is no such thing or property.
        Invalid: it can only be written.
    """
    each = platform.things.registry.get(thing)
    prop = each.properties.get(name)
    if prop is None:
        raise NotFound(f"{each.td['title']} has no property {name!r}")
    if not prop.readable:
        raise Invalid(f"{name!r} is write only", name)
    return prop


def must_be_at(platform: Platform, thing: str, revision: int | None) -> None:
    """Do nothing if a thing is at this revision, or none is asked for.

    Raises:
        NotFound: there is no such thing.
        Stale: it is at another one.
    """
    at = platform.things.registry.get(thing).record.revision
    if revision is not None and revision != at:
        raise Stale(f"the thing is at revision {at}, not {revision}")


async def durably(platform: Platform, change: Callable[[], T], *, told: bool = True) -> T:
    """Run a change in the writer and wait until it is durable; with it goes what the audit says of it.

    Args:
        platform: whose writer.
        change: what to do.
        told: whether it is a change that the audit tells of, if a request that changes things asked for it.

    Raises:
        Unavailable: the database has not taken it for a while; it may still be done.
    """
    deed = DEED.get()
    if told and deed is not None and deed.changes:
        change = _recorded(platform, change, deed)
    done = asyncio.wrap_future(platform.submit(change))
    try:
        return await asyncio.wait_for(asyncio.shield(done), PATIENCE)
    except TimeoutError:
        raise Unavailable(f"{platform.trouble or 'the platform is busy'}; it may still be done") from None


def _recorded(platform: Platform, change: Callable[[], T], deed: Deed) -> Callable[[], T]:
    def recorded() -> T:
        result = change()
        platform.audit.note(deed.who, deed.did, "done", **deed.more)
        return result

    return recorded


class StrictRequest(Request):
    """A request whose JSON is JSON and no more: no NaN, no half surrogate pair, no bottomless nesting."""

    async def json(self) -> Any:
        """The body.

        Raises:
            JSONDecodeError: it is not JSON.
        """
        value = read_json(await self.body())
        if isinstance(value, Garbled):
            raise JSONDecodeError(value.reason, "", 0)
        return value


class StrictRoute(APIRoute):
    """A route that reads its body as a ``StrictRequest`` does."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, given the stricter request."""
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strictly


class DirectoryRoute(StrictRoute):
    """A route of the directory: what is wrong with a query answers 400, as W3C WoT Discovery has it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with its refusals translated."""
        handle = super().get_route_handler()

        async def translated(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                faults = [(".".join(map(str, each["loc"][1:])), each["msg"]) for each in error.errors()]
                raise InvalidDocument(*faults) from None

        return translated


async def json_body(request: Request) -> Any:
    """The body as JSON; None if there is none.

    Raises:
        Invalid: it is not JSON.
    """
    body = await request.body()
    if not body:
        return None
    value = read_json(body)
    if isinstance(value, Garbled):
        raise Invalid(f"the body is not JSON: {value.reason}")
    return value


def page(request: Request, response: Response, found: list[T], limit: int, **following: Any) -> list[T]:
    """A page of a list that was asked for with one more than ``limit``; tells where the next one is."""
    if len(found) > limit:
        asked = {**request.query_params, "limit": limit, **following}
        raw: bytes = request.scope.get("raw_path") or quote(request.url.path).encode()
        path = raw.partition(b"?")[0].decode("latin-1")
        base = str(request.base_url).rstrip("/")
        response.headers["Link"] = f'<{base}{path}?{urlencode(asked)}>; rel="next"'
    return found[:limit]


def base_url(request: Request) -> str:
    """The address that the client reached the platform by, without a slash at its end."""
    return str(request.base_url).rstrip("/")


def etag(revision: int) -> str:
    """A revision as an ETag."""
    return f'"{revision}"'


def segment(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe="")
