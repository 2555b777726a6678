"""A Parquet file of readings or minutes as the store names it, and the digest of all that a sum rests on."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import msgspec

from sekisho.model.wire import canonical

__all__ = ["SourceFile", "evidence_of"]


class SourceFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of one site.

    `path` is where the engine opens it (a file of this machine; for Spark also what its workers can open). `name`
    is how the store's manifest calls it, with `rows` and `sha256`; the evidence of a sum is made of these three.
    """

    path: str
    site: str
    name: str = ""
    rows: int = 0
    sha256: str = ""


def evidence_of(files: Iterable[SourceFile]) -> str:
    """`sha256:` and the digest over canonical JSON of [name, sha256, rows] of every file, sorted; "" for no file."""
    rows = sorted([file.name or file.path, file.sha256, file.rows] for file in files)
    return f"sha256:{sha256(canonical(rows)).hexdigest()}" if rows else ""
