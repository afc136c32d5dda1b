"""Take the pictures in ``docs/screenshots``: each page, light and dark, on a wide screen and on a phone.

Runs the demo house with a few things more, lets it live for a while, and looks at it with Debian's Chromium.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import httpx
import numpy as np
import paho.mqtt.client as mqtt
from playwright.sync_api import Browser, sync_playwright

from diat.cli.demo_platform import free_port
from diat.dashboard.pages import PAGES

HERE = Path(__file__).parent / "screenshots"
SIZES = {"wide": {"width": 1280, "height": 860}, "phone": {"width": 390, "height": 800}}
PATIENCE = 120_000
"""Milliseconds that a page may take: others may be at work on the machine."""
QUALITY = 72
"""Of WebP: letters stay sharp, and a picture has some tens of kilobytes."""
SERVICE = {
    "title": "Fresh air in the bedroom",
    "template": "air-quality-ventilation",
    "parameters": {"place": "home/bedroom"},
}
OFFICE = "template=keep-within&place=home/office&quantity=Temperature&title=Warm+office"
THINGS = {
    "garden-gate": {
        "title": "Garden gate",
        "diat:place": "home/garden",
        "properties": {
            "charge": {
                "type": "number",
                "unit": "%",
                "@type": "quantitykind:StateOfCharge",
                "readOnly": True,
            },
            "open": {"type": "boolean", "readOnly": True},
        },
        "actions": {"calibrate": {"input": {"type": "object", "properties": {"turns": {"type": "integer"}}}}},
        "events": {"opened": {"data": {"type": "string"}}},
    },
    "yard-map": {
        "title": "Who moves where in the yard",
        "diat:place": "home/yard",
        "properties": {"vehicles": {"type": "array", "@type": "VehicleMap", "readOnly": True}},
    },
    "cellar-meter": {
        "title": "Cellar meter",
        "diat:place": "home/cellar",
        "properties": {
            "power": {"type": "number", "unit": "W", "@type": "quantitykind:Power", "readOnly": True}
        },
    },
}
BARN = ("north-stall", "south-stall")
TEMPERATURE = {"type": "number", "unit": "Cel", "@type": "quantitykind:Temperature", "readOnly": True}
MEAN = {
    "name": "mean-of-a-while",
    "title": "Mean over a while",
    "parameters": {"type": "object"},
    "roles": {
        "sensors": {
            "capability": "read", "quantity": "Temperature", "place": "barn", "unit": "Cel", "count": "1..",
        }
    },
    "steps": [
        {"id": "mean", "do": "window", "role": "sensors", "kind": "tumbling", "size": 5, "aggregate": "mean"},
        {"id": "cold", "do": "hysteresis", "input": "mean", "on": "below", "low": 14.9, "high": 15.1},
    ],
    "derives": {"mean": {"from": "mean", "type": "number"}, "cold": {"from": "cold", "type": "boolean"}},
}  # fmt: skip
MOVERS = [
    {"id": "1", "x": 12.4, "y": 6.1, "heading": 40, "speed": 2.1, "within": 0.4, "by": ["east"]},
    {"id": "2", "x": 31.0, "y": 18.5, "heading": 200, "speed": 4.7, "within": 0.7, "by": ["east", "west"]},
    {"id": "5", "x": 44.2, "y": 9.8, "heading": None, "speed": 0.0, "within": 0.3, "by": ["west"]},
]
POSITIONS = {
    "urn:dev:living-heater": (0.22, 0.72),
    "urn:dev:office-thermometer": (0.74, 0.24),
    "urn:dev:office-heater": (0.74, 0.42),
    "urn:diat:homeassistant:zigbee2mqtt_0x00158d0007e3a1b2": (0.25, 0.42),
}


def main() -> int:
    """Take all of them; the exit code."""
    options = _options()
    HERE.mkdir(exist_ok=True)
    with _demo() as (url, broker), _barn(broker), sync_playwright() as playwright:
        pages = _furnish(url, broker, options.seconds)
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        for name, path in pages.items():
            if options.only and name not in options.only:
                continue
            for theme in ("light", "dark"):
                for size in SIZES:
                    _take(browser, f"{url}/ui{path}", name, theme, size)
        browser.close()
    total = sum(each.stat().st_size for each in HERE.glob("*.webp"))
    print(f"{len(list(HERE.glob('*.webp')))} pictures, {total / 1e6:.1f} MB, in {HERE}")
    return 0


@contextmanager
def _demo() -> Iterator[tuple[str, int]]:
    http, broker = free_port(0), free_port(0)  # others may have a demo of their own
    ports = ["--http", str(http), "--mqtt", str(broker), "--plain"]
    demo = subprocess.Popen([sys.executable, "-m", "diat", "demo", *ports], stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{http}"
    try:
        deadline = time.monotonic() + 60
        while not _ready(url):
            if demo.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the demo did not start")
            time.sleep(0.2)
        yield url, broker
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(30)


@contextmanager
def _barn(above: int) -> Iterator[None]:
    """A gateway with two thermometers that speak five times a second, as long as it lasts."""
    over = threading.Event()
    http, broker = free_port(0), free_port(0)
    with tempfile.TemporaryDirectory(prefix="diat-barn-") as data:
        joins = ["--join", f"127.0.0.1:{above}", "--name", "barn", "--figures", "5", "--data", data]
        ports = ["--http", str(http), "--mqtt", str(broker)]
        gateway = subprocess.Popen(
            [sys.executable, "-m", "diat", "gateway", *joins, *ports], stdout=subprocess.DEVNULL
        )
        speaker = threading.Thread(target=_speak, args=(broker, over))
        speaker.start()
        try:
            yield
        finally:
            over.set()
            speaker.join()
            gateway.send_signal(signal.SIGINT)
            gateway.wait(30)


def _speak(broker: int, over: threading.Event) -> None:
    chance = random.Random(1)
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.connect_async("127.0.0.1", broker)
    client.loop_start()
    for name in BARN:
        td = {"title": name.title(), "diat:place": "barn", "properties": {"temperature": TEMPERATURE}}
        client.publish(f"wot/td/{name}", json.dumps(td), qos=1, retain=True)
        client.publish(f"diat/{name}/status", "online", qos=1, retain=True)
    while not over.wait(0.2):
        for name in BARN:
            said = {"v": {"temperature": round(chance.uniform(14, 16), 2)}}
            client.publish(f"diat/{name}/properties", json.dumps(said), qos=1)
    client.loop_stop()
    client.disconnect()


def _ready(url: str) -> bool:
    try:
        return len(httpx.get(f"{url}/services").json()) >= 2
    except (httpx.TransportError, ValueError):
        return False


def _furnish(url: str, broker: int, seconds: float) -> dict[str, str]:
    """Put a few things more, let all live for a while; the pages to take, by name."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker)
    client.loop_start()
    for name, td in THINGS.items():
        client.publish(f"wot/td/{name}", json.dumps(td), qos=1, retain=True)
    client.publish("diat/garden-gate/properties", json.dumps({"v": {"charge": 9, "open": False}}), qos=1)
    client.publish("diat/yard-map/properties", json.dumps({"v": {"vehicles": MOVERS}}), qos=1)
    client.publish("diat/garden-gate/events/opened", json.dumps({"data": "by hand"}), qos=1)
    client.publish("diat/cellar-meter/status", "offline", qos=1, retain=True)
    with httpx.Client(base_url=url, timeout=30) as rest:
        rest.post("/services", json=SERVICE).raise_for_status()
        rest.post("/templates", json=MEAN).raise_for_status()
        body = {"title": "Is the barn cold", "template": MEAN["name"]}
        barn = rest.post("/services", json=body).json()["id"]
        rest.put("/places/picture", params={"place": "home"}, content=_plan()).raise_for_status()
        _manage(rest)
        time.sleep(seconds)
        for thing, position in POSITIONS.items():
            rest.patch(
                f"/things/{thing}",
                content=json.dumps({"diat:position": position}),
                headers={"Content-Type": "application/merge-patch+json"},
            )
        warm = next(each["id"] for each in rest.get("/services").json() if each["template"] == "keep-within")
        command = rest.get("/actuations", params={"service": warm}).json()[0]["id"]
    client.loop_stop()
    client.disconnect()
    return {
        "home": "/",
        "things": "/things",
        "thing": "/thing?id=urn:diat:homeassistant:zigbee2mqtt_0x00158d0007e3a1b2",
        "places": "/places?place=home",
        "services": "/services",
        "service": f"/service?id={warm}",
        "service-tiers": f"/service?id={barn}",
        "service-new": f"/service-new?{OFFICE}",
        "command": f"/command?id={command}",
        "tiers": "/tiers",
        "start": "/start",
        "user": "/user?id=ada",
        "policy": "/policy?id=quiet-nights",
        **{each: f"/{each}" for each in _others()},
    }


