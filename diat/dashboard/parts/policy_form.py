"""A policy as a form: the parts that most policies have; whatever else is in the text stays in it."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from nicegui import ui

from diat.dashboard.parts.fields import ROLES, Fields
from diat.dashboard.parts.markup import Markup, html
from diat.security.operations import LEAST
from diat.security.policy import DAYS

Json = dict[str, Any]
EFFECTS = {
    "deny": "deny: it wins over all",
    "permit": "permit: what no role does",
    "modify": "modify: in another form",
    "delay": "delay: only later",
}
_LISTS = {
    "roles": ("who", "roles"), "users": ("who", "users"), "accounts": ("who", "accounts"),
    "services": ("who", "services"), "purposes": ("who", "purposes"), "operations": ("operations",),
    "quantities": ("what", "quantities"), "places": ("what", "places"), "things": ("what", "things"),
    "days": ("when", "days"), "drop": ("modify", "drop"),
}  # fmt: skip
_WORDS = {
    "title": ("title",), "effect": ("effect",), "from": ("when", "from"), "to": ("when", "to"),
    "situation": ("when", "situation"), "unless": ("when", "unless"), "round": ("modify", "round"),
    "coarsen": ("modify", "coarsen"), "delay": ("delay",),
}  # fmt: skip


class Known:
    """What there is to choose from.

    Attributes:
        users: logins of people; ``accounts`` names of programs.
        things: id to title; ``situations`` and ``services`` the same.
    """

    def __init__(self, facets: Json, users: Sequence[Json], **named: Mapping[str, str]) -> None:
        self.places: list[str] = facets["places"]
        self.quantities: list[str] = facets["quantities"]
        self.users = [each["name"] for each in users if each["kind"] == "user"]
        self.accounts = [each["name"] for each in users if each["kind"] == "account"]
        self.things = named.get("things", {})
        self.services = named.get("services", {})
        self.situations = named.get("situations", {})


class PolicyForm:
    """The fields; ``changed`` is told the document that they and the text before them come to."""

    def __init__(self, known: Known, document: Json, changed: Callable[[Json], Awaitable[None]]) -> None:
        self._fields = Fields()
        self._changed = changed
        self._quiet = False
        self.document = document
        self._make(known)
        self.show(document)

    def show(self, document: Json) -> None:
        """Have the fields say what a document says."""
        self.document = document
        self._quiet = True
        try:
            for name, path in _LISTS.items():
                found = _at(document, path)
                self._fields.offer(name, found if isinstance(found, list) else [])
            for name, path in _WORDS.items():
                self._fields.set(name, _at(document, path))
            self._fields.set("anonymise", _at(document, ("modify", "anonymise")) is True)
            owed = document.get("obligations") or []
            self._fields.set("log", {"log": True} in owed)
        finally:
            self._quiet = False

    def _make(self, known: Known) -> None:
        fields = self._fields
        with ui.element("div").classes("stack form"):
            fields.text("title", "Title", hint="For people")
            fields.one_of("effect", "It says", EFFECTS)
            _heading("Who")
            fields.several("roles", "Roles", ROLES, hint="The highest one at the place of what is asked for")
            fields.several("users", "People", known.users, new=True)
            fields.several("accounts", "Programs", known.accounts, new=True)
            fields.several("services", "Services", list(known.services), new=True)
            fields.several("purposes", "Purposes", [], new=True, hint="Type one, then Enter")
            _heading("Does what, with what")
            fields.several("operations", "Operations", list(LEAST), hint="None: any")
            fields.several("quantities", "Quantities", known.quantities, new=True)
            fields.several("places", "Places", known.places, new=True, hint="What lies inside counts")
            fields.several("things", "Things", list(known.things), new=True)
            _heading("When")
            with ui.element("div").classes("row-wrap"):
                fields.text("from", "From", hint="22:00")
                fields.text("to", "To", hint="07:00, over midnight too")
            fields.several("days", "Days", DAYS)
            situations: dict[str | None, str] = {None: "whatever"}
            fields.one_of("situation", "While the situation holds", situations | dict(known.situations))
            fields.one_of("unless", "But not while", situations | dict(known.situations))
            _heading("In which form, if it says modify or delay")
            with ui.element("div").classes("row-wrap"):
                fields.number("round", "Rounded to", hint="In the unit of the thing")
                fields.text("coarsen", "One value each", hint="5m")
                fields.text("delay", "Not younger than", hint="1h")
            fields.several("drop", "Members left out", [], new=True)
            fields.yes("anonymise", "Texts become pseudonyms")
            _heading("Besides")
            fields.yes("log", "Each use is put into the audit")
        fields.listen(self._told)

    async def _told(self) -> None:
        if self._quiet:
            return
        made = copy.deepcopy(self.document)
        made.pop("cedar", None)
        for name, path in (_LISTS | _WORDS).items():
            _put(made, path, self._fields.get(name) or None)
        anonymise = _at(made, ("modify", "anonymise"))
        if isinstance(anonymise, bool) or anonymise is None:
            _put(made, ("modify", "anonymise"), self._fields.get("anonymise") or None)
        others = [each for each in made.get("obligations") or [] if each != {"log": True}]
        _put(made, ("obligations",), (others + ([{"log": True}] if self._fields.get("log") else [])) or None)
        self.document = made
        await self._changed(made)


def _heading(text: str) -> None:
    html(Markup('<h2 class="small-head">{}</h2>').format(text))


def _at(document: Json, path: tuple[str, ...]) -> Any:
    found: Any = document
    for part in path:
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _put(document: Json, path: tuple[str, ...], value: Any) -> None:
    """Put a value where a path leads, or take it away; nothing empty is left on the way."""
    *way, last = path
    inner = document
    for part in way:
        below = inner.get(part)
        if not isinstance(below, dict):
            if value is None:
                return
            below = inner[part] = {}
        inner = below
    if value is None:
        inner.pop(last, None)
    else:
        inner[last] = value
    if way and not inner:
        document.pop(way[0], None)
