"""What the demo tells of what it saw, and that its table keeps its shape."""

import io
import socket

import pytest
from rich.console import Console

from diat.cli.demo_platform import free_port
from diat.cli.demo_rest import Bound, CommandView, ServiceView, Shown, Snapshot, ThingView
from diat.cli.demo_story import WARM, Milestones, Story, in_band, measured
from diat.cli.demo_view import render

BAND = {"quantity": "Temperature", "place": "home/living", "low": 20, "high": 22, "unit": "Cel"}


def snapshot(temperature, *, state="running", heating=False, status="completed", age=0.4):
    """A thermometer, a heater, the service over them, its command."""
    sensor = Shown("temperature", temperature, "Cel", age, "good")
    switch = Shown("heating", heating, "", age, "good")
    place = "home/living"
    return Snapshot(
        things={
            "th": ThingView(
                "th", "Thermometer", place, "homeassistant", "online", (), {"temperature": sensor}
            ),
            "ht": ThingView("ht", "Heater", place, "native", "online", (), {"heating": switch}),
        },
        services=(
            ServiceView(
                id="s1",
                title=WARM,
                template="keep-within",
                state=state,
                parameters=BAND,
                bindings=(Bound("sensor", "th", "temperature"), Bound("warmer", "ht", "heating")),
                missing=(),
                thing=None,
            ),
        ),
        commands=(CommandView("c1", "ht", "heating", True, "s1", status, "2026-01-31T12:00:00.000Z"),),
    )


def test_tells_each_change_once():
    story = Story()
    first = story.follow(snapshot(16.0, status="pending"), 1.0)
    assert first == [
        "thing: Thermometer in home/living (homeassistant)",
        "thing: Heater in home/living (native)",
        f"service: {WARM} is running",
        f"service: {WARM}: 16.00 °C",
        f"command: heating = on to Heater by {WARM}: pending",
    ]
    assert story.follow(snapshot(16.2), 2.0) == [f"command: heating = on to Heater by {WARM}: completed"]
    assert story.follow(snapshot(16.2), 2.5) == []
    assert story.follow(snapshot(20.01), 22.0) == [f"service: {WARM}: 20.01 °C, in its band"]
    assert story.follow(snapshot(20.2), 23.0) == []
    milestones = story.milestones
    assert (
        milestones.reached() == "first thing after 1.0 s, heater commanded after 1.0 s, in band after 22.0 s"
    )
    assert milestones.missing() == ""


def test_says_what_did_not_happen():
    milestones = Milestones(thing=0.5)
    assert milestones.reached() == "first thing after 0.5 s"
    assert milestones.missing() == "heater commanded, in band"
    assert Milestones().reached() == "nothing yet"


@pytest.mark.parametrize(
    ("temperature", "strictly", "about"),
    [(19.9, False, True), (20, True, True), (22, True, True), (22.1, False, True), (22.5, False, False)],
)
def test_a_band_has_edges(temperature, strictly, about):
    seen = snapshot(temperature)
    assert in_band(seen, seen.services[0]) is strictly
    assert in_band(seen, seen.services[0], slack=0.15) is about


def test_a_service_that_makes_a_thing_is_about_its_value():
    mean = Shown("mean", 18.5, "Cel", 1, "good")
    made = ThingView("m", "Mean", "home", "composite", "online", (), {"mean": mean})
    service = ServiceView(
        "s2", "Mean", "mean-of-place", "running", {}, (Bound("sensors", "th", "temperature"),), (), "m"
    )
    things = {**snapshot(16.0).things, "m": made}
    assert measured(Snapshot(things=things, services=(service,)), service) == mean


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (100, 30), (140, 50)])
def test_the_table_keeps_its_shape(columns, lines):
    def drawn(seen, note=""):
        console = Console(file=io.StringIO(), width=columns, height=lines)
        size = console.size
        console.print(render(seen, Milestones(), urls="", elapsed=3.2, note=note, size=tuple(size)))
        return [line.rstrip() for line in console.file.getvalue().splitlines()]

    few, many = (
        drawn(snapshot(9.5)),
        drawn(snapshot(-12.25, heating=True, age=900), note="something is wrong"),
    )
    assert len(few) == len(many) <= lines
    assert max(map(len, many)) <= columns
    place = [line.index("°C") for frame in (few, many) for line in frame if "°C" in line and "Keep" in line]
    assert len(set(place)) == 1
    assert any("Thermometer" in line and "-12.25" in line and "900s" in line for line in many)


def test_an_empty_platform_can_be_shown():
    console = Console(file=io.StringIO(), width=80, height=24)
    console.print(render(Snapshot(), Milestones(), urls="", elapsed=0, note="", size=(80, 24)))
    assert "nothing yet" in console.file.getvalue()


def test_takes_another_port_if_the_preferred_one_is_taken():
    port = free_port(0)
    assert port > 0
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        assert free_port(taken) != taken
