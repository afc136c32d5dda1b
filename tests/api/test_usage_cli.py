"""``diat policy`` against a running platform."""

import pytest
from typer.testing import CliRunner

from diat.cli import app

RUN = CliRunner()


@pytest.fixture
def diat(rest, tmp_path):
    def run(*arguments, stdin=None):
        options = ["--url", str(rest.base_url), "--data", str(tmp_path / "none")]
        return RUN.invoke(app, ["policy", *arguments, *options], input=stdin)

    return run


def test_a_policy_is_checked_put_listed_asked_and_removed(diat, rest, sensor, tmp_path):
    each = sensor(20.0)
    file = tmp_path / "nights.yaml"
    file.write_text(f"title: Quiet\neffect: deny\nwhat: {{things: ['{each.id}']}}\noperations: [read]\n")
    checked = diat("check", "quiet", str(file))
    assert (checked.exit_code, checked.output) == (0, "quiet: it can be put\n")
    assert rest.get("/policies/quiet").status_code == 404
    assert diat("put", "quiet", str(file)).exit_code == 0
    assert "quiet  deny  Quiet" in diat("list").output
    asked = diat("why", "user:ada", "read", each.id, "temperature", "--role", "viewer@test")
    assert (asked.exit_code, asked.output) == (1, "deny: policy 'Quiet' (quiet) denies it\n")
    asked = diat("why", "user:ada", "observe", each.id, "temperature", "--role", "viewer")
    assert (asked.exit_code, asked.output) == (0, "permit: user:ada is viewer there\n")
    assert diat("remove", "quiet").exit_code == 0
    assert rest.get("/policies/quiet").status_code == 404


def test_what_is_wrong_is_one_line(diat, tmp_path):
    told = diat("put", "wrong", "-", stdin="effect: maybe\n")
    assert told.exit_code != 0
    assert "effect" in str(told.exception)
    told = diat("put", "wrong", str(tmp_path / "none.yaml"))
    assert "cannot read" in str(told.exception)


@pytest.mark.parametrize("command", ["list", "put", "check", "remove", "why"])
def test_each_command_shows_an_example(command):
    assert "Example: diat policy" in RUN.invoke(app, ["policy", command, "--help"]).output
