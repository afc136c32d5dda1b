"""The daemons below: gateways, what they pass on, and what their things are told (docs/decisions/0011).

A gateway is a thing (of ``@type`` diat:Gateway) that also speaks for others. The first gateway that announces
a thing has it: the thing is *tied* to it, and nobody else is heard for it until that gateway has given it up,
or a person says otherwise. What is in a frame is taken as if the thing had said it, in the same batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec import Struct

from diat.kernel.errors import Invalid
from diat.kernel.overlay import Ledger, Overlay
from diat.vol.dialects.port import Outgoing
from diat.vol.gateways import GatewayView, is_gateway, view
from diat.vol.intake import Intake
from diat.vol.interaction import Command, Interaction
from diat.vol.lives import MOST, Life
from diat.vol.registry import Registry
from diat.vol.thing import VirtualObject
from diat.vol.traffic import Flow, Traffic, packet, share, traffic
from diat.vol.twin import Cut, Status
from diat.wire import frame, topics
from diat.wire.envelope import Garbled, Message, encode, read_json

EDITED = "diat:edited"
"""The term by which a gateway's description says when people changed what of a thing."""
LIFE = 64
"""Characters of the name of a life that count."""


class Line(Struct, frozen=True, kw_only=True):
    """What is durable of the line to a gateway.

    Attributes:
        lives: of the gateway's store, as far as anything of theirs came (``diat.vol.lives``).
        seq: how far its spool had got with what came last.
        offered: what it says its lives are; it counts once something of this life comes.
        keeps: name of a thing to its affordances that policies there keep, each with the gateway it stays at.
    """

    lives: tuple[Life, ...] = ()
    seq: int = 0
    offered: tuple[Life, ...] = ()
    keeps: dict[str, dict[str, str]] = {}


class Hello(Struct, frozen=True):
    """What a gateway says first in each of its lives."""

    lives: list[Life]


_HELLO = msgspec.json.Decoder(Hello)
_KEEPS = msgspec.json.Decoder(dict[str, dict[str, str]])
_UNTOLD = msgspec.json.Decoder(dict[str, dict[str, tuple[int, float]]])


