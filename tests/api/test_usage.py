"""Usage-control policies as the outside meets them: values refused, in another form, later; streams ended."""

import json
import time
from contextlib import contextmanager

import httpx
import pytest


@pytest.fixture
def policy(rest):
    """``policy(id, **document)``: puts a policy, taken away after the test."""
    made = []

    def put(name, status=201, **document):
        answer = rest.put(f"/policies/{name}", json=document)
        assert answer.status_code == status, answer.text
        if name not in made:
            made.append(name)
        return answer

    yield put
    for name in made:
        rest.delete(f"/policies/{name}")


@contextmanager
def events(rest, path, **headers):
    """A stream as an iterator of ``(event, data)``."""
    with rest.stream("GET", path, headers=headers, timeout=20.0) as answer:
        assert answer.status_code == 200

        def told():
            said = {}
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name in ("event", "data"):
                    said[name] = value
                elif not line and said:
                    yield said.get("event"), json.loads(said["data"])
                    said = {}

        yield told()


def about(each, effect="deny", **more):
    return {"effect": effect, "what": {"things": [each.id]}, **more}


def test_a_policy_is_put_read_and_taken_away(rest, problem, policy):
    answer = policy("nights", title="Nights", effect="deny", what={"quantities": ["temperature"]})
    assert answer.headers["ETag"] == '"1"'
    assert answer.json()["what"] == {"quantities": ["Temperature"]}
    again = rest.put(
        "/policies/nights", content="effect: deny\ntitle: All nights\nwhen: {from: '22:00', to: '06:00'}"
    )
    assert again.status_code == 200
    assert again.json()["when"] == {"from": "22:00", "to": "06:00"}
    assert [each["id"] for each in rest.get("/policies").json()] == ["nights"]
    answer = rest.get("/policies/nights")
    assert (answer.json()["title"], answer.headers["ETag"]) == ("All nights", '"2"')
    problem(rest.put("/policies/nights", json={"effect": "deny"}, headers={"If-Match": '"1"'}), 412, "stale")
    problem(rest.delete("/policies/nights", headers={"If-Match": '"1"'}), 412, "stale")
    assert rest.delete("/policies/nights", headers={"If-Match": '"2"'}).status_code == 204
    problem(rest.get("/policies/nights"), 404, "not-found")
    problem(rest.delete("/policies/nights"), 404, "not-found")


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "effect"),
        ({"effect": "forbid"}, "effect"),
        ({"effect": "deny", "operations": ["peek"]}, "operations.0"),
        ({"effect": "deny", "what": {"quantities": ["Warmness"]}}, "what.quantities"),
        ({"effect": "deny", "who": {"roles": ["king"]}}, "who.roles.0"),
        ({"effect": "deny", "when": {"from": "25:00", "to": "06:00"}}, "when.from"),
        ({"effect": "deny", "when": {"situation": "no-such"}}, "when.situation"),
        ({"effect": "modify", "modify": {"round": -1}}, "modify.round"),
        ({"effect": "delay"}, "delay"),
        ({"effect": "deny", "cedar": "permit(principal, action, resource);"}, "cedar"),
        ({"effect": "delay", "delay": "40d"}, "delay"),
        ({"effect": "deny", "version": 2}, "version"),
        ({"cedar": "permit(principal, action, resource) when { context.weather };"}, "cedar"),
        ({"cedar": 'permit(principal, action == Action::"peek", resource);'}, "cedar"),
        ({"cedar": '@delay("soon") permit(principal, action, resource);'}, "cedar"),
        ({"cedar": "forbid(principal"}, "cedar"),
        ({"effect": "permit", "obligations": [{"delete-after": "8d"}]}, "obligations.0.delete-after"),
        ({"effect": "permit", "obligations": [{"log": True, "notify": "http://x"}]}, "obligations.0"),
    ],
)
def test_what_is_wrong_with_a_policy_is_named(rest, problem, document, field):
    problem(rest.put("/policies/wrong", json=document), 422, "invalid", field)
    problem(rest.get("/policies/wrong"), 404, "not-found")


def test_conflicts_and_unknown_names_are_told(policy):
    policy("all", effect="permit", operations=["read"], who={"users": ["anna"]})
    told = policy(
        "none", effect="deny", operations=["read"], what={"things": ["urn:x"], "places": ["atlantis"]}
    )
    warnings = told.json()["warnings"]
    assert any("'all'" in line and "a denial wins" in line for line in warnings)
    assert "there is no thing 'urn:x' yet" in warnings
    assert "nothing is at 'atlantis' yet" in warnings


