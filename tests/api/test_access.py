"""Invariant: nothing is told, and nothing done, but what the decision on whoever asks permits.

Every route is walked with real data behind it: for somebody without any role, and for somebody whose role
holds at another place. What is there has a mark in its title, its id and its value, so that it
shows anywhere.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import threading
from urllib.parse import quote

import httpx
import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from diat.api import door
from diat.api.access import hold_declared, need_of
from diat.api.app import PARTS, make_app
from diat.api.directory import router as directory
from diat.security.operations import LEAST

MARK = "kryptos"
VALUE = 77.125
_NUMBERS = itertools.count()
TENANT, OTHER = "tenant/a/room", "tenant/b"
OPEN = {path for _, path in door.OPEN}
"""Routes for everybody: what they answer to whom is held in ``test_lan``."""
OWN = {"/sessions/current", "/tokens", "/tokens/{token}", "/users/{name}/password"}
"""Routes about the one who asks: they answer, and tell of nobody else."""
TD = {
    "title": f"{MARK} thermometer",
    "diat:place": TENANT,
    "properties": {
        "temperature": {
            "type": "number", "unit": "Cel", "@type": "quantitykind:Temperature", "readOnly": True,
        },
        "heating": {
            "type": "boolean", "idempotent": True,
            "diat:affects": {"quantity": "Temperature", "direction": "increase"},
        },
    },
    "actions": {"ring": {}},
    "events": {"rang": {"data": {"type": "number"}}},
}  # fmt: skip


@pytest.fixture(scope="module")
def routes(house):
    """``(path, methods, route)`` of all of the application."""
    app = make_app(house.daemon, "0")
    found = []
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        assert isinstance(route, APIRoute), route
        found.append((route.path, sorted(route.methods), route))
    return found


@pytest.fixture
def tenant(house, thing):
    """A thing of a tenant with a value, an event, a command, a diagnostic, a service and a situation."""
    made = thing(TD, name=f"{MARK}-{next(_NUMBERS)}")
    made.has(temperature=VALUE, heating=False)
    made.say(f"diat/{made.name}/events/rang", {"b": 1, "n": 900, "data": VALUE})
    made.say(f"diat/{made.name}/properties", b"not json")
    house.rest.put(f"{made.path}/properties/heating", json=True)
    invocation = house.post(f"{made.path}/actions/ring")["id"]
    service = house.keep(TENANT)
    situation = house.post(
        "/situations",
        {
            "title": MARK,
            "when": {"thing": made.id, "property": "temperature", "above": 500},
            "then": [{"pause": service["id"]}],
        },
    )
    (actuation, *_) = house.get("/actuations", thing=made.id)
    yield {
        "{thing}": quote(made.id, safe=""), "{name}": "temperature", "{service}": service["id"],
        "{situation}": situation["id"], "{actuation}": actuation["id"], "{invocation}": invocation,
        "{kind}": "thing_created", "{token}": "x", "{policy}": "x", "id": made.id,
    }  # fmt: skip
    house.rest.delete(f"/situations/{situation['id']}")
    house.rest.delete(f"/services/{service['id']}")


def filled(path, tenant):
    names = {"/actions/{name}": "/actions/ring", "/events/{name}": "/events/rang"}
    names |= {"/models/{name}": "/models/none", "/templates/{name}": "/templates/keep-within"}
    names |= {"/users/{name}": "/users/none"}
    for placeholder, value in {**names, **tenant}.items():
        if "{" in placeholder:
            path = path.replace(placeholder, value)
    return re.sub(r"\{\w+\}", "none", path)


def beginning(client, method, path, **more):
    """Status and what comes within a moment: of a stream there is no end."""
    timeout = httpx.Timeout(10, read=0.5)
    with client.stream(method, path, timeout=timeout, **more) as answer:
        pieces = []
        with contextlib.suppress(httpx.ReadTimeout):
            pieces.extend(answer.iter_text())
        return answer.status_code, "".join(pieces)


class TestDeclarations:
    def test_every_route_declares_one_need(self, routes):
        assert len(routes) > 70
        for path, _, route in routes:
            need = need_of(route)
            if need.scope == "nothing":
                assert path in OPEN, path
            if need.scope == "known":
                assert path in OWN, path

    def test_the_walk_sees_all_routes(self, routes):
        assert {id(route) for part in PARTS for route in part.router.routes} <= {
            id(route) for *_, route in routes
        }

    def test_a_route_without_a_declaration_does_not_start(self):
        router = type(directory)()
        router.get("/hole")(lambda: "open")
        with pytest.raises(LookupError, match="/hole declares 0 needs"):
            hold_declared(router.routes)

    def test_every_operation_has_a_least_role(self, routes):
        asked = {need_of(route).operation for *_, route in routes}
        assert asked - {None} <= set(LEAST)


def test_nobody_without_a_role_gets_anything(house, routes, tenant, someone):
    nobody = someone(None)
    for path, methods, route in routes:
        if path in OPEN | OWN:
            continue
        refused = (401,) if need_of(route).scope == "broker" else (403, 404)
        for method in methods:
            status, said = beginning(nobody, method, filled(path, tenant), content="{}")
            assert status in refused, (method, path, status, said)
            kind = json.loads(said)["type"].rpartition(":")[2]
            assert kind in ("forbidden", "not-found", "unauthenticated"), (method, path, said)
            assert MARK not in said.replace(tenant["id"], ""), (method, path, said)


# What tells nothing of what is there: the same to everybody who has a role.
_GENERAL = {
    "/openapi.json", "/", "/docs", "/.well-known/wot", "/vocab", "/models", "/templates", "/templates/{name}",
    "/search/xpath", "/search/sparql",
}  # fmt: skip


@pytest.mark.parametrize("role", ["viewer", "operator", "engineer", "admin"])
def test_whose_role_holds_elsewhere_gets_nothing_of_this_place(house, routes, tenant, someone, role):
    stranger = someone(role, OTHER)
    shown = house.get(f"/things/{tenant['{thing}']}")
    for path, methods, _ in routes:
        if path in OPEN | OWN | _GENERAL or path.startswith("/swagger"):
            continue
        for method in methods:
            status, said = beginning(stranger, method, filled(path, tenant), content="{}")
            asked = (method, path, status, said)
            secret = said.replace(tenant["id"], "") if status >= 400 else said
            assert MARK not in secret, asked
            assert str(VALUE) not in said, asked
            assert tenant["{service}"] not in said or status == 404, asked
            if "{thing}" in path:
                # What is not shown is not there; only to describe it anew tells that it is.
                assert status in (404, 415) or (status, method) == (400, "PUT"), asked
    assert (
        house.get(f"/things/{tenant['{thing}']}")["registration"]["modified"]
        == (shown["registration"]["modified"])
    )


def test_streams_tell_the_stranger_nothing_while_they_run(house, tenant, thing, someone):
    stranger, insider = someone("viewer", OTHER), someone("viewer", "tenant/a")
    heard = {}

    def read(client, name):
        with client.stream("GET", "/events", params={"diff": "true"}, timeout=30) as answer:
            heard[name] = said = []
            started[name].set()
            for line in answer.iter_lines():
                said.append(line)
                if "last-one" in line:
                    return

    started = {"stranger": threading.Event(), "insider": threading.Event()}
    readers = [
        threading.Thread(target=read, args=pair) for pair in ((stranger, "stranger"), (insider, "insider"))
    ]
    for reader in readers:
        reader.start()
    assert all(each.wait(10) for each in started.values())
    gone = thing({**TD, "title": f"{MARK} two"}, name=f"{MARK}-two")
    house.rest.patch(
        gone.path, json={"title": f"{MARK} renamed"}, headers={"content-type": "application/merge-patch+json"}
    )
    house.rest.delete(gone.path)
    thing({"title": "last-one", "diat:place": f"{OTHER}/x"}, name="last-one-b")
    thing({"title": "last-one", "diat:place": TENANT}, name="last-one-a")
    for reader in readers:
        reader.join(20)
        assert not reader.is_alive()
    assert not any(MARK in line for line in heard["stranger"])
    kinds = [line for line in heard["insider"] if line.startswith("event: ")]
    assert kinds[:3] == ["event: thing_created", "event: thing_updated", "event: thing_deleted"]
    # And the same when it is read back.
    _, said = beginning(stranger, "GET", "/events", headers={"Last-Event-ID": "0"})
    assert MARK not in said
    assert "last-one-b" in said
    _, said = beginning(insider, "GET", "/events", headers={"Last-Event-ID": "0"})
    # Of what is gone it is known where it was when it went, and that it went is all that still counts.
    assert said.count(f"{MARK}-two") == 1


class TestWithinOnesPlace:
    def test_a_viewer_reads_and_does_nothing_else(self, house, tenant, someone, problem):
        viewer, path = someone("viewer", "tenant/a"), f"/things/{tenant['{thing}']}"
        assert viewer.get(f"{path}/properties").json()["temperature"] == VALUE
        assert viewer.get(f"{path}/properties/temperature/history").json()[0]["value"] == VALUE
        assert str(VALUE) in viewer.get("/history/export").text
        assert [each["id"] for each in viewer.get("/things").json()] == [
            tenant["id"], *self._own_thing(house, tenant),
        ]  # fmt: skip
        assert [each["path"] for each in viewer.get("/places").json()] == ["tenant"]
        assert [each["id"] for each in viewer.get("/services").json()] == [tenant["{service}"]]
        assert [each["thing"] for each in viewer.get("/diagnostics").json()] == [tenant["id"]]
        assert {each["thing"] for each in viewer.get("/actuations").json()} == {tenant["id"]}
        for method, way in (
            ("PUT", f"{path}/properties/heating"), ("POST", f"{path}/actions/ring"),
            ("DELETE", f"{path}/claims"), ("DELETE", path), ("PUT", f"{path}/admission"),
            ("POST", f"/services/{tenant['{service}']}/pause"),
        ):  # fmt: skip
            said = problem(viewer.request(method, way, json="accepted"), 403, "forbidden")
            assert "is viewer at tenant/a/room; " in said["detail"]

    def _own_thing(self, house, tenant):
        """The thing that the service makes, if it makes one."""
        made = house.get(f"/services/{tenant['{service}']}")["thing"]
        return [made] if made else []

    def test_an_operator_drives_and_does_not_describe(self, tenant, someone, problem):
        operator, path = someone("operator", "tenant/a"), f"/things/{tenant['{thing}']}"
        assert operator.put(f"{path}/properties/heating", json=False).status_code == 204
        assert operator.post(f"{path}/actions/ring").status_code == 201
        service = f"/services/{tenant['{service}']}"
        assert operator.post(f"{service}/pause").status_code == 200
        assert operator.post(f"{service}/resume").status_code == 200
        problem(operator.delete(service), 403, "forbidden")
        problem(operator.patch(path, json={"title": "mine"}), 403, "forbidden")

    def test_an_engineer_cannot_take_a_thing_out_of_his_place(self, house, tenant, someone, problem):
        engineer, path = someone("engineer", "tenant/a"), f"/things/{tenant['{thing}']}"
        media = {"content-type": "application/merge-patch+json"}
        assert engineer.patch(path, json={"title": "mine"}, headers=media).status_code == 204
        for place in (f"{OTHER}/room", "", None):
            said = engineer.patch(path, json={"diat:place": place}, headers=media)
            problem(said, 403, "forbidden")
        assert house.get(path)["diat:place"] == TENANT

    def test_an_engineer_makes_services_at_his_place_alone(self, house, tenant, someone, problem):
        engineer = someone("engineer", "tenant/a")
        parameters = {"quantity": "Temperature", "low": 1, "high": 2, "unit": "Cel"}
        body = {"title": "warm", "template": "keep-within"}
        before = len(house.get("/services"))
        for place in (OTHER, "tenant", "tenant/ab", ""):
            said = engineer.post("/services", json={**body, "parameters": {**parameters, "place": place}})
            problem(said, 403, "forbidden")
            said = engineer.post(
                "/services/plan", json={**body, "parameters": {**parameters, "place": place}}
            )
            problem(said, 403, "forbidden")
        assert len(house.get("/services")) == before
        made = engineer.post("/services", json={**body, "parameters": {**parameters, "place": TENANT}})
        assert made.status_code == 201
        assert engineer.delete(made.headers["location"]).status_code == 204

    def test_what_is_for_all_is_for_those_whose_role_holds_everywhere(self, someone, problem):
        for role in ("engineer", "admin"):
            limited = someone(role, "tenant/a")
            problem(limited.post("/templates", content="{}"), 403, "forbidden")
            problem(limited.put("/models/x", json={}), 403, "forbidden")
            problem(limited.get("/users"), 403, "forbidden")
            problem(limited.get("/metrics"), 403, "forbidden")
        assert someone("viewer").get("/metrics").status_code == 200

    def test_a_thing_is_registered_at_ones_place_alone(self, house, tenant, someone, problem):
        engineer = someone("engineer", "tenant/a")
        td = {"@context": "https://www.w3.org/2022/wot/td/v1.1", "title": "New", "security": "n",
              "securityDefinitions": {"n": {"scheme": "nosec"}}}  # fmt: skip
        problem(engineer.put("/things/urn:x:new", json={**td, "id": "urn:x:new"}), 403, "forbidden")
        problem(engineer.post("/things", json={**td, "diat:place": OTHER}), 403, "forbidden")
        assert house.rest.get("/things/urn:x:new").status_code == 404
        made = engineer.put("/things/urn:x:new", json={**td, "id": "urn:x:new", "diat:place": TENANT})
        assert made.status_code == 201
        assert engineer.delete("/things/urn:x:new").status_code == 204
