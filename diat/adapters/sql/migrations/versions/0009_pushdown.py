"""What is pushed down to things."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "pushdown",
        sa.Column("thing", sa.Text(), primary_key=True),
        sa.Column("body", sa.Text(), nullable=False),
    )
