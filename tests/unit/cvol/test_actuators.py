"""Services ask by meaning: what actuators of every dialect do fills the roles that ask for it."""

from __future__ import annotations

import json

import pytest

from diat.cvol.matching import candidates
from diat.cvol.wanted import Wanted
from diat.kernel.ids import random_id
from diat.kernel.overlay import Ledger
from diat.vol.dialects.homeassistant import HomeAssistant
from diat.vol.dialects.homie import Homie
from diat.vol.dialects.native import Native
from diat.vol.dialects.tasmota import Tasmota
from diat.vol.dialects.zigbee2mqtt import Zigbee2Mqtt
from diat.vol.layer import Kept, VirtualObjectLayer
from diat.wire.envelope import Message

NOW = 1_800_000_000_000


class House:
    """The Virtual Object Layer with every dialect, and one announced device."""

    def __init__(self, messages):
        ledger = Ledger()
        dialects = (Native(), HomeAssistant(), Zigbee2Mqtt(), Tasmota(), Homie())
        self.things = VirtualObjectLayer(ledger, dialects, Kept(), lambda: NOW, random_id)
        for topic, payload in messages.items():
            body = payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()
            self.things.ingest.message(Message(topic, body, NOW))
        self.things.ingest.finish(NOW)
        ledger.commit()

    def looked_at(self, quantity, capability="switch", kind="boolean"):
        """All that was looked at for a role, the fitting first."""
        wanted = Wanted(
            name="driven",
            capability=capability,
            quantities=(quantity,),
            type=kind,
            place="",
            unit=None,
            freshness=3600.0,
            least=1,
            most=None,
            composites=True,
        )
        return candidates(wanted, self.things.registry, self.things.twin, NOW)

    def found(self, quantity, **more):
        """What fills a role: ``affordance kind how``, with the opposite of a pair."""
        return [
            " ".join(filter(None, (each.affordance, each.opposite, each.kind, each.how)))
            for each in self.looked_at(quantity, **more)
            if each.refusal is None
        ]

    def group(self, name):
        """What is claimed by whoever drives an affordance of the only thing."""
        (thing,) = self.things.registry.objects.committed.values()
        return thing.actuator(name)


def native(**affects):
    prop = {"type": "boolean", "idempotent": True, "diat:affects": affects}
    return {"wot/td/it": {"title": "It", "properties": {"on": prop}}}


def announced(component, **config):
    said = {"unique_id": "u1", "device": {"identifiers": ["d1"], "name": "Thing"}, **config}
    return {f"homeassistant/{component}/d1/main/config": said}


SWITCHED = {"command_topic": "c", "state_topic": "s"}


def feature(kind, name, access=7, **more):
    return {"type": kind, "name": name, "property": name, "access": access, **more}


def state(on="ON", off="OFF", **more):
    return feature("binary", "state", value_on=on, value_off=off, **more)


def zigbee(*exposes, about="A thing"):
    definition = {"model": "M", "vendor": "V", "description": about, "exposes": list(exposes)}
    entry = {"ieee_address": "0x0017880104e4cccc", "friendly_name": "x", "definition": definition}
    return {"zigbee2mqtt/bridge/devices": [entry]}


def specific(kind, *features, about="A thing"):
    return zigbee({"type": kind, "features": list(features)}, about=about)


COVER = (
    feature("enum", "state", 3, values=["OPEN", "CLOSE", "STOP"]),
    feature("numeric", "position", value_min=0, value_max=100, unit="%"),
)
WARNING = feature(
    "composite",
    "warning",
    2,
    features=[
        feature("enum", "mode", 2, values=["stop", "burglar", "emergency"]),
        feature("numeric", "duration", 2),
    ],
)


def tasmota(**config):
    said = {"ft": "%prefix%/%topic%/", "t": "x", "mac": "3C71BF000001", "dn": "x", "ver": 1, **config}
    return {"tasmota/discovery/3C71BF000001/config": said}


def homie(properties, node="n", **about):
    said = {"homie": "5.0", "version": 1, "nodes": {node: {"properties": properties, **about}}}
    return {"homie/5/dev/$description": said, "homie/5/dev/$state": "ready"}


BOOLEAN = {"datatype": "boolean", "settable": True}
PERCENT = {"datatype": "integer", "format": "0:100", "unit": "%", "settable": True}

