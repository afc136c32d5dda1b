"""A backup taken under load comes back as a state that was committed, and the house goes on from it."""

import contextlib
import json
import sqlite3
import subprocess
import sys
from collections import Counter

import httpx
import pytest

from tests.system.test_crash import PATIENCE, Load, thing_path

pytestmark = pytest.mark.timeout(240)


def diat(*arguments, **more):
    """The command, run to its end."""
    command = [sys.executable, "-m", "diat", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **more)


def readings_of(data):
    """Numbers that each thing's readings carry, in the order in which they were stored."""
    database = sqlite3.connect(data / "diat.db")
    found = {}
    rows = database.execute(
        "SELECT things.id, n FROM readings JOIN things ON things.no = readings.thing ORDER BY position"
    )
    for thing, n in rows:
        found.setdefault(thing, []).append(n)
    twins = {thing: json.loads(state) for thing, state in database.execute("SELECT thing, state FROM twins")}
    database.close()
    return found, twins


def test_a_backup_taken_under_load_comes_back(platform, make_platform, eventually, tmp_path):
    key = tmp_path / "key"
    key.write_text("open sesame\n")
    with Load(platform) as load:
        service = load.settle_in(eventually)
        load.run()
        eventually(lambda: min(load.published[node.thing] for node in load.meters) > 100, PATIENCE)
        taken = diat("backup", tmp_path / "one", "--data", platform.data, "--passphrase-file", key)
        assert taken.returncode == 0, taken.stderr
        given = len(load.invoked)
        eventually(lambda: len(load.invoked) > given + 5, PATIENCE)
        load.stop()

        other = make_platform()
        back = diat("restore", tmp_path / "one", "--data", other.data, "--passphrase-file", key)
        assert back.returncode == 0, back.stderr
        found, twins = readings_of(other.data)
        for node in load.meters:
            numbers = found[f"urn:dev:{node.thing}"]
            # Each once, in order and without a gap: what was committed, and no more.
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
            assert len(numbers) > 50
            assert f"urn:dev:{node.thing}" in twins
        pending = _given_by_hand_and_open(other.data)

        performed = Counter(load.added)
        platform.terminate()
        # The restored one takes the place of the one that was; its things went on counting.
        other.http, other.mqtt = platform.http, platform.mqtt
        other.rest.base_url = platform.rest.base_url
        other.start()
        load.platform = other
        assert other.get(f"/services/{service}")["state"] in ("running", "degraded", "waiting")
        node = load.meters[0]
        path = thing_path(node.thing, "properties", "level")
        for _ in range(20):
            load._count(node)
        eventually(lambda: other.get(path) == load.published[node.thing], 30.0)
        values = Counter(each["value"] for each in other.pages(f"{path}/history", limit=1000))
        assert max(values.values()) == 1, "no reading is there twice"
        eventually(lambda: other.get(f"/services/{service}")["state"] == "running", 30.0)
        # What was under way is told to be in doubt, once its answer could have come.
        for each in pending:
            eventually(lambda each=each: other.get(f"/actuations/{each}")["status"] == "in-doubt", 30.0)
        # What was invoked after the backup was not done again, nor what was under way.
        assert Counter(load.added) == performed
        assert "Traceback" not in other.output
    verified = diat("audit", "verify", "--data", other.data)
    assert verified.returncode == 0, verified.stderr
    _brought_back_while_it_runs(other, eventually)


def _given_by_hand_and_open(data):
    """Ids of commands that no service gave, and that wait for their end."""
    database = sqlite3.connect(data / "diat.db")
    found = database.execute("SELECT id FROM actuations WHERE state = 'pending' AND service IS NULL")
    ids = [each for (each,) in found]
    database.close()
    return ids


def _brought_back_while_it_runs(platform, eventually):
    """Over REST: it starts again by itself, in the same process, with what the backup has."""

    def settings():
        return platform.rest.get("/settings").json()

    def is_back():
        with contextlib.suppress(httpx.TransportError):  # it is just ending, or beginning
            return platform.is_ready() and settings()["title"]["value"] == "Before"

    process = platform._process.pid
    platform.rest.patch("/settings", json={"title": "Before", "location": {"latitude": 1, "longitude": 2}})
    assert "next" in settings()["location"]
    name = platform.rest.post("/backups").json()["name"]
    eventually(lambda: platform.rest.get("/backups").json()[0]["state"] == "ready", PATIENCE)
    platform.rest.patch("/settings", json={"title": "After"})
    assert platform.rest.post(f"/backups/{name}/restore").status_code == 202
    eventually(is_back, 60.0)
    assert settings()["location"]["value"] == {"latitude": 1.0, "longitude": 2.0}
    assert [each["name"] for each in platform.rest.get("/backups").json()] == [name]
    assert platform._process.pid == process
    told = [line["did"] for line in platform.rest.get("/audit").json()]
    assert any(did.startswith("brought a backup of") for did in told)
    assert platform.terminate() == 0
