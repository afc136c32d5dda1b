"""Settings, the recent log, versions, backups and the report of a bug, over REST."""

from __future__ import annotations

import io
import json
import logging
import sqlite3
import threading
import zipfile
from contextlib import suppress

import httpx
import pytest

from diat.kernel.errors import Busy
from diat.operation.backup.restoring import restore

SECRET = "hunter2-and-more"


@pytest.fixture
def settings(house):
    """Settings that are as they were afterwards."""
    yield house.get("/settings")
    house.rest.patch("/settings", json=dict.fromkeys(house.get("/settings")))


class TestSettings:
    def test_they_are_told_with_where_they_come_from(self, settings):
        assert settings["title"] == {
            "value": "My place",
            "from": "default",
            "default": "My place",
            "restart": False,
        }
        assert settings["units"]["value"] is None
        assert settings["location"]["restart"]

    def test_a_change_is_kept_and_holds_at_once(self, house, rest, settings):
        wanted = {"title": "Casa", "units": {"temperature": "°F"}, "stale_after": 5, "zone": "Europe/Rome"}
        answer = rest.patch("/settings", json=wanted | {"hot_days": 30, "admission": "pending"})
        assert answer.status_code == 200, answer.text
        told = house.get("/settings")
        assert told["title"]["value"] == "Casa"
        assert told["title"]["from"] == "kept"
        assert told["units"]["value"] == {"Temperature": "[degF]"}
        assert house.daemon.stale_after == 5
        assert house.daemon.policies.kept_days == 30
        assert house.daemon.things.registry.admission == "pending"
        rest.patch("/settings", json={"title": None})
        assert house.get("/settings")["title"]["from"] == "default"

    def test_what_needs_a_restart_says_so(self, house, rest, settings):
        rest.patch("/settings", json={"location": {"latitude": 52.5, "longitude": 13.4}})
        told = house.get("/settings")["location"]
        assert told["value"] is None
        assert told["next"] == {"latitude": 52.5, "longitude": 13.4}

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"titel": "x"}, "titel"),
            ({"title": ""}, "title"),
            ({"zone": "Europe/Atlantis"}, "zone"),
            ({"units": {"Temperature": "m"}}, "units"),
            ({"units": "royal"}, "units"),
            ({"location": {"latitude": 91, "longitude": 0}}, "location.latitude"),
            ({"hot_days": 0}, "hot_days"),
            ({"raw_days": 3}, "raw_days"),
            ({"backup_every": "5m"}, "backup_every"),
            ({"backup_every": "sometimes"}, "backup_every"),
            ({"backup_keep": 0}, "backup_keep"),
        ],
    )
    def test_what_is_wrong_names_its_field(self, house, rest, settings, problem, body, field):
        told = problem(rest.patch("/settings", json={"title": "Not kept"} | body), 422, "invalid")
        assert told["field"].startswith(field)
        assert house.get("/settings") == settings

    def test_a_lost_race(self, rest, problem, settings):
        tag = rest.get("/settings").headers["etag"]
        assert rest.patch("/settings", json={"title": "One"}, headers={"If-Match": tag}).status_code == 200
        problem(rest.patch("/settings", json={"title": "Two"}, headers={"If-Match": tag}), 412, "stale")

    def test_who_may(self, house, someone, problem):
        viewer = someone("viewer")
        assert viewer.get("/settings").status_code == 200
        problem(viewer.patch("/settings", json={"title": "Mine"}), 403, "forbidden")
        problem(someone("engineer").patch("/settings", json={"title": "Mine"}), 403, "forbidden")


