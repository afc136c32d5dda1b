"""Records that wait: bounded, in order, across starts, and what is given up is told."""

import os

from diat_node.ring import Ring


def _fill(ring, count, size=20):
    return [ring.push(b'{"v":%d}' % i + b" " * size, i + 1) for i in range(count)]


def _drained(ring):
    """``(boot, n)`` of all that wait, taken as the drain takes them, and what was lost."""
    found = []
    while True:
        lost = list(ring.lost)
        records = ring.peek()
        if not records:
            return found, lost
        found += [(each[0], each[1]) for each in records]
        ring.done(records[-1][0], records[-1][1])


def test_what_is_pushed_comes_out_in_order():
    ring = Ring(7)
    assert ring.push(b"1", 5) == 1
    assert ring.push(b"2", -1, "pressed") == 2
    ring.push(b"3", 6)
    assert ring.peek() == [(7, 1, 5, "", b"1")]
    ring.done(7, 1)
    assert ring.peek() == [(7, 2, -1, "pressed", b"2")]
    ring.done(7, 2)
    assert [each[1] for each in ring.peek()] == [3]
    assert len(ring) == 1


def test_a_message_holds_so_many_records_and_bytes():
    ring = Ring(7)
    _fill(ring, 20)
    assert len(ring.peek()) == 8
    assert len(ring.peek(most=3)) == 3
    assert len(ring.peek(room=10)) == 1


def test_nothing_is_twice_or_missing_while_it_is_used_as_a_queue():
    ring, given, taken = Ring(7, size=300), 0, []
    for step in range(400):
        ring.push(b"x" * (step % 40), step)
        given += 1
        if step % 3 == 2:
            records = ring.peek()
            taken += [each[1] for each in records]
            ring.done(7, records[-1][1])
    rest, lost = _drained(ring)
    taken += [n for _, n in rest]
    assert lost == [] and taken == list(range(1, given + 1))


def test_without_flash_the_oldest_are_given_up_and_told():
    ring = Ring(7, size=300)
    _fill(ring, 50)
    found, lost = _drained(ring)
    numbers = [n for _, n in found]
    assert numbers == list(range(numbers[0], 51))
    assert lost == [[7, 1, numbers[0] - 1]]
    ring.told(*lost[0])
    assert ring.lost == []


def test_what_overflows_goes_to_flash_and_comes_back_in_order():
    ring = Ring(7, "q", size=400, segments=20)
    _fill(ring, 100)
    assert len([n for n in os.listdir("q") if n.endswith(".seg")]) > 3
    found, lost = _drained(ring)
    assert found == [(7, n) for n in range(1, 101)] and lost == []
    assert [n for n in os.listdir("q") if n.endswith(".seg")] == []


def test_a_start_goes_on_with_what_is_on_flash():
    ring = Ring(7, "q2", size=400, segments=20)
    _fill(ring, 30)
    assert ring.spill()
    ring = Ring(8, "q2", size=400, segments=20)
    _fill(ring, 30)
    found, lost = _drained(ring)
    assert found == [(7, n) for n in range(1, 31)] + [(8, n) for n in range(1, 31)] and lost == []


def test_too_many_segments_give_up_the_oldest_and_that_outlives_a_start():
    ring = Ring(7, "q3", size=400, segments=3)
    _fill(ring, 100)
    ring.spill()
    ring = Ring(8, "q3", size=400, segments=3)
    assert len(ring.lost) == 1 and ring.lost[0][:2] == [7, 1]
    found, lost = _drained(ring)
    assert found == [(7, n) for n in range(lost[0][2] + 1, 101)]


def test_a_damaged_segment_is_given_up_whole():
    ring = Ring(7, "q4", size=400, segments=9)
    _fill(ring, 40)
    ring.spill()
    names = sorted(os.listdir("q4"))
    with open("q4/" + names[1], "rb") as file:
        data = bytearray(file.read())
    data[40] ^= 1
    with open("q4/" + names[1], "wb") as file:
        file.write(data)
    with open("q4/" + names[2], "wb") as file:
        file.write(b"torn")
    ring = Ring(8, "q4", size=400, segments=9)
    found, _ = _drained(ring)
    numbers = [n for _, n in found]
    assert len(numbers) < 40 and numbers == sorted(numbers)
    assert len(ring.lost) == 1
    gone = set(range(ring.lost[0][1], ring.lost[0][2] + 1))
    assert gone and not gone & set(numbers)


def test_what_is_acknowledged_while_it_moves_to_flash_is_gone():
    ring = Ring(7, "q5", size=400, segments=9)
    _fill(ring, 5)
    records = ring.peek()
    _fill(ring, 20)
    ring.done(7, records[-1][1])
    found, lost = _drained(ring)
    assert found == [(7, n) for n in range(records[-1][1] + 1, 26)] and lost == []


def test_what_is_too_large_is_refused_and_takes_no_number():
    ring = Ring(7, size=300)
    ring.push(b"1", 1)
    try:
        ring.push(b"x" * 200, 1)
        raise AssertionError("taken")
    except ValueError:
        pass
    assert ring.push(b"2", 1) == 2 and len(ring) == 2


def test_what_was_told_while_more_is_lost_stays_to_be_told():
    ring = Ring(7, size=300)
    _fill(ring, 50)
    lost = tuple(ring.lost[0])
    _fill(ring, 50)
    ring.told(*lost)
    assert ring.lost[0][1] == lost[2] + 1
