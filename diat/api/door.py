"""The door: who asks is found out before any route is looked for, and nobody unknown comes past it."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from diat.api import arrivals, login_page, releases
from diat.api.ports import Platform
from diat.api.problems import problem, slower
from diat.security.accounts import PREFIX, Token, csrf_of, read
from diat.security.limits import Buckets
from diat.security.lockout import source
from diat.security.principal import LOCAL, Principal

COOKIE = "diat_session"
CSRF = "X-CSRF-Token"
OPEN = frozenset(
    {("GET", "/health/live"), ("GET", "/health/ready"), ("GET", login_page.PATH), ("POST", "/sessions")}
    # A broker shows a secret of its own.
    | {("POST", "/mqtt/auth"), ("POST", "/mqtt/acl")}
    # Nodes fetch firmware with no credential for REST; what counts there is its signature.
    | {("GET", releases.FILES)}
    # A gateway has no credential for REST either; a ticket lets it in, once.
    | {("PUT", arrivals.ARRIVALS)}
)
"""What is answered without a credential, whoever asks."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_SECRET = frozenset({"token", "access_token", "api_key", "apikey", "password"})
"""Names in a query under which people send what must not be in one."""


class Door:
    """ASGI middleware that finds out who asks, by requests and web sockets alike.

    It leaves in ``scope["state"]`` the ``principal``, and the ``credential`` that was shown if there was one.
    """

    def __init__(self, app: ASGIApp, platform: Platform) -> None:
        self._app = app
        self._platform = platform
        self._logins = Buckets(rate=5, burst=20)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in with its principal, or answer it with a problem document."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        entered = self._enter(scope)
        if isinstance(entered, Response):
            await entered(scope, receive, send)
            return
        if entered is not None:
            principal, credential = entered
            scope.setdefault("state", {}).update(principal=principal, credential=credential)
        await self._app(scope, receive, send)

    def _enter(self, scope: Scope) -> tuple[Principal, Token | None] | Response | None:
        """Who asks and by what; None for nobody, where that is enough; or the answer of the closed door."""
        if _tells_a_secret(scope["query_string"]):
            return problem(400, "bad-request", "secrets do not go in the address: it is kept in logs")
        socket = scope["type"] == "websocket"
        method = "GET" if socket or scope["method"] == "HEAD" else scope["method"]
        path = scope["path"]
        file = releases.is_file(path) if method == "GET" else method == "PUT" and arrivals.is_arrival(path)
        if not socket and (file or (method, path) in OPEN):
            return self._too_often(scope) if scope["path"] == "/sessions" else None
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        said = headers.get(b"authorization")
        known = self._bearer(said) if said is not None else self._session(headers)
        if known is not None:
            if said is None and socket and b"origin" not in headers:
                return problem(403, "origin", "a web socket with a session comes from a page of ours")
            return known if said is not None else self._from_our_page(known, method, headers)
        if said is None and not self._platform.lan:
            return LOCAL, None
        return _unknown(said is not None, method, headers)

    def _bearer(self, said: str) -> tuple[Principal, Token | None] | None:
        scheme, _, text = said.partition(" ")
        if scheme.lower() != "bearer":
            return None
        known = self._platform.people.who(text.strip(), self._platform.clock())
        # A session is for the browser that has its cookie, and comes with a check of its own.
        return None if known is not None and known[1] is not None and known[1].kind == "session" else known

    def _session(self, headers: Mapping[bytes, str]) -> tuple[Principal, Token | None] | None:
        known = self._platform.people.who(cookie_of(headers.get(b"cookie", "")), self._platform.clock())
        return known if known is not None and known[1] is not None and known[1].kind == "session" else None

    def _from_our_page(
        self, known: tuple[Principal, Token | None], method: str, headers: Mapping[bytes, str]
    ) -> tuple[Principal, Token | None] | Response:
        """Whether what changes something comes from a page of ours, which knows what no other page does."""
        secret = read(cookie_of(headers.get(b"cookie", "")))
        sent = headers.get(CSRF.lower().encode(), "")
        if method in _SAFE or (
            secret is not None and hmac.compare_digest(sent.encode(), csrf_of(secret[1]).encode())
        ):
            return known
        return problem(403, "csrf", f"what changes something is sent with the {CSRF} of the session")

    def _too_often(self, scope: Scope) -> Response | None:
        """The answer to whoever tries to log in too often, from wherever that is."""
        client = scope.get("client")
        wait = self._logins.wait(source(client[0] if client else ""), time.monotonic())
        return slower(wait, "too many tries to log in") if wait else None


def cookie_of(header: str) -> str:
    """The session that a browser sends along; empty if there is none."""
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _tells_a_secret(query: bytes) -> bool:
    if not query:
        return False
    said = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return any(name.lower() in _SECRET or value.startswith(PREFIX) for name, value in said)


def _unknown(shown: bool, method: str, headers: Mapping[bytes, str]) -> Response:
    """401; for somebody with a browser it is the page to log in on."""
    if not shown and method == "GET" and "text/html" in headers.get(b"accept", ""):
        return HTMLResponse(login_page.HTML, 401, login_page.HEADERS)
    detail = "the token is not valid" if shown else "log in, or send a token as Authorization: Bearer"
    answer = problem(401, "unauthenticated", detail)
    answer.headers["WWW-Authenticate"] = 'Bearer realm="diat"'
    return answer
