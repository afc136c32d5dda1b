"""Which foreign thing a topic of its forms belongs to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "topics",
        sa.Column("topic", sa.Text(), primary_key=True),
        sa.Column("thing", sa.Text(), nullable=False),
    )
