"""The upper side of a gateway: a session with the broker of the daemon above, in a thread of its own.

Frames go up with QoS 1 and a window; what was acknowledged leaves the spool. What comes down is
acknowledged once it is durable here. While the line is cut the thread only tries to connect; nothing
gathers in memory.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from diat.adapters.mqtt.link import MqttLink
from diat.kernel.clock import Clock
from diat.kernel.errors import DiatError
from diat.vol.dialects.port import Outgoing
from diat.vol.interaction import Command
from diat.wire import frame, topics
from diat.wire.envelope import Message, encode, read_json
from diat_gateway.credential import Joined
from diat_gateway.drain import Drain
from diat_gateway.figures import Figures
from diat_gateway.own_thing import description
from diat_gateway.pace import Pace
from diat_gateway.uplink import Uplink

_LOG = logging.getLogger("diat.line")
WINDOW = 16
"""Frames that the broker above may owe us an acknowledgement for."""
AGAIN = 5.0
"""Seconds until a line that broke by a fault of ours is made anew."""
PATIENCE = 1.0
"""Seconds between two looks when nothing urgent happens."""
DURABLE_WITHIN = 60.0
"""Seconds that what came down may take to be durable; after that it comes again."""
Submit = Callable[[Callable[[], Any]], Future[Any]]


class Session:
    """Drains the spool while the line is up.

    Attributes:
        connected: whether the line is up, and the daemon above knows this life of ours.
        refusal: why it is not, as far as that is known.
    """

    def __init__(
        self,
        joined: Joined,
        uplink: Uplink,
        drain: Drain,
        take: Callable[[list[Message]], None],
        submit: Submit,
        clock: Clock,
        figures: Figures,
        pace: Pace,
        title: str,
    ) -> None:
        """A session that does not run yet.

        Args:
            joined: where to connect, and with which credential.
            uplink: the lower end of the line, within the writer.
            drain: takes rows out of the spool.
            take: takes what came down, within the writer.
            submit: runs a change in the writer.
            clock: answers with the time.
            figures: what this gateway says of itself.
            pace: measures the line.
            title: what people call it.
        """
        self._joined = joined
        self._uplink = uplink
        self._drain = drain
        self._take = take
        self._submit = submit
        self._clock = clock
        self._figures = figures
        self._pace = pace
        self._title = title
        self._over = threading.Event()
        self._frames: dict[str, list[tuple[int, int]]] = {}
        self._acknowledged: list[tuple[int, int]] = []
        self._next = 0
        self._admitted = False
        self.connected = False
        self._link = self._connect()
        self._thread = threading.Thread(target=self._run, name="diat-line")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; what was not acknowledged is sent again at the next start."""
        self._over.set()
        self._link.wake()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def refusal(self) -> str | None:
        """Why the line is not up."""
        if self._link.up:
            return None if self._admitted else "a person has to accept this gateway above"
        return self._link.refusal or "not connected to the daemon above yet"

    def wake(self) -> None:
        """Something urgent waits; any thread may call it."""
        self._link.wake()

    def welcomed(self) -> None:
        """The daemon above has said what it knows of us."""
        self.connected = True
        self._link.wake()

    # --- the thread ---

    def _connect(self) -> MqttLink:
        name = self._uplink.name
        filters = [topics.admission(name), topics.credential(name)]
        if self._joined.known:
            filters.insert(0, topics.down(name))
        farewell = Outgoing(topics.status(name), b"offline", retain=True)
        return MqttLink(self._joined.address, name, filters, self._clock, farewell)

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                try:
                    self._link.wait(self._patience())
                    self._turn()
                except Exception:  # noqa: BLE001
                    # Whatever it was: a gateway without a line goes on, but it is to have one.
                    _LOG.exception("the line broke, and is made anew")
                    self._over.wait(AGAIN)
                    self._anew()
        finally:
            self._link.close()
            self._drain.close()

    def _anew(self) -> None:
        """Connect anew; what was on its way and not acknowledged goes again."""
        self._link.close()
        self._pace.broken()
        self._frames.clear()
        self._drain.rewind()
        self.connected = False
        self._link = self._connect()

    def _patience(self) -> float:
        return self._drain.patience(PATIENCE) if self.connected and self._link.up else PATIENCE

    def _turn(self) -> None:
        messages = self._link.take(200)
        if messages:
            self._hear(messages)
        for reference in self._link.receipts():
            if reference in self._frames:
                self._acknowledged += self._frames.pop(reference)
                self._pace.acknowledged(reference, time.monotonic())
        if self._acknowledged:
            done = self._acknowledged
            if self._durably(lambda: self._uplink.reach(done)):
                self._drain.gone(done)
                self._acknowledged = []
        if self._link.fresh():
            self._pace.broken()
            self._greet()
        if self._link.up and self.connected:
            self._fill()

    def _greet(self) -> None:
        """The connection is made anew: say who we are and that we are there."""
        name = self._uplink.name
        td = encode(description(name, self._title))
        self._send(Outgoing(topics.announcement(name), td, retain=True))
        self._send(Outgoing(topics.status(name), b"online", retain=True))
        # The daemon above may have been put back meanwhile: nothing goes before it has said what it knows.
        # It is asked that once it has said that we are admitted, which is retained.
        self.connected = False

    def _hello(self) -> None:
        if self._admitted and not self.connected:
            name = self._uplink.name
            body = encode({"lives": self._uplink.lives})
            self._send(Outgoing(topics.up(name), frame.frame([(frame.line(name), body)])))

    def _hear(self, messages: list[Message]) -> None:
        name = self._uplink.name
        down = [each for each in messages if each.topic == topics.down(name)]
        if down and not self._durably(lambda: self._take(down)):
            # What is not acknowledged comes again, but only by another connection.
            self._anew()
            return
        link = self._link
        for each in messages:
            if each.topic == topics.admission(name):
                self._answered(each.payload)
            elif each.topic == topics.credential(name) and self._joined.keep(each.payload):
                link.settle([each])
                self._anew()
                return
        link.settle(messages)

    def _answered(self, payload: bytes) -> None:
        said = read_json(payload)
        state = said.get("state") if isinstance(said, dict) else None
        self._admitted = state == "accepted" and self._joined.may_speak
        if state is not None and not self._admitted:
            _LOG.warning("the daemon above says of this gateway: %s", state)
        self._hello()

    def _fill(self) -> None:
        """Send frames as long as there is something, and room for it."""
        now = self._clock()
        while self._link.up and len(self._frames) < WINDOW and self._drain.may_send():
            # On a slow line something is always under way; on one that is dead figures must not pile up.
            extra = self._figures.due(now) if len(self._frames) < WINDOW // 2 else []
            entries, rows = self._drain.next()
            if not entries and not extra:
                return
            payload = frame.pack([*extra, *entries])
            self._next += 1
            reference = f"frame-{self._next}"
            self._link.send([Command(Outgoing(topics.up(self._uplink.name), payload), reference)])
            if reference not in self._link.handed_over:
                self._drain.again(rows)
                return
            self._frames[reference] = rows
            self._pace.sent(reference, len(payload), time.monotonic())
            self._drain.sent(topics.up(self._uplink.name), payload, sum(map(len, entries)))

    def _send(self, message: Outgoing) -> None:
        self._link.send([Command(message)])

    def _durably(self, change: Callable[[], None]) -> bool:
        """Run a change in the writer and wait until it is durable; whether it is."""
        try:
            self._submit(change).result(DURABLE_WITHIN)
        except (DiatError, TimeoutError) as error:
            _LOG.warning("nothing is acknowledged on the line: %s", error)
            return False
        return True
