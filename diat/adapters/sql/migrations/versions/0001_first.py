"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "actuations",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("thing", sa.Text(), nullable=False),
        sa.Column("service", sa.Text()),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_index("actuations_by_time", "actuations", ["created"])
    op.create_index("actuations_open", "actuations", ["id"], sqlite_where=sa.text("state = 'pending'"))
    op.create_table(
        "announcements",
        sa.Column("topic", sa.Text(), primary_key=True),
        sa.Column("thing", sa.Text(), nullable=False),
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "buried",
        sa.Column("topic", sa.Text(), primary_key=True),
        sa.Column("thing", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "composites",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("state", sa.Text(), nullable=False),
    )
    op.create_table(
        "diagnostics",
        sa.Column("thing", sa.Text(), primary_key=True),
        sa.Column("lines", sa.Text(), nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("thing", sa.Integer(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("observed", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("boot", sa.Text()),
        sa.Column("n", sa.BigInteger()),
        sa.Column("data", sa.Text(), nullable=False),
    )
    op.create_index("events_by_thing", "events", ["thing", "event", "observed"])
    op.create_table(
        "held",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("thing", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("value", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "readings",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("thing", sa.Integer(), nullable=False),
        sa.Column("observed", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("boot", sa.Text()),
        sa.Column("n", sa.BigInteger()),
        sa.Column("quality", sa.Text(), nullable=False),
        sa.Column("reported", sa.Text(), nullable=False),
    )
    op.create_index("readings_by_thing", "readings", ["thing", "observed"])
    op.create_table(
        "services",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_table(
        "templates",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_table(
        "things",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("no", sa.Integer(), nullable=False, unique=True),
        sa.Column("record", sa.Text(), nullable=False),
    )
    op.create_table(
        "twins",
        sa.Column("thing", sa.Text(), primary_key=True),
        sa.Column("state", sa.Text(), nullable=False),
    )
