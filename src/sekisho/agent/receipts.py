"""A host's receipts as its own words: made, signed, linked, and read back after a restart. Pure but for the key."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sekisho.licensing import BrokenChain, HeldLease, HostState, Link
from sekisho.model.errors import SekishoError
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CertifiedCounter,
    Checkpoint,
    FlopText,
    OrderReference,
    ReceiptGiven,
    RegisterHead,
    Spend,
    Stage,
    make_payload,
    parse_payload,
)
from sekisho.model.wire import sha256_hex
from sekisho.ports.counter import CounterTier
from sekisho.signing import Signer, parse_envelope, sign_payload

__all__ = [
    "ChainTail",
    "GivenReceipt",
    "Notes",
    "Standing",
    "give_receipt",
    "parse_receipt",
    "read_chain",
]


class GivenReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """A signed receipt: its envelope's bytes and its link in the chain."""

    raw: bytes
    link: Link

    @property
    def sequence(self) -> int:
        return self.link.receipt.sequence


class Notes(msgspec.Struct, frozen=True, kw_only=True):
    """What a receipt says besides its place in the chain; what does not apply is left out."""

    stage: Stage
    state: str = "none"
    spend: Spend | None = None
    order: OrderReference | None = None
    means: str | None = None
    leaves: str | None = None
    checkpoint: Checkpoint | None = None
    processes: int | None = None
    cap: str | None = None
    certified: CertifiedCounter | None = None

    @staticmethod
    def spend_of(lease: HeldLease, declared: FlopText | None = None) -> Spend:
        return Spend(
            lease=lease.lease,
            lease_number=lease.number,
            reserved_flop=lease.reserved,
            bound_flop=lease.spent,
            declared_flop=declared,
        )


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the receipts already say about orders: received, halted and capped under which, by payload digest."""

    received: frozenset[str] = frozenset()
    halted: dict[str, OrderReference] = {}
    capped: dict[str, OrderReference] = {}

    def after(self, receipt: ReceiptGiven) -> Standing:
        """Receipts of stage received, halted, capped and resumed move it; the others do not."""
        order = receipt.order
        if order is None:
            return self
        received, halted, capped = self.received, dict(self.halted), dict(self.capped)
        if receipt.stage == "received":
            received |= {order.digest}
        elif receipt.stage == "halted":
            halted[order.digest] = order
        elif receipt.stage == "capped":
            capped[order.digest] = order
        elif receipt.stage == "resumed":
            received -= {order.digest}
            halted.pop(order.digest, None)
            capped.pop(order.digest, None)
        return Standing(received=received, halted=halted, capped=capped)


class ChainTail(msgspec.Struct, frozen=True, kw_only=True):
    """Where a chain of receipts stands: its head, the one before, what it says of orders, what is not delivered.

    `lease_number` is the highest that any receipt names; `last` the newest receipt's line.
    """

    sequence: int = 0
    head: str | None = None
    previous: str | None = None
    standing: Standing = Standing()
    lease_number: int = 0
    pending: tuple[GivenReceipt, ...] = ()
    last: bytes | None = None


def give_receipt(  # noqa: PLR0913  # a receipt is what host, chain, clock, key and book make together
    notes: Notes,
    state: HostState,
    *,
    host: str,
    run: str,
    tier: CounterTier,
    heads: Iterable[RegisterHead],
    now: Instant,
    signer: Signer,
) -> GivenReceipt:
    """The next receipt of the chain that `state` stands at, signed. `state.quantum` is the quantum it names."""
    receipt = msgspec.convert(
        {
            "effective": now,
            "host": host,
            "sequence": state.sequence + 1,
            "previous": state.receipt,
            "stage": notes.stage,
            "counter": tier,
            "quantum": state.quantum,
            "state": notes.state,
            "heads": tuple(sorted(heads, key=lambda head: head.register)),
            "spend": notes.spend,
            "order": notes.order,
            "run": run,
            "means": notes.means,
            "leaves": notes.leaves,
            "checkpoint": notes.checkpoint,
            "processes": notes.processes,
            "cap": notes.cap,
            "certified": notes.certified,
        },
        ReceiptGiven,
    )
    envelope = sign_payload(make_payload(receipt), (signer,))
    return GivenReceipt(raw=envelope.raw, link=Link(digest=envelope.digest, receipt=receipt))


def read_chain(host: str, lines: Iterable[bytes], *, delivered: int) -> ChainTail:
    """Read the host's own receipts back, each linked to the one before. Raises BrokenChain where one is not.

    Only this host writes the file, so lines are read loosely for speed; the links would show a changed one. The last
    line and what comes after receipt `delivered` are read strictly, since they are worked with.
    """
    tail = ChainTail()
    for line in lines:
        digest, seen = _read_link(line, tail)
        if seen.host != host or seen.sequence != tail.sequence + 1 or seen.previous != tail.head:
            raise BrokenChain(
                f"receipts.jsonl line {tail.sequence + 1} is not the next of host {host}"
            )
        pending = tail.pending
        if seen.sequence > delivered:
            pending = (*pending, parse_receipt(line))
        standing = tail.standing
        if seen.order is not None:
            standing = standing.after(parse_receipt(line).link.receipt)
        number = seen.spend.lease_number if seen.spend else 0
        tail = ChainTail(
            sequence=seen.sequence,
            head=digest,
            previous=tail.head,
            standing=standing,
            lease_number=max(tail.lease_number, number),
            pending=pending,
            last=line,
        )
    return tail


def parse_receipt(line: bytes) -> GivenReceipt:
    """One receipt's envelope, strictly. Raises BrokenChain for anything else."""
    try:
        envelope = parse_envelope(line, path="receipts.jsonl")
        fact = parse_payload(envelope.payload).predicate
    except SekishoError as error:
        raise BrokenChain(str(error)) from None
    if not isinstance(fact, ReceiptGiven):
        raise BrokenChain("receipts.jsonl holds something that is no receipt")
    return GivenReceipt(raw=line, link=Link(digest=envelope.digest, receipt=fact))


class _LooseSpend(msgspec.Struct):
    lease_number: int


class _LooseOrder(msgspec.Struct):
    register: str


class _LooseReceipt(msgspec.Struct):
    host: str
    sequence: int
    previous: str | None = None
    spend: _LooseSpend | None = None
    order: _LooseOrder | None = None


class _LooseStatement(msgspec.Struct):
    predicate: _LooseReceipt


class _LooseEnvelope(msgspec.Struct):
    payload: bytes  # msgspec reads base64


_ENVELOPES = msgspec.json.Decoder(_LooseEnvelope)
_STATEMENTS = msgspec.json.Decoder(_LooseStatement)


def _read_link(line: bytes, tail: ChainTail) -> tuple[str, _LooseReceipt]:
    try:
        payload = _ENVELOPES.decode(line).payload
        return sha256_hex(payload), _STATEMENTS.decode(payload).predicate
    except (msgspec.MsgspecError, ValueError) as error:
        raise BrokenChain(f"receipts.jsonl line {tail.sequence + 1}: {error}") from None
