"""Thing Models are durable, and what fails leaves nothing behind."""

from __future__ import annotations

import pytest

from diat.adapters.sql.database import open_database
from diat.adapters.sql.store import SqlStore
from diat.kernel.errors import Conflict, Invalid, NotFound
from diat.kernel.overlay import Ledger
from diat.vol.models import Models
from diat.wot.td import CONTEXT


def tm(**more):
    return {"@context": [CONTEXT], "@type": "tm:ThingModel", "title": "M", "unknown:field": [1, None]} | more


def extends(name):
    return tm(links=[{"rel": "tm:extends", "href": name}])


@pytest.fixture
def shelf():
    ledger = Ledger()
    models = Models(ledger)
    for name, body in (("base", tm(id="urn:model:base")), ("upper", extends("urn:model:base"))):
        models.put(name, body, 1)
    ledger.commit()
    return models


def test_models_are_there_after_a_restart(tmp_path):
    engine = open_database(tmp_path / "diat.db")
    ledger, store = Ledger(), SqlStore(engine)
    models = Models(ledger, store.models())
    models.put("a", tm(), 5)
    models.put("b", tm(), 5)
    models.put("a", tm(title="newer"), 7)
    models.remove("b")
    store.write(ledger)
    store.close()
    (kept,) = SqlStore(engine).models()
    engine.dispose()
    assert (kept.name, kept.body, kept.created, kept.modified, kept.revision) == (
        "a",
        tm(title="newer"),
        5,
        7,
        2,
    )


def test_what_others_are_made_of_stays(shelf):
    with pytest.raises(Conflict, match="upper"):
        shelf.remove("base")
    shelf.put("independent", tm(), 1)
    shelf.remove("independent")


def test_a_model_that_extends_itself_is_refused(shelf):
    with pytest.raises(Invalid, match="extends itself"):
        shelf.put("base", tm(id="urn:model:base", links=extends("upper")["links"]), 2)


def test_the_same_again_changes_nothing(shelf):
    made, created = shelf.put("base", tm(id="urn:model:base"), 9)
    assert (made.revision, made.modified, created) == (1, 1, False)


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 65, ".hidden"])
def test_names(shelf, name):
    with pytest.raises(Invalid):
        shelf.put(name, tm(), 1)


def test_a_thing_of_no_model(shelf):
    with pytest.raises(NotFound):
        shelf.thing("nobody", "urn:dev:x", {}, {}, ())


def test_a_thing_has_an_id_and_a_link_to_its_model(shelf):
    assert shelf.thing("upper", "urn:dev:x", {}, {}, ())["id"] == "urn:dev:x"
    assert shelf.thing("upper", "urn:dev:x", {}, {"id": "urn:dev:y"}, ())["id"] == "urn:dev:y"
    (link,) = shelf.thing("base", "urn:dev:x", {}, {}, ())["links"]
    assert (link["rel"], link["href"]) == ("type", "urn:model:base")
    (link,) = shelf.thing("upper", "urn:dev:x", {}, {}, ())["links"]
    assert link["href"] == "/models/upper"
