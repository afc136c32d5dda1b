"""Homie devices of both versions, with every datatype."""

from diat.simulation.homie import HomieDevice, Node, Property
from tests.system.devices.device import Call, Device, Write

_HOMIE_NODES = {
    "lamp": Node(
        name="Lamp",
        type="light",
        properties={
            "on": Property(name="Switched on", datatype="boolean", settable=True, value="false"),
            "level": Property(
                name="Level", datatype="integer", format="0:100", unit="%", settable=True, value="10"
            ),
            "mood": Property(name="Mood", datatype="enum", format="calm,bright", settable=True, value="calm"),
            "colour": Property(name="Colour", datatype="color", format="rgb", settable=True, value="1,2,3"),
        },
    ),
    "air": Node(
        name="Air",
        type="climate",
        properties={
            "temperature": Property(name="Temperature", datatype="float", unit="°C", value="20.5"),
            "setpoint": Property(
                name="Setpoint", datatype="float", format="5:30", unit="°C", settable=True, value="19"
            ),
        },
    ),
    "misc": Node(
        name="Misc",
        type="misc",
        properties={
            "label": Property(name="Label", datatype="string", settable=True, value="none"),
            "wake": Property(name="Wake", datatype="datetime", settable=True, value="2026-11-21T06:00:00Z"),
            "lasting": Property(name="Lasting", datatype="duration", settable=True, value="PT1H"),
            "bell": Property(name="Bell", datatype="enum", format="short,long", retained=False),
            "brew": Property(name="Brew", datatype="integer", format="1:4", settable=True, retained=False),
        },
    ),
}
_JSON = {"plan": Property(name="Plan", datatype="json", settable=True, value='{"a":1}')}


def _homie(version):
    nodes = dict(_HOMIE_NODES)
    if version == 5:
        nodes["doc"] = Node(name="Doc", type="doc", properties=_JSON)
        lamp = dict(nodes["lamp"].properties)
        lamp["colour"] = Property(
            name="Colour", datatype="color", format="rgb,hsv", settable=True, value="rgb,1,2,3"
        )
        nodes["lamp"] = Node(name="Lamp", type="light", properties=lamp)

    def make(address):
        device = HomieDevice(address, f"all-{version}", f"Homie {version}", nodes, version=version)
        return device, device

    return make


_HOMIE_PROPERTIES = {
    "air_setpoint": "number Cel Temperature rw",
    "air_temperature": "number Cel Temperature r",
    "lamp_colour": "object - - rw",
    "lamp_level": "integer % - rw",
    "lamp_mood": "string - - rw",
    "lamp_on": "boolean - - rw",
    "misc_label": "string - - rw",
    "misc_lasting": "string - - rw",
    "misc_wake": "string - - rw",
}
_AIMS = {
    "air_setpoint_target": "number Cel - r",
    "doc_plan_target": "- - - r",
    "lamp_colour_target": "object - - r",
    "lamp_level_target": "integer % - r",
    "lamp_mood_target": "string - - r",
    "lamp_on_target": "boolean - - r",
    "misc_label_target": "string - - r",
    "misc_lasting_target": "string - - r",
    "misc_wake_target": "string - - r",
}


def _shows(path, payload):
    return lambda device: device.values[path] == payload


_HOMIE_WRITES = {
    "air_setpoint": Write(good=21.5, bad=31, done=_shows("air/setpoint", "21.5")),
    "lamp_colour": Write(
        good={"r": 10, "g": 20, "b": 30}, bad={"r": 10}, done=_shows("lamp/colour", "10,20,30")
    ),
    "lamp_level": Write(good=55, bad=5.5, done=_shows("lamp/level", "55")),
    "lamp_mood": Write(good="bright", bad="dull", done=_shows("lamp/mood", "bright")),
    "lamp_on": Write(good=True, bad="true", done=_shows("lamp/on", "true")),
    "misc_label": Write(good="", bad=5, done=_shows("misc/label", "")),
    "misc_lasting": Write(good="PT5M30S", bad="5 minutes", done=_shows("misc/lasting", "PT5M30S")),
    "misc_wake": Write(good="2026-11-22T06:30:00Z", bad=6, done=_shows("misc/wake", "2026-11-22T06:30:00Z")),
}
_HOMIE_CALLS = {"misc_brew": Call(good=2, bad=9, done=lambda device: ("misc/brew", "2") in device.commands)}
_HOMIE_EVENTS = {
    "misc_bell": ("string - -", lambda _, device: device.tell("misc/bell", "long"), "long"),
    "misc_brew_event": ("integer - -", lambda _, device: device.tell("misc/brew", "3"), 3),
}

HOMIE_4 = Device(
    title="Homie 4",
    dialect="homie",
    make=_homie(4),
    properties=_HOMIE_PROPERTIES,
    writes=_HOMIE_WRITES,
    actions={"misc_brew": "integer - -"},
    calls=_HOMIE_CALLS,
    affects={"lamp_level": "+Illuminance", "lamp_on": "+Illuminance"},
    events=_HOMIE_EVENTS,
)
HOMIE_5 = Device(
    title="Homie 5",
    dialect="homie",
    make=_homie(5),
    properties=_HOMIE_PROPERTIES | _AIMS | {"doc_plan": "- - - rw"},
    writes=_HOMIE_WRITES
    | {
        "doc_plan": Write(good={"b": [1, 2]}, bad="b", done=_shows("doc/plan", '{"b":[1,2]}')),
        "lamp_colour": Write(
            good={"h": 200, "s": 50, "v": 60}, bad={"h": 200}, done=_shows("lamp/colour", "hsv,200,50,60")
        ),
    },
    actions={"misc_brew": "integer - -"},
    calls=_HOMIE_CALLS,
    affects={"lamp_level": "+Illuminance", "lamp_on": "+Illuminance"},
    events=_HOMIE_EVENTS,
)
