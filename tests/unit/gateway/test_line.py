"""The line between two daemons: what goes up, what comes down, and who is believed."""

import json

import pytest

from diat.kernel.errors import Invalid, NotFound
from diat.vol.pushdown import Rule
from diat.wire import frame, topics
from tests.unit.gateway.tiers import THERMOMETER, Gateway, Line

OWN = {"title": "Core's own", "properties": {"temperature": {"type": "number", "readOnly": True}}}


def report(n, value, at, boot=1):
    return "diat/th1/properties", {"b": boot, "n": n, "t": at, "v": {"temperature": value}}


def values(node, thing):
    return [each["temperature"] for _, each in node.history(thing)]


class TestUp:
    def test_a_thing_of_the_gateway_is_one_above_in_its_own_words(self, core, thing):
        each = core.things.registry.get(thing)
        assert (each.td["title"], each.record.dialect, each.record.admission) == (
            "Thermometer",
            "native",
            "accepted",
        )
        assert core.things.tiers.gateway_of(thing) == "barn"
        assert core.things.twin(thing).status == "online"

    def test_readings_and_events_come_once_and_in_order(self, core, gateway, line, thing, clock):
        gateway.take(*(report(n, 20 + n, clock.now + n) for n in (1, 2, 3)))
        gateway.take(("diat/th1/events/alarm", {"b": 1, "n": 4, "t": clock.now, "data": 7}))
        line.run()
        assert values(core, thing) == [21, 22, 23]
        assert core.events(thing, "alarm") == [(clock.now, "7")]

    def test_what_is_beside_the_gateway_when_it_is_cut_off_is_offline_by_its_name(self, core, line, thing):
        line.part()
        twin = core.things.twin(thing)
        assert (twin.status, twin.cut.gateway) == ("offline", "barn")
        core.restart()
        line.meet()
        assert core.things.twin(thing).status == "online"

    def test_a_thing_that_went_meanwhile_is_offline_when_the_line_is_back(self, core, gateway, line, thing):
        line.part()
        gateway.take(("diat/th1/status", b"offline"))
        line.meet()
        line.run()
        assert core.things.twin(thing).status == "offline"
        assert core.things.twin(thing).cut is None

    def test_what_is_not_known_above_yet_waits_until_it_is(self, core, gateway, clock):
        line = Line(core, gateway)
        gateway.take(("wot/td/th1", THERMOMETER), report(1, 20, clock.now))
        line.meet()
        assert line.frame()  # the announcement; its answer has not come down
        assert not line.frame()
        line.run()
        assert values(core, "urn:dev:th1") == [20]

    def test_what_travelled_in_all_is_kept(self, core, gateway, line, thing, clock):
        gateway.take(*[report(n, n, clock.now) for n in range(1, 101)])
        line.run()
        before = core.things.tiers.traffic("barn")
        since = core.things.tiers.counted_since("barn")
        clock.now += 1_000
        core.restart()
        after = core.things.tiers.traffic("barn")
        assert (after.up.messages, after.down.messages) == (before.up.messages, before.down.messages)
        assert after.up.bytes == pytest.approx(before.up.bytes) != 0
        assert core.things.tiers.counted_since("barn") == since <= clock.now - 1_000
        gateway.take(report(101, 101, clock.now))
        line.run()
        assert core.things.tiers.traffic("barn").up.messages > before.up.messages

    def test_the_traffic_is_counted_by_thing_and_affordance(self, core, gateway, line, thing, clock):
        before = core.things.tiers.traffic("barn").up.bytes
        gateway.take(*(report(n, 20, clock.now + n) for n in range(1, 101)))
        line.run()
        traffic = core.things.tiers.traffic("barn")
        assert traffic.ups["th1", "temperature"].messages == 100
        assert sum(each.bytes for each in traffic.ups.values()) == pytest.approx(traffic.up.bytes)
        assert traffic.up.bytes - before < 100 * 30


