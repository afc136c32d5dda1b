"""The gate to all actuators: what a command becomes, whenever the platform is killed.

The layers are the real ones over a real database. ``House`` is the platform without its threads: it does a
batch when told to, and can be killed after each step of one. ``Lamp`` performs each id once, as native
things do. Time stands still unless it is moved.
"""

import itertools
from collections import Counter
from types import SimpleNamespace

import msgspec
import pytest

from diat.adapters.sql.database import open_database
from diat.adapters.sql.history import History
from diat.adapters.sql.store import SqlStore
from diat.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from diat.kernel.overlay import Ledger
from diat.vol.dialects.homeassistant import HomeAssistant
from diat.vol.dialects.native import Native
from diat.vol.interaction import GRACE, LIFETIME, Order
from diat.vol.layer import VirtualObjectLayer
from diat.wire.envelope import Message, Result, encode

LAMP = "urn:dev:lamp"
PLUG, BLIND, BELL = (f"urn:diat:homeassistant:{name}-1" for name in ("plug", "blind", "bell"))

LAMP_TD = {
    "title": "Lamp",
    "properties": {
        "level": {"type": "integer", "minimum": 0, "maximum": 100, "diat:envelope": {"min": 10, "max": 90}},
        "on": {"type": "boolean", "idempotent": True},
        "power": {"type": "number", "readOnly": True},
    },
    "actions": {"blink": {"input": {"type": "integer"}}, "rest": {}},
}


def entity(component, name, **more):
    config = {"unique_id": name, "device": {"identifiers": [f"{name}-1"], "name": name}, **more}
    return f"homeassistant/{component}/{name}/config", config


ANNOUNCED = (
    ("wot/td/lamp", LAMP_TD),
    entity("switch", "plug", state_topic="plug/state", command_topic="plug/set"),
    entity("switch", "blind", command_topic="blind/set"),
    entity("button", "bell", command_topic="bell/press"),
)


class House:
    """The platform without its threads, over a database that outlives it.

    Attributes:
        now: the time, Unix milliseconds.
        published: what went out to the broker, oldest first, over all lives.
        vol: the Virtual Object Layer of this life.
    """

    def __init__(self, path):
        self.now = 1_000_000_000
        self.published = []
        self.engine = open_database(path)
        self._ids = itertools.count(1)
        self.begin()

    def begin(self):
        """Live (anew) from what the database has."""
        self.store = SqlStore(self.engine)
        self._ledger = Ledger()
        self.vol = VirtualObjectLayer(
            self._ledger,
            [Native(), HomeAssistant()],
            self.store.kept(),
            lambda: self.now,
            lambda: f"c{next(self._ids)}",
        )
        self.handed_over = set()
        self.interaction = self.vol.interaction
        self.interaction.handed_over = self.handed_over
        self.batch(lambda: None)

    def kill(self):
        """End this life without a word."""
        self.store.close()

    def restart(self):
        self.kill()
        self.begin()

    def batch(self, change, *, online=True):
        """Do one batch and send what it wants sent; what ``change`` returned, and the commands sent."""
        try:
            result = change()
            self.store.write(self._ledger)
        except BaseException:
            self._ledger.rollback()
            self.vol.drain()
            raise
        self._ledger.commit()
        sent = self.vol.drain()
        if online:
            self.hand_over(sent)
        return SimpleNamespace(result=result, sent=sent)

    def hand_over(self, sent):
        for command in sent:
            self.published.append(command.message)
            if command.reference:
                self.handed_over.add(command.reference)

    def write_only(self, change):
        """Do one batch and get no further than the commit: nothing is sent."""
        result = change()
        self.store.write(self._ledger)
        return result

    def hear(self, *messages):
        """One batch of ``(topic, body)``."""

        def take():
            for topic, body in messages:
                payload = body if isinstance(body, bytes) else encode(body)
                self.vol.ingest.message(Message(topic, payload, self.now))
            self.vol.ingest.finish(self.now)

        return self.batch(take)

    def set(self, thing, name, value, *, online=True, **more):
        return self.batch(
            lambda: self.interaction.write(thing, name, value, self.now, Order(**more)), online=online
        ).result

    def invoke(self, thing, name, value=None, *, online=True, **more):
        return self.batch(
            lambda: self.interaction.invoke(thing, name, value, self.now, Order(**more)), online=online
        ).result

    def receipt(self, *references):
        self.handed_over.difference_update(references)
        return self.batch(lambda: [self.interaction.receipt(each, self.now) for each in references])

    def connect(self):
        return self.batch(lambda: self.interaction.connected(self.now)).sent

    def pass_time(self, ms):
        """Let time pass, and everything that is due by then happen."""
        self.now += ms
        while (due := self.interaction.due()) is not None and due <= self.now:
            self.batch(lambda: self.interaction.tick(self.now))

    def state(self, reference):
        return self.actuation(reference).state

    def actuation(self, reference):
        return History(self.engine).actuation(reference)

    def commands(self, topic):
        return [msgspec.json.decode(m.payload) for m in self.published if m.topic == topic]

    def payloads(self, topic):
        return [m.payload for m in self.published if m.topic == topic]


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path / "diat.db")
    house.hear(*ANNOUNCED)
    house.connect()
    house.published.clear()
    yield house
    house.kill()
    house.engine.dispose()


