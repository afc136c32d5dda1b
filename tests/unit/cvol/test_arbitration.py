"""Several who want one actuator: who drives it, who is told that he does not, and who takes over when."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from diat.kernel.errors import Conflict
from diat.vol.actuation import Command, Order
from diat.vol.arbitration import PERSON, RANKS
from tests.unit.cvol.conftest import World

HEATER = "urn:dev:heater"
VALVE = "urn:dev:valve"


def template(world: World, name: str, priority: str, value: bool, quantity: str = "Temperature") -> None:
    """A template that brings what it drives to a value as long as it runs, and lets go of it at rest."""
    way = "increase" if quantity == "Temperature" else "switch"
    side = "above" if value else "below"
    world.template(
        f"""
        name: {name}
        title: {name}
        parameters: {{type: object, properties: {{x: {{type: integer}}}}}}
        priority: {priority}
        roles:
          meter: {{capability: read, quantity: Temperature, freshness: 1000000}}
          target: {{capability: {way}, quantity: {quantity}, type: boolean, count: "0.."}}
        steps:
          - {{id: level, do: latest, role: meter}}
          - {{id: always, do: hysteresis, input: level, "on": {side}, low: -90, high: -80}}
          - {{id: drive, do: drive, role: target, input: always, otherwise: false}}
        """
    )


@pytest.fixture
def house(kept_world: World) -> World:
    """A heater, a thermometer, and templates of all priorities."""
    kept_world.sensor("meter")
    kept_world.actuator("heater")
    kept_world.measure("meter", 18.0)
    for priority in RANKS:
        template(kept_world, f"on-{priority}", priority, True)
        template(kept_world, f"off-{priority}", priority, False)
    return kept_world


def drives(world: World, thing: str = HEATER) -> str | None:
    claims = world.things.interaction.arbiter.claims(thing).get("Temperature", ())
    return claims[0].title if claims else None


def by_hand(world: World, value: Any, **order: Any) -> None:
    write = world.things.interaction.write
    world.batch(lambda: write(HEATER, "on", value, world.now, Order(**order)))


ON, OFF = ("heater", True), ("heater", False)


class TestWhoDrives:
    def test_the_higher_priority_and_the_loser_is_told(self, house):
        low = house.service("on-convenience", title="comfort")
        assert house.obey() == [ON]
        high = house.service("off-safety", title="guard")
        assert house.obey() == [OFF]
        house.later(1)
        assert house.state(low).state == "degraded"
        assert house.state(low).outranked == {"urn:dev:heater on": "guard (safety)"}
        assert house.state(high).state == "running"

    def test_among_equals_who_came_first(self, house):
        first = house.service("on-automation", title="first")
        house.obey()
        house.later(1)
        second = house.service("off-automation", title="second")
        house.later(60)
        house.measure("meter", 18.5)
        assert house.obey() == []
        assert (drives(house), house.state(second).state) == ("first", "degraded")
        assert house.state(first).state == "running"

    def test_who_wants_the_same_loses_nothing(self, house):
        house.service("on-automation")
        house.obey()
        second = house.service("on-convenience")
        house.later(1)
        assert (house.state(second).state, house.state(second).outranked) == ("running", {})

    def test_who_waits_is_told_when_the_winner_changes_its_mind(self, house):
        house.keep(20, 24)
        assert house.obey() == [ON]
        waits = house.service("on-convenience")
        house.later(1)
        assert house.state(waits).state == "running"
        house.measure("meter", 30.0)
        house.later(0)
        assert house.obey() == [OFF]
        assert house.state(waits).state == "degraded"

    @pytest.mark.parametrize("how", ["paused", "deleted", "replaced", "moved", "restarted without it"])
    def test_the_next_one_takes_over(self, house, how):
        low = house.service("on-convenience", title="comfort")
        high = house.service("off-automation", title="guard")
        house.later(1)
        house.obey()
        if how == "paused":
            house.pause(high)
        elif how == "deleted":
            house.delete(high)
        elif how == "replaced":
            content = {"quantity": "Temperature", "place": "hq", "unit": "Cel"}
            house.batch(lambda: house.services.replace(high, "a mean", "mean-of-place", content, None))
        elif how == "moved":
            house.batch(lambda: house.services.replace(high, "g", "off-convenience", {}, None))
            house.later(0)
            house.batch(lambda: house.services.replace(low, "l", "on-automation", {}, None))
        else:
            house.delete(high)
            house.restart()
        house.later(1)
        assert house.obey()[-1] == ON
        assert house.state(low).outranked == {}
        assert house.state(low).state == "running"

    def test_another_priority_counts_at_once(self, house):
        first = house.service("on-automation", title="first")
        house.later(1)
        house.service("off-automation", title="second")
        house.later(1)
        house.obey()
        house.batch(lambda: house.services.replace(first, "first", "on-convenience", {}, None))
        house.later(1)
        assert drives(house) == "second"
        assert house.obey()[-1] == OFF


class TestPeople:
    @pytest.mark.parametrize("restarted", [False, True])
    def test_what_a_person_set_holds_again_when_safety_is_over(self, house, restarted):
        by_hand(house, True)
        house.obey()
        guard = house.service("off-safety", title="guard")
        assert house.obey() == [OFF]
        if restarted:
            house.restart()
        house.pause(guard)
        house.later(0)
        (given,) = house.things.interaction.outbox.committed.values()
        assert (given.service, given.why["decision"]) == (None, "by hand again")
        assert house.obey() == [ON]
        assert drives(house) == "a person"
        house.later(3600)
        assert drives(house) is None

    def test_what_a_person_set_is_over_with_his_hold(self, house):
        by_hand(house, True)
        house.obey()
        guard = house.service("off-safety", title="guard")
        house.obey()
        house.later(3700)
        house.pause(guard)
        house.later(1)
        assert house.obey() == []

    def test_a_command_holds_for_an_hour(self, house):
        service = house.service("on-automation", title="warm")
        house.obey()
        by_hand(house, False)
        assert house.obey() == [OFF]
        house.later(1)
        assert house.state(service).outranked == {"urn:dev:heater on": "a person (person)"}
        house.later(3598)
        house.measure("meter", 17.0)
        assert house.obey() == []
        house.later(1)
        assert house.obey() == [ON]
        assert house.state(service).state == "running"

    def test_it_holds_over_a_restart(self, house):
        house.service("on-automation")
        house.obey()
        by_hand(house, False, hold=600_000)
        house.obey()
        house.restart(away=300)
        house.measure("meter", 17.0)
        assert house.obey() == []
        house.later(301)
        assert house.obey() == [ON]

    def test_none_at_all(self, house):
        house.service("on-automation")
        house.obey()
        house.later(5)
        by_hand(house, False, hold=0)
        assert house.obey() == [OFF]
        house.later(20)
        house.measure("meter", 17.0)
        assert house.obey() == [ON]

    def test_given_back_at_once(self, house):
        house.service("on-automation")
        house.obey()
        by_hand(house, False)
        house.obey()
        house.batch(lambda: house.things.interaction.arbiter.release_all(PERSON, house.now, HEATER))
        house.later(0)
        assert house.obey() == [ON]

    def test_safety_wins_and_is_named(self, house):
        house.service("off-safety", title="Fire guard")
        with pytest.raises(Conflict, match="Fire guard"):
            by_hand(house, True)
        assert house.obey() == [OFF]

    def test_a_person_comes_before_a_service_of_the_same_rank(self, house):
        house.service("on-person", title="butler")
        house.obey()
        house.later(1)
        by_hand(house, False)
        house.obey()
        house.later(30)
        house.measure("meter", 17.0)
        assert house.obey() == []

    def test_a_clock_that_is_set_back_makes_no_hold_longer(self, house):
        house.service("on-automation")
        house.obey()
        by_hand(house, False, hold=600_000)
        house.obey()
        house.later(60)
        house.now -= 7_200_000
        house.later(601)
        assert house.obey() == [ON]


class TestOneValveInTwoWays:
    @pytest.fixture
    def valve(self, house):
        flow = {"quantity": "VolumeFlowRate"}
        house.announce(
            "valve",
            properties={"position": {"type": "boolean", "diat:affects": {**flow, "direction": "switch"}}},
            actions={
                "open": {"diat:affects": {**flow, "direction": "increase"}},
                "close": {"diat:affects": {**flow, "direction": "decrease"}},
            },
        )
        sent: list[tuple[str, Any]] = []

        def send(command: Command) -> None:
            if command.reference:
                body = json.loads(command.message.payload)
                channel = command.message.topic.split("/", 2)[2]
                sent.append((channel, body.get("v")))
                house.feed("diat/valve/results", {"id": body["id"], "status": "completed"})

        house._send = send
        template(house, "flow", "automation", True, "VolumeFlowRate")
        template(house, "shut", "safety", False, "VolumeFlowRate")
        return sent

    def test_position_and_actions_are_one(self, house, valve):
        service = house.service("flow")
        assert valve == [("set", {"position": True})]
        (claims,) = house.things.interaction.arbiter.claims(VALVE).values()
        assert [claim.names for claim in claims] == [("position",)]
        valve.clear()
        guard = house.service("shut")
        assert valve == [("set", {"position": False})]
        house.later(1)
        assert set(house.state(service).outranked) == {f"{VALVE} position"}
        valve.clear()
        house.delete(guard)
        house.later(1)
        assert valve == [("set", {"position": True})]

    def test_a_person_at_one_keeps_services_off_both(self, house, valve):
        service = house.service("flow")
        valve.clear()
        house.batch(lambda: house.things.interaction.invoke(VALVE, "close", None, house.now))
        house.later(30)
        house.measure("meter", 17.0)
        assert valve == [("actions/close", None)]
        assert set(house.state(service).outranked) == {f"{VALVE} position"}

    def test_letting_go_of_one_way_keeps_the_claim(self, house, valve):
        service = house.service("flow")
        affects = {"quantity": "VolumeFlowRate", "direction": "switch"}
        house.announce("valve", properties={"position": {"type": "boolean", "diat:affects": affects}})
        (claims,) = house.things.interaction.arbiter.claims(VALVE).values()
        assert [claim.names for claim in claims] == [("position",)]
        house.delete(service)
        assert house.things.interaction.arbiter.claims(VALVE) == {}


class TestNothingLeaks:
    @pytest.mark.parametrize("how", ["withdrawn", "described anew", "swapped", "template gone"])
    def test_whatever_becomes_of_the_thing(self, house, how):
        service = house.service("on-automation")
        house.obey()
        if how == "withdrawn":
            house.withdraw("heater")
        elif how == "described anew":
            house.announce("heater", properties={"on": {"type": "boolean"}})
        elif how == "swapped":
            house.actuator("spare", place="hq/9")
            house.batch(lambda: house.things.replace_hardware("urn:dev:spare", HEATER))
        else:
            house.batch(lambda: house.composites.fail(service, "its template is gone"))
        house.delete(service)
        assert left(house) == {}

    def test_a_swap_keeps_the_hold_of_a_person(self, house):
        by_hand(house, False)
        house.actuator("new", place="hq/9")
        house.batch(lambda: house.things.replace_hardware(HEATER, "urn:dev:new"))
        assert drives(house) == "a person"


def left(world: World) -> dict[str, list[str]]:
    """All claims that there are, by actuator."""
    actuators = world.things.interaction.arbiter.actuators.committed
    return {key: [claim.holder for claim in each.claims] for key, each in actuators.items() if each.claims}


class Claims(RuleBasedStateMachine):
    """Against a naive reference: of those at work the best by rank, then who began first, drives."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.wants: dict[str, tuple[int, int, bool]] = {}
        self.paused: dict[str, tuple[str, bool]] = {}
        self.kinds: dict[str, tuple[str, bool]] = {}
        self.hand: tuple[bool, int] | None = None
        self.turn = self.made = 0

    @initialize()
    def begin(self) -> None:
        self.world.sensor("meter")
        self.world.actuator("heater")
        self.world.measure("meter", 18.0)
        for priority in ("safety", "automation", "convenience"):
            for value in (True, False):
                template(self.world, f"{'on' if value else 'off'}-{priority}", priority, value)

    def _settle(self) -> None:
        self.world.later(2)
        self.world.obey()
        self.world.later(0)

    def _joins(self, service: str) -> None:
        priority, value = self.kinds[service]
        self.turn += 1
        self.wants[service] = (RANKS[priority], self.turn, value)

    @rule(priority=st.sampled_from(["safety", "automation", "convenience"]), value=st.booleans())
    def create(self, priority: str, value: bool) -> None:
        if len(self.kinds) < 5:
            # With parameters of its own, as equal requests share a composite.
            self.made += 1
            made = self.world.service(f"{'on' if value else 'off'}-{priority}", x=self.made)
            self.kinds[made] = (priority, value)
            self._joins(made)
            self._settle()

    @precondition(lambda self: self.kinds)
    @rule(data=st.data(), what=st.sampled_from(["pause", "resume", "delete", "replace"]))
    def change(self, data: st.DataObject, what: str) -> None:
        service = data.draw(st.sampled_from(sorted(self.kinds)))
        if what == "delete":
            self.world.delete(service)
            self.wants.pop(service, None)
            del self.kinds[service]
        elif what == "pause":
            self.world.pause(service)
            self.wants.pop(service, None)
        elif what == "resume":
            self.world.resume(service)
            if service not in self.wants:
                self._joins(service)
        else:
            priority = data.draw(st.sampled_from(["safety", "automation", "convenience"]))
            before, value = self.kinds[service]
            name = f"{'on' if value else 'off'}-{priority}"
            self.made += 1
            own = {"x": self.made}
            self.world.batch(lambda: self.world.services.replace(service, "x", name, own, None))
            self.kinds[service] = (priority, value)
            if service in self.wants and before != priority:
                self._joins(service)
        self._settle()

    @rule(value=st.booleans(), hold=st.sampled_from([10, 600]))
    def by_hand(self, value: bool, hold: int) -> None:
        write = self.world.things.interaction.write
        order = Order(hold=hold * 1000)
        if any(rank == 0 for rank, _, _ in self.wants.values()):
            with pytest.raises(Conflict):
                self.world.batch(lambda: write(HEATER, "on", value, self.world.now, order))
        else:
            self.world.batch(lambda: write(HEATER, "on", value, self.world.now, order))
            self.hand = (value, self.world.now + hold * 1000)
        self._settle()

    @rule(seconds=st.sampled_from([5, 30, 700]))
    def wait(self, seconds: int) -> None:
        self.world.later(seconds)
        self.world.measure("meter", 18.0)
        self._settle()

    @rule()
    def away(self) -> None:
        self.world.status("heater", "offline")
        self.world.status("heater", "online")
        for service in sorted(self.wants, key=lambda each: each):
            self._joins(service)
        self.world.measure("meter", 18.0)
        self._settle()

    def _held(self) -> bool:
        return self.hand is not None and self.hand[1] > self.world.now

    @invariant()
    def the_right_one_drives(self) -> None:
        (claims,) = self.world.things.interaction.arbiter.claims(HEATER).values() or ((),)
        holders = {claim.holder for claim in claims}
        assert holders == set(self.wants) | ({PERSON} if self._held() else set())
        ranks = [(rank, 1, value) for rank, _, value in self.wants.values()]
        if self._held():
            ranks.append((RANKS["person"], 0, self.hand[0]))
        if not ranks:
            return
        best = min(rank for rank, _, _ in ranks)
        assert RANKS[claims[0].priority] == best
        told = self.world.things.interaction.arbiter.told(HEATER, "Temperature", "on").value
        if claims[0].holder == PERSON:
            assert told is self.hand[0]
        else:
            equals = {each: turn for each, (rank, turn, _) in self.wants.items() if rank == best}
            assert claims[0].holder == min(equals, key=lambda each: equals[each])
            assert told is self.wants[claims[0].holder][2]
        for service in self.wants:
            outranked = self.world.state(service).outranked
            assert bool(outranked) is (told is not self.wants[service][2]), (service, outranked)

    def teardown(self) -> None:
        for service in list(self.kinds):
            self.world.delete(service)
        self.world.later(3700)
        assert left(self.world) == {}


TestClaims = Claims.TestCase
TestClaims.settings = settings(
    max_examples=40,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # Explaining a failure traces every line of a whole house, which takes minutes.
    phases=(Phase.explicit, Phase.generate),
)
