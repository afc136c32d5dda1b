"""A town of 1,000 things in which things die, return, join, move, get worse and go, and 200 services re-bind.

What is measured is defined in ``benchmarks/churn.py``: the benchmark is run, at the size that belongs into a
test, with a seed; a naive reference says what each service ought to be bound to after each event. Whatever is
wrong (orphans, duplicate commands, flapping) it prints and counts in its last line.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 2.0
"""Seconds in which services re-bind, 95 times of a hundred."""


@pytest.mark.parametrize("seed", [1])
def test_services_rebind_and_nothing_is_left_on_done_twice_or_flaps(tmp_path, seed):
    size = ["--sizes", "1000/200", "--rounds", "12", "--events", "15", "--seed", str(seed)]
    command = [sys.executable, "-m", "benchmarks", "churn", *size, "--data", str(tmp_path)]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)

    assert run.returncode == 0, run.stdout + run.stderr
    last = re.fullmatch(
        r"churn re-bind p95: 1000/200 (\d+\.\d+) s, faults (\d+)", run.stdout.splitlines()[-1]
    )
    assert last, run.stdout
    assert int(last[2]) == 0, run.stdout
    assert float(last[1]) < LONGEST, run.stdout
