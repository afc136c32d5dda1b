"""``/places``: where things are."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from diat.api.access import Asking, on_each, seen
from diat.api.ports import ThePlatform
from diat.wot.places import Place, tree

router = APIRouter(tags=["things"])
DEEPEST = 50
"""Levels of the tree that are shown; a place further inside counts in those that it lies in."""


@router.get("/places", summary="The tree of places", dependencies=[on_each("discover")])
def list_places(platform: ThePlatform, asking: Asking) -> list[dict[str, Any]]:
    """Places that things are at, with how many are there and how many are there or inside."""
    found = seen(platform, asking, platform.things.registry.everything())
    return [_shown(root, DEEPEST) for root in tree(each.place for each in found)]


def _shown(place: Place, levels: int) -> dict[str, Any]:
    return {
        "path": place.path,
        "name": place.name,
        "things": place.things,
        "inside": place.inside,
        "children": [_shown(child, levels - 1) for child in place.children] if levels > 1 else [],
    }
