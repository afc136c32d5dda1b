"""Invariant: opened beyond loopback, a platform answers nobody unknown.

But it tells everybody whether it lives, and lets everybody try to log in.
"""

from __future__ import annotations

import json
import socket

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from diat.api.app import make_app
from diat.api.arrivals import is_arrival
from diat.api.door import OPEN
from diat.api.releases import is_file

TD = {"@context": "https://www.w3.org/2022/wot/td/v1.1", "id": "urn:x:vault", "title": "kryptos",
      "security": "n", "securityDefinitions": {"n": {"scheme": "nosec"}},
      "properties": {"t": {"type": "number", "forms": [{"href": "http://x.example/t"}]}}}  # fmt: skip


@pytest.fixture(scope="module")
def stranger(fortress):
    with httpx.Client(base_url=fortress.rest.base_url, timeout=5) as client:
        yield client


@pytest.fixture(scope="module", autouse=True)
def _vault(fortress):
    assert fortress.rest.put("/things/urn:x:vault", json=TD).status_code == 201


@pytest.fixture(scope="module")
def ways(fortress):
    """``(method, path)`` of every route, page and stream, and of some that there are not."""
    found = set()
    for context in iter_route_contexts(make_app(fortress.daemon, "0").routes):
        path = context.original_route.path
        for name, value in (("{thing}", "urn%3Ax%3Avault"), ("{name}", "t"), ("{kind}", "thing_created")):
            path = path.replace(name, value)
        found |= {
            (method, path.replace("{", "").replace("}", "")) for method in context.original_route.methods
        }
    for path in ("/nowhere", "/swagger/x", "/things/", "//things", "/health/live/", "/login/", "/sessions/"):
        found |= {(method, path) for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")}
    return sorted(found)


BAD = {
    "none": {},
    "empty": {"Authorization": ""},
    "no token": {"Authorization": "Bearer"},
    "wrong token": {"Authorization": f"Bearer diat_{'0' * 20}_{'x' * 43}"},
    "another scheme": {"Authorization": "Basic YWRtaW46YWRtaW4="},
    "a cookie of nobody": {"Cookie": "diat_session=diat_0_0"},
    "a broken cookie": {"Cookie": "diat_session=\"; =;;"},
    "loopback by a proxy": {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"},
}  # fmt: skip


@pytest.mark.parametrize("headers", BAD.values(), ids=BAD.keys())
def test_without_a_credential_nothing_answers_but_login_and_health(stranger, ways, problem, headers):
    assert len(ways) > 110
    for method, path in ways:
        if (method, path) in OPEN or (method == "HEAD" and ("GET", path) in OPEN) or is_file(path):
            continue
        if method == "PUT" and is_arrival(path):
            continue
        answer = stranger.request(method, path, headers=headers)
        assert answer.status_code == 401, (method, path, answer.status_code, answer.text[:200])
        assert answer.headers["www-authenticate"] == 'Bearer realm="diat"'
        if method != "HEAD":
            said = problem(answer, 401, "unauthenticated")
            assert "kryptos" not in json.dumps(said)


def test_what_is_open_tells_nothing(stranger, problem):
    assert stranger.get("/health/live").json() == {"status": "live"}
    assert stranger.get("/health/ready").json() == {"status": "ready"}
    page = stranger.get("/login")
    assert page.status_code == 200
    assert "default-src 'none'; script-src 'sha256-" in page.headers["content-security-policy"]
    assert "kryptos" not in page.text
    # A broker that asks shows a secret of its own.
    for path in ("/mqtt/auth", "/mqtt/acl"):
        for headers in ({}, {"X-Broker-Secret": ""}, {"X-Broker-Secret": "x"}):
            said = {"username": "x", "password": "x", "clientid": "x", "topic": "x", "action": "subscribe"}
            assert stranger.post(path, json=said, headers=headers).status_code in (401, 422)
    problem(stranger.post("/sessions", json={"user": "x", "password": "y"}), 401, "unauthenticated")


def test_a_browser_is_shown_the_page_to_log_in_on_and_nothing_else(stranger):
    for path in ("/", "/docs", "/things", "/nowhere"):
        page = stranger.get(path, headers={"Accept": "text/html,*/*"})
        assert page.status_code == 401
        assert "<h1>DIAT</h1>" in page.text
        assert "kryptos" not in page.text


def test_with_a_token_it_answers(fortress):
    assert [each["title"] for each in fortress.get("/things")] == ["kryptos"]


def test_descriptions_say_that_a_token_is_needed(fortress):
    for shown in (fortress.get("/things/urn:x:vault"), fortress.get("/.well-known/wot")):
        (name,) = shown["security"] if isinstance(shown["security"], list) else [shown["security"]]
        assert shown["securityDefinitions"][name] == {
            "scheme": "bearer", "in": "header", "name": "Authorization", "format": "opaque",
        }  # fmt: skip
    # What the thing brought itself demands what the thing said.
    vault = fortress.get("/things/urn:x:vault")
    (brought,) = (form for form in vault["properties"]["t"]["forms"] if "x.example" in form["href"])
    assert vault["securityDefinitions"][brought["security"]] == {"scheme": "nosec"}


class TestWhoCalls:
    """Whose page calls, and by what name we are called."""

    def ask(self, fortress, **headers):
        """GET /things with the owner's token and these headers, as they stand."""
        host = fortress.rest.base_url.host, fortress.rest.base_url.port
        said = {"Authorization": fortress.rest.headers["authorization"], "Connection": "close", **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
        with socket.create_connection(host) as connection:
            connection.sendall(f"GET /things HTTP/1.1\r\n{lines}\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        return int(answer.split(b" ", 2)[1]), answer.decode()

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost:80", "192.168.7.7:8000", "[fe80::1]:80"])
    def test_an_address_is_ours(self, fortress, host):
        assert self.ask(fortress, Host=host)[0] == 200

    def test_the_name_of_this_machine_is_ours(self, fortress):
        for name in (socket.gethostname(), f"{socket.gethostname().partition('.')[0]}.LOCAL"):
            assert self.ask(fortress, Host=name)[0] == 200

    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "a b", "[::1"])
    def test_a_name_that_somebody_made_lead_here_is_not(self, fortress, host):
        status, said = self.ask(fortress, Host=host)
        assert status == 421
        assert "urn:diat:problem:host" in said

    @pytest.mark.parametrize(
        "origin", ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1"]
    )
    def test_a_page_from_elsewhere_may_not_call(self, fortress, origin):
        status, said = self.ask(fortress, Host="127.0.0.1:8000", Origin=origin)
        assert (status, "urn:diat:problem:origin" in said) == (403, True)

    def test_a_page_of_ours_may(self, fortress):
        assert self.ask(fortress, Host="192.168.7.7:8000", Origin="http://192.168.7.7:8000")[0] == 200


@pytest.mark.parametrize(
    "query",
    [
        "token=diat_abc",
        "access_token=x",
        "x=diat_0000000000000000_aaaa",
        "API_KEY=1",
        "password=hunter2",
        "a=1&token=",
    ],
)
def test_a_secret_in_the_address_is_refused_even_if_it_is_right(fortress, stranger, problem, query):
    for client in (fortress.rest, stranger):
        for path in ("/things", "/health/live", "/login"):
            said = problem(client.get(f"{path}?{query}"), 400, "bad-request")
            assert said["detail"] == "secrets do not go in the address: it is kept in logs"
