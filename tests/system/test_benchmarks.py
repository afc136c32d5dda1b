"""The benchmark runs, finds every message, and ends with the line that is watched over time."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_quick_run_ends_with_the_ratio(tmp_path):
    command = [sys.executable, "-m", "benchmarks", "--quick", "--data", str(tmp_path)]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)

    assert run.returncode == 0, run.stdout + run.stderr
    assert re.fullmatch(r"ingest ratio to limit: \d+\.\d\d", run.stdout.splitlines()[-1])
    assert len(re.findall(r"200 of 200", run.stdout)) == 2  # readings of which each led to its command
    assert re.search(r"^rule cost: diat \d+ us", run.stdout, re.MULTILINE)  # every command was right
    assert list(tmp_path.iterdir()) == []  # nothing is left behind


def test_a_run_with_a_hundred_things_ends_with_their_costs(tmp_path):
    command = [sys.executable, "-m", "benchmarks", "things", "--sizes", "100", "--data", str(tmp_path)]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=115, check=False)

    assert run.returncode == 0, run.stdout + run.stderr
    figures = (
        r"things 100: \d+ admitted/s, [\d.-]+ KiB each, start [\d.]+ s, search p99 [\d.]+ ms, growth 1\.00"
    )
    assert re.fullmatch(figures, run.stdout.splitlines()[-1])
    assert list(tmp_path.iterdir()) == []
