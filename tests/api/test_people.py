"""Users and tokens over REST: made, changed, limited, revoked."""

from __future__ import annotations

import time

import httpx
import pytest

from diat.security.people import DAY

EVERYWHERE = [{"role": "viewer"}]


@pytest.fixture
def ada(house):
    """A person; her ETag is 1."""
    made = house.post("/users", {"name": "ada", "title": "Ada", "grants": EVERYWHERE})
    yield made
    house.rest.delete("/users/ada")


class TestUsers:
    def test_a_user_is_made_changed_and_removed(self, house, ada):
        assert ada == {
            "name": "ada", "title": "Ada", "kind": "user", "grants": EVERYWHERE, "disabled": False,
            "password": False, "created": ada["created"], "modified": ada["created"],
        }  # fmt: skip
        assert ada in house.get("/users")
        grants = [{"role": "operator", "places": ["hq/2", "hq/3"]}, {"role": "viewer"}]
        put = house.rest.put("/users/ada", json={"title": "A", "grants": grants}, headers={"If-Match": '"1"'})
        assert (put.status_code, put.headers["etag"]) == (200, '"2"')
        assert house.get("/users/ada")["grants"] == grants
        assert house.rest.delete("/users/ada").status_code == 204
        assert house.rest.get("/users/ada").status_code == 404

    def test_a_lost_race_is_told(self, house, ada, problem):
        for method in ("PUT", "DELETE"):
            said = house.rest.request(method, "/users/ada", json={}, headers={"If-Match": '"7"'})
            problem(said, 412, "stale")

    def test_the_same_twice_is_made_once(self, house, ada, problem):
        body = {"name": "ada", "title": "Ada", "grants": EVERYWHERE}
        problem(house.rest.post("/users", json=body), 409, "conflict")
        again = house.rest.post("/users", json=body, headers={"Idempotency-Key": "k"})
        assert (again.status_code, again.headers["location"]) == (201, "/users/ada")
        other = house.rest.post("/users", json={**body, "title": "B"}, headers={"Idempotency-Key": "k"})
        problem(other, 409, "conflict")

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"name": "Ada Lovelace"}, "name"), ({"name": "../x"}, "name"), ({"name": ""}, "name"),
            ({"kind": "thing"}, "kind"), ({"grants": [{"role": "root"}]}, "grants.0.role"),
            ({"grants": [{"role": "viewer", "places": []}]}, "grants.0.places"),
            ({"grants": [{"role": "viewer", "places": [""]}]}, "grants.0.places.0"),
            ({"grants": [{"role": "viewer", "place": "x"}]}, "grants.0.place"),
            ({"password": "let me in, please"}, "password"), ({"revision": 5}, "revision"),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_named(self, house, problem, wrong, field):
        problem(house.rest.post("/users", json={"name": "eve", **wrong}), 422, "invalid", field)
        assert house.rest.get("/users/eve").status_code == 404

    def test_somebody_must_be_left_who_can_change_users(self, house, problem):
        house.post("/users", {"name": "root", "grants": [{"role": "admin"}]})
        house.post("/users", {"name": "half", "grants": [{"role": "admin", "places": ["x"]}]})
        for body in ({"grants": EVERYWHERE}, {"grants": [{"role": "admin"}], "disabled": True}):
            said = problem(house.rest.put("/users/root", json=body), 409, "conflict")
            assert said["detail"] == "nobody would be left who can change users"
        problem(house.rest.delete("/users/root"), 409, "conflict")
        house.post("/users", {"name": "next", "grants": [{"role": "admin"}]})
        assert house.rest.delete("/users/root").status_code == 204
        house.rest.delete("/users/half")

    def test_a_program_takes_no_invitation(self, house, problem):
        house.post("/users", {"name": "bot", "kind": "account"})
        problem(house.rest.post("/users/bot/invitation"), 422, "invalid", "name")
        house.rest.delete("/users/bot")


