"""Places: a tree of paths, ``site/building/floor/room``; a place holds what lies inside it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from msgspec import Struct


class Place(Struct, kw_only=True):
    """A place in the tree.

    Attributes:
        path: as it was first written, from the root.
        name: the last part of it.
        things: how many things are at the place itself.
        inside: how many are there or in what lies inside.
        children: the places directly inside, by name.
    """

    path: str
    name: str
    things: int = 0
    inside: int = 0
    children: list[Place] = []


@lru_cache(maxsize=50_000)
def steps(place: str) -> tuple[str, ...]:
    """A place's path as it is compared: case, spaces and underscores do not count."""
    return tuple(re.sub(r"[\s_]+", "-", part.strip().casefold()) for part in place.split("/") if part.strip())


def lies_in(place: str, whole: str) -> bool:
    """Whether a place is another one or inside it; an empty ``whole`` is everywhere."""
    outer = steps(whole)
    return steps(place)[: len(outer)] == outer


def around(place: str) -> list[tuple[str, ...]]:
    """The place and every place that it lies in, as ``steps``, innermost first; not the whole world."""
    path = steps(place)
    return [path[:length] for length in range(len(path), 0, -1)]


def tree(places: Iterable[str]) -> list[Place]:
    """The tree of places that things are at; an empty path is nowhere and left out."""
    known: dict[tuple[str, ...], Place] = {}
    roots: list[Place] = []
    for place, many in Counter(places).items():
        path = steps(place)
        spelled = [part.strip() for part in place.split("/") if part.strip()]
        for depth in range(1, len(path) + 1):
            here = known.get(path[:depth])
            if here is None:
                here = Place(path="/".join(spelled[:depth]), name=spelled[depth - 1])
                known[path[:depth]] = here
                (known[path[: depth - 1]].children if depth > 1 else roots).append(here)
            here.inside += many
        if path:
            known[path].things += many
    for here in known.values():
        here.children.sort(key=lambda child: child.name.casefold())
    return sorted(roots, key=lambda root: root.name.casefold())
