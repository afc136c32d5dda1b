"""Who sends too much is dropped and cut off; the others do not notice."""

import itertools
import statistics
import threading
import time

from diat.vol.rations import HELD_OUT, THING_BURST, THING_RATE, Rations

from .conftest import GRANTED, REFUSED, REFUSED_FILTER, until

ROUNDS = 60


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def latencies(site, thing, name, numbers):
    """Seconds from a thing's report to what REST would show, one after the other."""
    times = []
    for _ in range(ROUNDS):
        n = next(numbers)
        begun = time.perf_counter()
        thing.paho.publish(f"diat/{name}/properties", b'{"b":1,"n":%d,"v":{"temperature":%d}}' % (n, n), 1)
        while site.temperature(name) != n:
            assert time.perf_counter() - begun < 10, "it never came"
            time.sleep(0.0005)
        times.append(time.perf_counter() - begun)
        time.sleep(0.02)
    return times


class Flood:
    """A thing that sends as fast as it can, and comes again as soon as it is cut off."""

    def __init__(self, site, name):
        self._thing = site.thing(name)
        self._topic = f"diat/{name}/properties"
        self._over = threading.Event()
        self.sent = 0
        self._thread = threading.Thread(target=self._run, name="flood")

    def __enter__(self):
        self._thing.paho.reconnect_delay_set(1, 1)
        self._thread.start()
        return self

    def _run(self):
        for n in itertools.count(1):
            if self._over.is_set():
                return
            if not self._thing.paho.is_connected():
                time.sleep(0.01)
                continue
            self._thing.paho.publish(self._topic, b'{"b":1,"n":%d,"v":{"temperature":1}}' % n, 0)
            self.sent += 1

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


def test_a_flood_by_one_thing_leaves_the_others_latency_as_it_was(site, capsys):
    victim, numbers = site.thing("victim"), itertools.count(1)
    latencies(site, victim, "victim", numbers)
    calm = latencies(site, victim, "victim", numbers)
    with Flood(site, "flood") as flood:
        until(lambda: flood.sent > 1_000, "the flood")
        flooded = latencies(site, victim, "victim", numbers)
        until(lambda: site.access.rations.held_out("flood", site.access.now()), "held out")
    after = site.daemon.things.diagnostics.of("urn:dev:flood")
    assert any("far more messages than it may" in line.text for line in after)
    assert not victim.gone.is_set()
    with capsys.disabled():
        told = [
            f"{statistics.median(t) * 1000:.1f} / {quantile(t, 0.95) * 1000:.1f}" for t in (calm, flooded)
        ]
        print(f"\nlatency p50 / p95 ms, {site.broker}: calm {told[0]}, flooded {told[1]}, {flood.sent} sent")
    assert statistics.median(flooded) < 3 * statistics.median(calm) + 0.02
    # Whoever floods shares the machine's two cores with us: the tail is the scheduler's.
    assert quantile(flooded, 0.95) < 0.5


def test_who_flooded_comes_in_again_later():
    rations = Rations(lambda topic: "", lambda name: False)
    cut = []
    rations.on_flood = lambda name, now: cut.append((name, now))
    taken = sum(rations.take("diat/th1/properties", 1_000) for _ in range(2_000))
    assert taken == THING_BURST
    assert cut == [("th1", 1_000)]
    assert rations.held_out("th1", 1_000 + HELD_OUT - 1)
    assert not rations.held_out("th1", 1_000 + HELD_OUT)
    assert not rations.held_out("th2", 1_000)
    assert rations.take("diat/th2/properties", 1_000)
    assert sum(rations.take("diat/th1/events/e", 2_000) for _ in range(200)) == THING_RATE
    assert all(rations.take("somewhere/else", 1_000) for _ in range(5_000)), "of nobody's, nothing is counted"


def test_what_keeps_within_its_rate_loses_nothing():
    rations = Rations(lambda topic: "", lambda name: False)
    assert all(rations.take("diat/th1/properties", now) for now in range(0, 60_000, 25))


def test_who_subscribes_to_too_much_is_refused(embedded):
    thing = embedded.thing("th1")
    answers = [thing.subscribe(f"diat/th1/actions/{number}", 0) for number in range(250)]
    assert answers[0] in GRANTED
    assert answers[-1] == REFUSED_FILTER
    assert thing.code != REFUSED
