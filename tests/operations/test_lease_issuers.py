"""Issuers side by side and one after the other: shares, sites, terms, and leases ahead of certified hosts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from sekisho.inspection.tpm import CounterMissing, OtherChallenge
from sekisho.ledger.sequencer import Sequencer
from sekisho.licensing import StaleTerm
from sekisho.model.errors import StateConflict
from sekisho.model.statements import (
    BudgetShare,
    CertifiedCounter,
    LeaseGranted,
    OutageDeclared,
    ReceiptAcknowledged,
    ReceiptGiven,
    Span,
    TpmEnrolled,
    parse_payload,
)
from sekisho.operations.desk import Desk
from sekisho.operations.leasing import LeaseCounter, LeaseRefused, claim_term
from sekisho.signing import parse_envelope
from sekisho.signing.notes import NoteSigner
from tests import factory as f
from tests.desks import TestDesk
from tests.holders import PEAK, QUANTUM, Holder, books_of, key_of, leaf_of, license_hosts

SECOND = f.signer("operator-2")
WHOLE = PEAK * 62


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path, operators=(f.OPERATOR, SECOND)) as made:
        yield made


def shares(first: int, second: int) -> tuple[BudgetShare, ...]:
    return (
        BudgetShare(share="first", budget_flop=str(first), issuer=f.OPERATOR.public.key_id),
        BudgetShare(share="second", budget_flop=str(second), issuer=SECOND.public.key_id),
    )


def test_two_issuers_racing_never_overspend(desk: TestDesk) -> None:
    """32 hosts ask both at once: each share is spent to its last lease, neither by one FLOP more."""
    split = shares(5 * WHOLE, 3 * WHOLE + QUANTUM - 1)
    licence = license_hosts(desk.desk, 32, budget_flop=8 * WHOLE + QUANTUM - 1, shares=split)
    other = LeaseCounter(desk.desk, signer=SECOND)
    other.load()
    ready = threading.Barrier(32)

    def ask(number: int) -> int:
        holder, got = Holder(number, licence.leaf), 0
        ready.wait(60)
        for counter in (desk.leases, other) if number % 2 else (other, desk.leases):
            try:
                counter.grant(holder.request())
            except StateConflict:
                continue
            holder.took()
            got += 1
        return got

    with ThreadPoolExecutor(32) as pool:
        assert sum(pool.map(ask, range(1, 33))) == 8
    assert books_of(desk.desk, ("first", "second")) == {
        "first": (0, 5 * WHOLE, 0, 0, 0),
        "second": (QUANTUM - 1, 3 * WHOLE, 0, 0, 0),
    }


def test_an_issuer_grants_its_share_though_it_cannot_open_the_others_amounts(
    desk: TestDesk,
) -> None:
    """Another home, without the first one's private store: its own share is as known as before."""
    licence = license_hosts(desk.desk, 2, budget_flop=2 * WHOLE, shares=shares(WHOLE, WHOLE))
    lease = desk.leases.grant(Holder(1, licence.leaf).request())
    desk.desk.forget(lease.admitted.digest)
    with pytest.raises(LeaseRefused, match="share first: amounts of 1 leases are undisclosed"):
        desk.leases.grant(Holder(2, licence.leaf).request())
    other = LeaseCounter(desk.desk, signer=SECOND)
    other.load()
    other.grant(Holder(2, licence.leaf).request())
    assert desk.desk.state.licences.licences[licence.leaf].books.of("second").leased == WHOLE


def test_a_share_is_for_the_hosts_at_its_sites(desk: TestDesk) -> None:
    """host-1 stands at site-1, host-2 at site-2."""
    east = BudgetShare(share="east", budget_flop=str(WHOLE), sites=("site-1",))
    licence = license_hosts(desk.desk, 2, budget_flop=WHOLE, shares=(east,))
    with pytest.raises(LeaseRefused, match="share east: is for site-1, the host stands at site-2"):
        desk.leases.grant(Holder(2, licence.leaf).request())
    desk.leases.grant(Holder(1, licence.leaf).request())


