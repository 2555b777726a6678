"""The rooms' folds side by side: everything the log says, up to some entry.

It holds no fold of its own: each room is asked in turn, in the order in which they may refuse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from sekisho.ledger import leaf_hash
from sekisho.licensing import LicenceLedger
from sekisho.model.statements import (
    CharterAdopted,
    HostEnrolled,
    OrderIssued,
    OrdersInForce,
    PackPublished,
)
from sekisho.orders import HostFacts, KnownOrder, OrderBook, facts_of, is_covered
from sekisho.orders.lifecycle import OrderLives
from sekisho.signing import PublicKey, Recorded, Regime, TrustRoot, Verified
from sekisho.signing.notes import VerifierKey

__all__ = ["State", "facts_under", "fold_log", "leaf_of", "start_state"]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What all rooms know after the first `size` entries of the log."""

    regime: Regime
    licences: LicenceLedger = LicenceLedger()
    orders: OrderBook = OrderBook()
    lives: OrderLives = OrderLives()
    packs: Mapping[str, PackPublished] = {}
    heartbeat: OrdersInForce | None = None
    size: int = 0

    def verify(self, raw: bytes, index: int | None = None) -> Recorded:
        """An envelope as the entry that it would be: verified by the regime, with its leaf digest."""
        verified = self.regime.verify(raw)
        return Recorded(
            index=self.size if index is None else index, leaf=leaf_of(raw), verified=verified
        )

    def after(self, recorded: Recorded, disclosures: Mapping[str, tuple[str, ...]]) -> State:
        """The state once an entry is in the log; raises what the rooms raise, and then nothing has changed.

        `disclosures` are by the payload digest of the statement that conceals them.
        """
        verified = recorded.verified
        fact = verified.predicate
        known = {recorded.leaf: disclosures.get(verified.digest, ())}
        packs = self.packs
        if isinstance(fact, PackPublished):
            packs = {**packs, fact.pack.name: fact}
        return State(
            regime=self.regime.after(verified),
            licences=self.licences.after(recorded, known),
            orders=self._orders_after(verified),
            lives=self.lives.after(recorded),
            packs=packs,
            heartbeat=fact if isinstance(fact, OrdersInForce) else self.heartbeat,
            size=recorded.index + 1,
        )

    def host_facts(self, host: HostEnrolled, run: str | None) -> HostFacts:
        """What orders are matched against: the host, and the licence of the run it works on."""
        state = next(
            (
                s
                for s in self.licences.licences.values()
                if run is not None and s.licence.run == run and host.host in s.licence.hosts
            ),
            None,
        )
        return facts_of(host, state.licence if state else None)

    def _orders_after(self, verified: Verified) -> OrderBook:
        fact = verified.predicate
        if isinstance(fact, CharterAdopted) and fact.version == 1:
            return OrderBook.open(fact.registers)
        if isinstance(fact, OrderIssued):
            known = KnownOrder(order=fact, digest=verified.digest, witnessed=True)
            self.orders.check_register(fact, self.regime.in_force().terms.registers)
            self.orders.require_sequence(known)
            return self.orders.after(known)
        return self.orders


def start_state(root: TrustRoot) -> State:
    """The state of an empty log under a trust root."""
    raw = VerifierKey.from_text(root.log).public_key
    return State(regime=Regime.start(root.charter_digest, PublicKey.from_ed25519_raw(raw)))


def fold_log(
    state: State, entries: Iterable[bytes], disclosures: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[State, list[Recorded]]:
    """The state after more entries, and the entries themselves, verified."""
    recorded: list[Recorded] = []
    for raw in entries:
        entry = state.verify(raw)
        state = state.after(entry, disclosures or {})
        recorded.append(entry)
    return state, recorded


def leaf_of(raw: bytes) -> str:
    """The leaf digest of an envelope, in hexadecimal."""
    return leaf_hash(raw).hex()


def facts_under(state: State, known: KnownOrder) -> tuple[HostEnrolled, ...]:
    """The enrolled hosts that an order covers, with whatever runs on them."""
    runs = {h: s.licence.run for s in state.licences.licences.values() for h in s.licence.hosts}
    return tuple(
        host
        for host in state.regime.hosts.values()
        if is_covered(known, state.host_facts(host, runs.get(host.host)))
    )
