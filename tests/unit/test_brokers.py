"""Addresses of brokers, and what their logs say, without any broker."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diat.adapters.brokers import mosquitto, nats_log, troubles
from diat.adapters.brokers.address import BrokerAddress, parse_broker_url
from diat.adapters.brokers.troubles import Troubles
from diat.kernel.errors import Invalid


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("mqtt://host", BrokerAddress("host", 1883)),
        ("mqtts://host/", BrokerAddress("host", 8883, tls=True)),
        ("mqtt://host:1884", BrokerAddress("host", 1884)),
        ("mqtt://ann@host", BrokerAddress("host", 1883, "ann")),
        ("mqtt://ann:p%2Fq%40@host", BrokerAddress("host", 1883, "ann", "p/q@")),
        ("mqtt://[::1]:1884", BrokerAddress("::1", 1884)),
    ],
)
def test_an_address_is_read(text, address):
    assert parse_broker_url(text) == address


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not the address of an MQTT broker"),
        ("host:1883", "not the address of an MQTT broker"),
        ("http://host", "http:// is not"),
        ("mqtt://", "names no host"),
        ("mqtt://host:x", "not well formed"),
        ("mqtt://host:70000", "not well formed"),
        ("mqtt://host:0", "no port"),
        ("mqtt://ho st", "has a space"),
        ("mqtt://host/topic", "goes on after the port"),
        ("mqtt://ann:geheim/x@host", "not well formed"),
        ("mqtt://:geheim@host", "no user name"),
    ],
)
def test_a_bad_address_is_refused_without_showing_the_password(text, says):
    with pytest.raises(Invalid, match=says) as caught:
        parse_broker_url(text)
    assert caught.value.field == "broker"
    assert "\n" not in str(caught.value)
    assert "geheim" not in str(caught.value)


@given(st.text())
def test_any_text_is_an_address_or_refused(text):
    with suppress(Invalid):
        parse_broker_url(text)
    with suppress(Invalid):
        parse_broker_url(f"mqtt://{text}")


def test_printing_an_address_keeps_the_password_back():
    address = BrokerAddress("::1", 1883, "ann", "geheim")
    assert f"{address!r} {address}" == "BrokerAddress(mqtt://ann@[::1]:1883) mqtt://ann@[::1]:1883"


@pytest.mark.parametrize("explain", [nats_log.explain, mosquitto.explain])
@given(text=st.text())
def test_any_line_is_explained_or_passed_over(explain, text):
    explain(text)
    explain(f"1795178564: {text}")
    explain(f'[1] 2026/01/31 12:00:00.000000 [ERR] 127.0.0.1:1 - mid:2 - "a" - {text}')


def nats_line(text, level="ERR"):
    return f"[71] 2026/11/20 12:26:34.144044 [{level}] {text}"


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (
            nats_line('[::1]:54523 - mid:25 - "my \\"pump\\"" - character not supported for MQTT topics'),
            ["pump", "([::1])", "space", "--broker mosquitto or --broker mqtt://HOST"],
        ),
        (nats_line('1.2.3.4:5 - mid:2 - "s" - invalid topic "a b/#": character not supported'), ['"a b/#"']),
        (nats_line('1.2.3.4:5 - mid:2 - "" - unacceptable protocol version of 5'), ["MQTT 5", "1.2.3.4"]),
        (nats_line('1.2.3.4:5 - mid:2 - "s" - maximum payload exceeded: 99 vs 8'), ["99 bytes", "8 MiB"]),
        (nats_line("bind: address already in use", "FTL"), ["gave up"]),
        (nats_line("JetStream file resource limits exceeded for server"), ["the broker: JetStream file"]),
        (nats_line('1.2.3.4:5 - mid:2 - "s" - something {new}'), ["something {new}"]),
        ("panic: runtime error", ["crashed"]),
    ],
)
def test_a_line_of_nats_becomes_a_sentence(line, parts):
    sentence = nats_log.explain(line)
    assert sentence is not None
    assert all(part in sentence for part in parts), sentence


@pytest.mark.parametrize(
    "line", [nats_line("Server is ready", "INF"), nats_line("Plaintext", "WRN"), "", "x"]
)
def test_what_nobody_need_know_is_passed_over(line):
    assert nats_log.explain(line) is None


class Log:
    def __init__(self, path):
        self.path = path
        self.now = 1000.0
        self.troubles = Troubles(path, lambda line: line or None, lambda: self.now)

    def write(self, text):
        with self.path.open("a") as log:
            log.write(text)


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path / "x.log")


def test_a_log_that_is_not_there_has_no_troubles(log):
    assert log.troubles.new() == []


def test_a_line_is_told_once_it_is_whole(log):
    log.write("one\ntw")
    assert log.troubles.new() == ["one"]
    log.write("o\n")
    assert log.troubles.new() == ["two"]
    assert log.troubles.new() == []


def test_the_same_sentence_waits_a_minute_and_is_counted(log):
    log.write("a\nb\na\n")
    assert log.troubles.new() == ["a", "b"]
    log.write("a\n")
    assert log.troubles.new() == []
    log.now += troubles.QUIET
    log.write("a\n")
    assert log.troubles.new() == ["a (2 more times meanwhile)"]


def test_too_many_sentences_are_counted(log):
    log.write("".join(f"{i}\n" for i in range(troubles.AT_ONCE + 7)))
    found = log.troubles.new()
    assert len(found) == troubles.AT_ONCE + 1
    assert found[-1].startswith("7 more lines")


def test_the_log_starts_anew_when_it_is_large_and_keeps_one_before(log, monkeypatch):
    monkeypatch.setattr(troubles, "LOG_LIMIT", 1000)
    log.write("x" * 1000 + "\nlast\n")
    assert log.troubles.new()[-1] == "last"
    assert log.path.stat().st_size == 0
    assert (log.path.parent / "x.log.1").read_text().endswith("last\n")
    log.write("next\n")
    assert log.troubles.new() == ["next"]


def test_a_long_log_is_read_in_steps(log, monkeypatch):
    monkeypatch.setattr(troubles, "READ", 10)
    log.write("first\nsecond\nthird\n")
    assert [*log.troubles.new(), *log.troubles.new()] == ["first", "second", "third"]
