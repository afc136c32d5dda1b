"""The switch while all is at work: a running system is brought to another case over REST, without a gap.

What is new begins before what was ends: cameras and units go on as before for ``OVERLAP`` seconds, and the
map in the cloud changes what it is made of once that tells.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from diat.kernel.errors import DiatError
from diat_gateway.vehicles.going import OVERLAP
from diat_gateway.vehicles.setup import Analysis, Setup

MADE_OF: dict[Analysis, str] = {"aggregator": "VehicleMap", "cloud": "Detections"}
"""Where video is looked at, and the first map made, to what the cloud's map is made of."""
UPLINK = 1.5
"""Seconds that a report may be later in the cloud: on the line it waits for others to share a frame."""
PATIENCE = OVERLAP - 1.0
"""Seconds to wait for what is new; where nothing moves nothing is told."""
Source = tuple[str, str]
"""Id of a thing, and the property that the map is made of."""


class Refused(DiatError):
    """The platform does not do what the switch wants; one line for a person."""


def make_map(rest: httpx.Client, tier: str, setup: Setup, analysis: Analysis = "cloud") -> str:
    """Make the map of a tier; the id of the service.

    Raises:
        Refused: the platform does not make it.
    """
    answer = rest.post("/services", json=_wanted(setup, tier, analysis))
    if answer.status_code != 201:
        raise Refused(f"{tier} makes no map: {answer.text[:300]}")
    return str(answer.json()["id"])


def thing_of(service: str) -> str:
    """The thing that has the map."""
    return f"urn:diat:composite:{service}"


def switch(
    setup: Setup, cloud: httpx.Client, service: str, gateways: Mapping[str, tuple[httpx.Client, str]] = {}
) -> None:
    """Bring a running system to what a setup says; what is so already stays.

    Args:
        setup: the case that is wanted.
        cloud: REST of the platform.
        service: that makes its map.
        gateways: REST of aggregators with the service of each map: those rest while nobody needs them. Of
            aggregators that are not here the maps go on; it is asked for nothing that they say.

    Raises:
        Refused: the platform, or a thing, does not do what is wanted.
    """
    told = {f"urn:dev:{name}": ("level", str(setup.level)) for name in setup.cameras}
    told |= {f"urn:dev:{name}-unit": ("analysis", setup.analysis) for name in setup.aggregators}
    for thing, (name, value) in told.items():
        # What nobody asks for goes up the line now and then: it would be shown as it was.
        _ask(cloud, thing, name)
        _write(cloud, thing, name, value)
    known = _ok(cloud.get(f"/services/{service}")).json()
    if known["parameters"].get("of") == MADE_OF[setup.analysis]:
        return
    if setup.analysis == "aggregator":
        for rest, mine in gateways.values():
            _ok(rest.post(f"/services/{mine}/resume"))
    also = {thing: (name,) for thing, (name, _) in told.items()}
    asked = _hear(setup, cloud, service, also)
    _ok(cloud.put(f"/services/{service}", json=_wanted(setup, "cloud", setup.analysis)))
    for thing in asked:
        _ask(cloud, thing, *also.get(thing, ()))
    if setup.analysis == "cloud":
        for rest, mine in gateways.values():
            _ok(rest.post(f"/services/{mine}/pause"))


def _hear(setup: Setup, cloud: httpx.Client, service: str, also: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Wait until all that the map is to be made of has told something; the things that were asked to."""
    end = time.monotonic() + PATIENCE
    before: dict[Source, Any] = {}
    asked: set[str] = set()
    while time.monotonic() < end:
        there = [each for each in _sources(setup, cloud) if each[0] != thing_of(service)]
        news = 0
        for thing, name in there:
            if thing not in asked:
                asked.add(thing)
                _ask(cloud, thing, name, *also.get(thing, ()))
            said = cloud.get(f"/things/{thing}/properties/{name}/reading")
            at = said.json().get("observed") if said.status_code == 200 else None
            news += at is not None and at != before.setdefault((thing, name), at)
        if there and news == len(there):
            break
        time.sleep(0.2)
    return asked


def _sources(setup: Setup, cloud: httpx.Client) -> Iterator[Source]:
    """What is there that the map can be made of, and says something at this level."""
    quantity = MADE_OF[setup.analysis]
    silent = {f"urn:dev:{name}" for name in setup.cameras} if setup.level != "high" else set()
    found = _ok(cloud.get("/things", params={"quantity": quantity, "place": setup.place})).json()
    for each in found:
        if each.get("diat:status") != "online" or each["id"] in silent:
            continue
        for name, prop in each.get("properties", {}).items():
            if quantity in str(prop.get("@type", "")):
                yield each["id"], name


def _ask(cloud: httpx.Client, thing: str, *names: str) -> None:
    """Ask for each report of these properties, and of no others; who takes no steps says all in any case."""
    cloud.put(f"/things/{thing}/config", json={"report": {name: {} for name in names}})


def _write(cloud: httpx.Client, thing: str, name: str, value: str) -> None:
    answer = cloud.put(f"/things/{thing}/properties/{name}", json=value, headers={"Prefer": "wait=10"})
    if answer.status_code not in (202, 204):
        raise Refused(f"{thing} does not take {name} {value}: {answer.text[:300]}")


def _wanted(setup: Setup, tier: str, analysis: Analysis) -> dict[str, Any]:
    lateness = setup.lateness + (UPLINK if tier == "cloud" else 0.0)
    parameters = {"place": setup.place, "of": MADE_OF[analysis], "lateness": lateness}
    return {"title": f"Map of {tier}", "template": "vehicle-map", "parameters": parameters}


def _ok(answer: httpx.Response) -> httpx.Response:
    if answer.is_error:
        raise Refused(f"{answer.request.method} {answer.request.url.path}: {answer.text[:300]}")
    return answer
