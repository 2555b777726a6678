"""Attacks on the issuer by a host that it enrolled: spent leases, floods, forks, a way around the receipt chain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.licensing import ReceiptFork
from sekisho.model.errors import BadSignature, InvalidInput, VerificationError
from sekisho.model.statements import (
    HostRetired,
    LicenceRevoked,
    ReceiptGiven,
    Reference,
    Spend,
)
from sekisho.operations.feed import Feed
from sekisho.operations.leasing import LeaseRefused
from sekisho.signing import parse_envelope, sign_payload
from tests import factory as f
from tests.desks import TestDesk
from tests.operations.test_desk import issue, pause_plan
from tests.operations.test_feed import facts
from tests.operations.test_leasing import PEAK, QUANTUM, receipt


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as made:
        yield made


def test_a_lease_closed_by_its_final_receipt_is_not_spent_again(desk: TestDesk) -> None:
    """What a final receipt gave back is somebody else's: more of that lease is never acknowledged."""
    lease = desk.leases.grant(desk.request(desk.licensed()))
    desk.leases.take_receipt(receipt(lease, stage="final", reserved=QUANTUM))
    head = desk.leases.chain("host-1").head
    again = receipt(lease, sequence=2, previous=head, reserved=QUANTUM * 2, quantum=2)
    with pytest.raises(VerificationError, match="closed"):
        desk.leases.take_receipt(again)
    assert desk.leases.chain("host-1").sequence == 1


def test_a_quantum_begun_after_its_lease_ended_is_not_acknowledged(desk: TestDesk) -> None:
    """A host whose own receipt says that it began too late gets no leave to go on."""
    lease = desk.leases.grant(desk.request(desk.licensed()))
    fact = ReceiptGiven(
        effective=desk.clock.now().plus(60 + 5),
        host="host-1",
        sequence=1,
        stage="quantum",
        counter="C0",
        quantum=1,
        state="running",
        spend=_spend(lease.admitted.leaf),
    )
    desk.clock.move(65)
    with pytest.raises(VerificationError, match="ended"):
        desk.leases.take_receipt(f.signed(fact, f.HOST).raw)


def test_a_receipt_cannot_enter_the_log_beside_its_chain(desk: TestDesk) -> None:
    """A host that logs an order receipt which its chain does not hold would make every audit fail."""
    order = issue(desk, pause_plan())
    fact = ReceiptGiven(
        effective=desk.clock.now(),
        host="host-1",
        sequence=7,
        stage="halted",
        counter="C0",
        quantum=0,
        state="ended",
        order=order,
    )
    size = desk.sequencer.integrate().size
    with pytest.raises(InvalidInput, match="receipt"):
        desk.desk.admit(f.signed(fact, f.HOST).raw)
    assert desk.sequencer.integrate().size == size


def test_refused_lease_requests_do_not_fill_the_private_store(desk: TestDesk) -> None:
    """A host may ask as often as it likes: what is refused is not kept."""
    licence = desk.licensed()
    for n in range(5):
        with pytest.raises(LeaseRefused):
            desk.leases.grant(desk.request(licence, number=9, nonce=f"{n:02x}" * 16))
    assert desk.private.load_papers("request") == []


def test_a_host_that_forks_a_thousand_times_leaves_one_finding(desk: TestDesk) -> None:
    """The public log and the private store do not grow with each forged receipt of one host."""
    lease = desk.leases.grant(desk.request(desk.licensed()))
    desk.leases.take_receipt(receipt(lease))
    for n in range(1, 41):
        desk.clock.move(0.001)
        with pytest.raises(ReceiptFork):
            desk.leases.take_receipt(receipt(lease, reserved=QUANTUM + n))
    kinds = [recorded.verified.kind for recorded in desk.desk.recorded()]
    assert kinds.count("finding-raised") == 1
    assert 1 <= len(desk.private.load_papers("fork")) <= 16


def test_a_fork_whose_finding_was_lost_in_a_crash_is_found_at_the_next_one(tmp_path: Path) -> None:
    """Evidence kept and no finding logged: the next contradiction raises it."""
    with TestDesk(tmp_path) as desk:
        lease = desk.leases.grant(desk.request(desk.licensed()))
        desk.leases.take_receipt(receipt(lease))
        desk.sequencer.append = _die  # type: ignore[method-assign,assignment]  # the crash
        with pytest.raises(KeyboardInterrupt):
            desk.leases.take_receipt(receipt(lease, reserved=QUANTUM + 1))
        assert len(desk.private.load_papers("fork")) == 1
    with TestDesk(tmp_path) as again:
        with pytest.raises(ReceiptFork):
            again.leases.take_receipt(receipt(lease, reserved=QUANTUM + 2))
        kinds = [recorded.verified.kind for recorded in again.desk.recorded()]
        assert kinds.count("finding-raised") == 1


