"""Invariant: whatever is asked of whatever route, the answer is no fault of ours, and an error is a problem.

The routes are those of the OpenAPI document, so that a new one is asked too. The same requests each time
(``HYPOTHESIS_PROFILE=deep`` asks more, and others).
"""

from __future__ import annotations

import json
import os
import random
import re
from urllib.parse import quote

import pytest

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
NAME = "fuzzed"
WORDS = (
    *(
        "",
        "x",
        "%",
        "%2F",
        "a/b",
        "..",
        ".",
        "\x00",
        "ü",
        "😀",
        "'",
        '"',
        "{{x}}",
        "null",
        "-1",
        "0",
        "²",
        "*",
        "[",
    ),
    *(
        "999999999999999999999",
        "1e400",
        "a" * 3000,
        "\u202e",
        "\\",
        "a b",
        "temperature",
        "level",
        "on",
        "fill",
    ),
    *("keep-within", "1h", "mean", "10", "accepted", "drive", "read"),
)
KEYS = (
    *(
        "title",
        "template",
        "parameters",
        "quantity",
        "place",
        "low",
        "high",
        "unit",
        "properties",
        "type",
        "state",
    ),
    *(
        "diat:place",
        "diat:affects",
        "@type",
        "@context",
        "id",
        "forms",
        "name",
        "roles",
        "steps",
        "do",
        "role",
    ),
    *("input", "capability", "reason", "thing", "security", "securityDefinitions", "actions", "events"),
)


def some_json(chance, depth=0):
    """Any JSON value, with keys that we know as likely as others."""
    kind = chance.randrange(9 if depth < 3 else 6)
    if kind == 6:
        return [some_json(chance, depth + 1) for _ in range(chance.randrange(4))]
    if kind > 6:
        return {chance.choice(WORDS + KEYS): some_json(chance, depth + 1) for _ in range(chance.randrange(6))}
    numbers = (0, -1, 5, 1e308, 0.1, 2**70)
    return (None, True, False, chance.choice(WORDS), chance.choice(WORDS), chance.choice(numbers))[kind]


def some_request(chance, path, method, operation):
    """A request for a route: ``(path, arguments)``."""
    for name in re.findall(r"\{(\w+)\}", path):
        likely = [f"urn:dev:{NAME}"] * 20 if name == "thing" else ["level", "on", "fill", "keep-within"] * 5
        path = path.replace(f"{{{name}}}", quote(chance.choice([*likely, *WORDS]), safe=""))
    query = {
        each["name"]: chance.choice(WORDS)
        for each in operation.get("parameters", [])
        if each["in"] == "query" and chance.random() < 0.3
    }
    headers = {"content-type": "application/json"}
    for name, values in (
        ("if-match", ('"1"', "*", "x")),
        ("idempotency-key", ("a", "b", "c" * 300)),
        ("prefer", ("wait=0", "wait=x")),
    ):
        if name == "prefer" or chance.random() < 0.2:
            headers[name] = chance.choice(values)
    body = chance.randbytes(20) if chance.random() < 0.1 else json.dumps(some_json(chance)).encode()
    return path, {"params": query, "headers": headers, **({"content": body} if method != "get" else {})}


@pytest.mark.timeout(600 if DEEP else 60)
def test_whatever_is_asked(thing, house, rest):
    td = {"properties": {"level": {"type": "number"}, "on": {"type": "boolean"}}, "actions": {"fill": {}}}
    thing({"title": "Fuzzed", **td}, name=NAME).has(level=1.0, on=True)
    routes = [
        (path, method, operation)
        for path, operations in house.get("/openapi.json")["paths"].items()
        for method, operation in operations.items()
        if "text/event-stream" not in str(operation["responses"])
    ]
    chance = random.Random(None if DEEP else 2026)
    for _ in range(50_000 if DEEP else 1500):
        path, method, operation = chance.choice(routes)
        path, asked = some_request(chance, path, method, operation)
        if method == "delete" and NAME in path:
            continue
        answer = rest.request(method.upper(), path, **asked)
        told = (method, path, asked, answer.status_code, answer.text[:300])
        assert answer.status_code < 500 or answer.status_code in (501, 502, 503), told
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json", told
    assert house.get("/health/ready")
