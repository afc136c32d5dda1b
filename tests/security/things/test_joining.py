"""How things get in: with the join key to a credential of their own, without it not at all."""

import json

from .conftest import GRANTED, MALFORMED, REFUSED, THERMOMETER, until


def test_a_thing_joins_is_given_a_credential_and_reports_with_it(site):
    thing = site.thing("th1")
    assert thing.subscribe("diat/th1/#") in GRANTED
    thing.publish("diat/th1/properties", {"b": 1, "n": 1, "v": {"temperature": 21.5}})
    until(lambda: site.temperature("th1") == 21.5, "the reading")
    assert site.daemon.kept_audit.newest(10, None, "thing:th1", "done", "joined")


def test_nobody_gets_in_without_a_credential(site):
    for user, password, client in (
        (None, None, "stranger"),
        ("th1", "wrong", "th1"),
        ("diat", "", "diat"),
        ("diat", "diat", "diat-1"),
        ("anyone", "", "anyone"),
        ("hook", "", "hook"),
        ("join", site.key, "join"),
    ):
        assert site.person(user, password, client).code == REFUSED, user
    assert site.person("", "", "stranger").code in (REFUSED, MALFORMED)
    for password in (None, "", "wrong", site.key[:-1], site.key + "x"):
        assert site.person("join", password, "new", join=True).code == REFUSED, password


def test_the_join_key_lets_a_thing_announce_itself_and_nothing_else(site):
    witness = site.own()
    witness.subscribe("#")
    joining = site.person("join", site.key, "th2", join=True)
    joining.attempt("wot/td/other", retain=True)
    joining.attempt("diat/th2/properties", b'{"b": 1, "n": 1, "v": {"temperature": 1}}')
    joining.attempt("diat/other/status", b"online", retain=True)
    joining.attempt("zigbee2mqtt/bridge/devices", b"[]", retain=True)
    joining.publish("diat/th2/status", b"online", retain=True)
    seen = []
    while ("diat/th2/status", b"online") not in seen:
        seen.append(witness.next())
    assert {topic for topic, _ in seen if not topic.startswith("diat/clock")} == {"diat/th2/status"}
    for topic in ("#", "diat/#", "diat/other/credential", "diat/+/credential", "diat/th2/set"):
        answer = joining.subscribe(topic)
        assert answer == 0x80 or site.broker == "mosquitto", topic
    assert joining.subscribe("diat/th2/credential") in GRANTED
    witness.publish("diat/other/credential", b"secret")
    witness.publish("diat/th2/set", b"command")
    witness.publish("diat/th2/credential", b"control")
    assert joining.next() == ("diat/th2/credential", b"control")


def test_who_has_a_credential_is_not_joined_again_by_another(embedded):
    embedded.thing("th3")
    until(lambda: embedded.access.credentials.get("th3").used, "used")
    assert embedded.person("join", embedded.key, "th3").code == REFUSED


def test_a_credential_that_was_lost_is_given_once_more(embedded):
    first = embedded.join("th4")
    second = embedded.join("th4")
    assert first != second
    assert embedded.person("th4", second, "th4").code == "Success"
    until(lambda: embedded.access.credentials.get("th4").used, "used")
    assert embedded.person("th4", first, "th4").code == REFUSED


def test_what_has_lost_its_password_joins_again_once_it_is_renewed(embedded):
    thing = embedded.thing("th4")
    until(lambda: embedded.access.credentials.get("th4").used, "used")
    thing.end()
    assert embedded.person("join", embedded.key, "th4").code == REFUSED
    embedded.do(lambda: embedded.access.credentials.renew("th4", embedded.daemon.clock()))
    password = embedded.join("th4")
    assert embedded.person("th4", password, "th4").code == "Success"
    until(lambda: embedded.access.credentials.get("th4").used, "used")
    assert embedded.person("th4", thing.password, "th4").code == REFUSED


def test_past_the_window_a_thing_waits_until_a_person_accepts_it(site):
    site.do(lambda: site.access.joining.open(0, 0, site.daemon.clock()))
    joining = site.person("join", site.key, "th5", join=True)
    joining.subscribe("diat/th5/admission")
    joining.subscribe("diat/th5/credential")
    joining.publish("wot/td/th5", THERMOMETER, retain=True)
    topic, answer = joining.next()
    assert (topic, json.loads(answer)["state"]) == ("diat/th5/admission", "pending")
    site.do(lambda: site.daemon.things.admit("urn:dev:th5", "accepted", "a person said so"))
    topics = {joining.next()[0], joining.next()[0]}
    assert topics == {"diat/th5/admission", "diat/th5/credential"}


def test_while_anyone_may_come_a_thing_needs_no_key(embedded):
    now = embedded.daemon.clock()
    assert embedded.person("join", "", "th6").code == REFUSED
    embedded.do(lambda: embedded.access.joining.open(0, now + 60_000, now))
    assert embedded.person("join", "", "th6").code == "Success"
    embedded.do(lambda: embedded.access.joining.open(0, 0, now))
    assert embedded.person("join", "", "th7").code == REFUSED


def test_another_join_key_ends_the_one_before_it(site):
    before = site.key
    now = site.daemon.clock()
    key = site.do(lambda: site.access.joining.new_key(now))
    until(lambda: site.person("join", key, "th8", join=True).code == "Success", "the other key")
    assert site.person("join", before, "th9", join=True).code == REFUSED
