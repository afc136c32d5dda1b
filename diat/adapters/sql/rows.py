"""How the layers' values become rows and come back: one entry for each table that the ledger names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from diat.cvol.composite import CompositeState
from diat.cvol.template import Template
from diat.cvol.webhooks import Call
from diat.security.accounts import Token, User
from diat.security.credentials import Credential
from diat.security.policy import Policy
from diat.security.secrets import Secret
from diat.service.delegation import Delegation
from diat.service.peers import Peer
from diat.service.placement.placing import Placing
from diat.service.service import Service
from diat.service.situation import Situation
from diat.vol.announcements import Announced
from diat.vol.arbitration import Actuator
from diat.vol.diagnostics import Diagnostic
from diat.vol.interaction import Actuation
from diat.vol.models import Model
from diat.vol.pushdown import Pushed
from diat.vol.releases import Release
from diat.vol.rollout import Rollout
from diat.vol.thing import ThingRecord
from diat.vol.tiers import Line
from diat.vol.twin import Twin
from diat.vol.waiting import Held

_encode = msgspec.json.Encoder().encode


class TableRows(Struct, frozen=True):
    """SQL and conversion for one table.

    Attributes:
        put: an upsert of one row.
        remove: deletes the row with a key.
        row: key and value to the parameters of ``put``.
    """

    put: str
    remove: str
    row: Callable[[Any, Any], tuple[Any, ...]]


def text(value: Any) -> str:
    """A value as JSON text."""
    return _encode(value).decode()


def _table(name: str, columns: str, row: Callable[[Any, Any], tuple[Any, ...]]) -> TableRows:
    names = columns.split()
    marks = ", ".join("?" * len(names))
    renewed = ", ".join(f"{column} = excluded.{column}" for column in names[1:])
    return TableRows(
        put=f"INSERT INTO {name} ({', '.join(names)}) VALUES ({marks}) "
        f"ON CONFLICT ({names[0]}) DO UPDATE SET {renewed}",
        remove=f"DELETE FROM {name} WHERE {names[0]} = ?",
        row=row,
    )


OVERLAYS: dict[str, TableRows] = {
    "meta": _table("meta", "key value", lambda key, value: (key, value)),
    "things": _table("things", "id no record", lambda _, r: (r.id, r.no, text(r))),
    "announcements": _table(
        "announcements",
        "topic thing dialect payload received since",
        lambda _, a: (a.topic, a.thing, a.dialect, a.payload, a.received, a.since),
    ),
    "buried": _table("buried", "topic thing at", lambda key, b: (key, b.thing, b.at)),
    "twins": _table("twins", "thing state", lambda key, twin: (key, text(twin))),
    "held": _table(
        "held",
        "position thing topic payload received",
        lambda key, h: (key, h.thing, h.topic, h.payload, h.received),
    ),
    "diagnostics": _table("diagnostics", "thing lines", lambda key, lines: (key, text(lines))),
    "actuations": _table(
        "actuations",
        "id thing service created state body",
        lambda _, a: (a.id, a.thing, a.service, a.created, a.state, text(a)),
    ),
    "actuators": _table("actuators", "key body", lambda key, a: (key, text(a))),
    "templates": _table("templates", "name body", lambda key, t: (key, t.model_dump_json(by_alias=True))),
    "models": _table("models", "name body", lambda key, m: (key, text(m))),
    "services": _table("services", "id body", lambda key, s: (key, text(s))),
    "situations": _table("situations", "id body", lambda key, s: (key, text(s))),
    "releases": _table("releases", "id body", lambda key, r: (key, text(r))),
    "rollouts": _table("rollouts", "id body", lambda key, r: (key, text(r))),
    "policies": _table("policies", "id body", lambda key, p: (key, text(p))),
    "secrets": _table("secrets", "name body", lambda key, s: (key, text(s))),
    "credentials": _table("credentials", "id body", lambda key, c: (key, text(c))),
    "settings": _table("settings", "name body", lambda key, value: (key, text(value))),
    "peers": _table("peers", "name body", lambda key, p: (key, text(p))),
    "delegations": _table("delegations", "service body", lambda key, d: (key, text(d))),
    "webhooks": _table("webhooks", "id body", lambda key, c: (key, text(c))),
    "users": _table("users", "id body", lambda key, u: (key, text(u))),
    "tokens": _table("tokens", "id body", lambda key, t: (key, text(t))),
    "topics": _table("topics", "topic thing", lambda key, thing: (key, thing)),
    "pushdown": _table("pushdown", "thing body", lambda key, p: (key, text(p))),
    "placings": _table("placings", "composite body", lambda key, placing: (key, text(placing))),
    "parts": _table("parts", "service body", lambda key, part: (key, text(part))),
    "ties": _table("ties", "thing gateway", lambda key, gateway: (key, gateway)),
    "lines": _table("lines", "gateway body", lambda key, line: (key, text(line))),
    "passed": _table("passed", "thing body", lambda key, p: (key, text(p))),
    "told": _table("told", "id at body", lambda key, t: (key, t.at, text(t))),
    "composites": _table("composites", "id state", lambda key, s: (key, text(s))),
}


LOGS = {
    "readings": "INSERT INTO readings (position, thing, observed, received, boot, n, quality, reported) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "events": "INSERT INTO events (position, thing, event, observed, received, boot, n, data) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "spool": "INSERT INTO spool (seq, lane, due, thing, channel, store, n, lost, observed, body) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "unspooled": "DELETE FROM spool WHERE seq = ?",
    # What was given up is counted at what follows it: rows, and the row.
    "given_up": "UPDATE spool SET lost = lost + ? WHERE seq = ?",
    "renumbered": "UPDATE spool SET store = ?, n = ?, lost = 0 WHERE seq = ?",
    "notices": "INSERT INTO notices (position, kind, thing, patch) VALUES (?, ?, ?, ?)",
    "audit": "INSERT INTO audit (no, body, link) VALUES (?, ?, ?)",
    "moved_audit": "DELETE FROM audit WHERE no <= ?",
    # A row that a value is taken out of is left without it, as long as it is what was looked at.
    "forgotten_readings": "UPDATE readings SET reported = ? WHERE position = ? AND reported = ?",
    "forgotten_notes": "UPDATE events SET data = ? WHERE position = ? AND data = ?",
    "forgotten_events": "DELETE FROM events WHERE event = ? AND position = ? AND data = ?",
    "emptied_readings": "DELETE FROM readings WHERE position = ? AND reported = '{}'",
    "dropped_notices": "DELETE FROM notices WHERE position <= "
    "(SELECT position FROM notices ORDER BY position DESC LIMIT 1 OFFSET ?)",
    # What is appended to these is what was moved to cold storage: position, start and end of its day.
    "moved_readings": "DELETE FROM readings WHERE position = ? AND observed >= ? AND observed < ?",
    "moved_events": "DELETE FROM events WHERE position = ? AND observed >= ? AND observed < ?",
}

read_record = msgspec.json.Decoder(ThingRecord).decode
read_twin = msgspec.json.Decoder(Twin).decode
read_placing = msgspec.json.Decoder(Placing).decode
read_lines = msgspec.json.Decoder(tuple[Diagnostic, ...]).decode
read_actuation = msgspec.json.Decoder(Actuation).decode
read_actuator = msgspec.json.Decoder(Actuator).decode
read_model = msgspec.json.Decoder(Model).decode
read_service = msgspec.json.Decoder(Service).decode
read_situation = msgspec.json.Decoder(Situation).decode
read_release = msgspec.json.Decoder(Release).decode
read_rollout = msgspec.json.Decoder(Rollout).decode
read_policy = msgspec.json.Decoder(Policy).decode
read_secret = msgspec.json.Decoder(Secret).decode
read_pushed = msgspec.json.Decoder(Pushed).decode
read_call = msgspec.json.Decoder(Call).decode
read_credential = msgspec.json.Decoder(Credential).decode
read_line = msgspec.json.Decoder(Line).decode
read_composite = msgspec.json.Decoder(CompositeState).decode
read_user = msgspec.json.Decoder(User).decode
read_token = msgspec.json.Decoder(Token).decode
read_peer = msgspec.json.Decoder(Peer).decode
read_delegation = msgspec.json.Decoder(Delegation).decode
read_setting = msgspec.json.Decoder().decode
read_template = Template.model_validate_json

__all__ = ["LOGS", "OVERLAYS", "Announced", "Held", "TableRows", "text"]
