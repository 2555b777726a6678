"""How an older database becomes a newer one; run by Alembic, never imported."""
