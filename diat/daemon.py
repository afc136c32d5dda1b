"""The IoT daemon: puts layers and adapters together and owns every lifetime. The composition root.

Start: lock the data directory, database, broker, layers, writer. Stop: the same backwards.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Engine

from diat.adapters.brokers.address import BrokerAddress, parse_broker_url
from diat.adapters.brokers.guarded import Gateways, Guarded
from diat.adapters.brokers.mosquitto import mosquitto
from diat.adapters.brokers.nats import nats_server
from diat.adapters.brokers.own import OwnBroker
from diat.adapters.certificates import Authority, Tls, given
from diat.adapters.joinkey import as_svg, broker_secret, invitation, keep_key, kept_key
from diat.adapters.lake.history import Lake, LakeHistory
from diat.adapters.lake.keeper import Keeper
from diat.adapters.lake.record import LakeRecord
from diat.adapters.mdns import (
    Announcer,
    broker_advert,
    daemon_advert,
    directory_advert,
    host_title,
    reachable,
)
from diat.adapters.mqtt.copies import SessionNote
from diat.adapters.mqtt.link import MqttLink
from diat.adapters.peers.asking import Lookups, PeerClient
from diat.adapters.peers.delegator import Delegator
from diat.adapters.peers.finding import Finder, Seen
from diat.adapters.pictures import Pictures
from diat.adapters.sql.audit import AuditKeeper, KeptAudit
from diat.adapters.sql.checkpoint import Checkpoints
from diat.adapters.sql.database import CACHE, open_database
from diat.adapters.sql.forgetting import Forgetter
from diat.adapters.sql.history import History
from diat.adapters.sql.notices import KeptNotices
from diat.adapters.sql.store import SqlStore
from diat.adapters.webhooks import Caller
from diat.cvol.composite import Denied
from diat.cvol.execution import CompositeLayer
from diat.cvol.webhooks import Webhooks
from diat.kernel.clock import Clock, system_clock
from diat.kernel.errors import DiatError, SetupError, Unavailable
from diat.kernel.ids import random_id
from diat.kernel.overlay import Ledger
from diat.kernel.writer import BATCH, Writer
from diat.operation.backup.restoring import finish
from diat.operation.backup.shelf import Shelf
from diat.operation.backup.taking import SHELF
from diat.operation.inside import Inside
from diat.operation.lock import locked
from diat.operation.preferences import Preferences, usual_of
from diat.operation.recent import RecentLog
from diat.security.audit import Audit
from diat.security.credentials import Credentials
from diat.security.decision import Decider, Decision
from diat.security.decisions import Decisions
from diat.security.joining import JOIN, Joining
from diat.security.limits import Limits
from diat.security.operations import Operation, Target
from diat.security.people import People
from diat.security.policies import Policies
from diat.security.secrets import Secrets
from diat.security.uses import Uses
from diat.service.crossing import Crossings
from diat.service.delegation import Delegations
from diat.service.layer import ServiceLayer
from diat.service.obligations import Obligations
from diat.service.peers import Peers
from diat.service.placement.beat import Beat
from diat.service.placement.reviewing import Reviewer
from diat.service.service import Service
from diat.service.situation import Situation
from diat.service.situations import SituationLayer
from diat.service.targets import targets_of
from diat.service.templates import Templates
from diat.settings import Settings
from diat.vol.access import Access
from diat.vol.birth import FAREWELL
from diat.vol.diagnostics import STRANGERS
from diat.vol.dialects.directory import Bridge
from diat.vol.dialects.homeassistant import HomeAssistant
from diat.vol.dialects.homie import Homie
from diat.vol.dialects.native import Native
from diat.vol.dialects.port import Dialect
from diat.vol.dialects.tasmota import Tasmota
from diat.vol.dialects.wot import Wot
from diat.vol.dialects.zigbee2mqtt import Zigbee2Mqtt
from diat.vol.interaction import Command
from diat.vol.layer import VirtualObjectLayer
from diat.vol.models import Models
from diat.vol.recorded import Record
from diat.vol.releases import Releases
from diat.vol.rollouts import Rollouts
from diat.vol.thing import VirtualObject
from diat.wire.envelope import Message

T = TypeVar("T")
_LOG = logging.getLogger("diat.daemon")
OWN_BROKERS = {"embedded": nats_server, "mosquitto": mosquitto}
"""Kinds of broker that the daemon starts itself."""
SET_BACK = 2_000
"""Milliseconds by which the clock has to go back to count as having been set."""
_WATCH = 1.0
"""Seconds between two looks at the broker."""


DIALECTS: tuple[Dialect, ...] = (Native(), Wot(), Zigbee2Mqtt(), HomeAssistant(), Tasmota(), Homie())
"""Every way to speak that we know."""


class Layers:
    """The layers as the writer sees them (``diat.kernel.writer.Handler``)."""

    def __init__(
        self,
        things: VirtualObjectLayer,
        composites: CompositeLayer,
        clock: Clock,
        situations: SituationLayer,
        rollouts: Rollouts,
    ) -> None:
        self._things = things
        self._composites = composites
        self._situations = situations
        self._rollouts = rollouts
        self._clock = clock
        self._ticked = 0
        self._take = things.ingest.message
        self.quarantine = things.ingest.quarantine
        self.finish = things.ingest.finish

    def message(self, message: Message) -> None:
        """Take a message; timers that were due before it go first, situations that it brings about follow.

        So what composites decide depends on the order of times alone, not on how batches fell, and a replay
        of what was stored decides the same.
        """
        due = self._composites.due()
        if due is not None and due <= message.received:
            self._composites.tick(message.received)
        self._situate(message.received)
        if message.received < self._ticked:
            # It came while timers of a later time ran: it counts as having come after them.
            message = msgspec.structs.replace(message, received=self._ticked)
        self._take(message)
        self._situate(message.received)

    def change(self, change: Callable[[], T]) -> T:
        """Make a change from outside; timers that were due before it go first."""
        now = self._clock()
        due = self._composites.due()
        if due is not None and due <= now:
            self._ticked = max(self._ticked, now)
            self._composites.tick(now)
        self._situate(now)
        result = change()
        self._situate(now)
        # Whatever it was: it may have taken ingest positions, and those are never given out twice.
        self._things.ingest.finish(now)
        return result

    def receipt(self, reference: str) -> None:
        """The broker has this command."""
        self._things.interaction.receipt(reference, self._clock())

    def connected(self) -> None:
        """Send what was not sent."""
        self._things.interaction.connected(self._clock())
        self._things.birth.connected(self._things.interaction.publish)
        self._things.mirror.connected()
        self._things.pushdown.connected()

    def drain(self) -> list[Command]:
        """Hand over what is to be sent after the commit."""
        return self._things.drain()

    def due(self) -> int | None:
        """When ``tick`` is next needed, Unix milliseconds."""
        if self._clock() < self._ticked - SET_BACK:
            return 0
        dues = (self._things.due(), self._composites.due(), self._situations.due(), self._rollouts.due())
        return min(each for each in dues if each is not None)

    def tick(self, now: int) -> None:
        """Do what is due by now."""
        if now < self._ticked - SET_BACK:
            self._ticked = now
            self._things.set_back(now)
            self._composites.set_back(now)
        self._ticked = max(self._ticked, now)
        self._composites.tick(now)
        self._things.tick(now)
        self._rollouts.tick(now)
        self._situate(now)
        self._things.ingest.finish(now)

    def _situate(self, now: int) -> None:
        """Let situations act that have come about, or have passed, by now."""
        due = self._situations.due()
        if due is not None and due <= now:
            self._situations.tick(now)


class Daemon:
    """A running daemon.

    Attributes:
        things: the Virtual Object Layer.
        composites: the Composite Virtual Object Layer.
        services: the Service Layer.
        reviewer: knows where the steps of services had better run.
        crossings: what travels from tier to tier for a service.
        models: Thing Models on offer.
        situations: what starts and stops services by itself.
        releases: of firmware, for nodes to fetch; ``rollouts``: who is given which, stage by stage.
        history: what is read back from the database.
        record: what was recorded, in the order in which it came.
        broker_secret: what a broker of somebody else's shows when it asks who may come in.
        access: which things get in, and what they may do.
        tls: what is served encrypted with; None where plain text is served.
        link: the link to the broker.
        people: users and their tokens.
        pictures: of places.
        decider: who is asked whether somebody may do something.
        policies: what decides beside roles.
        obligations: what decisions oblige to; ``forgetter`` deletes what they want deleted.
        audit: who did what; ``kept_audit`` is what is kept of it.
        uses: what is in use, to be decided on again.
        preferences: what people set while it runs.
        log: what it logged within the last hour.
        backups: those that it made of itself.
        inside: what a report of a bug tells of the process.
        page_cache: KiB of the database that each connection keeps in memory.
        batch: messages in a batch at most.
        templates_at_hand: whether shipped templates are read at the start, and not when one is asked for.
        peers: daemons that are trusted; ``found`` tells which are there by mDNS, ``reached`` who answers.
        name: what this daemon is called among others: the same at each start, and no other's.
    """

    page_cache = CACHE
    templates_at_hand = True
    batch = BATCH

    def __init__(
        self,
        settings: Settings,
        clock: Clock = system_clock,
        on_crash: Callable[[], None] = lambda: None,
        on_restart: Callable[[], None] | None = None,
        bridge: Bridge | None = None,
    ) -> None:
        """A daemon that is not started yet.

        Args:
            settings: how it is to run.
            clock: answers with Unix milliseconds.
            on_crash: called, in another thread, if it cannot go on.
            on_restart: ends the process soon and starts it again; None where nobody can.
            bridge: who speaks for things of the directory by protocols that it does not speak itself.
        """
        self._bridge = bridge
        self._on_crash = on_crash
        self._on_restart = on_restart
        self._crashed = threading.Event()
        self.settings = settings
        self.clock = clock
        self.log = RecentLog(clock)
        self.found: Callable[[], list[Seen]] = list
        self._stack = ExitStack()
        self._stopping = threading.Event()
        self._own_broker: OwnBroker | None = None

    def __enter__(self) -> Daemon:
        """Start.

        Raises:
            SetupError: something is in the way; the message names the way out.
            Invalid: a setting is wrong.
        """
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop in order: what was taken is committed, the broker goes last."""
        self._stopping.set()
        self._stack.close()

    def submit(self, change: Callable[[], T]) -> Future[T]:
        """Run a change in the writer, in a transaction of its own (``Writer.submit``)."""
        return self._writer.submit(lambda: self._layers.change(change))

    @property
    def broker(self) -> BrokerAddress:
        """Where others reach the broker; without a credential."""
        settings = self.settings
        if settings.broker in OWN_BROKERS:
            return BrokerAddress(settings.mqtt.host, settings.mqtt.port, tls=self.tls is not None)
        there = parse_broker_url(settings.broker)
        return BrokerAddress(there.host, there.port, tls=there.tls)

    @property
    def own_address(self) -> BrokerAddress:
        """Where this process reaches the broker, with its own credential: not for others."""
        return self._address

    @property
    def address(self) -> str:
        """Where others reach REST, as they call it; no slash at its end."""
        there = self.settings.http
        host = socket.gethostname() if there.host in ("0.0.0.0", "::") else there.host
        name = f"[{host}]" if ":" in host else host
        return f"{'https' if self.tls is not None else 'http'}://{name}:{there.port}"

    @property
    def lan(self) -> bool:
        """Whether it is open beyond loopback, and so asks for credentials everywhere."""
        return self.settings.lan

    @property
    def names(self) -> frozenset[str]:
        """The host names, in lower case, that it goes by beyond loopback."""
        own = socket.gethostname().lower()
        return frozenset((own, f"{own.partition('.')[0]}.local", *map(str.lower, self.settings.names)))

    @property
    def limits(self) -> Limits:
        """How much one may ask."""
        return self.settings.limits

    @property
    def stale_after(self) -> float:
        """Seconds of silence after which a thing counts as stale."""
        return self.settings.stale_after

    @property
    def crashed(self) -> bool:
        """Whether the writer ended against its will: nothing is stored any more."""
        return self._crashed.is_set()

    def restart(self) -> None:
        """End soon and start again.

        Raises:
            Unavailable: whoever runs it does not start it again.
        """
        if self._on_restart is None:
            raise Unavailable("it cannot start itself again here: end it and start it")
        self._on_restart()

    def invitation(self) -> dict[str, Any]:
        """What a thing needs to join (``diat.api.ports.Platform``)."""
        key = kept_key(self.settings.data) if self.access.asked else None
        authority = self.tls.authority if self.tls is not None else None
        address = invitation(self._joining_at(), key) if key is not None else None
        return {
            "address": address,
            "qr": as_svg(address) if address is not None else None,
            "authority": authority.read_text("ascii") if authority is not None else None,
        }

    def keep_join_key(self, key: str) -> None:
        """Keep the join key for ``invitation``."""
        keep_key(self.settings.data, key)

    def lets_in(self, user: str, password: str, client: str) -> bool:
        """Whether a client of a broker that is not ours may come in."""
        entry = self.access.decide(user, password, client)
        # Whether a gateway showed a certificate there, nobody tells us.
        if isinstance(entry, str) or entry.certified:
            return False
        self._came(entry.name, client, entry.newest)
        return True

    def _joining_at(self) -> BrokerAddress:
        """Where things join, as others on the network call it."""
        there = self.broker
        host = socket.gethostname() if there.host in ("0.0.0.0", "::") else there.host
        beside = 1 if self.settings.broker == "mosquitto" else 0
        return BrokerAddress(host, there.port + beside, tls=there.tls)

    def _crash(self) -> None:
        self._crashed.set()
        self._on_crash()

    @property
    def trouble(self) -> str | None:
        """Why the daemon cannot do its work just now, in one line; None if all is well."""
        if self._writer.crashed is not None:
            return f"the writer ended: {self._writer.crashed}"
        if self._writer.trouble is not None:
            return self._writer.trouble
        if not self.link.up:
            return self.link.refusal or "not connected to the broker yet"
        return None

    def _start(self) -> None:
        settings, clock, stack = self.settings, self.clock, self._stack
        stack.enter_context(self.log)
        stack.enter_context(locked(settings.data))
        if finish(settings.data):
            _LOG.warning("a backup was put in place")
        engine = open_database(settings.data / "diat.db", self.page_cache)
        stack.callback(engine.dispose)
        store = SqlStore(engine)
        lake = Lake(settings.data / "lake", self._note)
        stack.callback(lake.close)
        self.history: History = LakeHistory(engine, lake)
        self.notices = KeptNotices(engine)
        self.pictures = Pictures(settings.data / "pictures")
        self.record: Record = LakeRecord(engine, lake)

        ledger = Ledger()
        self.preferences = _preferences(settings, ledger, store)
        settings = self.settings = self._as_set(at_start=True)
        self.decisions = Decisions(settings.site.zone)
        self.decider: Decider = self.decisions
        kept = store.kept()
        # An older database may have been put back: positions that the lake holds are never used twice.
        kept.position = max(kept.position, lake.catalog.holdings().high)
        credentials = Credentials(ledger, store.credentials())
        joining = Joining(ledger, credentials, store.joining())
        self.access = Access(ledger, credentials, joining, clock, store.topics(), asked=settings.lan)
        self.tls = tls_of(settings)
        self.broker_secret = broker_secret(settings.data)
        self.things = VirtualObjectLayer(
            ledger,
            DIALECTS,
            kept,
            clock,
            random_id,
            settings.admission,
            [self.broker.host.lower()],
            mirror=settings.mirror,
            access=self.access,
            bridge=self._bridge,
        )
        self.people = People(ledger, clock, random_id, store.users(), store.tokens())
        self.kept_audit = KeptAudit(engine, settings.data / "audit")
        self.audit = Audit(ledger, clock, self.kept_audit.last())
        self.access.on_issue = lambda name: self.audit.note(f"thing:{name}", "joined", "done")
        auditing = AuditKeeper(self.kept_audit, self.audit)
        auditing.begin()
        self.secrets = Secrets(ledger, store.secrets())
        situations = store.situations()
        holding = [each.id for each in situations if each.course.holds]
        self.policies = Policies(ledger, self.decisions, clock, store.policies(), holding)
        self.uses = Uses(self.decisions, clock)
        self.pseudonyms = self.secrets.get("pseudonyms").key
        self.composites = CompositeLayer(ledger, self.things, clock, store.composites(), settings.site)
        self.models = Models(ledger, store.models())
        templates = Templates(ledger, store.templates())
        if self.templates_at_hand:
            templates.everything()
        self.services = ServiceLayer(
            ledger,
            self.things,
            self.composites,
            templates,
            clock,
            random_id,
            store.services(),
            self.decider,
            self.pseudonyms,
            self.people.grants_of,
            store.placings(),
            delegations=Delegations(ledger, clock, store.delegations()),
            keep=self.settings.push_down,
        )
        self.peers = Peers(ledger, store.peers())
        self.reviewer = Reviewer(self, self.services.placings)
        self.crossings = Crossings(self, self.services.placings, self.reviewer)
        self.situations = SituationLayer(
            ledger,
            self.things,
            self.composites,
            self.services,
            clock,
            random_id,
            situations,
            self._permit_situation,
        )
        self._govern(ledger)
        webhooks = Webhooks(ledger, self.things.diagnostics, random_id, store.webhooks())
        self.composites.call_by(webhooks.ask)
        if settings.lan and credentials.get(JOIN) is None:
            keep_key(settings.data, joining.new_key(clock()))
        self.obligations = Obligations(self.audit, webhooks, clock)
        self._extend(engine, ledger, stack)
        self.releases = Releases(ledger, clock, store.releases())
        self.rollouts = Rollouts(
            ledger,
            self.things.registry,
            self.things.intake,
            self.things.interaction,
            clock,
            random_id,
            store.rollouts(),
        )
        store.write(ledger)
        ledger.commit()
        store.close()

        address = self._address = self._broker(stack)
        self.name = _client_id(settings.data)
        note = SessionNote(settings.data / "subscribed", settings.broker, self.name, *settings.filters)
        self.link = MqttLink(address, self.name, settings.filters, clock, FAREWELL, note)
        if self.link.hears(FAREWELL.topic):
            self.things.birth.begin(self.link.go_silently)
        else:
            self.link.go_silently()
        self.things.interaction.handed_over = self.link.handed_over
        stack.enter_context(Checkpoints(engine))
        self._layers = layers = Layers(self.things, self.composites, clock, self.situations, self.rollouts)
        self._writer: Writer[Message, Command] = Writer(
            self.link, layers, ledger, store, clock, self._crash, self.batch
        )
        stack.callback(store.close)
        stack.callback(self._writer.stop)
        keeper = self._keeper = Keeper(engine, lake, ledger, self._writer.submit, settings.retention, clock)
        self.preferences.on_change = self._prefer
        stack.callback(keeper.stop)
        things, submit = self.things.registry, self._writer.submit
        self.forgetter = Forgetter(engine, ledger, self.policies, things, submit, clock)
        stack.callback(self.forgetter.stop)
        caller = Caller(webhooks, self._writer.submit, clock, settings.webhooks_allow)
        stack.callback(caller.stop)
        self.peer_client = PeerClient()
        stack.callback(self.peer_client.close)
        self.lookups = Lookups(self.peer_client)
        delegator = Delegator(
            self.name,
            self.peers,
            self.services,
            self._state_of,
            self.peer_client,
            self._writer.submit,
            clock,
        )
        stack.callback(delegator.stop)
        self.reached = delegator.reached
        self.audit.submit = self.obligations.submit = self._writer.submit
        stack.callback(auditing.stop)
        stack.callback(self.uses.stop)
        self.backups = self._shelf()
        self.inside = self._inside(engine)
        stack.callback(self.backups.stop)
        self._writer.start()
        self.uses.start()
        self.backups.start()
        caller.start()
        delegator.start()
        keeper.start()
        self.forgetter.start()
        self._announce(stack)
        self._begin(stack)
        self._place(stack)

    def _place(self, stack: ExitStack) -> None:
        """Look again and again where the steps of services had better run."""
        moves: list[Callable[[], None]] = []

        def beside() -> None:
            moves[:] = self.reviewer.look(moves=self.settings.placement)

        def within() -> None:
            self.services.placings.tick()
            for move in moves:
                move()

        beat = Beat(self.submit, within, beside)
        stack.callback(beat.stop)
        beat.start()

    def _extend(self, engine: Engine, ledger: Ledger, stack: ExitStack) -> None:
        """What a daemon of another kind has besides, put together before anything runs."""

    def _begin(self, stack: ExitStack) -> None:
        """What it does besides, begun once everything runs; it ends first."""

    def _as_set(self, *, at_start: bool = False) -> Settings:
        """The settings with what people set; what holds from the next start on only ``at_start``."""
        wanted, settings = self.preferences, self.settings
        return msgspec.structs.replace(
            settings,
            site=wanted.site(settings.site) if at_start else settings.site,
            retention=wanted.retention(),
            stale_after=wanted.get("stale_after"),
            admission=wanted.get("admission"),
        )

    def _shelf(self) -> Shelf:
        settings, get = self.settings, self.preferences.get
        directory = settings.backups or settings.data / SHELF
        passphrase = settings.backup_passphrase
        return Shelf(
            settings.data,
            directory,
            self.clock,
            lambda: (get("backup_every"), get("backup_keep")),
            passphrase,
            self.restart,
        )

    def _inside(self, engine: Engine) -> Inside:
        settings, own = self.settings, self._own_broker
        return Inside(
            data=settings.data,
            engine=engine,
            started=settings.told(),
            broker=settings.broker if own is not None else str(self.broker),
            ask_version=own.ask_version if own is not None else (),
            broker_log=own.log if own is not None else None,
            secrets=self._secrets_known,
        )

    def _secrets_known(self) -> list[str]:
        """What must not be told to anybody, as it would be written."""
        known = (
            self.broker_secret,
            self.pseudonyms.hex(),
            self._address.password,
            kept_key(self.settings.data),
            self.settings.backup_passphrase,
        )
        return [each for each in known if each]

    def _prefer(self) -> None:
        """Do as people set from here on."""
        settings = self.settings = self._as_set()
        self._keeper.retention = settings.retention
        self.policies.kept_days = settings.retention.hot_days
        self.things.registry.admission = settings.admission

    def _state_of(self, service: Service) -> str:
        """The state of a service's composite, as it is committed."""
        state = self.composites.states.committed.get(service.composite)
        return state.state if state is not None else ""

    def _govern(self, ledger: Ledger) -> None:
        """Have policies look at situations, and what is in use be decided on again when they change."""
        self.policies.kept_days = self.settings.retention.hot_days
        self.policies.holding = self.situations.holding
        self.policies.situation_known = self.situations.known
        self.uses.directory = lambda: self.things.notices.last
        self.uses.others.append(self._reconsider)
        ledger.join(self.policies)
        self.composites.on_denied = self._denied
        self.things.interaction.permit = self._permit
        self.uses.renew = self.people.renewed
        self.people.listen(lambda _: self.uses.again())
        ledger.join(self.uses)

    def _denied(self, service: str, denied: list[Denied]) -> None:
        """A composite was turned down things that would fill its roles."""
        for each in denied:
            did = f"bind {each.thing} {each.affordance} as {each.role}"
            self.audit.note(f"service:{service}", did, "denied", why=each.reason)

    def _permit(self, service: str, each: VirtualObject, affordance: str, operation: Operation) -> Decision:
        """What was decided on a command of a service."""
        decided = self.services.acting.allow(service, each, affordance, operation)
        if decided.effect == "deny":
            did = f"{operation} {each.id} {affordance}"
            said = {"why": decided.reason, "policies": decided.policies}
            self.audit.tell(f"service:{service}", did, "denied", **said)
        return decided

    def _permit_situation(self, situation: Situation, action: dict[str, Any]) -> str | None:
        """Whether a situation may do something; see ``diat.service.doing.Permit``."""

        def targets(service: str) -> tuple[Target, ...]:
            known = self.services.seen(service)
            return targets_of(service, self.composites.seen(known.composite) if known is not None else None)

        refusal = self.services.acting.may_situation(situation, action, targets)
        if refusal is not None:
            did = f"{next(iter(action))} as {situation.title!r}"
            self.audit.note(f"situation:{situation.id}", did, "denied", why=refusal)
        return refusal

    def _reconsider(self) -> None:
        """Bind those services anew that may not do any more as they do, or may more."""
        touched = self.composites.otherwise_allowed()
        if touched:
            self.submit(lambda: self.composites.reconsider(touched, self.clock()))

    def _announce(self, stack: ExitStack) -> None:
        """Let what listens beyond loopback be found by mDNS."""
        settings = self.settings
        adverts = directory_advert(settings.http.host, settings.http.port, tls=self.tls is not None)
        adverts += daemon_advert(settings.http.host, settings.http.port, self.name, tls=self.tls is not None)
        if settings.broker in OWN_BROKERS:
            adverts += broker_advert(settings.mqtt.host, settings.mqtt.port, tls=self.tls is not None)
        if adverts and settings.announce:
            announcer = Announcer(host_title(), self.name, adverts)
            stack.callback(announcer.stop)
            announcer.start()
            if here := [each for each in reachable(settings.http.host) if ":" not in each]:
                finder = Finder(self.name, here)
                stack.callback(finder.stop)
                finder.start()
                self.found = finder.seen

    def _broker(self, stack: ExitStack) -> BrokerAddress:
        """Where to connect to; starts a broker of our own unless there is one."""
        settings = self.settings
        make = OWN_BROKERS.get(settings.broker)
        if make is None:
            return parse_broker_url(settings.broker)
        guarded = Guarded(self.access, self._came, self._gateways()) if settings.lan else None
        broker = make(settings.data / "broker", settings.mqtt.host, settings.mqtt.port, guarded, self.tls)
        if broker.gate is not None:
            gate = broker.gate
            self.access.credentials.on_change = lambda name, cut: gate.changed(name, cut=cut)
            self.access.on_other = lambda name: gate.changed(name, cut=True)
        self._own_broker = broker
        stack.callback(broker.stop)
        broker.start()
        watch = threading.Thread(target=self._watch, args=(broker,), name="diat-broker-watch")
        stack.callback(watch.join)
        stack.callback(self._stopping.set)
        watch.start()
        address: BrokerAddress = broker.address
        return address

    def _gateways(self) -> Gateways | None:
        """Where gateways come in.

        Raises:
            SetupError: they would in plain text.
        """
        there = self.settings.gateways
        if there is None:
            return None
        if self.tls is None:
            raise SetupError("gateways come in by certificates, and so by TLS only: leave --plain away")
        return Gateways(there.host, there.port, Authority(self.settings.data / "tls").certificate)

    def _came(self, name: str, client: str, newest: bool) -> None:
        """Keep that somebody came, if that is news."""
        credentials = self.access.credentials
        held = credentials.get(name)
        if held is not None and credentials.is_news(held, client, newest=newest):
            self.submit(lambda: credentials.came(name, client, newest=newest))

    def _watch(self, broker: OwnBroker) -> None:
        """Start the broker again when it dies; pass on what it has to say of its clients."""
        while not self._stopping.wait(_WATCH):
            for line in broker.troubles():
                self._note(line)
            if not broker.alive():
                _LOG.warning("the broker died and is started again")
                try:
                    broker.start()
                except DiatError as error:
                    _LOG.error("the broker does not start: %s", error)

    def _note(self, line: str) -> None:
        self.submit(lambda: self.things.diagnostics.note(STRANGERS, line, self.clock()))


def _preferences(settings: Settings, ledger: Ledger, store: SqlStore) -> Preferences:
    usual = usual_of(settings.site, settings.retention, settings.stale_after, settings.admission)
    return Preferences(ledger, usual, settings.fixed, store.settings())


def tls_of(settings: Settings) -> Tls | None:
    """What is to be served encrypted with; None for plain text.

    Raises:
        SetupError: the certificates cannot be used.
    """
    if not settings.encrypted:
        return None
    if settings.tls_cert is not None and settings.tls_key is not None:
        return given(settings.tls_cert, settings.tls_key)
    return Authority(settings.data / "tls").server()


def _client_id(data: Path) -> str:
    """The client id of this daemon: the same at each start, for its session lies with the broker."""
    kept = data / "client-id"
    if not kept.exists():
        kept.write_text(f"diat-{random_id()[:12]}", "utf-8")
    return kept.read_text("utf-8").strip()