def answer(reference, status="completed", **more):
    return "diat/lamp/results", {"id": reference, "status": status, **more}


# --- what is refused, and leaves nothing behind ---


@pytest.mark.parametrize(
    ("thing", "name", "value", "error", "words"),
    [
        ("urn:dev:nobody", "on", True, NotFound, "no thing"),
        (LAMP, "colour", "red", NotFound, "no property 'colour'"),
        (LAMP, "power", 3, Invalid, "read only"),
        (LAMP, "on", "yes", Invalid, "boolean"),
        (LAMP, "level", 101, Invalid, "maximum"),
        (LAMP, "level", 91, Invalid, "safety envelope"),
        (LAMP, "level", 9, Invalid, "safety envelope"),
        (PLUG, "switch", 3, Invalid, "boolean"),
    ],
)
def test_what_a_thing_does_not_take_is_refused(house, thing, name, value, error, words):
    with pytest.raises(error, match=words):
        house.set(thing, name, value)
    assert not house.interaction.outbox.committed
    assert not house.published


def test_an_action_is_refused_by_name_and_by_input(house):
    with pytest.raises(NotFound, match="no action 'jump'"):
        house.invoke(LAMP, "jump")
    with pytest.raises(Invalid, match="integer"):
        house.invoke(LAMP, "blink", "often")
    assert not house.published


def test_a_thing_that_was_not_accepted_is_not_driven(house):
    house.batch(lambda: house.vol.admit(LAMP, "rejected", "a test"))
    with pytest.raises(Conflict, match="rejected"):
        house.set(LAMP, "on", True)


def test_a_set_point_that_is_refused_leaves_the_earlier_one_alone(house):
    earlier = house.set(LAMP, "level", 50, online=False)

    def both():
        with pytest.raises(Invalid):
            house.interaction.write(LAMP, "level", 99, house.now)

    house.batch(both)
    assert house.state(earlier.id) == "pending"


# --- native things ---


def test_a_native_command_is_sent_once_committed_and_closed_by_its_result(house):
    made = house.set(LAMP, "on", True)
    (command,) = house.commands("diat/lamp/set")
    assert command == {"id": made.id, "v": {"on": True}, "expires": house.now + LIFETIME}
    house.receipt(made.id)
    assert house.state(made.id) == "pending"
    assert made.id in house.interaction.sent
    house.now += 40
    house.hear(answer(made.id))
    ended = house.actuation(made.id)
    assert (ended.state, ended.resolved) == ("completed", house.now)
    assert made.id not in house.interaction.outbox.committed, "what ended lives in the database alone"


def test_an_action_carries_its_input_and_brings_its_output(house):
    made = house.invoke(LAMP, "blink", 3)
    (command,) = house.commands("diat/lamp/actions/blink")
    assert command["input"] == 3
    house.hear(answer(made.id, output={"blinked": 3}))
    assert house.actuation(made.id).output == {"blinked": 3}


