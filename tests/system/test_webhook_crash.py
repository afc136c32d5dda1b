"""A call to a web hook survives SIGKILL: once decided and stored, the next life makes it, under its key."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.system.conftest import eventually

TEMPLATE = """
name: bell
title: Calls
parameters: {type: object, properties: {url: {type: string}}, required: [url]}
roles: {}
settings: {rings: {type: boolean, default: false}}
steps:
  - {id: rings, do: setting, property: rings}
  - {id: call, do: webhook, input: rings, url: "{{url}}"}
"""


class Hook:
    """An HTTP server that is bound, so that the port is its own, and takes calls once it is opened."""

    def __init__(self):
        self.keys = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.keys.append((self.headers["Idempotency-Key"], body["value"]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._http = HTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
        self._http.server_bind()
        self.url = f"http://127.0.0.1:{self._http.server_port}/"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))

    def open(self):
        self._http.server_activate()
        self._thread.start()

    def close(self):
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()


@pytest.fixture
def hook():
    made = Hook()
    yield made
    made.close()


def test_what_was_decided_before_a_kill_is_sent_after_it(make_platform, hook, monkeypatch):
    monkeypatch.setenv("DIAT_WEBHOOKS_ALLOW", "127.0.0.0/8")
    platform = make_platform()
    platform.start()
    rest = platform.rest
    assert rest.post("/templates", content=TEMPLATE).status_code == 201
    body = {"title": "Bell", "template": "bell", "parameters": {"url": hook.url}}
    made = rest.post("/services", json=body).json()
    rung = rest.put(f"/things/{made['thing']}/properties/rings", json=True)
    assert rung.status_code in (202, 204), rung.text
    platform.kill()
    assert hook.keys == []
    hook.open()
    platform.start()
    eventually(lambda: hook.keys, 30, lambda: f"never called:\n{platform.output[-2000:]}")
    platform.kill()
    platform.start()
    assert {value for _, value in hook.keys} == {True}
    assert len({key for key, _ in hook.keys}) == 1
