"""The page that shows how to add a bus: what stands there works."""

import os
import re
from pathlib import Path

from diat_gateway.buses import Buses
from diat_gateway.buses.platform import serve
from diat_gateway.buses.port import BusError, WrongForm
from diat_gateway.buses.runner import BUSES
from msgspec import Struct

from diat.adapters.brokers.listening import free_port
from diat.settings import Listen, Settings
from tests.api.conftest import path_of, running, until
from tests.gateway.buses.conftest import described

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
