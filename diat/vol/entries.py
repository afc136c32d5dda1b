"""What clients of the directory bring: found valid, kept as entries, or laid over what a thing announces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diat.kernel.clock import Clock
from diat.kernel.errors import InvalidDocument, NotFound
from diat.vol.dialects.directory import ENTRY, Directory, entry
from diat.vol.registry import Registry
from diat.wire.envelope import encode, read_json
from diat.wot.frozen import too_deep
from diat.wot.registration import DISCOVERY, asked, expiry
from diat.wot.td import AFFORDANCES, Json, complete, faults, merge_difference
from diat.wot.walk import mapping

OURS = frozenset(
    {
        "forms",
        "security",
        "securityDefinitions",
        "diat:dialect",
        "diat:admission",
        "diat:status",
        "diat:heard",
        "diat:provenance",
    }
)
"""Members that the platform writes into the description of a thing that announces itself."""


class Entries:
    """The entries of the directory; changed by the writer alone."""

    def __init__(self, registry: Registry, dialect: Directory, clock: Clock) -> None:
        self._registry = registry
        self._dialect = dialect
        self._clock = clock

    def put(self, thing: str, td: Json) -> None:
        """Keep an entry in the place of what was there under this id.

        Raises:
            InvalidDocument: it is no Thing Description of this thing.
            Conflict: the id belongs to a thing that announces itself.
        """
        if too_deep(td):
            raise InvalidDocument(("", "nested too deeply"))
        brought = without_ours(td)
        now = self._clock()
        valid(brought, now, thing, forms_follow=False)
        if wrong := self._dialect.bridge.faults(brought):
            raise InvalidDocument(*wrong)
        brought["registration"] = asked(td)
        self._registry.enter(self._dialect, entry(brought), encode(brought), now)

    def same(self, thing: str, td: Json) -> bool:
        """Whether the entry is this description; there must be one."""
        return self.brought(thing) == {**without_ours(td), "registration": asked(td)}

    def brought(self, thing: str) -> Json:
        """The entry as it was brought.

        Raises:
            NotFound: there is none.
        """
        announced = self._registry.announcements.at(f"{ENTRY}{thing}")
        td = read_json(announced.payload) if announced is not None else None
        if not isinstance(td, dict):
            raise NotFound(f"there is no thing {thing!r}")
        return td


def valid(
    td: Mapping[str, Any], now: int, thing: str | None = None, *, forms_follow: bool | None = None
) -> None:
    """Do nothing if it is a valid Thing Description, of this thing if one is named.

    Args:
        td: the description.
        now: Unix milliseconds.
        thing: the id that it must have.
        forms_follow: as in ``diat.wot.td.fault``.

    Raises:
        InvalidDocument: it is not; all faults that can be told at once are named.
    """
    found = [_placed(line) for line in faults(td, forms_follow=forms_follow)]
    if thing is not None and td.get("id") != thing:
        found.insert(0, ("id", f"{thing!r} is wanted, as in the path"))
    end = expiry(td, now)
    if end is not None and end <= now:
        found.append(("registration.expires", "it is over already"))
    if found:
        raise InvalidDocument(*found)


def said_otherwise(own: Json, td: Json) -> Json:
    """The merge patch that lays what a client says over what a thing announces.

    Args:
        own: what the thing announces, completed.
        td: what the client says the description is; what the platform itself writes is passed over.
    """
    thing = own["id"]
    if too_deep(td):
        raise InvalidDocument(("", "nested too deeply"))
    if td.get("id") != thing:
        raise InvalidDocument(("id", f"{thing!r} is wanted, as in the path"))
    patch: Json = merge_difference(_comparable(own), _comparable(complete(without_ours(td))))
    return patch


def without_ours(td: Json) -> Json:
    """A description without the members that only the platform writes; forms and security stay."""
    kept = {key: value for key, value in td.items() if key not in OURS or not key.startswith("diat:")}
    context = kept.get("@context")
    if isinstance(context, list) and DISCOVERY in context:
        kept["@context"] = [each for each in context if each != DISCOVERY]
    return kept


def _comparable(td: Json) -> Json:
    """A description without what the platform writes, so that only what is said of the thing differs."""
    kept = {key: value for key, value in td.items() if key not in OURS}
    for kind in AFFORDANCES:
        if isinstance(group := kept.get(kind), dict):
            kept[kind] = {
                name: {key: value for key, value in each.items() if key not in ("forms", "synchronous")}
                if isinstance(each, dict)
                else each
                for name, each in mapping(group).items()
            }
    kept["registration"] = asked(td)
    return kept


def _placed(line: str) -> tuple[str, str]:
    """A fault's place and what is wrong there; lines that name no place are about the whole."""
    place, colon, text = line.partition(": ")
    return (place, text) if colon and " " not in place else ("", line)
