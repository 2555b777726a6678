"""A lease request beside the receipt chain that the issuer holds: does the host stand where its receipts say? Pure.

A request names the host's newest receipt. A host that was set back, or that exists twice, names an older one or one of
another chain; a host whose receipts are still on their way names one that nobody here knows. Source: protocol
sections 5 and 6.
"""

from __future__ import annotations

from typing import Literal

from sekisho.licensing.receipts import Chain
from sekisho.model.errors import StateConflict, Unavailable, VerificationError
from sekisho.model.statements import LeaseRequested

__all__ = ["Place", "ReceiptsOutstanding", "RequestBehindChain", "place_of", "verify_place"]

Place = Literal["head", "earlier", "ahead", "foreign"]


class RequestBehindChain(VerificationError):
    """A request that names another receipt than its host gave last: the host was set back, or there are two of it."""

    code = "request-behind-chain"


class ReceiptsOutstanding(Unavailable):
    """A request that names a receipt which has not come yet: nothing is granted before it has."""

    code = "receipts-outstanding"


def place_of(request: LeaseRequested, chain: Chain, *, is_kept: bool) -> Place:
    """Where a request stands; `is_kept`: its receipt is one of this host's that the issuer keeps.

    What is not known is of another chain where it is of an earlier quantum, else it may be on its way.
    """
    if request.last_receipt == chain.head:
        return "head"
    if request.last_receipt is None or is_kept:
        return "earlier"
    newest = chain.last.quantum if chain.last is not None else 0
    return "foreign" if request.quantum < newest else "ahead"


def verify_place(
    request: LeaseRequested, chain: Chain, place: Place, *, tier: str, error_s: int
) -> None:
    """Raise why nothing is granted to a request that stands there.

    An earlier receipt alone proves nothing: a request waits while receipts go on, and is made anew. It is a finding
    (RequestBehindChain) where by the host's own dates it was made after the receipt that it does not know of, by more
    than the clocks may differ. A host whose counter a TPM certifies (C2) need not deliver first: it may be out of
    reach, and the counter bounds it.
    """
    if place == "head" or (place == "ahead" and tier == "C2"):
        return
    if place == "ahead":
        raise ReceiptsOutstanding(
            f"host {request.host} names receipt {(request.last_receipt or '')[:16]}, which has not come yet",
            remedy="deliver its receipts first, then ask again",
        )
    last = chain.last
    is_later = last is not None and request.effective > last.effective.plus(error_s)
    what = f"request {request.number} of host {request.host}"
    if place == "foreign" or is_later:
        raise RequestBehindChain(
            f"{what} names receipt {(request.last_receipt or 'none')[:16]}, its newest is number {chain.sequence}",
            remedy="look for a clone or a restored snapshot",
        )
    raise StateConflict(
        f"{what} is older than its receipt {chain.sequence}", remedy="ask anew, under a fresh nonce"
    )
