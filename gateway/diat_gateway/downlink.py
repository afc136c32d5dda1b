"""What the daemon above tells a gateway, taken within the writer: acknowledged once it is durable."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from diat.kernel.clock import Clock
from diat.kernel.errors import DiatError
from diat.vol.diagnostics import STRANGERS
from diat.vol.layer import VirtualObjectLayer
from diat.vol.lives import Life, fork
from diat.vol.pushdown import Rule
from diat.wire import frame, topics
from diat.wire.envelope import Garbled, Message, read_json
from diat_gateway.state import OWN
from diat_gateway.uplink import Uplink

STEADY = 1_000
"""Milliseconds by which the clocks of two daemons may differ without it being said."""


class Welcome(msgspec.Struct, frozen=True):
    """The answer to a hello: what was known of us, and the time there."""

    lives: list[Life]
    seq: int
    t: int


class Config(msgspec.Struct, frozen=True):
    """What is asked for of a thing."""

    id: str
    report: dict[str, Rule]


_WELCOME = msgspec.json.Decoder(Welcome)
_CONFIG = msgspec.json.Decoder(Config)


class Downlink:
    """Takes what comes down; used by the writer alone.

    Attributes:
        on_claims: takes what is said of claims above; answers with what is wrong with it, if anything is.
        on_welcome: told that the daemon above knows this life of ours.
        renumber: gives what waits from a number on another store's name (``diat_gateway.restoring``).
    """

    def __init__(self, uplink: Uplink, things: VirtualObjectLayer, clock: Clock, life: str) -> None:
        self._uplink = uplink
        self._things = things
        self._clock = clock
        self._life = life
        self.renumber: Callable[[int], None] = _nobody_counts
        self.on_claims: Callable[[bytes], str | None] = _nobody_wants
        self.on_welcome: Callable[[], None] = _nobody_waits

    def take(self, messages: Sequence[Message]) -> None:
        """Take messages on ``down``."""
        for message in messages:
            entries = frame.unpack(message.payload)
            if isinstance(entries, Garbled):
                self._note(f"down: {entries.reason}")
                continue
            for (topic, payload), _ in entries:
                self._one(topic, payload)
        self._things.ingest.finish(self._clock())

    def _one(self, topic: str, payload: bytes) -> None:
        uplink, name = self._uplink, topics.named(topic)
        passed = uplink.passed.get(name) if name is not None else None
        if name is not None and topic.startswith(f"diat/{name}/parts/") and name != uplink.name:
            self._elsewhere(name, topic, payload)
        elif name == uplink.name:
            if topic == frame.line(name):
                self._welcome(payload)
            elif topic == frame.claims(name):
                wrong = self.on_claims(payload)
                if wrong is not None:
                    self._note(wrong)
            elif topic.startswith(f"diat/{name}/parts/"):
                uplink.on_told(topic, payload)
        elif name is not None and passed is not None:
            wrong = self._of_thing(name, passed.thing, topic, payload)
            if wrong is not None:
                self._things.diagnostics.note(passed.thing, f"from above: {wrong}", self._clock())

    def _of_thing(self, name: str, thing: str, topic: str, payload: bytes) -> str | None:
        """Take what a thing of ours is told; what is wrong with it, if anything is."""
        if topic == topics.announcement(name):
            if not payload:
                self._removed(thing)
            return None
        channel = topic.removeprefix(f"diat/{name}/")
        if channel == "admission":
            said = read_json(payload)
            state = said.get("state") if isinstance(said, dict) else None
            if state in ("accepted", "pending", "rejected"):
                self._uplink.admitted(name, state)
            return f"it is rejected there: {said.get('reason')}"[:300] if state == "rejected" else None
        if channel == "set" or channel.startswith("actions/"):
            own = self._uplink.own.get(OWN)
            offset = own.offset if own is not None else 0
            return self._uplink.commands.take(name, thing, channel, payload, self._clock(), offset)
        if channel == "config":
            return self._config(name, payload)
        if channel == "edits":
            return self._edits(thing, payload)
        return f"{channel[:100]}: nobody here knows what that is"

    def _elsewhere(self, name: str, topic: str, payload: bytes) -> None:
        """What is of parts of services, and not for us, may be for a gateway below."""
        tiers = self._things.tiers
        if any(each.name == name for each in tiers.gateways()):
            tiers.tell(name, topic, payload)

    def _welcome(self, payload: bytes) -> None:
        try:
            said = _WELCOME.decode(payload)
        except msgspec.MsgspecError as error:
            self._note(f"line: {error}"[:300])
            return
        own = self._uplink.own.get(OWN)
        if own is None:
            return
        if own.welcome == self._life:
            # It knew this life already; unless it was put back, it still does.
            if not said.lives or said.lives[-1].name != self._life or said.seq < self._uplink.reached:
                self._uplink.again()
            self.on_welcome()
            return
        offset = said.t - self._clock()
        if abs(offset - own.offset) > STEADY:
            own = msgspec.structs.replace(own, offset=offset if abs(offset) > STEADY else 0)
        first = fork(own.lives, said.lives, said.seq)
        lost = said.seq < self._uplink.reached and first is None
        self._uplink.own.put(OWN, msgspec.structs.replace(own, welcome=self._life))
        if first is not None:
            self._note(f"this store was put back: what it counted from {first} on goes up under another name")
            self.renumber(first)
        if lost:
            self._uplink.again()
        self.on_welcome()

    def _removed(self, thing: str) -> None:
        """A person took a thing out of service above."""
        if self._things.registry.seen(thing) is not None:
            try:
                self._things.retire(thing)
            except DiatError as error:
                self._note(f"{thing}: removed above, but {error}")

    def _config(self, name: str, payload: bytes) -> str | None:
        if not payload:
            self._uplink.ask(name, {})
            return None
        try:
            said = _CONFIG.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return f"config: {error}"[:300]
        passed = self._uplink.passed.get(name)
        if passed is None or passed.rules == said.report:
            return None
        self._uplink.ask(name, said.report)
        self._uplink.answer(name, {"id": said.id, "status": "completed"})
        return None

    def _edits(self, thing: str, payload: bytes) -> str | None:
        said = read_json(payload)
        if not isinstance(said, dict) or not isinstance(said.get("edited"), dict):
            return "edits: neither patch nor edited"
        own = self._uplink.own.get(OWN)
        offset = own.offset if own is not None else 0
        try:
            self._things.edited(thing, said.get("patch") or {}, said["edited"], offset)
        except DiatError as error:
            return f"edits: {error}"[:300]
        return None

    def _note(self, line: str) -> None:
        self._things.diagnostics.note(STRANGERS, line, self._clock())


def _nobody_counts(first: int) -> None:
    """Stands in until there is a spool."""


def _nobody_wants(payload: bytes) -> str | None:
    """Stands in until somebody takes claims."""
    return None


def _nobody_waits() -> None:
    """Stands in until there is a session."""
