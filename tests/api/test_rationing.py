"""Invariant: who floods is told to wait, and nobody else notices."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from diat.adapters.brokers.listening import free_port
from diat.security.limits import Limits
from diat.settings import Listen, Settings

LIMITS = Limits(rate=20, burst=30, at_once=4, streams=3)


@pytest.fixture(scope="module")
def house(tmp_path_factory, running):
    settings = Settings(
        data=tmp_path_factory.mktemp("data"), mqtt=Listen("127.0.0.1", free_port()), limits=LIMITS
    )
    with running(settings) as made:
        yield made


def test_a_flood_is_cut_to_the_rate_and_everybody_else_is_served(someone, problem):
    flood, quiet = someone("viewer"), someone("viewer")
    statuses = []
    stop = threading.Event()

    def pour():
        while not stop.is_set():
            statuses.append(flood.get("/places").status_code)

    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        pouring = [pool.submit(pour) for _ in range(4)]
        served = [quiet.get("/places").status_code for _ in range(25)]
        while len(statuses) < 200 and time.monotonic() - began < 20:
            time.sleep(0.01)
        stop.set()
        for each in pouring:
            each.result()
    took = time.monotonic() - began
    assert served == [200] * 25
    assert set(statuses) <= {200, 429}
    assert statuses.count(200) <= LIMITS.burst + LIMITS.rate * took + 1
    assert statuses.count(429) > 0
    refused = flood.get("/places")
    while refused.status_code == 200:
        refused = flood.get("/places")
    said = problem(refused, 429, "too-many")
    assert said["detail"] == "too many requests"
    assert refused.headers["retry-after"] == "1"
    time.sleep(1.1)
    assert flood.get("/places").status_code == 200


def test_two_tokens_of_one_owner_are_counted_apart(someone):
    program = someone("viewer")
    token = program.post("/tokens", json={"title": "x"}).json()["token"]
    while program.get("/places").status_code == 200:
        pass
    assert program.get("/places", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_streams_are_counted_by_themselves(someone, problem):
    reader, other = someone("viewer"), someone("viewer")
    streams = [reader.stream("GET", "/events") for _ in range(LIMITS.streams)]
    opened = [each.__enter__() for each in streams]
    assert [each.status_code for each in opened] == [200] * LIMITS.streams
    refused = reader.get("/events")
    assert problem(refused, 429, "too-many")["detail"] == "too many streams at once"
    assert refused.headers["retry-after"] == "1"
    assert [reader.get("/places").status_code for _ in range(LIMITS.at_once + 2)] == [200] * 6
    with other.stream("GET", "/events") as another:
        assert another.status_code == 200
    streams.pop().__exit__(None, None, None)
    deadline = time.monotonic() + 10
    while (status := _opens(reader)) == 429 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert status == 200
    for each in streams:
        each.__exit__(None, None, None)


def _opens(client):
    with client.stream("GET", "/events") as answer:
        return answer.status_code


def test_slow_ones_do_not_take_all_the_places(house, someone, thing, problem):
    lamp = thing({"title": "Lamp", "properties": {"on": {"type": "boolean"}}}, obeys=None)
    slow, other = someone("operator"), someone("operator")

    def write(_):
        return slow.put(f"{lamp.path}/properties/on", json=True, headers={"Prefer": "wait=2"})

    with ThreadPoolExecutor(LIMITS.at_once + 2) as pool:
        answers = list(pool.map(write, range(LIMITS.at_once + 2)))
    refused = [each for each in answers if each.status_code == 429]
    assert sorted(each.status_code for each in answers) == [202] * LIMITS.at_once + [429] * 2
    assert {problem(each, 429, "too-many")["detail"] for each in refused} == {"too many requests at once"}
    assert other.get("/places").status_code == 200


def test_whoever_works_on_this_machine_is_not_counted(house):
    assert [house.rest.get("/places").status_code for _ in range(80)] == [200] * 80
