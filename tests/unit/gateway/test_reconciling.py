"""What was done on either side while the line was cut comes together, and nothing is there twice."""

import contextlib
import shutil

import pytest

from diat.kernel.errors import NotFound
from tests.unit.gateway.test_line import OWN, report, values
from tests.unit.gateway.tiers import THERMOMETER, Gateway, Line


def title(node, thing):
    return node.things.registry.get(thing).td["title"]


class TestEdits:
    def test_the_newest_edit_of_each_member_holds_on_both_sides(self, core, gateway, line, thing, clock):
        line.part()
        gateway.change(lambda: gateway.things.patch(thing, {"title": "Barn", "diat:place": "farm/barn"}))
        clock.now += 1000
        core.change(lambda: core.things.patch(thing, {"title": "Stable"}))
        line.meet()
        line.run()
        for node in (core, gateway):
            assert title(node, thing) == "Stable"
            assert node.things.registry.get(thing).place == "farm/barn"

    def test_also_when_the_newer_one_was_made_below(self, core, gateway, line, thing, clock):
        core.change(lambda: core.things.patch(thing, {"title": "Stable"}))
        line.part()
        clock.now += 1000
        gateway.change(lambda: gateway.things.patch(thing, {"title": "Barn"}))
        line.meet()
        line.run()
        assert (title(core, thing), title(gateway, thing)) == ("Barn", "Barn")
        assert any("title" in each for each in core.notes(thing))


class TestComingAndGoing:
    def test_what_was_removed_above_is_gone_below(self, core, gateway, line, thing, clock):
        line.part()
        core.change(lambda: core.things.retire(thing))
        gateway.take(report(1, 20, clock.now))
        line.meet()
        line.run()
        for node in (core, gateway):
            with pytest.raises(NotFound):
                node.things.registry.get(thing)
        assert gateway.uplink.lanes.rows == 0

    def test_what_was_withdrawn_below_is_gone_above_with_all_it_said(self, core, gateway, line, thing, clock):
        line.part()
        gateway.take(report(1, 20, clock.now))
        gateway.take(("wot/td/th1", b""))
        line.meet()
        line.run()
        with pytest.raises(NotFound):
            core.things.registry.get(thing)
        assert values(core, thing) == [20]
        gateway.take(("wot/td/th1", THERMOMETER))
        gateway.take(report(1, 21, clock.now, boot=2))
        line.run()
        assert values(core, thing) == [20, 21]

    def test_what_went_and_came_back_while_cut_off_is_the_same(self, core, gateway, line, thing, clock):
        line.part()
        gateway.take(report(1, 20, clock.now))
        gateway.take(("wot/td/th1", b""))
        gateway.take(("wot/td/th1", THERMOMETER))
        gateway.take(report(1, 21, clock.now + 1, boot=2))
        line.meet()
        line.run()
        assert [each.id for each in core.things.registry.everything()] == ["urn:dev:barn", thing]
        assert values(core, thing) == [20, 21]

    def test_the_same_thing_announced_on_both_sides_is_one(self, core, gateway, line):
        line.part()
        core.take(("wot/td/th1", OWN))
        gateway.take(("wot/td/th1", THERMOMETER))
        line.meet()
        line.run()
        assert [each.id for each in core.things.registry.everything()] == ["urn:dev:barn", "urn:dev:th1"]
        assert title(core, "urn:dev:th1") == "Core's own"
        assert any("rejected there" in each for each in gateway.notes("urn:dev:th1"))

    def test_a_thing_that_was_given_up_can_be_brought_by_another(
        self, core, gateway, line, thing, clock, tmp_path
    ):
        gateway.take(report(1, 20, clock.now))
        gateway.take(("wot/td/th1", b""))
        line.run()
        other = Gateway(tmp_path / "shed", clock, name="shed")
        beside = Line(core, other)
        other.take(("wot/td/th1", THERMOMETER), report(1, 21, clock.now, boot=2))
        beside.meet()
        beside.run()
        assert values(core, thing) == [20, 21]
        assert core.things.tiers.gateway_of(thing) == "shed"
        other.stop()