def test_an_action_without_input_carries_none(house):
    house.invoke(LAMP, "rest")
    assert "input" not in house.commands("diat/lamp/actions/rest")[0]


@pytest.mark.parametrize("status", ["completed", "failed", "expired", "in-doubt"])
def test_the_thing_says_how_it_ended(house, status):
    made = house.set(LAMP, "on", True)
    house.hear(answer(made.id, status, error="why not"))
    assert house.actuation(made.id).state == status
    assert house.actuation(made.id).error == "why not"


def test_the_first_result_counts(house):
    made = house.set(LAMP, "on", True)
    house.hear(answer(made.id, "failed", error="no"))
    house.hear(answer(made.id))
    assert house.state(made.id) == "failed"


def test_a_result_of_another_thing_closes_nothing(house):
    house.hear(("wot/td/other", {"title": "Other", "properties": {"on": {"type": "boolean"}}}))
    made = house.set(LAMP, "on", True)
    house.hear(("diat/other/results", {"id": made.id, "status": "completed"}))
    assert house.state(made.id) == "pending"


def test_those_who_wait_are_told_when_the_end_is_durable(house):
    def give():
        made = house.interaction.write(LAMP, "on", True, house.now)
        return made, house.interaction.endings.of(made.id)

    made, end = house.batch(give).result
    house.interaction.result(LAMP, Result(made.id, "completed"), house.now)
    assert not end.done(), "not committed yet"
    house.batch(lambda: None)
    assert end.result(0).state == "completed"


def test_those_who_wait_are_not_told_of_an_end_that_was_dropped(house):
    def give():
        made = house.interaction.write(LAMP, "on", True, house.now)
        return made, house.interaction.endings.of(made.id)

    made, end = house.batch(give).result

    def fail():
        house.interaction.result(LAMP, Result(made.id, "completed"), house.now)
        raise Unavailable("no room")

    with pytest.raises(Unavailable):
        house.batch(fail)
    house.batch(lambda: None)
    assert not end.done()
    house.hear(answer(made.id))
    assert end.result(0).state == "completed"


# --- time ---


def test_what_was_never_handed_over_expires(house):
    made = house.set(LAMP, "on", True, online=False)
    house.pass_time(LIFETIME + GRACE - 1)
    assert house.state(made.id) == "pending"
    house.pass_time(1)
    assert house.state(made.id) == "expired"
    assert house.connect() == []


def test_what_was_handed_over_and_not_answered_is_in_doubt(house):
    made = house.set(LAMP, "on", True)
    house.pass_time(LIFETIME + GRACE)
    assert house.state(made.id) == "in-doubt"


def test_what_the_broker_had_and_was_not_answered_is_in_doubt(house):
    made = house.set(LAMP, "on", True)
    house.receipt(made.id)
    house.pass_time(LIFETIME + GRACE)
    assert house.state(made.id) == "in-doubt"


def test_a_command_lives_as_long_as_its_sender_says(house):
    made = house.set(LAMP, "on", True, lifetime=500)
    assert house.commands("diat/lamp/set")[0]["expires"] == house.now + 500
    house.pass_time(499 + GRACE)
    assert house.state(made.id) == "pending"
    house.pass_time(1)
    assert house.state(made.id) == "in-doubt"


def test_an_end_that_could_not_be_stored_is_looked_at_again(house):
    made = house.set(LAMP, "on", True)
    house.now += LIFETIME + GRACE

    def fail():
        house.interaction.tick(house.now)
        raise Unavailable("no room")

    with pytest.raises(Unavailable):
        house.batch(fail)
    assert house.state(made.id) == "pending"
    house.pass_time(1000)
    assert house.state(made.id) == "in-doubt"


def test_nothing_is_sent_after_its_time(house):
    house.set(LAMP, "on", True, online=False)
    house.now += LIFETIME
    assert house.connect() == []


# --- set-points replace one another ---


