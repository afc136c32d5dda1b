"""Native things that run the firmware itself (``firmware/diat_node``), on CPython, many in one thread.

In a wheel, and after ``make setup``, that is the package ``diat_node`` beside ``diat``; in a tree that
nothing was installed from, ``firmware/`` is put at the end of the path.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from diat.kernel.errors import SetupError
from diat.wire.envelope import Garbled, encode, read_json

if TYPE_CHECKING:
    from diat_node.life import Life
    from diat_node.node import Node

T = TypeVar("T")


class Broker(Protocol):
    """Where the broker is, and as whom to connect."""

    @property
    def host(self) -> str:
        """Name or address."""

    @property
    def port(self) -> int:
        """TCP port."""

    @property
    def username(self) -> str | None:
        """None to connect without a credential."""

    @property
    def password(self) -> str | None:
        """None unless there is a user name."""


Setter = Callable[[Any], Any]
"""Takes the value that a property shall have and answers with the one it now has.

A ``ValueError`` fails the command; its text is the reason.
"""
Configured = Callable[[Mapping[str, Any]], None]
"""Takes what ``config`` says, each time that it comes; a ``ValueError`` is answered as its failure."""
Performer = Callable[[Any], Any]
"""Takes the input of an action (None if there is none) and answers with its output, or ``ValueError``."""
_SECOND_LOOK = 0.005


def find_firmware() -> None:
    """Make ``diat_node`` importable.

    Raises:
        SetupError: it is neither installed nor in this tree.
    """
    if importlib.util.find_spec("diat_node") is not None:
        return
    beside = Path(__file__).parents[2] / "firmware"
    if not (beside / "diat_node").is_dir():
        raise SetupError("the firmware (the package diat_node) is not installed with this diat")
    sys.path.append(str(beside))


class Loop:
    """The thread in which the nodes of this process live; it runs while there are any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def enter(self) -> None:
        """One more node lives here."""
        with self._lock:
            self._users += 1
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="nodes", daemon=True)
                self._thread.start()

    def leave(self) -> None:
        """One less."""
        with self._lock:
            self._users -= 1
            if self._users or self._loop is None or self._thread is None:
                return
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        asyncio.run_coroutine_threadsafe(_last_tasks_end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def here(self) -> bool:
        """Whether the caller is this thread."""
        return threading.current_thread() is self._thread

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Have something done there, and wait for it."""
        loop = self._loop
        assert loop is not None
        return asyncio.run_coroutine_threadsafe(work, loop).result()


_LOOP = Loop()


async def _last_tasks_end() -> None:
    """A life cancels its tasks when it ends; they are given the time to close what they hold."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class NativeNode:
    """A native thing: a ``Node`` of the firmware with its ``Life``.

    What it reports is numbered, kept while there is no broker, and sent in order; commands are performed
    once, also across a kill if there is a ``memory``.

    Args:
        address: the broker, and as whom to come.
        thing: its name in topics.
        td: its Thing Description without ``forms``; a property is writable if it has a setter.
        setters: what to do when a property is set.
        performers: what to do when an action is invoked.
        configured: what to do with ``config`` besides the steps that a node takes by itself.
        memory: folder that stands for its flash; None remembers within the process only.
        boot: what to send as ``b``; it must never come again for this thing.
        config: more of what ``diat.json`` says; see firmware/README.md.

    Attributes:
        life: the life that it lives; to be changed in its own thread alone.
    """

    def __init__(
        self,
        address: Broker,
        thing: str,
        td: Mapping[str, Any],
        *,
        setters: Mapping[str, Setter] | None = None,
        performers: Mapping[str, Performer] | None = None,
        configured: Configured | None = None,
        memory: Path | None = None,
        boot: int | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        find_firmware()
        from diat_node.board import Board

        self.thing = thing
        node = described(thing, td, setters or {}, performers or {})
        told: dict[str, Any] = {
            "thing": thing,
            "host": address.host,
            "port": address.port,
            "folder": None if memory is None else str(memory),
            "first": 0.2,
            "cap": 3,
            "keepalive": 15,
            "health": 0,
            "ring": 200_000,
            "rate": 10_000,
            "largest": 65_536,
            **(config or {}),
        }
        if address.username is not None:
            told |= {"username": address.username, "password": address.password}
        self.life: Life = _life_of(configured)(node, told, Board())
        if boot is not None:
            self.life.ring.boot = boot
        self._living: asyncio.Task[None] | None = None

    @property
    def boot(self) -> int:
        """What it sends as ``b``."""
        return self.life.ring.boot

    def start(self) -> None:
        """Connect and announce, now or as soon as there is a broker; returns at once."""
        _LOOP.enter()
        _LOOP.run(self._begin())

    def stop(self) -> None:
        """Leave, after at most a second in which what is on its way gets there."""
        if self._living is None:
            return
        if self.wait_connected(0):
            self.drain(1.0)
        _LOOP.run(self._end())
        _LOOP.leave()

    def wait_connected(self, timeout: float) -> bool:
        """Whether the node is on line within so many seconds."""
        return _within(timeout, self.life.online.is_set)

    def drain(self, timeout: float) -> bool:
        """Whether the broker has everything within so many seconds."""
        life = self.life
        return _within(timeout, lambda: not len(life.ring) and not life.ring.lost and not life.inbox)

    @property
    def unacknowledged(self) -> frozenset[int]:
        """The ``n`` of what the broker does not have for certain."""
        ring = self.life.ring
        return frozenset(range(ring.n - len(ring) + 1, ring.n + 1))

    def report(self, values: Mapping[str, Any], *, t: int | None = None) -> int:
        """Report values of properties, observed now or at ``t`` (Unix milliseconds); gives its ``n``."""
        return self._do(lambda: self._push(values, t))

    def emit(self, event: str, data: Any = None) -> int:
        """Tell of an event; gives its ``n``."""
        return self._do(lambda: self.life.tell(event, data))

    def _push(self, values: Mapping[str, Any], t: int | None) -> int:
        life = self.life
        stamp = life.clock.stamp() if t is None else t
        life.push([(name, value, stamp) for name, value in values.items()])
        return life.ring.n

    def _do(self, work: Callable[[], int]) -> int:
        """Do something with the life, in its own thread if it lives already."""
        if self._living is None or _LOOP.here():
            return work()

        async def there() -> int:
            return work()

        return _LOOP.run(there())

    async def _begin(self) -> None:
        self._living = asyncio.create_task(self.life.live())

    async def _end(self) -> None:
        assert self._living is not None
        self.life.end()
        await self._living
        self._living = None


def described(
    thing: str, td: Mapping[str, Any], setters: Mapping[str, Setter], performers: Mapping[str, Performer]
) -> Node:
    """A node that is as a Thing Description says."""
    from diat_node.node import Action, Property

    parts = ("title", "properties", "actions", "events")
    node = _node_of(td.get("diat:pushdown"))(
        thing, td.get("title"), **{key: value for key, value in td.items() if key not in parts}
    )
    for name, schema in td.get("properties", {}).items():
        node.properties[name] = Property(name, dict(schema), None, setters.get(name), 10)
    for name, schema in td.get("actions", {}).items():
        node.actions[name] = Action(name, partial(_perform, performers[name]), dict(schema))
    node.events.update(td.get("events", {}))
    return node


def _node_of(steps: Any) -> type[Node]:
    """The kind of node: one that says itself which steps it takes, or one that takes all."""
    from diat_node.node import Node

    if steps is None:
        return Node

    class Own(Node):
        def td(self) -> dict[str, Any]:
            return {**super().td(), "diat:pushdown": steps}

    return Own


def _life_of(configured: Configured | None) -> type[Life]:
    """The kind of life: one in which somebody else hears of ``config`` as well, or the plain one."""
    from diat_node.life import Life

    if configured is None:
        return Life
    take = configured

    class Own(Life):
        async def _answer(self, channel: str, payload: bytes, whole: Any) -> Any:
            answer = await super()._answer(channel, payload, whole)  # type: ignore[misc]
            said = read_json(payload) if channel == "config" and payload else {}
            if channel != "config" or isinstance(said, Garbled) or not isinstance(said, dict):
                return answer
            try:
                take(said)
            except ValueError as wrong:
                return encode({"id": said.get("id"), "status": "failed", "error": str(wrong)[:300]})
            return answer

    return Own


def _perform(performer: Performer, given: Any = None) -> Any:
    return performer(given)


def _within(timeout: float, holds: Callable[[], object]) -> bool:
    deadline = time.monotonic() + timeout
    while not holds():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_SECOND_LOOK)
    return True