class TestAStoreThatWasPutBack:
    def test_what_it_counts_anew_is_not_taken_for_what_was_lost(
        self, core, gateway, line, thing, clock, tmp_path
    ):
        gateway.take(report(1, 1, clock.now))
        line.run()
        gateway.take(report(2, 2, clock.now))
        gateway.stop()
        shutil.copytree(tmp_path / "barn", tmp_path / "backup")
        gateway.start()
        line.meet()
        gateway.take(report(3, 3, clock.now))
        line.run()
        assert values(core, thing) == [1, 2, 3]

        gateway.stop()
        shutil.rmtree(tmp_path / "barn")
        shutil.move(tmp_path / "backup", tmp_path / "barn")
        gateway.start()
        gateway.take(report(4, 4, clock.now))
        gateway.restart()
        gateway.take(report(5, 5, clock.now))
        line.meet()
        line.run()
        assert values(core, thing) == [1, 2, 3, 4, 5]
        assert core.things.twin(thing).missing() == []
        gateway.take(report(6, 6, clock.now))
        line.run()
        assert values(core, thing) == [1, 2, 3, 4, 5, 6]

    def test_a_core_that_was_put_back_hears_of_everything_again(self, core, gateway, line, clock, tmp_path):
        core.stop()
        shutil.copytree(tmp_path / "core", tmp_path / "backup")
        core.start()
        gateway.take(("wot/td/th1", THERMOMETER), ("diat/th1/status", b"online"))
        gateway.take(("wot/td/th2", THERMOMETER))
        line.run()
        core.stop()
        shutil.rmtree(tmp_path / "core")
        shutil.move(tmp_path / "backup", tmp_path / "core")
        core.start()
        gateway.restart()
        line.meet()
        line.run()
        assert core.things.twin("urn:dev:th1").status == "online"
        gateway.take(report(1, 1, clock.now))
        line.run()
        assert values(core, "urn:dev:th1") == [1]

    @pytest.fixture
    def put_back(self, core, gateway, line, tmp_path):
        """``with put_back(): …``: what the core takes in meanwhile it has lost afterwards."""

        @contextlib.contextmanager
        def put():
            core.stop()
            shutil.copytree(tmp_path / "core", tmp_path / "backup")
            core.start()
            line.meet()
            yield
            core.stop()
            shutil.rmtree(tmp_path / "core")
            shutil.move(tmp_path / "backup", tmp_path / "core")
            core.start()
            line.meet()

        return put

    @pytest.mark.parametrize("restarts", [False, True])
    def test_what_a_core_has_lost_comes_again_once(
        self, core, gateway, line, thing, clock, put_back, restarts
    ):
        alarm = {"b": 1, "n": 4, "t": clock.now, "data": 7}
        other = {"b": 1, "n": 1, "t": clock.now, "v": {"temperature": 10}}
        gateway.take(report(1, 1, clock.now), report(2, 2, clock.now))
        line.run()
        with put_back():
            gateway.take(report(3, 3, clock.now), ("diat/th1/events/alarm", alarm))
            line.run()
            gateway.take(("wot/td/th2", THERMOMETER), report(5, 5, clock.now))
            gateway.take(("diat/th2/properties", other))
            line.run()
            if restarts:
                gateway.restart()
        line.run()
        gateway.take(report(6, 6, clock.now))
        line.run()
        assert values(core, thing) == [1, 2, 3, 5, 6]
        assert values(core, "urn:dev:th2") == [10]
        assert len(core.events(thing, "alarm")) == 1
        assert core.things.twin(thing).missing() == []
        assert gateway.uplink.lanes.rows == 0
        assert "messages again that may have been lost here" in core.notes("urn:dev:barn")[-1]
        line.meet()
        line.run()
        assert values(core, thing) == [1, 2, 3, 5, 6]

    def test_what_the_gateway_has_no_more_is_told_as_a_gap(self, core, gateway, line, thing, clock, put_back):
        gateway.uplink.lanes._handed._most = 40 * 150
        gateway.take(report(1, 1, clock.now))
        line.run()
        with put_back():
            for first in range(2, 1_200, 100):
                some = range(first, min(first + 100, 1_200))
                gateway.take(*[report(n, n, clock.now) for n in some])
                line.run()
        line.run()
        found = values(core, thing)
        assert found == sorted(set(found))
        assert found[0] == 1
        assert 1 < len(found) < 1_199
        assert found[-1] == 1_199
        ((_, low, high),) = core.things.twin(thing).missing()
        assert high - low + 1 == 1_199 - len(found)
        assert core.notes("urn:dev:barn")[-1].endswith("older ones that were lost here it has no more")


def test_a_gateway_below_a_gateway(core, gateway, line, clock, tmp_path):
    below = Gateway(tmp_path / "stall", clock, name="stall")
    beside = Line(gateway, below)
    below.take(("wot/td/th1", THERMOMETER), ("diat/th1/status", b"online"))
    beside.meet()
    beside.run()
    line.run()
    thing = "urn:dev:th1"
    assert core.things.tiers.gateway_of(thing) == "barn"
    assert gateway.things.tiers.gateway_of(thing) == "stall"
    below.take(report(1, 20, clock.now))
    beside.run()
    line.run()
    assert values(core, thing) == [20]

    given = core.change(lambda: core.things.interaction.write(thing, "target", 21, core.time()))
    line.run()
    beside.run()
    assert [each.topic for each in below.sent if each.topic.endswith("/set")] == ["diat/th1/set"]
    below.take(("diat/th1/results", {"id": given.id, "status": "completed"}))
    beside.run()
    line.run()
    assert given.id not in core.things.interaction.outbox.committed

    beside.part()
    line.run()
    assert core.things.twin(thing).status == "offline"
    assert [each.name for each in core.things.tiers.gateways()] == ["barn"]
    below.stop()
