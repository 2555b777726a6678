"""A statement about a company by itself: what the rules came to for it on a day, by answers that it keeps."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import (
    Digest,
    Jurisdiction,
    Key64,
    Name,
    PackReference,
    Predicate,
)

__all__ = ["CorporateNumber", "ImpactAssessed"]

CorporateNumber: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{13}(?!\n)$")]
"""Japan's 法人番号: thirteen digits; its check digit is looked at where it is typed."""


class ImpactAssessed(Predicate, frozen=True, kw_only=True):
    """A company put its answers to rule packs: the law of `effective`, decided by `method`. It stands by itself.

    `known_until` is the day until which all of its packs of law know the law, where one says so.
    `answers` is the SHA-256 of the canonical answers with their salt, `result` that of the verdict with every decision;
    `rules` are those that touch and `open` those that may, as pack/rule. The key in `public` signs it, and nothing here
    says whose key that is.
    """

    party: Annotated[str, msgspec.Meta(max_length=200)]
    corporate_number: CorporateNumber | None = None
    country: Jurisdiction | None = None
    public: Key64
    verdict: Literal["not-affected", "affected", "unsure"]
    method: Name
    packs: Annotated[tuple[PackReference, ...], msgspec.Meta(min_length=1, max_length=64)]
    answers: Digest
    result: Digest
    rules: tuple[Name, ...] = ()
    open: tuple[Name, ...] = ()
    valid_until: Instant | None = None
    known_until: Instant | None = None
