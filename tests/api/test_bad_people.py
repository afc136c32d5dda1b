"""People who mean ill, over REST: each is refused with an answer that says so and tells nothing else.

Others play them where they strike: ``test_access`` (another's place), ``test_lan`` (no credential, secrets in
the address, foreign pages and names), ``test_logins`` (guessing, forged pages, foisted sessions),
``test_people`` (stale and bent tokens), ``test_rationing`` (floods), ``unit/lake/test_bombs`` (files).
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import logging
import time
import zlib
from urllib.parse import quote

import pytest

from diat.adapters.brokers.listening import free_port
from diat.api.guard import BODY_LIMIT
from diat.cvol.steps.formula import Formula
from diat.settings import Listen, Settings
from diat.wot.td import CONTEXT

_NUMBERS = itertools.count()
JSON = {"content-type": "application/json"}
TD = {
    "@context": CONTEXT, "title": "Thing", "security": "n", "securityDefinitions": {"n": {"scheme": "nosec"}},
}  # fmt: skip
BODIES = [
    ("POST", "/things", (400, "invalid")), ("PUT", "/things/urn:x:y", (400, "invalid")),
    ("PATCH", "/things/urn:x:y", (404, "not-found")), ("POST", "/services", (422, "invalid")),
    ("POST", "/services/plan", (422, "invalid")), ("POST", "/situations", (422, "invalid")),
    ("POST", "/templates", (422, "invalid")), ("PUT", "/models/m", (422, "invalid")),
    ("POST", "/users", (422, "invalid")), ("PUT", "/users/x", (422, "invalid")),
    ("POST", "/tokens", (422, "invalid")), ("POST", "/sessions", (422, "invalid")),
]  # fmt: skip
"""Whatever takes a body, and what it answers to one that is no good."""


@pytest.fixture(scope="module")
def admin(someone):
    return someone("admin")


class TestBodies:
    @pytest.mark.parametrize(("method", "path", "refused"), BODIES)
    @pytest.mark.parametrize(
        "body",
        [b"[" * 1_000_000, b'{"a":' * 200_000, b"[" * 60_000 + b"]" * 60_000, b'{"title":' + b"[" * 5000],
        ids=["lists", "objects", "closed", "within"],
    )
    def test_nesting_without_a_bottom(self, admin, problem, method, path, refused, body):
        began = time.monotonic()
        said = problem(admin.request(method, path, content=body, headers=JSON), *refused)
        assert time.monotonic() - began < 2
        assert len(json.dumps(said)) < 2000

    @pytest.mark.parametrize(("method", "path", "refused"), BODIES)
    def test_more_than_anybody_needs(self, admin, problem, method, path, refused):
        body = b'{"title": "' + b"x" * BODY_LIMIT + b'"}'
        problem(admin.request(method, path, content=body, headers=JSON), 413, "too-large")

    @pytest.mark.parametrize(("method", "path", "refused"), BODIES)
    @pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
    def test_what_is_packed_is_never_unpacked(self, admin, problem, method, path, refused, pack):
        bomb = pack(b'{"title": "' + b"x" * 10_000_000 + b'"}')
        headers = {**JSON, "content-encoding": "gzip" if pack is gzip.compress else "deflate"}
        began = time.monotonic()
        problem(admin.request(method, path, content=bomb, headers=headers), *refused)
        assert time.monotonic() - began < 2

    @pytest.mark.parametrize(("method", "path", "refused"), BODIES)
    def test_numbers_and_texts_that_are_none(self, admin, problem, method, path, refused):
        for body in (
            b'{"a": NaN}',
            b'{"a": 1e999}',
            b'{"a": "\\ud800"}',
            b"\xff\xfe\x00",
            b'{"a": ' + b"9" * 5000,
        ):
            problem(admin.request(method, path, content=body, headers=JSON), *refused)

    def test_a_long_value_is_not_repeated_in_the_answer(self, admin, problem):
        for body in ({"title": "x" * 100_000}, {"x" * 100_000: 1}, {"title": "t", "template": "x" * 100_000}):
            answer = admin.post("/services", json=body)
            assert answer.status_code == 422
            assert len(answer.content) < 250_000


SQL = [
    "' OR '1'='1", "'; DROP TABLE things; --", "1; SELECT * FROM users", "x' UNION SELECT body FROM users --",
    "\\'; --", "%' OR 1=1 --", "\x00", "1)) OR 1=1 --", "${7*7}", "{{7*7}}",
]  # fmt: skip


class TestInjection:
    @pytest.mark.parametrize("text", SQL)
    def test_into_what_is_asked(self, house, admin, thing, text):
        lamp = thing({"title": "Lamp", "properties": {"p": {"type": "number"}}})
        before = len(house.get("/things"))
        for path, names in (
            ("/things", ("quantity", "place", "capability", "limit", "offset", "sort_by", "sort_order")),
            ("/actuations", ("service", "thing", "limit")), ("/users", ("limit",)), ("/tokens", ("user",)),
            ("/history/export", ("thing", "property", "quantity", "place", "from", "to")),
            (f"{lamp.path}/history", ("property", "from", "to")),
            (f"{lamp.path}/properties/p/history", ("from", "every", "aggregate", "cursor", "unit")),
            ("/search/jsonpath", ("query",)),
        ):  # fmt: skip
            for name in names:
                answer = admin.get(path, params={name: text})
                assert answer.status_code in (200, 400, 404, 422), (path, name, answer.text)
                if answer.status_code == 200 and name not in ("property",):
                    assert answer.text.strip() in ("[]", "", HEAD), (path, name, answer.text[:200])
        for path in ("/users", "/tokens", "/services", "/situations", "/actuations", "/things", "/templates"):
            answer = admin.get(f"{path}/{quote(text, safe='')}")
            assert answer.status_code in (404, 422), (path, answer.text)
        assert len(house.get("/things")) == before

    @pytest.mark.parametrize("text", SQL)
    def test_into_what_is_kept_it_stays_the_text_that_it_is(self, house, admin, text):
        thing = f"urn:x:{quote(text, safe='')}{next(_NUMBERS)}"
        path = f"/things/{quote(thing, safe='')}"
        text = text.replace("\x00", "")
        made = admin.put(path, json={**TD, "id": thing, "title": f"t{text}", "diat:place": f"p/{text}"})
        assert made.status_code == 201, made.text
        assert admin.get(path).json()["title"] == f"t{text}"
        assert [each["id"] for each in admin.get("/things", params={"place": f"p/{text}"}).json()] == [thing]
        admin.delete(path)

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "'=", "=cmd|' /C calc'!A0", "@SUM(1+1)*"])
    def test_into_a_spreadsheet(self, thing, rest, start):
        name = f"{start}p"
        meter = thing({"title": "M", "properties": {name: {"type": "string"}}})
        meter.has(**{name: f"{start}1+1"})
        rows = list(csv.reader(io.StringIO(rest.get(f"{meter.path}/history").text)))
        assert len(rows) == 2
        for cell in rows[1]:
            assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r"), rows
        assert rows[1][1].endswith(name)
        assert rows[1][6].endswith(f"{start}1+1")

    @pytest.mark.parametrize("start", ["=", "@", "-"])
    def test_into_a_spreadsheet_by_the_id_of_a_thing(self, house, start):
        from diat.adapters.lake.exporting import Line, csv_text
        from diat.adapters.sql.figures import Past

        past = Past(1, 1, 1, "good", 5)
        (_, text) = csv_text([Line(f"{start}1+1", "p", past)])
        assert text.startswith(f"'{start}1+1,")

    @pytest.mark.parametrize(
        "text", ["a\r\nX-Evil: 1", "a\nSet-Cookie: x=1", "\u2028", '"; filename="x.exe', "a\x00b"]
    )
    def test_into_the_head_of_an_answer(self, admin, text):
        thing = f"urn:x:{quote(text, safe='')}"
        path = f"/things/{quote(thing, safe='')}"
        admin.put(path, json={**TD, "id": thing})
        for answer in (
            admin.get(f"{path}/history"), admin.get("/things", params={"place": text, "limit": 1}),
            admin.get(f"/things/{quote(text, safe='')}"), admin.post("/things", json={**TD, "title": text}),
            admin.get("/places", headers={"Last-Event-ID": text.encode("ascii", "replace").replace(b"\r", b"")
                                          .replace(b"\n", b"").replace(b"\x00", b"")}),
        ):  # fmt: skip
            assert answer.status_code < 500
            assert "x-evil" not in answer.headers
            assert "set-cookie" not in answer.headers
            assert ".exe" not in answer.headers.get("content-disposition", "")
        admin.delete(path)


HEAD = "thing,property,observed,received,quality,kind,value"


@pytest.mark.parametrize(
    "way",
    ["/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/swagger/..%2f..%2f..%2fetc%2fpasswd", "//etc/passwd",
     "/swagger/%2e%2e/%2e%2e/pyproject.toml", "/models/..%2f..%2fdiat.db", "/templates/..%2fkeep-within.yaml",
     "/templates/%2e%2e%5c%2e%2e%5cx", "/things/..%2f..%2fowner-token", "/docs/../openapi.json%00.html",
     "/models/%00", "/file:///etc/passwd", "/vocab/..%2fcontext.jsonld"],
)  # fmt: skip
def test_no_path_leads_to_a_file(admin, way):
    answer = admin.get(way)
    assert answer.status_code in (404, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "root:" not in answer.text
    put = admin.put(way, json={"a": 1})
    assert put.status_code in (400, 404, 405, 422), put.text


ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ self.__init__.__globals__ }}",
    "{{ lipsum.__globals__['os'].system('id') }}",
    "{{ request.application.__globals__ }}",
    "{{ config.items() }}",
    "{{ ''|attr('__class__')|attr('__mro__') }}",
    "{{ value_json['__class__']['__init__'] }}",
    "{{ ''.format.__func__ }}",
    "{{ '%s'.__mod__(value) }}",
    "{{ (value|list).__class__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{% import 'os' as os %}{{ os.system('id') }}",
    "{% include '/etc/passwd' %}",
    "{% extends '/etc/passwd' %}",
    "{% macro x() %}{{ caller.__globals__ }}{% endmacro %}{{ x() }}",
    "{% for c in [].__class__.__base__.__subclasses__() %}{{ c }}{% endfor %}",
    "{% set x = ''.__class__ %}{{ x }}",
    "{{ states('sensor.x') }}{{ now() }}",
    "{{ range(10**9)|list }}",
    "{% for a in range(10**6) %}{% for b in range(10**6) %}x{% endfor %}{% endfor %}",
    "{{ 'x' * 10**9 }}",
    "{{ 9**9**9 }}",
    "{{ value|regex_replace('(a+)+$', 'x') }}",
]


def test_templates_of_announcements_reach_nothing(house, thing, until):
    speaker = thing(None)
    for at, template in enumerate(ESCAPES):
        topic = f"bad/{speaker.name}/{at}"
        config = {"name": "X", "stat_t": topic, "uniq_id": f"{speaker.name}-{at}", "val_tpl": template,
                  "dev": {"ids": [f"{speaker.name}-{at}"], "name": "Bad"}}  # fmt: skip
        speaker.say(f"homeassistant/sensor/{speaker.name}-{at}/x/config", config)
        speaker.say(topic, b'{"a": "' + b"a" * 5000 + b'!"}')
    good = thing({"title": "Good", "properties": {"p": {"type": "number"}}})
    good.has(p=1)
    for at, template in enumerate(ESCAPES):
        path = f"/things/{quote(f'urn:diat:homeassistant:{speaker.name}-{at}', safe='')}"
        answer = house.rest.get(f"{path}/properties")
        if answer.status_code == 200:
            said = answer.text
            for word in ("class", "uid=", "root:", "subprocess", "builtins", "object at", "xxxx"):
                assert word not in said, (template, said[:300])
        house.rest.delete(path)


FORMULAS = [
    "''.__class__", "value.__class__.__mro__", "__import__('os').system('id')", "eval('1')",
    "open('/etc/passwd')",
    "globals()", "[1,2].map(x, x * x)", "[1].filter(x, true)", "value.matches('(a+)+$')",
    "[1,2].exists(x, [1,2].exists(y, [1,2].exists(z, true)))", "(" * 500 + "1" + ")" * 500,
    "1 + " * 400 + "1",
    "'a' * 1000000", "size(", "value.value.value.value()", "a.b.c.d.e", "\n\n\n",
    "type(value) == os",
    "9" * 600, "has(value.x) && x", "{'a': " * 30 + "1" + "}" * 30, "lambda: 1", "duration('99999999999h')",
]  # fmt: skip


@pytest.mark.parametrize("expr", FORMULAS)
def test_formulas_reach_nothing(admin, problem, expr):
    template = {
        "name": f"bad-{next(_NUMBERS)}", "title": "Bad", "parameters": {"type": "object", "properties": {}},
        "roles": {"s": {"capability": "read", "quantity": "Temperature", "unit": "Cel"}},
        "steps": [{"id": "s", "do": "latest", "role": "s"},
                  {"id": "a", "do": "map", "input": "s", "expr": expr}],
        "derives": {"x": {"from": "a", "title": "X", "type": "number"}},
    }  # fmt: skip
    began = time.monotonic()
    answer = admin.post("/templates", json=template)
    if answer.status_code == 201:  # CEL can read it: then it comes to nothing
        value, why = Formula(expr, {"value"}).run({"value": "x" * 1000})
        assert value is None
        assert why
        admin.delete(f"/templates/{template['name']}")
    else:
        said = problem(answer, 422, "invalid")
        assert said["field"].startswith("steps.1"), said
    assert time.monotonic() - began < 2


def test_a_web_hook_does_not_reach_what_only_we_reach(running, tmp_path, until):
    settings = Settings(data=tmp_path / "data", mqtt=Listen("127.0.0.1", free_port()))
    with running(settings) as house:
        port = house.rest.base_url.port
        names = (f"127.0.0.1:{port}", f"localhost:{port}", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]",
                 "2130706433", "0x7f.1", "10.1")  # fmt: skip
        for at, name in enumerate(names):
            template = {
                "name": f"hook-{at}", "title": "Hook", "parameters": {"type": "object", "properties": {}},
                "roles": {},
                "settings": {"rings": {"type": "boolean", "default": False, "title": "Rings"}},
                "steps": [{"id": "rings", "do": "setting", "property": "rings"},
                          {"id": "call", "do": "webhook", "input": "rings", "url": f"http://{name}/users"}],
            }  # fmt: skip
            house.post("/templates", template)
            service = house.service(f"hook-{at}")
            house.rest.put(f"/things/{service['thing']}/properties/rings", json=True)

        def refused():
            return [line for line in house.get("/diagnostics") if "--webhooks-allow" in line["text"]]

        until(lambda: len(refused()) == len(names), "each of them is refused and said")
        assert house.get("/users") == []


def test_no_secret_is_in_any_answer_log_or_file(house, someone, caplog, tmp_path):
    caplog.set_level(logging.DEBUG, "diat")
    caplog.set_level(logging.DEBUG, "uvicorn")
    admin = someone("admin")
    password = "a very special password"
    house.post("/users", {"name": "grace", "grants": [{"role": "viewer"}]})
    invitation = house.post("/users/grace/invitation")["invitation"]
    login = admin.post("/sessions", json={"invitation": invitation, "password": password})
    session = login.cookies["diat_session"]
    token = admin.post("/tokens", json={"title": "x"}).json()["token"]
    admin.cookies.clear()
    secrets = [password, *(each.split("_", 2)[2] for each in (invitation, session, token))]
    secrets += [house.daemon.people.get("grace").password.rpartition("$")[2]]
    said = []
    for path in (
        "/users",
        "/users/grace",
        "/tokens",
        "/sessions/current",
        "/diagnostics",
        "/metrics",
        "/places",
    ):
        said.append(admin.get(path).text)
    for body in ({"invitation": invitation, "password": password}, {"user": "nobody", "password": password},
                 {"user": "grace", "password": [password]},
                 {"user": "grace", "password": password, "x": token}):  # fmt: skip
        answer = admin.post("/sessions", json=body)
        assert answer.status_code in (401, 422)
        said.append(answer.text)
    for way in (f"/things?token={token}", f"/things?x={token}", f"/sessions?password={quote(password)}"):
        said.append(admin.get(way).text)
    said.append(admin.get("/things", headers={"Authorization": f"Basic {token}"}).text)
    said.append(admin.get("/things", headers={"Authorization": f"Bearer {token}x"}).text)
    said += [repr(house.daemon.people.everybody()), repr(house.daemon.people.tokens()), caplog.text]
    for secret in secrets:
        assert not [text for text in said if secret in text], secret
    kept = [each for each in house.daemon.settings.data.rglob("*") if each.is_file()]
    for secret in secrets[:-1]:
        assert not [each for each in kept if secret.encode() in each.read_bytes()]
    house.rest.delete("/users/grace")


def test_the_title_of_a_thing_is_no_page(house, thing):
    title = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    made = thing({"title": title, "diat:place": title, "properties": {title: {"type": "string"}}})
    made.has(**{title: title})
    headers = {"Accept": "text/html,application/xhtml+xml,*/*"}
    paths = [made.path, f"{made.path}/properties", f"{made.path}/history", f"/things/{quote(title, safe='')}"]
    paths += ["/things", "/places", "/diagnostics", "/docs", "/vocab", "/openapi.json", "/login", "/x"]
    for path in paths:
        answer = house.rest.get(path, headers=headers)
        assert answer.headers["x-content-type-options"] == "nosniff"
        if answer.headers["content-type"].startswith("text/html"):
            assert "alert(1)" not in answer.text
