"""Since when something stands announced, and the notices of what became of things in the directory."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let what stands announced have stood since it was last heard of."""
    with op.batch_alter_table("announcements") as table:
        table.add_column(sa.Column("since", sa.BigInteger()))
    op.execute("UPDATE announcements SET since = received")
    with op.batch_alter_table("announcements") as table:
        table.alter_column("since", existing_type=sa.BigInteger(), nullable=False)
    op.create_table(
        "notices",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("thing", sa.Text(), nullable=False),
        sa.Column("patch", sa.Text()),
    )
