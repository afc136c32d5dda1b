"""Invariant: each message ``(boot, n)`` of a thing is accepted once, in whatever order and however often it
arrives, for the last ``BOOTS`` boots and up to ``GAPS`` gaps in each; past these bounds it is still never
accepted twice within a boot that is remembered.
"""

from hypothesis import given
from hypothesis import strategies as st

from diat.adapters.sql.rows import read_twin, text
from diat.vol.twin import BOOTS, GAPS, Mark, Reading, Twin

boots = st.sampled_from([str(boot) for boot in range(BOOTS)])
# So few numbers that gaps close again, and that there are never more gaps than a mark keeps.
few = st.integers(1, 2 * GAPS)
many = st.integers(1, 2**63 - 1) | st.integers(1, 1000)


def ranges(numbers):
    return st.tuples(numbers, numbers).map(lambda pair: (min(pair), max(pair)))


def happenings(numbers):
    """Arrivals of ``(boot, n)``, reports that a range was given up, and restarts."""
    return st.lists(
        st.tuples(st.just("arrive"), boots, numbers)
        | st.tuples(st.just("arrive"), boots, numbers)
        | st.tuples(st.just("lost"), boots, ranges(numbers))
        | st.just(("restart", "", 0)),
        max_size=120,
    )


def restarted(twin):
    """What the next start makes of it."""
    return read_twin(text(twin))


@given(happenings(few))
def test_each_message_is_accepted_once(happened):
    twin, seen = Twin(), {}
    for what, boot, n in happened:
        if what == "restart":
            twin = restarted(twin)
        elif what == "lost":
            twin.give_up(boot, *n)
            seen.setdefault(boot, set()).update(range(n[0], n[1] + 1))
        else:
            assert twin.first_time(boot, n) == (n not in seen.setdefault(boot, set()))
            seen[boot].add(n)
    missing = [(boot, n) for boot, low, high in twin.missing() for n in range(low, high + 1)]
    assert sorted(missing) == sorted(
        (boot, n) for boot, known in seen.items() for n in range(1, max(known)) if n not in known
    )


@given(st.data())
def test_any_order_and_any_number_of_repeats_gives_the_same(data):
    """All of 1 to high, shuffled, with repeats: each once, no gap left."""
    high = data.draw(st.integers(1, 2 * GAPS))
    repeats = data.draw(st.lists(st.integers(1, high), max_size=50))
    arrivals = data.draw(st.permutations([*range(1, high + 1), *repeats]))
    twin = Twin()
    accepted = [n for n in arrivals if twin.first_time("b", n)]
    assert sorted(accepted) == list(range(1, high + 1))
    assert twin.marks == {"b": Mark(high)}


@given(happenings(many))
def test_past_the_bounds_nothing_is_accepted_twice(happened):
    twin, accepted = Twin(), set()
    for what, boot, n in happened:
        if what == "restart":
            twin = restarted(twin)
        elif what == "lost":
            twin.give_up(boot, *n)
        elif twin.first_time(boot, n):
            assert (boot, n) not in accepted
            accepted.add((boot, n))
        assert len(twin.marks) <= BOOTS
        for mark in twin.marks.values():
            assert len(mark.gaps) <= GAPS
            _is_in_order(mark)


def _is_in_order(mark):
    """Gaps are apart, ascending and below the highest."""
    edges = [edge for gap in mark.gaps for edge in gap]
    assert edges == sorted(edges)
    assert all(low <= high for low, high in mark.gaps)
    assert all(high + 1 < low for (_, high), (low, _) in zip(mark.gaps, mark.gaps[1:], strict=False))
    assert not edges or edges[-1] < mark.high


@given(st.integers(GAPS + 1, 3 * GAPS), st.randoms(use_true_random=False))
def test_more_gaps_than_are_kept_give_up_the_lowest(count, chance):
    """Every second number is missing: what is still waited for are the newest gaps."""
    twin = Twin()
    for n in range(2, 2 * count + 1, 2):
        assert twin.first_time("b", n)
    late = list(range(1, 2 * count, 2))
    kept = set(late[-GAPS:])
    chance.shuffle(late)
    assert {n for n in late if twin.first_time("b", n)} == kept


@given(st.lists(st.text(max_size=3), min_size=1, max_size=3 * BOOTS))
def test_the_last_boots_are_remembered(names):
    twin = Twin()
    order = []
    for boot in names:
        known = boot in order
        assert twin.first_time(boot, 1) is not known
        if not known:
            order = [*order, boot][-BOOTS:]
        assert list(twin.marks) == order


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 5000)), min_size=1, max_size=40))
def test_a_thing_without_a_clock_is_dated_by_the_newest_of_its_boot(arrivals):
    """The newest is dated on arrival; what is older by ``u`` lies as much before the newest one's arrival."""
    twin, now = Twin(), 1_750_000_000_000
    newest = None
    for uptime, later in arrivals:
        now += later
        dated = twin.date("b", uptime, now)
        if newest is None or uptime >= newest[0]:
            newest = (uptime, now)
            assert dated == now
        else:
            assert dated == newest[1] - (newest[0] - uptime)
        assert dated <= now
        twin = restarted(twin)


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=20, unique=True), st.integers(0, 1000))
def test_a_backlog_keeps_its_distances(uptimes, boots_before):
    """Messages of one boot, newest first, are dated as far apart as they were observed."""
    twin = Twin()
    for boot in range(boots_before % (2 * BOOTS)):
        twin.date(f"earlier {boot}", 10**9, 5)
    newest, *rest = sorted(uptimes, reverse=True)
    start = twin.date("b", newest, 10**12)
    for uptime in rest:
        assert start - twin.date("b", uptime, 10**12 + 7) == newest - uptime
    assert len(twin.anchors) <= BOOTS


@given(st.data())
def test_boots_are_dated_apart(data):
    arrivals = data.draw(st.lists(st.tuples(boots, st.integers(0, 10**6)), max_size=30))
    together, apart = Twin(), {}
    for now, (boot, uptime) in enumerate(arrivals, start=10**9):
        alone = apart.setdefault(boot, Twin())
        assert together.date(boot, uptime, now) == alone.date(boot, uptime, now)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers()), max_size=20))
def test_the_newest_reading_stays_in_whatever_order_they_come(said):
    """By (t, n): readings of one millisecond are told apart by ``n``."""
    twin = Twin()
    readings = [Reading(value, at, 10**6, "good", n) for at, n, value in said]
    for reading in readings:
        before = twin.values.get("x")
        learned = twin.learn("x", reading)
        assert (twin.values["x"] is reading) == learned
        assert learned or before is twin.values["x"]
    if readings:
        kept = twin.values["x"]
        assert (kept.observed, kept.n) == max((r.observed, r.n) for r in readings)


@given(happenings(few))
def test_a_copy_changes_nothing_in_what_it_was_taken_of(happened):
    twin = Twin()
    twin.first_time("0", 1)
    twin.date("0", 5, 5)
    before = text(twin)
    copy = twin.copy()
    for what, boot, n in happened:
        if what == "arrive":
            copy.first_time(boot, n)
            copy.date(boot, n, n)
            copy.learn(boot, Reading(n, n, n))
            copy.turn("online", n)
            copy.sources[boot] = True
        elif what == "lost":
            copy.give_up(boot, *n)
    assert text(twin) == before
