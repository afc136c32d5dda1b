"""Policies and the audit over whole processes: what was put holds after a kill, and streams end at once."""

import json
import threading
import time

import pytest
from typer.testing import CliRunner

from diat.cli import app

TD = {
    "@context": "https://www.w3.org/2022/wot/td/v1.1",
    "security": "none",
    "securityDefinitions": {"none": {"scheme": "nosec"}},
    "id": "urn:dev:revoked",
    "title": "Thermometer",
    "diat:place": "lab",
    "properties": {
        "temperature": {
            "type": "number",
            "unit": "Cel",
            "@type": "quantitykind:Temperature",
            "readOnly": True,
            "forms": [{"href": "https://example.com/temperature"}],
        }
    },
}
DENY = {"effect": "deny", "title": "Stop", "what": {"places": ["lab"]}, "operations": ["read", "observe"]}
PATH = "/things/urn%3Adev%3Arevoked/properties/temperature"
STREAMS = 20
ROUNDS = 5
RUN = CliRunner()


@pytest.fixture
def thing(platform):
    answer = platform.rest.put("/things/urn%3Adev%3Arevoked", json=TD)
    assert answer.status_code in (200, 201, 204), answer.text


def verify(platform):
    return RUN.invoke(app, ["audit", "verify", "--data", str(platform.data)])


def test_what_was_put_holds_after_a_kill_and_the_audit_is_whole(platform, thing):
    assert platform.rest.put("/policies/stop", json=DENY).status_code == 201
    assert platform.rest.get(PATH).status_code == 403
    platform.kill()
    checked = verify(platform)
    assert checked.exit_code == 0, checked.output
    platform.start()
    answer = platform.rest.get(PATH)
    assert answer.status_code == 403
    assert answer.json()["detail"] == "policy 'Stop' (stop) denies it"
    done = [each["did"] for each in platform.rest.get("/audit", params={"outcome": "done"}).json()]
    assert "PUT /policies/stop" in done
    assert platform.rest.delete("/policies/stop").status_code == 204
    assert platform.rest.get(PATH).status_code == 404  # nothing was reported yet, which may be known now
    checked = verify(platform)
    assert checked.exit_code == 0, checked.output


def follow(platform, ready, ended):
    """Read a stream until it ends; when that was."""
    with platform.rest.stream("GET", f"{PATH}/observe", timeout=30) as answer:
        assert answer.status_code == 200
        ready.release()
        said = None
        for line in answer.iter_lines():
            said = line if line.startswith("data:") else said
        ended.append((time.monotonic(), json.loads(said.removeprefix("data: "))))


def test_many_streams_end_within_a_second_of_a_revocation(platform, thing):
    took = []
    for _ in range(ROUNDS):
        ready, ended = threading.Semaphore(0), []
        threads = [threading.Thread(target=follow, args=(platform, ready, ended)) for _ in range(STREAMS)]
        for each in threads:
            each.start()
        for _ in threads:
            assert ready.acquire(timeout=20)
        asked = time.monotonic()
        assert platform.rest.put("/policies/stop", json=DENY).status_code in (200, 201)
        for each in threads:
            each.join(20)
        assert len(ended) == STREAMS
        took += [at - asked for at, _ in ended]
        assert {said["reason"] for _, said in ended} == {"policy 'Stop' (stop) denies it"}
        assert platform.rest.delete("/policies/stop").status_code == 204
    took.sort()
    p99 = took[round(len(took) * 0.99) - 1]
    print(f"{len(took)} revocations: median {took[len(took) // 2] * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms")
    assert p99 < 1.0
