"""What a gateway finds of its line and of its machine."""

import os

import pytest
from diat_gateway.pace import FEW, KNOWN, LATE, Pace

from diat.kernel.machine import Machine


def frames(pace, many, size, *, at=0.0, every=1.0, takes=0.05):
    """Frames one after another, each acknowledged after a while; when the last one was."""
    for n in range(many):
        pace.sent(f"{at} {n}", size, at + n * every)
        pace.acknowledged(f"{at} {n}", at + n * every + takes)
    return at + (many - 1) * every + takes


def test_the_round_trip_is_that_of_late():
    pace = Pace(131072)
    assert pace.trip(0.0) is None
    now = frames(pace, 20, 200)
    assert pace.trip(now) == pytest.approx(0.05)
    now = frames(pace, FEW, 200, at=now + LATE, takes=3.0)
    assert pace.trip(now) == pytest.approx(3.0)
    assert pace.trip(now + 3600) == pytest.approx(3.0), "nothing newer is known"


def test_what_is_sent_at_leisure_says_nothing_of_what_the_line_carries():
    pace = Pace(131072)
    now = frames(pace, 50, 200, takes=0.6)
    assert pace.carries(now) == 131072


def test_what_queues_says_what_the_line_carries():
    pace, rate, size = Pace(131072), 10_000.0, 20_000
    begun = frames(pace, 3, 200, takes=0.02) + 1
    # Twice as much is said as the line carries: each frame leaves when those before it have.
    events = [(begun + n, "sent", n) for n in range(12)]
    events += [(begun + (n + 1) * size / rate, "acknowledged", n) for n in range(12)]
    for now, what, n in sorted(events):
        if what == "sent":
            pace.sent(f"f{n}", size, now)
        else:
            pace.acknowledged(f"f{n}", now)
    assert pace.carries(now) == pytest.approx(rate, rel=0.2)
    assert pace.carries(now + KNOWN + 1) == 131072, "it is tried again"


def test_what_was_under_way_on_another_connection_says_nothing():
    pace = Pace(131072)
    pace.sent("a", 20_000, 0.0)
    pace.broken()
    pace.acknowledged("a", 600.0)
    assert pace.trip(600.0) is None


@pytest.fixture
def machine(tmp_path):
    """``machine(**files)``: a machine whose kernel says so; files by their place."""

    def make(files):
        for place, text in files.items():
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place).write_text(text)
        return Machine(tmp_path / "proc", tmp_path / "group", tmp_path / "power")

    return make


def test_memory_is_what_can_be_taken_and_what_the_container_may(machine):
    said = {"proc/meminfo": "MemTotal: 8 kB\nMemAvailable:  1048576 kB\n"}
    assert machine(said).spare().memory == 1024
    limits = {"group/memory.max": str(200 << 20), "group/memory.current": str(150 << 20)}
    assert machine(said | limits).spare().memory == 50
    assert machine(said | limits | {"group/memory.max": "max"}).spare().memory == 1024


def test_processors_are_those_that_had_nothing_to_do(machine):
    there = machine({"proc/stat": "cpu  0 0 0 100 0 0 0 0 0 0\n"})
    machine({"proc/stat": "cpu  50 0 0 150 0 0 0 0 0 0\n"})
    assert there.spare().cpu == pytest.approx(len(os.sched_getaffinity(0)) / 2)


def test_a_battery_counts_while_it_is_discharged(machine):
    battery = {"power/BAT0/type": "Battery", "power/BAT0/capacity": "40", "power/BAT0/status": "Discharging"}
    assert machine(battery).spare().battery == 0.4
    assert machine(battery | {"power/BAT0/status": "Charging"}).spare().battery == 1.0
