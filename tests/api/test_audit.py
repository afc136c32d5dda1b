"""The audit from outside: what is in it, who may read it, and that nothing can be done to it unseen."""

import json
import random
import shutil
import sqlite3

import pytest
from typer.testing import CliRunner

from diat.cli import app

RUN = CliRunner()


def did(rest, **query):
    return [(each["outcome"], each["did"]) for each in rest.get("/audit", params=query).json()]


def test_a_change_is_told_with_who_did_it(sensor, rest):
    each = sensor(20.0)
    answer = rest.put("/policies/audited", json={"effect": "deny", "what": {"things": ["urn:none"]}})
    assert answer.status_code == 201
    newest = rest.get("/audit", params={"limit": 1}).json()[0]
    assert newest["did"] == "PUT /policies/audited"
    assert (newest["who"], newest["outcome"]) == ("local:loopback", "done")
    assert len(newest["link"]) == 64
    rest.delete("/policies/audited", headers={"Diat-Purpose": "tidying"})
    assert rest.get("/audit", params={"limit": 1}).json()[0]["purpose"] == "tidying"
    rest.get(f"{each.path}/properties/temperature")
    assert did(rest, limit=1) == [("done", "DELETE /policies/audited")]


def test_what_is_refused_is_told_with_the_policy(sensor, rest, until):
    each = sensor(20.0)
    rest.put(
        "/policies/closed", json={"effect": "deny", "what": {"things": [each.id]}, "operations": ["read"]}
    )
    assert rest.get(f"{each.path}/properties/temperature").status_code == 403
    (told,) = until(lambda: rest.get("/audit", params={"outcome": "denied", "limit": 1}).json())
    assert told["policies"] == ["closed"]
    assert told["did"].startswith("GET /things/")
    assert told["why"] == "policy 'closed' (closed) denies it"
    rest.delete("/policies/closed")


def test_a_change_that_fails_leaves_no_entry(rest):
    before = rest.get("/audit", params={"limit": 1}).json()[0]["no"]
    assert rest.delete("/policies/never-was").status_code == 404
    assert rest.get("/audit", params={"limit": 1}).json()[0]["no"] == before


def test_pages_and_filters(rest):
    for _ in range(5):
        rest.put("/policies/paged", json={"effect": "deny", "what": {"things": ["urn:none"]}})
    rest.delete("/policies/paged")
    answer = rest.get("/audit", params={"limit": 2, "did": "/policies/paged"})
    numbers = [each["no"] for each in answer.json()]
    following = rest.get(answer.links["next"]["url"]).json()
    assert numbers + [each["no"] for each in following] == sorted(numbers, reverse=True) + [
        each["no"] for each in following
    ]
    assert min(numbers) > max(each["no"] for each in following)
    assert did(rest, who="user:nobody-there") == []


def test_an_export_verifies_and_a_changed_one_does_not(rest, tmp_path):
    file = tmp_path / "audit.jsonl"
    file.write_text(rest.get("/audit/export").text)
    fine = RUN.invoke(app, ["audit", "verify", "--file", str(file)])
    assert fine.exit_code == 0, fine.output
    head = fine.output.rpartition("head ")[2].strip()
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:-1]))
    assert RUN.invoke(app, ["audit", "verify", "--file", str(file)]).exit_code == 0
    assert RUN.invoke(app, ["audit", "verify", "--file", str(file), "--head", head]).exit_code == 1
    file.write_text("".join(lines).replace('"done"', '"noted"', 1))
    assert RUN.invoke(app, ["audit", "verify", "--file", str(file)]).exit_code == 1


@pytest.fixture
def copy(house, rest, tmp_path):
    """A copy of the data directory's database and audit, as the daemon has it just now."""
    for at in range(8):
        rest.put(
            "/policies/copied", json={"effect": "deny", "title": str(at), "what": {"things": ["urn:none"]}}
        )
    data = house.daemon.settings.data
    with sqlite3.connect(data / "diat.db") as source, sqlite3.connect(tmp_path / "diat.db") as target:
        source.backup(target)
    source.close()
    target.close()
    shutil.copytree(data / "audit", tmp_path / "audit")
    return tmp_path


def verify(data):
    return RUN.invoke(app, ["audit", "verify", "--data", str(data)])


def test_a_running_daemons_audit_verifies(house, copy):
    assert verify(house.daemon.settings.data).exit_code == 0
    assert verify(copy).exit_code == 0


@pytest.mark.parametrize("seed", range(40))
def test_any_change_of_the_database_is_found(copy, seed):
    chance = random.Random(seed)
    with sqlite3.connect(copy / "diat.db") as sql:
        rows = sql.execute("SELECT no, body, link FROM audit ORDER BY no").fetchall()
        no, body, link = chance.choice(rows)
        way = seed % 8
        if way == 0:
            said = json.loads(body) | {"who": "user:somebody-else"}
            sql.execute("UPDATE audit SET body = ? WHERE no = ?", (json.dumps(said), no))
        elif way == 1:
            sql.execute("DELETE FROM audit WHERE no = ?", (no,))
        elif way == 2:
            sql.execute("UPDATE audit SET link = ? WHERE no = ?", (link[::-1], no))
        elif way == 3:
            sql.execute("DELETE FROM audit WHERE no >= ?", (no,))
        elif way == 4:
            sql.execute("UPDATE audit SET no = no + 1000000 WHERE no >= ?", (no,))
        elif way == 5:
            other = chance.choice([each for each in rows if each[0] != no])
            sql.execute("UPDATE audit SET body = ?, link = ? WHERE no = ?", (other[1], other[2], no))
        elif way == 6:
            sql.execute("INSERT INTO audit VALUES (?, ?, ?)", (rows[-1][0] + 1, body, link))
        else:
            sql.execute("UPDATE audit SET body = body || ' ' WHERE no = ?", (no,))
    sql.close()
    answer = verify(copy)
    assert answer.exit_code == 1, answer.output
    assert "not as it was written" in answer.output


def test_a_head_that_is_gone_is_a_fault(copy):
    (copy / "audit" / "head.json").unlink()
    assert verify(copy).exit_code == 1


def test_entries_that_were_moved_out_are_one_chain_with_the_rest(copy):
    from diat.adapters.lake.opening import read_only
    from diat.adapters.sql.audit import KeptAudit, write_sealed

    engine = read_only(copy)
    kept = KeptAudit(engine, copy / "audit")
    whole = list(kept.everything())
    half = whole[len(whole) // 2][0]
    write_sealed(copy / "audit", kept.rows(upto=half), whole[0][0])
    assert list(kept.everything()) == whole, "they may be in both for a moment"
    engine.dispose()
    with sqlite3.connect(copy / "diat.db") as sql:
        sql.execute("DELETE FROM audit WHERE no <= ?", (half,))
    sql.close()
    assert verify(copy).exit_code == 0
    (file,) = (copy / "audit").glob("0*.jsonl")
    file.write_text("".join(file.read_text().splitlines(keepends=True)[1:]))
    assert verify(copy).exit_code == 1
