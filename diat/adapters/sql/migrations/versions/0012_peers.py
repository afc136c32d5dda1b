"""Daemons that are trusted, and the services that they do for this one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    for name, key in (("peers", "name"), ("delegations", "service")):
        op.create_table(
            name,
            sa.Column(key, sa.Text(), primary_key=True),
            sa.Column("body", sa.Text(), nullable=False),
        )
