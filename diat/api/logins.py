"""Logging in: a password or an invitation becomes a session."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from diat.api.door import cookie_of
from diat.api.ports import PATIENCE, Platform, durably
from diat.kernel.errors import Unauthenticated, Unavailable
from diat.security.accounts import Token, User
from diat.security.lockout import Lockout
from diat.security.passwords import hashed, verified
from diat.security.people import SESSION

T = TypeVar("T")
WRONG = "name or password is wrong"
_AT_ONCE = 2
"""Passwords that are verified at the same time: each takes 64 MiB."""


class Logins:
    """Who logs in; one for each application."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._lockout = Lockout()

    async def by_password(
        self, request: Request, platform: Platform, name: str, password: str
    ) -> tuple[Token, str]:
        """A session for somebody with the right password; who there is and who there is not looks the same.

        Raises:
            Unauthenticated: name or password is wrong.
            HTTPException: 429, one has to wait first.
        """
        now = platform.clock()
        address = request.client.host if request.client is not None else ""
        until = self._lockout.until(name, address, now)
        if until > now:
            wait = str(math.ceil((until - now) / 1000))
            raise HTTPException(429, "too many wrong passwords from there", {"Retry-After": wait})
        # It counts as wrong until it is right: many tries at the same time are as many tries.
        self._lockout.failed(name, address, now)
        user = platform.people.find(name)
        kept = user.password if user is not None and not user.disabled else None
        if not await self.in_turn(lambda: verified(password, kept)):
            raise Unauthenticated(WRONG)
        self._lockout.succeeded(name, address)
        return await _begin(request, platform, name)

    async def by_invitation(
        self, request: Request, platform: Platform, invitation: str, password: str
    ) -> tuple[Token, str]:
        """A session for somebody whose invitation holds, after the password is set.

        Raises:
            Unauthenticated: it does not hold, or no longer.
            Invalid: the password is too short.
        """

        def who() -> str:
            name = platform.people.invited(invitation, platform.clock())
            if name is None:
                raise Unauthenticated("the invitation is not valid: ask for another")
            return name

        who()
        kept = await self.in_turn(lambda: hashed(password))

        def change() -> User:
            # Asked once more: somebody else may have been faster with it.
            return platform.people.set_password(who(), kept)

        user = await durably(platform, change)
        return await _begin(request, platform, user.name)

    async def in_turn(self, work: Callable[[], T]) -> T:
        """Do what takes memory and time, two at a time.

        Raises:
            Unavailable: too many wait for it.
        """
        try:
            await asyncio.wait_for(self._turn.acquire(), PATIENCE)
        except TimeoutError:
            raise Unavailable("too many people log in at the same time") from None
        try:
            return await run_in_threadpool(work)
        finally:
            self._turn.release()


def logins(request: Request) -> Logins:
    """Those of the application."""
    found: Logins = request.app.state.logins
    return found


async def _begin(request: Request, platform: Platform, name: str) -> tuple[Token, str]:
    """Begin a session; one of the same user that the browser came with ends."""
    old = platform.people.who(cookie_of(request.headers.get("cookie", "")), platform.clock())

    def change() -> tuple[Token, str]:
        if old is not None and old[1] is not None and (old[1].kind, old[1].user) == ("session", name):
            platform.people.revoke(old[1].id)
        return platform.people.issue(name, platform.clock() + SESSION, kind="session", title="a browser")

    return await durably(platform, change)
