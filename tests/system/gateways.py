"""A gateway as a process, and things beside it that say again what its broker did not take."""

import itertools
import json
import time

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.system.conftest import Platform


class Edge(Platform):
    """``diat gateway`` as a process, joined at a port of this machine; ``flags`` are its own."""

    def __init__(self, directory, port, **flags):
        super().__init__(directory)
        self._above = port
        self._flags = flags

    def command(self, **flags):
        given = {
            "join": f"127.0.0.1:{self._above}",
            "name": "barn",
            "send": "all",
            "figures": 1,
            **self._flags,
        }
        flags = {"http": self.http, "mqtt": self.mqtt, "data": self.data, **given, **flags}
        options = [part for flag, value in flags.items() for part in (f"--{flag}", str(value))]
        return ["gateway", *options]


class Thing:
    """A native thing with a session of its own; what it is told it does once, by its id, and answers.

    Attributes:
        done: what it was told, in order, each once.
    """

    def __init__(self, port, name, td):
        self.name = name
        self.done = []
        self._known = set()
        self._n = itertools.count(1)
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        self._client.max_inflight_messages_set(50)
        self._client.reconnect_delay_set(1, 1)
        self._client.will_set(f"diat/{name}/status", "offline", 1, True)
        self._client.on_message = self._told
        self._client.on_connect = self._came
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()
        self.publish(f"wot/td/{name}", td, retain=True)

    def publish(self, topic, body, *, retain=False):
        self._client.publish(topic, json.dumps(body), 1, retain)

    def report(self, **values):
        body = {"b": 1, "n": next(self._n), "t": round(time.time() * 1000), "v": values}
        self.publish(f"diat/{self.name}/properties", body)

    def event(self, event, data):
        body = {"b": 1, "n": next(self._n), "t": round(time.time() * 1000), "data": data}
        self.publish(f"diat/{self.name}/events/{event}", body)

    def end(self):
        self._client.disconnect()
        self._client.loop_stop()

    def _came(self, client, *_):
        client.subscribe(f"diat/{self.name}/set", 1)
        client.publish(f"diat/{self.name}/status", "online", 1, True)

    def _told(self, client, _, message):
        said = json.loads(message.payload)
        if said["id"] not in self._known:
            self._known.add(said["id"])
            self.done.append(said["v"])
        self.publish(f"diat/{self.name}/results", {"id": said["id"], "status": "completed"})
