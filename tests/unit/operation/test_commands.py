"""``diat backup`` and ``diat restore``: what they say, and that they refuse in one line."""

import sys

import pytest

from diat.cli import main


@pytest.fixture
def diat(monkeypatch, capsys):
    """``diat(*arguments)``: exit code, standard output, standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["diat", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run


def test_there_and_back(diat, home, seen, tmp_path):
    file, old = tmp_path / "house.backup", home("old")
    code, out, err = diat("backup", file, "--data", old)
    assert (code, err) == (0, "")
    assert "whoever reads it has all secrets" in out
    assert file.stat().st_mode & 0o077 == 0
    code, out, _ = diat("restore", file, "--data", tmp_path / "new")
    assert code == 0
    assert "revoke again what was revoked since" in out
    assert seen(tmp_path / "new").mark == "old"


def test_they_refuse_in_one_line(diat, home, tmp_path, monkeypatch):
    file, old = tmp_path / "house.backup", home("old")
    (tmp_path / "empty").write_text("")
    monkeypatch.setenv("DIAT_PASSPHRASE", "open sesame")
    assert diat("backup", file, "--data", old)[0] == 0
    monkeypatch.delenv("DIAT_PASSPHRASE")
    new = tmp_path / "new"
    for arguments, line in [
        (("backup", file, "--data", old), "is there already: --force replaces it"),
        (("backup", tmp_path / "two", "--data", new), "name the data directory"),
        (("backup", tmp_path / "none" / "two", "--data", old), "cannot write"),
        (
            ("backup", tmp_path / "two", "--data", old, "--passphrase-file", tmp_path / "empty"),
            "no passphrase",
        ),
        (("restore", file, "--data", old), "is not empty: --force replaces"),
        (("restore", file, "--data", new), "its passphrase is needed"),
        (("restore", tmp_path / "none", "--data", new), "cannot read"),
        (("restore", tmp_path / "empty", "--data", new), "no backup"),
        (("restore", file, "--data", file), "cannot write in"),
    ]:
        code, out, err = diat(*arguments)
        assert (code, out) == (2, ""), arguments
        assert err.startswith("diat: "), err
        assert line in err
        assert err.count("\n") == 1
    assert not list(tmp_path.glob(".*"))


def test_their_help_has_an_example(diat):
    for command in ("backup", "restore"):
        assert f"Example: diat {command} house.backup --data ~/house" in diat(command, "--help")[1]
