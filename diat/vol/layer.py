"""The Virtual Object Layer as one: its parts put together, and what may be asked of it from above."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from msgspec import Struct

from diat.kernel.clock import Clock
from diat.kernel.errors import Invalid
from diat.kernel.ids import NewId
from diat.kernel.overlay import Ledger
from diat.vol.access import Access
from diat.vol.announcements import Announced, Announcements, Buried
from diat.vol.arbitration import Actuator
from diat.vol.birth import Birth
from diat.vol.diagnostics import STRANGERS, Diagnostic, Diagnostics
from diat.vol.dialects.directory import DIRECTORY, Bridge, Directory
from diat.vol.dialects.port import Dialect, Outgoing
from diat.vol.entries import Entries
from diat.vol.foreign import ForeignMessages
from diat.vol.gateways import is_gateway
from diat.vol.ingest import Ingest
from diat.vol.intake import Intake
from diat.vol.interaction import Actuation, Command, Interaction
from diat.vol.journal import Journal
from diat.vol.lapses import Lapses
from diat.vol.mirror import Mirror
from diat.vol.native import NativeMessages
from diat.vol.notices import Notices
from diat.vol.observers import Observers
from diat.vol.onboarding import Onboarding
from diat.vol.pushdown import PushDown, Pushed
from diat.vol.registry import Registry
from diat.vol.retirement import Retirement
from diat.vol.tap import Tap
from diat.vol.thing import Admission, ThingRecord, VirtualObject
from diat.vol.tiers import Line, Tiers
from diat.vol.twin import Status, Twin
from diat.vol.waiting import Held, WaitingRoom
from diat.wire import topics
from diat.wire.envelope import encode

CLOCK_EVERY = 10_000
"""Milliseconds between two messages on ``diat/clock``."""


class Kept(Struct, kw_only=True):
    """What the database knows of this layer at the start; ``pending`` in the order in which it was given."""

    records: Iterable[ThingRecord] = ()
    announced: Iterable[Announced] = ()
    buried: Iterable[tuple[str, Buried]] = ()
    twins: Iterable[tuple[str, Twin]] = ()
    held: Iterable[tuple[int, Held]] = ()
    diagnostics: dict[str, tuple[Diagnostic, ...]] = {}
    pending: Iterable[Actuation] = ()
    actuators: Iterable[tuple[str, Actuator]] = ()
    pushed: Iterable[tuple[str, Pushed]] = ()
    ties: Iterable[tuple[str, str]] = ()
    lines: Iterable[tuple[str, Line]] = ()
    position: int = 0


class VirtualObjectLayer:
    """All virtual objects of a daemon, and the one way to drive them.

    Everything but reading ``committed`` state happens in the writer's thread.
    """

    def __init__(
        self,
        ledger: Ledger,
        dialects: Iterable[Dialect],
        kept: Kept,
        clock: Clock,
        new_id: NewId,
        admission: Admission = "accepted",
        brokers: Collection[str] = (),
        *,
        mirror: bool = False,
        access: Access | None = None,
        bridge: Bridge | None = None,
    ) -> None:
        """Put the layer together.

        Args:
            ledger: what it commits with.
            dialects: the ways to speak that it knows.
            kept: what it starts from.
            clock: answers with the time.
            new_id: makes ids of commands.
            admission: what a thing is that announces itself for the first time.
            brokers: names of our own broker besides those of loopback.
            mirror: whether bare values are published.
            access: who among the things may do what; None where nobody is asked.
            bridge: who speaks for things of the directory by further protocols.
        """
        self._clock = clock
        self._access = access
        self._next_clock = 0
        self._tap: Tap | None = None
        directory = Directory(brokers, bridge)
        announcements = Announcements(ledger, (*dialects, directory), kept.announced, kept.buried)
        self.registry = Registry(ledger, announcements, kept.records, admission, access)
        self.diagnostics = Diagnostics(ledger, kept.diagnostics)
        self.journal = Journal(ledger, kept.position)
        self.observers = Observers(ledger, self.journal)
        self.entries = Entries(self.registry, directory, clock)
        self.interaction = Interaction(ledger, self.registry, new_id, kept.pending, kept.actuators)
        self.onboarding = Onboarding(
            self.registry, self.interaction, self.observers, self.diagnostics, self.entries, clock
        )
        self.intake = Intake(
            ledger, self.registry, self.observers, self.diagnostics, self.journal, kept.twins
        )
        self.intake.on_position = self.interaction.see
        self.interaction.meters = self.intake.meters
        self.intake.on_return = self.interaction.returned
        if access is not None:
            access.restored = True
            access.brought = lambda name: self.tiers.ties.get(name) is not None
            access.publish = self.interaction.publish
            self.onboarding.on_answer = access.answered
            self.interaction.may_tell = access.may_tell
            ledger.join(access)
            access.rations.on_flood = self._flooded
        self.pushdown = PushDown(ledger, self.registry, self.interaction.publish, clock, kept.pushed)
        self.lapses = Lapses(self.registry, self.intake)
        self.birth = Birth()
        self.notices = Notices(
            ledger, self.registry, self.observers.streams, self.intake.arrival, kept.position
        )
        self.registry.on_change = self.journal.described
        self.interaction.arbiter.on_claims = self._claimed
        self.interaction.position = lambda: self.journal.position
        self.mirror = Mirror(self.registry, self.intake.twins, self.interaction.publish, on=mirror)
        ledger.join(self.mirror)
        self.tiers = Tiers(ledger, self.registry, self.intake, self.interaction, kept.ties, kept.lines, clock)
        self.tiers.note = self.diagnostics.note
        self.intake.on_turn = self.tiers.turned
        self.registry.gateway_of = self.tiers.gateway_of
        self.retired = Retirement(clock, self.tiers.gateway_of)
        self.pushdown.watching = self.observers.watching
        self.observers.on_watch = self.pushdown.watched
        self.ingest = Ingest(
            self.registry,
            self.onboarding,
            self.observers,
            self.intake,
            NativeMessages(self.intake, self.interaction, self.observers, self.diagnostics, self.pushdown),
            ForeignMessages(self.intake, self.interaction, self.observers, self.lapses),
            WaitingRoom(ledger, self.intake, kept.held),
            self.notices,
            self.mirror,
            self.birth,
            self.journal,
            self.tiers,
        )
        if access is not None and access.asked:
            self.ingest.rations = access.rations

    def tap(self, tap: Tap) -> None:
        """Tell somebody of everything that comes, from now on."""
        self._tap = self.intake.tap = tap

        def turned(thing: str, status: Status, now: int) -> None:
            self.tiers.turned(thing, status, now)
            tap.turned(thing, status)

        def described(before: VirtualObject | None, after: VirtualObject | None, now: int) -> None:
            self.journal.described(before, after, now)
            tap.described(before, after)

        above = self.interaction.on_end

        def ended(actuation: Actuation) -> None:
            above(actuation)
            tap.ended(actuation)

        self.intake.on_turn = turned
        self.registry.on_change = described
        self.interaction.on_end = ended

    # --- asked by any thread ---

    def twin(self, thing: str) -> Twin:
        """The committed live state of a thing; not to be changed."""
        return self.intake.twins.committed.get(thing) or Twin()

    # --- asked within the writer ---

    def admit(self, thing: str, admission: str, reason: str) -> VirtualObject:
        """Accept or reject a thing; what was held for it is applied.

        Raises:
            NotFound: there is no such thing.
        """
        made = self.onboarding.admit(thing, admission, reason)
        if made.taking_part:
            self.ingest.catch_up(made)
        self.ingest.finish(self._clock())
        return made

    def patch(self, thing: str, patch: Mapping[str, Any]) -> VirtualObject:
        """Lay what a person says over a description; errors as in ``Onboarding.patch``."""
        self.onboarding.patch(thing, patch)
        self.tiers.edited(self.registry.known(thing))
        self.ingest.finish(self._clock())
        return self.registry.known(thing)

    def edited(self, thing: str, patch: Mapping[str, Any], times: Mapping[str, Any], offset: int) -> None:
        """Take what people changed of a thing at another daemon, as far as nobody changed it here since.

        Args:
            thing: its id.
            patch: what they said, by member of the description.
            times: when they said it, Unix milliseconds by the clock there.
            offset: milliseconds by which that clock is ahead of ours.

        Raises:
            NotFound: there is no such thing.
            InvalidDocument: the description would no longer be one.
        """
        record = self.registry.known(thing).record
        newer = {
            key: at - offset
            for key, at in times.items()
            if type(at) is int and at - offset > record.edited.get(key, 0) and key in patch
        }
        if newer:
            self.onboarding.patch(thing, {key: patch[key] for key in newer})
            self.registry.edited(thing, newer)

    def put(self, thing: str, td: Mapping[str, Any]) -> tuple[VirtualObject, bool]:
        """Keep a description that a client brings; the thing, and whether it came into being by it.

        Errors as in ``Onboarding.put``.
        """
        created = self.onboarding.put(thing, dict(td))
        if not created:
            self.tiers.edited(self.registry.known(thing))
        self.ingest.finish(self._clock())
        return self.registry.known(thing), created

    def replace_hardware(self, thing: str, other: str) -> VirtualObject:
        """Put the physical thing behind ``other`` behind ``thing``, whose history and services stay.

        Raises:
            NotFound: there is no such thing.
            Invalid: one of them is a composite, or they are the same.
        """
        for each in (self.registry.get(thing), self.registry.get(other)):
            if each.record.dialect in ("composite", DIRECTORY):
                raise Invalid(f"what is of dialect {each.record.dialect} has no hardware", "thing")
        if thing == other:
            raise Invalid("it is that hardware already", "thing")
        said = self.intake.change_source(thing, other)
        made = self.registry.replace_hardware(thing, other, self._clock())
        self.interaction.arbiter.forget(thing)
        self.intake.carry_over(made, said)
        self.ingest.catch_up(made)
        self.observers.changed(thing)
        self.observers.changed(other)
        self.ingest.finish(self._clock())
        return made

    def retire(self, thing: str) -> None:
        """Take a thing out of service; errors as in ``Onboarding.retire``."""
        if self.registry.get(thing).record.dialect == "composite":
            raise Invalid("it belongs to a service: delete the service")
        each, announcements = self.registry.get(thing), self.registry.announcements
        stood = [announcements.at(topic) for topic in sorted(announcements.topics(thing))]
        pushed = self.pushdown.pushed.get(thing)
        needs = pushed.needs if pushed is not None else {}
        if not is_gateway(each.td):
            self.retired.keep(each, tuple(one for one in stood if one is not None), needs)
        self.pushdown.forget(thing)
        self.tiers.forget(each)
        self.onboarding.retire(thing)
        self.ingest.finish(self._clock())

    def bring_back(self, thing: str) -> VirtualObject:
        """Undo that a person retired a thing; its number, patch and history are as they were.

        Raises:
            NotFound: nobody did, or it is too long ago, or a gateway brings it.
            Conflict: it is there again by itself, or something else took its place.
        """
        known = self.retired.get(thing)
        self.onboarding.bring_back(known.thing, known.stood)
        self.ingest.finish(self._clock())
        for holder, rules in known.needs.items():
            self.pushdown.need(thing, holder, rules)
        self.retired.forget(thing)
        return self.registry.known(thing)

    def _flooded(self, name: str, now: int) -> None:
        """Cut off who sends more than it may, and say so."""
        line = f"{name} sent far more messages than it may: they are dropped, and it is cut off for a while"
        self.diagnostics.note(self.onboarding.native_thing(name) or STRANGERS, line, now)
        if self._access is not None:
            self._access.on_other(name)

    def _claimed(self, key: str, after: Actuator, by: str, now: int) -> None:
        thing, _, actuator = key.partition(" ")
        each = self.registry.seen(thing)
        if each is not None:
            self.journal.claimed(each.record.no, actuator, after, by, now)

    # --- the writer's turn ---

    def drain(self) -> list[Command]:
        """Hand over, and forget, what is to be sent after the commit; not what ended in the same batch."""
        outgoing, self.interaction.outgoing = self.interaction.outgoing, []
        standing = [
            each for each in outgoing if not each.reference or self.interaction.stands(each.reference)
        ]
        return self.tiers.wrap(standing)

    def due(self) -> int:
        """When ``tick`` is next needed, Unix milliseconds."""
        told = self._access.due() if self._access is not None else None
        ends = (
            told,
            self.interaction.due(),
            self.registry.leases.due(),
            self.lapses.due(),
            self.mirror.due(),
            self._tap.due() if self._tap is not None else None,
        )
        return min([self._next_clock, *(end for end in ends if end is not None)])

    def set_back(self, now: int) -> None:
        """The clock was set back."""
        self._next_clock = now
        self.interaction.set_back(now)

    def tick(self, now: int) -> None:
        """End commands and registrations whose time is over; tell things the time."""
        if self._access is not None:
            self._access.tick(now)
        self.interaction.tick(now)
        self.lapses.tick(now)
        self.mirror.tick(now)
        if self._tap is not None:
            self._tap.tick(now)
        for thing in self.registry.leases.over(now):
            self.onboarding.expire(thing)
        if now >= self._next_clock:
            self._next_clock = now + CLOCK_EVERY
            self.interaction.publish(Outgoing(topics.CLOCK, encode({"t": now}), qos=0))
