"""Policies as they are kept: what decisions rest on is what is durable, and nothing else."""

from datetime import UTC

import pytest

from diat.kernel.errors import Conflict, Invalid, NotFound, SetupError, Stale
from diat.kernel.overlay import Ledger
from diat.security import policies as module
from diat.security.decisions import Decisions
from diat.security.operations import PLATFORM, Target
from diat.security.policies import Policies
from diat.security.policy import Policy
from diat.security.principal import LOCAL, Grant, Principal

NOW = 1_767_268_800_000
LAMP = Target(id="urn:dev:lamp", kind="thing", affordance="on", place="hq/2")
ANNA = Principal(kind="user", name="anna", grants=(Grant(role="viewer"),))


class World:
    def __init__(self, *kept, holding=()):
        self.ledger = Ledger()
        self.decisions = Decisions(UTC)
        self.policies = Policies(self.ledger, self.decisions, lambda: NOW, kept, holding)
        self.ledger.join(self.policies)

    def put(self, name, **document):
        made = self.policies.put(name, document)[0]
        self.ledger.commit()
        return made

    def effect(self, operation="read", who=ANNA, now=NOW, target=LAMP):
        return self.decisions.decide(who, operation, target, now).effect


@pytest.fixture
def world():
    return World()


def test_a_policy_holds_once_it_is_durable_and_not_before(world):
    world.policies.put("p", {"effect": "deny"})
    assert world.effect() == "permit"
    world.ledger.rollback()
    assert world.effect() == "permit"
    world.put("p", effect="deny")
    assert world.effect() == "deny"
    world.policies.remove("p")
    assert world.effect() == "deny"
    world.ledger.commit()
    assert world.effect() == "permit"


def test_a_policy_put_again_under_its_old_id_is_the_new_one(world):
    world.put("p", effect="deny", operations=["read"])
    world.policies.remove("p")
    world.ledger.commit()
    assert world.put("p", effect="deny", operations=["write"]).revision == 1
    assert world.effect() == "permit"


def test_what_was_rolled_back_is_not_put_by_the_next(world):
    world.policies.put("p", {"effect": "deny"})
    world.ledger.rollback()
    world.put("q", effect="deny", who={"users": ["ben"]})
    assert world.effect() == "permit"
    with pytest.raises(NotFound):
        world.policies.get("p")


def test_revisions(world):
    world.put("p", effect="deny")
    with pytest.raises(Stale):
        world.policies.put("p", {"effect": "deny"}, 2)
    with pytest.raises(Stale):
        world.policies.remove("p", 2)
    with pytest.raises(Stale):
        world.policies.put("new", {"effect": "deny"}, 1)
    with pytest.raises(NotFound):
        world.policies.remove("none")


def test_kept_policies_hold_from_the_start():
    kept = Policy(id="p", content={"effect": "deny", "when": {"situation": "s"}}, created=NOW, modified=NOW)
    assert World(kept).effect() == "permit"
    assert World(kept, holding=["s"]).effect() == "deny"


@pytest.mark.parametrize("content", [{"effect": "forbid"}, {"version": 2, "effect": "deny"}, {"cedar": "no"}])
def test_a_kept_policy_that_cannot_be_read_stops_the_start(content):
    with pytest.raises(SetupError, match="kept policy"):
        World(Policy(id="p", content=content, created=NOW, modified=NOW))


def test_there_is_an_end_of_policies(world, monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    world.put("a", effect="permit")
    world.put("b", effect="permit")
    with pytest.raises(Conflict):
        world.put("c", effect="permit")
    world.put("b", effect="deny")


@pytest.mark.parametrize("name", ["", "a b", "../x", "é", "x" * 101])
def test_ids_are_plain(world, name):
    with pytest.raises(Invalid):
        world.put(name, effect="permit")


def test_who_may_everywhere_is_asked_no_further_unless_a_policy_is_about_it(world):
    assert world.decisions.everywhere(LOCAL, "read")
    world.put("p", effect="deny", operations=["write"], who={"users": ["anna"]})
    assert world.decisions.everywhere(LOCAL, "read")
    assert not world.decisions.everywhere(LOCAL, "write")
    world.put("q", effect="deny", who={"users": ["anna"]})
    assert not world.decisions.everywhere(LOCAL, "read")


def test_no_policy_keeps_an_administrator_from_administering(world):
    world.put("p", effect="deny")
    assert world.effect("administer", LOCAL, target=PLATFORM) == "permit"
    assert world.effect("administer", ANNA, target=PLATFORM) == "deny"


def test_uses_are_counted_by_principal_and_period(world):
    world.put("p", effect="deny", when={"count": {"after": 2, "per": "1h"}})
    ben = Principal(kind="user", name="ben", grants=ANNA.grants)

    def use(who, now=NOW):
        return world.decisions.use(who, "read", LAMP, now).effect

    assert [use(ANNA) for _ in range(4)] == ["permit", "permit", "deny", "deny"]
    assert use(ben) == "permit"
    assert use(ANNA, NOW + 3_600_000) == "permit"
    assert [world.effect(now=NOW + 3_600_000) for _ in range(9)] == ["permit"] * 9, "to ask is no use"


def test_what_cannot_be_evaluated_permits_nothing(world):
    # It overflows where Cedar's arithmetic ends, which no check of the text can know.
    text = "forbid (principal, action, resource) when { context.minute * 9223372036854775807 > 5 };"
    world.put("p", cedar=text)
    decided = world.decisions.decide(ANNA, "read", LAMP, NOW)
    assert decided.effect == "deny"
    assert "cannot be evaluated" in decided.reason


def test_a_name_cannot_write_cedar(world):
    hostile = '"}; permit(principal, action, resource); //\\u{22}'
    world.put("p", effect="permit", who={"users": [hostile]}, title=hostile)
    nobody = Principal(kind="user", name="nobody")
    assert world.effect(who=nobody) == "deny"
    assert world.effect(who=Principal(kind="user", name=hostile)) == "permit"
