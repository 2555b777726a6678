"""The issuer's counter: grants, refusals, receipts, closings; and books that stay exact."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sekisho.licensing import BrokenChain, ReceiptFork
from sekisho.model.errors import SekishoError, StateConflict
from sekisho.model.statements import (
    LeaseGranted,
    LicenceRevoked,
    ReceiptGiven,
    Reference,
    Spend,
    parse_payload,
)
from sekisho.operations.leasing import GrantedLease, LeaseRefused
from sekisho.signing import parse_envelope, verify_disclosure
from tests import factory as f
from tests.desks import TestDesk
from tests.operations.test_desk import issue, pause_plan

PEAK = 1_000_000_000
QUANTUM = PEAK * 4


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as made:
        yield made


def receipt(
    lease: GrantedLease,
    *,
    sequence: int = 1,
    previous: str | None = None,
    reserved: int = QUANTUM,
    stage: str = "quantum",
    quantum: int = 1,
) -> bytes:
    fact = ReceiptGiven(
        effective=f.NOW,
        host="host-1",
        sequence=sequence,
        previous=previous,
        stage=stage,  # type: ignore[arg-type]  # the test's own choice
        counter="C0",
        quantum=quantum,
        state="running",
        spend=Spend(
            lease=Reference(log=f.ORIGIN, leaf=lease.admitted.leaf),
            lease_number=1,
            reserved_flop=str(reserved),
            bound_flop="0",
        ),
    )
    return f.signed(fact, f.HOST).raw


def book(desk: TestDesk) -> tuple[int, int, int, int]:
    (state,) = desk.desk.state.licences.licences.values()
    b = state.book
    return b.available, b.leased, b.consumed, b.forfeited


def test_a_lease_conceals_its_allowance_from_the_log_and_discloses_it_to_the_host(
    desk: TestDesk,
) -> None:
    """The log holds a salted digest; the disclosure that travels with the lease opens it."""
    granted = desk.leases.grant(desk.request(desk.licensed()))
    fact = parse_payload(parse_envelope(granted.envelope).payload).predicate
    assert isinstance(fact, LeaseGranted)
    disclosure = verify_disclosure(granted.disclosures[0], fact.concealed)
    assert (disclosure.name, disclosure.value) == ("allowance_flop", str(PEAK * 62))
    assert str(PEAK * 62).encode() not in granted.envelope


def test_the_same_request_again_gets_the_same_lease(desk: TestDesk) -> None:
    """A host that lost the answer asks again; nothing is granted twice."""
    request = desk.request(desk.licensed())
    first, second = desk.leases.grant(request), desk.leases.grant(request)
    assert first.envelope == second.envelope
    assert book(desk)[1] == PEAK * 62


def test_no_lease_while_an_order_covers_the_host(desk: TestDesk) -> None:
    """The refusal names the order."""
    licence = desk.licensed()
    issue(desk, pause_plan())
    with pytest.raises(LeaseRefused, match="pause/JP 1 is in force"):
        desk.leases.grant(desk.request(licence))


def test_no_lease_of_a_revoked_licence(desk: TestDesk) -> None:
    """After revocation nothing more is granted."""
    licence = desk.licensed()
    fact = LicenceRevoked(
        effective=desk.clock.now(),
        licence=Reference(log=f.ORIGIN, leaf=licence.leaf),
        number="LIC-1",
        reason="test",
    )
    desk.desk.admit(f.signed(fact, *f.AUTHORITY[:2]).raw)
    with pytest.raises(LeaseRefused, match="revoked"):
        desk.leases.grant(desk.request(licence))


def test_no_lease_that_skips_a_number(desk: TestDesk) -> None:
    """A host's next lease is its last + 1."""
    licence = desk.licensed()
    with pytest.raises(LeaseRefused, match="asks for lease 2, its last is 0"):
        desk.leases.grant(desk.request(licence, number=2))


def test_a_budget_too_small_for_one_quantum_is_refused(desk: TestDesk) -> None:
    """Reserve, then spend: what cannot be reserved is not leased."""
    licence = desk.licensed(budget_flop=QUANTUM - 1)
    with pytest.raises(LeaseRefused, match="one quantum with its grace needs"):
        desk.leases.grant(desk.request(licence))


def test_a_final_receipt_returns_what_was_not_reserved(desk: TestDesk) -> None:
    """Leased becomes consumed and available; the books stay exact."""
    lease = desk.leases.grant(desk.request(desk.licensed()))
    budget = sum(book(desk))
    desk.leases.take_receipt(receipt(lease, stage="final", reserved=QUANTUM))
    assert book(desk) == (budget - QUANTUM, 0, QUANTUM, 0)


def test_a_lease_without_final_receipt_is_forfeited_after_its_grace(desk: TestDesk) -> None:
    """What was acknowledged is consumed, the rest is lost to the holder, never to the regulator."""
    lease = desk.leases.grant(desk.request(desk.licensed()))
    budget = sum(book(desk))
    desk.leases.take_receipt(receipt(lease))
    desk.clock.move(60 + 2 + 5)
    assert desk.leases.close_overdue() == 0
    desk.clock.move(1)
    assert desk.leases.close_overdue() == 1
    assert book(desk) == (budget - PEAK * 62, 0, QUANTUM, PEAK * 62 - QUANTUM)


