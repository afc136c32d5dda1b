"""Releases rolled out to real nodes on CPython, by a platform that is killed in the middle."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from diat.cli import node
from diat.cli.releases import read_release, write_release
from diat.kernel.errors import Invalid
from tests.firmware.conftest import FIRMWARE, until
from tests.system.conftest import Platform

THING = """
from diat_node.node import Node
from diat_node.update import Update, updates

node = Node(title="Node", place="{place}")
node.property("level", lambda: 1, type="integer", every=1)
updates(node, Update(".", {modulus}, "raspberry_pi"))
"""
WITHIN = 60.0
THREE_OF_FOUR = {"pi1": "healthy", "pi2": "healthy", "pi3": "healthy", "pi4": "waiting"}


class Pi:
    """A node as ``computer.py`` runs it: started again whenever it ends, from the slot that counts."""

    def __init__(self, folder: Path, name: str, port: int, modulus: int, place: str) -> None:
        folder.mkdir()
        self.id, self._folder = f"urn:dev:{name}", folder
        (folder / "thing.py").write_text(THING.format(place=place, modulus=modulus))
        config = {"thing": name, "host": "127.0.0.1", "port": port, "folder": "flash", "well": 1, "health": 0}
        (folder / "diat.json").write_text(json.dumps({**config, "first": 0.05, "cap": 0.5}))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, FIRMWARE / "computer.py"], cwd=self._folder, stdout=log, stderr=log
            )

    def end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    @property
    def runs(self) -> dict:
        """What ``update.json`` says."""
        path = self._folder / "update.json"
        return json.loads(path.read_text()) if path.exists() else {"slot": "a", "n": 0}


class Site:
    """A platform, four nodes, and a key that they know; the fourth is not started yet."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.key = folder, folder / "key.pem"
        self.platform = Platform(folder)
        self.platform.start()
        modulus = write_release(self.key, 1, "raspberry_pi", FIRMWARE, folder / "www1")
        self.nodes = [
            Pi(folder / f"pi{n}", f"pi{n}", self.platform.mqtt, modulus, f"hq/{n}") for n in range(1, 5)
        ]
        for each in self.nodes:
            each.start()
        until(lambda: all(self.number(each) == 0 for each in self.nodes), WITHIN)
        self.nodes[3].end()
        until(lambda: self.status(self.nodes[3]) == "offline", WITHIN)

    def status(self, node: Pi) -> str:
        return self.platform.get(f"/things/{node.id}")["diat:status"]

    def number(self, node: Pi) -> int | None:
        answer = self.platform.rest.get(f"/things/{node.id}/properties/firmware")
        return answer.json() if answer.status_code == 200 else None

    def release(self, number: int, change: str = "") -> str:
        """Make one, with more at the end of ``life.py``, and upload it."""
        tree, www = self._folder / f"tree{number}", self._folder / f"www{number}"
        shutil.copytree(FIRMWARE, tree, ignore=shutil.ignore_patterns("__pycache__"))
        with (tree / "diat_node" / "life.py").open("a") as file:
            file.write(change)
        write_release(self.key, number, "raspberry_pi", tree, www)
        answer = self.platform.rest.post("/releases", json=read_release(www))
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def roll(self, release: str, **more) -> str:
        body = {"release": release, "stages": [1, "50%", "all"], **more}
        answer = self.platform.rest.post("/rollouts", json=body)
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]

    def end(self) -> None:
        for each in self.nodes:
            each.end()
        self.platform.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    yield made
    made.end()


@pytest.mark.timeout(300)
def test_stage_by_stage_though_the_platform_is_killed_and_a_node_is_away(site):
    rollout = site.roll(site.release(2))
    seen = []

    def standing() -> dict:
        found = site.platform.insist("GET", rollout).json()
        stands = {name.removeprefix("urn:dev:"): each["state"] for name, each in found["things"].items()}
        seen.append((found["stage"], found["state"], stands))
        return found

    until(lambda: standing()["stage"] == 2, WITHIN)
    site.platform.kill()
    site.platform.start()
    until(lambda: standing()["stage"] == 3 and seen[-1][2] == THREE_OF_FOUR, 2 * WITHIN, lambda: seen[-1])
    assert site.platform.rest.post(f"{rollout}/pause").json()["state"] == "paused"
    site.nodes[3].start()
    until(lambda: site.status(site.nodes[3]) == "online", WITHIN)
    assert site.nodes[3].runs["n"] == 0
    assert site.platform.rest.post(f"{rollout}/resume").json()["state"] == "running"
    until(lambda: standing()["state"] == "completed", WITHIN)
    assert [each.runs["n"] for each in site.nodes] == [2] * 4
    # In a stage nobody more is asked than it says, and the next begins when these are well.
    for stage, _, stands in seen:
        touched = [name for name, state in stands.items() if state != "waiting"]
        assert len(touched) <= {1: 1, 2: 2, 3: 4}[stage], (stage, stands)
    assert site.platform.rest.post(f"{rollout}/resume").status_code == 409


