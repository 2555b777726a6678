"""Proofs as rows of JSON, as logs' test vectors and tools exchange them.

One object a row: `{"kind":"inclusion","leafIdx","treeSize","root","leafHash","proof"}` or
`{"kind":"consistency","size1","size2","root1","root2","proof"}`; hashes in base64, `proof` a list or null.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from sekisho.ledger.proven import ProvenTree
from sekisho.ledger.tree import BadProof, verify_consistency
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import JsonValue, decode_base64, from_json, parse_json

__all__ = ["ProofRow", "ProofVerdict", "RowError", "check_proof_rows"]

MAX_ROWS = 1_000_000
LARGEST = 2**64


class _Inclusion(msgspec.Struct, frozen=True, tag="inclusion", tag_field="kind", rename="camel"):
    leaf_idx: int
    tree_size: int
    root: str | None
    leaf_hash: str | None
    proof: list[str] | None


class _Consistency(msgspec.Struct, frozen=True, tag="consistency", tag_field="kind"):
    size1: int
    size2: int
    root1: str | None
    root2: str | None
    proof: list[str] | None


ProofRow: TypeAlias = _Inclusion | _Consistency


class ProofVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a proof comes to, and why."""

    verdict: Literal["holds", "fails"]
    why: str


class RowError(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is no proof at all: its line and what is wrong with it."""

    line: int
    error: str


def check_proof_rows(data: bytes, *, path: str) -> list[ProofVerdict | RowError]:
    """Check JSON lines in order; a bad row answers for itself alone. Raises InvalidInput where no row is there."""
    lines = [(number, line) for number, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    if not lines:
        raise InvalidInput("holds no proof", path=path, remedy="write one JSON object a line")
    if len(lines) > MAX_ROWS:
        raise InvalidInput(f"more than {MAX_ROWS} lines", path=path, remedy="split the file")
    rows = _Rows()
    return [rows.check_line(number, line, f"{path}:{number}") for number, line in lines]


class _Rows:
    """Rows that are checked one after the other; mostly they speak of one tree, which is kept."""

    def __init__(self) -> None:
        self._tree = ProvenTree(0, b"")

    def check_line(self, number: int, line: bytes, path: str) -> ProofVerdict | RowError:
        try:
            row = _parse_row(parse_json(line, path=path, largest=LARGEST), path)
            return self._check_row(row, path)
        except InvalidInput as error:
            return RowError(line=number, error=str(error))

    def _check_row(self, row: ProofRow, path: str) -> ProofVerdict:
        try:
            why = (
                self._verify_inclusion(row, path)
                if isinstance(row, _Inclusion)
                else _verify_consistency(row, path)
            )
        except BadProof as error:
            return ProofVerdict(verdict="fails", why=error.message)
        return ProofVerdict(verdict="holds", why=why)

    def _verify_inclusion(self, row: _Inclusion, path: str) -> str:
        leaf, root = _hash(row.leaf_hash, f"{path} leafHash"), _hash(row.root, f"{path} root")
        if (self._tree.size, self._tree.root) != (row.tree_size, root):
            self._tree = ProvenTree(row.tree_size, root)
        self._tree.verify_inclusion(leaf, row.leaf_idx, _hashes(row.proof, path))
        return f"the leaf stands at {row.leaf_idx} of {row.tree_size}"


def _verify_consistency(row: _Consistency, path: str) -> str:
    first, second = _hash(row.root1, f"{path} root1"), _hash(row.root2, f"{path} root2")
    verify_consistency(row.size1, row.size2, first, second, _hashes(row.proof, path))
    return f"the tree of {row.size2} only appends to the tree of {row.size1}"


def _parse_row(value: JsonValue, path: str) -> ProofRow:
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind not in ("inclusion", "consistency"):
        raise InvalidInput(
            "neither an inclusion nor a consistency proof",
            path=f"{path} kind",
            remedy="name its kind",
        )
    if kind == "inclusion":
        return from_json(_Inclusion, value, path=path)
    return from_json(_Consistency, value, path=path)


def _hash(text: str | None, path: str) -> bytes:
    return decode_base64(text or "", path=path)


def _hashes(proof: list[str] | None, path: str) -> list[bytes]:
    hashes: list[bytes] = []
    for at, text in enumerate(proof or ()):
        try:
            hashes.append(decode_base64(text))
        except InvalidInput as error:
            raise InvalidInput(error.message, path=f"{path} proof[{at}]") from None
    return hashes
