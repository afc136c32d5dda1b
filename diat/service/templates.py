"""The templates that services can be made from: the shipped ones and people's own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING

from pydantic import ValidationError

from diat.cvol.template import Template
from diat.kernel.errors import NO_SUCH_FIELD, Conflict, Invalid, NotFound
from diat.kernel.lazy import Lazy
from diat.kernel.overlay import Ledger, Overlay
from diat.service.unifying import must_be_pattern

if TYPE_CHECKING:
    from diat.service import plain_yaml
else:
    plain_yaml = Lazy("diat.service.plain_yaml")


class Templates:
    """All templates by name; changed by the writer alone, read by any thread."""

    def __init__(self, ledger: Ledger, own: Iterable[Template] = ()) -> None:
        self._own: Overlay[str, Template] = ledger.overlay("templates", ((t.name, t) for t in own))

    @cached_property
    def _shipped(self) -> dict[str, Template]:
        # Read when they are first asked for: with the formulas in them they take 7 MiB, and a gateway may
        # never make a service itself.
        return {template.name: template for template in shipped()}

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

    def in_order(self) -> list[Template]:
        """All templates as the writer sees them: the shipped ones, then people's own, each by name."""
        own = sorted((template for _, template in self._own.items()), key=lambda each: each.name)
        return [*self._shipped.values(), *own]

    def is_shipped(self, name: str) -> bool:
        """Whether it came with the platform."""
        return name in self._shipped

    def add(self, template: Template, *, again: bool = False) -> Template:
        """Take in a template.

        Args:
            template: a new one.
            again: this may be a repeat; one that is there already and equal will do.

        Raises:
            Conflict: there is one of this name already.
        """
        if again and self._own.get(template.name) == template:
            return template
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


def read_template(source: str) -> Template:
    """Read a template from YAML (or JSON, which is YAML).

    Raises:
        Invalid: it is none; ``field`` names the place.
    """
    try:
        template = Template.model_validate(plain_yaml.read_yaml(source))
    except RecursionError:
        raise Invalid("nested too deeply") from None
    except ValidationError as error:
        first = error.errors()[0]
        path = [str(part) for part in first["loc"]]
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            message = NO_SUCH_FIELD
        head, colon, rest = message.partition(": ")
        # Our own validators lead with the place below the field that they look at.
        if first["type"] == "value_error" and colon and " " not in head:
            path.append(head)
            message = rest
        raise Invalid(message, ".".join(path)) from None
    for at, pattern in enumerate(template.achieves):
        must_be_pattern(pattern, f"achieves.{at}")
    return template
