"""Daemons that trust each other: who may have them do so, and what each may at the other afterwards."""

import pytest

from diat.adapters.brokers.listening import free_port
from diat.settings import Listen, Settings
from tests.api.conftest import path_of, running, somebody, until


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """Another daemon, that asks everybody for a credential."""
    settings = Settings(
        data=tmp_path_factory.mktemp("there"), mqtt=Listen("127.0.0.1", free_port()), lan=True, announce=False
    )
    with running(settings) as made:
        yield made


@pytest.fixture(scope="module")
def program(there):
    with somebody(there) as make:
        yield make


def token_of(client):
    return client.headers["authorization"].removeprefix("Bearer ")


def trust(house, there, status=201, **said):
    address = str(there.rest.base_url).rstrip("/")
    answer = house.rest.post("/peers", json={"address": address} | said)
    assert answer.status_code == status, answer.text
    return answer.json()


def name_of(house):
    return house.get("/peers/me")["name"]


def test_it_takes_an_administrator_there(house, there, program):
    for said in ({}, {"token": token_of(program("engineer"))}, {"token": "diat_0011223344556677_no"}):
        refused = trust(house, there, 422, **said)
        assert refused["field"] == "token"
    assert house.get("/peers") == there.get("/peers") == []
    assert name_of(there) not in [each["name"] for each in house.get("/users")]


def test_it_takes_an_administrator_here(there, program):
    for role in ("viewer", "operator", "engineer"):
        asked = program(role)
        assert asked.post("/peers", json={"address": "http://127.0.0.1:9"}).status_code == 403
        assert asked.delete("/peers/somebody").status_code == 403
        said = {"name": "diat-x", "address": "http://127.0.0.1:9", "token": "t"}
        assert asked.post("/peers/exchange", json=said).status_code == 403


def test_nobody_there_is_told(house):
    answer = house.rest.post("/peers", json={"address": f"http://127.0.0.1:{free_port()}"})
    assert answer.status_code == 503
    for address in ("ftp://here", "http://me:secret@here", "http://here/path", "here"):
        assert house.rest.post("/peers", json={"address": address}).status_code == 422


def test_nobody_is_a_peer_of_itself(house):
    assert trust(house, house, 422)["field"] == "address"


def test_each_may_at_the_other_what_was_granted_and_no_more(house, there, program):
    for name, place in (("peer-near", "peers/near"), ("peer-far", "elsewhere/far")):
        td = {
            "@context": "https://www.w3.org/2022/wot/td/v1.1",
            "id": f"urn:dev:{name}",
            "title": name,
            "diat:place": place,
            "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
            "security": ["nosec_sc"],
        }
        assert there.rest.put(path_of(td["id"]), json=td).status_code == 201
    trust(house, there, token=token_of(program("admin")), role="engineer", places=["peers"])
    mine = name_of(house)
    [known] = [each for each in there.get("/users") if each["name"] == mine]
    assert (known["kind"], known["grants"]) == ("daemon", [{"role": "engineer", "places": ["peers"]}])
    found = until(lambda: house.get("/peers/things", place="peers"))
    assert [each["id"] for each in found] == ["urn:dev:peer-near"]
    assert house.get("/peers/things", place="elsewhere") == []
    # Trusted again it gets another token, and that one works.
    trust(house, there, token=token_of(program("admin")), role="viewer")
    until(lambda: house.get("/peers/things", place="elsewhere", hops=2))
    assert [each["name"] for each in there.get("/peers")] == [mine]


def test_who_is_forgotten_is_a_stranger(house, there):
    assert there.rest.delete(f"/peers/{name_of(house)}").status_code == 204
    answer = house.rest.get("/peers/things", params={"place": "peers", "hops": 3})
    assert answer.json() == []
    assert name_of(there) in answer.headers["x-unanswered"]
    assert house.rest.delete(f"/peers/{name_of(there)}").status_code == 204
    assert house.rest.delete(f"/peers/{name_of(there)}").status_code == 404
