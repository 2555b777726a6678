"""Statements about concealed fields: deposited for those who may open them, and erased (protocol section 12)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

from sekisho.model.statements.shapes import Digest, Predicate, Text, Wire

__all__ = ["DepositShare", "DisclosureDeposited", "DisclosureErased"]

Sealed: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9+/]*={0,2}(?!\n)$", max_length=600)
]
SealedContent: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9+/]*={0,2}(?!\n)$", max_length=30_000)
]


class DepositShare(Wire, frozen=True, kw_only=True):
    """One share of the content's key, sealed to a deposit key. `key` is the id of that key, `sealed` base64."""

    key: Digest
    sealed: Sealed


class DisclosureDeposited(Predicate, frozen=True, kw_only=True):
    """The disclosures of a statement, encrypted; any `threshold` of the share holders open them together.

    `statement` is the payload digest of what conceals; `content` is a commitment to each share, then
    the ciphertext, in base64. A share's number is its place, from 1.
    """

    statement: Digest
    threshold: Annotated[int, msgspec.Meta(ge=1, le=64)]
    shares: Annotated[tuple[DepositShare, ...], msgspec.Meta(min_length=1, max_length=64)]
    content: SealedContent


class DisclosureErased(Predicate, frozen=True, kw_only=True):
    """Salt and deposit of a statement's concealed fields were destroyed, on this legal basis."""

    statement: Digest
    basis: Text
