"""A node's life: tasks that sample, send, do commands, keep the link, and watch over each other."""

import asyncio
import gc
import json
import random

from diat_node.clock import Clock
from diat_node.commands import Commands
from diat_node.journal import Journal
from diat_node.mqtt import Client, Message, Refused
from diat_node.node import done
from diat_node.port import GONE, MICRO, const, finite, new_boot, text, ticks, unix
from diat_node.ring import Ring
from diat_node.store import Store

_INBOX = const(20)
_INBOX_BYTES = const(6000)
_LONG = const(10**9)
_SELDOM = const(300)


class Life:
    """The life of a node, from a start to a reset.

    Args:
        node: what it has and can do.
        config: ``thing``, ``host``, ``port`` (without a host the broker is looked for by mDNS); optional
            ``username`` and ``password``, or the join ``key``; ``ca`` (the certificate that the broker's is
            signed by); ``ntp`` (a server that tells the time); ``folder`` on flash, None for none;
            ``ring`` (bytes of a segment), ``segments``; ``rate`` (messages a second at most while there is a
            backlog); ``first``, ``cap`` (seconds between attempts); ``keepalive``, ``patience``; ``sleep``
            (seconds of deep sleep between reports); ``health`` (seconds between reports on itself);
            ``refused`` (seconds until a credential that was refused is tried again, at first);
            ``well`` (seconds after which a start has succeeded).
        board: what it runs on.
        safe: nothing of the user's runs; the node is there and says so.

    Attributes:
        state: ``alone``, ``joining``, ``online``, ``refused``.
        why: what ended the last connection.
        connects: how often it was online.
    """

    def __init__(self, node, config, board, safe=False):
        self.node, self.config, self.safe = node, config, safe
        self.thing = config.get("thing") or node.thing
        self.board = board
        self.clock = Clock()
        if unix():
            self.clock.tell(unix())
        self.store = Store(config.get("folder"))
        self._pulse = {}
        slept = self.store.load("slept") if self.board.started_by("DEEPSLEEP") else None
        boot, last = slept or (new_boot(), 0)
        folder = self.store.folder
        self.ring = Ring(boot, folder, config.get("ring", 2000), config.get("segments", 8), last)
        journal = Journal(folder, self.clock, most=config.get("journal", 24000))
        self.commands = Commands(node.perform, node.repeatable, journal, self.clock)
        self._topic = "diat/" + self.thing + "/"
        self.client = Client(
            self.thing,
            self._came,
            config.get("keepalive", 30),
            config.get("patience", 10),
            config.get("largest", 2048),
        )
        self.inbox, self._held = [], 0
        self._overflow = False
        self.work, self._records, self.online, self._over = [asyncio.Event() for _ in range(4)]
        self.busy = ticks()
        self.state, self.why, self.connects = "alone", None, 0
        self.admitted = False
        if config.get("health", 600):
            node.property("health", type="object")
        node.life = self
        config = self.store.load("config")
        if config:
            from diat_node.reporting import push_down

            push_down(self, config)

    def run(self):
        """Live; returns when a task has failed, which is told by its exception."""
        asyncio.run(self.live())

    async def live(self):
        """Live until a task fails or ``end`` is called."""
        self.board.start()
        self._fault = None
        jobs = [self._link, self._drain, self._do, self._watch] + self.node.when_started
        if not self.safe:
            jobs.append(self._sample)
        if self.config.get("sleep"):
            from diat_node.sleep import doze

            jobs.append(lambda: doze(self))
        if self.config.get("ntp"):
            from diat_node.ntp import follow

            jobs.append(lambda: follow(self))
        tasks = [asyncio.create_task(self._guard(job)) for job in jobs]
        try:
            await self._over.wait()
        finally:
            for task in tasks:
                task.cancel()
            self.client.close()
            self.ring.spill()
        if self._fault:
            raise self._fault

    def end(self):
        """End this life in order."""
        self._over.set()

    async def _guard(self, job):
        try:
            await job()
        except Exception as fault:
            self._fault = fault
            self._over.set()

    def _beat(self, task, within=120):
        """The task goes on, and will say so again within so many seconds."""
        self._pulse[task] = self.clock.up() + within * 1000

    def ill(self):
        """The tasks that are late; while there are any the watchdog is not fed."""
        at = self.clock.up()
        return [task for task, until in self._pulse.items() if at > until]

    # What the node observes

    def observed(self, each, value):
        """A sample of a property: what its rule wants is sent."""
        self.push(self._wanted(each, value))

    def send(self, each, value):
        """Send a value whatever the rule says, such as one that was just set."""
        if finite(value):
            self.push([(each.name, value, self.clock.stamp())])

    def tell(self, event, data):
        """Send an event; gives its ``n``."""
        n = self.ring.push(text(data), self.clock.stamp(), event)
        self._records.set()
        return n

    def _wanted(self, each, value):
        if value is None or not finite(value):
            return []
        stamp = self.clock.stamp()
        if each.rule is None:
            return [(each.name, value, stamp)]
        return [(each.name, v, at) for v, at in each.rule.take(value, self.clock.up(), stamp)]

    def push(self, found):
        """Keep values as records: those of one moment in one."""
        while found:
            stamp = found[0][2]
            self.ring.push(text({name: value for name, value, at in found if at == stamp}), stamp)
            found = [each for each in found if each[2] != stamp]
            self._records.set()

    async def _sample(self):
        properties = [each for each in self.node.properties.values() if each.read]
        while True:
            self._beat("sample")
            found, wake = [], 1000
            for each in properties:
                at = self.clock.up()
                if at >= each.due:
                    each.due = max(each.due + int(each.period * 1000), at)
                    try:
                        found += self._wanted(each, await done(each.read()))
                    except Exception as error:
                        # A broken sensor must not stop the others; the platform sees its silence.
                        self.why = each.name + ": " + repr(error)
                wake = min(wake, each.due - self.clock.up())
            # One moment for what was sampled in one go.
            moment = self.clock.stamp()
            self.push([(n, v, moment if 0 <= abs(moment - at) < 100 else at) for n, v, at in found])
            await asyncio.sleep(max(wake, 1) / 1000)

    # What it sends

    async def _drain(self):
        while True:
            message, tell, args = self._next() or (None, None, None)
            if message is None:
                self._records.clear()
                self._beat("drain", _LONG)
                await self._records.wait()
                continue
            await self._hand_over("drain", message)
            tell(*args)
            if len(self.ring) > 8:
                await asyncio.sleep(1 / self.config.get("rate", 10))

    async def _hand_over(self, task, message):
        """Send the same message, through whatever connections that takes, until the broker has it."""
        while True:
            # Without a broker a node is well: nobody may start it anew for that.
            self._beat(task, _LONG)
            await self.online.wait()
            self._beat(task, 300)
            try:
                await self.client.deliver(message)
                self.busy = ticks()
                return
            except GONE:
                await asyncio.sleep(0.05)

    def _next(self):
        """The next message, and whom to tell when the broker has it."""
        ring, body = self.ring, []
        if ring.lost:
            lost = tuple(ring.lost[0])
            body = text({"b": lost[0], "lost": lost[1:]})
            return Message(self._topic + "properties", body), ring.told, lost
        records = ring.peek()
        if not records:
            return None
        for boot, n, stamp, name, data in records:
            if boot == ring.boot:
                stamp = self.clock.dated(stamp)
            when = b'"t":%d' % stamp if stamp >= 0 else b'"u":%d' % (-1 - stamp)
            body.append(b'{"b":%d,"n":%d,%s,"%s":%s}' % (boot, n, when, b"data" if name else b"v", data))
        whole = body[0] if len(body) == 1 else b"[" + b",".join(body) + b"]"
        channel = "events/" + name if name else "properties"
        return Message(self._topic + channel, whole), ring.done, (boot, n)

    # What it is told

    def _came(self, topic, payload, retained, token, whole):
        channel = topic[len(self._topic) :] if topic.startswith(self._topic) else topic
        if retained and channel != "config" and channel != "credential":
            channel = ""  # a retained command would be done at every connect
        if not token and channel == "diat/clock":
            self._tell_time(payload)
        elif len(self.inbox) < _INBOX and self._held + len(payload) <= _INBOX_BYTES:
            self._held += len(payload)
            self.inbox.append((channel, payload, token, whole))
            self.work.set()
        else:
            self._overflow = True

    def _tell_time(self, payload):
        try:
            self.clock.tell(json.loads(payload)["t"])
        except (ValueError, TypeError, KeyError, OverflowError):
            pass

    async def _do(self):
        while True:
            self._beat("do", 300)
            if not self.inbox:
                if self._overflow:
                    # What there was no room for was not acknowledged: the next connection brings it.
                    self._overflow = False
                    self.client.fail("too many at once")
                self.work.clear()
                self._beat("do", _LONG)
                await self.work.wait()
                continue
            channel, payload, token, whole = self.inbox.pop(0)
            self._held -= len(payload)
            self.busy = ticks()
            answer = await self._answer(channel, payload, whole)
            if answer:
                await self._hand_over("do", Message(self._topic + "results", answer))
            try:
                await self.client.acknowledge(token)
            except GONE:
                pass

    async def _answer(self, channel, payload, whole):
        if channel == "diat/clock":
            self._tell_time(payload)
        elif channel == "config":
            from diat_node.reporting import configure

            return configure(self, payload)
        elif channel == "credential":
            from diat_node.joining import admit

            admit(self, payload)
        elif channel == "set" or channel.startswith("actions/"):
            waited = 0
            while self.clock.now() is None and waited < 30 and self.online.is_set():
                await asyncio.sleep(0.25)
                waited += 0.25
            return await self.commands.take(channel[8:], payload, whole)
        return None

    # How it stays in touch

    async def _link(self):
        config = self.config
        self.credential = self.store.load("credential")
        user = config.get("username")
        if user is not None and (self.credential or [0])[0] != user:
            self.credential = [user, config.get("password")]
        first, cap = config.get("first", 0.5), config.get("cap", 60)
        wait, lost = first, False
        while True:
            self._beat("link", 300)
            joining = (self.credential is None or lost) and bool(config.get("key"))
            state = "alone"
            try:
                await self.board.network()
                await self._connect(joining)
                wait = first
                self._beat("link", _LONG)
                await self.client.ended.wait()
                self.why = self.client.failure
            except Refused as refusal:
                # Somebody may let us in later; until then we are no burden.
                state, self.why, lost = "refused", refusal, not joining
                seldom = config.get("refused", _SELDOM)
                wait = min(max(2 * wait, 2 * seldom), 12 * seldom)
            except (OSError, EOFError, ValueError) as error:
                self.why = error  # ValueError: a certificate that is not trusted
            self.online.clear()
            self.client.close()
            self.state = state
            if self.admitted:
                self.admitted = lost = False
                continue
            self._beat("link", wait + 300)
            await asyncio.sleep(wait * (0.5 + random.random() / 2))
            if state == "alone":
                wait = min(wait * 2, cap)

    async def _open(self):
        config, secure = self.config, {}
        host, port, ca = config.get("host"), config.get("port"), config.get("ca")
        if not host:
            from diat_node.mdns import broker

            host, port = await broker(bool(ca))
        if ca:
            from diat_node.tls import trusting

            secure["ssl"] = trusting(ca)
        return await asyncio.open_connection(host, port or (8883 if ca else 1883), **secure)

    async def _connect(self, joining):
        client, topic = self.client, self._topic
        name, password = ("join", self.config["key"]) if joining else self.credential or (None, None)
        # What was not yet done and not acknowledged comes again.
        self.inbox = [each for each in self.inbox if not each[2]]
        self._held = sum([len(each[1]) for each in self.inbox])
        await client.connect(self._open, name, password, Message(topic + "status", b"offline"))
        filters = [topic + each for each in ("credential", "admission" if joining else "config")]
        if not joining:
            filters += [topic + "set", topic + "actions/+", "diat/clock"]
        denied = await client.subscribe(filters)
        if denied:
            self.why = denied
        if not self.safe:
            await client.deliver(Message("wot/td/" + self.thing, text(self.node.td()), 1))
        await client.deliver(Message(topic + "status", b"online", 1))
        self.connects += 1
        self.state = "joining" if joining else "online"
        if not joining:
            self.online.set()

    async def _watch(self):
        every = self.config.get("health", 600) * 1000
        last, well = None, False
        while True:
            if not self.ill():
                self.board.feed()
            at = self.clock.up()
            if at > self.config.get("well", 60) * 1000 and self.connects and not well:
                well = True
                self.get_well()
            if every and (last is None or at - last >= every):
                last = at
                self.observed(self.node.properties["health"], self.status())
            if MICRO:  # CPython does so when it is due; of a large process that would take a second
                gc.collect()
            await asyncio.sleep(2)

    def get_well(self):
        """This start has succeeded: no crash counts any more, and a version on trial stays."""
        if self.store.load("crashes"):
            self.store.save("crashes", 0)
        for each in self.node.when_well:
            each()

    def status(self):
        """How the node is: bytes of heap and stack in use, and counts since boot."""
        heap, stack = self.board.memory()
        return {
            "heap": heap,
            "stack": stack,
            "up": self.clock.up() // 1000,
            "connects": self.connects,
            "waiting": len(self.ring),
            "dropped": self.commands.dropped,
            "safe": self.safe,
            "ill": self.ill(),
        }