def test_a_newer_set_point_replaces_an_unsent_one(house):
    first = house.set(LAMP, "level", 20, online=False)
    second = house.set(LAMP, "level", 30, online=False)
    third = house.set(LAMP, "level", 40, online=False)
    assert [house.state(each.id) for each in (first, second, third)] == ["expired", "expired", "pending"]
    assert third.id not in (house.actuation(first.id).error or "")
    assert second.id in house.actuation(first.id).error
    house.connect()
    assert [c["v"] for c in house.commands("diat/lamp/set")] == [{"level": 40}]


def test_only_the_last_of_one_batch_is_sent(house):
    """What is called expired was certainly not performed: so it must not be sent."""
    levels = (20, 30, 40)
    made = house.batch(lambda: [house.interaction.write(LAMP, "level", v, house.now) for v in levels]).result
    assert [house.state(each.id) for each in made] == ["expired", "expired", "pending"]
    assert [c["v"] for c in house.commands("diat/lamp/set")] == [{"level": 40}]


def test_another_property_and_another_thing_are_not_replaced(house):
    first = house.set(LAMP, "level", 20, online=False)
    house.set(LAMP, "on", True, online=False)
    house.set(PLUG, "switch", True, online=False)
    assert house.state(first.id) == "pending"


def test_actions_do_not_replace_one_another(house):
    made = [house.invoke(LAMP, "blink", n, online=False) for n in (1, 2, 3)]
    assert {house.state(each.id) for each in made} == {"pending"}
    house.connect()
    assert [c["input"] for c in house.commands("diat/lamp/actions/blink")] == [1, 2, 3]


def test_one_on_its_way_is_not_called_unsent(house):
    first = house.set(LAMP, "level", 20)
    house.set(LAMP, "level", 30)
    assert house.state(first.id) == "pending"
    house.hear(answer(first.id))
    assert house.state(first.id) == "completed"


# --- foreign things ---


def test_a_foreign_set_point_is_confirmed_by_its_reading(house):
    made = house.set(PLUG, "switch", True)
    assert house.payloads("plug/set") == [b"ON"]
    house.receipt(made.id)
    assert house.state(made.id) == "pending", "that the broker has it confirms nothing"
    house.hear(("plug/state", b"OFF"))
    assert house.state(made.id) == "pending"
    house.hear(("plug/state", b"ON"))
    assert house.state(made.id) == "completed"


def test_the_reading_may_come_before_the_receipt(house):
    made = house.set(PLUG, "switch", True)
    house.hear(("plug/state", b"ON"))
    house.receipt(made.id)
    assert house.state(made.id) == "completed"


def test_what_nothing_confirms_ends_when_the_broker_has_it(house):
    blind, bell = house.set(BLIND, "switch", True), house.invoke(BELL, "button")
    assert house.state(blind.id) == house.state(bell.id) == "pending"
    house.receipt(blind.id, bell.id)
    assert house.state(blind.id) == house.state(bell.id) == "completed"


def test_a_foreign_set_point_that_waits_is_overtaken(house):
    first = house.set(PLUG, "switch", True)
    house.receipt(first.id)
    second = house.set(PLUG, "switch", False)
    house.receipt(second.id)
    assert house.state(first.id) == "in-doubt"
    assert second.id in house.actuation(first.id).error
    house.hear(("plug/state", b"OFF"))
    assert house.state(second.id) == "completed"


def test_a_confirmation_after_the_end_changes_nothing(house):
    made = house.set(PLUG, "switch", True)
    house.pass_time(LIFETIME + GRACE)
    assert house.state(made.id) == "in-doubt"
    house.hear(("plug/state", b"ON"))
    assert house.state(made.id) == "in-doubt"


# --- the connection comes and goes ---


def test_what_was_not_sent_is_sent_once_there_is_a_connection(house):
    made = house.set(LAMP, "on", True, online=False)
    assert [c.reference for c in house.connect()] == [made.id]
    assert house.connect() == [], "the link has it and sends it again by itself"
    house.receipt(made.id)
    assert house.connect() == [], "the broker has it"


