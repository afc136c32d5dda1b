"""``docs/reference/templates.md`` tells of every shipped template, and of no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from diat.service.templates import shipped

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "templates.md").read_text("utf-8")
HEADS = re.findall(r"^### (.+)\n((?:(?!^##).*\n)*)", PAGE, re.MULTILINE)
SECTIONS = {name: text for head, text in HEADS for name in re.findall(r"`([a-z-]+)`", head)}
TEMPLATES = {each.name: each for each in shipped()}


def test_every_template_has_its_section_and_every_section_its_template():
    assert set(SECTIONS) == set(TEMPLATES)


@pytest.mark.parametrize("name", sorted(TEMPLATES))
class TestTemplate:
    def test_what_it_needs_is_said(self, name):
        needed = set(TEMPLATES[name].parameters["required"]) - {"place"}
        assert {each for each in needed if f"`{each}`" not in SECTIONS[name]} == set()

    def test_what_it_offers_is_said(self, name):
        template = TEMPLATES[name]
        offered = {*template.settings, *template.emits} if not name.startswith("notify-") else {"noticed"}
        assert {each for each in offered if f"`{each}`" not in SECTIONS[name]} == set()

    def test_every_parameter_has_a_title_and_a_default_unless_it_is_needed(self, name):
        schema = TEMPLATES[name].parameters
        for each, said in schema["properties"].items():
            assert said["title"], each
            assert each in schema["required"] or "default" in said, each
