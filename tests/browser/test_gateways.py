"""A real gateway before a real browser: it comes, steps run there, its line is cut, and it is back."""

import contextlib
import random
import re
import subprocess
import sys
import threading

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Platform
from tests.links import Link

PATIENCE = 60_000
"""Milliseconds: steps move once they have been measured, and a line comes back when it is tried again."""
SOON = (
    "from diat.service.placement import reviewing; reviewing.MEASURES = 2.0; "
    "from diat.cli import main; main()"
)
"""A platform that does not measure for a minute before it moves steps."""
TEMPLATE = {
    "name": "mean-of-a-while",
    "title": "Mean of a while",
    "parameters": {"type": "object"},
    "roles": {"sensors": {"capability": "read", "quantity": "Temperature", "unit": "Cel", "count": "1.."}},
    "steps": [
        {"id": "mean", "do": "window", "role": "sensors", "kind": "tumbling", "size": 2, "aggregate": "mean"}
    ],
    "derives": {"mean": {"from": "mean", "type": "number"}},
}
TEMPERATURE = {"type": "number", "unit": "Cel", "@type": "quantitykind:Temperature", "readOnly": True}


class Core(Platform):
    begins = ("up", "--no-announce")

    def born(self, arguments):
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-c", SOON, *arguments], stdout=log, stderr=log, start_new_session=True
            )


class Gateway(Platform):
    begins = ("gateway", "--name", "barn", "--figures", "1")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A platform, the line to it, and the gateway that is to come by that, if it is called."""
    with contextlib.ExitStack() as stack:
        core = Core(tmp_path_factory.mktemp("core"), "--no-announce")
        stack.callback(core.close)
        link = stack.enter_context(Link(("127.0.0.1", core.mqtt)))

        def come():
            gateway = Gateway(tmp_path_factory.mktemp("barn"), "--join", f"127.0.0.1:{link.port}")
            stack.callback(gateway.close)
            return gateway

        yield core, link, come


@contextlib.contextmanager
def speaking(*things):
    """Each says something five times a second."""
    over = threading.Event()

    def speak():
        chance = random.Random(1)
        while not over.wait(0.2):
            for each in things:
                each.say(temperature=round(chance.uniform(18, 24), 2))

    speaker = threading.Thread(target=speak)
    speaker.start()
    try:
        yield
    finally:
        over.set()
        speaker.join()


def test_a_gateway_comes_works_is_cut_off_and_is_back(house, page, things):
    core, link, come = house
    page.goto(f"{core.url}/tiers")
    page.wait_for_function("document.documentElement.dataset.live === 'yes'")
    gateway = come()
    card = page.locator(".card", has_text="barn")
    expect(card.locator(".chip")).to_have_text("online")  # without a reload

    there = [
        things(
            gateway, name, {"title": name, "diat:place": "barn", "properties": {"temperature": TEMPERATURE}}
        )
        for name in ("north", "south")
    ]
    core.rest.post("/templates", json=TEMPLATE).raise_for_status()
    with speaking(*there):
        made = core.rest.post("/services", json={"title": "Mean of the barn", "template": TEMPLATE["name"]})
        service = page.context.new_page()
        service.goto(f"{core.url}/service?id={made.json()['id']}")
        band = service.get_by_role("region", name="barn gateway")
        expect(band.locator(".node.step")).to_contain_text("mean", timeout=PATIENCE)
        things_band = service.get_by_role("region", name="Things")
        expect(things_band.locator(".node.thing")).to_have_count(2)
        below = service.locator('[data-line="things>barn"] [data-rate]')
        expect(below.first).to_have_text(re.compile(r"^([5-9]|1[0-2])\.\d$"), timeout=PATIENCE)
        expect(below.last).to_contain_text("B/s")
        above = service.locator('[data-line="barn>core"] [data-rate]')
        expect(above.first).to_have_text(re.compile(r"^0\.[3-7]$"), timeout=PATIENCE)

        row = card.get_by_role("row", name="Mean of the barn")
        expect(row).to_contain_text("mean", timeout=PATIENCE)
        expect(card.locator(".figure")).not_to_have_text(re.compile(r"^(0 B|\u2013)$"), timeout=PATIENCE)

    home = page.context.new_page()
    home.goto(f"{core.url}/")
    home.wait_for_function("document.documentElement.dataset.live === 'yes'")
    need = home.locator(".need", has_text="Gateways cut off")
    expect(need).to_have_count(0)
    link.cut()
    expect(need).to_contain_text("barn its line is cut")
    expect(card.locator(".chip")).to_have_text("cut off")
    link.mend()
    expect(need).to_have_count(0, timeout=PATIENCE)
    expect(card.locator(".chip")).to_have_text("online")
