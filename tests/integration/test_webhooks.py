"""Web hooks: a real HTTP server is called by a real daemon, once the batch that wants it is stored."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network

import pytest

from diat.adapters import webhooks as adapter
from diat.adapters.brokers.listening import free_port
from diat.adapters.sql.database import open_database
from diat.adapters.sql.store import SqlStore
from diat.adapters.webhooks import Caller
from diat.daemon import Daemon
from diat.security.operations import PLATFORM
from diat.security.principal import Grant, Principal
from diat.service.templates import read_template
from diat.settings import Listen, Settings

LOOPBACK = "127.0.0.1"
TEMPLATE = """
name: caller
title: Calls
parameters:
  type: object
  properties: {{url: {{type: string}}, delivery: {{type: string, default: exactly-once}}}}
  required: [url]
roles: {{}}
delivery: "{{{{delivery}}}}"
settings: {{rings: {{type: {kind}, default: {default}}}}}
steps:
  - {{id: rings, do: setting, property: rings}}
  - {{id: call, do: webhook, input: rings, url: "{{{{url}}}}", body: {{to: me}}}}
"""


class Server:
    """An HTTP server; ``answers`` are the statuses that it gives, the last one from then on."""

    def __init__(self, port=0):
        self.calls, self.answers, self.where = [], [200], "http://127.0.0.1/"
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.calls.append((self.path, self.headers["Idempotency-Key"], self.headers["Host"], body))
                answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
                self.send_response(answer)
                if 300 <= answer < 400:
                    self.send_header("Location", server.where)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._http = ThreadingHTTPServer((LOOPBACK, port), Handler)
        self.port = self._http.server_port
        self.url = f"http://localhost:{self.port}/hook?secret=1"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))
        self._thread.start()

    def end(self):
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@pytest.fixture
def server():
    made = Server()
    yield made
    made.end()


@pytest.fixture
def quick(monkeypatch):
    """The same back-off, a hundred times faster."""
    monkeypatch.setattr(adapter, "FIRST_REST", 20)


@pytest.fixture
def start(tmp_path):
    running = []

    def make(*, allow=("127.0.0.0/8", "::1")):
        settings = Settings(
            data=tmp_path,
            mqtt=Listen(LOOPBACK, free_port()),
            webhooks_allow=tuple(ip_network(each) for each in allow),
        )
        daemon = Daemon(settings)
        daemon.__enter__()
        running.append(daemon)
        return daemon

    def stop(daemon):
        running.remove(daemon)
        daemon.__exit__(None, None, None)

    make.stop = stop
    yield make
    for each in list(running):
        stop(each)


def until(ask, within=10.0):
    end = time.monotonic() + within
    while not (found := ask()):
        assert time.monotonic() < end, "in vain"
        time.sleep(0.01)
    return found


def service(daemon, url, kind="boolean", default="false", **more):
    def make():
        if all(each.name != "caller" for each in daemon.services.templates.everything()):
            daemon.services.templates.add(read_template(TEMPLATE.format(kind=kind, default=default)))
        return daemon.services.create("Bell", "caller", {"url": url} | more)

    return daemon.submit(make).result().id


def ring(daemon, service, value=True):
    thing = f"urn:diat:composite:{service}"
    daemon.submit(lambda: daemon.things.interaction.write(thing, "rings", value, daemon.clock())).result()


def said(daemon):
    return [line.text for lines in daemon.things.diagnostics.everywhere().values() for line in lines]


def waiting(daemon):
    engine = open_database(daemon.settings.data / "diat.db")
    try:
        return SqlStore(engine).webhooks()
    finally:
        engine.dispose()


def test_it_is_called_each_time_the_input_becomes_true(start, server):
    daemon = start()
    bell = service(daemon, server.url)
    for value in (True, True, False, True):
        ring(daemon, bell, value)
    until(lambda: len(server.calls) == 2)
    path, key, host, body = server.calls[0]
    assert (path, host) == ("/hook?secret=1", f"localhost:{server.port}")
    assert {
        "to": "me",
        "service": bell,
        "title": "Bell",
        "step": "call",
        "value": True,
    }.items() <= body.items()
    assert key != server.calls[1][1]
    until(lambda: waiting(daemon) == [])


def test_and_each_time_it_changes_if_it_is_no_truth_value(start, server):
    daemon = start()
    bell = service(daemon, server.url, "string", "calm")
    for value in ("loud", "loud", "calm"):
        ring(daemon, bell, value)
    until(lambda: [each[3]["value"] for each in server.calls] == ["calm", "loud", "calm"])


def test_it_is_tried_again_under_the_same_key(start, server, quick):
    server.answers = [500, 429, 503, 204]
    daemon = start()
    ring(daemon, service(daemon, server.url))
    until(lambda: waiting(daemon) == [])
    assert len(server.calls) == 4
    assert len({each[1] for each in server.calls}) == 1
    assert any("is tried again: it answered 500" in line for line in said(daemon))
    assert not any("secret" in line for line in said(daemon))


@pytest.mark.parametrize("status", [400, 404, 302])
def test_what_does_not_help_is_not_repeated(start, server, quick, status):
    server.answers, server.where = [status], server.url
    daemon = start()
    ring(daemon, service(daemon, server.url))
    until(lambda: any(f"was given up: it answered {status}" in line for line in said(daemon)))
    assert len(server.calls) == 1
    assert waiting(daemon) == []


def test_at_most_once_is_once(start, server, quick):
    server.answers = [500]
    daemon = start()
    ring(daemon, service(daemon, server.url, delivery="at-most-once"))
    until(lambda: any("was given up" in line for line in said(daemon)))
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "[fe80::1]",
        "[fd00::1]",
        "[2002:7f00:1::]",
        "[64:ff9b::7f00:1]",
        "224.0.0.1",
        "100.64.0.1",
        "2130706433",
        "0x7f.1",
    ],
)
def test_what_is_private_is_out_of_reach(host):
    """``localhost`` by any other name: none is called unless the operator allows its network."""
    caller = Caller.__new__(Caller)
    caller._allowed = ()
    with pytest.raises(adapter._Kept, match="private address"):
        caller._addresses(adapter.httpx.URL(f"http://{host}/"))


def test_a_private_address_is_given_up_at_once_and_said(start, server):
    daemon = start(allow=())
    ring(daemon, service(daemon, server.url))
    until(lambda: any("--webhooks-allow" in line for line in said(daemon)))
    assert server.calls == []
    assert waiting(daemon) == []


def test_what_was_not_sent_is_sent_after_a_restart(start, quick):
    port = free_port()
    daemon = start()
    bell = service(daemon, f"http://{LOOPBACK}:{port}/")
    ring(daemon, bell)
    (call,) = until(lambda: waiting(daemon))
    start.stop(daemon)
    server = Server(port)
    try:
        daemon = start()
        until(lambda: server.calls)
        assert server.calls[0][1] == call.id
        until(lambda: waiting(daemon) == [])
        assert len(server.calls) == 1
    finally:
        server.end()


def test_of_too_many_the_oldest_is_dropped_and_said(start, quick):
    daemon = start()
    bell = service(daemon, f"http://{LOOPBACK}:{free_port()}/", "integer", "0")
    thing = f"urn:diat:composite:{bell}"

    def many():
        for value in range(1, 120):
            daemon.things.interaction.write(thing, "rings", value, daemon.clock())

    daemon.submit(many).result()
    calls = waiting(daemon)
    assert len(calls) == 100
    assert max(each.body["value"] for each in calls) == 119
    (line,) = [
        each for each in daemon.things.diagnostics.of(thing) if "was dropped: too many wait" in each.text
    ]
    assert line.count == 20


def test_who_a_policy_wants_told_is_told_of_each_use(server, start):
    daemon = start()
    document = {
        "effect": "permit",
        "operations": ["manage"],
        "obligations": [{"notify": server.url}, {"log": True}],
    }
    daemon.submit(lambda: daemon.policies.put("told", document)).result()
    anna = Principal(kind="user", name="anna", grants=(Grant(role="admin"),), purpose="looking")
    for _ in range(3):
        decided = daemon.decider.use(anna, "manage", PLATFORM, daemon.clock())
        daemon.obligations.see_to(decided, anna, "manage", PLATFORM)
    until(lambda: len(server.calls) == 3)
    assert len({key for _, key, _, _ in server.calls}) == 3
    for *_, body in server.calls:
        assert (body["policy"], body["who"], body["purpose"]) == ("told", "user:anna", "looking")
    until(lambda: daemon.kept_audit.newest(1, None, "user:anna", "permitted", None))
