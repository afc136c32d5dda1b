"""Things that speak otherwise, and what services make, come up as native things all the same."""

from tests.unit.gateway.test_line import values

LAMP = {
    "@context": "https://www.w3.org/2022/wot/td/v1.1",
    "id": "urn:maker:lamp1",
    "title": "Lamp",
    "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
    "security": ["nosec_sc"],
    "properties": {
        "brightness": {
            "type": "integer",
            "forms": [
                {"href": "mqtt://127.0.0.1:1883", "mqv:topic": "lamp/set", "op": "writeproperty"},
                {"href": "mqtt://127.0.0.1:1883", "mqv:filter": "lamp/state", "op": "observeproperty"},
            ],
        }
    },
}
DEVICES = [
    {
        "ieee_address": "0x00158d0001a2b3c4",
        "friendly_name": "kitchen",
        "type": "EndDevice",
        "supported": True,
        "definition": {
            "model": "WSDCGQ11LM",
            "vendor": "Aqara",
            "exposes": [
                {
                    "type": "numeric",
                    "name": "temperature",
                    "property": "temperature",
                    "access": 1,
                    "unit": "°C",
                }
            ],
        },
    }
]


def test_a_foreign_thing_is_a_native_one_above_and_driven_in_its_own_way(core, gateway, line):
    gateway.take(("wot/td/lamp1", LAMP), ("lamp/state", b"40"))
    line.run()
    made = core.things.registry.get("urn:maker:lamp1")
    assert (made.record.dialect, made.wire) == ("native", "lamp1")
    assert core.things.twin(made.id).values["brightness"].value == 40
    given = core.change(lambda: core.things.interaction.write(made.id, "brightness", 70, core.time()))
    line.run()
    assert [(each.topic, each.payload) for each in gateway.sent if each.topic == "lamp/set"] == [
        ("lamp/set", b"70")
    ]
    gateway.take(("lamp/state", b"70"))
    line.run()
    assert given.id not in core.things.interaction.outbox.committed


def test_so_is_a_device_of_a_bridge(core, gateway, line):
    gateway.take(("zigbee2mqtt/bridge/devices", DEVICES))
    gateway.take(("zigbee2mqtt/kitchen", {"temperature": 21.5}))
    line.run()
    (made,) = [each for each in core.things.registry.everything() if each.record.name != "barn"]
    assert (made.record.dialect, made.td["properties"]["temperature"]["unit"]) == ("native", "Cel")
    assert values(core, made.id) == [21.5]
    gateway.restart()
    line.meet()
    line.run()
    assert values(core, made.id) == [21.5]