class Tiers:
    """Everything below this daemon; changed by the writer alone.

    Attributes:
        ties: name of a thing in topics to the gateway that has it.
        take: takes a message of a thing; the ingest's own.
        on_part: told of what a gateway says of its part of a service: gateway, service, what it says.
        note: notes a line of a thing among its diagnostics: id, line, when.
    """

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        intake: Intake,
        interaction: Interaction,
        ties: Iterable[tuple[str, str]] = (),
        lines: Iterable[tuple[str, Line]] = (),
    ) -> None:
        self._registry = registry
        self._intake = intake
        self._interaction = interaction
        self.ties: Overlay[str, str] = ledger.overlay("ties", ties)
        self._lines: Overlay[str, Line] = ledger.overlay("lines", lines)
        self._traffic: dict[str, Traffic] = {}
        self.take: Callable[[Message], None] = _nobody_takes
        self.on_part: Callable[[str, str, Any], None] = _nobody_works
        self.note: Callable[[str, str, int], None] = _nobody_notes

    # --- asked by any thread ---

    def gateways(self) -> list[GatewayView]:
        """The gateways that are joined to this daemon directly, by name."""
        things: dict[str, int] = {}
        for gateway in list(self.ties.committed.values()):
            things[gateway] = things.get(gateway, 0) + 1
        found = self._registry.some(list(self._registry.gateways.committed))
        direct = [each for each in found if each.wire not in self.ties.committed]
        twins = self._intake.twins.committed
        return sorted(
            (view(each, twins.get(each.id), things.get(each.wire, 0)) for each in direct),
            key=lambda each: each.name,
        )

    def gateway_of(self, thing: str) -> str | None:
        """Name of the gateway that brings a thing to this daemon; None if it comes by itself."""
        each = self._registry.objects.committed.get(thing)
        return self.ties.committed.get(each.wire) if each is not None and each.wire else None

    def kept(self, thing: str, affordance: str) -> str | None:
        """The gateway that an affordance of a thing may not leave; None if no policy below keeps it."""
        each = self._registry.objects.committed.get(thing)
        if each is None or not each.wire:
            return None
        line = self._lines.committed.get(self.ties.committed.get(each.wire) or "") or Line()
        return line.keeps.get(each.wire, {}).get(affordance)

    def traffic(self, gateway: str) -> Traffic:
        """What travelled between this daemon and a gateway."""
        known = self._traffic.get(gateway)
        if known is None:
            known = self._traffic[gateway] = traffic()
        return known

    # --- asked within the writer ---

    def tell(self, gateway: str, topic: str, payload: bytes) -> None:
        """Tell a gateway something, once this batch is committed: of one below another, by way of that."""
        way = self.ties.get(gateway) or gateway
        self._interaction.publish(self._down(way, [(topic, payload)]))

    def move(self, thing: str, gateway: str | None) -> None:
        """A person says which gateway has a thing from now on; None for whoever brings it next.

        Raises:
            NotFound: there is no such thing.
            Invalid: it is no thing that a gateway can have, or there is no such gateway.
        """
        each = self._registry.known(thing)
        if not each.wire:
            raise Invalid(f"what speaks {each.record.dialect} is not brought by gateways", "thing")
        if gateway is not None and not any(known.name == gateway for known in self.gateways()):
            raise Invalid(f"there is no gateway {gateway!r}", "gateway")
        before = self.ties.get(each.wire)
        if before is not None and before != gateway:
            self._answer(before, each.wire, "rejected", f"a person gave it to {gateway or 'others'}")
        if gateway is None:
            self.ties.remove(each.wire)
            return
        self.ties.put(each.wire, gateway)
        self._answer(gateway, each.wire, each.record.admission, each.record.reason)

    def refuses(self, name: str, through: str) -> str | None:
        """Why something said of a thing does not count, by whoever says it; None if it does."""
        tied = self.ties.get(name)
        if (tied or "") == through:
            return None
        if tied is not None:
            return f"it belongs to the gateway {tied}"
        known = self._registry.announcements.at(topics.announcement(name))
        return None if known is None else "it speaks for itself, not through a gateway"

    def passes(self, gateway: VirtualObject, message: Message) -> None:
        """Take what a gateway passes on."""
        entries = frame.unpack(message.payload)
        if isinstance(entries, Garbled):
            self._intake.reject(gateway.id, f"up: {entries.reason}", message.received)
            return
        self._intake.heard(gateway.id, message.received)
        counted = self.traffic(gateway.wire)
        size = packet(message.topic, message.payload)
        share(counted.up, counted.ups, size, ((topic, payload, part) for (topic, payload), part in entries))
        for (topic, payload), _ in entries:
            self._one(gateway, Message(topic, payload, message.received, qos=0, through=gateway.wire))

    def _one(self, gateway: VirtualObject, message: Message) -> None:
        if not message.topic:
            self._reached(gateway.wire, message.payload)
            return
        name = topics.named(message.topic)
        if name == gateway.wire:
            self._of_itself(gateway, message)
            return
        wrong = "it is no topic of a thing" if name is None else self.refuses(name, gateway.wire)
        announced = message.topic.startswith(topics.TD_PREFIX)
        if name is not None and announced and message.payload and self.ties.get(name) is None and not wrong:
            self.ties.put(name, gateway.wire)
        elif name is not None and not wrong and self.ties.get(name) is None:
            wrong = "it was not announced"
        if wrong or name is None:
            line = f"what it passes on of {message.topic[:100]} does not count: {wrong}"
            self._intake.reject(gateway.id, line, message.received)
            if name is not None and announced:
                self._answer(gateway.wire, name, "rejected", wrong or "")
        elif not announced and self._registry.announcements.at(topics.announcement(name)) is None:
            self._intake.reject(gateway.id, f"{name} was removed here", message.received)
        else:
            self.take(message)
            if announced:
                self._announced(name, message)

    def edited(self, each: VirtualObject) -> None:
        """A person changed something of a thing: its gateway takes what is newer than its own."""
        gateway = self.ties.get(each.wire) if each.wire else None
        record = each.record
        times = {key: at for key, at in record.edited.items() if key in record.patch}
        if gateway is not None and times:
            body = encode({"patch": {key: record.patch[key] for key in times}, "edited": times})
            self.tell(gateway, frame.edits(each.wire), body)

    def _announced(self, name: str, message: Message) -> None:
        """A gateway announced a thing, or took it back."""
        known = self._registry.announcements.at(message.topic)
        if known is None:
            self.ties.remove(name)
            return
        said = read_json(message.payload)
        times = said.get(EDITED) if isinstance(said, dict) else None
        if not isinstance(times, dict):
            return
        newer = {key: at for key, at in times.items() if type(at) is int}
        dropped = self._registry.overruled(known.thing, newer, message.received)
        if dropped:
            line = f"{', '.join(sorted(dropped))}: what people said at the gateway since holds"
            self.note(known.thing, line, message.received)

    def _of_itself(self, gateway: VirtualObject, message: Message) -> None:
        """What a gateway says of itself."""
        own = message.topic.removeprefix(f"diat/{gateway.wire}/")
        try:
            if own == "line":
                self._hello(gateway.wire, _HELLO.decode(message.payload), message.received)
            elif own == "untold":
                self._untold(gateway.wire, _UNTOLD.decode(message.payload))
            elif own == "keeps":
                line = self._lines.get(gateway.wire) or Line()
                keeps = _KEEPS.decode(message.payload)
                self._lines.put(gateway.wire, msgspec.structs.replace(line, keeps=keeps))
            elif own.startswith("parts/"):
                self.on_part(gateway.wire, own.removeprefix("parts/"), read_json(message.payload))
            elif topics.from_thing(message.topic) is not None and own != "up":
                self.take(message)
            else:
                self._intake.reject(gateway.id, f"up: {own[:100]} has no place there", message.received)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            self._intake.reject(gateway.id, f"{own[:100]}: {error}"[:300], message.received)

    def _hello(self, gateway: str, said: Hello, now: int) -> None:
        """A life of a gateway begins: tell it what was known of it before."""
        offered = tuple(Life(each.name[:LIFE], each.first) for each in said.lives[-MOST:])
        line = self._lines.get(gateway) or Line()
        self._lines.put(gateway, msgspec.structs.replace(line, offered=offered))
        body = encode({"lives": line.lives, "seq": line.seq, "t": now})
        self.tell(gateway, frame.line(gateway), body)

    def _reached(self, gateway: str, payload: bytes) -> None:
        """A frame of the present life came: from now on that life is known."""
        line = self._lines.get(gateway) or Line()
        if payload.isdigit() and len(payload) < len(str(2**62)):
            lived = line.offered or line.lives
            # Of a store that was put back it is not known what is the same as before.
            goes_on = not line.lives or line.lives[-1] in lived
            seq = max(line.seq, int(payload)) if goes_on else int(payload)
            self._lines.put(gateway, msgspec.structs.replace(line, lives=lived, seq=seq))

    def _untold(self, gateway: str, said: dict[str, dict[str, tuple[int, float]]]) -> None:
        known = self.traffic(gateway).untold
        for name, by in said.items():
            for affordance, (messages, size) in by.items():
                known[(name, affordance)] = Flow(size, messages)

    # --- whether they are there ---

    def turned(self, thing: str, status: Status, now: int) -> None:
        """A thing's status turned: if it is a gateway, its things are cut off with it."""
        each = self._registry.seen(thing)
        if each is None or not each.wire or not is_gateway(each.td) or status not in ("online", "offline"):
            return
        for name in [name for name, gateway in self.ties.items() if gateway == each.wire]:
            known = self._registry.announcements.at(topics.announcement(name))
            if known is None:
                continue
            twin = self._intake.twin(known.thing)
            if status == "offline" and twin.cut is None:
                before = twin.status
                self._intake.turn(known.thing, "offline", now)
                self._intake.changing(known.thing).cut = Cut(each.wire, before)
            elif status == "online" and twin.cut is not None:
                self._intake.changing(known.thing).cut = None
                self._intake.turn(known.thing, twin.cut.before, now)

    def forget(self, each: VirtualObject) -> None:
        """A thing is out of service: if it was a gateway, others may bring its things."""
        if each.wire and is_gateway(each.td):
            for name in [name for name, gateway in self.ties.items() if gateway == each.wire]:
                self.ties.remove(name)
            self._lines.remove(each.wire)

    # --- what goes down ---

    def wrap(self, outgoing: list[Command]) -> list[Command]:
        """Put what things of gateways are told into frames for these; what is a command in one of its own."""
        ties = self.ties.committed
        if not ties:
            return outgoing
        found: list[Command] = []
        gathered: dict[str, list[frame.Entry]] = {}
        for each in outgoing:
            topic = each.message.topic
            name = topics.named(topic)
            gateway = ties.get(name) if name is not None else None
            if gateway is None or topic == topics.down(name or ""):
                found.append(each)
            elif each.reference or not each.message.qos:
                told = self._down(gateway, [(topic, each.message.payload)], each.message.qos)
                found.append(Command(told, each.reference))
            else:
                gathered.setdefault(gateway, []).append((topic, each.message.payload))
        for gateway, entries in gathered.items():
            for at in range(0, len(entries), 200):
                found.append(Command(self._down(gateway, entries[at : at + 200])))
        return found

    def _down(self, gateway: str, entries: list[frame.Entry], qos: int = 1) -> Outgoing:
        made = Outgoing(topics.down(gateway), frame.frame(entries), qos)
        counted = self.traffic(gateway)
        sized = [(topic, payload, len(topic) + len(payload) + 5) for topic, payload in entries]
        share(counted.down, counted.downs, packet(made.topic, made.payload, qos), sized)
        return made

    def _answer(self, gateway: str, name: str, state: str, reason: str) -> None:
        self.tell(gateway, topics.admission(name), encode({"state": state, "reason": reason}))


def _nobody_takes(message: Message) -> None:
    """Stands in until there is an ingest."""


def _nobody_works(gateway: str, service: str, report: Any) -> None:
    """Stands in until services are divided."""


def _nobody_notes(thing: str, line: str, now: int) -> None:
    """Stands in until there are diagnostics."""
