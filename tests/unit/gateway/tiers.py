"""Two daemons and the line between them, in one process: real layers and stores, a clock of the test's."""

import json
import random
from datetime import UTC

from diat_gateway.downlink import Downlink
from diat_gateway.drain import Drain
from diat_gateway.kept import kept as kept_of_line
from diat_gateway.leaving import Leaving
from diat_gateway.own_thing import description
from diat_gateway.restoring import Restoring
from diat_gateway.spool import Spool
from diat_gateway.uplink import Uplink

from diat.adapters.sql.database import open_database
from diat.adapters.sql.store import SqlStore
from diat.daemon import DIALECTS
from diat.kernel.ids import random_id
from diat.kernel.overlay import Ledger
from diat.security.decisions import Decisions
from diat.security.principal import Grant, Principal
from diat.vol.layer import VirtualObjectLayer
from diat.vol.pushdown import Rule
from diat.wire import frame, topics
from diat.wire.envelope import Message, encode

START = 1_767_268_800_000
DAY = 86_400_000
ABOVE = Principal(kind="daemon", name="above", grants=(Grant(role="engineer"),))
THERMOMETER = {
    "title": "Thermometer",
    "properties": {
        "temperature": {
            "type": "number",
            "unit": "Cel",
            "@type": "quantitykind:Temperature",
            "readOnly": True,
        },
        "target": {"type": "number", "unit": "Cel", "idempotent": True},
    },
    "actions": {"reset": {"idempotent": True}},
    "events": {"alarm": {"data": {"type": "integer"}}},
}


class Clock:
    """The time of the test; each daemon sees it by its own skew."""

    def __init__(self):
        self.now = START


class Node:
    """A daemon's layers on a store of its own, without a broker; started anew by ``restart``."""

    def __init__(self, directory, clock, skew=0):
        self.directory, self.clock, self.skew = directory, clock, skew
        directory.mkdir(exist_ok=True)
        self.sent = []
        self.start()

    def time(self):
        return self.clock.now + self.skew

    def start(self):
        self.engine = open_database(self.directory / "diat.db")
        self.store = SqlStore(self.engine)
        self.ledger = Ledger()
        self.things = VirtualObjectLayer(self.ledger, DIALECTS, self.store.kept(), self.time, random_id)
        self.extend()
        self.persist()

    def extend(self):
        pass

    def stop(self):
        self.store.close()
        self.engine.dispose()

    def restart(self):
        """Killed and started again: what was not committed never was."""
        self.stop()
        self.start()

    def persist(self):
        self.store.write(self.ledger)
        self.ledger.commit()
        self.sent += [each.message for each in self.things.drain()]

    def change(self, change):
        result = change()
        self.things.ingest.finish(self.time())
        self.persist()
        return result

    def change_that_fails(self, change):
        """A change that the database does not take, after all that was changed and not stored before."""
        change()
        self.ledger.rollback()
        self.things.drain()

    def take(self, *messages):
        """A batch of messages: topic and payload each."""
        now = self.time()
        for topic, payload in messages:
            body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
            self.things.ingest.message(Message(topic, body, now))
        self.things.ingest.finish(now)
        self.persist()

    def tick(self):
        self.things.tick(self.time())
        self.things.ingest.finish(self.time())
        self.persist()

    def history(self, thing):
        """(observed, values) of every reading of a thing, in the order in which they came."""
        no = self.things.registry.record(thing).no
        with self.engine.connect() as connection:
            found = connection.exec_driver_sql(
                "SELECT observed, reported FROM readings WHERE thing = ? ORDER BY position", (no,)
            ).all()
        return [(observed, json.loads(reported)) for observed, reported in found]

    def events(self, thing, event):
        no = self.things.registry.record(thing).no
        with self.engine.connect() as connection:
            return connection.exec_driver_sql(
                "SELECT observed, data FROM events WHERE thing = ? AND event = ? ORDER BY position",
                (no, event),
            ).all()

    def notes(self, thing):
        return [each.text for each in self.things.diagnostics.of(thing)]


class Core(Node):
    """The daemon above."""


class Gateway(Node):
    """The daemon below; ``line`` of settings as keywords."""

    def __init__(self, directory, clock, skew=0, name="barn", usual=None):
        self.name, self.usual, self.decider = name, usual or Rule(), Decisions(UTC)
        super().__init__(directory, clock, skew)

    def extend(self):
        within, beside = Spool(self.engine), Spool(self.engine)
        self.spools = within, beside
        self.life = random_id()[:12]
        leaving = Leaving(self.decider, ABOVE, b"key")
        line = kept_of_line(self.engine, within, self.life)
        self.uplink = Uplink(
            self.ledger, self.things, within, line, leaving, self.time, self.name, self.usual
        )
        self.things.tap(self.uplink)
        self.uplink.begin()
        self.down = Downlink(self.uplink, self.things, self.time, self.life)
        self.down.renumber = Restoring(self.ledger, self.uplink, within, random_id).renumber
        self.drain = Drain(beside, self.uplink, 1e9, 0.0)
        self.welcome = False
        self.down.on_welcome = lambda: setattr(self, "welcome", True)

    def stop(self):
        for each in self.spools:
            each.close()
        super().stop()


class Line:
    """What the session and the broker above do, one step at a time, with what may go wrong of each."""

    def __init__(self, core, gateway, seed=0):
        self.core, self.gateway = core, gateway
        self.chance = random.Random(seed)
        self.queue = []
        self.told = 0

    def meet(self):
        """The gateway comes: it says who it is, and that it is there; it is told what was known of it."""
        name = self.gateway.name
        self.core.take((topics.announcement(name), description(name, name)))
        self.core.take((topics.status(name), b"online"))
        hello = frame.frame([(frame.line(name), encode({"lives": self.gateway.uplink.lives}))])
        self.core.take((topics.up(name), hello))
        self.tell()

    def part(self):
        """The gateway goes: its last will says so."""
        self.core.take((topics.status(self.gateway.name), b"offline"))

    def tell(self, *, twice=False):
        """Whatever is for the gateway comes to it."""
        down = topics.down(self.gateway.name)
        messages = [each for each in self.core.sent[self.told :] if each.topic == down]
        self.told = len(self.core.sent)
        found = [Message(down, each.payload, self.gateway.time()) for each in messages]
        if found:
            for _ in range(1 + twice):
                self.gateway.change(lambda: self.gateway.down.take(found))

    def frame(self, *, acknowledged=True, times=1):
        """A frame goes up, so many times; whether there was one."""
        if not self.gateway.welcome:
            return False
        entries, rows = self.gateway.drain.next()
        if not entries:
            return False
        payload = frame.pack(entries)
        for _ in range(times):
            self.core.take((topics.up(self.gateway.name), payload))
        if acknowledged:
            self.gateway.change(lambda: self.gateway.uplink.reach(rows))
            self.gateway.drain.gone(rows)
        return True

    def run(self, most=10_000):
        """Until nothing is left to say on either side."""
        for _ in range(most):
            went = self.frame()
            before = self.told
            self.tell()
            if not went and self.told == before:
                return
        raise AssertionError("the line never came to rest")