def with_token(house, token):
    return httpx.Client(base_url=house.rest.base_url, headers={"Authorization": f"Bearer {token}"})


class TestTokens:
    def test_a_token_is_shown_once(self, house, someone):
        program = someone("engineer")
        made = program.post("/tokens", json={"title": "mine", "role": "viewer", "purpose": "comfort"})
        assert made.status_code == 201
        assert made.headers["cache-control"] == "no-store"
        body = made.json()
        secret = body.pop("token")
        assert secret.startswith(f"diat_{body['id']}_")
        assert program.get(f"/tokens/{body['id']}").json() == body
        assert secret not in program.get("/tokens").text
        with with_token(house, secret) as client:
            who = client.get("/sessions/current").json()
        assert (who["grants"], who["purpose"], who["expires"]) == (EVERYWHERE, "comfort", body["expires"])

    def test_only_a_digest_is_kept(self, house, someone):
        program = someone("viewer")
        secret = program.headers["authorization"].split("_", 2)[2]
        files = [each for each in house.daemon.settings.data.rglob("*") if each.is_file()]
        assert any(program.headers["x-name"].encode() in each.read_bytes() for each in files)
        assert not any(secret.encode() in each.read_bytes() for each in files)

    def test_a_scope_beyond_the_owners_is_refused(self, house, someone, problem):
        program = someone("operator", "hq/2")
        for wrong, field in (
            ({"role": "engineer"}, "role"), ({"role": "admin"}, "role"), ({"places": ["hq"]}, "places"),
            ({"places": ["hq/2/x", "hq/3"]}, "places"), ({"expires": "367d"}, "expires"),
            ({"expires": "2001-01-01T00:00:00Z"}, "expires"), ({"expires": "soon"}, "expires"),
            ({"title": ""}, "title"), ({"scope": "x"}, "scope"), ({"places": []}, "places"),
        ):  # fmt: skip
            problem(program.post("/tokens", json={"title": "x", **wrong}), 422, "invalid", field)
        assert program.post("/tokens", json={"title": "x", "places": ["hq/2/x"]}).status_code == 201

    def test_a_token_of_a_token_goes_no_further(self, house, someone):
        parent = someone("engineer", role="viewer", places=["a"], purpose="comfort", expires="1h")
        grandchildren = []
        for asked in ({}, {"role": "viewer"}, {"places": ["a/b"]}, {"expires": "90d"}):
            made = parent.post("/tokens", json={"title": "child", **asked}).json()
            with with_token(house, made["token"]) as child:
                who = child.get("/sessions/current").json()
            assert who["grants"] == [{"role": "viewer", "places": asked.get("places", ["a"])}]
            assert who["purpose"] == "comfort"
            assert made["expires"] <= parent.get("/sessions/current").json()["expires"]
            grandchildren.append(made["token"])
        for wrong in ({"role": "engineer"}, {"places": ["b"]}):
            assert parent.post("/tokens", json={"title": "child", **wrong}).status_code == 422
        # Whoever stole it keeps nothing when it is revoked.
        house.rest.delete(f"/tokens/{parent.headers['x-token']}")
        for token in grandchildren:
            with with_token(house, token) as child:
                assert child.get("/things").status_code == 401

    def test_what_the_owner_loses_its_tokens_lose(self, house, someone, problem):
        program = someone("engineer")
        name = program.headers["x-name"]
        assert program.get("/diagnostics").status_code == 200
        house.rest.put(f"/users/{name}", json={"grants": []})
        problem(program.get("/diagnostics"), 403, "forbidden")
        house.rest.put(f"/users/{name}", json={"grants": EVERYWHERE, "disabled": True})
        problem(program.get("/diagnostics"), 401, "unauthenticated")
        house.rest.put(f"/users/{name}", json={"grants": EVERYWHERE})
        assert program.get("/diagnostics").status_code == 200
        house.rest.delete(f"/users/{name}")
        problem(program.get("/diagnostics"), 401, "unauthenticated")
        # Another of the same name is another.
        house.post("/users", {"name": name, "kind": "account", "grants": EVERYWHERE})
        problem(program.get("/diagnostics"), 401, "unauthenticated")

    def test_a_token_expires(self, house, someone, problem):
        program = someone("viewer")
        soon = int(time.time() * 1000) + 700
        made = program.post("/tokens", json={"title": "x", "expires": soon}).json()
        with with_token(house, made["token"]) as client:
            assert client.get("/things").status_code == 200
            time.sleep(max(0.0, soon / 1000 - time.time()) + 0.01)
            problem(client.get("/things"), 401, "unauthenticated")
        problem(program.get(f"/tokens/{made['id']}"), 404, "not-found")

    def test_a_stale_or_bent_token_opens_nothing(self, house, someone, problem):
        program = someone("admin")
        good = program.headers["authorization"].removeprefix("Bearer ")
        name, _, secret = good.removeprefix("diat_").partition("_")
        bent = [good[:-1], good + "a", good.upper(), f"diat_{'0' * 20}_{secret}", f"diat_{name}_{'A' * 43}",
                f"diat_{name}_", f"diat_{name}", name, secret, "null", "undefined", "\xff",
                f"{good} {good}"]  # fmt: skip
        for token in bent:
            client = httpx.Client(
                base_url=house.rest.base_url, headers={"Authorization": f"Bearer {token}".encode("latin-1")}
            )
            with client:
                said = problem(client.get("/things"), 401, "unauthenticated")
                assert said["detail"] == "the token is not valid"
                assert secret not in str(said)
        program.delete(f"/tokens/{program.headers['x-token']}")
        problem(program.get("/things"), 401, "unauthenticated")

    def test_the_tokens_of_others_are_nobodys_business(self, house, someone, problem):
        mine, other, admin = someone("engineer"), someone("viewer"), someone("admin")
        theirs = other.headers["x-token"]
        problem(mine.get(f"/tokens/{theirs}"), 404, "not-found")
        problem(mine.delete(f"/tokens/{theirs}"), 404, "not-found")
        problem(mine.get("/tokens", params={"user": other.headers["x-name"]}), 403, "forbidden")
        problem(mine.post("/tokens", json={"title": "x", "user": other.headers["x-name"]}), 403, "forbidden")
        assert {each["user"] for each in mine.get("/tokens").json()} == {mine.headers["x-name"]}
        assert theirs in [each["id"] for each in admin.get("/tokens").json()]
        assert admin.delete(f"/tokens/{theirs}").status_code == 204

    def test_nobody_makes_a_token_that_speaks_for_another_person(self, house, ada, someone, problem):
        problem(someone("admin").post("/tokens", json={"title": "x", "user": "ada"}), 403, "forbidden")

    def test_the_same_twice_is_made_once(self, someone, problem):
        program = someone("viewer")
        key = {"Idempotency-Key": "k"}
        made = program.post("/tokens", json={"title": "x"}, headers=key)
        assert made.status_code == 201
        said = problem(program.post("/tokens", json={"title": "x"}, headers=key), 409, "conflict")
        assert made.json()["token"] not in str(said)

    def test_there_is_an_end_to_it(self, house, someone, problem, monkeypatch):
        monkeypatch.setattr("diat.security.people.MOST_TOKENS", 3)
        program = someone("viewer")
        for _ in range(2):
            assert program.post("/tokens", json={"title": "x"}).status_code == 201
        problem(program.post("/tokens", json={"title": "x"}), 409, "conflict")

    def test_a_token_lasts_ninety_days_if_nothing_is_said(self, house, someone):
        issued = house.daemon.people.token(someone("viewer").headers["x-token"])
        assert issued.expires - issued.created == pytest.approx(90 * DAY, abs=60_000)
