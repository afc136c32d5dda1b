"""Reading settings."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from diat.kernel.errors import Invalid
from diat.settings import parse_site


def test_a_place_and_a_zone():
    site = parse_site("52.5, 13.4", "Europe/Berlin")
    assert (site.latitude, site.longitude, site.zone) == (52.5, 13.4, ZoneInfo("Europe/Berlin"))


def test_without_a_place_there_is_the_zone_of_the_machine(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    site = parse_site(None, None)
    assert (site.latitude, site.longitude, site.zone) == (None, None, ZoneInfo("Asia/Tokyo"))


def test_a_machine_that_names_no_zone_we_know_is_in_utc(monkeypatch):
    monkeypatch.setenv("TZ", "EST5EDT,M3.2.0,M11.1.0")
    assert datetime(2026, 1, 1, tzinfo=parse_site(None, None).zone).utcoffset() == UTC.utcoffset(None)


@pytest.mark.parametrize("place", ["", "52.5", "52.5,", "north,east", "91,0", "0,181", "nan,0"])
def test_a_place_that_is_none(place):
    with pytest.raises(Invalid, match="--site takes latitude,longitude"):
        parse_site(place, "UTC")


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "../etc/passwd", "x" * 5000])
def test_a_zone_that_is_none(zone):
    with pytest.raises(Invalid, match="--zone takes a time zone"):
        parse_site(None, zone)
