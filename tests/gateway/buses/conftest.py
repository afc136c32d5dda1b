"""A platform whose directory has local buses, and devices on them.

Fixtures:
    house: a platform with buses that run; one for each module.
    things: a directory whose descriptions those buses take as well.
    modbus: makes Modbus servers.
    http: makes HTTP servers.
    put: puts a description into the directory; the REST path of the thing.
"""

import itertools
import time

import pytest
from diat_gateway.buses import Buses
from diat_gateway.buses.platform import serve

from diat.adapters.brokers.listening import free_port
from diat.settings import Listen, Settings
from tests.api.conftest import path_of, running, somebody
from tests.gateway.buses.devices import HttpDevice, ModbusDevice

LOOPBACK = "127.0.0.1"
NUMBERS = itertools.count(1)


def until(ask, what="", within=10.0):
    """Ask until the answer is true, not so often that asking is most of the work, and return it."""
    deadline = time.monotonic() + within
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"never came about: {what or ask}"
        time.sleep(0.05)
    return answer


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    return tmp_path_factory.mktemp("things")


@pytest.fixture(scope="module")
def house(tmp_path_factory, things):
    buses = Buses()
    settings = Settings(data=tmp_path_factory.mktemp("data"), mqtt=Listen(LOOPBACK, free_port()))
    with running(settings, buses) as made:
        serve(buses, made.daemon, [things])
        yield made
        buses.stop()


def making(kind):
    made = []

    def make(*given, **more):
        made.append(kind(*given, **more))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def modbus():
    yield from making(ModbusDevice)


@pytest.fixture
def http():
    yield from making(HttpDevice)


def described(properties, **more):
    """A Thing Description with these properties; each brings its ``forms``."""
    return {
        "@context": ["https://www.w3.org/2022/wot/td/v1.1", {"modv": "https://www.w3.org/2019/wot/modbus#"}],
        "id": f"urn:test:bus-{next(NUMBERS)}",
        "title": "a device",
        "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
        "security": ["nosec_sc"],
        "properties": properties,
    } | more


@pytest.fixture
def put(house):
    """``put(properties, …)``: the REST path of the thing; it is retired after the test."""
    made = []

    def put(properties, **more):
        td = described(properties, **more)
        path = path_of(td["id"])
        answer = house.rest.put(path, json=td)
        assert answer.status_code == 201, answer.text
        made.append(path)
        return path

    yield put
    for path in made:
        house.rest.delete(path)


def register(device, address, kind="integer", *, station=1, every=100, entity="HoldingRegister", **said):
    """A property that lies in a register, addresses from 0."""
    form = {
        "href": f"modbus+tcp://127.0.0.1:{getattr(device, 'port', device)}/{station}",
        "modv:entity": entity,
        "modv:address": address,
        "modv:zeroBasedAddressing": True,
        "modv:pollingTime": every,
    }
    schema = {key: said.pop(key) for key in ("unit", "@type", "minimum", "maximum") if key in said}
    form |= {key if ":" in key else f"modv:{key}": value for key, value in said.items()}
    return {"type": kind, "forms": [form], **schema}


def member(device, pointer, kind="number", every=100, path="/state", **said):
    """A property that lies in the state of an HTTP server."""
    form = {"href": f"{getattr(device, 'url', device)}{path}", "diat:pointer": pointer}
    return {"type": kind, "forms": [form | {"diat:pollingTime": every} | said]}


@pytest.fixture
def fortress_with_buses(tmp_path_factory):
    """A platform that asks everybody for a credential, and what makes programs with a role."""
    buses = Buses()
    data = tmp_path_factory.mktemp("fortress")
    settings = Settings(data=data, mqtt=Listen(LOOPBACK, free_port()), lan=True, announce=False)
    with running(settings, buses) as made, somebody(made) as someone:
        serve(buses, made.daemon)
        yield made, someone
        buses.stop()
