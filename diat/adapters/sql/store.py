"""The store behind the one writer: a batch's changes in one transaction, and all of it back at the start."""

from __future__ import annotations

from sys import intern
from typing import Any

from sqlalchemy import Connection, Engine, exc, select, text

from diat.adapters.sql import rows, tables
from diat.cvol.composite import CompositeState
from diat.cvol.template import Template
from diat.cvol.webhooks import Call
from diat.kernel.errors import Unavailable
from diat.kernel.overlay import Ledger
from diat.security.accounts import Token, User
from diat.security.credentials import Credential
from diat.security.policy import Policy
from diat.security.secrets import Secret
from diat.service.delegation import Delegation
from diat.service.peers import Peer
from diat.service.placement.placing import Placing
from diat.service.service import Service
from diat.service.situation import Situation
from diat.vol.announcements import Announced, Buried
from diat.vol.layer import Kept
from diat.vol.models import Model
from diat.vol.releases import Release
from diat.vol.rollout import Rollout
from diat.vol.waiting import Held


class SqlStore:
    """Writes the ledger; used by the writer alone, on a connection of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def write(self, ledger: Ledger) -> None:
        """Write all uncommitted changes in one transaction; no transaction if there are none.

        Raises:
            Unavailable: the disk is full, the database is locked or broken: trying again may help.
        """
        overlays, logs = list(ledger.overlays()), list(ledger.logs())
        if not overlays and not logs:
            return
        ledger.announce()
        try:
            connection = self._connection = self._connection or self._engine.connect()
            with connection.begin():
                for overlay in overlays:
                    table = rows.OVERLAYS[overlay.name]
                    row = table.row
                    puts = [row(key, value) for key, value in overlay.changes.items() if value is not None]
                    gone = [(key,) for key, value in overlay.changes.items() if value is None]
                    if puts:
                        connection.exec_driver_sql(table.put, puts)
                    if gone:
                        connection.exec_driver_sql(table.remove, gone)
                for log in logs:
                    connection.exec_driver_sql(rows.LOGS[log.name], log.rows)
        except exc.OperationalError as error:
            self.close()
            raise Unavailable(f"the database cannot be written: {error.orig}") from error

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def kept(self) -> Kept:
        """What the Virtual Object Layer starts from."""
        with self._engine.connect() as connection:
            position = connection.execute(
                select(tables.META.c.value).where(tables.META.c.key == "position")
            ).scalar()
            kept = Kept(
                records=[
                    rows.read_record(record)
                    for (record,) in connection.execute(select(tables.THINGS.c.record))
                ],
                announced=[
                    Announced(
                        topic=topic,
                        # The same few words in thousands of rows, and ids in several tables.
                        thing=intern(thing),
                        dialect=intern(dialect),
                        payload=payload,
                        received=received,
                        since=since,
                    )
                    for topic, thing, dialect, payload, received, since in connection.execute(
                        select(tables.ANNOUNCEMENTS).order_by(tables.ANNOUNCEMENTS.c.received)
                    )
                ],
                buried=[
                    (topic, Buried(thing, at))
                    for topic, thing, at in connection.execute(select(tables.BURIED))
                ],
                twins=[
                    (intern(thing), rows.read_twin(state))
                    for thing, state in connection.execute(select(tables.TWINS))
                ],
                held=[
                    (position, Held(thing, topic, payload, received))
                    for position, thing, topic, payload, received in connection.execute(select(tables.HELD))
                ],
                diagnostics={
                    thing: rows.read_lines(lines)
                    for thing, lines in connection.execute(select(tables.DIAGNOSTICS))
                },
                pending=[
                    rows.read_actuation(body)
                    for (body,) in connection.execute(
                        select(tables.ACTUATIONS.c.body)
                        .where(tables.ACTUATIONS.c.state == "pending")
                        .order_by(tables.ACTUATIONS.c.created, text("rowid"))
                    )
                ],
                actuators=[
                    (key, rows.read_actuator(body))
                    for key, body in connection.execute(select(tables.ACTUATORS))
                ],
                pushed=[
                    (thing, rows.read_pushed(body))
                    for thing, body in connection.execute(select(tables.PUSHDOWN))
                ],
                ties=[(thing, gateway) for thing, gateway in connection.execute(select(tables.TIES))],
                lines=[
                    (gateway, rows.read_line(body))
                    for gateway, body in connection.execute(select(tables.LINES))
                ],
                position=position or 0,
            )
            # All of it was read once: the pages of the file need not stay in memory beside it.
            connection.exec_driver_sql("PRAGMA shrink_memory")
            return kept

    def templates(self) -> list[Template]:
        """The templates that people made."""
        with self._engine.connect() as connection:
            return [
                rows.read_template(body) for (body,) in connection.execute(select(tables.TEMPLATES.c.body))
            ]

    def models(self) -> list[Model]:
        """The Thing Models that people put here."""
        with self._engine.connect() as connection:
            return [rows.read_model(body) for (body,) in connection.execute(select(tables.MODELS.c.body))]

    def services(self) -> list[Service]:
        """All services."""
        with self._engine.connect() as connection:
            return [rows.read_service(body) for (body,) in connection.execute(select(tables.SERVICES.c.body))]

    def placings(self) -> list[tuple[str, Placing]]:
        """Where the steps of composites run."""
        with self._engine.connect() as connection:
            found = connection.execute(select(tables.PLACINGS.c.composite, tables.PLACINGS.c.body)).all()
            return [(composite, rows.read_placing(body)) for composite, body in found]

    def situations(self) -> list[Situation]:
        """All situations, with how they stand."""
        with self._engine.connect() as connection:
            return [
                rows.read_situation(body) for (body,) in connection.execute(select(tables.SITUATIONS.c.body))
            ]

    def releases(self) -> list[Release]:
        """All releases of firmware."""
        with self._engine.connect() as connection:
            return [rows.read_release(body) for (body,) in connection.execute(select(tables.RELEASES.c.body))]

    def rollouts(self) -> list[Rollout]:
        """All roll-outs, with how they stand."""
        with self._engine.connect() as connection:
            return [rows.read_rollout(body) for (body,) in connection.execute(select(tables.ROLLOUTS.c.body))]

    def policies(self) -> list[Policy]:
        """All policies."""
        with self._engine.connect() as connection:
            return [rows.read_policy(body) for (body,) in connection.execute(select(tables.POLICIES.c.body))]

    def secrets(self) -> list[tuple[str, Secret]]:
        """The daemon's own secrets, by name."""
        with self._engine.connect() as connection:
            return [
                (name, rows.read_secret(body)) for name, body in connection.execute(select(tables.SECRETS))
            ]

    def settings(self) -> list[tuple[str, Any]]:
        """What people set, by name."""
        with self._engine.connect() as connection:
            return [
                (name, rows.read_setting(body)) for name, body in connection.execute(select(tables.SETTINGS))
            ]

    def peers(self) -> list[Peer]:
        """The daemons that are trusted."""
        with self._engine.connect() as connection:
            return [rows.read_peer(body) for (body,) in connection.execute(select(tables.PEERS.c.body))]

    def delegations(self) -> list[Delegation]:
        """The services that peers do, or are to do."""
        with self._engine.connect() as connection:
            return [
                rows.read_delegation(body)
                for (body,) in connection.execute(select(tables.DELEGATIONS.c.body))
            ]

    def webhooks(self) -> list[Call]:
        """The calls to web hooks that are still to be made."""
        with self._engine.connect() as connection:
            return [rows.read_call(body) for (body,) in connection.execute(select(tables.WEBHOOKS.c.body))]

    def credentials(self) -> list[Credential]:
        """The credentials of things."""
        with self._engine.connect() as connection:
            return [
                rows.read_credential(body)
                for (body,) in connection.execute(select(tables.CREDENTIALS.c.body))
            ]

    def topics(self) -> list[tuple[str, str]]:
        """Which foreign thing a topic belongs to."""
        with self._engine.connect() as connection:
            return [(topic, thing) for topic, thing in connection.execute(select(tables.TOPICS))]

    def joining(self) -> list[tuple[str, int]]:
        """For how long things may join."""
        with self._engine.connect() as connection:
            return [
                (key, value)
                for key, value in connection.execute(
                    select(tables.META.c.key, tables.META.c.value).where(tables.META.c.key.like("join-%"))
                )
            ]

    def users(self) -> list[User]:
        """All users."""
        with self._engine.connect() as connection:
            return [rows.read_user(body) for (body,) in connection.execute(select(tables.USERS.c.body))]

    def tokens(self) -> list[Token]:
        """All tokens, also those that have expired."""
        with self._engine.connect() as connection:
            return [rows.read_token(body) for (body,) in connection.execute(select(tables.TOKENS.c.body))]

    def composites(self) -> list[tuple[str, CompositeState]]:
        """The state of each composite, by service."""
        with self._engine.connect() as connection:
            return [
                (key, rows.read_composite(state))
                for key, state in connection.execute(select(tables.COMPOSITES))
            ]
