"""Invariant: a backup comes back as it was made, or not at all, whatever is killed or damaged."""

import fcntl
import io
import random
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diat.kernel.errors import Busy, Conflict, Invalid, SetupError
from diat.operation.backup import restoring, sealing
from diat.operation.backup.archive import About, packing
from diat.operation.backup.restoring import finish, restore
from diat.operation.backup.sealing import PIECE, Sealer, Unsealer
from diat.operation.backup.taking import LOCK, REPLACED, SHELF, take

MADE = 1_790_000_100_000
LATER = MADE + 10_000
SECRET = "correct horse battery staple"
BACK = {"diat.db", "only-old", "tls/ca.key", "audit/head.json", "lock",
        f"lake/readings/day=2026-01-01/part-{0:016d}-{40:016d}.parquet"}  # fmt: skip


def backup(directory, passphrase=""):
    out = (directory.parent / "house.backup").open("w+b")
    with out:
        take(directory, out, MADE, passphrase)
    return out.name


def bring(name, directory, passphrase="", **more):
    with Path(name).open("rb") as source:
        return restore(directory, source, LATER, passphrase, **more)


@pytest.mark.parametrize("passphrase", ["", SECRET])
def test_it_comes_back_as_it_was(home, seen, tmp_path, passphrase):
    name = backup(home("old"), passphrase)
    told = bring(name, tmp_path / "new", passphrase)
    found = seen(tmp_path / "new")
    assert (told.made, told.position, told.files) == (MADE, 50, 5)
    assert (found.mark, found.readings, found.files) == ("old", 50, BACK)
    assert (tmp_path / "new" / "tls" / "ca.key").read_text() == "key of old"
    assert (tmp_path / "new" / "tls" / "ca.key").stat().st_mode & 0o077 == 0


def test_what_must_not_be_as_it_was_is_not(home, seen, tmp_path):
    bring(backup(home("old")), tmp_path / "new")
    found = seen(tmp_path / "new")
    assert found.audit == (4, [])
    assert found.tokens == {"token"}
    # No position is given out twice, and no command is given again.
    assert found.position == 50 + 50 * (LATER - MADE)
    assert found.commands["open"].expires <= found.commands["open"].created
    assert found.commands["open"].state == "pending"
    assert found.commands["closed"].expires > found.commands["closed"].created


def test_a_writer_beside_it_changes_nothing(home, seen, tmp_path):
    """The copy is of one commit, however many come while it is made."""
    old = home("old", readings=20_000)
    writing = sqlite3.connect(old / "diat.db", isolation_level=None)
    counted = iter(range(20_001, 10**9))

    def more(*_):
        at = next(counted)
        writing.execute("INSERT INTO readings VALUES (?, 1, 0, 0, '1', ?, 'good', '{}')", (at, at))
        writing.execute("UPDATE meta SET value = ? WHERE key = 'position'", (at,))

    with (tmp_path / "house.backup").open("w+b") as out:
        told = take(old, out, MADE, "", more)
    writing.close()
    bring(tmp_path / "house.backup", tmp_path / "new")
    found = seen(tmp_path / "new")
    assert next(counted) > 20_003
    assert (told.position, found.readings) == (20_000, 20_000)


