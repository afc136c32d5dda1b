"""How much one may ask, each for himself; and what is answered under a token ends when the token does."""

from __future__ import annotations

import time
from collections.abc import Callable

import anyio
import anyio.lowlevel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from diat.api.ports import Platform
from diat.api.problems import problem, slower
from diat.api.running import Running
from diat.security.accounts import Token
from diat.security.limits import AtOnce, Buckets
from diat.security.principal import LOCAL, Principal
from diat.wire.envelope import encode

ENDED = "the credential that this was asked with holds no longer as it did"
_STREAM = b"text/event-stream"


class Rationing:
    """ASGI middleware, behind the door; whoever works on this machine without a credential is not counted."""

    def __init__(self, app: ASGIApp, platform: Platform) -> None:
        limits = platform.limits
        self._app = app
        self._clock = platform.clock
        self._running = Running()
        platform.people.listen(self._running.ended)
        self._buckets = Buckets(limits.rate, limits.burst)
        self._requests = AtOnce(limits.at_once)
        self._streams = AtOnce(limits.streams)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 429 with the time after which to come again."""
        principal: Principal | None = scope.get("state", {}).get("principal")
        if scope["type"] != "http" or principal is None or principal is LOCAL:
            await self._app(scope, receive, send)
            return
        who = f"{principal.id} {principal.token}"
        wait = self._buckets.wait(who, time.monotonic())
        if wait:
            await slower(wait, "too many requests")(scope, receive, send)
        elif not self._requests.begin(who):
            await slower(1, "too many requests at once")(scope, receive, send)
        else:
            await self._answer(who, scope, receive, send)

    async def _answer(self, who: str, scope: Scope, receive: Receive, send: Send) -> None:
        credential: Token | None = scope["state"]["credential"]
        with self._running.under(credential.id if credential is not None else "") as life:
            if credential is not None:
                left = (credential.expires - self._clock()) / 1000
                life.deadline = anyio.current_time() + max(0.0, left)
            answer = _Answer(send, life.cancel, self._requests, self._streams, who)
            try:
                await self._app(scope, receive, answer.send)
            finally:
                answer.over()
        if answer.refused:
            await slower(1, "too many streams at once")(scope, receive, send)
        elif life.cancelled_caught:
            await answer.break_off(scope, receive)


class _Answer:
    """An answer as it is sent: whether it began, and whether it is a stream, which is counted by itself."""

    def __init__(
        self, send: Send, cancel: Callable[[], None], requests: AtOnce, streams: AtOnce, who: str
    ) -> None:
        self._send = send
        self._cancel = cancel
        self._requests = requests
        self._streams = streams
        self._who = who
        self._began = False
        self._streaming = False
        self.refused = False

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on, unless it is the beginning of one stream too many."""
        if message["type"] == "http.response.start":
            kind = next((value for name, value in message["headers"] if name.lower() == b"content-type"), b"")
            if kind.startswith(_STREAM):
                if not self._streams.begin(self._who):
                    self.refused = True
                    self._cancel()
                    await anyio.lowlevel.checkpoint()
                self._streaming = True
                self._requests.end(self._who)
            self._began = True
        await self._send(message)

    def over(self) -> None:
        """It is all sent, or will never be."""
        (self._streams if self._streaming else self._requests).end(self._who)

    async def break_off(self, scope: Scope, receive: Receive) -> None:
        """Say why it ends; what has begun and is no stream stays visibly incomplete."""
        if not self._began:
            await problem(401, "unauthenticated", ENDED)(scope, receive, self._send)
        elif self._streaming:
            event = b"event: ended\ndata: " + encode({"reason": ENDED}) + b"\n\n"
            await self._send({"type": "http.response.body", "body": event})
