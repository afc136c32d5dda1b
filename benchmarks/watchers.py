"""``python -m benchmarks.watchers URL COUNT``: plain clients of the dashboard, without a browser.

Each fetches a page, opens both web sockets that a browser opens for it, watches what the page shows, and
answers pings. When all of them are there it prints ``ready``; it ends when its standard input closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
import re
import sys
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

PAGES = ("/things", "/", "/things?offset=50", "/places", "/services", "/thing?id={thing}", "/tiers")
"""What they look at, by turns."""
ON_SCREEN = 40
"""Values that fit on a screen."""
_VALUE = re.compile(r'<diat-value thing=\\?"([^"\\]+)\\?" name=\\?"([^"\\]+)\\?"')
_WATCH = re.compile(r'"of":"(\w+)"')


async def watch(url: str, number: int, ready: asyncio.Semaphore) -> None:
    """One of them, until it is cancelled."""
    async with httpx.AsyncClient(timeout=60) as client:
        things = (await client.get(f"{url}/overview/things", params={"limit": 50})).json()
        path = PAGES[number % len(PAGES)].format(thing=things[number % len(things)]["id"])
        page = (await client.get(f"{url}/ui{path}")).text
    shown = html.unescape(page)
    values = [["value", html.unescape(thing), html.unescape(name)] for thing, name in _VALUE.findall(shown)]
    watched = values[:ON_SCREEN] + [[kind] for kind in _WATCH.findall(shown)]
    if path == "/":
        watched.append(["figures"])
    page_id = page.partition("'client_id': '")[2].partition("'")[0]
    root = url.replace("http", "ws", 1) + "/ui"
    query = f"EIO=4&transport=websocket&client_id={page_id}&tab_id=t{number}&document_id=d{number}"
    address = f"{root}/_nicegui_ws/socket.io/?{query}&next_message_id=0&implicit_handshake=true"
    async with connect(address, proxy=None) as page_socket, connect(f"{root}/live", proxy=None) as live:
        await page_socket.recv()
        await page_socket.send("40")
        await live.send(json.dumps({"on": {str(at): what for at, what in enumerate(watched)}}))
        ready.release()
        await asyncio.gather(_answer(page_socket), _take(live))


async def _answer(socket: ClientConnection) -> None:
    async for message in socket:
        if message == "2":
            await socket.send("3")


async def _take(socket: ClientConnection) -> None:
    async for _ in socket:
        pass


async def _main(url: str, count: int) -> None:
    ready = asyncio.Semaphore(0)
    tasks: list[asyncio.Future[Any]] = [
        asyncio.create_task(watch(url, number, ready)) for number in range(count)
    ]
    begun: asyncio.Future[Any] = asyncio.gather(*(ready.acquire() for _ in tasks))
    await asyncio.wait([begun, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        if task.done():
            task.result()
    await begun
    print("ready", flush=True)
    ended: asyncio.Future[Any] = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    await asyncio.wait([ended, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
