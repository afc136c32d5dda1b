"""The node comes to a platform that asks for credentials with the join key alone."""

from diat.adapters.brokers.listening import free_port
from diat.adapters.joinkey import kept_key
from diat.daemon import Daemon
from diat.settings import Listen, Settings
from tests.firmware import nodes
from tests.firmware.conftest import until


def test_a_node_joins_and_reports_with_a_credential_of_its_own(boards, tmp_path):
    settings = Settings(
        data=tmp_path / "data", mqtt=Listen("127.0.0.1", free_port()), lan=True, plain=True, announce=False
    )
    with Daemon(settings) as daemon:
        until(lambda: daemon.trouble is None, within=30)
        board = boards()
        nodes.start(board, settings.mqtt.port, key=kept_key(settings.data))
        held = until(lambda: daemon.access.credentials.get("board"), within=30)
        assert held.kind == "thing"
        until(lambda: daemon.access.credentials.get("board").used, within=30)
        until(lambda: daemon.things.twin("urn:dev:board").values.get("temperature"), within=30)