class TestRefused:
    def test_a_directory_with_something_in_it(self, home, seen):
        name, other = backup(home("old")), home("other")
        with pytest.raises(Conflict, match="not empty: --force"):
            bring(name, other)
        assert seen(other).mark == "other"
        bring(name, other, force=True)
        assert seen(other).mark == "old"
        assert (other / REPLACED / "only-other").exists()
        assert (other / REPLACED / "broker" / "state").exists()
        assert not (other / "broker").exists()

    def test_backups_stay_where_they_are(self, home):
        name, other = backup(home("old")), home("other")
        (other / SHELF).mkdir()
        (other / SHELF / "one").write_text("kept")
        bring(name, other, force=True)
        assert (other / SHELF / "one").read_text() == "kept"

    def test_a_directory_that_a_platform_runs_on(self, home):
        name, other = backup(home("old")), home("other")
        with (other / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(SetupError, match="in use by a running diat"):
                bring(name, other, force=True)

    def test_a_second_backup_at_the_same_time(self, home):
        old = home("old")
        with (old / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(Busy, match="another backup"):
                take(old, io.BytesIO(), MADE)

    @pytest.mark.parametrize("passphrase", ["", "wrong"])
    def test_without_the_passphrase(self, home, tmp_path, passphrase):
        name = backup(home("old"), SECRET)
        with pytest.raises(Invalid, match="passphrase"):
            bring(name, tmp_path / "new", passphrase)
        assert not (tmp_path / "new" / "diat.db").exists()

    def test_of_a_newer_version(self, home, tmp_path, monkeypatch):
        about = About(version="9.0", schema="9999", made=MADE, position=0, bytes=1, files=0)
        with (tmp_path / "newer").open("w+b") as out, packing(out, "", lambda _: None) as packer:
            packer.about(about)
            packer.end()
        with pytest.raises(SetupError, match=r"newer version \(9.0, schema 9999\)"):
            bring(tmp_path / "newer", tmp_path / "new")

    def test_without_room(self, home, tmp_path, monkeypatch):
        name = backup(home("old"))
        monkeypatch.setattr(restoring.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
        with pytest.raises(SetupError, match="no room"):
            bring(name, tmp_path / "new")

    @pytest.mark.parametrize("content", [b"", b"x", b"not a backup" * 1000, b"\x28\xb5\x2f\xfd" + b"x" * 99])
    def test_what_is_no_backup(self, tmp_path, content):
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(Invalid, match=r"no backup|damaged"):
            bring(tmp_path / "file", tmp_path / "new")
        assert not any((tmp_path / "new" / name).exists() for name in ("diat.db", restoring.STAGING))


@pytest.mark.parametrize(("passphrase", "tries"), [("", 25), (SECRET, 4)])
def test_whatever_is_damaged_in_it_is_found(home, seen, tmp_path, passphrase, tries):
    """Cut off or changed anywhere, nothing of it comes back; but what is in no file may be anything."""
    backup(home("old"), passphrase)
    whole = (tmp_path / "house.backup").read_bytes()
    chance, told = random.Random(1), []
    for turn in range(tries):
        at = chance.randrange(len(whole))
        behind = b"" if turn % 3 == 0 else bytes([whole[at] ^ 16]) + whole[at + 1 :]
        (tmp_path / "spoilt").write_bytes(whole[:at] + behind)
        new = tmp_path / f"new-{turn}"
        try:
            bring(tmp_path / "spoilt", new, passphrase)
        except Invalid as error:
            told.append(str(error))
            assert [each.name for each in new.iterdir()] == ["lock"]
        else:
            assert (seen(new).mark, seen(new).files) == ("old", BACK)
    assert len(told) > tries * 0.8
    assert not any("\n" in line for line in told)


def test_a_restore_that_is_killed_leaves_the_old_or_the_new(home, seen, killed, tmp_path, write):
    name = backup(home("old"))
    home("gone")
    outcomes = set()
    at = 0
    while True:
        other = tmp_path / f"other-{at}"
        other.mkdir()
        write(other, "other")
        was_killed = killed(lambda: bring(name, other, force=True), at)  # noqa: B023 - runs at once
        (other / "lock").touch()
        finish(other)  # as the platform does at its start
        found = seen(other)
        rest = {file for file in found.files if not file.startswith((f"{REPLACED}/", "."))}
        if found.mark == "old":
            assert rest == BACK
            assert found.audit == (4, [])
        else:
            assert found.mark == "other"
            assert {"only-other", "broker/state", "owner-token"} < rest
            assert "only-old" not in rest
            assert found.audit == (3, [])
        outcomes.add((found.mark, was_killed))
        if not was_killed:
            break
        at += 7
    assert outcomes == {("other", True), ("old", True), ("old", False)}


def test_a_backup_that_is_killed_leaves_what_was_there(home, seen, killed, tmp_path):
    old = home("old")
    before = seen(old)
    at = 0
    while killed(lambda: backup(old), at):
        assert {file for file in seen(old).files if not file.startswith((".", LOCK))} == before.files
        at += 5
    bring(backup(old), tmp_path / "new")
    assert seen(tmp_path / "new").mark == "old"
    assert not (old / ".backup").exists()


@pytest.fixture
def cheap(monkeypatch):
    """Keys that anybody could guess, made in no time."""
    monkeypatch.setattr(sealing, "_COST", 10)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(st.binary(max_size=PIECE // 3 + 7), max_size=8), st.integers(0, 2**30), st.booleans())
def test_what_is_sealed_comes_out_as_it_went_in_and_only_whole(cheap, pieces, chance, cut):
    out = io.BytesIO()
    sealer = Sealer(out, "")
    for piece in pieces * 3:
        sealer.write(piece)
    sealer.seal()
    sealed = out.getvalue()
    assert io.BufferedReader(Unsealer(io.BytesIO(sealed), "")).read() == b"".join(pieces * 3)
    at = chance % len(sealed)
    spoilt = sealed[:at] if cut else sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
    with pytest.raises(Invalid, match=r"damaged"):
        io.BufferedReader(Unsealer(io.BytesIO(spoilt), "")).read()
