"""``/vocab`` in the form that is asked for."""

from __future__ import annotations

import json

import pytest

from tests.unit.wot.test_vocabulary import defined, graph


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/ld+json"),
        ("application/ld+json", "application/ld+json"),
        ("application/json", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
    ],
)
def test_machines_get_json_ld_and_people_a_page(rest, accept, media_type):
    answer = rest.get("/vocab", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert answer.headers["vary"] == "Accept"
    if media_type == "text/html":
        models, _ = graph()
        for term in defined() | {node["rdfs:label"] for node in models.values()}:
            assert term in answer.text
    else:
        assert json.loads(answer.content)["@context"]["diat"] == "urn:diat:vocab#"


def test_what_it_does_not_come_as_is_refused(rest, problem):
    problem(rest.get("/vocab", headers={"Accept": "image/png"}), 406, "refused")


def test_a_thing_of_a_service_names_it(sensor, house, place):
    sensor(20.0)
    service = house.service("mean-of-place", quantity="Temperature", place=place, unit="Cel")
    assert house.get(f"/things/{service['thing']}")["diat:service"] == service["id"]