def test_every_start_takes_the_next_term_for_good(tmp_path: Path) -> None:
    """Whether or not anything was granted under the one before; what the log says counts as well."""
    for expected in (1, 2, 3):
        with TestDesk(tmp_path) as desk:
            assert desk.leases.term == expected
            key = desk.leases.issuer
            again = claim_term(desk.private, desk.desk.state, "another key", b"claim")
            assert again == expected
    with TestDesk(tmp_path) as desk:
        terms = desk.desk.state.licences.terms.plus(key, 41)
        ledger = msgspec.structs.replace(desk.desk.state.licences, terms=terms)
        state = msgspec.structs.replace(desk.desk.state, licences=ledger)
        assert claim_term(desk.private, state, key, b"claim") == 42


def test_two_that_want_one_term_get_two(desk: TestDesk) -> None:
    """Sixteen claims at once over one store: no term twice."""
    state, key = desk.desk.state, "k" * 64

    def claim(n: int) -> int:
        return claim_term(desk.private, state, key, b"claim %d" % n)

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(claim, range(16))) == list(range(1, 17))


class SecondDesk:
    """Another control plane over the same log and private store, past the lock that keeps it out: the worst case."""

    def __init__(self, first: TestDesk) -> None:
        note = NoteSigner(f.ORIGIN, f.LOG.private)
        self.sequencer = Sequencer(
            signer=note, store=first.store, tiles=first.tiles, mark=first._mark
        )
        self.desk = Desk(
            root=first.root,
            sequencer=self.sequencer,
            log=first.store,
            private=first.private,
            clock=first.clock,
            signer=f.OPERATOR,
            load_pack=lambda _: None,
        )
        self.sequencer.recover()
        self.desk.load()
        self.leases = LeaseCounter(self.desk)
        self.leases.load()


def insist(counter: LeaseCounter, holder: Holder) -> bool:
    """Ask until there is an answer: a writer that lost the race reads what stands and judges anew."""
    for _ in range(200):
        try:
            counter.grant(holder.request())
        except (LeaseRefused, StaleTerm):
            return False
        except StateConflict:
            continue
        return True
    return False


def test_two_writers_past_the_lock_never_overspend(desk: TestDesk) -> None:
    """Both write one log at once; the database's compare-and-swap lets one of them through, terms end the older."""
    licence = license_hosts(desk.desk, 24, budget_flop=10 * WHOLE + QUANTUM - 1)
    second = SecondDesk(desk)
    counters = (desk.leases, second.leases)
    with ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(insist, counters[n % 2], Holder(n, licence.leaf)) for n in range(1, 25)
        ]
        granted = sum(each.result() for each in asked)
    again = SecondDesk(desk)
    available, leased, *_ = books_of(again.desk)[""]
    assert leased == granted * WHOLE
    assert available == 10 * WHOLE + QUANTUM - 1 - leased
    assert 0 < granted <= 10
    assert (desk.leases.term, second.leases.term, again.leases.term) == (1, 2, 3)


def outage(desk: TestDesk, lasts_s: float) -> None:
    now = desk.clock.now()
    fact = OutageDeclared(
        effective=now,
        outage="power",
        period=Span(start=now, end=now.plus(lasts_s)),
        reason="the data centre is without power",
    )
    desk.desk.admit(f.signed(fact, *f.AUTHORITY[:2], f.OPERATOR).raw)


def test_no_lease_is_forfeited_while_an_outage_extends_its_grace(desk: TestDesk) -> None:
    """Neither during it nor within the clock error after; then it is, and quanta begun in it are taken."""
    licence = license_hosts(desk.desk, 1)
    holder = Holder(1, licence.leaf)
    lease = desk.leases.grant(holder.request())
    holder.took()
    desk.clock.move(30)
    outage(desk, 600)
    desk.clock.move(599)
    assert desk.leases.close_overdue() == 0
    desk.leases.take_receipt(holder.receipt(leaf_of(lease), now=desk.clock.now()))
    desk.clock.move(1 + 5)
    assert desk.leases.close_overdue() == 0
    desk.clock.move(0.001)
    assert desk.leases.close_overdue() == 1
    assert books_of(desk.desk)[""][2:4] == (QUANTUM, WHOLE - QUANTUM)


