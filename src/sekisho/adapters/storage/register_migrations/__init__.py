"""How an older register becomes a newer one; run by Alembic, never imported."""
