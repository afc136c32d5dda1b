"""``docs/reference/steps.md`` says what the code does, and every kind has its benchmark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from benchmarks.steps import CASES, measure
from diat.cvol.steps import SHIPPED
from diat.cvol.steps.base import fields
from diat.cvol.steps.formula import LOOPS, NUMBERS, OTHERS

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "steps.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^### `([a-z-]+)`\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))


def test_every_kind_has_its_section_and_every_section_its_kind():
    assert set(SECTIONS) == set(SHIPPED)


@pytest.mark.parametrize("word", SHIPPED)
class TestSection:
    def test_its_fields_are_those_of_the_code(self, word):
        table = re.search(
            r"^\| field \| meaning \|\n\|---\|---\|\n((?:\|.*\n)+)", SECTIONS[word], re.MULTILINE
        )
        named = re.findall(r"^\| `([a-z_]+)` \|", table[1], re.MULTILINE)
        assert sorted(named) == sorted(set(fields(SHIPPED[word])) - {"id"})

    def test_its_character_is_that_of_the_code(self, word):
        kind = SHIPPED[word]
        pulses = "yes" if kind.pulse else "as what it works on" if kind.passes else "no"
        said = (
            f"pure: {'yes' if kind.pure else 'no'}; reduces: {kind.reduces}; pulses: {pulses}; "
            f"at rest: {'kept' if kind.keeps else 'begins anew'}"
        )
        assert said in SECTIONS[word]

    def test_its_example_is_one(self, word):
        example = yaml.safe_load(re.search(r"```yaml\n(.*?)```", SECTIONS[word], re.DOTALL)[1])
        assert example.pop("do") == word
        SHIPPED[word].model_validate(example)

    def test_it_has_a_benchmark_that_runs(self, word):
        cases = [made for name, _, made in CASES if name == word]
        assert cases
        for made in cases:
            spent, _ = measure(SHIPPED[word].model_validate({"id": "s", **made}), 3)
            assert spent > 0


def test_the_functions_of_formulas_are_named():
    said = re.search(r"\*\*Functions\*\*:(.*?)\n\n", PAGE, re.DOTALL)[1]
    assert {*NUMBERS, *OTHERS, *LOOPS - {"existsOne"}} == set(re.findall(r"\b[A-Za-z_]+\b", said)) & {
        *NUMBERS,
        *OTHERS,
        *LOOPS,
    }