# --- certified counters (C2): the certifier is a stand-in, inspection.tpm has its own tests ---


class Certified:
    """A C2 host, its counter, and a certifier that believes whoever answers."""

    def __init__(self, desk: TestDesk) -> None:
        self.desk = desk
        licence = license_hosts(desk.desk, 1, tier="C2")
        self.seen: list[tuple[int, int | None]] = []
        self.counter = LeaseCounter(desk.desk, certifier=self._certify)
        self.counter.load()
        self.holder = Holder(1, licence.leaf)

    def _certify(self, receipt: ReceiptGiven, _: TpmEnrolled, before: ReceiptGiven | None) -> None:
        self.seen.append((receipt.quantum, before.quantum if before is not None else None))

    def grant(self) -> LeaseGranted:
        lease = self.counter.grant(self.holder.request(self.desk.clock.now()))
        self.holder.took()
        self.leaf = lease.admitted.leaf
        fact = parse_payload(parse_envelope(lease.envelope).payload).predicate
        assert isinstance(fact, LeaseGranted)
        return fact

    def receipt(self, challenge: str | None) -> str:
        """Give the next receipt under a challenge; the next challenge."""
        raw = self.holder.receipt(self.leaf, keep=False)
        fact = parse_payload(parse_envelope(raw).payload).predicate
        assert isinstance(fact, ReceiptGiven)
        certified = challenge and CertifiedCounter(challenge=challenge, attested="", signature="")
        fact = msgspec.structs.replace(fact, counter="C2", certified=certified or None)
        raw = f.signed(fact, key_of("host-1")).raw
        answer = parse_payload(parse_envelope(self.counter.take_receipt(raw)).payload).predicate
        assert isinstance(answer, ReceiptAcknowledged)
        self.holder.sequence, self.holder.quantum = fact.sequence, fact.quantum
        self.holder.head = parse_envelope(raw).digest
        assert answer.challenge is not None
        return answer.challenge


@pytest.fixture
def certified(desk: TestDesk, monkeypatch: pytest.MonkeyPatch) -> Certified:
    """Its endorsement is not asked for: that is enrolment's, which has its own tests."""
    monkeypatch.setattr("sekisho.operations.admission.check_tier", lambda *_: None)
    return Certified(desk)


def findings(desk: TestDesk) -> int:
    return sum(r.verified.kind == "finding-raised" for r in desk.desk.recorded())


def test_a_certified_host_holds_leases_ahead_each_with_a_challenge_of_its_own(
    desk: TestDesk, certified: Certified
) -> None:
    """Each begins where the one before ends."""
    now = desk.clock.now()
    leases = [certified.grant() for _ in range(3)]
    assert [lease.not_after.since(now) for lease in leases] == [60, 120, 180]
    assert len({lease.challenge for lease in leases} - {None}) == 3


def test_a_quantum_without_its_certificate_is_refused_and_a_finding(
    desk: TestDesk, certified: Certified
) -> None:
    """Once in the log, however often it is tried; the chain stays where it was."""
    certified.grant()
    for _ in range(2):
        with pytest.raises(CounterMissing):
            certified.receipt(None)
    assert (findings(desk), certified.counter.chain("host-1").sequence) == (1, 0)


def test_a_certificate_answers_a_challenge_of_this_issuer_and_none_that_is_older(
    certified: Certified,
) -> None:
    """In an outage several receipts may answer one challenge; after a newer one none goes back."""
    first = certified.grant().challenge
    assert first is not None
    second = certified.receipt(first)
    certified.receipt(first)
    third = certified.receipt(second)
    with pytest.raises(OtherChallenge, match="older"):
        certified.receipt(first)
    with pytest.raises(OtherChallenge, match="not given"):
        certified.receipt("ef" * 16)
    certified.counter.load()
    certified.receipt(third)
    assert certified.seen == [(1, None), (2, 1), (3, 2), (4, 3)]