def test_a_denial_is_a_403_that_names_the_policy_on_every_way_out(sensor, rest, policy, problem):
    each = sensor(20.0)
    other = sensor(21.0)
    policy("closed", title="Closed", **about(each, operations=["read", "observe", "history", "export"]))
    path = f"{each.path}/properties/temperature"
    for way in ("", "/reading", "/history", "/history?every=1h&aggregate=mean", "/observe"):
        told = problem(rest.get(path + way), 403, "forbidden")
        assert told["detail"] == "policy 'Closed' (closed) denies it"
    assert rest.get(f"{each.path}/properties").json() == {}
    assert rest.get(f"{each.path}/readings").json() == {}
    for file in (f"{each.path}/history", "/history/export"):
        lines = rest.get(file, params={"format": "csv"}).text.splitlines()[1:]
        assert not any(line.startswith(each.id) for line in lines)
    assert any(line.startswith(other.id) for line in lines)
    assert rest.get(f"{other.path}/properties/temperature").json() == 21.0


def test_a_denied_command_does_not_reach_the_thing(heater, rest, policy, problem):
    each = heater()
    policy("hands-off", **about(each, operations=["write"]))
    problem(rest.put(f"{each.path}/properties/on", json=True), 403, "forbidden")
    rest.delete("/policies/hands-off")
    assert rest.put(f"{each.path}/properties/on", json=False).status_code == 204
    assert [told["v"] for told in each.told] == [{"on": False}]


def test_values_are_rounded_on_every_way_out(sensor, rest, policy):
    each = sensor(20.26)
    policy("coarse", **about(each, "modify", modify={"round": 0.5}))
    path = f"{each.path}/properties/temperature"
    assert rest.get(path).json() == 20.5
    assert rest.get(path, params={"unit": "[degF]"}).json() == pytest.approx(68.9)
    assert rest.get(f"{path}/reading").json()["value"] == 20.5
    assert rest.get(f"{each.path}/properties").json() == {"temperature": 20.5}
    assert rest.get(f"{each.path}/readings").json()["temperature"]["value"] == 20.5
    assert [one["value"] for one in rest.get(f"{path}/history").json()] == [20.5]
    figures = rest.get(f"{path}/history", params={"every": "1d", "aggregate": "mean"}).json()
    assert [one["value"] for one in figures] == [20.5]
    csv = rest.get(f"{each.path}/history", params={"format": "csv"}).text
    assert "20.5" in csv
    assert "20.26" not in csv
    with events(rest, f"{path}/observe", **{"Last-Event-ID": "0"}) as stream:
        assert next(stream) == (None, 20.5)
        each.report(temperature=21.74)
        assert next(stream) == (None, 21.5)


def test_parquet_is_rounded_as_well(sensor, rest, policy):
    import io

    import pyarrow.parquet as pq

    each = sensor(20.26)
    policy("coarse", **about(each, "modify", modify={"round": 0.5}))
    table = pq.read_table(io.BytesIO(rest.get(f"{each.path}/history", params={"format": "parquet"}).content))
    assert table.column("value_number").to_pylist() == [20.5]


def test_members_are_dropped_and_names_become_stable_pseudonyms(thing, rest, policy):
    each = thing({"title": "Door", "properties": {"last": {"type": "object", "readOnly": True}}})
    each.has(last={"who": "anna", "at": 3, "card": 17})
    policy("anonymous", **about(each, "modify", modify={"anonymise": ["who"], "drop": ["card"]}))
    first = rest.get(f"{each.path}/properties/last").json()
    assert set(first) == {"who", "at"}
    assert first["who"].startswith("anon-")
    assert first["at"] == 3
    each.report(last={"who": "ben", "at": 4, "card": 18})
    each.report(last={"who": "anna", "at": 5, "card": 17})
    with events(rest, f"{each.path}/properties/last/observe", **{"Last-Event-ID": "0"}) as stream:
        told = [next(stream)[1] for _ in range(3)]
    assert told[0]["who"] == told[2]["who"] == first["who"]
    assert told[1]["who"] != first["who"]


def test_values_are_held_back(sensor, rest, policy, problem):
    each = sensor()
    now = time.time_ns() // 1_000_000
    for ago, value in ((7_200_000, 18.0), (3_700_000, 19.0), (1_000, 20.0)):
        each.report(at=now - ago, temperature=value)
    each.shows(temperature=20.0)
    policy("later", **about(each, "delay", delay="1h"))
    path = f"{each.path}/properties/temperature"
    assert rest.get(path).json() == 19.0
    assert [one["value"] for one in rest.get(f"{path}/history").json()] == [18.0, 19.0]
    assert "20.0" not in rest.get(f"{each.path}/history", params={"format": "csv"}).text
    figures = rest.get(f"{path}/history", params={"every": "1d", "aggregate": "max"}).json()
    assert max(one["value"] for one in figures) == 19.0
    fresh = sensor(5.0)
    policy("later-too", **about(fresh, "delay", delay="1h"))
    told = problem(rest.get(f"{fresh.path}/properties/temperature"), 404, "not-found")
    assert "long enough ago" in told["detail"]


