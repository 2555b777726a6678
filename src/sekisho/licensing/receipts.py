"""The receipt chain of a host: one link after the other, each naming the one before; a fork is a finding.

Source: protocol sections 5 and 6.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sekisho.model.errors import VerificationError
from sekisho.model.statements import ReceiptGiven

__all__ = ["BrokenChain", "Chain", "Link", "ReceiptFork", "fold_chain"]


class BrokenChain(VerificationError):
    """A receipt that does not follow the last one: a gap, or another predecessor."""

    code = "broken-receipt-chain"


class ReceiptFork(VerificationError):
    """Two receipts of one host with one sequence and different digests: the host exists twice or was rolled back."""

    code = "receipt-fork"


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One receipt with the digest of its payload."""

    digest: str
    receipt: ReceiptGiven


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """How far a host's receipts have been seen, with every digest of it."""

    host: str
    digests: tuple[str, ...] = ()
    last: ReceiptGiven | None = None

    @property
    def sequence(self) -> int:
        return len(self.digests)

    @property
    def head(self) -> str | None:
        return self.digests[-1] if self.digests else None

    def has(self, link: Link) -> bool:
        """Whether this very receipt is already in the chain (a re-sent one is harmless)."""
        place = link.receipt.sequence
        return 0 < place <= self.sequence and self.digests[place - 1] == link.digest

    def after(self, link: Link) -> Chain:
        """The chain with one more link. Raises ReceiptFork, BrokenChain."""
        receipt = link.receipt
        if receipt.host != self.host or receipt.sequence < 1:
            raise BrokenChain(
                f"receipt {receipt.sequence} of host {receipt.host} cannot stand in the chain of host {self.host}"
            )
        if receipt.sequence <= self.sequence and not self.has(link):
            raise ReceiptFork(
                f"host {self.host} gave two receipts number {receipt.sequence}",
                remedy="its leases end; look for a clone or a restored snapshot",
            )
        if self.has(link):
            return self
        if receipt.sequence != self.sequence + 1 or receipt.previous != self.head:
            raise BrokenChain(
                f"receipt {receipt.sequence} of host {self.host} does not follow receipt {self.sequence}"
            )
        if self.last is not None and receipt.quantum < self.last.quantum:
            raise BrokenChain(f"the quantum counter of host {self.host} went backwards")
        return Chain(host=self.host, digests=(*self.digests, link.digest), last=receipt)


def fold_chain(host: str, links: Iterable[Link]) -> Chain:
    """The chain that all links make in their own order of sequence; raises what `after` raises."""
    chain = Chain(host=host)
    for link in sorted(links, key=lambda link: link.receipt.sequence):
        chain = chain.after(link)
    return chain
