"""What is handed to another tier: only what policies let out, in their form, when they let it."""

from datetime import UTC

import pytest

from diat.security.cedar import Compiled, statements
from diat.security.decisions import Decisions
from diat.security.policy import read_document
from diat.security.principal import Grant, Principal
from diat.vol.dialects.port import Description
from diat.vol.sending import send_up
from diat.vol.thing import ThingRecord, compile_object
from diat.vol.twin import Reading

NOW = 1_767_268_800_000
GATEWAY = Principal(kind="daemon", name="site-2", grants=(Grant(role="engineer"),))
TD = {
    "title": "Thermometer",
    "diat:place": "hq/2",
    "properties": {"temperature": {"type": "number", "@type": "quantitykind:Temperature", "unit": "Cel"}},
}
RECORD = ThingRecord(no=1, id="urn:dev:t", name="t", dialect="native", created=NOW, modified=NOW)
THING = compile_object(RECORD, Description(td=TD), TD, "t")


@pytest.fixture
def send():
    """``send(document, value, ago, to, told)``: what goes up of a reading under one policy."""

    def send(document, value=20.26, ago=0, to=GATEWAY, told=None):
        decisions = Decisions(UTC)
        if document:
            decisions.rest_on(Compiled(statements("p", read_document(document))))
        reading = Reading(value, NOW - ago, NOW - ago)
        return send_up(decisions, to, THING, "temperature", reading, NOW, b"key", told)

    return send


def test_without_a_policy_an_engineers_daemon_gets_all(send):
    assert send(None).reading.value == 20.26


def test_without_a_role_nothing_goes_up(send):
    sent = send(None, to=Principal(kind="daemon", name="stranger"))
    assert (sent.reading, sent.due) == (None, None)
    assert "send-up takes engineer" in sent.decision.reason


def test_what_is_denied_stays_here(send):
    sent = send({"effect": "deny", "operations": ["send-up"], "what": {"quantities": ["Temperature"]}})
    assert (sent.reading, sent.due) == (None, None)


def test_what_is_modified_goes_in_its_form(send):
    sent = send({"effect": "modify", "modify": {"round": 1}, "who": {"daemons": ["site-2"]}})
    assert sent.reading.value == 20


def test_what_is_delayed_goes_when_it_is_due(send):
    document = {"effect": "delay", "delay": "1h"}
    young = send(document, ago=60_000)
    assert (young.reading, young.due) == (None, NOW - 60_000 + 3_600_000)
    assert send(document, ago=3_600_000).reading.value == 20.26


def test_of_an_interval_one_goes(send):
    document = {"effect": "modify", "modify": {"coarsen": "10m"}}
    first = send(document, ago=30_000)
    assert first.reading.observed % 600_000 == 0
    assert send(document, ago=10_000, told=first.reading.observed).reading is None
