"""What is being answered under which token, so that it ends when the token does."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable

import anyio


class Running:
    """Answers that have begun; used in the event loop, but ``ended`` from any thread.

    What has not begun yet was asked for in time, and may be what ends the token.
    """

    def __init__(self) -> None:
        self._scopes: defaultdict[str, set[anyio.CancelScope]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, token: str, scope: anyio.CancelScope) -> None:
        """An answer under a token has begun: the scope is cancelled when the token ends."""
        self._loop = asyncio.get_running_loop()
        self._scopes[token].add(scope)

    def over(self, token: str, scope: anyio.CancelScope) -> None:
        """It is all sent, or will never be; it need not have begun."""
        self._scopes[token].discard(scope)
        if not self._scopes[token]:
            del self._scopes[token]

    def ended(self, tokens: Iterable[str]) -> None:
        """These tokens hold no longer as they did: what runs under them ends."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel, list(tokens))

    def _cancel(self, tokens: list[str]) -> None:
        for token in tokens:
            for scope in list(self._scopes.get(token, ())):
                scope.cancel()
