"""The same rule in this process, without broker and database: where its microseconds go.

The real layers are fed readings one by one, as the writer feeds them: of a thermometer that no service reads,
and of one whose service has the rule. Besides, the steps alone are evaluated, with each kind of window.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from benchmarks import things
from benchmarks.rule_feed import STEADY, heater, sensor, value
from diat.cvol.composing import compose
from diat.cvol.evaluation import Inputs, evaluate
from diat.cvol.execution import CompositeLayer
from diat.cvol.steps import Sample
from diat.kernel.overlay import Ledger
from diat.security.decision import Decider
from diat.service.layer import ServiceLayer
from diat.service.layers import Layers
from diat.service.situations import SituationLayer
from diat.service.templates import Templates, read_template
from diat.vol.dialects.native import Native
from diat.vol.layer import Kept, VirtualObjectLayer
from diat.vol.rollouts import Rollouts
from diat.wire import topics
from diat.wire.envelope import Message

NOON = 1_767_268_800_000
WINDOWS = {
    "count of 9": "kind: count, size: 9",
    "tumbling 60 s": "kind: tumbling, size: 60",
    "sliding 60 s, 60 items": "kind: sliding, size: 60",
}
_BATCH = 100
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Alone:
    """Seconds a reading: in the layers without a rule and with it, and of the steps by kind of window."""

    plain: float
    ruled: float
    steps: dict[str, float]


def measure_alone(template: str, count: int = 5000) -> Alone:
    """Measure it; the best of three rounds, for there is nothing to wait for."""
    layers = World(template)
    plain, ruled = (
        min(_timed(partial(layers.feed, name, count)) / count for _ in range(_ROUNDS))
        for name in (sensor(1, ruled=False), sensor(0, ruled=True))
    )
    written = WINDOWS["count of 9"]
    steps = {
        kind: min(
            _timed(_evaluating(template.replace(written, window), count)) / count for _ in range(_ROUNDS)
        )
        for kind, window in WINDOWS.items()
    }
    return Alone(plain, ruled, steps)


def _timed(work: Callable[[], None]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


class World:
    """The layers of a daemon over a ledger that nobody writes down."""

    def __init__(self, template: str, decider: Decider | None = None) -> None:
        self._now = NOON
        self._n = itertools.count(1)
        ids = itertools.count(1)
        self._ledger = ledger = Ledger()

        def clock() -> int:
            return self._now

        def new_id() -> str:
            return f"id{next(ids)}"

        layer = VirtualObjectLayer(ledger, [Native()], Kept(), clock, new_id)
        composites = CompositeLayer(ledger, layer, clock)
        templates = Templates(ledger)
        services = ServiceLayer(
            ledger, layer, composites, templates, clock, new_id, decider=decider, key=b"bench"
        )
        situations = SituationLayer(ledger, layer, composites, services, clock, new_id)
        rollouts = Rollouts(ledger, layer.registry, layer.intake, layer.interaction, clock, new_id)
        self._layers = Layers(layer, composites, clock, situations, rollouts)
        self._announce(sensor(0, ruled=True), things.sensor_td(0))
        self._announce(heater(0), things.heater_td(0))
        self._announce(sensor(1, ruled=False), things.sensor_td(1))
        templates.add(read_template(template))
        services.create("Heat", "bench-heat", {"place": "bench/room-0"})
        self._commit()

    def _announce(self, name: str, td: dict[str, object]) -> None:
        said = {"id": f"urn:dev:{name}", **td}
        self._take(topics.announcement(name), json.dumps(said).encode())
        self._take(topics.status(name), b"online")
        self._commit()

    def _take(self, topic: str, payload: bytes) -> None:
        self._layers.message(Message(topic, payload, self._now))

    def _commit(self) -> None:
        self._layers.finish(self._now)
        self._ledger.commit()
        for command in self._layers.drain():
            topic = command.message.topic
            if command.reference and topic.endswith("/set"):
                answer = json.dumps({"id": command.reference, "status": "completed"}).encode()
                self._take(topics.results(topic.split("/")[1]), answer)

    def feed(self, name: str, count: int) -> None:
        """So many readings of a thermometer, a second apart, a hundred in a batch."""
        topic = topics.properties(name)
        for at in range(count):
            self._now += 1000
            degrees = value(at, STEADY)
            said = f'{{"b":1,"n":{next(self._n)},"t":{self._now},"v":{{"temperature":{degrees:.2f}}}}}'
            self._take(topic, said.encode())
            if at % _BATCH == 0:
                self._commit()
        self._commit()


def _evaluating(template: str, count: int) -> Callable[[], None]:
    composite = compose(read_template(template), {"place": "bench/room-0"}, "service", "Heat")
    inputs = list(_inputs(count))

    def run() -> None:
        memory: dict[str, object] = {}
        for each in inputs:
            memory = evaluate(composite, memory, each).memory

    return run


def _inputs(count: int) -> Iterator[Inputs]:
    for at in range(count):
        now = NOON + at * 1000
        came = {"sensor": [Sample(value(at, STEADY), now, at, "t", "t temperature")]}
        bound = {"sensor": ["t temperature"], "heater": ["h heating"]}
        yield Inputs(samples=came, arrived=came, bound=bound, now=now)
