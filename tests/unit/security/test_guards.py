"""Waiting after wrong passwords, and buckets of requests: each for himself, all of it bounded."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diat.kernel.errors import Invalid
from diat.security import limits, lockout, passwords
from diat.security.accounts import new_secret, written
from diat.security.limits import AtOnce, Buckets
from diat.security.lockout import FORGOTTEN, FREE, LONGEST, Lockout
from diat.security.logs import keep_secrets_out_of_logs


class TestLockout:
    def test_the_wait_doubles_to_a_quarter_of_an_hour(self):
        each = Lockout()
        waits = []
        for now in range(FREE + 12):
            each.failed("ada", "10.0.0.1", now)
            waits.append(max(0, each.until("ada", "10.0.0.1", now) - now))
        assert waits[: FREE - 1] == [0] * (FREE - 1)
        assert waits[FREE - 1 : FREE + 3] == [1000, 2000, 4000, 8000]
        assert waits[-1] == LONGEST

    def test_who_guesses_locks_out_himself_alone(self):
        each = Lockout()
        for now in range(100):
            each.failed("ada", "10.0.0.66", now)
        assert each.until("ada", "10.0.0.66", 100) > 100
        assert each.until("ada", "10.0.0.7", 100) == 0
        assert each.until("bob", "10.0.0.66", 100) == 0

    def test_the_right_password_and_a_day_forget_it(self):
        each = Lockout()
        for _ in range(FREE):
            each.failed("ada", "10.0.0.1", 0)
        assert each.until("ada", "10.0.0.1", FORGOTTEN + 1) == 0
        each.succeeded("ada", "10.0.0.1")
        assert each.until("ada", "10.0.0.1", 0) == 0

    def test_all_addresses_of_a_household_are_one_source(self):
        each = Lockout()
        for last in range(FREE):
            each.failed("ada", f"2001:db8:1:2::{last:x}", 0)
        assert each.until("ada", "2001:db8:1:2:ffff::1", 0) == 1000
        assert each.until("ada", "2001:db8:1:3::1", 0) == 0

    def test_what_is_remembered_is_bounded(self, monkeypatch):
        monkeypatch.setattr(lockout, "MOST", 10)
        each = Lockout()
        for number in range(1000):
            each.failed(f"user-{number}", "10.0.0.1", 0)
        assert len(each._failed) == 10


class TestBuckets:
    @given(st.lists(st.floats(0, 5), max_size=200), st.floats(1, 50), st.floats(1, 20))
    def test_never_more_than_the_burst_and_the_rate_together(self, pauses, rate, burst):
        bucket, now, passed = Buckets(rate, burst), 0.0, 0
        for pause in pauses:
            now += pause
            passed += not bucket.wait("x", now)
        assert passed <= burst + now * rate + 1e-6

    def test_it_tells_when_to_come_again(self):
        bucket = Buckets(rate=2, burst=1)
        assert bucket.wait("x", 0) == 0
        assert bucket.wait("x", 0) == pytest.approx(0.5)
        assert bucket.wait("y", 0) == 0
        assert bucket.wait("x", 0.5) == 0

    def test_what_is_remembered_is_bounded(self, monkeypatch):
        monkeypatch.setattr(limits, "MOST", 10)
        bucket = Buckets(1, 1)
        for number in range(1000):
            bucket.wait(str(number), 0)
        assert len(bucket._left) == 10

    def test_at_once_counts_what_is_going_on(self):
        going = AtOnce(2)
        assert [going.begin("x"), going.begin("x"), going.begin("x"), going.begin("y")] == [1, 1, 0, 1]
        going.end("x")
        assert going.begin("x")
        going.end("y")
        assert "y" not in going._going


class TestPasswords:
    def test_what_is_kept_is_argon2_and_opens_to_the_password_alone(self):
        kept = passwords.hashed("correct horse battery")
        assert kept.startswith("$argon2id$")
        assert passwords.verified("correct horse battery", kept)
        assert not passwords.verified("correct horse batterz", kept)
        assert not passwords.verified("correct horse battery", None)
        assert not passwords.verified("a password that nobody has, for whoever is not there", None)
        assert not passwords.verified("x", "no hash at all")

    @pytest.mark.parametrize("password", ["", "short", "x" * 9, "x" * 1001])
    def test_a_poor_one_is_refused(self, password):
        with pytest.raises(Invalid, match="10 to 1000"):
            passwords.hashed(password)


def test_no_log_holds_a_token(caplog):
    factory = logging.getLogRecordFactory()
    try:
        keep_secrets_out_of_logs()
        keep_secrets_out_of_logs()
        token = written("0123456789abcdef0123", new_secret())
        log = logging.getLogger("diat.test")
        log.warning(token)
        log.warning("%s asked for %s with %d", "x", f"/things?token={token}", 5)
        log.warning("password=%s", token)
        log.warning("GET /x?password=hunter2&a=1")
        log.warning("%s", ValueError(f"wrong: {token}"))
        log.warning("%(a)s", {"a": 1})
    finally:
        logging.setLogRecordFactory(factory)
    assert token not in caplog.text
    assert "hunter2" not in caplog.text
    assert "asked for /things?token=*** with 5" in caplog.text
    assert "password=***&a=1" in caplog.text
