"""Leases under licences that are amended, several or forgotten: what an order, an erasure or a split must not miss."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.ledger.sequencer import Submission
from sekisho.licensing import LicenceLedger, ReceiptFork, UnknownShare
from sekisho.model.errors import StateConflict
from sekisho.model.statements import (
    BudgetShare,
    LeaseClosed,
    LeaseTerms,
    LicenceAmended,
    Scope,
    Span,
)
from sekisho.model.wire import sha256_hex
from sekisho.operations.desk import Admitted
from sekisho.operations.leasing import LeaseRefused
from sekisho.operations.leasing.receiving import Receiver
from sekisho.operations.licence_drafts import AmendedTerms, draft_licence_amendment
from sekisho.operations.running import LicencePlan, draft_licence
from sekisho.operations.state import facts_under
from sekisho.rules import load_pack
from tests import factory as f
from tests.attacks.test_lease_audit import Regime
from tests.desks import TestDesk
from tests.holders import PEAK, QUANTUM, TERMS, Holder, leaf_of, license_hosts

WHOLE = PEAK * 62
EAST = BudgetShare(share="east", budget_flop=str(WHOLE))
WEST = BudgetShare(share="west", budget_flop=str(2 * WHOLE))
ALL_WEST = BudgetShare(share="west", budget_flop=str(3 * WHOLE))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path / "desk") as desk:
        yield desk


def drafted(desk: TestDesk, **terms: object) -> LicenceAmended:
    asked = AmendedTerms(reason="less", **terms)  # type: ignore[arg-type]  # the test's own terms
    now = desk.clock.now()
    return draft_licence_amendment(desk.desk.state, "LIC-1", asked, load_pack(), now=now)


def amend(desk: TestDesk, fact: LicenceAmended) -> Admitted:
    return desk.desk.admit(f.signed(fact, *f.AUTHORITY[:2]).raw)


def slip_in(desk: TestDesk, fact: LicenceAmended) -> None:
    """Into the log past the desk's own checks, as a desk of other rules would."""
    envelope = f.signed(fact, *f.AUTHORITY[:2])
    desk.sequencer.append_one(
        Submission(envelope=envelope.raw, payload_sha256=bytes.fromhex(envelope.digest), unique=())
    )
    desk.desk.mark_time()


def drop_east(desk: TestDesk) -> tuple[Holder, Holder, bytes]:
    """A lease of share east is returned unused, and the share dropped; two hosts, and a clone's receipt of the one."""
    licence = license_hosts(desk.desk, 2, budget_flop=3 * WHOLE, shares=(EAST, WEST))
    cloned, honest = Holder(1, licence.leaf), Holder(2, licence.leaf)
    lease = desk.leases.grant(cloned.request())
    cloned.took()
    clone = cloned.receipt(leaf_of(lease), reserved=QUANTUM, keep=False)
    desk.leases.take_receipt(cloned.receipt(leaf_of(lease), reserved=0, stage="final"))
    amend(desk, drafted(desk, shares=(ALL_WEST,)))
    return cloned, honest, clone


def test_lease_under_the_second_licence_of_a_run_that_an_order_covers(desk: TestDesk) -> None:
    """An order on that very licence refuses the lease, and the host is counted, although the run has another one."""
    run = f.run_declared(planned_flop=str(PEAK * 1_000))
    desk.desk.admit(f.signed(run, f.PARTY).raw)
    leaves = []
    for number in ("LIC-1", "LIC-2"):
        plan = LicencePlan(number=number, budget_flop=PEAK * 100, terms=TERMS, mode="kill")
        licence = draft_licence(desk.desk.state, "run-1", load_pack(), plan, now=desk.clock.now())
        leaves.append(desk.desk.admit(f.signed(licence, *f.AUTHORITY[:2]).raw))
    for place, number in enumerate(("LIC-2", "LIC-1")):
        heads = desk.desk.state.orders.heads
        order = f.order_issued(
            number=place + 1,
            previous=heads["pause/JP"].digest if place else sha256_hex(b""),
            scope=Scope(licences=(number,)),
            charter_digest=desk.charter_envelope.digest,
        )
        desk.desk.admit(f.signed(order, *f.AUTHORITY[:3], *f.VERIFIER).raw)
        (*_, known) = desk.desk.state.orders.in_force(desk.clock.now())
        assert [host.host for host in facts_under(desk.desk.state, known)] == ["host-1"]
        if not place:
            with pytest.raises(LeaseRefused, match="is in force and covers this host"):
                desk.leases.grant(desk.request(leaves[1]))


