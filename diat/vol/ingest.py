"""What comes from the broker, brought to whom it concerns: the hot path.

A topic is looked up once, in a dictionary compiled when its thing was admitted. Everything here happens
within the writer's batch; nothing is visible or acknowledged before the batch is committed.

Invariant: whatever bytes arrive on whatever topic, the message is taken (into the history, into the twin,
or into a diagnostic) and nothing else is disturbed.
"""

from __future__ import annotations

from diat.vol.birth import STATUS, Birth
from diat.vol.diagnostics import STRANGERS
from diat.vol.foreign import ForeignMessages
from diat.vol.intake import Intake
from diat.vol.journal import Journal
from diat.vol.lookups import Route
from diat.vol.mirror import Mirror
from diat.vol.native import NativeMessages
from diat.vol.notices import Notices
from diat.vol.observers import Observers
from diat.vol.onboarding import Onboarding
from diat.vol.rations import Rations
from diat.vol.registry import Registry
from diat.vol.thing import VirtualObject
from diat.vol.tiers import Tiers
from diat.vol.waiting import WaitingRoom
from diat.wire import topics
from diat.wire.envelope import Message


class Ingest:
    """Takes messages; used by the writer alone."""

    def __init__(
        self,
        registry: Registry,
        onboarding: Onboarding,
        observers: Observers,
        intake: Intake,
        native: NativeMessages,
        foreign: ForeignMessages,
        waiting: WaitingRoom,
        notices: Notices,
        mirror: Mirror,
        birth: Birth,
        journal: Journal,
        tiers: Tiers,
    ) -> None:
        self._registry = registry
        self._routes = registry.routes
        self._speakers = registry.speakers
        self._onboarding = onboarding
        self._observers = observers
        self._intake = intake
        self._native = native
        self._foreign = foreign
        self._waiting = waiting
        self._notices = notices
        self._mirror = mirror
        self._birth = birth
        self._journal = journal
        self._tiers = tiers
        tiers.take = self.message
        self._counts = intake.counts
        self.rations: Rations | None = None

    def message(self, message: Message) -> None:
        """Take one message."""
        self._counts.messages += 1
        rations = self.rations
        if rations is not None and not message.through and not rations.take(message.topic, message.received):
            self._counts.over_ration += 1
            return
        route = self._routes.get(message.topic)
        if route is not None:
            self._up_to_date(route.thing, message)
            self._of_native(message, route)
        elif message.topic in self._speakers:
            if not message.payload:
                self._onboarding.announced(message)  # in some dialects an emptied state takes the thing back
            for thing in self._speakers.members(message.topic):
                self._up_to_date(thing, message)
                self._of_foreign(message, thing)
            self._waiting.remember(message)
        else:
            self._unrouted(message)

    def finish(self, now: int) -> None:
        """Describe what was announced in the batch and give it what was waiting for it."""
        self._settle(now)
        self._observers.finish(now)
        self._notices.finish()
        self._mirror.note()
        self._journal.finish()

    def quarantine(self, message: Message, reason: str) -> None:
        """Note a message that could not be stored; its bytes are not kept."""
        route = self._routes.get(message.topic)
        speakers = [route.thing] if route is not None else self._speakers.members(message.topic)
        owner = speakers[0] if speakers else STRANGERS
        topic = message.topic[:200]
        self._intake.reject(owner, f"quarantined a message on {topic}: {reason}", message.received)

    def catch_up(self, made: VirtualObject) -> None:
        """Give a thing what was said before it could take it: it was not announced, or not admitted."""
        for message in self._waiting.released(made.wire):
            self.message(message)
        for message in self._waiting.left(made.inlets):
            self._of_foreign(message, made.id)

    def _up_to_date(self, thing: str, message: Message) -> None:
        """What the same batch announced counts for what follows it."""
        if self._registry.outdated(thing):
            self._settle(message.received)

    def _of_native(self, message: Message, route: Route) -> None:
        each = self._registry.seen(route.thing)
        if each is None:
            return
        if each.wire in self._tiers.ties.committed or message.through:
            wrong = self._tiers.refuses(each.wire, message.through)
            if wrong is not None and each.wire != message.through:
                self._intake.reject(each.id, f"{route.channel}: {wrong}", message.received)
                return
        if not each.taking_part:
            if each.record.admission == "pending":
                self._waiting.hold(each.wire, message)
        elif route.channel == "up":
            self._tiers.passes(each, message)
        else:
            self._native.take(each, route.channel, message)

    def _of_foreign(self, message: Message, thing: str) -> None:
        each = self._registry.seen(thing)
        if each is not None and each.taking_part:
            self._foreign.take(each, message)

    def _unrouted(self, message: Message) -> None:
        if message.topic.startswith(topics.SHOWN):
            self._counts.echoes += 1
            return
        if not message.through and self._tied(message):
            return
        if self._onboarding.announced(message):
            return
        if self._registry.waiting:
            # The same batch may have announced the thing that this topic belongs to.
            self._settle(message.received)
            if message.topic in self._speakers or self._routes.get(message.topic) is not None:
                self._counts.messages -= 1
                self.message(message)
                return
        native = topics.from_thing(message.topic)
        if native is not None:
            self._unrouted_native(*native, message)
        elif message.topic.startswith("diat/"):
            self._counts.echoes += 1
        elif message.topic == STATUS:
            self._birth.heard(message)
        else:
            self._counts.unclaimed += 1
            self._waiting.leave(message)

    def _tied(self, message: Message) -> bool:
        """Whether it announces a thing that belongs to a gateway, and so counts for nothing."""
        if not message.topic.startswith(topics.TD_PREFIX):
            return False
        gateway = self._tiers.ties.get(message.topic.removeprefix(topics.TD_PREFIX))
        if gateway is not None and message.payload:
            line = f"announcement on {message.topic[:100]}: it belongs to the gateway {gateway}"
            self._intake.reject(STRANGERS, line, message.received)
        return gateway is not None

    def _unrouted_native(self, thing: str, channel: str, message: Message) -> None:
        known = self._onboarding.native_thing(thing)
        if known is not None:
            self._intake.reject(known, f"{channel}: its description has no such event", message.received)
            return
        self._waiting.hold(thing, message)

    def _settle(self, now: int) -> None:
        """Describe what waits to be described, and give it the messages that came before it."""
        anew = self._registry.describe(now)
        for made in anew:
            self._onboarding.described(made, now)
            self._observers.changed(made.id)
            self.catch_up(made)
        for made in anew:
            self._waiting.taken(made.inlets)