def test_a_retired_host_does_not_keep_the_control_plane_from_starting(tmp_path: Path) -> None:
    """Its receipts were verified when they came; that its key says nothing any more does not unmake them."""
    with TestDesk(tmp_path) as desk:
        lease = desk.leases.grant(desk.request(desk.licensed()))
        desk.leases.take_receipt(receipt(lease))
        retired = HostRetired(effective=desk.clock.now(), host="host-1", reason="sold")
        desk.desk.admit(f.signed(retired, f.AUTHORITY[0], f.OPERATOR).raw)
    with TestDesk(tmp_path) as again:
        assert again.leases.chain("host-1").sequence == 1
        again.clock.move(60 + 2 + 5 + 1)
        assert again.leases.close_overdue() == 1
        (state,) = again.desk.state.licences.licences.values()
        assert (state.book.consumed, state.book.forfeited) == (QUANTUM, PEAK * 62 - QUANTUM)


def test_a_host_enrolled_anew_with_another_key_does_not_stop_the_start(tmp_path: Path) -> None:
    """Receipts under the key that it had stay its receipts."""
    with TestDesk(tmp_path) as desk:
        lease = desk.leases.grant(desk.request(desk.licensed()))
        desk.leases.take_receipt(receipt(lease))
        renewed = f.host_enrolled(of=f.signer("host-1 renewed"), now=desk.clock.now())
        desk.desk.admit(f.signed(renewed, f.AUTHORITY[0], f.OPERATOR).raw)
    with TestDesk(tmp_path) as again:
        assert again.leases.chain("host-1").sequence == 1


def test_the_feed_tells_a_host_nothing_of_other_hosts_revocations(desk: TestDesk) -> None:
    """A licence that names host-1 is revoked: host-1 is told, host-2 is not."""
    feed = Feed(desk.desk, desk.reader, run=1)
    desk.desk.on_recorded(feed.take_recorded)
    licence = desk.licensed()
    fact = LicenceRevoked(
        effective=desk.clock.now(),
        licence=Reference(log=f.ORIGIN, leaf=licence.leaf),
        number="LIC-1",
        reason="test",
    )
    desk.desk.admit(f.signed(fact, *f.AUTHORITY[:2]).raw)
    feed.take_published(desk.cosigned())
    told = {host: [name for name, _ in facts(feed.read(host, 0))] for host in ("host-1", "host-2")}
    assert told == {"host-1": ["LicenceIssued", "LicenceRevoked"], "host-2": []}


@pytest.mark.parametrize("host", ["a/../../../outside", "a/./b", "a/..", "a//b", "a/"])
def test_a_host_named_like_a_path_that_leads_elsewhere_is_refused(
    desk: TestDesk, host: str
) -> None:
    """Names become paths in bundles: one that climbs would let an enroller write over the exporter's files."""
    enrolled = f.host_enrolled(host, of=f.signer("climber"), now=desk.clock.now())
    with pytest.raises(InvalidInput):
        desk.desk.admit(f.signed(enrolled, f.AUTHORITY[0], f.OPERATOR).raw)


def _die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def _spend(leaf: str) -> Spend:
    return Spend(
        lease=Reference(log=f.ORIGIN, leaf=leaf),
        lease_number=1,
        reserved_flop=str(QUANTUM),
        bound_flop="0",
    )


def test_another_enrolled_hosts_signature_opens_neither_door(desk: TestDesk) -> None:
    """Host-2 is enrolled too, and speaks for itself alone: at leases and at receipts."""
    other = f.signer("host-2")
    enrolled = f.host_enrolled("host-2", of=other, now=desk.clock.now())
    desk.desk.admit(f.signed(enrolled, f.AUTHORITY[0], f.OPERATOR).raw)
    licence = desk.licensed()
    request = parse_envelope(desk.request(licence))
    with pytest.raises(BadSignature):
        desk.leases.grant(sign_payload(request.payload, [other]).raw)
    lease = desk.leases.grant(request.raw)
    given = parse_envelope(receipt(lease))
    with pytest.raises(BadSignature):
        desk.leases.take_receipt(sign_payload(given.payload, [other]).raw)
    assert desk.leases.chain("host-1").sequence == 0


def test_an_order_receipt_kept_but_not_logged_is_logged_when_it_comes_again(tmp_path: Path) -> None:
    """Kill -9 between the private store and the log: the host sends it again, and it stands once in both."""
    with TestDesk(tmp_path) as desk:
        fact = ReceiptGiven(
            effective=desk.clock.now(),
            host="host-1",
            sequence=1,
            stage="halted",
            counter="C0",
            quantum=0,
            state="ended",
            order=issue(desk, pause_plan()),
        )
        given = f.signed(fact, f.HOST).raw
        desk.desk.take_drafts = _die  # type: ignore[method-assign,assignment]  # the kill
        with pytest.raises(KeyboardInterrupt):
            desk.leases.take_receipt(given)
    with TestDesk(tmp_path) as again:
        for _ in range(2):
            again.leases.take_receipt(given)
        kinds = [recorded.verified.kind for recorded in again.desk.recorded()]
        assert kinds.count("receipt-given") == 1
        assert len(again.private.load_papers("receipt")) == 1
