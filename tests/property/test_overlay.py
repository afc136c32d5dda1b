"""Invariant: an overlay is a dictionary with transactions.

The writer sees its own changes; everybody else sees what was last committed; a rollback leaves no trace. The
same holds for an index of sets, for logs, and for all of them together in a ledger.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from diat.kernel.overlay import Ledger

keys = st.integers(0, 5)
values = st.integers(0, 9)


class Dictionaries(RuleBasedStateMachine):
    """A ledger with one of each kind, beside dictionaries of which the writer works on a copy."""

    def __init__(self):
        super().__init__()
        self.ledger = Ledger()
        initial = {0: 1, 1: 2}
        self.plain = self.ledger.overlay("plain", initial.items())
        self.derived = self.ledger.overlay()
        # Odd values live in the table alone once they are committed.
        self.open = self.ledger.overlay("open", wanted=lambda value: value % 2 == 0)
        self.index = self.ledger.index()
        self.log = self.ledger.log("log")
        self.overlays = {"plain": self.plain, "derived": self.derived, "open": self.open}
        self.committed = {"plain": dict(initial), "derived": {}, "open": {}}
        self.working = {name: dict(known) for name, known in self.committed.items()}
        self.sets, self.working_sets = {}, {}
        self.rows, self.stored = [], {}

    names = st.sampled_from(["plain", "derived", "open"])

    @rule(name=names, key=keys, value=values)
    def put(self, name, key, value):
        self.overlays[name].put(key, value)
        self.working[name][key] = value

    @rule(name=names, key=keys)
    def remove(self, name, key):
        self.overlays[name].remove(key)
        self.working[name].pop(key, None)

    @rule(name=names)
    def change_all_while_looking_at_them(self, name):
        """Putting and removing within a loop over the items is allowed."""
        overlay = self.overlays[name]
        looked_at = {}
        for key, value in overlay.items():
            assert key not in looked_at
            looked_at[key] = value
            if value > 4:
                overlay.remove(key)
                self.working[name].pop(key, None)
            else:
                overlay.put(key, value + 1)
                self.working[name][key] = value + 1

    @rule(key=keys, member=st.sampled_from("abc"))
    def add(self, key, member):
        self.index.add(key, member)
        self.working_sets.setdefault(key, set()).add(member)

    @rule(key=keys, member=st.sampled_from("abc"))
    def discard(self, key, member):
        self.index.discard(key, member)
        self.working_sets.get(key, set()).discard(member)

    @rule(row=values)
    def append(self, row):
        self.log.append(row)
        self.rows.append(row)

    @rule()
    def commit(self):
        """What a store writes, applied to its tables, gives what the writer saw."""
        for overlay in self.ledger.overlays():
            table = self.stored.setdefault(overlay.name, dict(self.committed[overlay.name]))
            for key, value in overlay.changes.items():
                if value is None:
                    table.pop(key, None)
                else:
                    table[key] = value
        assert [row for log in self.ledger.logs() for row in log.rows] == self.rows
        self.ledger.commit()
        self.committed = {name: dict(known) for name, known in self.working.items()}
        assert self.stored.get("plain", self.committed["plain"]) == self.committed["plain"]
        self.committed["open"] = {k: v for k, v in self.committed["open"].items() if v % 2 == 0}
        self.working["open"] = dict(self.committed["open"])
        self.sets = {key: set(members) for key, members in self.working_sets.items() if members}
        self.rows = []

    @rule()
    def rollback(self):
        self.ledger.rollback()
        self.working = {name: dict(known) for name, known in self.committed.items()}
        self.working_sets = {key: set(members) for key, members in self.sets.items()}
        self.rows = []

    @invariant()
    def the_writer_sees_its_changes(self):
        for name, overlay in self.overlays.items():
            assert dict(overlay.items()) == self.working[name]
            assert len(list(overlay.items())) == len(self.working[name])
            for key in range(6):
                assert overlay.get(key) == self.working[name].get(key)
        for key in range(6):
            members = self.index.members(key)
            assert set(members) == self.working_sets.get(key, set())
            assert len(members) == len(set(members))
            assert (key in self.index) == bool(members)

    @invariant()
    def others_see_what_was_committed(self):
        for name, overlay in self.overlays.items():
            assert overlay.committed == self.committed[name]
        assert {key: set(members) for key, members in self.index.committed.items()} == self.sets

    @invariant()
    def the_store_is_given_what_changed_and_has_a_table(self):
        changed = {overlay.name for overlay in self.ledger.overlays()}
        assert changed == {name for name in ("plain", "open") if self.overlays[name].changes}
        assert [log.name for log in self.ledger.logs()] == (["log"] if self.rows else [])


TestDictionaries = Dictionaries.TestCase
TestDictionaries.settings = settings(deadline=None, stateful_step_count=40)
