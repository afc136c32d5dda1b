"""What a flag or its variable says stands above what is kept, and is not changed over REST."""

from importlib import import_module

import pytest
from typer.testing import CliRunner

from diat.adapters.lake.retention import Retention
from diat.cli import app
from diat.cvol.steps.base import GREENWICH
from diat.kernel.errors import Invalid
from diat.kernel.overlay import Ledger
from diat.operation.preferences import Preferences, Said, usual_of
from diat.operation.shown_units import shown_unit


@pytest.fixture
def fixed(monkeypatch):
    """``fixed(*arguments, **environment)``: the settings that ``diat up`` takes for said."""

    def run(*arguments, **environment):
        told = {}
        monkeypatch.setattr(import_module("diat.cli.up"), "run", lambda **more: told.update(more))
        done = CliRunner().invoke(app, ["up", *arguments], env=environment)
        assert done.exit_code == 0, done.output
        return told["fixed"]

    return run


def test_what_counts_as_said(fixed):
    assert fixed() == {}
    assert fixed("--hot-days", "7") == {"hot_days": "--hot-days"}
    assert fixed(DIAT_ZONE="Europe/Rome", DIAT_SITE="1,2") == {
        "schedule_zone": "--zone",
        "location": "--site",
    }


def preferences(kept=(), fixed=None):
    usual = usual_of(GREENWICH, Retention(hot_days=3), 3600.0, "accepted")
    return Preferences(Ledger(), usual, fixed or {}, kept)


def test_a_flag_stands_above_what_is_kept():
    found = preferences([("hot_days", 30)], {"hot_days": "--hot-days"})
    assert found.retention().hot_days == 3
    assert found.shown()["hot_days"] == {
        "value": 3, "from": "flag", "default": 3, "restart": False, "flag": "--hot-days",
    }  # fmt: skip
    with pytest.raises(Invalid, match="--hot-days says it") as refused:
        found.change(Said(hot_days=9))
    assert refused.value.field == "hot_days"


def test_what_an_older_version_kept_and_nobody_knows_any_more_is_no_hindrance():
    assert preferences([("colour", "blue"), ("hot_days", 30)]).retention().hot_days == 30


@pytest.mark.parametrize(
    ("preference", "kind", "unit", "shown"),
    [
        ("metric", "Temperature", "Cel", "Cel"),
        ("metric", "Temperature", "K", "K"),
        ("metric", "Temperature", "[degF]", "Cel"),
        ("imperial", "Temperature", "Cel", "[degF]"),
        ("imperial", "RelativeHumidity", "%", "%"),
        ("imperial", "Pressure", "hPa", "[psi]"),
        ({"Temperature": "K"}, "Temperature", "Cel", "K"),
        ({"Temperature": "K"}, "Pressure", "hPa", "hPa"),
        ("imperial", None, "Cel", "Cel"),
        ("imperial", "Temperature", None, None),
        ("imperial", "Temperature", "{steps}", "{steps}"),
    ],
)
def test_units_as_a_person_likes_them(preference, kind, unit, shown):
    assert shown_unit(preference, kind, unit) == shown
