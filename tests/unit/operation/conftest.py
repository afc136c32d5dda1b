"""A small data directory as a platform leaves it, and processes that are killed at a chosen moment.

Fixtures:
    home: makes data directories.
    killed: runs something in a process of its own that is killed (SIGKILL) at its n-th step on the disk.
"""

import os
import signal
import sys
import traceback
from types import SimpleNamespace

import msgspec
import pytest

from diat.adapters.sql import rows
from diat.adapters.sql.audit import KeptAudit, KeptHead
from diat.adapters.sql.database import open_database
from diat.security.accounts import Token
from diat.security.audit import FIRST, Entry, body_of, link_of
from diat.vol.actuation import Actuation

NOON = 1_790_000_000_000
STEPS = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "open", "sqlite3.connect"}


def write(directory, mark, *, readings=50):
    """A database, a lake, keys, an audit with its head; ``mark`` tells one from another."""
    engine = open_database(directory / "diat.db")
    link = FIRST
    with engine.begin() as sql:
        put = sql.exec_driver_sql
        for at in range(1, readings + 1):
            values = (at, 1, NOON + at, NOON + at, "1", at, "good", "{}")
            put("INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        put("INSERT INTO meta VALUES ('position', ?)", (readings,))
        put("INSERT INTO buried VALUES ('mark', ?, 0)", (mark,))
        open_one = Actuation(
            id="open",
            thing="urn:dev:a",
            affordance="on",
            kind="property",
            created=NOON,
            expires=NOON + 60_000,
        )
        closed = msgspec.structs.replace(open_one, id="closed", state="completed")
        for each in (open_one, closed):
            put(
                "INSERT INTO actuations VALUES (?, ?, ?, ?, ?, ?)",
                (each.id, each.thing, each.service, each.created, each.state, rows.text(each)),
            )
        for kind in ("token", "session", "invitation"):
            token = Token(id=kind, user="ada", kind=kind, digest="", created=0, expires=2**50)
            put("INSERT INTO tokens VALUES (?, ?)", (kind, rows.text(token)))
        for no in range(1, 4):
            body = body_of(no, Entry(at=NOON, who="user:ada", did=mark, outcome="done"))
            link = link_of(link, body)
            put("INSERT INTO audit VALUES (?, ?, ?)", (no, body, link))
    engine.dispose()
    (directory / "audit").mkdir()
    (directory / "audit" / "head.json").write_bytes(msgspec.json.encode(KeptHead(3, link)))
    for high in (40, readings + 10):  # the second one came after the commit that a backup is of
        part = directory / "lake" / "readings" / "day=2026-01-01" / f"part-{0:016d}-{high:016d}.parquet"
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(mark)
    (directory / "tls").mkdir()
    (directory / "tls" / "ca.key").write_text(f"key of {mark}")
    (directory / f"only-{mark}").write_text(mark)
    (directory / "broker").mkdir()
    (directory / "broker" / "state").write_text(mark)
    (directory / "owner-token").write_text("secret of one life")


def seen(directory):
    """What a platform would find there."""
    engine = open_database(directory / "diat.db")
    with engine.connect() as sql:
        get = sql.exec_driver_sql
        found = SimpleNamespace(
            mark=get("SELECT thing FROM buried").scalar(),
            readings=get("SELECT count(*) FROM readings").scalar(),
            position=get("SELECT value FROM meta WHERE key = 'position'").scalar(),
            tokens={name for (name,) in get("SELECT id FROM tokens")},
            commands={
                name: rows.read_actuation(body) for name, body in get("SELECT id, body FROM actuations")
            },
        )
    found.audit = KeptAudit(engine, directory / "audit").verify()
    engine.dispose()
    found.files = {
        path.relative_to(directory).as_posix()
        for path in directory.rglob("*")
        if path.is_file() and not path.name.startswith("diat.db-")
    }
    return found


@pytest.fixture(name="write")
def _write():
    return write


@pytest.fixture(name="seen")
def _seen():
    return seen


@pytest.fixture
def home(tmp_path):
    def make(mark, **more):
        directory = tmp_path / mark
        directory.mkdir()
        write(directory, mark, **more)
        return directory

    return make


@pytest.fixture
def killed():
    """``killed(do, n)``: whether it was killed; False if it came to its end before."""

    def run(do, at):
        pid = os.fork()
        if not pid:
            left = at

            def step(event, _):
                nonlocal left
                if event in STEPS:
                    left -= 1
                    if left < 0:
                        os.kill(os.getpid(), signal.SIGKILL)

            try:
                sys.addaudithook(step)
                do()
            except BaseException:  # noqa: BLE001 - a child must not go on as the parent's test
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed: see above"
        return os.WIFSIGNALED(status)

    return run