@pytest.mark.timeout(300)
def test_a_version_that_does_not_get_well_stops_at_the_first_stage(site):
    before = [each.runs["n"] for each in site.nodes]
    there = [each for each in site.nodes if site.status(each) == "online"]
    rollout = site.roll(site.release(3, "\nraise RuntimeError('broken')\n"))
    ended = until(lambda: (now := site.platform.get(rollout))["state"] != "running" and now, 2 * WITHIN)
    assert ended["state"] == "stopped"
    assert ended["stage"] == 1
    assert "went back" in ended["why"]
    assert ended["counts"] == {"failed": 1, "waiting": 3}
    assert [each.runs["n"] for each in site.nodes] == before
    # It is there again with what it ran before, and can be given something better.
    until(lambda: all(site.status(each) == "online" for each in there), WITHIN)


def test_what_cannot_be_is_refused(site):
    rest = site.platform.rest

    def refused(path: str, body: dict, status: int, field: str = "") -> None:
        answer = rest.post(path, json=body)
        assert (answer.status_code, answer.json().get("field", "")) == (status, field), answer.text

    www = site.key.parent / "www1"
    right = read_release(www)
    name = next(iter(right["files"]))
    refused("/releases", {**right, "manifest": "{}"}, 422, "manifest")
    refused("/releases", {**right, "signature": "AAAA"}, 422, "signature")
    refused("/releases", {**right, "signature": "no base64"}, 422, "signature")
    refused("/releases", {**right, "files": {**right["files"], name: "AAAA"}}, 422, f"files.{name}")
    refused("/releases", {**right, "files": {**right["files"], "more": "AAAA"}}, 422, "files")
    assert rest.post("/releases", json=right).status_code == 201
    refused("/rollouts", {"release": "none"}, 404)
    refused("/rollouts", {"release": "raspberry_pi-1", "place": "nowhere"}, 422, "place")
    refused("/rollouts", {"release": "raspberry_pi-1", "version": 99}, 422, "place")
    refused("/rollouts", {"release": "raspberry_pi-1", "model": "esp32"}, 422, "model")
    refused("/rollouts", {"release": "raspberry_pi-1", "stages": [1, "some", "all"]}, 422, "stages.1")
    refused("/rollouts", {"release": "raspberry_pi-1", "stages": [1]}, 422, "stages")
    refused("/rollouts/none/pause", {}, 404)
    file = rest.get("/releases/raspberry_pi-1/files/diat_node/life.py")
    assert file.content == (FIRMWARE / "diat_node" / "life.py").read_bytes()
    assert rest.get("/releases/raspberry_pi-1/files/none").status_code == 404
    assert rest.delete("/releases/raspberry_pi-1").status_code == 204


def test_from_the_command_line(site, tmp_path):
    def diat(*arguments: str) -> str:
        done = CliRunner().invoke(node.app, [*arguments, "--url", str(site.platform.rest.base_url)])
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output

    write_release(site.key, 9, "raspberry_pi", FIRMWARE, tmp_path / "www9")
    assert diat("upload", str(tmp_path / "www9")).startswith("release raspberry_pi-9: ")
    said = diat("rollout", "start", "raspberry_pi-9", "--place", "hq/1", "--stage", "all", "--wait", "1")
    rollout, release, state = said.split()[:3]
    assert (release, state) == ("raspberry_pi-9", "running,")
    assert "urn:dev:pi1" in diat("rollout", "show", rollout)
    assert f"{rollout}  raspberry_pi-9  cancelled" in diat("rollout", "cancel", rollout)
    assert rollout in diat("rollout", "list")
    with pytest.raises(Invalid, match="it is cancelled"):
        CliRunner().invoke(
            node.app,
            ["rollout", "pause", rollout, "--url", str(site.platform.rest.base_url)],
            catch_exceptions=False,
        )