def test_a_command_whose_way_is_gone_does_not_stop_the_others(house):
    """Its thing was announced anew without the affordance, before there was a connection."""
    gone = house.set(PLUG, "switch", True, online=False)
    topic, config = entity("sensor", "plug", state_topic="plug/state")
    house.hear((ANNOUNCED[1][0], b""), (topic, config))
    made = house.set(LAMP, "on", True, online=False)
    assert [c.reference for c in house.connect()] == [made.id]
    assert house.state(gone.id) in ("expired", "failed")


# --- killed and started again ---


def test_a_native_command_is_sent_again_after_a_restart(house):
    made = house.set(LAMP, "on", True)
    house.receipt(made.id)
    house.restart()
    assert [c.reference for c in house.connect()] == [made.id]
    house.hear(answer(made.id))
    assert house.state(made.id) == "completed"


def test_a_foreign_set_point_is_awaited_after_a_restart_and_may_be_repeated(house):
    made = house.set(PLUG, "switch", True)
    house.receipt(made.id)
    house.restart()
    assert [c.reference for c in house.connect()] == [made.id]
    house.hear(("plug/state", b"ON"))
    assert house.state(made.id) == "completed"


def test_a_confirmation_counts_that_comes_before_the_subscription_is_answered(house):
    """A broker that kept the session sends what waits in it at once."""
    made = house.set(PLUG, "switch", True)
    house.receipt(made.id)
    house.restart()
    house.hear(("plug/state", b"ON"))
    assert house.state(made.id) == "completed"


def test_a_foreign_set_point_of_unknown_fate_is_sent_again(house):
    made = house.set(PLUG, "switch", True)
    house.restart()
    assert [c.reference for c in house.connect()] == [made.id]
    house.hear(("plug/state", b"ON"))
    assert house.state(made.id) == "completed"


def test_a_press_of_unknown_fate_is_in_doubt_and_not_repeated(house):
    made = house.invoke(BELL, "button")
    house.restart()
    assert house.connect() == []
    assert house.state(made.id) == "in-doubt"
    assert house.payloads("bell/press") == [b"PRESS"]


def test_it_stays_in_doubt_when_the_first_batch_after_the_restart_fails(house):
    """The batch is tried again; what is not known must not be forgotten by the failure."""
    made = house.invoke(BELL, "button")
    house.restart()

    def fail():
        house.interaction.connected(house.now)
        raise Unavailable("no room")

    with pytest.raises(Unavailable):
        house.batch(fail)
    assert house.connect() == []
    assert house.state(made.id) == "in-doubt"


def test_a_command_of_unknown_fate_is_never_called_unperformed(house):
    """It may have been sent before the kill; by the time of the restart its time is over."""
    made = house.set(LAMP, "on", True)
    house.kill()
    house.now += LIFETIME + GRACE + 1
    house.begin()
    house.pass_time(0)
    house.connect()
    house.pass_time(LIFETIME)
    assert house.state(made.id) == "in-doubt"
    assert len(house.commands("diat/lamp/set")) == 1


def test_a_result_that_waited_with_the_broker_counts_after_a_long_stop(house):
    """The platform was away past the command's time; the broker kept the thing's answer."""
    made = house.set(LAMP, "on", True)
    house.receipt(made.id)
    house.kill()
    house.now += LIFETIME + GRACE + 1
    house.begin()
    house.pass_time(0)
    house.connect()
    house.hear(answer(made.id))
    assert house.state(made.id) == "completed"


def test_set_points_of_unknown_fate_never_come_in_another_order(house):
    """The older of two set-points must not be performed after the newer one."""
    made = [house.set(LAMP, "level", value) for value in (20, 30, 40)]
    house.published.clear()
    house.restart()
    house.connect()
    assert [c["v"]["level"] for c in house.commands("diat/lamp/set")][-1] == 40
    sent = [c["id"] for c in house.commands("diat/lamp/set")]
    assert sent == sorted(sent, key=[each.id for each in made].index)


def test_the_order_holds_however_ids_sort(house):
    ids = ["z", "m", "a"]
    for reference, value in zip(ids, (20, 30, 40), strict=True):
        house.set(LAMP, "level", value, command_id=reference)
    house.published.clear()
    house.restart()
    house.connect()
    assert [c["v"]["level"] for c in house.commands("diat/lamp/set")][-1] == 40


