"""Commands: done once, answered always, whatever comes."""

import json

from diat_node.clock import Clock
from diat_node.commands import Commands
from diat_node.journal import Journal
from diat_node.node import Node


class Lamp:
    def __init__(self):
        self.done = []
        self.sent = []
        node = self.node = Node("lamp")
        node.life = self
        node.property("on", lambda: True, lambda value: self.done.append(value), type="boolean")
        node.property("level", write=self.done.append, type="integer", minimum=0, maximum=9)
        node.property("seen", lambda: 1)
        node.action("blink", self.done.append, input={"type": "integer", "minimum": 1})
        node.action("toggle", lambda: self.done.append("toggle"))
        node.action("measure", lambda: {"volts": 3.3}, safe=True)
        node.action("fail", self.fail)
        node.action("large", lambda: "x" * 5000)

    def send(self, each, value):
        self.sent.append((each.name, value))

    def fail(self):
        raise OSError(5)


def _commands(lamp, folder=None, clock=None):
    clock = clock or Clock()
    return Commands(lamp.node.perform, lamp.node.repeatable, Journal(folder, clock), clock)


async def _take(commands, name, command, **more):
    payload = command if isinstance(command, bytes) else json.dumps(command).encode()
    answer = await commands.take(name, payload, **more)
    return answer and json.loads(answer)


async def test_a_command_is_done_once_and_a_repeat_gets_the_same_answer():
    lamp = Lamp()
    commands = _commands(lamp, "j1")
    for _ in range(3):
        assert await _take(commands, "toggle", {"id": "1"}) == {"id": "1", "status": "completed"}
    assert lamp.done == ["toggle"]


async def test_an_answer_outlives_a_start():
    lamp = Lamp()
    first = await _take(_commands(lamp, "j2"), "measure", {"id": "1"})
    assert first["output"] == {"volts": 3.3}
    await _take(_commands(lamp, "j2"), "blink", {"id": "2", "input": 4})
    again = _commands(lamp, "j2")
    assert await _take(again, "measure", {"id": "1"}) == first
    assert await _take(again, "blink", {"id": "2", "input": 4}) == {"id": "2", "status": "completed"}
    assert lamp.done == [4]


async def test_power_cut_between_doing_and_noting_is_in_doubt_and_not_done_again():
    lamp = Lamp()
    journal = Journal("j3", Clock())
    assert journal.begin("1")
    commands = _commands(lamp, "j3")
    assert (await _take(commands, "toggle", {"id": "1"}))["status"] == "in-doubt"
    assert lamp.done == []
    # What may be repeated is, for it was never noted as begun.
    assert (await _take(commands, "", {"id": "2", "v": {"on": True}}))["status"] == "completed"


async def test_too_late_is_expired_and_without_the_time_nothing_is_done():
    lamp, clock = Lamp(), Clock()
    commands = _commands(lamp, clock=clock)
    assert (await _take(commands, "toggle", {"id": "0", "expires": 1}))["status"] == "failed"
    clock.tell(1_800_000_000_000)
    late = {"id": "1", "expires": 1_799_999_999_000}
    assert await _take(commands, "toggle", late) == {"id": "1", "status": "expired"}
    assert (await _take(commands, "toggle", {"id": "2", "expires": 1_800_000_009_000}))[
        "status"
    ] == "completed"
    assert lamp.done == ["toggle"]


async def test_what_cannot_be_done_is_answered_with_why():
    lamp = Lamp()
    commands = _commands(lamp)
    wrong = [
        ("none", {"id": "1"}, "there is no action none"),
        ("blink", {"id": "2", "input": "x"}, "input must be of type integer"),
        ("blink", {"id": "3", "input": 0}, "must be 1 to any"),
        ("blink", {"id": "4"}, "input must be of type integer"),
        ("blink", {"id": "5", "input": True}, "input must be of type integer"),
        ("", {"id": "6"}, "v must be an object"),
        ("", {"id": "7", "v": {"seen": 1}}, "cannot be set: seen"),
        ("", {"id": "8", "v": {"on": 1}}, "on must be of type boolean"),
        ("", {"id": "9", "v": {"level": 10}}, "level must be 0 to 9"),
        ("toggle", {"id": "10", "expires": "soon"}, "expires must be"),
        ("fail", {"id": "11"}, "5"),
        ("blink", b'{"id": "12", nonsense', "not JSON"),
    ]
    for name, command, error in wrong:
        answer = await _take(commands, name, command)
        assert answer["status"] == "failed" and error in answer["error"], answer
    assert lamp.done == []


