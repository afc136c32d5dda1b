"""What is being answered under which token, so that it ends when the token does."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import anyio


class Running:
    """Requests that are being answered; used in the event loop, but ``ended`` from any thread."""

    def __init__(self) -> None:
        self._scopes: defaultdict[str, set[anyio.CancelScope]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def under(self, token: str) -> Iterator[anyio.CancelScope]:
        """Answer a request under a token; the scope is cancelled when that ends."""
        self._loop = asyncio.get_running_loop()
        with anyio.CancelScope() as scope:
            self._scopes[token].add(scope)
            try:
                yield scope
            finally:
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
