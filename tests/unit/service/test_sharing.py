"""Equal requests share a composite, and each requester ends, rests and changes its own without the others."""

from __future__ import annotations

from collections import defaultdict

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from tests.unit.cvol.conftest import World

BANDS = {"a": (20, 24), "b": (18, 22)}


@pytest.fixture
def warm(world):
    world.sensor("t")
    world.actuator("h")
    world.measure("t", 18)
    return world


def test_the_second_uses_what_the_first_has(warm):
    one = warm.keep()
    assert warm.obey() == [("h", True)]
    two = warm.keep(quantity="air_temperature", low=20.0, unit="°C")
    assert warm.told() == []
    assert warm.services.get(two).composite == one
    assert warm.services.shared_with(warm.services.get(two)) == [one]
    assert list(warm.composites.states.committed) == [one]


def test_ending_the_first_leaves_the_second_at_work(warm):
    one, two = warm.keep(), warm.keep()
    warm.obey()
    warm.delete(one)
    assert warm.told() == []
    assert warm.state(two).state == "running"
    warm.measure("t", 25)
    assert warm.obey() == [("h", False)]
    warm.delete(two)
    assert warm.composites.states.committed == {}


def test_it_rests_when_all_rest(warm):
    one, two = warm.keep(), warm.keep()
    warm.obey()
    warm.pause(one)
    assert warm.told() == []
    warm.pause(two)
    assert warm.obey() == [("h", False)]
    warm.resume(one)
    assert warm.obey() == [("h", True)]


def test_who_wants_something_else_goes_alone(warm):
    one, two = warm.keep(), warm.keep()
    said = {"quantity": "Temperature", "place": "hq/1", "low": 10, "high": 12, "unit": "Cel"}
    warm.batch(lambda: warm.services.replace(one, "mine", "keep-within", said, None))
    assert warm.services.get(one).composite not in (one, two)
    assert warm.services.get(two).composite == one
    assert warm.state(two).state == "running"


def test_who_changes_alone_keeps_the_composite_and_what_it_has_bound(warm):
    one = warm.keep()
    since = warm.state(one).bindings[0].since
    warm.later(5)
    said = {"quantity": "Temperature", "place": "hq/1", "low": 10, "high": 12, "unit": "Cel"}
    warm.batch(lambda: warm.services.replace(one, "mine", "keep-within", said, None))
    assert warm.services.get(one).composite == one
    assert warm.state(one).bindings[0].since == since


def test_an_id_that_comes_again_takes_no_composite_from_anybody(warm):
    def ask(low):
        said = {"quantity": "Temperature", "place": "hq/1", "low": low, "high": 24, "unit": "Cel"}
        return warm.batch(lambda: warm.services.create("s", "keep-within", said, service="key"))

    ask(20)
    other = warm.keep()
    warm.delete("key")
    assert ask(10).composite not in ("key", other)
    assert warm.services.get(other).composite == "key"


def test_what_people_set_is_nobody_elses(world):
    world.template(
        """
        name: armed
        title: T
        parameters: {type: object}
        roles: {}
        settings: {armed: {type: boolean, default: false}}
        steps: [{id: s, do: setting, property: armed}]
        """
    )
    one, two = world.service("armed"), world.service("armed")
    assert world.services.get(two).composite == two != one


def test_it_is_so_after_a_restart(kept_world):
    kept_world.sensor("t")
    kept_world.actuator("h")
    kept_world.measure("t", 18)
    one, two = kept_world.keep(), kept_world.keep()
    kept_world.obey()
    kept_world.delete(one)
    kept_world.restart()
    assert kept_world.services.get(two).composite == one
    three = kept_world.keep()
    assert kept_world.services.get(three).composite == one
    kept_world.delete(two)
    assert kept_world.told() == []
    kept_world.delete(three)
    assert [told[1] for told in kept_world.told()] == [False]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["create", "delete", "pause", "resume", "replace"]),
        st.integers(0, 5),
        st.sampled_from(sorted(BANDS)),
    ),
    max_size=30,
)


@given(steps=STEPS, place=st.just("hq/1"))
@settings(max_examples=60)
def test_any_interleaving_is_as_if_each_were_kept_in_a_book(steps, place):
    """The reference: a dictionary of who wants what; a composite for each different thing that is wanted."""
    world = World()
    world.sensor("t", place=place)
    world.actuator("h", place=place)
    world.measure("t", 18)
    wanted: dict[str, list] = {}
    for what, who, band in steps:
        ids = list(wanted)
        mine = ids[who % len(ids)] if ids else None
        low, high = BANDS[band]
        if what == "create":
            wanted[world.keep(low, high)] = [band, False]
        elif mine is None:
            continue
        elif what == "delete":
            world.delete(mine)
            del wanted[mine]
        elif what == "replace":
            said = {"quantity": "Temperature", "place": place, "low": low, "high": high, "unit": "Cel"}
            world.batch(
                lambda mine=mine, said=said: world.services.replace(mine, "x", "keep-within", said, None)
            )
            wanted[mine][0] = band
        else:
            world.batch(lambda mine=mine, what=what: world.services.pause(mine, what == "pause"))
            wanted[mine][1] = what == "pause"
        _agrees(world, wanted)


def _agrees(world: World, wanted: dict[str, list]) -> None:
    assert {each.id for each in world.services.everything()} == set(wanted)
    used = defaultdict(set)
    for each in world.services.everything():
        band, paused = wanted[each.id]
        assert (each.parameters["low"], each.paused) == (BANDS[band][0], paused)
        used[each.composite].add(each.id)
    # One composite for each band that anybody wants, and no other.
    assert set(used) == set(world.composites.states.committed)
    assert len(used) == len({band for band, _ in wanted.values()})
    for composite, users in used.items():
        assert len({wanted[each][0] for each in users}) == 1
        rests = all(wanted[each][1] for each in users)
        assert (world.composites.states.committed[composite].state == "paused") == rests
        assert set(world.services.sharing.users(composite)) == users
        assert world.composites.composite(composite).title in {world.services.get(u).title for u in users}
