"""How much one may ask, each for himself; and what is answered under a token ends when the token does."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import anyio
import anyio.lowlevel
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from diat.api.ports import Platform
from diat.api.problems import problem, slower
from diat.api.running import Running
from diat.security.accounts import Token
from diat.security.limits import AtOnce, Buckets
from diat.security.principal import LOCAL, Principal
from diat.wire.envelope import encode

ENDED = "the credential that this was asked with holds no longer as it did"
PAUSE = 0.1
"""Seconds after which somebody is told that he asks too often."""
_STREAM = b"text/event-stream"
POLICY_VIOLATION = 1008
"""How a web socket is closed whose credential has ended (RFC 6455)."""


class Rationing:
    """ASGI middleware, behind the door; whoever works on this machine without a credential is not counted."""

    def __init__(self, app: ASGIApp, platform: Platform) -> None:
        limits = platform.limits
        self._app = app
        self._clock = platform.clock
        self._people = platform.people
        self._running = Running()
        platform.people.listen(self._running.ended)
        self._buckets = Buckets(limits.rate, limits.burst)
        self._requests = AtOnce(limits.at_once)
        self._streams = AtOnce(limits.streams)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 429 with the time after which to come again."""
        principal: Principal | None = scope.get("state", {}).get("principal")
        if scope["type"] == "lifespan" or principal is None or principal is LOCAL:
            await self._app(scope, receive, send)
            return
        who = f"{principal.id} {principal.token}"
        if scope["type"] == "websocket":
            await self._converse(who, scope, receive, send)
            return
        wait, detail = self._buckets.wait(who, time.monotonic()), "too many requests"
        if not wait and not self._requests.begin(who):
            wait, detail = 1.0, "too many requests at once"
        if not wait:
            await self._answer(who, scope, receive, send)
            return
        # A flood that is answered at once comes at once again, and to refuse it takes work too.
        await anyio.sleep(PAUSE)
        await slower(wait, detail)(scope, receive, send)

    async def _answer(self, who: str, scope: Scope, receive: Receive, send: Send) -> None:
        asking = _Asking(who, scope["state"]["principal"], scope["state"]["credential"])
        answer = _Answer(send, lambda stream: self._begin(asking, answer, stream=stream))
        try:
            with answer.life:
                await self._app(scope, receive, answer.send)
        finally:
            if asking.credential is not None:
                self._running.over(asking.credential.id, answer.life)
            (self._streams if answer.streaming else self._requests).end(who)
        if answer.refusal is not None:
            await answer.refusal(scope, receive, send)
        elif answer.life.cancelled_caught:
            await answer.break_off()

    async def _converse(self, who: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a web socket, which counts as a stream, go on as long as its credential holds."""
        credential: Token | None = scope["state"]["credential"]
        if not self._streams.begin(who):
            await slower(1, "too many streams at once")(scope, receive, send)
            return
        life = anyio.CancelScope()
        try:
            if credential is not None:
                left = (credential.expires - self._clock()) / 1000
                life.deadline = anyio.current_time() + max(0.0, left)
                self._running.begin(credential.id, life)
                if not self._people.holds(scope["state"]["principal"], credential):
                    life.cancel()
            with life:
                await self._app(scope, receive, send)
        finally:
            if credential is not None:
                self._running.over(credential.id, life)
            self._streams.end(who)
        if life.cancelled_caught:
            with suppress(RuntimeError):  # it was closed already
                await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": ENDED})

    def _begin(self, asking: _Asking, answer: _Answer, *, stream: bool) -> JSONResponse | None:
        """Why an answer must not begin, None if it may; from here on it ends with its credential."""
        who, credential = asking.who, asking.credential
        if credential is not None and not self._people.holds(asking.principal, credential):
            # What is done is done, and may be what ended it; but nothing more is told from here on.
            return problem(401, "unauthenticated", ENDED) if stream else None
        if stream:
            if not self._streams.begin(who):
                return slower(1, "too many streams at once")
            self._requests.end(who)
            answer.streaming = True
        if credential is not None:
            left = (credential.expires - self._clock()) / 1000
            answer.life.deadline = anyio.current_time() + max(0.0, left)
            self._running.begin(credential.id, answer.life)
        return None


class _Asking(NamedTuple):
    """Who asks, under which name it is counted, and with what."""

    who: str
    principal: Principal
    credential: Token | None


class _Answer:
    """An answer as it is sent.

    Attributes:
        life: what ends it when it is cancelled.
        streaming: whether it is a stream, which is counted by itself.
        refusal: what is answered in its stead.
    """

    def __init__(self, send: Send, begin: Callable[[bool], JSONResponse | None]) -> None:
        self._send = send
        self._begin = begin
        self.life = anyio.CancelScope()
        self.streaming = False
        self.refusal: JSONResponse | None = None

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on; if it must not begin, end it."""
        if message["type"] == "http.response.start":
            kind = next((value for name, value in message["headers"] if name.lower() == b"content-type"), b"")
            self.refusal = self._begin(kind.startswith(_STREAM))
            if self.refusal is not None:
                self.life.cancel()
                await anyio.lowlevel.checkpoint()
        await self._send(message)

    async def break_off(self) -> None:
        """Say why a stream ends; what is no stream stays visibly incomplete."""
        if self.streaming:
            event = b"event: ended\ndata: " + encode({"reason": ENDED}) + b"\n\n"
            await self._send({"type": "http.response.body", "body": event})
