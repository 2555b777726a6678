"""Attacks on leases and books at the issuer: by hosts that ask and spend, and by issuers that grant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.licensing import ReceiptFork, StaleTerm
from sekisho.model.errors import NotAuthorised, StateConflict
from sekisho.model.statements import BudgetShare, LeaseGranted, LeaseRequested, parse_payload
from sekisho.operations.batch import Batch
from sekisho.operations.leasing import (
    GrantedLease,
    LeaseCounter,
    LeaseRefused,
    OtherIssuer,
    OverReserved,
    SpentLease,
)
from sekisho.signing import conceal, parse_envelope
from tests import factory as f
from tests.desks import TestDesk
from tests.holders import PEAK, QUANTUM, Holder, books_of, leaf_of, license_hosts

SECOND = f.signer("operator-2")
WHOLE = PEAK * 62
SPLIT = (
    BudgetShare(share="first", budget_flop=str(2 * WHOLE), issuer=f.OPERATOR.public.key_id),
    BudgetShare(share="second", budget_flop=str(WHOLE), issuer=SECOND.public.key_id),
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path, operators=(f.OPERATOR, SECOND)) as made:
        yield made


def holders(desk: TestDesk, count: int = 1, **told: object) -> list[Holder]:
    licence = license_hosts(desk.desk, count, **told)  # type: ignore[arg-type]  # passed through
    return [Holder(n, licence.leaf) for n in range(1, count + 1)]


def granted(desk: TestDesk, holder: Holder) -> GrantedLease:
    lease = desk.leases.grant(holder.request(desk.clock.now()))
    holder.took()
    return lease


def fact_of(lease: GrantedLease) -> LeaseGranted:
    fact = parse_payload(parse_envelope(lease.envelope).payload).predicate
    assert isinstance(fact, LeaseGranted)
    return fact


def test_a_request_replayed_grants_nothing_twice(desk: TestDesk) -> None:
    """The very same request again, at once and long after its lease was closed, is answered with that lease."""
    (holder,) = holders(desk)
    request = holder.request()
    lease = desk.leases.grant(request)
    holder.took()
    assert desk.leases.grant(request).envelope == lease.envelope
    desk.leases.take_receipt(holder.receipt(leaf_of(lease), stage="final"))
    assert desk.leases.grant(request).envelope == lease.envelope
    assert books_of(desk.desk)[""] == (10**15 - QUANTUM, 0, QUANTUM, 0, 0)


def test_a_lease_under_quorum_does_not_enter_the_log(desk: TestDesk) -> None:
    """A key that the charter gives no grant, or that was reported, states no lease, whatever it signs."""
    (holder,) = holders(desk)
    stranger = LeaseCounter(desk.desk, signer=f.signer("nobody"))
    with pytest.raises(NotAuthorised, match="may not state a lease-granted"):
        stranger.grant(holder.request())
    assert books_of(desk.desk)[""][1] == 0


def test_a_lease_of_a_share_by_the_wrong_issuer_key_is_refused(desk: TestDesk) -> None:
    """Each issuer grants from its own share alone; the refusal says whom to ask."""
    first, second = holders(desk, 2, budget_flop=3 * WHOLE, shares=SPLIT)
    other = LeaseCounter(desk.desk, signer=SECOND)
    other.load()
    assert fact_of(granted(desk, first)).share == "first"
    lease = other.grant(second.request())
    assert fact_of(lease).share == "second"
    second.took()
    with pytest.raises(
        LeaseRefused, match=r"share first: is granted by issuer.*share second: 0 FLOP"
    ):
        other.grant(second.request())
    with pytest.raises(OtherIssuer, match="draws on share second"):
        desk.leases.take_receipt(second.receipt(leaf_of(lease), keep=False))
    other.take_receipt(second.receipt(leaf_of(lease), stage="final"))
    assert books_of(desk.desk, ("first", "second")) == {
        "first": (WHOLE, WHOLE, 0, 0, 0),
        "second": (WHOLE - QUANTUM, 0, QUANTUM, 0, 0),
    }


def test_a_lease_of_an_old_term_is_refused_when_the_old_issuer_wakes(desk: TestDesk) -> None:
    """A standby took over under the next term: its predecessor grants, acknowledges and closes nothing more."""
    (holder,) = holders(desk)
    lease = granted(desk, holder)
    standby = LeaseCounter(desk.desk)
    standby.load()
    assert (desk.leases.term, standby.term) == (1, 2)
    standby.take_receipt(holder.receipt(leaf_of(lease), stage="final"))
    lease = standby.grant(holder.request())
    holder.took()
    assert fact_of(lease).term == 2
    for ask in (
        lambda: desk.leases.grant(holder.request()),
        lambda: desk.leases.take_receipt(holder.receipt(leaf_of(lease), keep=False)),
    ):
        with pytest.raises(StaleTerm, match="is at term 2"):
            ask()
    assert standby.take_receipt(holder.receipt(leaf_of(lease)))


def test_a_forged_old_term_is_refused_by_the_fold_itself(desk: TestDesk) -> None:
    """Not only the counter refuses: a lease of a lower term, signed by the right key, is no lease in the log."""
    (holder,) = holders(desk)
    fact = fact_of(granted(desk, holder))
    concealed, _ = conceal("allowance_flop", "1", bytes(16))
    older = msgspec.structs.replace(fact, number=2, term=None, concealed=(concealed,))
    with desk.desk.lock, pytest.raises(StaleTerm, match="is of term 0"):
        Batch(desk.desk, f.OPERATOR).state_fact(older)


def test_a_receipt_fork_adds_both_branches_and_ends_the_leases(desk: TestDesk) -> None:
    """Clone and original both spent: both are consumed, the rest is lost, nothing more is granted or acknowledged."""
    (holder,) = holders(desk, budget_flop=WHOLE)
    lease = granted(desk, holder)
    clone = holder.receipt(leaf_of(lease), reserved=40 * PEAK, keep=False)
    desk.leases.take_receipt(holder.receipt(leaf_of(lease), reserved=30 * PEAK))
    with pytest.raises(ReceiptFork):
        desk.leases.take_receipt(clone)
    assert books_of(desk.desk)[""] == (0, 0, 70 * PEAK, 0, 8 * PEAK)
    with pytest.raises(ReceiptFork):
        desk.leases.take_receipt(holder.receipt(leaf_of(lease), reserved=35 * PEAK))
    assert books_of(desk.desk)[""] == (0, 0, 75 * PEAK, 0, 13 * PEAK)
    with pytest.raises(LeaseRefused, match="two receipts with one number"):
        desk.leases.grant(holder.request())
    assert desk.leases.close_overdue() == 0


def test_a_fork_of_a_lease_that_gave_its_rest_back_is_added_to_the_books(tmp_path: Path) -> None:
    """The clone spent what the final receipt returned: it comes out of the budget, after a start as well."""
    with TestDesk(tmp_path) as desk:
        (holder,) = holders(desk, budget_flop=2 * WHOLE)
        lease = granted(desk, holder)
        clone = holder.receipt(leaf_of(lease), reserved=50 * PEAK, keep=False)
        desk.leases.take_receipt(holder.receipt(leaf_of(lease), reserved=4 * PEAK, stage="final"))
        with pytest.raises(ReceiptFork):
            desk.leases.take_receipt(clone)
        after = (2 * WHOLE - 54 * PEAK, 0, 54 * PEAK, 0, 0)
        assert books_of(desk.desk)[""] == after
    with TestDesk(tmp_path) as again:
        assert books_of(again.desk)[""] == after
        assert again.leases.close_overdue() == 0
        assert books_of(again.desk)[""] == after


def test_a_receipt_over_its_allowance_is_refused(desk: TestDesk) -> None:
    """Over-reserved by one FLOP; it is not in the chain, and nothing is acknowledged."""
    (holder,) = holders(desk)
    lease = granted(desk, holder)
    with pytest.raises(OverReserved):
        desk.leases.take_receipt(holder.receipt(leaf_of(lease), reserved=WHOLE + 1, keep=False))
    assert desk.leases.chain("host-1").sequence == 0


def test_spending_after_the_close_is_refused(desk: TestDesk) -> None:
    """What the final receipt gave back is others' by now; so is a quantum begun after the lease's end."""
    (holder,) = holders(desk)
    lease = granted(desk, holder)
    desk.leases.take_receipt(holder.receipt(leaf_of(lease), stage="final"))
    more = holder.receipt(leaf_of(lease), reserved=QUANTUM + 1, keep=False)
    with pytest.raises(SpentLease, match="closed"):
        desk.leases.take_receipt(more)
    lease = granted(desk, holder)
    desk.clock.move(60 + 5)
    late = holder.receipt(leaf_of(lease), now=desk.clock.now(), keep=False)
    with pytest.raises(SpentLease, match="ended"):
        desk.leases.take_receipt(late)


def test_another_hosts_lease_is_not_spent(desk: TestDesk) -> None:
    """A receipt about a lease that another host holds."""
    first, second = holders(desk, 2)
    lease = granted(desk, first)
    with pytest.raises(StateConflict, match="host host-2 has no lease"):
        desk.leases.take_receipt(second.receipt(leaf_of(lease), keep=False))


def test_a_request_in_anothers_name_is_nobodys(desk: TestDesk) -> None:
    """Signed by host-2 for host-1: it is no request, and nothing is granted."""
    first, second = holders(desk, 2)
    fact = parse_payload(parse_envelope(first.request()).payload).predicate
    assert isinstance(fact, LeaseRequested)
    forged = f.signed(fact, second._key).raw
    with pytest.raises(Exception, match="no signature"):
        desk.leases.grant(forged)
    assert books_of(desk.desk)[""][1] == 0
