"""What an issuer remembers of a host: its receipt chain, what it reserved, its forks, the challenges it was given.

All of it is made again from log and private store at a start. A record is a value, so that a batch that fails leaves
the ones before it as they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from sekisho.licensing import Chain, LicenceLedger, Link, fold_chain, reserved_in_branches
from sekisho.model.amounts import parse_flop
from sekisho.model.statements import ReceiptAcknowledged, ReceiptGiven, parse_payload
from sekisho.operations.batch import Batch
from sekisho.operations.leasing.facts import link_of_paper
from sekisho.operations.state import State
from sekisho.ports.private_store import PrivateStore
from sekisho.signing import parse_envelope

__all__ = ["HostRecord", "Work", "load_records"]

MAX_CHALLENGES = 2_048
"""More than a host can hold leases ahead: each came with one, and any of them may be the next it answers."""
_OPEN = frozenset({None, "forked"})


class HostRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One host. `reserved` is the most that its own chain reserved of each lease that still counts, by leaf."""

    chain: Chain
    reserved: Mapping[str, int] = {}
    forks: tuple[Link, ...] = ()
    challenges: tuple[str, ...] = ()
    certified: ReceiptGiven | None = None

    def after(self, chain: Chain, receipt: ReceiptGiven) -> HostRecord:
        """With one more receipt in the chain."""
        reserved = self.reserved
        if receipt.spend is not None:
            leaf, flop = receipt.spend.lease.leaf, parse_flop(receipt.spend.reserved_flop)
            reserved = {**reserved, leaf: max(flop, reserved.get(leaf, 0))}
        return msgspec.structs.replace(
            self,
            chain=chain,
            reserved=reserved,
            certified=receipt if receipt.certified is not None else self.certified,
        )

    def challenged(self, challenge: str | None) -> HostRecord:
        """With one more challenge given to it."""
        if challenge is None:
            return self
        return msgspec.structs.replace(
            self, challenges=(*self.challenges, challenge)[-MAX_CHALLENGES:]
        )

    def pruned(self, ledger: LicenceLedger) -> HostRecord:
        """Without what was reserved of leases that are closed for good: their closing says it."""
        kept = {leaf: flop for leaf, flop in self.reserved.items() if _counts(ledger, leaf)}
        return (
            self
            if len(kept) == len(self.reserved)
            else msgspec.structs.replace(self, reserved=kept)
        )

    def forked_flop(self, ledger: LicenceLedger) -> dict[str, int]:
        """What all branches together reserved of each lease that a fork spends: its own chain's and every other's."""
        others = reserved_in_branches(self.forks)
        leaves = dict.fromkeys([*self.reserved, *others])
        return {leaf: self._own(ledger, leaf) + others.get(leaf, 0) for leaf in leaves}

    def with_own(self, ledger: LicenceLedger) -> HostRecord:
        """With its own chain's part of each lease that a fork spends, before the branches are added to it.

        Of a lease that was closed before the fork came, the log says that part alone only until the sum is stated.
        """
        own = {leaf: self._own(ledger, leaf) for leaf in reserved_in_branches(self.forks)}
        if own.keys() <= self.reserved.keys():
            return self
        return msgspec.structs.replace(self, reserved={**own, **self.reserved})

    def _own(self, ledger: LicenceLedger, leaf: str) -> int:
        found = ledger.by_lease(leaf)
        closed = found[1].consumed_flop if found is not None and found[1].ended else None
        if leaf in self.reserved or closed is None:
            return self.reserved.get(leaf, 0)
        return closed


class Work:
    """One batch with the records as it would leave them; they are taken over once it is committed."""

    def __init__(self, batch: Batch, records: Mapping[str, HostRecord]) -> None:
        self.batch = batch
        self._records = records
        self.changed: dict[str, HostRecord] = {}
        self.found: set[tuple[str, str]] = set()

    @property
    def state(self) -> State:
        return self.batch.state

    def record(self, host: str) -> HostRecord:
        known = self.changed.get(host) or self._records.get(host)
        return known or HostRecord(chain=Chain(host=host))

    def put(self, record: HostRecord) -> None:
        self.changed[record.chain.host] = record


def load_records(private: PrivateStore, state: State) -> dict[str, HostRecord]:
    """Every host's record, from what is kept. Raises what a broken chain raises: the store is not ours as it was."""
    links: dict[str, list[Link]] = {}
    for paper in private.load_papers("receipt"):
        links.setdefault(paper.host, []).append(link_of_paper(paper))
    forks: dict[str, list[Link]] = {}
    for paper in private.load_papers("fork"):
        forks.setdefault(paper.host, []).append(link_of_paper(paper))
    given = _challenges(private, state)
    hosts = dict.fromkeys([*links, *forks, *given])
    return {
        host: _record(
            host, links.get(host, []), tuple(forks.get(host, ())), state, given.get(host, ())
        )
        for host in hosts
    }


def _record(
    host: str, links: list[Link], forks: tuple[Link, ...], state: State, given: tuple[str, ...]
) -> HostRecord:
    reserved: dict[str, int] = {}
    for receipt in (link.receipt for link in links):
        if receipt.spend is not None:
            leaf, flop = receipt.spend.lease.leaf, parse_flop(receipt.spend.reserved_flop)
            reserved[leaf] = max(flop, reserved.get(leaf, 0))
    certified = [link.receipt for link in links if link.receipt.certified is not None]
    record = HostRecord(
        chain=fold_chain(host, links),
        reserved=reserved,
        forks=forks,
        challenges=given,
        certified=max(certified, key=lambda receipt: receipt.sequence, default=None),
    )
    return record.pruned(state.licences)


def _challenges(private: PrivateStore, state: State) -> dict[str, tuple[str, ...]]:
    """The challenges that hosts with a certified counter were given, the newest last."""
    given: dict[str, list[tuple[int, str]]] = {
        host: [] for host, enrolled in state.regime.hosts.items() if enrolled.counter == "C2"
    }
    if not given:
        return {}
    for licence in state.licences.licences.values():
        for lease in licence.leases:
            fact = lease.granted
            if fact.host in given and fact.challenge is not None:
                given[fact.host].append((fact.effective.us, fact.challenge))
    for host in given:
        newest = private.load_papers("acknowledgement", host)[-MAX_CHALLENGES:]
        given[host] += _acknowledged(paper.envelope for paper in newest)
    return {
        host: tuple(text for _, text in sorted(rows, key=_given_at))[-MAX_CHALLENGES:]
        for host, rows in given.items()
    }


def _given_at(row: tuple[int, str]) -> int:
    """When a challenge was given; two of one instant stay in the order in which they were read."""
    return row[0]


def _acknowledged(envelopes: Iterable[bytes]) -> list[tuple[int, str]]:
    facts = (parse_payload(parse_envelope(raw).payload).predicate for raw in envelopes)
    return [
        (fact.effective.us, fact.challenge)
        for fact in facts
        if isinstance(fact, ReceiptAcknowledged) and fact.challenge is not None
    ]


def _counts(ledger: LicenceLedger, leaf: str) -> bool:
    found = ledger.by_lease(leaf)
    return found is not None and found[1].ended in _OPEN
