"""The dialect: two announcements of a device in, its description out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from diat.vol.dialects.affordances import Draft, assemble
from diat.vol.dialects.port import Description, Part, Refusal, Withdrawal
from diat.vol.dialects.tasmota import fans, lights, relays, sensors, shutters, status, switches, topics
from diat.vol.dialects.tasmota.config import Config, read
from diat.vol.dialects.words import quoted, word


class Tasmota:
    """Tasmota's own discovery.

    Args:
        prefix: the topic under which devices announce themselves.
    """

    name = "tasmota"
    whole = True

    def __init__(self, prefix: str = "tasmota/discovery") -> None:
        self._prefix = prefix

    def hear(self, topic: str, payload: bytes) -> Part | Withdrawal | Refusal | None:
        """Read an announcement on ``<prefix>/<mac>/config`` or ``<prefix>/<mac>/sensors``."""
        return topics.hear(topic, payload, self._prefix)

    def describe(self, parts: Sequence[Part]) -> Description:
        """Describe one device from its configuration and, if they are announced, its sensors."""
        said = {part.body["about"]: part.body["said"] for part in sorted(parts, key=lambda p: p.topic)}
        mac = str(parts[0].body["mac"]) if parts else "Tasmota"
        config = read(said["config"], mac) if "config" in said else None
        if not isinstance(config, Config):
            missing = f"its configuration ({self._prefix}/{mac}/config) is not announced yet"
            return Description(td={"title": mac, "diat:identifiers": [mac]}, notes=(config or missing,))
        notes = list(_notes(config))
        made = assemble(list(_drafts(config, said.get("sensors", {}).get("sn", {}), notes)))
        return Description(
            td={"title": word(config.said.get("dn")) or mac, **_terms(config, mac), **made.td},
            inlets=(*made.inlets, status.will(config)),
            outlets=made.outlets,
            notes=tuple(dict.fromkeys(notes)),
        )


def _drafts(config: Config, announced: Mapping[str, Any], notes: list[str]) -> Iterator[Draft]:
    yield from relays.drafts(config)
    yield from lights.drafts(config)
    yield from shutters.drafts(config)
    if config.fan:
        yield from fans.drafts(config)
    yield from switches.drafts(config)
    yield from sensors.drafts(config, announced, notes)
    yield from status.drafts(config)


def _notes(config: Config) -> Iterator[str]:
    if config.said.get("ver") != 1:
        yield f"its announcement is of version {quoted(config.said.get('ver'))}, and is read as version 1"
    for index, kind in enumerate(config.relays):
        if not 0 <= kind <= relays.SHUTTER:
            yield f"output {index + 1}: its kind {kind} is not known"
    if not 0 <= config.light <= 5:
        yield f"its kind of light {config.light} is not known, and is read as the richest"
    yield from shutters.count(config)[1]
    yield from switches.notes(config)


def _terms(config: Config, mac: str) -> dict[str, Any]:
    terms: dict[str, Any] = {"diat:identifiers": [mac]}
    if model := word(config.said.get("md")):
        terms["diat:model"] = model
    if version := word(config.said.get("sw")):
        terms["version"] = {"instance": version}
    return terms