def _manage(rest: httpx.Client) -> None:
    """What an administrator would have done by then."""
    rest.patch("/settings", json={"title": "The house by the river", "backup_every": "1d"})
    grants = [{"role": "operator", "places": ["home/office"]}, {"role": "viewer"}]
    rest.post("/users", json={"name": "ada", "title": "Ada Lovelace", "grants": grants})
    rest.post("/users", json={"name": "grafana", "kind": "account", "grants": [{"role": "viewer"}]})
    rest.post("/tokens", json={"title": "Charts in the cellar", "user": "grafana", "role": "viewer"})
    policy = {
        "title": "Bedrooms are nobody's business at night",
        "who": {"roles": ["viewer", "operator"]},
        "operations": ["read", "observe", "history", "export"],
        "what": {"quantities": ["Occupancy"], "places": ["home/bedroom"]},
        "when": {"from": "22:00", "to": "07:00"},
        "effect": "deny",
    }
    rest.put("/policies/quiet-nights", json=policy).raise_for_status()
    rounded = {"title": "Power in tens of watts", "what": {"quantities": ["Power"]}}
    rest.put("/policies/tens", json={**rounded, "effect": "modify", "modify": {"round": 10}})
    rest.post("/backups", json={})


def _others() -> list[str]:
    """Pages that need no argument and are not named above."""
    named = {"/", "/things", "/places", "/services", "/tiers", "/start"}
    with_argument = {"/thing", "/service", "/service-new", "/command", "/user", "/policy", "/rollout"}
    return [each.path.strip("/") for each in PAGES if each.path not in named | with_argument]


