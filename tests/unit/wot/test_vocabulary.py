"""Every term of ours that the code uses is in the JSON-LD context and in the document."""

import json
import re
from pathlib import Path

import diat

PACKAGE = Path(diat.__file__).parent
ROOT = PACKAGE.parent
TERM = re.compile(r"(?<![\w:])diat:[A-Za-z][\w-]*")


def used():
    found = {}
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in {".py", ".yaml"}:
            for term in TERM.findall(path.read_text("utf-8")):
                found.setdefault(term, path.relative_to(PACKAGE))
    return found


def defined():
    context = json.loads((PACKAGE / "wot" / "context.jsonld").read_text("utf-8"))["@context"]
    assert context["diat"] == "urn:diat:vocab#"
    return {term for term in context if term.startswith("diat:")}


def documented():
    return set(TERM.findall((ROOT / "docs" / "reference" / "vocabulary.md").read_text("utf-8")))


def test_the_code_uses_terms():
    assert {"diat:place", "diat:affects", "diat:identifiers"} <= used().keys()


def test_each_term_is_in_the_context():
    assert {term: where for term, where in used().items() if term not in defined()} == {}


def test_each_term_is_documented():
    assert {term: where for term, where in used().items() if term not in documented()} == {}


def test_context_and_document_have_the_same_terms():
    assert defined() == documented()
