"""``diat up --lan`` as a person starts it: the first link, the command line, no secret in what is printed."""

import re
import subprocess
import sys

import httpx
import pytest

TOKEN = r"diat_[0-9a-f]{16,64}_[A-Za-z0-9_-]{43}"


@pytest.fixture
def opened(make_platform):
    """A platform that asks everybody for a credential, in plain text on loopback."""
    platform = make_platform()
    usual = platform.command
    platform.command = lambda: [
        *usual(http=f"127.0.0.1:{platform.http}"),
        "--lan",
        "--plain",
        "--no-announce",
        "-v",
    ]
    platform.start()
    return platform


def diat(platform, *arguments, code=0):
    """What a command prints; it finds the platform by its data directory."""
    where = ["--data", str(platform.data)]
    done = subprocess.run(
        [sys.executable, "-m", "diat", *arguments, *where],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_from_the_first_link_to_the_last_token(opened, eventually):
    eventually(lambda: "/login#diat_" in opened.output, 10, lambda: opened.output)
    (invitation,) = re.findall(rf"/login#({TOKEN})", opened.output)
    assert opened.rest.get("/things").status_code == 401
    with httpx.Client(base_url=opened.rest.base_url) as browser:
        said = {"invitation": invitation, "password": "correct horse battery"}
        csrf = browser.post("/sessions", json=said).json()["csrf"]
        assert browser.get("/users").json()[0]["password"] is True
        made = browser.post("/tokens", json={"title": "mine"}, headers={"X-CSRF-Token": csrf}).json()["token"]
    assert diat(opened, "user", "add", "ada", "--role", "operator", "--place", "hq/2").startswith(
        "ada  user  operator at hq/2\n"
    )
    assert re.search(rf"/login#{TOKEN}", diat(opened, "user", "invite", "ada"))
    diat(opened, "user", "add", "bot", "--role", "viewer", "--program")
    token = diat(opened, "token", "add", "Grafana", "--user", "bot", "--expires", "30d").strip()
    assert re.fullmatch(TOKEN, token)
    headers = {"Authorization": f"Bearer {token}"}
    assert opened.rest.get("/things", headers=headers).json() == []
    assert opened.rest.get(f"/things?token={token}", headers=headers).status_code == 400
    assert "account:bot is viewer" in diat(opened, "user", "list", "--token", token, code=2)
    assert "ada  user  viewer" in diat(opened, "user", "change", "ada", "--role", "viewer")
    listed = diat(opened, "token", "list", "--user", "bot")
    assert "Grafana" in listed
    diat(opened, "token", "revoke", listed.split()[0])
    assert opened.rest.get("/things", headers=headers).status_code == 401
    diat(opened, "user", "remove", "bot")
    assert [line.split()[0] for line in diat(opened, "user", "list").splitlines()] == ["ada", "admin"]
    owner = (opened.data / "owner-token").read_text()
    assert (opened.data / "owner-token").stat().st_mode & 0o777 == 0o600
    assert opened.terminate() == 0
    assert not (opened.data / "owner-token").exists()
    assert not (opened.data / "address").exists()
    # All requests were logged, and none of what opens a door but the link, which is for whoever starts it.
    assert "GET /things?token=*** HTTP/1.1" in opened.output
    for secret in (token, made, owner, "correct horse"):
        assert secret not in opened.output
    before = opened.output
    opened.start()
    assert opened.rest.get("/things", headers={"Authorization": f"Bearer {made}"}).status_code == 200
    assert opened.rest.get("/things", headers={"Authorization": f"Bearer {owner}"}).status_code == 401
    assert "/login#diat_" not in opened.output.removeprefix(before)


def test_the_owners_token_goes_nowhere_else(tmp_path):
    from diat.cli.rest import Rest

    (tmp_path / "owner-token").write_text("diat_secret")
    for url in ("http://evil.example:8000", "http://127.0.0.1.evil.example", "http://192.168.1.5:8000", "x"):
        assert "diat_secret" not in str(vars(Rest(url, None, tmp_path)))
    assert "diat_secret" in str(vars(Rest("http://localhost:8000", None, tmp_path)))
    assert "diat_secret" not in repr(Rest("http://localhost:8000", None, tmp_path))
    assert "other" in str(vars(Rest("http://localhost:8000", "other", tmp_path)))


def test_bad_input_is_one_clear_line(platform):
    for arguments, says in (
        (("user", "add", "Ada", "--role", "viewer"), "name: "),
        (("user", "invite", "nobody"), "no user 'nobody'"),
        (("token", "add", "x"), "user: say whose it is to be"),
        (("token", "revoke", "x/../y"), "no token"),
    ):
        said = diat(platform, *arguments, code=2)
        assert says in said
        assert said.count("\n") == 1
