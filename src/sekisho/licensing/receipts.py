"""The receipt chain of a host: one link after the other, each naming the one before; a fork is a finding.

Source: protocol sections 5 and 6.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sekisho.model.amounts import parse_flop
from sekisho.model.errors import VerificationError
from sekisho.model.statements import ReceiptGiven

__all__ = ["BrokenChain", "Chain", "Link", "ReceiptFork", "fold_chain", "reserved_in_branches"]


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
    """How far a host's receipts have been seen: how many, the digest of the last, and what it said.

    Of those before the last it keeps nothing, however many there are. Whoever may be sent an old receipt again looks
    it up where receipts are kept before asking `after`, which takes another receipt of a number it has passed for a
    fork.
    """

    host: str
    sequence: int = 0
    head: str | None = None
    last: ReceiptGiven | None = None

    def is_head(self, link: Link) -> bool:
        """Whether this very receipt is the chain's last."""
        return link.receipt.sequence == self.sequence and link.digest == self.head

    def after(self, link: Link) -> Chain:
        """The chain with one more link; itself where the link is its head. Raises ReceiptFork, BrokenChain."""
        receipt = link.receipt
        if receipt.host != self.host or receipt.sequence < 1:
            raise BrokenChain(
                f"receipt {receipt.sequence} of host {receipt.host} cannot stand in the chain of host {self.host}"
            )
        if self.is_head(link):
            return self
        if receipt.sequence <= self.sequence:
            raise ReceiptFork(
                f"host {self.host} gave two receipts number {receipt.sequence}",
                remedy="its leases end; look for a clone or a restored snapshot",
            )
        if receipt.sequence != self.sequence + 1 or receipt.previous != self.head:
            raise BrokenChain(
                f"receipt {receipt.sequence} of host {self.host} does not follow receipt {self.sequence}"
            )
        if self.last is not None and receipt.quantum < self.last.quantum:
            raise BrokenChain(f"the quantum counter of host {self.host} went backwards")
        return Chain(host=self.host, sequence=receipt.sequence, head=link.digest, last=receipt)


def fold_chain(host: str, links: Iterable[Link]) -> Chain:
    """The chain that all links make in their own order of sequence; raises what `after` raises."""
    chain = Chain(host=host)
    for link in sorted(links, key=lambda link: link.receipt.sequence):
        chain = chain.after(link)
    return chain


def reserved_in_branches(forks: Iterable[Link]) -> dict[str, int]:
    """What receipts that contradict a chain reserved of each lease, by its leaf: the branches they make, added.

    Receipts that follow one another are one branch, whose figures are cumulative: it counts with its highest. What a
    branch shares with the chain before they parted is counted twice, never not at all.
    """
    branch_of: dict[str, str] = {}
    highest: dict[tuple[str, str], int] = {}
    for link in sorted(forks, key=lambda link: link.receipt.sequence):
        branch = branch_of.get(link.receipt.previous or "", link.digest)
        branch_of[link.digest] = branch
        spend = link.receipt.spend
        if spend is not None:
            place = (branch, spend.lease.leaf)
            highest[place] = max(parse_flop(spend.reserved_flop), highest.get(place, 0))
    total: dict[str, int] = {}
    for (_, leaf), flop in highest.items():
        total[leaf] = total.get(leaf, 0) + flop
    return total
