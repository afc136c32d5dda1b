"""Users, tokens, credentials of things, policies, secrets of the daemon, and the audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    for name, key in (
        ("users", "id"),
        ("tokens", "id"),
        ("credentials", "id"),
        ("policies", "id"),
        ("secrets", "name"),
    ):
        op.create_table(
            name,
            sa.Column(key, sa.Text(), primary_key=True),
            sa.Column("body", sa.Text(), nullable=False),
        )
    op.create_table(
        "audit",
        sa.Column("no", sa.Integer(), primary_key=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
    )
