"""The ``config`` announcement of a Tasmota device: typed access to what of it counts.

Everything but the topics may be missing or wrong: then the usual counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from diat.vol.dialects.commands import Command, Encoder
from diat.vol.dialects.words import is_topic, quoted, word

MAX_RELAYS = 64
_PREFIXES = ("cmnd", "stat", "tele")
_STATES = ("OFF", "ON", "TOGGLE", "HOLD")


class Topics(Struct, frozen=True):
    """The beginnings of a device's topics, each ending in ``/``."""

    command: str
    result: str
    telemetry: str


class Config(Struct, frozen=True, kw_only=True):
    """What a device announces about itself.

    Attributes:
        topics: where it listens and speaks.
        states: its words for off, on, toggle and hold.
        online: its word for being there; ``offline`` for not.
        relays: for each output 0 (none), 1 (relay), 2 (light) or 3 (half of a shutter).
        names: for each output what people call it, None if they do not.
        switches: for each switch input its mode, -1 if there is none.
        switch_names: for each switch input its own name, None if it has none.
        buttons: for each button input whether there is one.
        options: ``SetOption`` numbers to their values.
        light: kind of light: 0 plain, 1 dimmer, 2 white temperature, 3 RGB, 4 RGBW, 5 RGB with temperature.
        linked: whether colour and white are one light.
        tuya: whether it is the network side of a Tuya controller.
        fan: whether it drives a ceiling fan.
        battery: whether it tells its charge.
        sleeper: whether it sleeps between measurements.
        shutters: for each shutter its options.
        tilts: for each shutter its least and greatest angle and the time between them.
        said: the whole announcement.
    """

    topics: Topics
    states: tuple[str, ...]
    online: str
    offline: str
    relays: tuple[int, ...]
    names: tuple[str | None, ...]
    switches: tuple[int, ...]
    switch_names: tuple[str | None, ...]
    buttons: tuple[int, ...]
    options: Mapping[str, Any]
    light: int
    linked: bool
    tuya: bool
    fan: bool
    battery: bool
    sleeper: bool
    shutters: tuple[int, ...]
    tilts: tuple[tuple[int, ...], ...]
    said: Mapping[str, Any]

    @property
    def off(self) -> str:
        """Its word for off."""
        return self.states[0]

    @property
    def on(self) -> str:
        """Its word for on."""
        return self.states[1]

    def option(self, number: int) -> bool:
        """Whether a ``SetOption`` is on."""
        return self.options.get(str(number)) in (1, True)

    def name_of(self, relay: int) -> str | None:
        """What people call an output, counted from 0."""
        return self.names[relay] if relay < len(self.names) else None

    def results(self, command: str) -> tuple[str, ...]:
        """Topics on which the answer to a command comes."""
        if self.option(4):  # answers come by the name of the command
            return (f"{self.topics.result}{command.upper()}",)
        return (f"{self.topics.result}RESULT",)

    def command(self, name: str, encode: Encoder) -> Command:
        """How a command is given."""
        return Command(topic=f"{self.topics.command}{name}", encode=encode)


def read(said: Mapping[str, Any], mac: str) -> Config | str:
    """Read an announcement; one line if it cannot be used."""
    topics = _topics(said, mac)
    if isinstance(topics, str):
        return topics
    words = said.get("state")
    states = [word(text) for text in words[:4]] if isinstance(words, list) else []
    options = said.get("so")
    return Config(
        topics=topics,
        states=tuple((states[i] if i < len(states) else None) or usual for i, usual in enumerate(_STATES)),
        online=word(said.get("onln")) or "Online",
        offline=word(said.get("ofln")) or "Offline",
        relays=_numbers(said.get("rl")),
        names=_texts(said.get("fn")),
        switches=_numbers(said.get("swc"), -1),
        switch_names=_texts(said.get("swn")),
        buttons=_numbers(said.get("btn")),
        options=options if isinstance(options, dict) else {},
        light=_number(said.get("lt_st")),
        linked=_number(said.get("lk"), 1) != 0,
        tuya=_number(said.get("ty")) != 0,
        fan=_number(said.get("if")) != 0,
        battery=_number(said.get("bat")) != 0,
        sleeper=_number(said.get("dslp")) != 0,
        shutters=_numbers(said.get("sho")),
        tilts=tuple(_numbers(tilt) for tilt in _list(said.get("sht"))),
        said=said,
    )


def _topics(said: Mapping[str, Any], mac: str) -> Topics | str:
    full, topic = said.get("ft"), said.get("t")
    if not isinstance(full, str) or not isinstance(topic, str) or not topic:
        return "it does not say its topic (t) and full topic (ft)"
    listed = [word(name) for name in _list(said.get("tp"))[:3]]
    prefixes = [(listed[i] if i < len(listed) else None) or usual for i, usual in enumerate(_PREFIXES)]
    made = []
    for index, prefix in enumerate(prefixes):
        pattern = full
        if index == 0 and "%prefix%" not in full:
            # The firmware adds it to commands alone, so as not to hear itself.
            pattern = f"{full}/%prefix%"
        here = pattern.replace("%prefix%", prefix).replace("%topic%", topic)
        here = here.replace("%hostname%", word(said.get("hn")) or "").replace("%id%", mac)
        here = here.replace("#", "").replace("//", "/")
        made.append(here if here.endswith("/") else f"{here}/")
    if not all(is_topic(f"{here}RESULT") and len(here) < 1024 for here in made):
        return f"its full topic {quoted(full)} makes no topics"
    return Topics(*made)


def _list(value: Any) -> list[Any]:
    return value[:MAX_RELAYS] if isinstance(value, list) else []


def _number(value: Any, usual: int = 0) -> int:
    return int(value) if isinstance(value, int) and abs(value) < 2**31 else usual


def _numbers(value: Any, usual: int = 0) -> tuple[int, ...]:
    return tuple(_number(one, usual) for one in _list(value))


def _texts(value: Any) -> tuple[str | None, ...]:
    return tuple(word(one) for one in _list(value))
