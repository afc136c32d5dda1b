"""A page is driven by the person who opened it, from its own socket, and by nobody else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import socketio
from nicegui import Client

_NAMESPACE = "/"


def hold_to_own_pages(sio: socketio.AsyncServer) -> None:
    """Have NiceGUI take nothing for a page from a socket of somebody else, or one that did not open it."""
    handlers: dict[str, Callable[..., Any]] = sio.handlers[_NAMESPACE]
    for event in ("event", "javascript_response", "ack", "log"):
        handlers[event] = _from_within(sio, handlers[event])
    handlers["handshake"] = _by_its_owner(sio, handlers["handshake"])
    connect = handlers["connect"]

    async def connected(sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        asked = dict(pair.split("=", 1) for pair in environ.get("QUERY_STRING", "").split("&") if "=" in pair)
        if not _owns(environ, asked.get("client_id", "")):
            raise socketio.exceptions.ConnectionRefusedError("not your page")
        await connect(sid, environ, auth)

    handlers["connect"] = connected


def _from_within(sio: socketio.AsyncServer, handle: Callable[..., Any]) -> Callable[..., Any]:
    """The handler, for messages about the page that the socket has joined."""

    def handled(sid: str, message: dict[str, Any]) -> Any:
        return handle(sid, message) if message.get("client_id") in sio.rooms(sid) else None

    return handled


def _by_its_owner(
    sio: socketio.AsyncServer, handle: Callable[..., Awaitable[bool]]
) -> Callable[..., Awaitable[bool]]:
    async def handled(sid: str, message: dict[str, Any]) -> bool:
        return _owns(sio.get_environ(sid), str(message.get("client_id"))) and await handle(sid, message)

    return handled


def _owns(environ: dict[str, Any] | None, page: str) -> bool:
    """Whether whoever opened a socket is who asked for a page."""
    client = Client.instances.get(page)
    if client is None:
        return True  # NiceGUI tells the browser to load it anew
    comes = (environ or {}).get("asgi.scope", {}).get("state", {}).get("principal")
    return comes is not None and comes == client.request.scope["state"]["principal"]
