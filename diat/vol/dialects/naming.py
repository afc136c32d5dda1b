"""Names of affordances: readable, and the same whatever the order of the announcements."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

MAX_NAME = 96


class Candidate(Struct, frozen=True):
    """An affordance that wants a name.

    Attributes:
        topic: where its entity was announced.
        component: the kind of its entity.
        base: the name of its entity.
        word: what it is called within the entity; empty if it is the entity itself.
    """

    topic: str
    component: str
    base: str
    word: str


def slug(text: str) -> str:
    """``[a-z0-9_]*``, with accents taken off and anything else as ``_``."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:MAX_NAME]


def prefixes_of(owners: Iterable[str | None]) -> list[str]:
    """What object ids may begin with that only repeats the device: its ids and names, the longest first."""
    found = {prefix for owner in set(owners) if owner and (prefix := slug(owner))}
    return sorted(found, key=lambda prefix: (-len(prefix), prefix))


def base_name(object_id: str, component: str, prefixes: Sequence[str]) -> str:
    """The name of an entity: its object id without the prefixes, at last resort the component."""
    name = slug(object_id)
    for prefix in prefixes:
        rest = name.removeprefix(f"{prefix}_")
        if re.search("[a-z]", rest):
            name = rest
    return component if name in prefixes or not name else name


def settled(candidates: Sequence[Candidate]) -> list[str]:
    """A name for each candidate, all different.

    An entity is called after its object id, and with its component as well if entities of two components
    would share the name. What lies within an entity goes by its word alone, unless another affordance has
    that name or several entities of the component have such words; then the entity's name comes before it.
    What is still the same is numbered in the order of the topics.
    """
    owners = Counter(
        component for component, _ in {(c.component, c.topic + c.base) for c in candidates if c.word}
    )
    choices = [_choices(c, several=owners[c.component] > 1) for c in candidates]
    levels = [0] * len(candidates)
    while crowded := _crowded(candidates, choices, levels):
        for index in crowded:
            levels[index] += 1
    names = [choice[level] for choice, level in zip(choices, levels, strict=True)]
    return _numbered(candidates, names)


def _choices(candidate: Candidate, *, several: bool) -> list[str]:
    component = slug(candidate.component)
    if not candidate.word:
        return [candidate.base, f"{candidate.base}_{component}"]
    long = f"{candidate.base}_{candidate.word}"
    return [*([] if several else [candidate.word]), long, f"{long}_{component}"]


def _crowded(candidates: Sequence[Candidate], choices: list[list[str]], levels: list[int]) -> list[int]:
    """Those that have to take a longer name, because it is taken and they have one left."""
    sharing: dict[str, list[int]] = {}
    for index, (choice, level) in enumerate(zip(choices, levels, strict=True)):
        sharing.setdefault(choice[level], []).append(index)
    crowded = []
    for group in sharing.values():
        entities = [index for index in group if not candidates[index].word]
        # An entity by itself keeps its name; what lies within another gives way.
        giving_way = [index for index in group if index not in entities] if len(entities) == 1 else group
        if len(group) > 1:
            crowded += [index for index in giving_way if levels[index] + 1 < len(choices[index])]
    return crowded


def _numbered(candidates: Sequence[Candidate], names: list[str]) -> list[str]:
    order = sorted(range(len(names)), key=lambda i: (names[i], candidates[i].topic, candidates[i].word, i))
    taken: set[str] = set()
    free = set(names)
    settled_names = list(names)
    for index in order:
        name, number = names[index], 1
        while name in taken or (number > 1 and name in free):
            number += 1
            name = f"{names[index]}_{number}"
        taken.add(name)
        settled_names[index] = name
    return settled_names
