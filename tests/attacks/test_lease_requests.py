"""One test per lease request that does not stand where its host's receipts say, or that was refused once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.licensing import (
    Chain,
    ReceiptsOutstanding,
    RequestBehindChain,
    place_of,
    verify_place,
)
from sekisho.licensing.asking import Place
from sekisho.model.errors import StateConflict, Unavailable
from sekisho.model.statements import FindingRaised, LeaseRequested, parse_payload
from sekisho.operations.leasing import LeaseRefused
from sekisho.operations.licence_drafts import AmendedTerms, draft_licence_amendment
from sekisho.ports.control import LeaseAnswer
from sekisho.rules import load_pack
from sekisho.signing import parse_envelope
from tests import factory as f
from tests.approved import suspend
from tests.desks import TestDesk
from tests.fakes import FakeControl, Rig
from tests.holders import Holder, key_of, leaf_of, leased, license_hosts


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as made:
        yield made


def request_of(raw: bytes) -> LeaseRequested:
    fact = parse_payload(parse_envelope(raw).payload).predicate
    assert isinstance(fact, LeaseRequested)
    return fact


def bent(raw: bytes, **changes: object) -> bytes:
    """The same request with other words, signed by its host again."""
    fact = msgspec.structs.replace(request_of(raw), **changes)
    return f.signed(fact, key_of(fact.host)).raw


def findings(desk: TestDesk) -> list[str]:
    facts = [r.verified.predicate for r in desk.desk.recorded()]
    return [fact.finding for fact in facts if isinstance(fact, FindingRaised)]


def test_host_set_back_that_asks_for_the_next_lease(desk: TestDesk) -> None:
    """By its own dates it asks after a receipt that it does not know of: nothing is granted, and it is found, once."""
    holder, lease = leased(desk)
    desk.leases.take_receipt(holder.receipt(lease))
    old = holder.head
    desk.leases.take_receipt(holder.receipt(lease, now=f.NOW.plus(2)))
    later = f.NOW.plus(60)
    for _ in range(2):
        with pytest.raises(RequestBehindChain, match="its newest is number 2"):
            desk.leases.grant(bent(holder.request(later), last_receipt=old))

    assert findings(desk) == ["request-behind-chain"]
    assert desk.leases.grant(holder.request(later)).admitted.leaf


def test_host_whose_disk_was_lost_and_made_anew(desk: TestDesk) -> None:
    """A home that remembers no receipt is older than any chain."""
    holder, lease = leased(desk)
    desk.leases.take_receipt(holder.receipt(lease))
    with pytest.raises(RequestBehindChain, match="names receipt none"):
        desk.leases.grant(bent(holder.request(f.NOW.plus(60)), last_receipt=None))


def test_request_that_waited_while_receipts_went_on(desk: TestDesk) -> None:
    """It is refused and no finding: the host did not know better when it asked, and asks anew."""
    holder, lease = leased(desk)
    early = holder.request()
    desk.leases.take_receipt(holder.receipt(lease, now=f.NOW.plus(2)))
    with pytest.raises(LeaseRefused, match="older than its receipt 1"):
        desk.leases.grant(early)

    assert findings(desk) == []
    assert desk.leases.grant(holder.request()).admitted.leaf


def test_request_whose_receipts_are_on_their_way(desk: TestDesk) -> None:
    """They are delivered first; the very same request is granted then."""
    holder, lease = leased(desk)
    receipt = holder.receipt(lease)
    ahead = holder.request()
    with pytest.raises(ReceiptsOutstanding, match="deliver"):
        desk.leases.grant(ahead)
    desk.leases.take_receipt(receipt)

    assert desk.leases.grant(ahead).admitted.leaf


def test_request_that_names_a_receipt_of_another_chain(desk: TestDesk) -> None:
    """Of an earlier quantum than the issuer holds, and unknown to it: there is another host of that name."""
    holder, lease = leased(desk)
    for _ in range(3):
        desk.leases.take_receipt(holder.receipt(lease))
    with pytest.raises(RequestBehindChain):
        desk.leases.grant(bent(holder.request(), last_receipt="e" * 64, quantum=1))

    assert findings(desk) == ["request-behind-chain"]


@pytest.mark.parametrize("tier", ["C0", "C1", "C2"])
def test_only_a_certified_host_out_of_reach_need_not_deliver_first(tier: str) -> None:
    """Its counter bounds it, and its request may have been walked here; an older one is refused on every tier."""
    chain = Chain(host="host-1", sequence=3, head="a" * 64)
    asked = msgspec.structs.replace(f.lease_requested(), last_receipt="b" * 64)

    def judge(place: Place) -> None:
        verify_place(asked, chain, place, tier=tier, error_s=5)

    assert place_of(asked, chain, is_kept=False) == "ahead"
    if tier == "C2":
        judge("ahead")
    else:
        with pytest.raises(ReceiptsOutstanding):
            judge("ahead")
    with pytest.raises(StateConflict):
        judge("earlier")
    with pytest.raises(RequestBehindChain):
        judge("foreign")


def refused_once(desk: TestDesk) -> tuple[Holder, bytes]:
    """A host whose first request was refused, since its licence was suspended, and granted by a replay afterwards."""
    licence = license_hosts(desk.desk, 1)
    holder = Holder(1, licence.leaf)
    first = holder.request()
    suspend(desk)
    with pytest.raises(LeaseRefused, match="suspended"):
        desk.leases.grant(first)
    terms = AmendedTerms(reason="in order", lifts=True)
    lifting = draft_licence_amendment(
        desk.desk.state, "LIC-1", terms, load_pack(), now=desk.clock.now()
    )
    desk.desk.admit(f.signed(lifting, *f.AUTHORITY[:2]).raw)
    return holder, first


def test_refused_request_replayed_when_it_can_be_granted(desk: TestDesk) -> None:
    """The host asks for that number under another nonce, and is told of the lease that it does not wait for."""
    holder, first = refused_once(desk)
    replayed = desk.leases.grant(first)
    again = desk.leases.grant(bent(holder.request(), nonce="cd" * 16))
    assert (again.admitted.digest, again.disclosures) == (
        replayed.admitted.digest,
        replayed.disclosures,
    )
    holder.took()
    desk.leases.take_receipt(holder.receipt(leaf_of(replayed), reserved=0, stage="final"))

    assert desk.leases.grant(holder.request()).admitted.leaf


def test_lease_that_was_spent_is_told_to_no_second_host(desk: TestDesk) -> None:
    """A clone that asks for the number of a lease in use is refused, as ever."""
    holder, lease = leased(desk)
    desk.leases.take_receipt(holder.receipt(lease))
    clone = bent(holder.request(), number=1, nonce="cd" * 16)
    with pytest.raises(LeaseRefused, match="asks for lease 1, its last is 1"):
        desk.leases.grant(clone)


class Forgetful(FakeControl):
    """An issuer to whom somebody replays what it refused; it tells the host of the lease, as the real one does."""

    def __init__(self) -> None:
        super().__init__()
        self.is_closed = True
        self.refused: list[bytes] = []

    def send_request(self, envelope: bytes) -> LeaseAnswer:
        if self.is_closed:
            self.refused.append(envelope)
            raise LeaseRefused("not today")
        if self.refused:
            replayed, self.refused = self.refused[0], []
            self.forgotten = super().send_request(replayed)
        number = request_of(envelope).number
        return self.forgotten if number == 1 else super().send_request(envelope)


def test_host_whose_refused_request_was_granted_later_goes_on() -> None:
    """It takes the number, uses nothing, gives the lease back, and runs under the next one."""
    control = Forgetful()
    rig = Rig(control)
    control.license()
    rig.run_for(3)
    assert control.refused
    assert rig.doing() == "none"
    control.is_closed = False
    rig.run_for(20)

    assert rig.doing() == "running"
    assert rig.host.memory.state.lease_number >= 2
    finals = [r.spend for r in control.receipts if r.stage == "final" and r.spend]
    assert [(s.lease_number, s.reserved_flop) for s in finals[:1]] == [(1, "0")]


class Waiting(FakeControl):
    """An issuer that asks for the host's receipts first."""

    def send_request(self, envelope: bytes) -> LeaseAnswer:
        if request_of(envelope).last_receipt not in (None, *self.digests):
            raise ReceiptsOutstanding("deliver first")
        return super().send_request(envelope)


def test_agent_delivers_and_asks_again() -> None:
    """Not now is no refusal: the same request waits, under the same nonce, and leases follow one another."""
    control = Waiting()
    rig = Rig(control)
    rig.started()
    send = control.send_receipt
    slow: list[bytes] = []

    def late(raw: bytes) -> bytes | None:
        if raw not in slow:
            slow.append(raw)
            raise Unavailable("lost on the way")
        return send(raw)

    control.send_receipt = late  # type: ignore[method-assign, assignment]  # a slow way for receipts
    rig.run_for(140, step=0.5)

    assert rig.doing() == "running"
    numbers = [r.number for r in control.requests]
    assert len(numbers) >= 3
    assert numbers == list(range(1, len(numbers) + 1))
    assert control.codes() == []
