"""An ESPHome node with an entity of each kind."""

from diat.simulation.esphome import Entity, EsphomeNode, between, one_of
from diat.simulation.esphome import lamp as lit
from tests.system.devices.device import Call, Device, Write


def _entities():
    light = {"state": "OFF", "brightness": 255, "color_mode": "rgb", "color": {"r": 1, "g": 2, "b": 3}}
    told = {"stat_t": "~/state"}
    both = {**told, "cmd_t": "~/command"}
    return [
        Entity(
            component="sensor",
            name="Warmth",
            config={**told, "dev_cla": "temperature", "unit_of_meas": "°C", "stat_cla": "measurement"},
            told={"state": "21.5"},
        ),
        Entity(
            component="binary_sensor", name="Door", config={**told, "dev_cla": "door"}, told={"state": "OFF"}
        ),
        Entity(component="sensor", name="Version", config=told, told={"state": "2026.8.0"}),
        Entity(
            component="switch",
            name="Pump",
            config=both,
            told={"state": "OFF"},
            takes={"command": one_of("ON", "OFF")},
        ),
        Entity(
            component="switch",
            name="Plug",
            config={**both, "dev_cla": "outlet"},
            told={"state": "OFF"},
            takes={"command": one_of("ON", "OFF")},
        ),
        Entity(
            component="light",
            name="Strip",
            config={
                **both,
                "schema": "json",
                "brightness": True,
                "supported_color_modes": ["rgb"],
                "effect": True,
                "effect_list": ["None", "Rainbow"],
            },
            told={"state": dict(light)},
            takes={"command": lit(light)},
        ),
        Entity(
            component="fan",
            name="Vent",
            config={
                **both,
                "osc_cmd_t": "~/oscillation/command",
                "osc_stat_t": "~/oscillation/state",
                "pct_cmd_t": "~/speed_level/command",
                "pct_stat_t": "~/speed_level/state",
                "spd_rng_max": 100,
            },
            told={"state": "OFF", "oscillation/state": "oscillate_off", "speed_level/state": "10"},
            takes={
                "command": one_of("ON", "OFF"),
                "oscillation/command": one_of("oscillate_on", "oscillate_off", last="oscillation/state"),
                "speed_level/command": between(0, 100, "speed_level/state"),
            },
        ),
        Entity(
            component="cover",
            name="Gate",
            config={
                **both,
                "dev_cla": "gate",
                "pos_t": "~/position/state",
                "set_pos_t": "~/position/command",
            },
            told={"state": "closed", "position/state": "0"},
            takes={
                "command": one_of(
                    "OPEN", "CLOSE", "STOP", told=lambda word: {"OPEN": "open"}.get(word, "closed")
                ),
                "position/command": between(0, 100, "position/state"),
            },
        ),
        Entity(
            component="number",
            name="Delay",
            config={**both, "min": 0, "max": 60, "step": 5, "unit_of_meas": "s", "mode": "box"},
            told={"state": "5"},
            takes={"command": between(0, 60)},
        ),
        Entity(
            component="select",
            name="Mode",
            config={**both, "options": ["eco", "boost"]},
            told={"state": "eco"},
            takes={"command": one_of("eco", "boost")},
        ),
        Entity(
            component="climate",
            name="Heating",
            config={
                "curr_temp_t": "~/current_temperature/state",
                "mode_cmd_t": "~/mode/command",
                "mode_stat_t": "~/mode/state",
                "modes": ["off", "heat"],
                "temp_cmd_t": "~/target_temperature/command",
                "temp_stat_t": "~/target_temperature/state",
                "min_temp": 5,
                "max_temp": 30,
                "temp_step": 0.5,
                "temp_unit": "C",
                "act_t": "~/action/state",
            },
            told={
                "current_temperature/state": "19.5",
                "mode/state": "off",
                "target_temperature/state": "20",
                "action/state": "off",
            },
            takes={
                "mode/command": one_of("off", "heat", last="mode/state"),
                "target_temperature/command": between(5, 30, "target_temperature/state"),
            },
        ),
        Entity(
            component="lock",
            name="Latch",
            config=both,
            told={"state": "UNLOCKED"},
            takes={"command": one_of("LOCK", "UNLOCK", told=lambda word: f"{word}ED")},
        ),
        Entity(
            component="button",
            name="Restart",
            config={"cmd_t": "~/command", "dev_cla": "restart"},
            takes={"command": lambda payload: {} if payload == "PRESS" else None},
        ),
        Entity(
            component="text",
            name="Label",
            config={**both, "min": 0, "max": 10, "mode": "text"},
            told={"state": "none"},
            takes={"command": lambda payload: {"state": payload}},
        ),
        Entity(component="event", name="Knock", config={**told, "evt_typ": ["once", "twice"]}),
    ]