def test_a_delayed_stream_tells_each_value_when_it_is_old_enough(sensor, rest, policy):
    each = sensor(20.0)
    policy("later", **about(each, "delay", delay="1s"))
    with events(rest, f"{each.path}/properties/temperature/observe") as stream:
        said = time.monotonic()
        each.report(temperature=21.0)
        assert next(stream) == (None, 21.0)
        assert time.monotonic() - said >= 0.9


def test_of_an_interval_one_value_is_told(sensor, rest, policy):
    each = sensor()
    day = 86_400_000
    start = (time.time_ns() // 1_000_000) // day * day - 2 * day
    for minute in range(20):
        each.report(at=start + minute * 60_000, temperature=float(minute))
    each.shows(temperature=19.0)
    policy("coarse", **about(each, "modify", modify={"coarsen": "10m"}))
    path = f"{each.path}/properties/temperature"
    history = rest.get(f"{path}/history").json()
    assert [one["value"] for one in history] == [0.0, 10.0]
    assert history[1]["observed"].endswith(":10:00.000Z")
    inside = rest.get(f"{path}/history", params={"from": start + 300_000}).json()
    assert [one["value"] for one in inside] == [0.0, 10.0]
    assert rest.get(path).json() == 10.0
    with events(rest, f"{path}/observe", **{"Last-Event-ID": "0"}) as stream:
        assert [next(stream)[1] for _ in range(2)] == [0.0, 10.0]
    figures = rest.get(f"{path}/history", params={"every": "1m", "aggregate": "last"}).json()
    assert [one["value"] for one in figures] == [9.0, 19.0]
    csv = rest.get(f"{each.path}/history", params={"format": "csv"}).text.splitlines()[1:]
    assert len(csv) == 2


def test_a_stream_ends_when_it_is_revoked_and_says_why(sensor, rest, policy):
    each = sensor(20.0)
    with events(rest, f"{each.path}/properties/temperature/observe") as stream:
        each.report(temperature=21.0)
        assert next(stream) == (None, 21.0)
        policy("stop", title="Stop", **about(each))
        said, data = next(stream)
        assert said == "ended"
        assert data == {"reason": "policy 'Stop' (stop) denies it", "policies": ["stop"]}
        assert next(stream, None) is None


def test_a_stream_goes_on_in_another_form(sensor, rest, policy):
    each = sensor(20.0)
    with events(rest, f"{each.path}/properties/temperature/observe") as stream:
        each.report(temperature=20.3)
        assert next(stream) == (None, 20.3)
        policy("round", **about(each, "modify", modify={"round": 1}))
        each.report(temperature=20.4)
        assert next(stream) == (None, 20)
        rest.delete("/policies/round")
        each.report(temperature=20.6)
        assert next(stream) == (None, 20.6)


def test_a_purpose_is_said_and_counts(sensor, rest, policy, problem):
    each = sensor(20.0)
    policy("comfort-only", **about(each, operations=["read"], who={"purposes": ["marketing"]}))
    path = f"{each.path}/properties/temperature"
    assert rest.get(path).json() == 20.0
    problem(rest.get(path, headers={"Diat-Purpose": "marketing"}), 403, "forbidden")


def test_a_policy_that_denies_all_can_be_taken_away_again(sensor, rest, policy, problem):
    each = sensor(20.0)
    policy("all", title="All", effect="deny")
    problem(rest.get(each.path), 404, "not-found")
    problem(rest.get("/metrics"), 403, "forbidden")
    assert rest.get("/policies/all").status_code == 200
    assert rest.delete("/policies/all").status_code == 204
    assert rest.get(each.path).status_code == 200


def test_uses_are_counted(sensor, rest, policy, problem):
    each = sensor(20.0)
    count = {"after": 3, "per": "31d"}
    policy("thrice", **about(each, operations=["read"], when={"count": count}))
    path = f"{each.path}/properties/temperature"
    for _ in range(3):
        assert rest.get(path).json() == 20.0
    problem(rest.get(path), 403, "forbidden")


def test_why_is_told(sensor, rest, policy, problem):
    each = sensor(20.0)
    asked = {"name": "anna", "grants": [{"role": "viewer"}], "operation": "read", "thing": each.id}
    answer = rest.post("/policies/decide", json=asked).json()
    assert (answer["effect"], answer["reason"]) == ("permit", "user:anna is viewer there")
    policy("not-anna", **about(each, who={"users": ["anna"]}))
    answer = rest.post("/policies/decide", json=asked | {"affordance": "temperature"}).json()
    assert (answer["effect"], answer["policies"]) == ("deny", ["not-anna"])
    assert rest.post("/policies/decide", json=asked | {"name": "ben"}).json()["effect"] == "permit"
    problem(rest.post("/policies/decide", json=asked | {"thing": "urn:none"}), 404, "not-found")


def test_cedar_is_taken_as_it_is(sensor, rest, policy, problem):
    each = sensor(20.26)
    policy(
        "text",
        title="In Cedar",
        cedar=f"""
        @modify("{{\\"round\\": 1}}")
        permit(principal, action in [Action::"read"], resource == Thing::"{each.id}");
        forbid(principal, action == Action::"history", resource == Thing::"{each.id}");
        """,
    )
    assert rest.get(f"{each.path}/properties/temperature").json() == 20
    problem(rest.get(f"{each.path}/properties/temperature/history"), 403, "forbidden")


def test_policies_last_over_a_restart_of_what_decides(rest, policy, house):
    """What is kept is what is compiled: the rows in the database give the same policies."""
    from diat.adapters.sql.database import open_database
    from diat.adapters.sql.store import SqlStore

    policy("kept", effect="deny", what={"quantities": ["Occupancy"]})
    engine = open_database(house.daemon.settings.data / "diat.db")
    (kept,) = [each for each in SqlStore(engine).policies() if each.id == "kept"]
    engine.dispose()
    assert kept == house.daemon.policies.get("kept")


def test_a_hundred_revocations_end_their_streams_within_a_second(sensor, rest, house, policy):
    each = sensor(20.0)
    path, took = f"{each.path}/properties/temperature/observe", []
    with httpx.Client(base_url=rest.base_url, timeout=20) as other:
        for _ in range(100):
            with events(other, path) as stream:
                each.report(temperature=21.0)
                assert next(stream)[0] is None
                asked = time.monotonic()
                rest.put("/policies/stop", json=about(each))
                assert next(stream)[0] == "ended"
                took.append(time.monotonic() - asked)
            assert rest.delete("/policies/stop").status_code == 204
    took.sort()
    print(f"revocation: median {took[50] * 1000:.0f} ms, p99 {took[98] * 1000:.0f} ms")
    assert took[98] < 1.0


def test_reads_are_logged_where_a_policy_obliges_to(sensor, rest, policy, until):
    each = sensor(20.0)
    policy("watched", **about(each, "permit", operations=["read"], obligations=[{"log": True}]))
    rest.get(f"{each.path}/properties/temperature", headers={"Diat-Purpose": "curiosity"})
    (told,) = until(lambda: rest.get("/audit", params={"outcome": "permitted", "limit": 1}).json())
    assert told["did"] == f"read thing {each.id} temperature"
    assert (told["who"], told["purpose"], told["policies"]) == ("local:loopback", "curiosity", ["watched"])


def test_a_record_of_a_command_tells_no_more_than_its_readings(
    sensor, heater, rest, house, place, policy, until
):
    cold, hot = sensor(18.0), heater()
    made = house.keep(place)
    until(lambda: hot.told, "heating")
    (command,) = house.get("/actuations", thing=hot.id)
    plain = house.get(f"/actuations/{command['id']}")
    assert [line["value"] for line in plain["readings"]] == [18.0]
    assert plain["values"]
    policy("round", effect="modify", what={"things": [cold.id]}, operations=["read"], modify={"round": 5})
    told = house.get(f"/actuations/{command['id']}")
    assert [line["value"] for line in told["readings"]] == [20]
    assert told["values"] == {}
    assert rest.get(f"/services/{made['id']}/explanation").status_code == 403
    policy("round", effect="delay", what={"things": [cold.id]}, operations=["read"], delay="1h", status=200)
    (line,) = house.get(f"/actuations/{command['id']}")["readings"]
    assert "value" not in line
    assert "holds it back" in line["withheld"]
    policy("hot", effect="modify", what={"things": [hot.id]}, operations=["read"], modify={"coarsen": "1h"})
    (listed,) = house.get("/actuations", thing=hot.id)
    assert listed["input"] is None
    assert listed["withheld"]
    rest.delete(f"/services/{made['id']}")


def test_an_export_under_way_ends_when_it_is_revoked(sensor, rest, policy, house):
    each = sensor()
    start = time.time_ns() // 1_000_000 - 86_400_000
    for n in range(30_000):
        body = {"b": 7, "n": n + 1, "t": start + n, "v": {"temperature": float(n)}}
        each.say(f"diat/{each.name}/properties", body, qos=0)
    each.shows(temperature=29_999.0)
    path = f"{each.path}/history"
    got = b""
    with rest.stream("GET", path, params={"format": "csv"}) as answer:
        pieces = answer.iter_raw(1000)
        got += next(pieces)
        policy("stop", **about(each))
        with pytest.raises(httpx.HTTPError):
            got += b"".join(pieces)
    assert got.count(b"\n") < 30_000
