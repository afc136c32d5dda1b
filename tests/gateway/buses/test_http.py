"""Devices with an HTTP interface of their own as virtual objects: asked again and again, and driven."""

import time

import pytest

from tests.api.conftest import path_of
from tests.gateway.buses.conftest import described, member, until
from tests.gateway.buses.test_modbus import diagnostics, has, write


def test_values_are_where_the_pointer_says(house, http, put):
    device = http(sensors=[{"temp": 215, "name": "a/b"}], relay={"on": False}, odd={"a/b": 3})
    path = put(
        {
            "temperature": member(device, "/sensors/0/temp", unit=None, **{"diat:scale": 0.1}),
            "name": member(device, "/sensors/0/name", "string"),
            "on": member(device, "/relay/on", "boolean"),
            "odd": member(device, "/odd/a~1b", "integer"),
        }
    )
    has(house, path, temperature=21.5, name="a/b", on=False, odd=3)
    assert house.get(f"{path}/properties/temperature/reading")["quality"] == "good"
    # One request brings all four.
    before, began = len(device.requests), time.monotonic()
    until(lambda: time.monotonic() - began > 1)
    assert len(device.requests) - before <= 1.5 * (time.monotonic() - began) / 0.1


def test_what_is_written_is_read_back(house, http, put):
    device = http(relay={"on": False}, target=200)
    path = put(
        {
            "on": member(device, "/relay/on", "boolean"),
            "target": member(device, "/target", **{"diat:scale": 0.1}),
        }
    )
    has(house, path, on=False, target=20.0)
    assert write(house, path, "on", True) == ("completed", None)
    assert write(house, path, "target", 21.5) == ("completed", None)
    assert device.state == {"relay": {"on": True}, "target": 215}
    assert ("PUT", "/state", b'{"relay": {"on": true}}') in device.requests


def test_a_device_that_does_something_else_is_no_success(house, http, put):
    device = http(target=20)
    device.answers["/state"] = lambda body: (200, "application/json", b'{"target": 20}')
    path = put({"target": member(device, "/target")})
    has(house, path, target=20)
    state, error = write(house, path, "target", 25)
    assert state == "failed"
    assert "target is 20" in error


def test_plain_text_and_other_methods(house, http, put):
    device = http()
    said = []
    device.answers["/temp"] = lambda body: (200, "text/plain", b" 19.25\n")
    device.answers["/set"] = lambda body: said.append(body) or (204, "text/plain", b"")
    both = member(device, "", path="/temp", contentType="text/plain", op="readproperty")
    both["forms"].append(
        {
            "href": f"{device.url}/set",
            "htv:methodName": "POST",
            "contentType": "text/plain",
            "op": "writeproperty",
        }
    )
    path = put({"target": both})
    has(house, path, target=19.25)
    assert write(house, path, "target", 30)[0] == "failed"  # it goes on saying 19.25
    assert said == [b"30"]


def test_an_action_is_done_once_and_its_answer_comes_back(house, http, put):
    device = http()
    done = []
    device.answers["/open"] = lambda body: done.append(body) or (200, "application/json", b'{"opened": 1}')
    device.answers["/jam"] = lambda body: (500, "text/plain", b"stuck")
    path = put(
        {"ready": member(device, "", "boolean")},
        actions={
            "open": {"input": {"type": "object"}, "forms": [{"href": f"{device.url}/open"}]},
            "jam": {"forms": [{"href": f"{device.url}/jam"}]},
        },
    )

    until(lambda: house.get(path)["diat:status"] == "online")

    def invoke(name, body=None):
        made = house.rest.post(f"{path}/actions/{name}", json=body)
        assert made.status_code == 201, made.text
        return until(lambda: (said := house.get(made.headers["location"]))["status"] != "pending" and said)

    ended = invoke("open", {"by": 50})
    assert (ended["status"], ended["output"]) == ("completed", {"opened": 1})
    assert done == [b'{"by": 50}']
    assert (said := invoke("jam"))["status"] == "failed", said


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((404, "text/plain", b"no"), "it answered 404"),
        ((302, "text/plain", b""), "it answered 302"),
        ((200, "application/json", b"{"), "is not JSON"),
        ((200, "application/json", b"{}"), "has nothing at /value"),
        ((200, "application/json", b'"' + b"x" * 1_100_000 + b'"'), "longer than"),
    ],
)
def test_what_is_wrong_with_an_answer_is_told(house, http, put, answer, says):
    device = http()
    device.answers["/state"] = lambda body: answer
    path = put({"value": member(device, "/value")})
    until(lambda: any(says in line for line in diagnostics(house, path)), says)
    assert house.get(path)["diat:status"] == "online"


def test_a_value_against_its_schema_is_not_taken(house, http, put):
    device = http(value="warm")
    path = put({"value": member(device, "/value")})
    until(lambda: diagnostics(house, path))
    assert "value" not in house.rest.get(f"{path}/properties").json()
    device.state["value"] = 20
    has(house, path, value=20)


def test_a_slow_answer_is_given_up(house, http, put):
    device = http(value=1)
    device.answers["/slow"] = lambda body: time.sleep(1) or (200, "application/json", b"1")
    slow = put({"value": member(device, "", path="/slow", **{"diat:timeout": 200})})
    quick = put({"value": member(device, "/value")})
    has(house, quick, value=1)
    until(lambda: any("no answer within 0.2 s" in line for line in diagnostics(house, slow)))
    until(lambda: house.get(slow)["diat:status"] == "offline")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"href": "http://169.254.169.254/latest"}, "href"),
        ({"href": "http://93.184.216.34/"}, "href"),
        ({"href": "http://me:secret@127.0.0.1/"}, "href"),
        ({"href": "http://127.0.0.1/{room}"}, "href"),
        ({"htv:methodName": "DELETE", "op": "readproperty"}, "htv:methodName"),
        ({"contentType": "image/png"}, "contentType"),
        ({"diat:pointer": "value"}, "diat:pointer"),
        ({"diat:pollingTime": 1}, "diat:pollingTime"),
        ({"diat:timeout": "soon"}, "diat:timeout"),
    ],
)
def test_a_form_that_cannot_be_is_refused_by_name(house, said, field):
    td = described({"value": {"type": "number", "forms": [{"href": "http://127.0.0.1/state"} | said]}})
    answer = house.rest.put(path_of(td["id"]), json=td)
    assert answer.status_code in (400, 422)
    assert answer.json()["field"] == f"properties.value.forms.0.{field}"


def test_who_may_not_manage_puts_nothing(fortress_with_buses, http):
    house, someone = fortress_with_buses
    device = http(value=5)
    td = described({"value": member(device, "/value")})
    path = path_of(td["id"])
    assert someone("operator").put(path, json=td).status_code == 403
    assert someone("engineer").put(path, json=td).status_code == 201
    # Where credentials are asked for, the buses have that of the platform.
    has(house, path, value=5)
    assert write(house, path, "value", 6) == ("completed", None)
