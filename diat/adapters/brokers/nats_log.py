"""What nats-server logs about a client it refused or cut off, in sentences for a person.

The lines look like ``[71] 2026/01/31 12:00:00.000001 [ERR] 127.0.0.1:54523 - mid:25 - "sensor-1" - …``.
"""

from __future__ import annotations

import re

_LINE = re.compile(r"^\[\d+\] \S+ \S+ \[(?P<level>[A-Z]{3})\] (?P<text>.*)$")
_CLIENT = re.compile(
    r"^(?P<address>\S+) - mid:\d+ - "
    r'(?:"(?P<id>(?:[^"\\]|\\.)*)" - )?'
    r"(?P<text>.*)$"
)
_OTHER_BROKER = "--broker mosquitto or --broker mqtt://HOST"

# The first that matches gives the sentence, None says nothing; {who} is the client, groups are put in.
_SENTENCES: tuple[tuple[re.Pattern[str], str | None], ...] = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (
            r'^invalid topic (?P<topic>".*"): character not supported',
            "{who} may not subscribe to {topic}: the embedded broker takes no spaces in topics; rename it, "
            f"or use {_OTHER_BROKER} for topics with spaces",
        ),
        (
            r"^character not supported for MQTT topics",
            "{who} was cut off: it used a topic with a space (or another blank) in it, which the embedded "
            f"broker does not take; rename the thing, or use {_OTHER_BROKER} for topics with spaces",
        ),
        (
            r"^unacceptable protocol version of 5",
            "{who} was refused: it speaks MQTT 5 and the embedded broker MQTT 3.1.1; set it to 3.1.1, "
            f"or use {_OTHER_BROKER}",
        ),
        (
            r"^older protocol |^unacceptable protocol version",
            "{who} was refused: it speaks an MQTT other than 3.1.1, the only one of the embedded broker; "
            f"set it to 3.1.1, or use {_OTHER_BROKER}",
        ),
        (
            r"^maximum payload exceeded: (?P<sent>\d+) vs",
            "{who} was cut off: it sent a message of {sent} bytes, and 8 MiB is the most; let it send less "
            "at once, or use --broker mqtt://HOST with a broker that takes more",
        ),
        (
            r"^authentication error(?: - User (?P<user>\".*\"))?$",
            "{who} was refused: its user name, password or client id is not known here; leave user name and "
            "password empty, or with --lan see diat thing list and diat thing join-key",
        ),
        (r"^unable to connect: authentication error", None),  # the same again
        (
            r"^invalid character in client ID",
            "{who} was refused: the embedded broker takes no spaces, dots or wildcards in a client id; "
            f"change the id, or use {_OTHER_BROKER}",
        ),
        (
            r'^wildcards not allowed in publish\'s topic: (?P<topic>".*")',
            "{who} was cut off: it published to {topic}, and + and # are not allowed in a topic; rename "
            "the thing",
        ),
        (
            r'^invalid (?:utf8 for|null character in) topic (?P<topic>".*")',
            "{who} was cut off: it published to {topic}, which is not UTF-8; rename the thing",
        ),
        (
            r'^(?:Publish|Subscription) Violation - Subject (?P<topic>"[^"]*")',
            "{who} may not use {topic}: it is the broker's own, or not among those of its credential",
        ),
        (
            r"^Slow Consumer Detected",
            "{who} was cut off: it reads more slowly than messages come for it; let it subscribe to less, "
            "or with QoS 1",
        ),
        (
            r"^Replacing old client ",
            "{who} connected while it was connected: if this goes on, two clients share the id and cut each "
            "other off; give each its own",
        ),
        (
            r"^MQTT clients over websocket|^the first packet should be a CONNECT|^invalid fixed header flags",
            "{who} does not speak MQTT (perhaps TLS or HTTP): check its port",
        ),
        (
            r"insufficient resources \(10023\)",
            "{who} was cut off: there is no room left for messages that wait for clients that are away; free "
            "some disk space, or let those clients come back",
        ),
    )
)


def explain(line: str) -> str | None:
    """One line of the log as a sentence, or None if nobody need know."""
    entry = _LINE.match(line)
    if entry is None:
        # Not a line of the log: the trace of a crash begins with one of these.
        return f"the broker crashed: {line[:200]}" if line.startswith(("panic:", "fatal error:")) else None
    level, text = entry["level"], entry["text"]
    if level == "FTL":
        return f"the broker gave up: {text[:200]}"
    client = _CLIENT.match(text)
    if client is None:
        return f"the broker: {text[:200]}" if level == "ERR" else None
    # The port differs at each connection: without it, the same trouble is known as the same.
    address = client["address"].rpartition(":")[0]
    who = f"client {client['id']!r} ({address})" if client["id"] else f"a client at {address}"
    for pattern, sentence in _SENTENCES:
        found = pattern.search(client["text"])
        if found is not None:
            return sentence and sentence.format(who=who, **found.groupdict())
    return f"{who}: {client['text'][:200]}" if level == "ERR" else None