def test_a_set_point_that_overtakes_one_of_unknown_fate_does_not_call_it_unperformed(house):
    first = house.set(LAMP, "level", 20)
    house.restart()
    house.set(LAMP, "level", 30, online=False)
    assert house.state(first.id) != "expired"
    house.hear(answer(first.id))
    assert house.state(first.id) == "completed"
    house.published.clear()
    house.connect()
    assert [c["v"]["level"] for c in house.commands("diat/lamp/set")][-1] == 30


def test_a_command_whose_way_is_gone_does_not_keep_the_platform_from_starting(house):
    gone = house.set(PLUG, "switch", True)
    topic, config = entity("sensor", "plug", state_topic="plug/state")
    house.hear((ANNOUNCED[1][0], b""), (topic, config))
    house.restart()
    assert house.connect() == []
    assert house.state(gone.id) == "in-doubt"


# --- killed after each step ---


class Lamp:
    """A native thing that performs each id once and answers a repeat with the same result."""

    def __init__(self):
        self.performed = Counter()
        self._answers = {}

    def take(self, command):
        if command["id"] not in self._answers:
            self.performed[command["id"]] += 1
            self._answers[command["id"]] = answer(command["id"], output=command.get("input"))
        return self._answers[command["id"]]


STEPS = ("nothing", "committed", "sent", "performed", "receipt", "result")
"""What has happened when the platform is killed; a batch that was not committed has left nothing."""


@pytest.mark.parametrize("twice", [False, True], ids=["killed once", "killed twice"])
@pytest.mark.parametrize("step", STEPS)
def test_a_native_command_is_performed_once_wherever_the_platform_is_killed(house, step, twice):
    lamp = Lamp()
    give = lambda: house.interaction.invoke(LAMP, "blink", 7, house.now, Order(command_id="c-7"))  # noqa: E731
    reached = STEPS.index(step)
    if reached == 1:
        house.write_only(give)
    elif reached > 1:
        house.batch(give)
    results = [lamp.take(c) for c in house.commands("diat/lamp/actions/blink")] if reached > 2 else []
    if reached > 3:
        house.receipt("c-7")
    if reached > 4:
        house.hear(*results)
    for _ in range(1 + twice):
        house.published.clear() if reached > 2 else None
        house.restart()
        house.connect()
    if reached == 0:
        assert not house.published, "whoever gave it was not answered, and knows that it may not be done"
        return
    # What is on its way arrives, the answer as often as it likes.
    results += [lamp.take(c) for c in house.commands("diat/lamp/actions/blink")]
    house.hear(*results, *results)
    assert lamp.performed == {"c-7": 1}
    assert house.state("c-7") == "completed"
    house.pass_time(LIFETIME + GRACE)
    assert house.state("c-7") == "completed"


@pytest.mark.parametrize("step", ["committed", "sent", "receipt not stored", "receipt"])
def test_a_press_is_sent_at_most_once_wherever_the_platform_is_killed(house, step):
    give = lambda: house.interaction.invoke(BELL, "button", None, house.now, Order(command_id="c-1"))  # noqa: E731
    if step == "committed":
        house.write_only(give)
    else:
        house.batch(give)
    if step == "receipt":
        house.receipt("c-1")
    house.restart()
    house.connect()
    house.pass_time(LIFETIME + GRACE)
    assert len(house.payloads("bell/press")) == (step != "committed")
    assert house.state("c-1") == ("completed" if step == "receipt" else "in-doubt")


@pytest.mark.parametrize("step", ["committed", "sent", "receipt", "reading not stored"])
def test_a_foreign_set_point_ends_as_it_should_wherever_the_platform_is_killed(house, step):
    give = lambda: house.interaction.write(PLUG, "switch", True, house.now, Order(command_id="c-1"))  # noqa: E731
    if step == "committed":
        house.write_only(give)
    else:
        house.batch(give)
    if step in ("receipt", "reading not stored"):
        house.receipt("c-1")
    house.restart()
    house.connect()
    assert house.payloads("plug/set"), "it reached the plug"
    house.hear(("plug/state", b"ON"))
    assert house.state("c-1") == "completed"