class TestWhatIsAsked:
    @pytest.fixture
    def gateway(self, tmp_path, clock):
        made = Gateway(tmp_path / "barn", clock, usual=Rule(every=900.0))
        yield made
        made.stop()

    def test_what_nobody_asked_for_goes_up_as_the_newest_value(self, core, gateway, line, thing, clock):
        for n in range(1, 11):
            gateway.take(report(n, n, clock.now))
            clock.now += 60_000
        line.run()
        assert values(core, thing) == [1]
        clock.now += 360_000
        gateway.tick()
        line.run()
        assert values(core, thing) == [1, 10]

    def test_what_waited_is_sent_after_a_restart_too(self, core, gateway, line, thing, clock):
        gateway.take(report(1, 1, clock.now))
        clock.now += 1000
        gateway.take(report(2, 2, clock.now))
        gateway.restart()
        clock.now += 900_000
        gateway.tick()
        line.meet()
        line.run()
        assert values(core, thing) == [1, 2]

    def test_what_is_asked_for_goes_up(self, core, gateway, line, thing, clock):
        core.change(
            lambda: core.things.pushdown.need(thing, "s", {"temperature": Rule(above=25.0, every=60.0)})
        )
        line.run()
        assert core.things.pushdown.pushed.committed[thing].state == "completed"
        for n, value in enumerate((20, 21, 26, 27, 24, 23), 1):
            clock.now += 1000
            gateway.take(report(n, value, clock.now))
        line.run()
        assert sorted(values(core, thing)) == [20, 24, 26]
        assert gateway.uplink.rules(thing) == {"temperature": Rule(above=25.0, every=60.0)}

    def test_a_thing_that_can_does_it_itself_unless_somebody_here_watches(self, core, gateway, line, clock):
        gateway.take(("wot/td/th1", {**THERMOMETER, "diat:pushdown": ["every", "mean"]}))
        line.run()
        rules = {"temperature": Rule(mean=60.0)}
        core.change(lambda: core.things.pushdown.need("urn:dev:th1", "s", rules))
        line.run()

        def config():
            said = [each.payload for each in gateway.sent if each.topic == "diat/th1/config"]
            return json.loads(said[-1])

        assert config()["report"] == {"temperature": {"mean": 60.0}}
        gateway.take(("diat/th1/results", {"id": config()["id"], "status": "completed"}))
        for n in (1, 2, 3):
            clock.now += 60_000
            gateway.take(report(n, n, clock.now))
        line.run()
        assert values(core, "urn:dev:th1") == [1, 2, 3]

        gateway.change(lambda: gateway.things.observers.watch("w", "urn:dev:th1", "temperature"))
        assert config()["report"] == {}
        gateway.change(lambda: gateway.things.observers.unwatch("w", "urn:dev:th1", "temperature"))
        assert config()["report"] == {"temperature": {"mean": 60.0}}

    def test_what_did_not_travel_is_counted(self, gateway, thing, clock):
        for n in range(1, 11):
            gateway.take(report(n, n, clock.now + n))
        ((messages, size),) = gateway.uplink.heard.untold()["th1"].values()
        assert (messages, size > 9 * 10) == (9, True)


class TestDown:
    def test_a_command_goes_through_the_gate_below_once_and_is_answered(self, core, gateway, line, thing):
        given = core.change(lambda: core.things.interaction.write(thing, "target", 21, core.time()))
        line.tell(twice=True)
        told = [each for each in gateway.sent if each.topic == "diat/th1/set"]
        assert len(told) == 1
        assert json.loads(told[0].payload)["v"] == {"target": 21}
        gateway.take(("diat/th1/results", {"id": given.id, "status": "completed"}))
        line.run()
        assert given.id not in core.things.interaction.outbox.committed

    def test_what_cannot_be_done_there_fails_with_the_reason(self, core, gateway, line, thing):
        gateway.change(lambda: gateway.things.patch(thing, {"actions": {"reset": None}}))
        ended = []
        core.things.interaction.on_end = ended.append
        core.change(lambda: core.things.interaction.invoke(thing, "reset", None, core.time()))
        line.run()
        assert (ended[0].state, "no action" in ended[0].error) == ("failed", True)

    def test_a_command_that_comes_too_late_is_expired(self, core, gateway, line, thing, clock):
        ended = []
        core.things.interaction.on_end = ended.append
        core.change(lambda: core.things.interaction.write(thing, "target", 21, core.time()))
        clock.now += 3_600_000
        line.run()
        assert [each.state for each in ended] == ["expired"]
        assert not [each for each in gateway.sent if each.topic == "diat/th1/set"]

    def test_parts_are_told_and_answered_and_nothing_overtakes_a_mark(
        self, core, gateway, line, thing, clock
    ):
        told, parts = [], []
        gateway.uplink.on_told = lambda topic, payload: told.append((topic, payload))
        core.things.tiers.on_part = lambda *said: parts.append((*said, values(core, thing)))
        core.change(lambda: core.things.tiers.tell("barn", topics.parts("barn", "s1"), b'{"revision":1}'))
        line.tell()
        assert told == [("diat/barn/parts/s1", b'{"revision":1}')]
        gateway.take(report(1, 1, clock.now))
        gateway.change(lambda: gateway.uplink.say("diat/barn/parts/s1", b'{"mark":1}'))
        gateway.take(("diat/th1/events/alarm", {"b": 1, "n": 2, "t": clock.now, "data": 7}))
        seen = []
        core.things.tiers.on_part = lambda *said: seen.append((said, len(core.events(thing, "alarm"))))
        line.run()
        assert seen == [(("barn", "s1", {"mark": 1}), 0)]
        assert len(core.events(thing, "alarm")) == 1


