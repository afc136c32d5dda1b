"""A gateway below a gateway: what is asked for at the top comes from the bottom, and claims go all along."""

import pytest

from diat.vol.arbitration import ABOVE, BELOW, Claim
from diat.vol.pushdown import Rule
from tests.unit.gateway.tiers import THERMOMETER, Core, Gateway, Line

THING = "urn:dev:th1"


class Tower:
    """A core, a site below it, a shed below that, and a thermometer in the shed."""

    def __init__(self, path, clock):
        self.clock = clock
        self.core = Core(path / "core", clock)
        self.site = Gateway(path / "site", clock, name="site", usual=Rule(every=900))
        self.shed = Gateway(path / "shed", clock, name="shed", usual=Rule(every=900))
        self.lines = [Line(self.core, self.site), Line(self.site, self.shed)]
        for line in self.lines:
            line.meet()
        self.shed.take(("wot/td/th1", THERMOMETER), ("diat/th1/status", b"online"))
        self.n = 0
        self.rest()

    def rest(self):
        for _ in range(8):
            for line in self.lines:
                line.run()

    def say(self, *values):
        for value in values:
            self.n += 1
            self.clock.now += 1000
            body = {"b": 1, "n": self.n, "t": self.clock.now, "v": {"temperature": value}}
            self.shed.take(("diat/th1/properties", body))
        self.rest()

    def heard(self):
        return [values["temperature"] for _, values in self.core.history(THING) if "temperature" in values]

    def close(self):
        for each in (self.core, self.site, self.shed):
            each.stop()


@pytest.fixture
def tower(tmp_path, clock):
    made = Tower(tmp_path, clock)
    yield made
    made.close()


def test_what_nobody_asks_for_comes_seldom(tower):
    tower.say(1, 2, 3)
    assert len(tower.heard()) <= 1


def test_every_reading_that_is_asked_for_comes_through_both(tower):
    tower.say(1)
    tower.core.change(lambda: tower.core.things.pushdown.need(THING, "somebody", {"temperature": Rule()}))
    tower.rest()
    before = len(tower.heard())
    tower.say(2, 3, 4)
    assert tower.heard()[before:] == [2, 3, 4]
    tower.core.change(lambda: tower.core.things.pushdown.need(THING, "somebody", {}))
    tower.rest()
    before = len(tower.heard())
    tower.say(5, 6, 7)
    assert len(tower.heard()) <= before + 1, "it is asked for no longer"


def test_claims_go_all_the_way(tower):
    def claim(node, holder, priority):
        arbiter = node.things.interaction.arbiter
        made = Claim(holder=holder, title=holder, priority=priority, since=tower.clock.now, names=("target",))
        node.change(lambda: arbiter.claim(THING, "target", made))
        tower.rest()

    def drives(node):
        return node.things.interaction.arbiter.winner(THING, "target").holder

    claim(tower.core, "heating", "automation")
    assert [drives(each) for each in (tower.core, tower.site, tower.shed)] == ["heating", ABOVE, ABOVE]
    claim(tower.shed, "frost", "safety")
    assert [drives(each) for each in (tower.core, tower.site, tower.shed)] == [BELOW, BELOW, "frost"]
