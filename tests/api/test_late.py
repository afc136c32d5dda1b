"""A REST application that is loaded with the first question, over a real platform."""

import asyncio

import httpx
import pytest

from diat.api.app import make_app
from diat.serving.late import Late


@pytest.fixture
def late(house):
    """The application that stands before the real one, and how often that was made."""
    made = []

    def load():
        made.append(make_app(house.daemon, "test"))
        return made[-1]

    return Late(house.daemon, load), made


def ask(app, *paths, base="http://127.0.0.1", **headers):
    async def all_of_them():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=base, headers=headers) as rest:
            return await asyncio.gather(*(rest.get(path) for path in paths))

    return asyncio.run(all_of_them())


def test_health_is_told_as_the_application_tells_it_and_without_it(house, late):
    app, made = late
    paths = "/health/live", "/health/ready"
    early = ask(app, *paths)
    assert made == []
    ask(app, "/things")
    for before, after in zip(early, ask(app, *paths), strict=True):
        assert (before.status_code, before.json()) == (after.status_code, after.json())
        assert before.headers["content-type"] == after.headers["content-type"]


def test_it_is_loaded_once_whoever_asks_at_the_same_time(late):
    app, made = late
    found = ask(app, "/things", "/services", "/things")
    assert [each.status_code for each in found] == [200, 200, 200]
    assert len(made) == 1


def test_who_does_not_ask_as_from_here_is_answered_by_the_application(late):
    app, made = late
    (refused,) = ask(app, "/health/ready", base="http://elsewhere.example")
    assert refused.status_code == 421
    assert len(made) == 1
    (foreign,) = ask(app, "/health/ready", origin="http://elsewhere.example")
    assert foreign.status_code == 403
