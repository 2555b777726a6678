"""Release 0.1: a queue beside the entries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """The tables as release 0.1 made them."""
    op.create_table(
        "log",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("origin", sa.String, nullable=False),
    )
    op.create_table(
        "queue",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("payload_sha256", sa.LargeBinary, nullable=False),
        sa.Column("unique_keys", sa.String, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "entries",
        sa.Column("idx", sa.Integer, primary_key=True),
        sa.Column("leaf_hash", sa.LargeBinary, nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("payload_sha256", sa.LargeBinary, unique=True),
    )
    op.create_table(
        "unique_keys",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("idx", sa.Integer, nullable=False),
    )
    for name, content in (("head", "root"), ("cosigned", "note")):
        op.create_table(
            name,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("size", sa.Integer, nullable=False),
            sa.Column(content, sa.LargeBinary, nullable=False),
        )
