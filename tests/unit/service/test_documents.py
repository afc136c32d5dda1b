"""The examples in the pages on goals and situations are taken, and every field has its line there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest

from diat.service.goals import Goal, asked
from diat.service.situation_request import SituationRequest, When, read_situation
from diat.service.templates import shipped
from diat.service.unifying import unify

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"


def page(name):
    return (REFERENCE / name).read_text("utf-8")


def examples(name):
    """Each line of a JSON block, and each body that is sent with curl."""
    text = page(name)
    for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL):
        yield from (json.loads(line) for line in block.splitlines())
    yield from (json.loads(body) for body in re.findall(r"-d '(.*?)'$", text, re.MULTILINE))


@pytest.mark.parametrize("said", list(examples("goals.md")), ids=str)
def test_each_goal_is_one_that_a_shipped_template_reaches(said):
    goal = asked(said.get("goal", said))
    patterns = [pattern for template in shipped() for pattern in template.achieves]
    assert any(not isinstance(unify(pattern, goal), str) for pattern in patterns)
    schema = json.loads(page("goal.schema.json"))
    jsonschema_rs.Draft202012Validator(schema).validate(said.get("goal", said))


@pytest.mark.parametrize("said", list(examples("situations.md")), ids=str)
def test_each_situation_can_be_read(said):
    read_situation(said)
    schema = json.loads(page("situation.schema.json"))
    jsonschema_rs.Draft202012Validator(schema).validate(said)


def test_every_field_is_told_of():
    for kind in Goal.model_fields:
        assert f"| `{kind}` |" in page("goals.md")
    fields = [*SituationRequest.model_fields, *(f.alias or n for n, f in When.model_fields.items())]
    for name in fields:
        assert f"`{name}`" in page("situations.md") or f"`when.{name}`" in page("situations.md"), name
