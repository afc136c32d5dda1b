"""One policy: a form and the text beside it, each renewed by the other; what is wrong shows at its line."""

from __future__ import annotations

import secrets
from typing import Any

import yaml
from nicegui import ui

from diat.dashboard.parts.acts import asked, attempt
from diat.dashboard.parts.inputs import act
from diat.dashboard.parts.markup import Markup, chip, html
from diat.dashboard.parts.policy_form import Known, PolicyForm
from diat.dashboard.parts.sections import SECURITY, sections
from diat.dashboard.parts.yaml_text import YamlText, line_of, unreadable
from diat.dashboard.registry import Page
from diat.dashboard.rest import Refused, at
from diat.dashboard.visit import Visit

Json = dict[str, Any]
_OURS = ("id", "created", "modified", "revision", "warnings")
_YAML = "application/yaml"


async def build(visit: Visit) -> None:
    """Make the page."""
    policy, tag, document = visit.argument("id"), "", {"effect": "deny"}
    if policy:
        answer = await visit.rest.ask("GET", at("policies", policy))
        tag = answer.headers["etag"]
        document = {name: value for name, value in answer.json().items() if name not in _OURS}
    html(Markup("<h1>{}</h1>").format(document.get("title") or policy or "A new policy"))
    sections("Security", SECURITY, "/policies")
    editor = Editor(visit, policy, tag)
    await editor.make(document)


class Editor:
    """The form, the text, and what REST says of it."""

    def __init__(self, visit: Visit, policy: str, tag: str) -> None:
        self._visit = visit
        self._policy = policy
        self._tag = tag
        self._path = at("policies", policy or f"policy-{secrets.token_hex(4)}")
        self._form: PolicyForm
        self._text: YamlText
        self._said: ui.html

    async def make(self, document: Json) -> None:
        """Make the parts."""
        known = await _known(self._visit)
        with ui.element("div").classes("columns policy"):
            with ui.element("div"):
                self._form = PolicyForm(known, document, self._from_form)
            with ui.element("div").classes("beside"):
                html(Markup("<h2 class='small-head'>The same as text</h2>"))
                self._text = YamlText("The policy as YAML", _written(document), self._from_text)
                self._said = html(Markup()).props('role="status" aria-live="polite"')
                with ui.element("div").classes("buttons begin"):
                    act("Keep", self.keep, main=True)
                    if self._policy:
                        act("Take away", self.remove, grave=True)
        await self._check()

    async def keep(self) -> None:
        """Put it; it holds at once."""
        headers = {"If-Match": self._tag} if self._tag else None
        put = self._visit.rest.ask("PUT", self._path, self._text.text.encode(), kind=_YAML, headers=headers)
        try:
            answer = await put
        except Refused as refusal:
            self._wrong(refusal.field, refusal.detail)
            return
        made = answer.json()
        self._tag = answer.headers["etag"]
        if not self._policy:
            ui.navigate.to(f"/ui/policy?id={made['id']}")
            return
        self._right(made, "It holds from now on.")

    async def remove(self) -> None:
        """Take it away."""
        before = self._text.text.encode()
        if not await asked("Take this policy away?", "It does not hold any more, at once.", "Take away"):
            return

        async def back() -> None:
            await self._visit.rest.ask("PUT", self._path, before, kind=_YAML)
            ui.navigate.reload()

        if await attempt(lambda: self._visit.rest.delete(self._path), "It is taken away.", back):
            self._tag = ""

    async def _from_form(self, document: Json) -> None:
        self._text.put(_written(document))
        await self._check()

    async def _from_text(self, text: str) -> None:
        read = await self._check()
        if read is not None:
            self._form.show(read)

    async def _check(self) -> Json | None:
        """Ask REST what it would say; the document as it is read."""
        text = self._text.text
        broken = unreadable(text)
        if broken is not None:
            self._text.mark(broken[0])
            self._said.set_content(str(_fault(broken[0], broken[1])))
            return None
        try:
            answer = await self._visit.rest.ask("POST", f"{self._path}/check", text.encode(), kind=_YAML)
        except Refused as refusal:
            self._wrong(refusal.field, refusal.detail)
            return None
        made: Json = answer.json()
        self._right(made, "")
        return {name: value for name, value in made.items() if name not in _OURS}

    def _wrong(self, field: str, detail: str) -> None:
        line = line_of(self._text.text, field)
        self._text.mark(line)
        self._said.set_content(str(_fault(line, f"{field}: {detail}" if field else detail)))

    def _right(self, made: Json, done: str) -> None:
        self._text.mark(None)
        told = [Markup("<li>{}</li>").format(each) for each in made.get("warnings", [])]
        warned = Markup("<p>To know:</p><ul>{}</ul>").format(Markup().join(told)) if told else Markup()
        word = chip("running", done or "it could be put")
        self._said.set_content(str(Markup("<p>{}</p>{}").format(word, warned)))


async def _known(visit: Visit) -> Known:
    things = await visit.rest.get("/overview/things", limit=1000)
    return Known(
        await visit.rest.get("/overview/facets"),
        await visit.rest.get("/users"),
        things={each["id"]: each["title"] for each in things},
        services={each["id"]: each["title"] for each in await visit.rest.get("/services")},
        situations={each["id"]: each["title"] for each in await visit.rest.get("/situations")},
    )


def _fault(line: int | None, text: str) -> Markup:
    where = f"Line {line}: " if line is not None else ""
    return Markup('<p class="fault">{}{}</p>').format(where, text)


def _written(document: Json) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, default_flow_style=None, width=78)


PAGE = Page(path="/policy", title="Policy", build=build, nav="hidden", least="admin", under="/security")
