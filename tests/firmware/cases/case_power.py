"""The power fails at every operation on flash, in every phase of it: promises hold, on every interpreter."""

import asyncio
import json

from boot import choose
from case_commands import Lamp
from case_ring import _drained, _fill
from case_update import _take, _update
from diat_node import journal, ring, store, update
from diat_node.clock import Clock
from diat_node.commands import Commands
from diat_node.journal import Journal
from diat_node.ring import Ring
from diat_node.store import Store
from power import WITH_DEEDS, sweep

_NOW = 1_800_000_000_000
_COUNT = 9


def _taker(lamp, folder, at=_NOW):
    clock = Clock()
    clock.tell(at)
    return Commands(lamp.node.perform, lamp.node.repeatable, Journal(folder, clock, 400, 4000), clock), clock


def _command(number):
    # The first are over when the last come: then the files of the journal take turns.
    return json.dumps(
        {"id": "c%d" % number, "input": number, "expires": _NOW + (5 if number < 6 else 60) * 1000}
    )


async def test_each_command_is_done_once_wherever_the_power_fails():
    def scenario(folder):
        lamp, answers = Lamp(), {}

        async def go():
            commands, clock = _taker(lamp, folder)
            for number in range(1, _COUNT):
                if number == 6:
                    clock.tell(_NOW + 6000)
                answers["c%d" % number] = None
                answers["c%d" % number] = await commands.take("blink", _command(number).encode())
                await asyncio.sleep(0)

        return (lamp, answers), go()

    async def check(folder, result, cut):
        lamp, answers = result
        before, under_way = list(lamp.done), [each for each in answers if answers[each] is None]
        late = "c6" in answers
        commands, _ = _taker(lamp, folder, _NOW + (6000 if late else 0))
        # A broker brings again what was not acknowledged, at most what was under way; and more come.
        doubts = []
        for number in range(_COUNT - 3 if late else 1, _COUNT):
            which = "c%d" % number
            said = json.loads(await commands.take("blink", _command(number).encode()))
            assert said["id"] == which
            if answers.get(which):
                assert said == json.loads(answers[which]), (cut, said)
            if said["status"] == "in-doubt":
                doubts.append(which)
            else:
                assert said["status"] == "completed" and number in lamp.done, (cut, said)
        assert sorted(lamp.done) == sorted(set(lamp.done)), (cut, lamp.done)
        # Only of what was being done nobody can know, and not if its beginning was not noted yet.
        assert doubts == [] or doubts == under_way, (cut, doubts, under_way)
        if doubts and cut[2:] == ("journal write", "before"):
            assert int(doubts[0][1:]) in before, (cut, doubts)
        await asyncio.sleep(0)

    crossed = await sweep("pj", (journal, store), scenario, check, WITH_DEEDS)
    assert crossed.count("journal open wb") == 2, crossed


async def test_the_ring_gives_each_number_once_wherever_the_power_fails():
    def scenario(folder):
        taken = []

        async def go():
            kept = Ring(7, folder, size=400, segments=2)
            for _ in range(4):
                _fill(kept, 14)
                records = kept.peek()
                # Told to the broker, then to the ring: between the two it may come again.
                taken.extend([each[1] for each in records])
                kept.done(7, records[-1][1])
                while kept.lost and len(taken) > 20:
                    lost = tuple(kept.lost[0])
                    taken.extend(range(lost[1], lost[2] + 1))
                    kept.told(*lost)
            kept.spill()

        return taken, go()

    async def check(folder, taken, cut):
        kept = Ring(8, folder, size=400, segments=2)
        found, lost = _drained(kept)
        numbers = [n for boot, n in found]
        assert numbers == sorted(set(numbers)), (cut, numbers)
        known = {0} | set(taken) | set(numbers)
        for born, first, last in lost:
            assert born == 7 and 0 < first <= last <= 56, (cut, lost)
            # Told as lost first and then removed: in between it is both, and nothing is missing.
            known |= set(range(first, last + 1))
        assert known == set(range(max(known) + 1)), (cut, known, lost)
        kept.push(b"1", 1)
        assert kept.spill() and len(Ring(9, folder, size=400, segments=2)) == 1
        await asyncio.sleep(0)

    crossed = await sweep("pr", (ring, store), scenario, check)
    assert "ring remove" in crossed and "store rename" in crossed


async def test_a_fact_is_the_old_or_the_new_wherever_the_power_fails():
    def scenario(folder):
        saved = [None]

        async def go():
            facts = Store(folder)
            for fact in ({"a": 1}, [1, 2, 3], "three"):
                saved.append(fact)
                facts.save("fact", fact)

        return saved, go()

    async def check(folder, saved, cut):
        assert Store(folder).load("fact") in saved[-2:], (cut, saved)

    await sweep("ps", (store,), scenario, check)


async def test_some_version_runs_wherever_the_power_fails():
    def scenario(folder):
        state = []

        async def go():
            kept = _update(folder)
            state.append("taking")
            await _take(kept, 2)
            state.append("taken")
            choose(folder)
            kept.keep()
            state.append("kept")

        return state, go()

    async def check(folder, state, cut):
        runs = choose(folder)
        assert runs in (folder + "/a", folder + "/b"), runs
        if runs.endswith("b"):
            with open(folder + "/b/diat_node/life.mpy", "rb") as file:
                assert file.read() == b"new life" * 100, cut
        assert ("taken" in state) <= runs.endswith("b"), (cut, state)
        again = _update(folder)
        if again.state["n"] < 2:
            await _take(again, 2)
            assert choose(folder).endswith("b") and again.keep()
        await asyncio.sleep(0)

    await sweep("pu", (update, store), scenario, check)