class TestLogs:
    def test_by_level_logger_text_and_time(self, house, rest, problem):
        logging.getLogger("diat.try").warning("a door was left open")
        logging.getLogger("diat.try.further").error("a window too")
        logging.getLogger("other").error("elsewhere")
        told = house.get("/logs", logger="diat.try")
        assert [line["text"] for line in told] == ["a door was left open", "a window too"]
        assert [line["text"] for line in house.get("/logs", logger="diat.try", level="error")] == [
            "a window too"
        ]
        assert [line["text"] for line in house.get("/logs", text="DOOR")] == ["a door was left open"]
        assert house.get("/logs", since="2099-01-01T00:00:00Z") == []
        assert house.get("/logs", limit=1)[0]["text"] == "elsewhere"
        assert house.get("/logs", limit=1, before=told[1]["no"])[0]["text"] == "a door was left open"
        problem(rest.get("/logs", params={"level": "loud"}), 422, "invalid", "level")
        problem(rest.get("/logs", params={"since": "once"}), 422, "invalid", "since")

    def test_secrets_are_kept_out(self, house):
        log = logging.getLogger("diat.try.secret")
        log.warning("connecting to %s", f"mqtt://me:{SECRET}@broker")
        log.warning('sent {"password": "%s"}', SECRET)
        try:
            int(f"token={SECRET}")
        except ValueError:
            log.exception("it failed")
        told = house.get("/logs", logger="diat.try.secret")
        assert len(told) == 3
        assert "Traceback" in told[2]["text"]
        assert SECRET not in json.dumps(told)

    def test_following(self, house, rest, until):
        lines = []
        with rest.stream(
            "GET", "/logs/follow?logger=diat.follow", timeout=httpx.Timeout(10, read=30)
        ) as answer:
            reading = threading.Thread(target=lambda: lines.extend(_data(answer, 2)), name="follower")
            reading.start()
            until(lambda: house.daemon.log._readers)
            logging.getLogger("diat.follow").warning("first")
            logging.getLogger("diat.elsewhere").warning("not wanted")
            logging.getLogger("diat.follow").warning("second")
            reading.join(10)
        assert [line["text"] for line in lines] == ["first", "second"]
        until(lambda: not house.daemon.log._readers)

    def test_a_follower_who_may_no_longer_is_told(self, house, someone, until):
        admin = someone("admin")
        with admin.stream("GET", "/logs/follow", timeout=httpx.Timeout(10, read=30)) as answer:
            house.rest.delete(f"/tokens/{admin.headers['X-Token']}")
            assert "event: ended" in "".join(answer.iter_text())

    def test_only_administrators(self, someone, problem):
        for path in ("/logs", "/logs/follow"):
            problem(someone("engineer").get(path), 403, "forbidden")


def _data(answer, count):
    for line in answer.iter_lines():
        if line.startswith("data:"):
            yield json.loads(line.removeprefix("data:"))
            count -= 1
            if not count:
                return


def test_versions(house, someone):
    told = house.get("/versions")
    assert told["platform"]
    assert told["broker"]["kind"] == "embedded"
    assert told["broker"]["version"][0].isdigit()
    assert told["schema"].isdigit()
    assert someone("viewer").get("/versions").status_code == 200


