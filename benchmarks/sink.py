"""A broker that only acknowledges: how fast the load would be if nothing held it up.

``python -m benchmarks.sink BYTES`` listens on a free port, prints it, and answers as many acknowledgements as
there are packets of that length in what it reads.
"""

from __future__ import annotations

import selectors
import socket
import sys
from pathlib import Path

from benchmarks import mqtt, things
from benchmarks.load import Load, meter_readings
from benchmarks.processes import Child
from diat.adapters.brokers.address import BrokerAddress
from diat.wire import topics

_CONNACK = b"\x20\x02\x00\x00"


def load_alone(directory: Path, count: int, each: int) -> float:
    """Messages a second of the load against a sink."""
    size = len(mqtt.publish(topics.properties(things.meter_name(0)), b" " * things.PAYLOAD, 1))
    with Child(["benchmarks.sink", str(size)], directory / "sink.log") as child:
        load = Load(BrokerAddress("127.0.0.1", int(child.line(10))), meter_readings(count, each))
        try:
            return count * each / load.run().seconds
        finally:
            load.close()


def main(size: int) -> None:
    """Acknowledge until ended."""
    with socket.create_server(("127.0.0.1", 0)) as listening, selectors.DefaultSelector() as selector:
        print(listening.getsockname()[1], flush=True)
        selector.register(listening, selectors.EVENT_READ, [])
        while True:
            for key, _ in selector.select():
                if key.fileobj is listening:
                    connection, _ = listening.accept()
                    connection.recv(4096)
                    connection.sendall(_CONNACK)
                    selector.register(connection, selectors.EVENT_READ, [0])
                    continue
                assert isinstance(key.fileobj, socket.socket)
                came = key.fileobj.recv(262_144)
                if not came:
                    selector.unregister(key.fileobj)
                    continue
                packets, key.data[0] = divmod(key.data[0] + len(came), size)
                key.fileobj.sendall(mqtt.puback(b"\x00\x01") * packets)


if __name__ == "__main__":
    main(int(sys.argv[1]))
