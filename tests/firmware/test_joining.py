"""The node comes to a platform that asks for credentials with the join key alone."""

import json

from diat.adapters.brokers.listening import free_port
from diat.adapters.certificates import Authority
from diat.adapters.joinkey import kept_key
from diat.daemon import Daemon
from diat.nodes.native import NativeNode
from diat.settings import Listen, Settings
from diat.simulation.link import Address
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


def test_a_node_joins_over_tls_and_takes_a_renewed_credential(tmp_path):
    """On CPython, with real TLS; on chips the sockets are the same and the TLS is another."""
    settings = Settings(
        data=tmp_path / "data", mqtt=Listen("127.0.0.1", free_port()), lan=True, announce=False
    )
    td = {"title": "Node", "properties": {"level": {"type": "integer"}}}
    with Daemon(settings) as daemon:
        until(lambda: daemon.trouble is None, within=30)
        credentials = daemon.access.credentials
        authority = daemon.invitation()["authority"]
        config = {"key": kept_key(settings.data), "ca": authority, "cap": 0.2}
        address = Address("localhost", settings.mqtt.port)
        node = NativeNode(address, "node", td, memory=tmp_path / "node", config=config)
        stranger = NativeNode(address, "stranger", td, config={**config, "key": "WRONG"})
        deceived = NativeNode(address, "deceived", td, config={**config, "ca": other_authority(tmp_path)})
        for each in (node, stranger, deceived):
            each.start()
        try:
            assert node.wait_connected(30)
            node.report({"level": 7})
            until(lambda: daemon.things.twin("urn:dev:node").values.get("level"), within=30)
            assert credentials.get("node").used
            connects = node.life.connects
            # The old password is good until the new one is used: so it has come with that.
            password = daemon.submit(lambda: credentials.renew("node", daemon.clock())).result()
            daemon.submit(lambda: daemon.access.give("node", password)).result()
            until(lambda: node.life.connects > connects and node.life.online.is_set(), within=30)
            assert json.loads((tmp_path / "node" / "credential.json").read_text()) == ["node", password]
            until(lambda: stranger.life.state == "refused", within=30)
            until(lambda: "CERTIFICATE_VERIFY_FAILED" in repr(deceived.life.why), within=30)
            assert credentials.get("stranger") is None
        finally:
            for each in (node, stranger, deceived):
                each.stop()


def other_authority(folder):
    """The certificate of an authority that signed nothing here."""
    return Authority(folder / "other").server().authority.read_text("ascii")