async def test_a_set_of_several_values_is_checked_before_any_is_set():
    lamp = Lamp()
    commands = _commands(lamp)
    assert (await _take(commands, "", {"id": "1", "v": {"level": 3, "on": 5}}))["status"] == "failed"
    assert lamp.done == []
    assert (await _take(commands, "", {"id": "2", "v": {"level": 3, "on": True}}))["status"] == "completed"
    assert sorted(lamp.sent) == [("level", 3), ("on", True)]


async def test_who_gives_no_id_gets_no_answer_and_nothing_is_done():
    lamp = Lamp()
    commands = _commands(lamp)
    for nonsense in (b"", b"[]", b"null", b"{}", b'{"id": 5}', b'{"id": ""}', b"\xff\xfe", b"[" * 2000):
        assert await commands.take("toggle", nonsense) is None
    assert await _take(commands, "toggle", {"id": "x" * 65}) is None
    assert lamp.done == [] and commands.dropped == 9


async def test_what_is_too_large_is_answered_if_its_id_comes_first():
    commands = _commands(Lamp())
    start = b'{"id": "big", "input": "' + b"x" * 300
    answer = await _take(commands, "blink", start, whole=False)
    assert answer == {"id": "big", "status": "failed", "error": "too large"}
    assert await _take(commands, "blink", b'{"input": "' + b"x" * 300, whole=False) is None


async def test_an_output_too_large_is_done_and_said_so():
    commands = _commands(Lamp())
    answer = await _take(commands, "large", {"id": "1"})
    assert answer["status"] == "completed" and answer["error"] == "output too large"


def test_the_journal_is_bounded_and_knows_the_last():
    journal = Journal("j4", Clock(), 1500, 3000)
    for i in range(300):
        which = "command-%d" % i
        journal.begin(which)
        journal.finish(which, b'{"id":"%s","status":"completed"}' % which.encode())
    import os

    assert sum([os.stat("j4/" + n)[6] for n in os.listdir("j4")]) < 3600
    for known in (journal, Journal("j4", Clock(), 1500, 3000)):
        assert b'"command-299"' in known.answer("command-299")
        assert b'"command-290"' in known.answer("command-290")
        assert known.answer("command-3") is None


def test_a_torn_line_of_the_journal_harms_only_itself():
    journal = Journal("j5", Clock())
    journal.finish("1", b'{"id":"1","status":"completed"}')
    journal.finish("2", b'{"id":"2","status":"completed"}')
    import os

    name = [n for n in os.listdir("j5")][0]
    with open("j5/" + name, "rb") as file:
        data = file.read()
    with open("j5/" + name, "wb") as file:
        file.write(data[:-8])
    journal = Journal("j5", Clock())
    assert journal.answer("1") and journal.answer("2") is None
    journal.finish("3", b'{"id":"3","status":"completed"}')
    assert Journal("j5", Clock()).answer("3") and Journal("j5", Clock()).answer("1")


def test_nothing_is_forgotten_before_it_has_expired():
    clock = Clock()
    clock.tell(1_800_000_000_000)
    journal, begun = Journal("j6", clock, 500, 4000), 0
    while journal.begin("c%d" % begun, 1_800_000_060_000):
        journal.finish("c%d" % begun, b'{"id":"c%d","status":"completed"}' % begun, 1_800_000_060_000)
        begun += 1
    assert 30 < begun < 200
    for known in (journal, Journal("j6", clock, 500, 4000)):
        for i in range(begun):
            assert known.answer("c%d" % i), i
        # Full: no more is begun, until what is there has expired.
        assert not known.begin("more", 1_800_000_060_000)
    clock.tell(1_800_000_061_000)
    journal = Journal("j6", clock, 500, 4000)
    assert journal.begin("more", 1_800_000_120_000)
    journal.finish("more", b'{"id":"more","status":"completed"}', 1_800_000_120_000)
    assert Journal("j6", clock, 500, 4000).answer("more")
