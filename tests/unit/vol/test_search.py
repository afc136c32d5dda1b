"""What is found by quantity, place and capability is what a look at each thing would find."""

from __future__ import annotations

import itertools
import json

import pytest

from diat.daemon import DIALECTS
from diat.kernel.overlay import Ledger
from diat.vol import search
from diat.vol.layer import Kept, VirtualObjectLayer
from diat.vol.search import Query
from diat.wire.envelope import Message

NOW = 1_767_268_800_000
QUANTITIES = ("Temperature", "RelativeHumidity", "Power")
PLACES = ("hq", "hq/1", "hq/1/a", "hq/2", "")
DIRECTIONS = ("increase", "decrease", "switch")
UNITS = {"Temperature": "Cel", "RelativeHumidity": "%", "Power": "W"}


def description(number: int) -> dict:
    """Things that differ in what they have, where they are and what they do to it."""
    quantity, place = QUANTITIES[number % 3], PLACES[number % 5]
    prop = {"type": "number", "unit": UNITS[quantity], "@type": f"quantitykind:{quantity}"}
    access = ({"readOnly": True}, {"writeOnly": True}, {})[number % 7 % 3]
    switch = {
        "type": "boolean",
        "diat:affects": {"quantity": quantity, "direction": DIRECTIONS[number % 4 % 3]},
    }
    action = {"diat:affects": {"quantity": QUANTITIES[number % 2], "direction": "switch"}}
    return {
        "title": f"T{number}",
        **({"diat:place": place} if place else {}),
        "properties": {"value": prop | access} | ({"switch": switch} if number % 4 else {}),
        **({"actions": {"toggle": action}} if number % 6 == 0 else {}),
    }


@pytest.fixture(scope="module")
def things():
    ledger, numbers = Ledger(), itertools.count()
    layer = VirtualObjectLayer(ledger, DIALECTS, Kept(), lambda: NOW, lambda: str(next(numbers)))
    for number in range(120):
        payload = json.dumps(description(number)).encode()
        layer.ingest.message(Message(topic=f"wot/td/t{number}", payload=payload, received=NOW))
    layer.ingest.finish(NOW)
    ledger.commit()
    return layer.registry


def able(td: dict, capability: str | None, quantity: str | None) -> bool:
    """Whether a description says so, read anew."""

    def means(term: str | None) -> bool:
        return quantity is None or term == quantity

    properties = td["properties"].values()
    kinds = [each.get("@type", "").removeprefix("quantitykind:") for each in properties]
    affects = [
        each["diat:affects"]
        for each in (*properties, *td.get("actions", {}).values())
        if "diat:affects" in each
    ]
    if capability is None:
        return quantity is None or quantity in kinds or any(means(each["quantity"]) for each in affects)
    if capability in ("read", "write"):
        barred = "writeOnly" if capability == "read" else "readOnly"
        return any(means(kind) and not each.get(barred) for kind, each in zip(kinds, properties, strict=True))
    return any(each["direction"] == capability and means(each["quantity"]) for each in affects)


@pytest.mark.parametrize("quantity", [None, *QUANTITIES, "Mass"])
@pytest.mark.parametrize("place", [None, "hq", "HQ/1", "hq/1/a", "elsewhere"])
@pytest.mark.parametrize("capability", [None, "read", "write", *DIRECTIONS])
def test_each_question(things, quantity, place, capability):
    found = [
        each.id for each in search.find(things, Query(quantity=quantity, place=place, capability=capability))
    ]
    inside = (place or "").lower()
    assert found == [
        f"urn:dev:t{number}"
        for number in range(120)
        if able(td := description(number), capability, quantity)
        and f"{td.get('diat:place', '')}/".startswith(f"{inside}/" if inside else "")
    ]
