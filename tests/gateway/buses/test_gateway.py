"""``diat gateway`` as a process with a device on a bus: read, driven, and there again after a kill."""

import json
import subprocess
import sys

import pytest

from tests.api.conftest import path_of
from tests.gateway.buses.conftest import described, register
from tests.system.conftest import Platform
from tests.system.test_peers import eventually

WITHIN = 30.0


class Gateway(Platform):
    """A gateway of a platform, which is told every reading."""

    def __init__(self, directory, above):
        super().__init__(directory)
        self._joins = ["gateway", "--join", f"127.0.0.1:{above.mqtt}", "--name", "cellar", "--send", "all"]

    def command(self, **flags):
        up = super().command(**flags)
        return [*self._joins, *up[1:]]


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    each = Platform(tmp_path_factory.mktemp("platform"))
    each.start()
    yield each
    each.close()


@pytest.fixture
def gateway(tmp_path, platform):
    each = Gateway(tmp_path, platform)
    each.start()
    yield each
    each.close()


def test_a_device_is_read_and_driven_here_and_from_above_also_after_a_kill(gateway, platform, modbus):
    device = modbus({1: {"h": {0: 215, 1: 0}}})
    td = described(
        {
            "flow": register(device, 0, "number", type="xsd:short", **{"diat:scale": 0.1}),
            "target": register(device, 1, "number", type="xsd:short", **{"diat:scale": 0.1}),
        },
        id="urn:dev:boiler",
    )
    path = path_of(td["id"])

    def shows(at, **values):
        def ask():
            told = at.rest.get(f"{path}/properties")
            return told.status_code == 200 and values.items() <= told.json().items()

        eventually(ask, WITHIN, lambda: at.output[-3000:])

    assert gateway.rest.put(path, json=td).status_code == 201
    shows(gateway, flow=21.5)
    assert gateway.rest.put(f"{path}/properties/target", json=45.5).status_code in (202, 204)
    eventually(lambda: device.holding(1) == [455], WITHIN)
    shows(platform, flow=21.5, target=45.5)
    assert platform.rest.put(f"{path}/properties/target", json=44.5).status_code in (202, 204)
    eventually(lambda: device.holding(1) == [445], WITHIN)
    gateway.kill()
    device.put(0, 220)
    gateway.start()
    shows(gateway, flow=22.0, target=44.5)
    shows(platform, flow=22.0, target=44.5)
    gateway.terminate()


def test_the_buses_run_beside_any_platform(modbus, tmp_path, platform):
    device = modbus({1: {"h": {0: 7}}})
    td = described({"count": register(device, 0)}, id="urn:dev:beside")
    (tmp_path / "beside.json").write_text(json.dumps(td))
    command = [sys.executable, "-m", "diat_gateway.buses", str(tmp_path)]
    process = subprocess.Popen(
        [*command, "--broker", f"mqtt://127.0.0.1:{platform.mqtt}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        path = "/things/urn%3Adev%3Abeside"
        eventually(lambda: platform.rest.get(f"{path}/properties/count").status_code == 200, WITHIN)
        assert platform.rest.get(f"{path}/properties/count").json() == 7
        process.terminate()
        assert process.wait(WITHIN) == 0
        eventually(lambda: platform.get(path)["diat:status"] == "offline", WITHIN)
    finally:
        process.kill()
        process.wait()
