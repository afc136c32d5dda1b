"""The page that shows how to add a bus: what stands there works."""

import asyncio
import contextlib
import os
import re
from pathlib import Path

from diat_gateway.buses import Buses, Networks
from diat_gateway.buses.device import Device
from diat_gateway.buses.forms import plan
from diat_gateway.buses.lines import Lines
from diat_gateway.buses.platform import serve
from diat_gateway.buses.port import BusError, WrongForm
from diat_gateway.buses.runner import BUSES
from msgspec import Struct

from diat.adapters.brokers.listening import free_port
from diat.settings import Listen, Settings
from tests.api.conftest import path_of, running
from tests.gateway.buses.conftest import described, until

PAGE = Path(__file__).parents[3] / "docs/reference/buses.md"


def test_the_bus_on_the_page_works(tmp_path):
    names = {"Struct": Struct, "BusError": BusError, "WrongForm": WrongForm, "os": os}
    text = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[-1]
    exec(compile(text, str(PAGE), "exec"), names)
    buses = Buses(buses=[*BUSES, names["Load"]])
    settings = Settings(data=tmp_path, mqtt=Listen("127.0.0.1", free_port()))
    with running(settings, buses) as house:
        serve(buses, house.daemon)
        form = {"href": "load://here/5", "diat:pollingTime": 100}
        td = described({"load": {"type": "number", "forms": [form]}})
        assert house.rest.put(path_of(td["id"]), json=td).status_code == 201
        until(lambda: "load" in house.get(f"{path_of(td['id'])}/properties"))
        form["href"] = "load://here/2"
        assert house.rest.put(path_of(td["id"]), json=td).json()["field"] == "properties.load.forms.0.href"
        buses.stop()


class Deaf:
    """A bus in which a cancellation gets lost, as in ``asyncio.wait_for`` up to Python 3.11."""

    schemes = ("deaf",)
    polls = 0

    def __init__(self, line, networks):
        pass

    @staticmethod
    def point(form):
        return Place(form.href)

    async def open(self):
        pass

    async def poll(self, points):
        Deaf.polls += 1
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0.2)
        return dict.fromkeys(points, 1)

    async def close(self):
        pass


class Place(Struct, frozen=True):
    href: str
    timeout: float = 1.0
    line: str = "deaf"


class Ear:
    values = available = trouble = print


def test_a_thing_ends_also_on_a_bus_that_does_not_hear_of_it():
    form = {"href": "deaf://here", "diat:pollingTime": 50}
    td = described({"value": {"type": "number", "forms": [form]}})

    async def life():
        networks = Networks()
        device = Device(plan(td, {"deaf": Deaf}, networks), td, Lines(networks), Ear(), lambda: 0)
        task = asyncio.create_task(device.run())
        while not Deaf.polls:  # noqa: ASYNC110 - nobody tells of a poll that begins
            await asyncio.sleep(0.01)
        task.cancel()
        async with asyncio.timeout(10):
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(life())