class TestBackups:
    def test_made_listed_downloaded_and_removed(self, house, rest, sensor, until, tmp_path, problem):
        made = sensor(21.5)
        answer = rest.post("/backups", json={"passphrase": SECRET})
        assert answer.status_code == 202, answer.text
        name = answer.json()["name"]
        assert answer.headers["location"] == f"/backups/{name}"
        told = until(lambda: next((b for b in house.get("/backups") if b["state"] == "ready"), None))
        assert (told["name"], told["by"], told["sealed"]) == (name, "person", True)
        file = rest.get(f"/backups/{name}")
        assert len(file.content) == told["bytes"]
        assert name in file.headers["content-disposition"]
        restore(tmp_path / "new", io.BytesIO(file.content), house.daemon.clock(), SECRET)
        database = sqlite3.connect(tmp_path / "new" / "diat.db")
        assert database.execute("SELECT count(*) FROM things WHERE id = ?", (made.id,)).fetchone() == (1,)
        database.close()
        assert rest.delete(f"/backups/{name}").status_code == 204
        problem(rest.get(f"/backups/{name}"), 404, "not-found")
        done = [line["did"] for line in house.get("/audit", limit=20)]
        assert {"POST /backups", f"GET /backups/{name}", f"DELETE /backups/{name}"} <= set(done)

    def test_one_from_elsewhere_is_put_beside_them(self, house, rest, until, problem, someone):
        answer = rest.post("/backups", json={"passphrase": SECRET})
        name = answer.json()["name"]
        until(lambda: any(b["name"] == name and b["state"] == "ready" for b in house.get("/backups")))
        content = rest.get(f"/backups/{name}").content
        problem(rest.put(f"/backups/{name}", content=content), 409, "conflict")
        rest.delete(f"/backups/{name}")
        problem(rest.put(f"/backups/{name}", content=b"no backup"), 422, "invalid")
        problem(rest.put(f"/backups/{name}", content=iter([content])), 422, "invalid", "Content-Length")
        assert rest.put("/backups/..%2fdiat.db", content=content).status_code in (404, 422)
        assert someone("engineer").put(f"/backups/{name}", content=content).status_code == 403
        assert [b for b in house.get("/backups") if b["name"] == name] == []
        # Larger than any other body may be: zeros at the end are found out when it is brought back.
        larger = content + bytes(9 * 1024 * 1024)
        answer = rest.put(f"/backups/{name}", content=larger)
        assert (answer.status_code, answer.json()["bytes"], answer.json()["sealed"]) == (
            201,
            len(larger),
            True,
        )
        assert rest.post(f"/backups/{name}/restore", json={"passphrase": SECRET}).status_code == 202
        told = until(lambda: next((b for b in house.get("/backups") if b["state"] == "failed"), None))
        assert "damaged" in told["error"]
        rest.delete(f"/backups/{name}")

    @pytest.mark.parametrize("name", ["..%2f..%2fdiat.db", "diat.db", "diat-20260101T000000000Z.backup"])
    def test_names_of_what_is_no_backup(self, rest, name):
        assert rest.get(f"/backups/{name}").status_code in (404, 422)
        assert rest.delete(f"/backups/{name}").status_code in (404, 422)

    def test_by_itself_and_the_oldest_go(self, house, rest, until, settings):
        shelf = house.daemon.backups
        clock, ahead = shelf._clock, 0
        shelf._clock = lambda: clock() + ahead
        rest.patch("/settings", json={"backup_every": "1h", "backup_keep": 2})
        seen = set()
        for _ in range(3):
            assert shelf._rest() < 1
            with suppress(Busy):  # it may have found out by itself
                shelf.make(by="schedule")
            until(lambda: not shelf._job.is_alive())
            assert shelf._rest() > 1
            seen |= {each["name"] for each in house.get("/backups")}
            ahead += 3_600_000
        rest.patch("/settings", json={"backup_every": None})
        until(lambda: not shelf._job.is_alive())
        own = [each for each in house.get("/backups") if each["by"] == "schedule"]
        assert [each["state"] for each in own] == ["ready", "ready"]
        assert len(seen) >= 3
        shelf._clock = clock

    def test_one_that_fails_says_why(self, house, rest, until):
        shelf = house.daemon.backups
        kept, shelf.directory = shelf.directory, shelf.directory / "file" / "below"
        (kept / "file").parent.mkdir(exist_ok=True)
        (kept / "file").write_text("in the way")
        try:
            rest.post("/backups")
            until(lambda: shelf._failed)
            (told,) = house.get("/backups")
            assert told["state"] == "failed"
            assert "Not a directory" in told["error"]
        finally:
            shelf.directory = kept

    def test_only_administrators(self, someone, problem):
        problem(someone("engineer").get("/backups"), 403, "forbidden")
        problem(someone("engineer").post("/backups"), 403, "forbidden")


def test_the_report_of_a_bug_has_no_secret_in_it(house, rest, thing, until):
    device = thing({"title": "Leaky", "properties": {"temperature": {"type": "number"}}})
    device.say(f"diat/{device.name}/properties", json.dumps({"password": SECRET}).encode())
    until(lambda: house.diagnostics(device.id))
    logging.getLogger("diat.try").warning("it says password=%s", SECRET)
    token = house.post("/users", {"name": "reporter", "kind": "account", "grants": [{"role": "viewer"}]})
    token = house.post("/tokens", {"title": "t", "user": "reporter"})["token"]
    logging.getLogger("diat.try").warning("it came with %s", token)
    answer = rest.get("/diagnostics/report")
    assert answer.headers["content-type"] == "application/zip"
    file = zipfile.ZipFile(io.BytesIO(answer.content))
    told = {name: file.read(name).decode() for name in file.namelist()}
    assert {"versions.json", "settings.json", "log.jsonl", "metrics.txt", "diagnostics.json", "sizes.json",
            "threads.txt", "broker.log"} <= told.keys()  # fmt: skip
    everything = "".join(told.values())
    assert "it says password" in told["log.jsonl"]
    assert device.id in told["diagnostics.json"]
    assert json.loads(told["sizes.json"])["bytes"]["diat.db"] > 0
    daemon = house.daemon
    for secret in (SECRET, token, daemon.broker_secret, daemon._address.password, daemon.pseudonyms.hex()):
        assert secret not in everything
    assert len(daemon.inside.secrets()) >= 3
