"""The bare echo: the least that can stand between a sensor and an actuator.

``python -m benchmarks.echo BROKER DATA PORT`` starts a broker, prints ``ready``, and sends whatever a
thermometer of the benchmark reports, unread, to the heater of its room: QoS 1 in and out, one system call for
the acknowledgement and the command together. It stores nothing and decides nothing.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from benchmarks import mqtt, things
from benchmarks.brokers import own_broker
from diat.wire import topics


def echo(link: mqtt.Connection) -> None:
    """Echo until the connection ends."""
    targets: dict[str, str] = {}
    packet_id = 0
    link.subscribe(topics.properties("+"))
    print("ready", flush=True)
    while True:
        out = bytearray()
        for packet in link.receive():
            if packet.kind != mqtt.PUBLISH:
                continue
            topic, payload, received = mqtt.publication(packet.body)
            target = targets.get(topic)
            if target is None:
                target = targets[topic] = things.heater_topic(topic)
            packet_id = packet_id % 65535 + 1
            out += mqtt.puback(received) + mqtt.publish(target, payload, packet_id)
        if out:
            link.socket.sendall(out)


def main(kind: str, data: str, port: str) -> None:
    """Broker and echo, as the platform is."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    broker = own_broker(kind, Path(data), int(port))
    broker.start()
    try:
        with mqtt.Connection(broker.address, "bench-echo") as link:
            link.socket.settimeout(None)  # nothing may come for as long as nobody measures
            echo(link)
    finally:
        broker.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