class TestWhoIsBelieved:
    def frame(self, *messages):
        return "diat/barn/up", frame.frame([(topic, json.dumps(body).encode()) for topic, body in messages])

    def test_a_gateway_speaks_for_no_thing_of_the_core(self, core, line):
        core.take(("wot/td/own", OWN))
        reading = ("diat/own/properties", {"b": 1, "n": 1, "t": core.time(), "v": {"temperature": 99}})
        core.take(self.frame(("wot/td/own", OWN), reading))
        assert core.history("urn:dev:own") == []
        assert core.things.tiers.gateway_of("urn:dev:own") is None
        assert any("speaks for itself" in each for each in core.notes("urn:dev:barn"))

    def test_nor_for_one_of_another_gateway(self, core, thing, line, tmp_path, clock):
        other = Gateway(tmp_path / "other", clock, name="shed")
        beside = Line(core, other)
        beside.meet()
        other.take(("wot/td/th1", THERMOMETER), report(1, 99, clock.now))
        beside.run()
        assert values(core, thing) == []
        assert other.uplink.lanes.rows == 2  # its status and the reading wait, in case the thing has moved

        core.change(lambda: core.things.tiers.move(thing, "shed"))
        beside.run()
        assert values(core, thing) == [99]
        assert core.things.tiers.gateway_of(thing) == "shed"
        other.stop()

    def test_nor_does_a_client_of_the_core_for_a_thing_of_a_gateway(self, core, thing):
        core.take(report(1, 99, core.time()), ("wot/td/th1", {**THERMOMETER, "title": "Another"}))
        assert values(core, thing) == []
        assert core.things.registry.get(thing).td["title"] == "Thermometer"

    @pytest.mark.parametrize(
        "payload",
        [
            b"",
            b"\x01",
            b"\x01\xff\xff",
            b"[[",
            b"[1]",
            b'[["a"]]',
            b'[["wot/td/x", {"a":' + b"[" * 5000 + b"]" * 5000 + b"}]]",
            b"\xff\xfe",
            b'["" , 1]',
        ],
    )
    def test_garbage_is_a_diagnostic(self, core, line, payload):
        core.take(("diat/barn/up", payload))
        assert any(each.startswith("up: ") for each in core.notes("urn:dev:barn"))

    @pytest.mark.parametrize(
        ("topic", "body"),
        [
            ("diat/barn/line", {"lives": 5}),
            ("diat/barn/line", {"lives": [["x" * 9000, 1]]}),
            ("diat/barn/untold", {"th1": [1]}),
            ("diat/barn/up", {}),
            ("diat/clock", {"t": 1}),
            ("diat/things/1/properties/x", 5),
            ("homeassistant/status", "online"),
            ("", -5),
            ("", "9" * 400),
            ("wot/td/ghost", {"title": 5}),
            ("diat/ghost/properties", {"v": {"a": 1}}),
        ],
    )
    def test_what_has_no_place_in_a_frame_harms_nothing(self, core, gateway, line, thing, clock, topic, body):
        core.take(self.frame((topic, body)))
        gateway.take(report(1, 20, clock.now))
        line.run()
        assert values(core, thing) == [20]

    def test_what_is_replayed_counts_once(self, core, gateway, line, thing, clock):
        gateway.take(report(1, 20, clock.now))
        assert line.frame(times=3)
        assert values(core, thing) == [20]

    def test_a_thing_that_is_no_gateway_passes_nothing_on(self, core):
        core.take(("wot/td/own", OWN))
        core.take(("diat/own/up", frame.frame([("wot/td/x", json.dumps(OWN).encode())])))
        with pytest.raises(NotFound):
            core.things.registry.get("urn:dev:x")

    def test_only_a_gateway_can_be_given_a_thing(self, core, thing):
        with pytest.raises(Invalid):
            core.change(lambda: core.things.tiers.move(thing, "nowhere"))


class TestWhatFailsToBeStored:
    """A batch that does not get into the database has left no trace, and is tried again."""

    @pytest.fixture
    def gateway(self, tmp_path, clock):
        made = Gateway(tmp_path / "barn", clock, usual=Rule(every=900.0))
        yield made
        made.stop()

    def test_what_was_due_is_still_due(self, core, gateway, line, thing, clock):
        for n in (1, 2):
            clock.now += 1000
            gateway.take(report(n, n, clock.now))
        rows, size = gateway.uplink.lanes.rows, gateway.uplink.lanes.bytes
        clock.now += 900_000
        gateway.things.tick(gateway.time())
        gateway.change_that_fails(lambda: gateway.uplink.say("diat/barn/parts/s1", b"{}"))
        assert (gateway.uplink.lanes.rows, gateway.uplink.lanes.bytes, gateway.uplink.lanes.marks) == (
            rows,
            size,
            [],
        )
        gateway.tick()
        line.run()
        assert values(core, thing) == [1, 2]

    def test_a_mark_is_a_mark_after_a_restart(self, core, gateway, line, thing):
        gateway.change(lambda: gateway.uplink.say("diat/barn/parts/s1", b"{}"))
        gateway.restart()
        assert len(gateway.uplink.lanes.marks) == 1

    def test_rejected_things_hold_nobody_up(self, core, gateway, line, clock):
        core.take(("wot/td/th1", OWN))
        gateway.take(("wot/td/th1", THERMOMETER), ("wot/td/th2", THERMOMETER))
        line.run()
        gateway.take(*(report(n, n, clock.now + n) for n in range(1, 5)))
        body = {"b": 1, "n": 1, "t": clock.now, "v": {"temperature": 5}}
        gateway.take(("diat/th2/properties", body))
        line.run()
        assert values(core, "urn:dev:th2") == [5]
        assert gateway.uplink.lanes.rows > 0
