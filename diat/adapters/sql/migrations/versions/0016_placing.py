"""Where the steps of services run, and the parts of services of another daemon that run here."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "placings",
        sa.Column("composite", sa.Text(), primary_key=True),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_table(
        "parts",
        sa.Column("service", sa.Text(), primary_key=True),
        sa.Column("body", sa.Text(), nullable=False),
    )
