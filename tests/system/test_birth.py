"""The last will: a platform that is killed is said to be gone, and says that it is there when it is again."""

import queue

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from diat.vol.birth import STATUS

PATIENCE = 10.0


def test_who_is_killed_is_said_to_be_gone(mosquitto, make_platform):
    heard, subscribed = queue.Queue(), queue.Queue()
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _, __, message: heard.put(message.payload)
    client.on_subscribe = lambda *_: subscribed.put(True)
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    client.subscribe(STATUS, 1)
    subscribed.get(timeout=PATIENCE)
    try:
        platform = make_platform(broker=mosquitto.url)
        platform.start()
        assert heard.get(timeout=PATIENCE) == b"online"
        platform.kill()
        assert heard.get(timeout=PATIENCE) == b"offline"
        platform.start()
        assert heard.get(timeout=PATIENCE) == b"online"
        platform.terminate()
        assert heard.get(timeout=PATIENCE) == b"offline"
    finally:
        client.disconnect()
        client.loop_stop()
