"""Invariant: what runs under a credential ends within a second of it, and says why."""

from __future__ import annotations

import json
import threading
import time

import httpx
import pytest

TD = {"title": "Clock", "diat:place": "tower/top", "properties": {"t": {"type": "number"}}}
ENDED = "the credential that this was asked with holds no longer as it did"


class Follower:
    """Reads a stream in a thread; what it was told, and when that ended."""

    def __init__(self, client, path):
        self.lines = []
        self.ended = None
        self._began = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(client, path))
        self._thread.start()
        assert self._began.wait(10)

    def _read(self, client, path):
        with client.stream("GET", path, timeout=30) as answer:
            assert answer.status_code == 200, answer.read()
            self._began.set()
            self.lines.extend(answer.iter_lines())
        self.ended = time.monotonic()

    def within(self, seconds, since=None):
        """Seconds that it took to end from a time on, now if none is given."""
        since = time.monotonic() if since is None else since
        self._thread.join(seconds)
        assert self.ended is not None, self.lines
        return self.ended - since


@pytest.fixture
def clock(thing):
    made = thing(TD)
    made.has(t=1)
    return made


def ways(house, program):
    """What takes its credential away."""
    name, token = program.headers["x-name"], program.headers["x-token"]
    return {
        "the token is revoked": lambda: house.rest.delete(f"/tokens/{token}"),
        "it revokes itself": lambda: program.delete(f"/tokens/{token}"),
        "its owner is removed": lambda: house.rest.delete(f"/users/{name}"),
        "its owner is disabled": lambda: house.rest.put(
            f"/users/{name}", json={"grants": [{"role": "admin"}], "disabled": True}
        ),
        "its owner has another role": lambda: house.rest.put(
            f"/users/{name}", json={"grants": [{"role": "viewer", "places": ["cellar"]}]}
        ),
    }


@pytest.mark.parametrize("way", range(5))
@pytest.mark.parametrize("path", ["{path}/properties/t/observe", "/events", "/events/thing_created"])
def test_a_stream_ends_with_its_credential(house, clock, someone, way, path):
    program, other = someone("admin"), someone("viewer")
    follower = Follower(program, path.format(path=clock.path))
    bystander = Follower(other, path.format(path=clock.path))
    assert list(ways(house, program).values())[way]().is_success
    assert follower.within(2) < 1
    assert follower.lines[-3:-1] == [
        "event: ended",
        "data: " + json.dumps({"reason": ENDED}, separators=(",", ":")),
    ]
    assert bystander.ended is None
    house.rest.delete(f"/users/{other.headers['x-name']}")
    bystander.within(2)


def test_a_stream_ends_when_its_token_expires(clock, someone):
    program = someone("viewer")
    until = int(time.time() * 1000) + 900
    token = program.post("/tokens", json={"title": "x", "expires": until}).json()["token"]
    with httpx.Client(base_url=program.base_url, headers={"Authorization": f"Bearer {token}"}) as brief:
        follower = Follower(brief, f"{clock.path}/properties/t/observe")
        follower.within(5)
    assert follower.lines[-3] == "event: ended"


def test_revoking_many_takes_no_longer(house, clock, someone):
    took = []
    for _ in range(30):
        program = someone("viewer")
        follower = Follower(program, f"{clock.path}/properties/t/observe")
        began = time.monotonic()
        house.rest.delete(f"/tokens/{program.headers['x-token']}")
        took.append(follower.within(2, began))
    took.sort()
    print(f"a stream ends after its token: median {took[15] * 1000:.0f} ms, slowest {took[-1] * 1000:.0f} ms")
    assert took[-1] < 1


def test_a_download_that_is_broken_off_does_not_look_whole(house, clock, someone, monkeypatch):
    program = someone("viewer")

    def endless(*_):
        while True:
            yield "x" * 65536
            time.sleep(0.001)

    monkeypatch.setattr("diat.api.exports.csv_text", endless)
    with program.stream("GET", "/history/export") as answer:
        pieces = answer.iter_raw()
        assert next(pieces)
        house.rest.delete(f"/tokens/{program.headers['x-token']}")
        with pytest.raises(httpx.RemoteProtocolError):
            list(pieces)
