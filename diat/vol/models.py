"""Thing Models on offer: templates that people put here, and that virtual objects are made from."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Struct

from diat.kernel.errors import Conflict, Invalid, NotFound, Stale
from diat.kernel.overlay import Ledger, Overlay
from diat.wot.frozen import one_line, too_deep
from diat.wot.imports import Resolver, composed
from diat.wot.placeholders import placeholders
from diat.wot.td import Json
from diat.wot.thing_model import derive, model_fault

NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")
MOST = 1000
"""Models at most: each is looked at when one that it may extend is dropped."""


class Model(Struct, frozen=True, kw_only=True):
    """A Thing Model as somebody put it.

    Attributes:
        body: the Thing Model.
        created: Unix milliseconds, as is ``modified``.
        revision: grows with each change; the ETag.
    """

    name: str
    body: dict[str, Any]
    created: int
    modified: int
    revision: int = 1

    @property
    def title(self) -> str:
        """For people."""
        title = self.body.get("title")
        return title if isinstance(title, str) else self.name


class Models:
    """All Thing Models by name; changed by the writer alone, read by any thread."""

    def __init__(self, ledger: Ledger, kept: Iterable[Model] = ()) -> None:
        self._models: Overlay[str, Model] = ledger.overlay("models", ((model.name, model) for model in kept))

    def get(self, name: str) -> Model:
        """A committed model; any thread may ask.

        Raises:
            NotFound: there is none of this name.
        """
        found = self._models.committed.get(name)
        if found is None:
            raise NotFound(f"there is no model {name!r}")
        return found

    def everything(self) -> list[Model]:
        """All committed models by name; any thread may ask."""
        return sorted(self._models.committed.copy().values(), key=lambda each: each.name)

    def asks_for(self, model: Model) -> tuple[list[str], list[str]]:
        """The placeholders of a committed model, and what may be left out of a thing; any thread may ask."""
        try:
            whole = composed(model.body, _resolver(self._models.committed.copy()))
        except Invalid:
            whole = dict(model.body)
        optional = whole.get("tm:optional", [])
        return sorted(placeholders(whole)), list(optional) if isinstance(optional, list) else []

    # --- within the writer ---

    def put(
        self, name: str, body: Any, now: int, *, revision: int | None = None, document: bytes | None = None
    ) -> tuple[Model, bool]:
        """Keep a model in the place of what was there under this name; it, and whether it is a new one.

        Args:
            name: what it is called here.
            body: the Thing Model.
            now: Unix milliseconds.
            revision: which one it must take the place of, if that matters.
            document: the text that it was read from.

        Raises:
            Invalid: it is no Thing Model, or what it extends or refers to is not here.
            Stale: the one that is there is another revision.
            Conflict: there are too many.
        """
        if NAME.fullmatch(name) is None:
            raise Invalid("a name is 1 to 64 of A-Z a-z 0-9 _ - .", "name")
        known = self._models.get(name)
        _must_be_at(known, revision)
        if too_deep(body):
            raise Invalid("nested too deeply")
        wrong = model_fault(body, document=document)
        if wrong is not None:
            raise Invalid(wrong, wrong.partition(": ")[0] if ": " in wrong else "")
        if known is None and len(self._models.committed) >= MOST:
            raise Conflict(f"there are {MOST} models already")
        if known is not None and known.body == body:
            return known, False
        made = (
            Model(name=name, body=body, created=now, modified=now)
            if known is None
            else msgspec.structs.replace(known, body=body, modified=now, revision=known.revision + 1)
        )
        self._models.put(name, made)
        # With itself among the others, so that a circle through it shows.
        composed(body, self._resolver())
        return made, known is None

    def remove(self, name: str, revision: int | None = None) -> None:
        """Drop a model; things that were made from it stay.

        Raises:
            NotFound: there is none of this name.
            Stale: it is another revision.
            Conflict: another model is made of it.
        """
        known = self._models.get(name)
        if known is None:
            raise NotFound(f"there is no model {name!r}")
        _must_be_at(known, revision)
        whole = {each.name for _, each in self._models.items() if each.name != name and self._stands(each)}
        self._models.remove(name)
        for _, each in self._models.items():
            if each.name in whole and not self._stands(each):
                raise Conflict(f"{each.name!r} extends it or refers to it")

    def thing(
        self,
        name: str,
        thing: str,
        values: Mapping[str, Any],
        own: Mapping[str, Any],
        without: Collection[str],
    ) -> Json:
        """The description of a thing that is as a model says.

        Args:
            name: the model.
            thing: its id, unless the model or ``own`` gives it one.
            values: what stands in the place of each placeholder.
            own: what is said of this thing alone, a merge patch.
            without: JSON pointers of optional affordances that it does not have.

        Raises:
            NotFound: there is no such model.
            Invalid: the model does not give a valid description with these.
        """
        model = self._models.get(name)
        if model is None:
            raise NotFound(f"there is no model {name!r}")
        resolver = self._resolver()
        if "title" not in composed(model.body, resolver):
            own = {"title": name, **own}
        td = derive(model.body, values, resolver, own=own, without=without)
        td.setdefault("id", thing)
        if not isinstance(td["id"], str) or not td["id"]:
            raise Invalid(one_line(f"{td['id']!r} is no id of a thing"), "own.id")
        return _linked(td, name)

    def _resolver(self) -> Resolver:
        return _resolver(dict(self._models.items()))

    def _stands(self, model: Model) -> bool:
        try:
            composed(model.body, self._resolver())
        except Invalid:
            return False
        return True


def _resolver(models: Mapping[str, Model]) -> Resolver:
    """Finds a model by its ``id``, its name, or a path or address that ends in ``models/{name}``."""
    by_id = {model.body.get("id"): model for model in models.values()}

    def find(address: str) -> Json | None:
        split = urlsplit(address)
        folder, _, name = unquote(split.path).rpartition("/")
        here = not (split.scheme or split.netloc) or f"/{folder}".endswith("/models")
        found = by_id.get(address) or (models.get(name) if here else None)
        return found.body if found is not None else None

    return find


def _linked(td: Json, name: str) -> Json:
    """The description with a link to its model, unless it has one."""
    links = td.get("links", [])
    if any(link.get("rel") == "type" for link in links):
        return td
    link = {"rel": "type", "href": f"/models/{name}", "type": "application/tm+json"}
    return {**td, "links": [*links, link]}


def _must_be_at(known: Model | None, revision: int | None) -> None:
    at = known.revision if known is not None else 0
    if revision is not None and revision != at:
        raise Stale(f"the model is at revision {at}, not {revision}" if known else "there is no such model")
