"""Statements about chips: registered, moved, counted, balanced, made; and what in all that does not fit.

Who holds how many chips of which kind, and where, stays out of the log (protocol section 12): serials as HMAC tags,
events as a root over salted commitments, figures and places as concealed fields.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements.licensing import Concealed
from sekisho.model.statements.shapes import Count, Digest, Name, Predicate, Span, Wire

__all__ = [
    "BalanceClosed",
    "ChipRegistered",
    "ChipTags",
    "CustodyMoved",
    "InventoryTaken",
    "IrregularityFound",
    "IrregularityIn",
    "ProductionReported",
]

IrregularityIn: TypeAlias = Literal["custody", "balance", "production", "inventory"]


class ChipTags(Wire, frozen=True, kw_only=True):
    """One chip or component: the tag of its maker's serial and, where it has one, of its device key."""

    serial: Digest
    device_key: Digest | None = None


class ChipRegistered(Predicate, frozen=True, kw_only=True):
    """Chips enter the register. No second statement may bear any of these tags, so no serial is registered twice.

    `batch` is the commitment root of the batch whose events registered them.
    """

    batch: Digest
    chips: Annotated[tuple[ChipTags, ...], msgspec.Meta(min_length=1, max_length=200)]


class CustodyMoved(Predicate, frozen=True, kw_only=True):
    """A batch of captured custody events, of any kind: how many, and the RFC 6962 root over their salted commitments.

    `concealed` is empty unless the charter names deposit holders: then it hides key and address of the events' content.
    """

    batch: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    events: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    root: Digest
    concealed: Concealed = msgspec.field(name="_sd", default=())


class InventoryTaken(Predicate, frozen=True, kw_only=True):
    """A party counted what lies in one of its balance areas. The area, the count and the list are concealed."""

    party: Name
    taken: Instant
    items: Digest
    concealed: Concealed = msgspec.field(name="_sd", default=())


class BalanceClosed(Predicate, frozen=True, kw_only=True):
    """A party closes the balance of an area over a period. `report` is the salted digest of the whole report.

    `verdict` says whether book and count agree; area and figures are concealed.
    """

    party: Name
    period: Span
    report: Digest
    verdict: Literal["holds", "fails", "unverifiable"]
    corrects: Digest | None = None
    concealed: Concealed = msgspec.field(name="_sd", default=())


class ProductionReported(Predicate, frozen=True, kw_only=True):
    """A maker reports what one fab made in a period. `report` is the salted digest of the whole report."""

    party: Name
    period: Span
    report: Digest
    corrects: Digest | None = None
    concealed: Concealed = msgspec.field(name="_sd", default=())


class IrregularityFound(Predicate, frozen=True, kw_only=True):
    """Something in the books of chips does not fit, and somebody must look. `irregularity` is a stable code.

    `about` is the salted digest of what it is about; which chip, where and why is concealed.
    """

    irregularity: Name
    books: IrregularityIn
    about: Digest
    count: Count = 1
    concealed: Concealed = msgspec.field(name="_sd", default=())
