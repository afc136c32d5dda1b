"""Values that a policy wants deleted are gone from the database itself, and nothing else is."""

import itertools
import json
import sqlite3
import time

import pytest

from diat.adapters.brokers.listening import free_port
from diat.daemon import Daemon
from diat.settings import Listen, Settings
from diat.vol.journal import KNOWN
from diat.wire.envelope import Message

HOUR = 3_600_000
TD = {
    "title": "Meter",
    "id": "urn:dev:meter",
    "properties": {
        'wei"rd': {"type": "number"},
        "temperature": {"type": "number", "@type": "quantitykind:Temperature", "unit": "Cel"},
        "present": {"type": "boolean", "@type": "quantitykind:Occupancy"},
    },
    "events": {"rang": {"data": {"type": "number"}}, "fell": {}},
}


@pytest.fixture
def daemon(tmp_path):
    with Daemon(Settings(data=tmp_path, mqtt=Listen("127.0.0.1", free_port()))) as running:
        yield running


@pytest.fixture
def say(daemon):
    numbers = itertools.count(1)

    def take(topic, body):
        message = Message(topic, json.dumps(body).encode(), daemon.clock())
        daemon.submit(lambda: daemon.things.ingest.message(message)).result()

    take("wot/td/meter", TD)

    def say(at, **values):
        n = next(numbers)
        if "event" in values:
            body = {"b": 1, "n": n, "t": at, "data": values["data"]}
            take(f"diat/meter/events/{values['event']}", body)
        else:
            take("diat/meter/properties", {"b": 1, "n": n, "t": at, "v": values})

    return say


def rows(daemon, query):
    with sqlite3.connect(daemon.settings.data / "diat.db") as sql:
        found = sql.execute(query).fetchall()
    sql.close()
    return [(json.loads(each[0]),) if each[0] and each[0][0] in "{[" else each for each in found]


def put(daemon, **document):
    owed = [{"delete-after": "2h"}]
    said = {"effect": "permit", "obligations": owed, **document}
    daemon.submit(lambda: daemon.policies.put("forget", said)).result()


def forget(daemon):
    """What the thread does once a minute."""
    return daemon.forgetter.step()


def test_old_values_of_what_a_policy_is_about_are_deleted(daemon, say):
    now = time.time_ns() // 1_000_000
    say(now - 3 * HOUR, temperature=1.0, present=True)
    say(now - 3 * HOUR + 1, present=False)
    say(now - HOUR, temperature=2.0, present=True)
    say(now - 3 * HOUR + 2, **{'wei"rd': 5.0, "present": True})
    put(daemon, what={"quantities": ["Occupancy"]})
    assert forget(daemon) == 3
    told = [each for (each,) in rows(daemon, "SELECT reported FROM readings ORDER BY observed")]
    assert told == [{"temperature": 1.0}, {'wei"rd': 5.0}, {"temperature": 2.0, "present": True}]
    assert forget(daemon) == 0


def test_names_with_quotes_and_events_are_deleted_too(daemon, say):
    now = time.time_ns() // 1_000_000
    say(now - 3 * HOUR, **{'wei"rd': 5.0, "temperature": 3.0})
    say(now - 3 * HOUR, event="rang", data=1)
    say(now - 3 * HOUR, event="fell", data=2)
    put(daemon, what={"affordances": ['wei"rd', "rang"]})
    assert forget(daemon) == 2
    assert rows(daemon, "SELECT reported FROM readings") == [({"temperature": 3.0},)]
    kept = rows(daemon, f"SELECT event FROM events WHERE event NOT LIKE 'noted:%' OR event = '{KNOWN}'")
    assert kept == [("fell",)]


def test_without_an_obligation_nothing_goes(daemon, say):
    say(time.time_ns() // 1_000_000 - 100 * HOUR, present=True)
    put(daemon, obligations=[{"log": True}])
    assert forget(daemon) == 0
    assert len(rows(daemon, "SELECT reported FROM readings")) == 1


def test_what_comes_late_goes_at_the_next_look(daemon, say):
    now = time.time_ns() // 1_000_000
    put(daemon, what={"things": ["urn:dev:meter"]})
    assert forget(daemon) == 0
    say(now - 5 * HOUR, present=True)
    assert forget(daemon) == 1
    assert rows(daemon, "SELECT reported FROM readings") == []
