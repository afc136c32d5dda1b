"""The whole OpenAPI document asked by Schemathesis, with authorisation on, by somebody who may little.

No answer is a fault of ours, and none holds anything of another's place. The same examples each time.
"""

from __future__ import annotations

import functools
import os
from collections import Counter
from typing import NamedTuple

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
MARK = "kryptos"
TENANT = {
    "title": MARK, "diat:place": "tenant/a",
    "properties": {"p": {"type": "string", "@type": "quantitykind:Temperature"}}, "actions": {"ring": {}},
}  # fmt: skip
LET_PASS = {501, 502, 503}
"""What a search that is not offered, a thing that does not obey, and a busy platform answer."""


OPEN = ("/health/", "/sessions", "/tokens", "/users/{name}/password", "/mqtt/")


class Client(NamedTuple):
    url: str
    session: requests.Session


@pytest.fixture(scope="module")
def document(fortress):
    return fortress.get("/openapi.json")


def operations(document):
    """``(method, path)`` of all that is no stream: of those there is no end to wait for."""
    return [
        (method, path)
        for path, known in document["paths"].items()
        for method, said in known.items()
        if "text/event-stream" not in str(said["responses"])
    ]


@pytest.fixture(scope="module")
def clients(fortress):
    """A viewer and an engineer elsewhere, and somebody who may nothing; a thing of a tenant's stands."""
    td = {**TENANT, "id": "urn:dev:tenants", "@context": "https://www.w3.org/2022/wot/td/v1.1",
          "security": "n", "securityDefinitions": {"n": {"scheme": "nosec"}}}  # fmt: skip
    td["properties"] = {"p": {**TENANT["properties"]["p"], "forms": [{"href": f"http://{MARK}.example/p"}]}}
    td["actions"] = {"ring": {"forms": [{"href": f"http://{MARK}.example/r"}]}}
    assert fortress.rest.put("/things/urn:dev:tenants", json=td).status_code == 201
    made = {}
    for name, grants in (
        ("viewer", [{"role": "viewer", "places": ["tenant/b"]}]),
        ("engineer", [{"role": "engineer", "places": ["tenant/b"]}]),
        ("nobody", []),
    ):
        fortress.post("/users", {"name": name, "kind": "account", "grants": grants})
        token = fortress.post("/tokens", {"title": "x", "user": name})["token"]
        made[name] = Client(str(fortress.rest.base_url).rstrip("/"), requests.Session())
        made[name].session.headers["Authorization"] = f"Bearer {token}"
    yield made
    for client in made.values():
        client.session.close()


def some_of(operation, hold):
    """Hold some requests for an operation, as they should be and as they should not."""

    @settings(
        max_examples=300 if DEEP else 4,
        derandomize=not DEEP,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        operation.as_strategy() | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
        st.booleans(),
    )
    def ask(case, at_the_tenant):
        hold(case, at_the_tenant)

    ask()


@pytest.mark.timeout(1800 if DEEP else 120)
@pytest.mark.parametrize("who", ["viewer", "engineer", "nobody"])
def test_no_fault_and_nothing_of_anothers_place(document, clients, who, monkeypatch):
    # It asks for more than one may in a second: how much that is has tests of its own.
    monkeypatch.setattr("diat.security.limits.Buckets.wait", lambda *_: 0.0)
    schema = schemathesis.openapi.from_dict(document)
    known = {"thing": "urn:dev:tenants", "name": "p"}
    asked = Counter()

    def hold(path, case, at_the_tenant):
        if at_the_tenant:
            case.path_parameters.update({k: known[k] for k in known if k in case.path_parameters})
        answer = case.call(base_url=clients[who].url, session=clients[who].session, timeout=30)
        asked[answer.status_code] += 1
        told = (case.as_curl_command(), answer.status_code, answer.text[:300])
        assert answer.status_code < 500 or answer.status_code in LET_PASS, told
        assert MARK not in answer.text, told
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == ["application/problem+json"], told
        if who == "nobody" and not path.startswith(OPEN):
            assert answer.status_code in (400, 403, 404, 405, 413, 415, 422), told

    for method, path in operations(document):
        some_of(schema[path][method.upper()], functools.partial(hold, path))
    assert asked.total() > 300, asked
    assert asked[403] + asked[404] > 30, asked
