"""Deployment files are right by their own tools, and the pins are complete and name no place."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
COMPOSE = ROOT / "deploy/compose.yaml"
PINS = {name: (ROOT / "requirements" / f"{name}.txt").read_text() for name in ("run", "dev")}


@pytest.mark.systemd
@pytest.mark.parametrize("of", UNITS, ids=lambda each: each.stem)
def test_systemd_accepts_the_unit(of: Path, needed: Callable[[str, str], Path], tmp_path: Path) -> None:
    analyze = needed("systemd-analyze", "systemd")
    # The unit is what is checked, not whether this machine has diat installed.
    unit = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", of.read_text(), flags=re.MULTILINE)
    unit = unit.replace("file:///opt/diat", "https://example.org")
    copy = tmp_path / of.name
    copy.write_text(unit)
    done = subprocess.run(
        [analyze, "verify", "--man=no", "--recursive-errors=no", copy],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_compose_file_follows_the_compose_specification() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_opens_nothing_beyond_loopback() -> None:
    for service in yaml.safe_load(COMPOSE.read_text())["services"].values():
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", ()))


@pytest.mark.parametrize("name", PINS)
def test_every_pin_has_hashes(name: str) -> None:
    for entry in re.split(r"\n(?=[a-z0-9])", PINS[name]):
        assert re.match(r"[a-z0-9][a-z0-9._-]*==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("name", PINS)
def test_pins_name_no_index_and_no_path_of_a_machine(name: str) -> None:
    assert not re.search(r"https?:|file:|--(extra-)?index|--find-links|@ |(^|\s)/", PINS[name])


def test_pins_for_development_are_those_for_running_and_more() -> None:
    pins = {
        name: set(re.findall(r"^[a-z0-9._-]+==[^\\\n]+", text, re.MULTILINE)) for name, text in PINS.items()
    }
    assert pins["run"] < pins["dev"]
