"""Joining and credentials over REST, and what a broker of somebody else's asks there."""

import pytest

from .conftest import GRANTED, REFUSED, served, until


@pytest.fixture
def rest(embedded):
    """REST of the site, as its owner."""
    with served(embedded) as client:
        yield client


def refused(answer, status, kind):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:diat:problem:{kind}"


def test_an_administrator_sees_the_join_key_and_nobody_else(embedded, rest):
    found = rest.get("/joining").json()
    assert found["address"] == f"mqtt://join:{embedded.key}@127.0.0.1:{embedded.port}"
    assert found["qr"].startswith("<svg")
    assert found["open"] == "always"
    refused(rest.get("/joining", headers={"Authorization": "Bearer wrong"}), 401, "unauthenticated")
    listed = rest.get("/credentials").text
    assert embedded.key not in listed


def test_the_window_is_opened_and_closed(embedded, rest):
    assert rest.put("/joining", json={"open": "closed"}).json()["open"] == "closed"
    assert rest.put("/joining", json={"open": 600, "anyone": 60}).json()["anyone"]
    assert embedded.person("join", "", "th1").code == "Success"
    assert rest.put("/joining", json={"open": "closed"}).json()["anyone"] is None
    assert embedded.person("join", "", "th1").code == REFUSED
    for wrong in ({"open": 90_000}, {"open": "closed", "anyone": 3601}, {"open": -1}, {}, {"open": "x"}):
        refused(rest.put("/joining", json=wrong), 422, "invalid")


def test_another_join_key_is_made(embedded, rest):
    before = embedded.key
    assert rest.post("/joining/key").status_code == 201
    assert embedded.key != before
    assert embedded.person("join", before, "th1").code == REFUSED
    assert embedded.person("join", embedded.key, "th1").code == "Success"


def test_a_thing_is_renewed_and_revoked(embedded, rest):
    thing = embedded.thing("th1")
    assert thing.subscribe("diat/th1/credential") in GRANTED
    path = "/things/urn%3Adev%3Ath1/credential"
    assert rest.get(path).json()["name"] == "th1"
    assert thing.password not in rest.get(path).text
    said = rest.post(path)
    assert said.status_code == 201
    assert said.headers["cache-control"] == "no-store"
    assert thing.next()[0] == "diat/th1/credential", "the thing is told"
    assert embedded.person("th1", said.json()["password"], "th1").code == "Success"
    assert rest.delete(path).status_code == 204
    until(lambda: embedded.person("th1", said.json()["password"], "th1").code == REFUSED, "revoked")
    refused(rest.delete(path), 404, "not-found")
    again = rest.post(path).json()
    assert embedded.person("th1", again["password"], "th1").code == "Success"


def test_scopes_of_bridges_are_held_to_be_their_own(rest):
    bridge = {"name": "zigbee2mqtt", "publish": ["zigbee2mqtt/#"], "subscribe": ["zigbee2mqtt/#"]}
    assert rest.post("/credentials", json=bridge).status_code == 201
    refused(rest.post("/credentials", json=bridge | {"name": "other"}), 409, "conflict")
    for topic in ("#", "+/x", "diat/#", "wot/td/#", "$SYS/#", "$MQTT/#", "a/#/b", "a b", "a.b", "a/>", "a+"):
        wrong = bridge | {"name": "other", "publish": [topic]}
        refused(rest.post("/credentials", json=wrong), 422, "invalid")
    for name in ("join", "diat", "a/b", "", "x" * 65):
        refused(rest.post("/credentials", json=bridge | {"name": name}), 422, "invalid")


def test_a_broker_of_somebody_elses_asks(embedded, rest):
    """As EMQX does it (its HTTP authentication and authorisation)."""
    password = embedded.join("th1")
    rest.headers.pop("Authorization")
    secret = {"X-Broker-Secret": embedded.daemon.broker_secret}
    right = {"username": "th1", "password": password, "clientid": "th1", "peerhost": "192.0.2.1"}

    def comes(**said):
        return rest.post("/mqtt/auth", json=right | said, headers=secret).json()

    def uses(action, topic, **said):
        body = {"username": "th1", "clientid": "th1", "action": action, "topic": topic}
        return rest.post("/mqtt/acl", json=body | said, headers=secret).json()["result"]

    assert comes() == {"result": "allow", "is_superuser": False}
    for wrong in ({"password": "x"}, {"clientid": "other"}, {"username": "join"}, {"username": None}):
        assert comes(**wrong)["result"] == "deny", wrong
    assert uses("publish", "diat/th1/properties") == "allow"
    assert uses("subscribe", "diat/th1/#") == "allow"
    assert uses("subscribe", "$share/g/diat/th1/set") == "allow"
    for topic in ("diat/other/properties", "diat/th1/set", "$SYS/x", "diat/+/properties", "wot/td/other"):
        assert uses("publish", topic) == "deny", topic
    for topic in ("#", "diat/#", "diat/+/set", "$SYS/#", "$share/g/#", "diat/other/set"):
        assert uses("subscribe", topic) == "deny", topic
    assert uses("publish", "diat/th1/properties", clientid="other") == "deny"
    assert uses("publish", "diat/th1/properties", username="nobody") == "deny"
    for shown in ({}, {"X-Broker-Secret": "wrong"}):
        refused(rest.post("/mqtt/auth", json=right, headers=shown), 401, "unauthenticated")
        refused(rest.post("/mqtt/acl", json=right, headers=shown), 401, "unauthenticated")
    embedded.do(lambda: embedded.access.credentials.revoke("th1", embedded.daemon.clock()))
    assert comes()["result"] == "deny"
    assert uses("publish", "diat/th1/properties") == "deny"