def _told(path, said):
    return lambda node: node.told[path] == said


def _esphome(address):
    node = EsphomeNode(address, "workshop", "20500de464ec", _entities())
    return node, node


ESPHOME = Device(
    title="workshop",
    dialect="homeassistant",
    make=_esphome,
    properties={
        "action": "string - - r",
        "brightness": "number - - rw",
        "color": "object - - rw",
        "color_mode": "string - - r",
        "current_temperature": "number Cel Temperature r",
        "delay": "number s - rw",
        "door": "boolean - Door r",
        "effect": "string - - rw",
        "gate": "string - Gate r",
        "heating_mode": "string - - rw",
        "label": "string - - rw",
        "latch": "string - Lock r",
        "mode": "string - - rw",
        "oscillation": "boolean - - rw",
        "percentage": "integer % Ventilation rw",
        "position": "integer % Gate rw",
        "plug": "boolean - - rw",
        "pump": "boolean - - rw",
        "strip": "boolean - - rw",
        "target_temperature": "number Cel Temperature rw",
        "vent": "boolean - Ventilation rw",
        "version": "string - - r",
        "warmth": "number Cel Temperature r",
    },
    writes={
        "brightness": Write(
            good=100, bad=256, done=lambda node: node.told["strip/state"]["brightness"] == 100
        ),
        "color": Write(
            good={"r": 9, "g": 8, "b": 7},
            bad={"r": 9},
            done=lambda node: node.told["strip/state"]["color"] == {"r": 9, "g": 8, "b": 7},
        ),
        "delay": Write(good=30, bad=61, done=_told("delay/state", "30")),
        "effect": Write(
            good="Rainbow", bad="Sparkle", done=lambda node: node.told["strip/state"]["effect"] == "Rainbow"
        ),
        "heating_mode": Write(good="heat", bad="cool", done=_told("heating/mode/state", "heat")),
        "label": Write(good="here", bad="much too long", done=_told("label/state", "here")),
        "mode": Write(good="boost", bad="party", done=_told("mode/state", "boost")),
        "oscillation": Write(good=True, bad="on", done=_told("vent/oscillation/state", "oscillate_on")),
        "percentage": Write(good=80, bad=101, done=_told("vent/speed_level/state", "80")),
        "position": Write(good=40, bad=-1, done=_told("gate/position/state", "40")),
        "plug": Write(good=True, bad="ON", done=_told("plug/state", "ON")),
        "pump": Write(good=True, bad="ON", done=_told("pump/state", "ON")),
        "strip": Write(good=True, bad=1, done=lambda node: node.told["strip/state"]["state"] == "ON"),
        "target_temperature": Write(
            good=21.5, bad=31, done=lambda node: float(node.told["heating/target_temperature/state"]) == 21.5
        ),
        "vent": Write(good=True, bad=0, done=_told("vent/state", "ON")),
    },
    actions={
        "close": "- - -",
        "lock": "- - -",
        "open": "- - -",
        "restart": "- - -",
        "stop": "- - -",
        "turn_on": "object - -",
        "unlock": "- - -",
    },
    affects={
        "close": "-Gate",
        "lock": "-Lock",
        "open": "+Gate",
        "percentage": "+Ventilation",
        "plug": "+Power",
        "position": "=Gate",
        "strip": "+Illuminance",
        "turn_on": "+Illuminance",
        "unlock": "+Lock",
        "vent": "+Ventilation",
    },
    calls={
        "close": Call(done=_told("gate/state", "closed")),
        "open": Call(done=_told("gate/state", "open")),
        "stop": Call(done=lambda node: ("gate/command", "STOP") in node.commands),
        "lock": Call(done=_told("latch/state", "LOCKED")),
        "unlock": Call(done=_told("latch/state", "UNLOCKED")),
        "restart": Call(done=lambda node: ("restart/command", "PRESS") in node.commands),
        "turn_on": Call(
            good={"brightness": 50},
            bad={"brightness": 999},
            done=lambda node: node.told["strip/state"]["brightness"] == 50,
        ),
    },
    events={
        "knock": (
            "object - -",
            lambda _, node: node.tell("knock", "state", {"event_type": "twice"}),
            {"event_type": "twice"},
        )
    },
)
