"""A database and a lake beside it, filled and moved without a daemon."""

from __future__ import annotations

import shutil
from concurrent.futures import Future

from diat.adapters.lake.history import Lake, LakeHistory
from diat.adapters.lake.mover import Mover
from diat.adapters.sql import rows
from diat.adapters.sql.database import open_database
from diat.adapters.sql.history import History
from diat.adapters.sql.store import SqlStore
from diat.kernel.overlay import Ledger

DAY = 86_400_000
HOUR = 3_600_000


class House:
    """The database and the lake of a daemon, without the daemon.

    Attributes:
        history: reads both.
        all_in_sql: reads the database alone.
        reported: what was said of files that cannot be read.
    """

    def __init__(self, directory):
        self.root = directory / "lake"
        self.database = directory / "diat.db"
        self.reported = []
        self.position = 0
        self.start()

    def start(self):
        """Open it, as at the start of a daemon."""
        self.engine = open_database(self.database)
        self.ledger = Ledger()
        self.store = SqlStore(self.engine)
        self.lake = Lake(self.root, self.reported.append)
        self.mover = Mover(self.engine, self.lake, self.ledger, self.submit)
        self.history = LakeHistory(self.engine, self.lake)
        self.all_in_sql = History(self.engine)

    def stop(self):
        self.store.close()
        self.lake.close()
        self.engine.dispose()

    def restart(self):
        self.stop()
        self.start()

    def clear(self):
        """Forget everything."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM readings")
            connection.exec_driver_sql("DELETE FROM events")
        # A new reader: what DuckDB knows of files goes by their names, and these come again.
        self.lake.close()
        shutil.rmtree(self.root, ignore_errors=True)
        self.lake.catalog.refresh()
        self.reported.clear()
        self.position = 0

    def submit(self, change):
        """What the writer does with a change."""
        future = Future()
        try:
            change()
            self.store.write(self.ledger)
        except BaseException:
            self.ledger.rollback()
            raise
        self.ledger.commit()
        future.set_result(None)
        return future

    def report(self, observed, values, thing=1, received=None, quality="good"):
        """Store a message as the ingest does; its position."""
        self.position += 1
        received = observed + 5 if received is None else received
        row = (self.position, thing, observed, received, "b", self.position, quality, rows.text(values))
        with self.engine.begin() as connection:
            connection.exec_driver_sql(rows.LOGS["readings"], [row])
        return self.position

    def report_many(self, many, every):
        """Store so many messages at once, the values counted from 0, ``every`` so many milliseconds."""
        made = [
            (self.position + at + 1, 1, at * every, at * every + 5, "b", at + 1, "good", rows.text({"t": at}))
            for at in range(many)
        ]
        self.position += many
        with self.engine.begin() as connection:
            connection.exec_driver_sql(rows.LOGS["readings"], made)

    def occur(self, observed, event, data, thing=1):
        self.position += 1
        row = (self.position, thing, event, observed, observed + 5, "b", self.position, rows.text(data))
        with self.engine.begin() as connection:
            connection.exec_driver_sql(rows.LOGS["events"], [row])
        return self.position

    def hot(self, table="readings"):
        """Positions of the rows in the database."""
        with self.engine.connect() as connection:
            query = f"SELECT position FROM {table} ORDER BY position"
            return list(connection.exec_driver_sql(query).scalars())

    def parts(self, shelf="readings"):
        return sorted((self.root / shelf).glob("day=*/*"))