def test_a_receipt_that_comes_after_its_lease_was_forfeited_is_consumed(desk: TestDesk) -> None:
    """The quantum began in time and was told late, by an issuer that was away: what was lost becomes consumed."""
    lease = desk.leases.grant(desk.request(desk.licensed()))
    budget = sum(book(desk))
    first = receipt(lease)
    desk.leases.take_receipt(first)
    desk.clock.move(68)
    desk.leases.close_overdue()
    digest = parse_envelope(first).digest
    late = receipt(lease, sequence=2, previous=digest, reserved=3 * QUANTUM, quantum=2)
    for _ in range(2):
        desk.leases.take_receipt(late)
    assert book(desk) == (budget - PEAK * 62, 0, 3 * QUANTUM, PEAK * 62 - 3 * QUANTUM)


def test_a_receipt_that_reserves_more_than_its_lease_is_refused(desk: TestDesk) -> None:
    """The chain does not take it."""
    lease = desk.leases.grant(desk.request(desk.licensed()))
    with pytest.raises(SekishoError, match="reserves"):
        desk.leases.take_receipt(receipt(lease, reserved=PEAK * 62 + 1))
    assert desk.leases.chain("host-1").sequence == 0


def test_a_gap_in_the_receipts_is_refused(desk: TestDesk) -> None:
    """Receipt 2 cannot come before receipt 1."""
    lease = desk.leases.grant(desk.request(desk.licensed()))
    with pytest.raises(BrokenChain):
        desk.leases.take_receipt(receipt(lease, sequence=2, previous="0" * 64))


def test_a_forked_receipt_chain_ends_the_leases_and_leaves_a_finding(tmp_path: Path) -> None:
    """Two receipts of one number: refused, logged as a finding, remembered over a restart, no lease any more."""
    with TestDesk(tmp_path) as desk:
        licence = desk.licensed()
        lease = desk.leases.grant(desk.request(licence))
        desk.leases.take_receipt(receipt(lease))
        with pytest.raises(ReceiptFork):
            desk.leases.take_receipt(receipt(lease, reserved=QUANTUM + 1))
        assert desk.desk.recorded()[-1].verified.kind == "finding-raised"
    with TestDesk(tmp_path) as again, pytest.raises(LeaseRefused, match="two receipts"):
        again.leases.grant(again.request(licence, number=2))


def test_a_receipt_again_gets_the_very_same_acknowledgement(desk: TestDesk) -> None:
    """Idempotent, whatever the clock says."""
    lease = desk.leases.grant(desk.request(desk.licensed()))
    first = desk.leases.take_receipt(receipt(lease))
    desk.clock.move(10)
    assert desk.leases.take_receipt(receipt(lease)) == first


def test_sixty_four_holders_at_once_never_overspend_a_budget(desk: TestDesk) -> None:
    """However the requests fall, the leases granted fit the budget to the FLOP."""
    licence = desk.licensed(budget_flop=PEAK * 62 * 2 + 1)
    requests = [
        desk.request(licence, number=number, nonce=f"{number:02x}{n:02x}" * 8)
        for number in (1, 2, 3)
        for n in range(21)
    ]

    def ask(raw: bytes) -> str:
        """The lease that the host hears of; one that was granted under another nonce is of no use to it."""
        try:
            return desk.leases.grant(raw).admitted.leaf
        except StateConflict:
            return ""

    with ThreadPoolExecutor(16) as pool:
        granted = len(set(pool.map(ask, requests)) - {""})
    available, leased, consumed, forfeited = book(desk)
    assert available + leased + consumed + forfeited == PEAK * 62 * 2 + 1
    assert granted <= 2
    assert leased == PEAK * 62 * granted


def test_an_old_receipt_sent_again_is_answered_as_before(desk: TestDesk) -> None:
    """The chain keeps its head alone, the private store the rest: after a start as well."""
    lease = desk.leases.grant(desk.request(desk.licensed()))
    sent: list[bytes] = []
    previous = None
    for n in (1, 2, 3):
        sent.append(receipt(lease, sequence=n, previous=previous, quantum=n))
        previous = parse_envelope(sent[-1]).digest
    answers = [desk.leases.take_receipt(raw) for raw in sent]
    assert [desk.leases.take_receipt(raw) for raw in sent] == answers
    desk.leases.load()
    assert [desk.leases.take_receipt(raw) for raw in sent] == answers


@pytest.mark.parametrize("number", [1, 2, 3])
def test_another_receipt_of_a_number_long_passed_is_a_fork(desk: TestDesk, number: int) -> None:
    """At the head, in the middle and at the start: found out, once in the log, however often it comes."""
    lease = desk.leases.grant(desk.request(desk.licensed()))
    previous = None
    for n in (1, 2, 3):
        raw = receipt(lease, sequence=n, previous=previous, quantum=n)
        previous = parse_envelope(raw).digest
        desk.leases.take_receipt(raw)
    other = receipt(lease, sequence=number, previous="f" * 64, quantum=number)
    for _ in range(3):
        with pytest.raises(ReceiptFork):
            desk.leases.take_receipt(other)
    kinds = [r.verified.kind for r in desk.desk.recorded()]
    assert kinds.count("finding-raised") == 1
