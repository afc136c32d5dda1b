"""The templates that services can be made from: the shipped ones and people's own."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from typing import Any

import yaml
from pydantic import ValidationError

from diat.cvol.template import Template
from diat.kernel.errors import Conflict, Invalid, NotFound
from diat.kernel.overlay import Ledger, Overlay


class Templates:
    """All templates by name; changed by the writer alone, read by any thread."""

    def __init__(self, ledger: Ledger, own: Iterable[Template] = ()) -> None:
        self._shipped = {template.name: template for template in shipped()}
        self._own: Overlay[str, Template] = ledger.overlay("templates", ((t.name, t) for t in own))

    def get(self, name: str) -> Template:
        """A template as the writer sees it.

        Raises:
            NotFound: there is none of this name.
        """
        found = self._own.get(name) or self._shipped.get(name)
        if found is None:
            known = ", ".join(sorted({*self._shipped, *self._own.committed}))
            raise NotFound(f"there is no template {name!r}; known: {known}")
        return found

    def everything(self) -> list[Template]:
        """All committed templates by name; any thread may ask."""
        return sorted([*self._shipped.values(), *self._own.committed.values()], key=lambda each: each.name)

    def is_shipped(self, name: str) -> bool:
        """Whether it came with the platform."""
        return name in self._shipped

    def add(self, template: Template) -> Template:
        """Take in a template.

        Raises:
            Conflict: there is one of this name already.
        """
        if template.name in self._shipped or self._own.get(template.name) is not None:
            raise Conflict(f"there is a template {template.name!r} already")
        self._own.put(template.name, template)
        return template

    def remove(self, name: str) -> None:
        """Drop a template of people's own.

        Raises:
            NotFound: there is none of this name.
            Conflict: it came with the platform.
        """
        if name in self._shipped:
            raise Conflict(f"{name!r} came with the platform")
        if self._own.get(name) is None:
            raise NotFound(f"there is no template {name!r}")
        self._own.remove(name)


def shipped() -> list[Template]:
    """The templates that come with the platform."""
    folder = resources.files("diat") / "templates"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return [read_template(file.read_text("utf-8")) for file in files]


def read_template(source: str | dict[str, Any]) -> Template:
    """Read a template from YAML (or JSON, which is YAML) or from what was parsed already.

    Raises:
        Invalid: it is none; ``field`` names the place.
    """
    if isinstance(source, str):
        try:
            source = yaml.safe_load(source)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise Invalid(f"not YAML: {error}"[:300]) from None
    try:
        return Template.model_validate(source)
    except ValidationError as error:
        first = error.errors()[0]
        path = [str(part) for part in first["loc"]]
        message = first["msg"].removeprefix("Value error, ")
        head, colon, rest = message.partition(": ")
        # Our own validators lead with the place below the field that they look at.
        if first["type"] == "value_error" and colon and " " not in head:
            path.append(head)
            message = rest
        raise Invalid(message, ".".join(path)) from None
