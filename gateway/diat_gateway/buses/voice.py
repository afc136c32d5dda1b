"""One MQTT session that speaks for many things, as native things speak (docs/reference/topics.md).

What the broker has not acknowledged is sent again with the same ``(b, n)``. When ``BACKLOG`` messages wait,
new ones are given up, and the next one says which. A command is acknowledged when its result is published:
whoever kills us in between brings it again, and it is answered from memory.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
import paho.mqtt.client as paho
from msgspec import Struct
from paho.mqtt.enums import CallbackAPIVersion

from diat.adapters.brokers.address import BrokerAddress
from diat.kernel.clock import Clock
from diat.kernel.ids import random_id
from diat.wire import topics
from diat.wire.envelope import encode
from diat_gateway.buses.memory import Memory, Outcome

BACKLOG = 20_000
"""Messages that may wait for the broker."""
KEEPALIVE = 30
SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
"""Seconds between two attempts to connect."""


class Driven(Protocol):
    """What performs commands; see ``diat_gateway.buses.device.Device``."""

    async def set(self, command: str, values: Mapping[str, Any]) -> Outcome:
        """Set properties."""

    async def invoke(self, command: str, name: str, value: Any) -> Outcome:
        """Invoke an action."""

    def repeatable(self, action: str) -> bool:
        """Whether an action may be performed twice."""


class _Command(Struct):
    id: str
    v: dict[str, Any] = {}
    input: Any = None
    expires: int | float | None = None


class _Spoken(Struct):
    """A thing that is spoken for."""

    driven: Driven
    n: int = 0
    lost: tuple[int, int] | None = None


_DECODE = msgspec.json.Decoder(_Command).decode


class Voice:
    """Speaks for things. Its methods are for the thread of the loop.

    Args:
        address: of the broker, with the credential.
        client_id: by which the broker keeps commands while we are away.
        memory: what was done already.
        clock: Unix milliseconds.
    """

    def __init__(self, address: BrokerAddress, client_id: str, memory: Memory, clock: Clock) -> None:
        self._address = address
        self._memory = memory
        self._clock = clock
        self._boot = random_id()
        self._spoken: dict[str, _Spoken] = {}
        self._under_way: dict[str, asyncio.Task[Outcome]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._connected = threading.Event()
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False, manual_ack=True
        )
        client.max_inflight_messages_set(1000)
        client.max_queued_messages_set(BACKLOG)
        if address.username is not None:
            client.username_pw_set(address.username, address.password)
        if address.tls:
            client.tls_set_context(address.encryption())
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_away
        client.on_disconnect = self._on_away
        client.on_message = self._on_message

    def start(self) -> None:
        """Connect, again and again; returns at once."""
        self._on_away()
        self._client.connect_async(self._address.host, self._address.port, KEEPALIVE)
        self._client.loop_start()

    async def stop(self) -> None:
        """Say that all are offline, and disconnect."""
        for name in list(self._spoken):
            self.available(name, False)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._leave()

    @property
    def connected(self) -> bool:
        """Whether the broker takes what we say."""
        return self._connected.is_set()

    # --- what is said ---

    def speak_for(self, name: str, driven: Driven, announcement: bytes | None = None) -> None:
        """Begin to speak for a thing; announce it, unless the platform knows it already."""
        self._spoken[name] = _Spoken(driven)
        if announcement is not None:
            self._client.publish(topics.announcement(name), announcement, qos=1, retain=True)
        if self.connected:
            self._client.subscribe([(each, 1) for each in _commands(name)])

    def fall_silent(self, name: str, *, withdraw: bool) -> None:
        """Speak no more for a thing; take its announcement back if it is gone for good."""
        self._spoken.pop(name, None)
        self._client.unsubscribe(list(_commands(name)))
        self._client.publish(topics.status(name), b"offline", qos=1, retain=True)
        if withdraw:
            self._client.publish(topics.announcement(name), b"", qos=1, retain=True)

    def available(self, name: str, available: bool) -> None:
        """Say whether a thing is there."""
        self._client.publish(topics.status(name), b"online" if available else b"offline", qos=1, retain=True)

    def values(self, name: str, values: Mapping[str, Any]) -> None:
        """Say what was read just now."""
        spoken = self._spoken.get(name)
        if spoken is None:
            return
        spoken.n += 1
        report: dict[str, Any] = {"b": self._boot, "n": spoken.n, "t": self._clock(), "v": values}
        reports = [report] if spoken.lost is None else [{"b": self._boot, "lost": spoken.lost}, report]
        told = self._client.publish(topics.properties(name), encode(reports), qos=1)
        if told.rc == paho.MQTT_ERR_QUEUE_SIZE:
            spoken.lost = (spoken.lost[0] if spoken.lost else spoken.n, spoken.n)
        else:
            spoken.lost = None

    # --- commands ---

    def _on_message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        if message.retain:
            client.ack(message.mid, message.qos)
            return
        said = (message.topic, bytes(message.payload), message.mid, message.qos)
        self._loop.call_soon_threadsafe(self._taken, *said)

    def _taken(self, topic: str, payload: bytes, mid: int, qos: int) -> None:
        task = self._loop.create_task(self._commanded(topic, payload, mid, qos))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _commanded(self, topic: str, payload: bytes, mid: int, qos: int) -> None:
        _, name, what = topic.split("/", 2)
        spoken = self._spoken.get(name)
        try:
            command = _DECODE(payload)
        except msgspec.MsgspecError:
            command = None  # without an id there is nobody to answer
        if spoken is not None and command is not None:
            outcome = self._memory.outcome(command.id) or await self._once(spoken.driven, what, command)
            self._client.publish(topics.results(name), encode(outcome), qos=1)
        self._client.ack(mid, qos)

    async def _once(self, driven: Driven, what: str, command: _Command) -> Outcome:
        """Perform a command; one that comes twice meanwhile waits for the same end."""
        task = self._under_way.get(command.id)
        if task is None:
            task = self._loop.create_task(self._perform(driven, what, command))
            self._under_way[command.id] = task
            task.add_done_callback(lambda _: self._under_way.pop(command.id, None))
        return await asyncio.shield(task)

    async def _perform(self, driven: Driven, what: str, command: _Command) -> Outcome:
        if command.expires is not None and self._clock() > command.expires:
            outcome = Outcome(command.id, "expired")
        elif what == "set":
            outcome = await driven.set(command.id, command.v)
        else:
            action = what.removeprefix("actions/")
            if not driven.repeatable(action):
                self._memory.begin(command.id)
            outcome = await driven.invoke(command.id, action, command.input)
        self._memory.finish(outcome)
        return outcome

    # --- the connection, in paho's thread ---

    def _on_connect(self, client: paho.Client, userdata: Any, flags: Any, reason: Any, more: Any) -> None:
        if reason.is_failure:
            return
        names = list(self._spoken)
        for at in range(0, len(names), 100):
            filters = [(each, 1) for name in names[at : at + 100] for each in _commands(name)]
            client.subscribe(filters)
        self._connected.set()

    def _on_away(self, *_: Any) -> None:
        self._connected.clear()
        pause = random.uniform(SHORTEST_PAUSE, LONGEST_PAUSE if self._spoken else SHORTEST_PAUSE)
        # paho's own waits are whole seconds without chance; setting both ends makes it wait exactly this.
        self._client.reconnect_delay_set(pause, pause)  # type: ignore[arg-type]

    def _leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def _commands(name: str) -> tuple[str, str]:
    return topics.setting(name), topics.action(name, "+")
