"""What announcements say about the device as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from diat.vol.dialects.identity import ieee, mac
from diat.vol.dialects.words import word

MAX_IDENTIFIERS = 64

_IEEE_ADDRESS = re.compile(r"0x[0-9a-fA-F]{16}")

# Term of the Thing Description: key of the device.
_TERMS = {"diat:place": "suggested_area", "diat:manufacturer": "manufacturer", "diat:model": "model"}


def identifiers(device: dict[str, Any], node_id: str | None) -> tuple[str, ...]:
    """What names the physical device, most telling first; addresses of hardware as ``identity`` spells them.

    Empty if the announcement does not tell of a device.
    """
    listed = list(_listed(device.get("identifiers")))
    found = [*listed, *(mac(value) or f"{kind}:{value}".lower() for kind, value in _connections(device))]
    hardware = [
        name
        for text in (*listed, node_id or "")
        for each in _IEEE_ADDRESS.findall(text)
        if (name := ieee(each))
    ]
    return _unique([*found, *hardware, *_ieee_address(node_id)]) if found else ()


def spoken_identifiers(device: dict[str, Any], node_id: str | None) -> tuple[str, ...]:
    """The same, with the serial number, as the device spells them."""
    connections = (value for _, value in _connections(device))
    serial = word(device.get("serial_number"))
    return _unique(
        [
            *_listed(device.get("identifiers")),
            *connections,
            *_ieee_address(node_id),
            *([serial] if serial else []),
        ]
    )


def merged(devices: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """One device from what its announcements say; what an earlier one says counts."""
    device: dict[str, Any] = {}
    for said in devices:
        device |= {
            key: value for key, value in said.items() if value not in (None, "", []) and key not in device
        }
    return device


def terms(device: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The terms of the Thing Description that tell of the device.

    Args:
        device: as merged from all announcements.
        names: its identifiers as spelled.
    """
    said = {term: text for term, key in _TERMS.items() if (text := word(device.get(key)))}
    if version := word(device.get("sw_version")):
        said["version"] = {"instance": version}  # type: ignore[assignment]
    return {**said, "diat:identifiers": list(names)}


def _listed(value: Any) -> Iterator[str]:
    for one in islice(value, MAX_IDENTIFIERS) if isinstance(value, list) else (value,):
        if isinstance(one, list):
            yield from filter(None, [":".join(filter(None, map(word, one)))])
        elif text := word(one):
            yield text


def _connections(device: dict[str, Any]) -> Iterator[tuple[str, str]]:
    pairs = device.get("connections")
    for pair in islice(pairs, MAX_IDENTIFIERS) if isinstance(pairs, list) else ():
        if isinstance(pair, list) and len(pair) == 2:
            kind, value = word(pair[0]), word(pair[1])
            if kind and value:
                yield kind, value


def _ieee_address(node_id: str | None) -> list[str]:
    return [node_id] if node_id and _IEEE_ADDRESS.fullmatch(node_id) else []


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(islice(dict.fromkeys(names), MAX_IDENTIFIERS))
