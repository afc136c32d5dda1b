"""The things of a town at work: what they say and do over real MQTT, some with a connection of their own.

All others share one connection to speak, one to hear commands and one to answer them: thousands of clients
would measure the generator and not the platform. What a last will would say, such a thing says itself.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Self

from benchmarks import mqtt
from benchmarks.town import FRESH, Town
from benchmarks.town_things import Json, Thing
from diat.adapters.brokers.address import BrokerAddress
from diat.wire import topics

REPORT_EVERY = FRESH / 5
"""Seconds between two readings of those that have to be fresh."""
Said = tuple[str, bytes, bool]
"""Topic, payload, and whether it is retained."""


class Crowd:
    """Speaks for all things of a town; ``town`` is changed under ``lock`` alone.

    Attributes:
        lock: held while the town changes, and while it is compared with what the platform says.
        told: when (Unix seconds), whom, and what commands told them.
        repeats: commands that came again under an id that was performed already.
    """

    def __init__(self, town: Town, address: BrokerAddress) -> None:
        self.lock = threading.RLock()
        self.told: list[tuple[float, str, bool]] = []
        self.repeats = 0
        self._town = town
        self._address = address
        self._own: dict[str, mqtt.Connection] = {}
        self._out = mqtt.Connection(address, "churn-says")
        self._reports = mqtt.Connection(address, "churn-reports")
        self._commands = mqtt.Connection(address, "churn-hears")
        self._commands.subscribe("diat/+/set")
        self._answers = mqtt.Connection(address, "churn-answers")
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=work.__name__) for work in (self._hear, self._keep_reporting)
        ]
        for thread in self._threads:
            thread.start()

    # --- what happens to things; each gives what is said of it ---

    def join(self, thing: Thing) -> list[Said]:
        """It announces itself, after a start of its own."""
        thing.known = True
        return [_announcement(thing), *self.come_back(thing, rebooted=True)]

    def move(self, thing: Thing, place: str) -> list[Said]:
        """It is somewhere else, says so itself, and measures there."""
        self._town.put(thing, place)
        thing.worse, thing.talking = time.time(), True
        return [_announcement(thing), *self.report(thing)]

    def judge(self, thing: Thing, accuracy: float) -> list[Said]:
        """It knows better how accurate it is."""
        thing.accuracy, thing.worse = accuracy, time.time()
        return [_announcement(thing)]

    def retire(self, thing: Thing) -> list[Said]:
        """It is taken away: it withdraws its announcement and is switched off."""
        thing.known = thing.alive = thing.on = False
        thing.worse, thing.observed = time.time(), 0.0
        thing.waiting.clear()
        self._hang_up(thing, silently=True)
        return [(topics.announcement(thing.name), b"", True), (topics.status(thing.name), b"", True)]

    def die(self, thing: Thing) -> list[Said]:
        """It is away, with whatever it does just now; one with a connection of its own says nothing more."""
        thing.alive, thing.worse = False, time.time()
        return [] if self._hang_up(thing) else [(topics.status(thing.name), b"offline", True)]

    def come_back(self, thing: Thing, *, rebooted: bool) -> list[Said]:
        """It is there again, from a power cut or from a lost connection."""
        thing.alive = thing.talking = True
        thing.worse = time.time()
        if rebooted:
            thing.boot, thing.n, thing.on = thing.boot + 1, 0, False
        if thing.own:
            will = (topics.status(thing.name), b"offline")
            self._own[thing.name] = mqtt.Connection(self._address, thing.name, will)
        waiting, thing.waiting = thing.waiting, []
        said: list[Said] = [(topics.status(thing.name), b"online", True)]
        for command in waiting:
            said += self._perform(thing, command)
        return said + self.report(thing)

    def report(self, thing: Thing) -> list[Said]:
        """It says what it measures, or what it does."""
        if not thing.there:
            return []
        now = time.time()
        values: Json = {"on": thing.on}
        if thing.kind == "thermometer":
            values, thing.observed = {"temperature": self._town.warmth[thing.place]}, int(now * 1000) / 1000
        thing.n += 1
        body = {"b": thing.boot, "n": thing.n, "t": int(now * 1000), "v": values}
        return [(topics.properties(thing.name), json.dumps(body).encode(), False)]

    def say(self, said: Iterable[Said]) -> None:
        """Publish; returns when the broker has it all."""
        _publish(self._out, said)

    # --- within ---

    def _hang_up(self, thing: Thing, *, silently: bool = False) -> bool:
        """Break a connection of its own, so that the broker tells of it; whether there was one."""
        connection = self._own.pop(thing.name, None)
        if connection is None:
            return False
        if silently:
            connection.socket.sendall(mqtt.DISCONNECT)
        connection.socket.close()
        return True

    def _hear(self) -> None:
        while not self._ending.is_set():
            try:
                packets = self._commands.receive()
            except TimeoutError:
                continue
            except OSError:
                return
            said: list[Said] = []
            for packet in packets:
                if packet.kind == mqtt.PUBLISH:
                    publication = mqtt.publication(packet.body)
                    with contextlib.suppress(OSError):
                        self._commands.socket.sendall(mqtt.puback(publication.packet_id))
                    thing = self._town.things.get(publication.topic.split("/")[1])
                    if thing is not None:
                        with self.lock:
                            said += self._obey(thing, json.loads(publication.payload))
            _publish(self._answers, said)

    def _obey(self, thing: Thing, command: Json) -> list[Said]:
        if thing.there:
            return self._perform(thing, command)
        if thing.known and thing.keeps:
            thing.waiting.append(command)
        return []

    def _perform(self, thing: Thing, command: Json) -> list[Said]:
        now, reference = time.time(), command["id"]
        status = "completed"
        if reference in thing.done:
            self.repeats += 1
        elif command["expires"] < now * 1000:
            status = "expired"
        else:
            thing.done.add(reference)
            thing.on = command["v"]["on"]
            self.told.append((now, thing.name, thing.on))
        answer = json.dumps({"id": reference, "status": status}).encode()
        return [(topics.results(thing.name), answer, False), *self.report(thing)]

    def _keep_reporting(self) -> None:
        last = time.time()
        while not self._ending.wait(REPORT_EVERY):
            with self.lock:
                reporting = [each for each in self._town.watched() if each.there and each.talking]
                said = [one for each in reporting for one in self.report(each)]
            _publish(self._reports, said)
            before, last = last, time.time()
            if last - before > FRESH / 2:
                with self.lock:  # we were too slow ourselves: they may have seemed stale meanwhile
                    for each in reporting:
                        each.worse = last

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._threads[1].join()
        for connection in (self._commands, self._out, self._reports, *self._own.values()):
            mqtt.hang_up(connection.socket)
        self._threads[0].join()
        mqtt.hang_up(self._answers.socket)


def _announcement(thing: Thing) -> Said:
    return topics.announcement(thing.name), json.dumps(thing.description()).encode(), True


def _publish(connection: mqtt.Connection, said: Iterable[Said]) -> None:
    packets: Sequence[bytes] = [
        mqtt.publish(topic, payload, 1 + number % 60_000, retain=retain)
        for number, (topic, payload, retain) in enumerate(said)
    ]
    connection.publish_all(packets)