CASES = [
    # lights
    ("native light", native(quantity="Illuminance", direction="increase"),
     "Illuminance", "on property plain"),
    ("HA light", announced("light", **SWITCHED), "Illuminance", "main property plain"),
    ("Z2M light", specific("light", state(), feature("numeric", "brightness")),
     "Illuminance", "state property plain"),
    ("Tasmota light", tasmota(rl=[2], lt_st=1), "Illuminance", "power property plain"),
    ("Tasmota relay as a light", tasmota(rl=[1], so={"30": 1}), "Illuminance", "power property plain"),
    ("Homie light", homie({"power": BOOLEAN, "brightness": PERCENT}, type="light"),
     "Illuminance", "n_power property plain"),
    ("Homie dimmer", homie({"dimmer": PERCENT}, type="dimmer"), "Illuminance", "n_dimmer property percent"),
    # plugs
    ("HA outlet", announced("switch", **SWITCHED, device_class="outlet"), "Power", "main property plain"),
    ("HA device that is a switch", announced("switch", **SWITCHED, name=None),
     "Power", "main property plain"),
    ("HA relay", announced("switch", **SWITCHED, name="Relay 2"), "Power", "main property plain"),
    ("Z2M plug", specific("switch", state()), "Power", "state property plain"),
    ("Tasmota relay", tasmota(rl=[1]), "Power", "power property plain"),
    ("Homie relay", homie({"power": BOOLEAN}, node="relay"), "Power", "relay_power property plain"),
    # covers
    ("HA cover", announced("cover", **SWITCHED, device_class="garage"),
     "GarageDoor", "open close pair plain"),
    ("HA cover with a position", announced("cover", **SWITCHED, device_class="blind",
     position_topic="p", set_position_topic="sp"), "Shade", "position property percent"),
    ("Z2M blind", specific("cover", *COVER, about="Roller blind"), "Shade", "position property percent"),
    ("Z2M curtain without a position", specific("cover", COVER[0], about="Curtain switch"),
     "Shade", "open close pair plain"),
    ("Z2M window", specific("cover", *COVER, about="Window opener"), "Window", "position property percent"),
    ("Z2M shade of a window", specific("cover", *COVER, about="Gear window shade motor"),
     "Shade", "position property percent"),
    ("Z2M cover", specific("cover", *COVER, about="Cover motor"), "Opening", "position property percent"),
    ("Tasmota shutter", tasmota(rl=[3, 3]), "Shade", "shutter_position property percent"),
    ("Homie blinds", homie({"position": PERCENT}, type="blinds"), "Shade", "n_position property percent"),
    # locks: true is unlocked
    ("HA lock", announced("lock", **SWITCHED), "Lock", "unlock lock pair plain"),
    ("Z2M lock", specific("lock", state("LOCK", "UNLOCK")), "Lock", "unlocked property plain"),
    ("Homie lock", homie({"locked": BOOLEAN}, type="lock"), "Lock", "n_locked property inverted"),
    ("Homie lock by labels", homie({"lock": BOOLEAN | {"format": "locked,unlocked"}}, type="lock"),
     "Lock", "n_lock property plain"),
    # valves: true is that it flows
    ("HA water valve", announced("valve", **SWITCHED, device_class="water"),
     "WaterSupply", "open close pair plain"),
    ("HA gas valve", announced("valve", command_topic="c", state_topic="s", device_class="gas",
     reports_position=True), "GasSupply", "position property percent"),
    ("HA valve", announced("valve", **SWITCHED), "Valve", "open close pair plain"),
    ("Z2M water valve", specific("switch", state(), about="Zigbee smart water valve"),
     "WaterSupply", "state property plain"),
    ("Z2M watering timer", specific("switch", state(), about="Parkside smart watering timer"),
     "WaterSupply", "state property plain"),
    ("Z2M gas valve", specific("switch", state(), about="SiHAS gas valve"),
     "GasSupply", "state property plain"),
    ("Z2M valve of either", specific("switch", state(), about="Smart water/gas valve"),
     "Valve", "state property plain"),
    ("Homie valve", homie({"open": BOOLEAN}, type="water-valve"), "WaterSupply", "n_open property plain"),
    # sirens
    ("HA siren", announced("siren", **SWITCHED), "SoundPressureLevel", "main property plain"),
    ("Z2M siren", zigbee(feature("binary", "alarm", value_on="ON", value_off="OFF"), about="Smart siren"),
     "SoundPressureLevel", "alarm property plain"),
    ("Z2M siren that is only set", zigbee(feature("binary", "alarm", 2, value_on="START", value_off="OFF",
     description="Manual start of siren")), "SoundPressureLevel", "alarm property plain"),
    ("Z2M siren of warnings", zigbee(WARNING),
     "SoundPressureLevel", "warning_start warning_stop pair plain"),
    ("Homie siren", homie({"on": BOOLEAN}, type="siren"), "SoundPressureLevel", "n_on property plain"),
    # fans
    ("HA fan", announced("fan", **SWITCHED, percentage_command_topic="p"),
     "Ventilation", "main property plain"),
    ("Z2M fan", specific("fan", state() | {"property": "fan_state"}),
     "Ventilation", "fan_state property plain"),
    ("Tasmota fan", tasmota(rl=[2], **{"if": 1}), "Ventilation", "fan property plain"),
    ("Homie fan", homie({"speed": PERCENT}, type="fan"), "Ventilation", "n_speed property percent"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("messages", "quantity", "found"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_switches_a_quantity_is_found_once(messages, quantity, found):
    assert House(messages).found(quantity) == [found]


@pytest.mark.parametrize(
    ("messages", "quantity"),
    [
        (announced("switch", **SWITCHED, name="Night mode"), "Power"),
        (announced("switch", **SWITCHED, name=None, entity_category="config"), "Power"),
        (announced("switch", **SWITCHED, name="Relay type"), "Power"),
        (announced("switch", **SWITCHED, name=None, device_class="valve"), "Power"),
        (announced("cover", state_topic="s"), "Opening"),
        # settings that the bridge exposes as switches and locks
        (specific("switch", state() | {"property": "window_detection"}), "Power"),
        (specific("switch", state(), about="Radiator valve with thermostat"), "Power"),
        (specific("switch", state(), about="Radiator valve with thermostat"), "Valve"),
        (specific("lock", state("LOCK", "UNLOCK") | {"property": "child_lock"}), "Lock"),
        (specific("lock", state("LOCK", "UNLOCK", access=1)), "Lock"),
        (zigbee(feature("binary", "alarm", value_on=True, value_off=False, description="Enable the alarm"),
                about="Smart siren"), "SoundPressureLevel"),
        (zigbee(feature("binary", "alarm", value_on=True, value_off=False)), "SoundPressureLevel"),
        # the lamp of a siren
        (zigbee(feature("binary", "alarm", value_on="ON", value_off="OFF",
                        description="Turn the light of the alarm ON/OFF"), about="Smart siren"),
         "SoundPressureLevel"),
        (homie({"power": BOOLEAN}, node="engine"), "Power"),
        (homie({"reset": BOOLEAN}, type="light"), "Illuminance"),
        (homie({"power": BOOLEAN}, node="light", type="sensor"), "Illuminance"),
        (homie({"power": BOOLEAN | {"retained": False}}, type="light"), "Illuminance"),
        (homie({"brightness": PERCENT | {"unit": "lx"}}, type="light"), "Illuminance"),
        (homie({"lock": BOOLEAN}, type="lock"), "Lock"),
    ],
)  # fmt: skip
def test_what_may_mean_something_else_is_not(messages, quantity):
    assert House(messages).found(quantity) == []


def test_of_a_thing_that_can_be_driven_in_two_ways_one_counts():
    house = House(tasmota(rl=[2], lt_st=1))
    refused = {each.affordance: each.refusal for each in house.looked_at("Illuminance")}
    assert refused == {"power": None, "dimmer": "power does that"}
    covered = House(specific("cover", *COVER))
    assert [each.refusal for each in covered.looked_at("Opening")] == [None, "position does that"]


def test_one_direction_finds_actions_too():
    covered = House(specific("cover", *COVER))
    assert covered.found("Opening", capability="increase") == ["open action plain"]
    assert covered.found("Opening", capability="decrease") == ["close action plain"]
    lit = House(specific("light", state()))
    assert lit.found("Illuminance", capability="increase") == ["state property plain"]
    assert lit.found("Illuminance", capability="decrease") == []


def test_a_position_is_set_by_its_kind():
    house = House(specific("cover", *COVER, about="Roller blind"))
    assert house.found("Shade", capability="set", kind="number") == ["position property plain"]


def test_each_of_several_relays_is_an_actuator_of_its_own():
    house = House(tasmota(rl=[1, 1, 2, 3, 3]))
    assert house.found("Power") == ["power1 property plain", "power2 property plain"]
    assert house.found("Illuminance") == ["power3 property plain"]
    groups = {house.group(name) for name in ("power1", "power2", "power3")}
    assert groups == {"Power 1", "Power 2", "Illuminance 3"}
    position, opens = house.group("shutter_position"), house.group("shutter_open")
    assert position == opens == "Shade"


def test_actions_pair_with_those_of_their_own_channel():
    def shutter(endpoint):
        said = COVER[0] | {"property": f"state_{endpoint}", "endpoint": endpoint}
        return {"type": "cover", "endpoint": endpoint, "features": [said]}

    house = House(zigbee(shutter("left"), shutter("right"), about="Roller shutter"))
    assert house.found("Shade") == ["open_left close_left pair plain", "open_right close_right pair plain"]
    assert house.group("open_left") != house.group("open_right")


def test_what_only_a_name_says_comes_after_what_is_declared():
    named = homie({"power": BOOLEAN}, node="relay")
    house = House({**named, **tasmota(rl=[1])})
    first, second = house.looked_at("Power")
    assert (first.affordance, second.affordance) == ("power", "relay_power")
    assert "0.5 sure" in second.reason
