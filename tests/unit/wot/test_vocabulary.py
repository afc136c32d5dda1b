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


def graph():
    """Our terms, and the models that they belong to, as the JSON-LD document describes them."""
    nodes = json.loads((PACKAGE / "wot" / "context.jsonld").read_text("utf-8"))["@graph"]
    models = {node["@id"]: node for node in nodes if node["@id"].endswith("Model")}
    terms = {node["@id"]: node for node in nodes if node["@id"] not in models}
    assert len(models) + len(terms) == len(nodes)
    return models, terms


def rows():
    """Term to the section of the document that it stands in, and what is said of it there."""
    found = {}
    section = ""
    for line in (ROOT / "docs" / "reference" / "vocabulary.md").read_text("utf-8").splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif (row := re.fullmatch(r"\| `(diat:[\w-]+)` \| (.+) \| (.+) \|", line)) and section:
            found.setdefault(row[1], (section, f"Of {row[2]}: {row[3]}".replace("`", "")))
    return found


def test_the_five_models_are_in_the_one_document():
    models, terms = graph()
    labels = [node["rdfs:label"] for node in models.values()]
    assert labels == [
        f"{each} model" for each in ("Resource", "Location", "Context and domain", "Policy", "Service")
    ]
    assert {node["rdfs:isDefinedBy"]["@id"] for node in terms.values()} == models.keys()


def test_each_term_is_of_the_model_in_which_the_document_has_it_and_said_to_be_the_same():
    models, terms = graph()
    said = {}
    for term, node in terms.items():
        model = models[node["rdfs:isDefinedBy"]["@id"]]
        said[term] = (f"{model['rdfs:label']}: {model['rdfs:comment']}", node["rdfs:comment"])
    assert said == rows()
    assert terms.keys() == defined()


def test_context_and_document_have_the_same_terms():
    assert defined() == documented()