def test_lease_whose_dropped_share_is_forgotten_by_law(desk: TestDesk, tmp_path: Path) -> None:
    """An erasure leaves a log that a start folds, and so does a reader without any disclosure."""
    drop_east(desk)
    (state,) = desk.desk.state.licences.licences.values()
    desk.deposits.erase(state.leases[0].digest, "Act 1, article 2")
    blind = LicenceLedger()
    for recorded in desk.desk.recorded():
        blind = blind.after(recorded, {})
    (after,) = blind.licences.values()
    assert (after.undisclosed, after.books.of("east").budget) == (2, 0)
    (held,) = desk.desk.state.licences.licences.values()
    assert not held.books.is_known("east")
    check = Regime(desk, tmp_path / "bundle").check("budgets")
    assert check.verdict == "unverifiable", check


def test_lease_log_that_an_erasure_would_brick_is_left_as_it_was(
    desk: TestDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the fold would fail, nothing is stated and nothing destroyed."""
    drop_east(desk)
    (state,) = desk.desk.state.licences.licences.values()
    digest, size = state.leases[0].digest, desk.desk.state.size

    def refuse(*_: object) -> None:
        raise StateConflict("it does not fold")

    with monkeypatch.context() as broken:
        broken.setattr(LicenceLedger, "after", refuse)
        for erase in (
            lambda: desk.deposits.erase(digest, "Act 1"),
            lambda: desk.desk.forget(digest),
        ):
            with pytest.raises(StateConflict, match="does not fold"):
                erase()
    assert desk.desk.state.size == size
    assert desk.desk.disclosures_of(digest)
    assert digest in desk.desk.private.load_disclosures()


def test_lease_of_a_share_that_was_dropped_is_not_granted(desk: TestDesk) -> None:
    """The book that is kept for it grants nothing: not at the counter, and not in the fold of an opaque amount."""
    cloned, honest, _ = drop_east(desk)
    granted = desk.leases.grant(honest.request())
    (state,) = desk.desk.state.licences.licences.values()
    assert state.granted[leaf_of(granted)].granted.share == "west"
    recorded = desk.desk.find(granted.admitted.digest)
    assert recorded is not None
    fact = state.granted[leaf_of(granted)].granted
    forged = msgspec.structs.replace(fact, number=2, share="east")
    verified = msgspec.structs.replace(recorded.verified, predicate=forged)
    with pytest.raises(UnknownShare, match="no share 'east'"):
        desk.desk.state.licences.after(msgspec.structs.replace(recorded, verified=verified), {})
    assert cloned.lease_number == 1


def test_licence_split_that_drops_a_share_in_use(desk: TestDesk, tmp_path: Path) -> None:
    """It is refused at the desk; in the log it folds, with and without what is concealed, and an auditor names it."""
    licence = license_hosts(desk.desk, 1, budget_flop=3 * WHOLE, shares=(EAST, WEST))
    desk.leases.grant(Holder(1, licence.leaf).request())
    fact = drafted(desk, shares=(ALL_WEST,))
    with pytest.raises(StateConflict, match=f"{WHOLE} FLOP of share east, which it drops"):
        amend(desk, fact)
    slip_in(desk, fact)
    check = Regime(desk, tmp_path / "bundle").check("licences")
    assert check.verdict == "fails"
    assert "drops share east" in check.detail, check


def test_lease_fork_on_a_dropped_share_stops_no_forfeiture(desk: TestDesk, tmp_path: Path) -> None:
    """The fork is booked where its lease was, the other host's lease is forfeited in its time, and the books hold."""
    _, honest, clone = drop_east(desk)
    desk.leases.grant(honest.request())
    with pytest.raises(ReceiptFork):
        desk.leases.take_receipt(clone)
    desk.clock.move(10_000)
    assert desk.leases.close_overdue() == 1
    (state,) = desk.desk.state.licences.licences.values()
    assert (state.books.of("east").consumed, state.books.of("east").overdrawn) == (QUANTUM, QUANTUM)
    check = Regime(desk, tmp_path / "bundle").check("budgets")
    assert check.verdict == "holds", check


def test_lease_fork_that_cannot_be_settled_stops_no_forfeiture(
    desk: TestDesk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One host's trouble is told, its finding stands, and everybody else's lease is forfeited in its time."""
    _, honest, clone = drop_east(desk)
    desk.leases.grant(honest.request())
    with pytest.raises(ReceiptFork):
        desk.leases.take_receipt(clone)

    def refuse(*_: object) -> None:
        raise UnknownShare("the licence has no share 'east'")

    monkeypatch.setattr(Receiver, "settle_forks", refuse)
    desk.clock.move(10_000)
    with caplog.at_level(logging.ERROR, logger="sekisho.leasing"):
        assert desk.leases.close_overdue() == 1
    assert "host host-1 are not settled" in caplog.text


@pytest.mark.parametrize(
    "forged", [{"devices": 99}, {"devices_root": "e" * 64}], ids=["count", "root"]
)
def test_licence_that_is_only_restricted_to_other_devices(
    desk: TestDesk, tmp_path: Path, forged: dict[str, object]
) -> None:
    """The devices that it fixes are its hosts' own, whatever else it takes away; an auditor says the same."""
    license_hosts(desk.desk, 2, budget_flop=3 * WHOLE)
    fact = msgspec.structs.replace(drafted(desk, budget_flop=WHOLE), **forged)
    with pytest.raises(StateConflict, match="devices"):
        amend(desk, fact)
    slip_in(desk, fact)
    check = Regime(desk, tmp_path / "bundle").check("licences")
    assert check.verdict == "fails"
    assert "another set of devices" in check.detail, check


def test_licence_that_is_restricted_to_no_time_at_all(desk: TestDesk) -> None:
    """A period that ends before it begins would fail every audit from then on."""
    license_hosts(desk.desk, 1, budget_flop=3 * WHOLE)
    fact = drafted(desk)
    never = Span(start=fact.period.end, end=fact.period.start)
    with pytest.raises(StateConflict, match="ends before it begins"):
        amend(desk, msgspec.structs.replace(fact, period=never))


def test_licence_restricted_after_the_charter_shortened_leases(
    desk: TestDesk, tmp_path: Path
) -> None:
    """What stood may stand: an amendment that gives nothing more is judged by no limit that came later."""
    license_hosts(desk.desk, 1, budget_flop=3 * WHOLE)
    charter = desk.desk.state.regime.in_force()
    shorter = msgspec.structs.replace(
        charter.terms, version=2, previous=charter.digest, max_lease_s=TERMS.interval_s // 2
    )
    desk.desk.admit(f.charter_envelope(shorter).raw)
    amend(desk, drafted(desk, budget_flop=WHOLE))
    check = Regime(desk, tmp_path / "bundle").check("licences")
    assert check.verdict == "holds", check


def test_lease_forfeited_in_time_before_the_grace_was_lengthened(
    desk: TestDesk, tmp_path: Path
) -> None:
    """The grace that counts is the one that stood when it was forfeited, not what an amendment said afterwards."""
    licence = license_hosts(desk.desk, 1, budget_flop=3 * WHOLE)
    holder = Holder(1, licence.leaf)
    lease = leaf_of(desk.leases.grant(holder.request()))
    holder.took()
    desk.leases.take_receipt(holder.receipt(lease))
    desk.clock.move(TERMS.interval_s + TERMS.grace_s + desk.charter.clock_error_s + 1)
    assert desk.leases.close_overdue() == 1
    amend(desk, drafted(desk, terms=LeaseTerms(interval_s=60, grace_s=60, quantum_s=2)))
    check = Regime(desk, tmp_path / "bundle").check("budgets")
    assert check.verdict == "holds", check


def test_lease_fork_on_a_dropped_share_beyond_the_whole_budget(
    desk: TestDesk, tmp_path: Path
) -> None:
    """Once the other shares have taken all that there was, what the fork took is a fault of the books."""
    _, honest, clone = drop_east(desk)
    for _ in range(3):
        lease = leaf_of(desk.leases.grant(honest.request()))
        honest.took()
        desk.leases.take_receipt(honest.receipt(lease, reserved=WHOLE))
        desk.leases.take_receipt(honest.receipt(lease, reserved=WHOLE, stage="final"))
    with pytest.raises(ReceiptFork):
        desk.leases.take_receipt(clone)
    check = Regime(desk, tmp_path / "bundle").check("budgets")
    assert check.verdict == "fails"
    assert f"share east: {QUANTUM} FLOP were consumed beyond" in check.detail, check


def test_licence_lowered_below_what_an_erased_lease_gave_back(
    desk: TestDesk, tmp_path: Path
) -> None:
    """What a final receipt returned stays returned once its amount is erased: not measured, and no fault."""
    licence = license_hosts(desk.desk, 1, budget_flop=3 * WHOLE)
    holder = Holder(1, licence.leaf)
    lease = desk.leases.grant(holder.request())
    holder.took()
    desk.leases.take_receipt(holder.receipt(leaf_of(lease)))
    desk.leases.take_receipt(holder.receipt(leaf_of(lease), reserved=0, stage="final"))
    amend(desk, drafted(desk, budget_flop=QUANTUM - 1))
    closing = next(
        entry.verified.digest
        for entry in desk.desk.recorded()
        if isinstance(entry.verified.predicate, LeaseClosed)
    )
    desk.deposits.erase(closing, "Act 1, article 2")
    check = Regime(desk, tmp_path / "bundle").check("budgets")
    assert check.verdict == "unverifiable", check
