"""Other hardware behind a thing, of another make and another dialect: what is bound to the thing goes on."""

import contextlib
import json
from urllib.parse import quote

import httpx
import pytest

from diat.simulation.link import Address, Link
from diat.simulation.tasmota_discovery import DiscoveredNode
from diat.simulation.zigbee_exposed import ExposedBridge, ExposedDevice

SECONDS = 10.0
MAC = "3C71BF00BBBB"
OLD = f"/things/urn:diat:tasmota:{MAC}"
NEW = "urn:diat:zigbee2mqtt:0x0017880104e4bbbb"
PLACE = "house/attic"
EXPOSES = [
    {
        "type": "switch",
        "features": [
            {
                "type": "binary",
                "name": "state",
                "property": "state",
                "access": 7,
                "value_on": "ON",
                "value_off": "OFF",
            }
        ],
    },
    # The name that the relay of the old plug bears, for something else.
    {"type": "numeric", "name": "power", "property": "power", "access": 5, "unit": "W"},
    {
        "type": "binary",
        "name": "led_disabled",
        "property": "led_disabled",
        "access": 7,
        "value_on": True,
        "value_off": False,
        "category": "config",
    },
]


def _patch(platform, path, body):
    media = {"Content-Type": "application/merge-patch+json"}
    answer = platform.rest.patch(path, content=json.dumps(body), headers=media)
    assert answer.is_success, answer.text


def _measured(link, value):
    link.publish("diat/attic-thermometer/properties", json.dumps({"v": {"temperature": value}}))
    assert link.drain(SECONDS)


@pytest.fixture
def closing():
    """Ends what a test started, the last first."""
    with contextlib.ExitStack() as stack:
        yield stack


def test_a_service_goes_on_with_a_plug_of_another_dialect(platform, eventually, closing):
    address = Address("127.0.0.1", platform.mqtt)
    thermometer = Link(address, "thermometer")
    thermometer.open()
    closing.callback(thermometer.close)
    assert thermometer.wait_connected(SECONDS)
    measures = {"type": "number", "unit": "Cel", "@type": "quantitykind:Temperature", "readOnly": True}
    td = {"title": "Thermometer", "diat:place": PLACE, "properties": {"temperature": measures}}
    thermometer.publish("wot/td/attic-thermometer", json.dumps(td), retain=True)
    sensors = {"ENERGY": {"Power": 0, "Total": 1.5}}
    old = DiscoveredNode(address, MAC, "Heater plug", {"rl": [1]}, sensors=sensors)
    old.start()
    closing.callback(old.stop)
    eventually(lambda: platform.rest.get(OLD).status_code == httpx.codes.OK, SECONDS)
    heats = {"diat:affects": {"quantity": "Temperature", "direction": "increase"}}
    _patch(platform, OLD, {"diat:place": PLACE, "title": "Attic heater", "properties": {"power": heats}})
    wanted = {"quantity": "Temperature", "place": PLACE, "low": 20, "high": 24, "unit": "Cel"}
    body = {"title": "Warm attic", "template": "keep-within", "parameters": wanted}
    made = platform.rest.post("/services", json=body)
    assert made.status_code == httpx.codes.CREATED, made.text
    service = f"/services/{made.json()['id']}"
    _measured(thermometer, 17)
    eventually(lambda: old.state["POWER"] == "ON", SECONDS)
    eventually(lambda: platform.get(f"{OLD}/properties").get("power") is True, SECONDS)

    # The plug dies, and somebody plugs in another one.
    old.stop()
    eventually(lambda: platform.get(OLD)["diat:status"] == "offline", SECONDS)
    new = ExposedDevice(
        "0x0017880104e4bbbb", "spare", "PLUG", EXPOSES, {"state": "OFF", "power": 0, "led_disabled": False}
    )
    bridge = ExposedBridge(address, [new])
    bridge.start()
    closing.callback(bridge.stop)
    path = f"/things/{quote(NEW, safe='')}"
    eventually(lambda: "state" in platform.rest.get(f"{path}/properties").text, SECONDS)

    def suggested():
        return [each["thing"] for each in platform.get(f"{OLD}/hardware")["successors"]]

    eventually(lambda: suggested() == [NEW], SECONDS, lambda: platform.get(f"{OLD}/hardware"))
    answer = platform.rest.put(f"{OLD}/hardware", json={"thing": NEW})
    assert answer.status_code == httpx.codes.OK, answer.text

    td = platform.get(OLD)
    assert (td["title"], td["diat:place"], td["diat:dialect"]) == ("Attic heater", PLACE, "zigbee2mqtt")
    assert td["properties"]["power"]["type"] == "boolean"
    assert td["properties"]["power"]["diat:affects"] == heats["diat:affects"]
    assert td["properties"]["energy_power"]["unit"] == "W"
    assert platform.rest.get(path).status_code == httpx.codes.NOT_FOUND
    eventually(lambda: platform.get(service)["state"] == "running", SECONDS, lambda: platform.get(service))
    _measured(thermometer, 17.5)
    eventually(lambda: new.state["state"] == "ON", SECONDS, lambda: platform.get("/actuations"))
    _measured(thermometer, 25)
    eventually(lambda: new.state["state"] == "OFF", SECONDS, lambda: platform.get("/actuations"))
    eventually(lambda: platform.get(f"{OLD}/properties")["power"] is False, SECONDS)
    history = [each["value"] for each in platform.get(f"{OLD}/properties/power/history")]
    assert history[:2] == [False, True]
    assert history[-2:] == [True, False]
    # What was said to the dead plug nobody can know; what was said to the new one was done, and is told.
    newest = platform.get("/actuations")[:2]
    assert [(each["input"], each["status"]) for each in newest] == [(False, "completed"), (True, "completed")]
