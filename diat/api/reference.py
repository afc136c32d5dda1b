"""The reference documents that are made from the code: ``python -m diat.api.reference`` writes them.

``docs/reference/openapi.yaml`` is REST, ``docs/reference/template.schema.json`` what a composite template
looks like, ``goal.schema.json``, ``situation.schema.json`` and ``policy.schema.json`` beside it the same of
goals, situations and policies.
Tests hold the written ones to what is made here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel

from diat import __version__
from diat.api.app import make_app
from diat.api.ports import Platform
from diat.cvol.steps import STEPS
from diat.cvol.template import Template
from diat.security.policy import Document
from diat.service.goals import Goal
from diat.service.situation_request import SituationRequest

FOLDER = Path("docs/reference")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def openapi() -> str:
    """REST as OpenAPI, in YAML."""
    # The routes are described, not called: no platform is needed.
    document = make_app(cast("Platform", None), __version__).openapi()
    note = "# Made by `python -m diat.api.reference`; not to be changed by hand.\n"
    return note + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def template_schema() -> str:
    """A composite template as JSON Schema; each kind of step has its own fields."""
    schema = Template.model_json_schema(by_alias=True)
    kinds: list[dict[str, Any]] = []
    for word, kind in STEPS.items():
        step = kind.model_json_schema()
        fields = {name: _loose(field) for name, field in step["properties"].items()}
        for name, part in step.get("$defs", {}).items():
            part["properties"] = {key: _loose(field) for key, field in part["properties"].items()}
            schema["$defs"][name] = part
        kinds.append(
            {
                "title": kind.__name__,
                "description": step.get("description", ""),
                "type": "object",
                "properties": {"do": {"const": word}, **fields},
                "required": ["do", *step["required"]],
                "additionalProperties": False,
            }
        )
    schema["properties"]["steps"]["items"] = {"oneOf": kinds}
    whole = {"$schema": _DIALECT, **schema}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _loose(field: dict[str, Any]) -> dict[str, Any]:
    """A field of a step, or a placeholder in its place."""
    return {"anyOf": [field, {"type": "string", "pattern": r"\{\{.*\}\}"}]}


def documents() -> dict[str, str]:
    """File name to content."""
    return {
        "openapi.yaml": openapi(),
        "template.schema.json": template_schema(),
        "goal.schema.json": _schema(Goal),
        "situation.schema.json": _schema(SituationRequest),
        "policy.schema.json": _schema(Document),
    }


def _schema(model: type[BaseModel]) -> str:
    whole = {"$schema": _DIALECT, **model.model_json_schema(by_alias=True)}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in documents().items():
        (FOLDER / name).write_text(content, "utf-8")


if __name__ == "__main__":
    main()
