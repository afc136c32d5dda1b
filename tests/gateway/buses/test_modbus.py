"""Modbus devices as virtual objects: real servers, read and driven through the whole platform."""

import json
import struct
import time

import pytest

from tests.api.conftest import path_of
from tests.gateway.buses.conftest import described, register, until
from tests.links import Link


def words(form, value):
    return list(struct.unpack(f">{struct.calcsize(form) // 2}H", struct.pack(form, value)))


def values(house, path):
    return house.rest.get(f"{path}/properties").json()


def has(house, path, **wanted):
    def ask():
        said = values(house, path)
        return wanted.items() <= said.items()

    until(ask)


def write(house, path, name, value):
    """Set it; the state of the command when it ended."""
    answer = house.rest.put(f"{path}/properties/{name}", json=value)
    if answer.status_code == 204:
        return "completed", None
    assert answer.status_code in (202, 502, 504), answer.text
    where = answer.headers.get("location") or answer.json()["actuation"]
    ended = until(
        lambda: (said := house.get(where))["status"] != "pending" and said, "the end of it", within=20
    )
    return ended["status"], ended.get("error")


def test_values_of_all_kinds_are_read_with_their_time(house, modbus, put):
    device = modbus(
        {
            1: {
                "h": dict(enumerate([*words(">f", 21.5), *words(">i", -70_000), 0x4F4B, 0, 7])),
                "i": {0: 0xFFF6},
                "c": {3: True},
                "d": {0: False, 1: True},
            }
        }
    )
    path = put(
        {
            "real": register(device, 0, "number", type="xsd:float", unit="Cel"),
            "whole": register(device, 2, "integer", type="xsd:int"),
            "text": register(device, 4, "string", type="xsd:string", quantity=2),
            "count": register(device, 6),
            "cold": register(
                device, 0, "number", entity="InputRegister", type="xsd:short", **{"diat:scale": 0.1}
            ),
            "coil": register(device, 3, "boolean", entity="Coil"),
            "contact": register(device, 1, "boolean", entity="DiscreteInput"),
        }
    )
    has(house, path, real=21.5, whole=-70_000, text="OK", count=7, cold=-1.0, coil=True, contact=True)
    reading = house.get(f"{path}/properties/real/reading")
    assert reading["quality"] == "good"
    assert reading["unit"] == "Cel"
    assert until(lambda: house.get(path)["diat:status"] == "online")
    # Adjacent registers are one request: two for the holding ones would be too many.
    asked = {each for each in device.requests if "ReadHolding" in each[0]}
    assert {each[1:] for each in asked} == {(0, 7)}


def test_its_forms_are_those_of_the_platform(house, modbus, put):
    path = put({"count": register(modbus({1: {"h": {0: 7}}}), 0)})
    forms = house.get(path)["properties"]["count"]["forms"]
    assert not [each for each in forms if "modbus" in each["href"]]
    assert any(each["href"].startswith("http") for each in forms)


def test_what_is_written_is_read_back(house, modbus, put):
    device = modbus({1: {"h": {0: 0, 1: 0, 2: 5}, "c": {0: False}}})
    path = put(
        {
            "target": register(device, 0, "number", type="xsd:float", mostSignificantWord=False),
            "tenths": register(device, 2, "number", type="xsd:short", **{"diat:scale": 0.1}),
            "on": register(device, 0, "boolean", entity="Coil"),
        }
    )
    has(house, path, target=0.0, on=False)
    assert write(house, path, "target", 22.25) == ("completed", None)
    assert device.holding(0, 2) == words(">f", 22.25)[::-1]
    assert write(house, path, "on", True) == ("completed", None)
    assert write(house, path, "tenths", 21.47) == ("completed", None)
    has(house, path, target=22.25, tenths=21.5, on=True)


def test_what_only_can_be_read_is_not_written(house, modbus, put):
    device = modbus({1: {"i": {0: 1}}})
    path = put({"count": register(device, 0, entity="InputRegister")})
    assert house.get(path)["properties"]["count"]["readOnly"] is True
    assert house.rest.put(f"{path}/properties/count", json=3).status_code in (400, 405, 422)


def test_a_value_that_does_not_fit_fails_and_says_why(house, modbus, put):
    device = modbus({1: {"h": {0: 1}}})
    path = put({"count": register(device, 0)})
    has(house, path, count=1)
    state, error = write(house, path, "count", 70_000)
    assert state == "failed"
    assert "does not fit" in error
    assert device.holding(0) == [1]


def test_one_register_that_is_not_there_takes_no_other_away(house, modbus, put):
    device = modbus({1: {"h": {0: 1, 2: 3}}})
    path = put({"there": register(device, 0), "gone": register(device, 1), "too": register(device, 2)})
    has(house, path, there=1, too=3)
    assert "gone" not in values(house, path)
    until(lambda: any("gone: illegal data address" in line for line in diagnostics(house, path)))
    assert len([line for line in diagnostics(house, path) if "gone:" in line]) == 1
    assert write(house, path, "gone", 5)[0] == "failed"


def diagnostics(house, path):
    return [each["text"] for each in house.get(f"{path}/diagnostics")]