def _plan() -> bytes:
    """A floor plan: walls of three rooms."""
    plan = np.full((520, 860, 3), 252, np.uint8)
    for begin, end in (
        ((30, 30), (830, 30)),
        ((830, 30), (830, 490)),
        ((830, 490), (30, 490)),
        ((30, 490), (30, 30)),
        ((470, 30), (470, 300)),
        ((470, 370), (470, 490)),
        ((560, 280), (830, 280)),
    ):
        cv2.line(plan, begin, end, (90, 94, 98), 8)
    for name, where in (("living", (60, 80)), ("office", (500, 80)), ("bedroom", (500, 330))):
        cv2.putText(plan, name, where, cv2.FONT_HERSHEY_SIMPLEX, 0.7, (130, 134, 138), 1, cv2.LINE_AA)
    return bytes(cv2.imencode(".png", plan)[1])


def _take(browser: Browser, url: str, name: str, theme: str, size: str) -> None:
    context = browser.new_context(
        viewport=SIZES[size],
        color_scheme=theme,
        locale="en-GB",
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(url)
    page.get_by_role("heading", level=1).first.wait_for()
    if name == "service-new":
        page.get_by_role("button", name="Show the plan").click()
        page.get_by_role("heading", name="The plan").wait_for()
        page.locator(".history svg").wait_for()
        page.get_by_role("heading", name="The plan").scroll_into_view_if_needed()
        page.mouse.wheel(0, 500)
    if name == "service-tiers":
        page.get_by_role("heading", name="How it works").evaluate("each => each.scrollIntoView()")
    page.wait_for_timeout(7000 if name == "home" else 1500)
    picture = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    cv2.imwrite(str(HERE / f"{name}-{theme}-{size}.webp"), picture, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    context.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: make screenshots")
    parser.add_argument(
        "--seconds", type=float, default=90, help="that the house lives before  [default: 90]"
    )
    parser.add_argument("--only", nargs="*", metavar="NAME", help="of these pages  [default: all]")
    parser.add_argument("--chromium", default=shutil.which("chromium"), help="program  [default: found]")
    options = parser.parse_args()
    if options.chromium is None:
        parser.error("chromium is not installed (Debian: apt install chromium)")
    return options


if __name__ == "__main__":
    sys.exit(main())
