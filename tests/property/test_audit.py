"""Whatever is done to an audit behind its back is found."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diat.kernel.overlay import Ledger
from diat.security.audit import FIRST, Audit, Head, faults

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ENTRIES = st.lists(
    st.tuples(TEXT, TEXT, st.sampled_from(["done", "denied", "permitted"])), min_size=1, max_size=12
)


def written(entries):
    """The rows and the head of an audit."""
    ledger, rows = Ledger(), []
    audit = Audit(ledger, lambda: 1_700_000_000_000)
    for at, (who, did, outcome) in enumerate(entries):
        audit.note(who, did, outcome, why=f"entry {at}")
        if at % 3 == 2:
            rows += [row for log in ledger.logs() for row in log.rows]
            ledger.commit()
    rows += [row for log in ledger.logs() for row in log.rows]
    ledger.commit()
    return rows, audit.head


def changed(row, draw):
    """Another row than it was, in one way or another."""
    no, body, link = row
    what = draw(st.sampled_from(["body", "member", "link", "no"]))
    if what == "no":
        return (no + draw(st.integers(1, 5)) * draw(st.sampled_from([1, -1])), body, link)
    if what == "link":
        at = draw(st.integers(0, 63))
        other = draw(st.sampled_from([c for c in "0123456789abcdef" if c != link[at]]))
        return (no, body, link[:at] + other + link[at + 1 :])
    if what == "member":
        said = json.loads(body)
        name = draw(st.sampled_from(sorted(said)))
        return (no, json.dumps({**said, name: draw(st.just("another"))}), link)
    at = draw(st.integers(0, len(body) - 1))
    return (no, body[:at] + chr((ord(body[at]) + 1) % 0xD7FF) + body[at + 1 :], link)


@given(ENTRIES)
def test_what_is_as_it_was_written_has_no_fault(entries):
    rows, head = written(entries)
    assert list(faults(rows, Head(), head)) == []
    assert len(rows) == len(entries)


@given(ENTRIES, st.data())
def test_any_change_is_found(entries, data):
    rows, head = written(entries)
    at = data.draw(st.integers(0, len(rows) - 1))
    ways = ["change", "remove", "insert", "copy", "swap", "cut", "append", "rewrite"]
    how = data.draw(st.sampled_from(ways))
    spoilt = list(rows)
    if how == "change":
        spoilt[at] = changed(rows[at], data.draw)
    elif how == "remove":
        del spoilt[at]
    elif how in ("insert", "copy"):
        spoilt.insert(at, rows[at] if how == "copy" else changed(rows[at], data.draw))
    elif how == "swap":
        other = data.draw(st.integers(0, len(rows) - 1))
        spoilt[at], spoilt[other] = spoilt[other], spoilt[at]
    elif how == "cut":
        spoilt = spoilt[:at]
    else:
        # Somebody who knows how links are made writes on from there, or appends.
        more = data.draw(ENTRIES)
        start = spoilt[: at if how == "rewrite" else len(spoilt)]
        ledger = Ledger()
        forger = Audit(ledger, lambda: 1, Head(*([start[-1][0], start[-1][2]] if start else [0, FIRST])))
        for who, did, outcome in more:
            forger.note(who, did, outcome)
        spoilt = start + [row for log in ledger.logs() for row in log.rows]
    if spoilt == rows:
        return
    assert list(faults(spoilt, Head(), head)), how


@pytest.mark.parametrize("count", [1, 5000])
def test_what_comes_faster_than_it_is_written_is_counted(count):
    ledger = Ledger()
    audit = Audit(ledger, lambda: 7)
    asked = []
    audit.submit = asked.append
    for n in range(count):
        audit.tell("user:anna", f"GET /things/{n}", "denied")
    assert len(asked) == 1
    asked[0]()
    rows = [row for log in ledger.logs() for row in log.rows]
    told = sum(json.loads(body).get("times", 1) for _, body, _ in rows)
    assert told == count
    assert len(rows) <= 1001
    assert list(faults(rows, Head(), None)) == []


def test_what_is_alike_is_told_once():
    ledger = Ledger()
    audit = Audit(ledger, lambda: 7)
    asked = []
    audit.submit = asked.append
    for _ in range(3):
        audit.tell("user:anna", "GET /x", "denied")
    audit.tell("user:ben", "GET /x", "denied")
    asked[0]()
    rows = [json.loads(body) for log in ledger.logs() for _, body, _ in log.rows]
    assert [(row["who"], row.get("times", 1)) for row in rows] == [("user:anna", 3), ("user:ben", 1)]


def test_what_was_told_waits_for_a_database_that_is_out_of_order():
    ledger = Ledger()
    audit = Audit(ledger, lambda: 7)
    asked = []
    audit.submit = asked.append
    audit.tell("user:anna", "GET /x", "denied")
    asked[0]()
    ledger.rollback()
    asked[0]()
    audit.tell("user:anna", "GET /x", "denied")
    ledger.commit()
    assert audit.head.no == 1
    assert len(asked) == 2
    asked[1]()
    ledger.commit()
    assert audit.head.no == 2


def test_what_is_rolled_back_was_never_written():
    ledger = Ledger()
    audit = Audit(ledger, lambda: 7)
    audit.note("user:anna", "PUT /x", "done")
    ledger.rollback()
    assert audit.head == Head()
    audit.note("user:anna", "PUT /y", "done")
    ledger.commit()
    assert audit.head.no == 1
