"""``/places``: where things are."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from diat.api.ports import ThePlatform
from diat.vol.places import Place, tree

router = APIRouter(tags=["things"])


@router.get("/places", summary="The tree of places")
def list_places(platform: ThePlatform) -> list[dict[str, Any]]:
    """Places that things are at, with how many are there and how many are there or inside."""
    return [_shown(root) for root in tree(each.place for each in platform.things.registry.everything())]


def _shown(place: Place) -> dict[str, Any]:
    return {
        "path": place.path,
        "name": place.name,
        "things": place.things,
        "inside": place.inside,
        "children": [_shown(child) for child in place.children],
    }