def test_units_behind_one_address_share_a_connection(house, modbus, put):
    device = modbus({1: {"h": {0: 11}}, 2: {"h": {0: 22}}})
    with Link(("127.0.0.1", device.port)) as link:
        first = put({"value": register(link, 0)})
        second = put({"value": register(link, 0, station=2)})
        has(house, first, value=11)
        has(house, second, value=22)
        assert link.connections == 1
        # A unit that nobody answers for is offline; its neighbour goes on.
        third = put({"value": register(link, 0, station=9, timeout=200)})
        until(lambda: house.get(third)["diat:status"] != "online" or diagnostics(house, third))
        device.put(0, 12)
        has(house, first, value=12)


def test_a_device_that_dies_is_offline_and_comes_back_by_itself(house, modbus, put):
    device = modbus({1: {"h": {0: 1}}})
    with Link(("127.0.0.1", device.port)) as link:
        path = put({"value": register(link, 0)})
        has(house, path, value=1)
        link.cut()
        until(lambda: house.get(path)["diat:status"] == "offline")
        state, error = write(house, path, "value", 9)
        assert state in ("failed", "in-doubt"), error
        assert device.holding(0) == [1]
        device.put(0, 2)
        tried = link.connections
        link.mend()
        has(house, path, value=2)
        until(lambda: house.get(path)["diat:status"] == "online")
        assert tried < 12, "it was asked again and again while it was gone"


def test_a_device_that_stops_answering_delays_nobody(house, modbus, put):
    slow, quick = modbus({1: {"h": {0: 1}}}), modbus({1: {"h": {0: 1}}})
    with Link(("127.0.0.1", slow.port)) as link:
        stuck = put({"value": register(link, 0, timeout=300)})
        well = put({"value": register(quick, 0)})
        has(house, stuck, value=1)
        link.cut(silently=True)
        until(lambda: house.get(stuck)["diat:status"] == "offline")
        until(lambda: any("no answer within 0.3 s" in line for line in diagnostics(house, stuck)))
        quick.put(0, 2)
        has(house, well, value=2)
        # A command on its way when the device fell silent: nobody knows, and it is told so.
        assert write(house, stuck, "value", 5)[0] in ("in-doubt", "failed")
        link.mend()
        until(lambda: house.get(stuck)["diat:status"] == "online", within=20)


def test_a_form_that_cannot_be_is_refused_by_name(house):
    td = described({"value": register(1502, 0, type="xsd:complex")})
    answer = house.rest.put(path_of(td["id"]), json=td)
    assert answer.status_code in (400, 422)
    assert "properties.value.forms.0.modv:type" in answer.text
    assert house.rest.get(path_of(td["id"])).status_code == 404


def test_an_address_beyond_the_house_is_refused(house):
    td = described({"value": register(502, 0)})
    td["properties"]["value"]["forms"][0]["href"] = "modbus+tcp://8.8.8.8:502/1"
    answer = house.rest.put(path_of(td["id"]), json=td)
    assert answer.status_code in (400, 422)
    assert "--bus-allow" in answer.text


def test_a_description_that_changes_is_followed(house, modbus, put):
    first, second = modbus({1: {"h": {0: 1}}}), modbus({1: {"h": {0: 2}}})
    path = put({"value": register(first, 0)})
    has(house, path, value=1)
    td = described({"value": register(second, 0)}, id=house.get(path)["id"])
    assert house.rest.put(path, json=td).status_code == 204
    has(house, path, value=2)


def test_things_in_files_are_announced_and_go_with_their_file(house, modbus, things):
    device = modbus({1: {"h": {0: 42}}})
    file = things / "boiler.json"
    file.write_text(json.dumps(described({"value": register(device, 0)}, id="urn:dev:boiler")))
    until(lambda: house.rest.get("/things/urn%3Adev%3Aboiler").status_code == 200)
    has(house, "/things/urn%3Adev%3Aboiler", value=42)
    (things / "broken.json").write_text('{"title": "no", "properties": {"x": {"forms": []')
    file.write_text(json.dumps(described({"other": register(device, 0)}, id="urn:dev:boiler")))
    has(house, "/things/urn%3Adev%3Aboiler", other=42)
    file.unlink()
    until(lambda: house.rest.get("/things/urn%3Adev%3Aboiler").status_code == 404)


def test_a_hundred_devices(house, modbus, put):
    device = modbus({unit: {"h": {0: unit, 1: 0, 2: 3}} for unit in range(1, 101)})
    paths = {
        unit: put(
            {
                "number": register(device, 0, station=unit, every=1000),
                "more": register(device, 1, "integer", station=unit, every=1000, type="xsd:unsignedInt"),
            }
        )
        for unit in range(1, 101)
    }
    for unit, path in paths.items():
        has(house, path, number=unit, more=3)
    began, before = time.monotonic(), len(device.requests)
    until(lambda: time.monotonic() - began > 2)
    rate = (len(device.requests) - before) / (time.monotonic() - began)
    assert rate < 120, "more than one request a second for each of them"


@pytest.mark.parametrize("name", ["value"])
def test_every_reading_is_taken_once(house, modbus, put, name):
    device = modbus({1: {"h": {0: 0}}})
    path = put({name: register(device, 0, every=50)})
    for value in range(1, 6):
        device.put(0, value)
        has(house, path, **{name: value})
    history = [each["value"] for each in house.get(f"{path}/properties/{name}/history")]
    assert history == sorted(history)
    assert set(history) >= {1, 2, 3, 4, 5}
