"""Who is revoked is cut off within a second, and what dies does not let anybody in."""

import os
import signal
import time

from .conftest import REFUSED, until

REVOKED = 100


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def test_revocation_cuts_live_connections_within_a_second(site, capsys):
    access, clock = site.access, site.daemon.clock
    names = [f"th{number}" for number in range(REVOKED)]
    given = site.do(lambda: {name: access.credentials.issue(name, clock()) for name in names})
    things = {name: until(lambda n=name: site._entered(n, given[n], {}), f"{name} in") for name in names}
    times = []
    for name, thing in things.items():
        begun = time.monotonic()
        site.daemon.submit(lambda name=name: access.credentials.revoke(name, clock()))
        assert thing.gone.wait(5), name
        times.append(time.monotonic() - begun)
    p50, p99 = quantile(times, 0.5), quantile(times, 0.99)
    with capsys.disabled():
        print(f"\nrevocation, {site.broker}: p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms")
    assert p99 < 1.0
    assert site.person("th0", given["th0"], "th0").code == REFUSED


def test_what_is_rejected_is_cut_off_and_stays_out(embedded):
    thing = embedded.thing("th1")
    embedded.do(lambda: embedded.daemon.things.admit("urn:dev:th1", "rejected", "a person said so"))
    assert thing.gone.wait(5)
    assert embedded.person("th1", thing.password, "th1").code == REFUSED


def test_while_the_hook_is_away_nobody_new_gets_in_and_who_is_in_stays(embedded):
    inside = embedded.thing("inside")
    embedded.daemon._own_broker.gate.stop()
    stranger = embedded.person("inside", inside.password, "inside-2")
    assert stranger.code == REFUSED
    assert not inside.gone.is_set()
    inside.publish("diat/inside/properties", {"b": 1, "n": 1, "v": {"temperature": 20.5}})
    until(lambda: embedded.temperature("inside") == 20.5, "the reading")


def test_after_the_broker_was_killed_things_come_in_again(site):
    thing = site.thing("th1")
    pid = int((site.settings.data / "broker" / "pid").read_text())
    os.kill(pid, signal.SIGKILL)
    assert thing.gone.wait(5)

    def again():
        try:
            return site._entered("th1", thing.password, {})
        except OSError:
            return None

    back = until(again, "in again", within=30)
    until(lambda: site.daemon.trouble is None, "up", within=30)
    back.publish("diat/th1/properties", {"b": 1, "n": 1, "v": {"temperature": 19}})
    until(lambda: site.temperature("th1") == 19, "the reading")
    begun = time.monotonic()
    site.do(lambda: site.access.credentials.revoke("th1", site.daemon.clock()))
    assert back.gone.wait(5)
    assert time.monotonic() - begun < 1.0
