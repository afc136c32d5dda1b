"""The line between tiers: whose things are whose, the spool of a gateway and what has gone through it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "ties",
        sa.Column("thing", sa.Text(), primary_key=True),
        sa.Column("gateway", sa.Text(), nullable=False),
    )
    op.create_table(
        "lines",
        sa.Column("gateway", sa.Text(), primary_key=True),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_table(
        "spool",
        sa.Column("seq", _WHOLE, primary_key=True),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("thing", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger()),
        sa.Column("lost", sa.BigInteger(), nullable=False),
        sa.Column("observed", sa.BigInteger()),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_index("spool_by_lane", "spool", ["lane", "due", "seq"])
    op.create_table(
        "passed",
        sa.Column("thing", sa.Text(), primary_key=True),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_table(
        "told",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
