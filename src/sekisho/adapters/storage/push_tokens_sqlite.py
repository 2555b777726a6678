"""Tokens to push telemetry with, in the SQLite file of inventories, beside the fleet agents' own."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, String, Table, insert, select, update

from sekisho.adapters.storage.inventories_file import SCHEMA, InventoriesFile
from sekisho.model.instants import Instant
from sekisho.ports.push_token_store import PushToken

__all__ = ["PushTokensSqlite"]

_tokens = Table(
    "push_tokens",
    SCHEMA,
    Column("digest", String, primary_key=True),
    Column("site", String, nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("revoked", Boolean, nullable=False),
)


class PushTokensSqlite:
    """The push tokens of one home; implements sekisho.ports.push_token_store.PushTokenStore."""

    def __init__(self, file: InventoriesFile) -> None:
        self._file = file

    def save_push_token(self, token: PushToken) -> None:
        with self._file.transaction() as connection:
            connection.execute(
                insert(_tokens).values(
                    digest=token.digest,
                    site=token.site,
                    made=token.made.us,
                    expires=token.expires.us,
                    revoked=token.revoked,
                )
            )

    def load_push_tokens(self) -> tuple[PushToken, ...]:
        with self._file.transaction() as connection:
            rows = connection.execute(select(_tokens).order_by(_tokens.c.made)).all()
        return tuple(
            PushToken(
                digest=row.digest,
                site=row.site,
                made=Instant(row.made),
                expires=Instant(row.expires),
                revoked=row.revoked,
            )
            for row in rows
        )

    def revoke_push_token(self, digest: str) -> None:
        with self._file.transaction() as connection:
            connection.execute(
                update(_tokens).where(_tokens.c.digest == digest).values(revoked=True)
            )
