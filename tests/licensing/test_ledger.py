from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.licensing import (
    LeaseOutsideLicence,
    LicenceLedger,
    UnknownLicence,
    WrongLeaseNumber,
)
from sekisho.model.errors import StateConflict
from sekisho.model.statements import LeaseGranted, LicenceRevoked, Reference
from sekisho.signing import ForgedDisclosure, conceal
from tests.factory import (
    NOW,
    ORIGIN,
    REFERENCE,
    disclosed,
    host_enrolled,
    lease_closed,
    lease_granted,
    licence_issued,
    run_declared,
)
from tests.licensing.ledgers import LICENCE, LICENCE_LEAF, fold, issued, with_lease

ALLOWANCE = 62 * 10**9
BUDGET = 10**13
ALLOWED = disclosed("allowance_flop", str(ALLOWANCE))


def leased() -> tuple[LicenceLedger, Reference]:
    """A ledger with one open lease."""
    return fold(issued(), lease_granted(licence=LICENCE), ALLOWED)


def test_a_lease_moves_its_allowance_to_leased_and_back() -> None:
    """Granted, then closed by a final receipt: what was consumed stays consumed."""
    ledger, lease = leased()
    book = ledger.find(LICENCE_LEAF).book
    assert (book.available, book.leased) == (BUDGET - ALLOWANCE, ALLOWANCE)
    closed, _ = fold(
        ledger,
        lease_closed(lease, licence=LICENCE),
        disclosed("consumed_flop", "4000000000"),
    )
    state = closed.find(LICENCE_LEAF)
    assert (state.book.leased, state.book.consumed) == (0, 4 * 10**9)
    assert state.book.budget == BUDGET
    assert state.leases[0].ended == "final-receipt"
    assert state.leases[0].consumed_flop == 4 * 10**9
    assert state.live_leases() == ()


def test_a_lease_that_ran_out_forfeits_its_rest() -> None:
    """Nothing returns to available without a final receipt."""
    ledger, lease = leased()
    closed, _ = fold(
        ledger,
        lease_closed(lease, licence=LICENCE, how="forfeited"),
        disclosed("consumed_flop", "4000000000"),
    )
    book = closed.find(LICENCE_LEAF).book
    assert (book.available, book.forfeited) == (BUDGET - ALLOWANCE, ALLOWANCE - 4 * 10**9)


def test_undisclosed_amounts_are_counted_as_unknown() -> None:
    """Neither a missing allowance nor a missing consumption is taken for zero."""
    ledger = with_lease(issued(), disclosures=())
    state = ledger.find(LICENCE_LEAF)
    assert state.undisclosed == 1
    assert state.leases[0].allowance_flop is None
    known, lease = leased()
    closed, _ = fold(known, lease_closed(lease, licence=LICENCE))
    state = closed.find(LICENCE_LEAF)
    assert (state.undisclosed, state.leases[0].consumed_flop) == (1, None)
    assert state.book.leased == ALLOWANCE


def test_a_forged_disclosure_is_refused() -> None:
    """Another allowance than the concealed one does not enter the books."""
    with pytest.raises(ForgedDisclosure):
        with_lease(issued(), disclosures=(disclosed("allowance_flop", "1"),))


def test_a_lease_with_two_concealed_allowances_is_unknown_or_forged() -> None:
    """An issuer cannot show the auditor a smaller allowance than the host."""
    second, other = conceal("allowance_flop", "1", bytes(16))
    twofold = lease_granted(licence=LICENCE)
    twofold = msgspec.structs.replace(twofold, concealed=(*twofold.concealed, second))
    for text in (ALLOWED, other.text):
        ledger, _ = fold(issued(), twofold, text)
        assert ledger.find(LICENCE_LEAF).undisclosed == 1
    with pytest.raises(ForgedDisclosure, match="two values"):
        fold(issued(), twofold, ALLOWED, other.text)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"host": "host-2"}, "does not name host host-2"),
        ({"not_after": NOW.plus(86_401)}, "outlives"),
    ],
)
def test_a_lease_that_its_licence_does_not_cover_is_refused(
    change: dict[str, object], match: str
) -> None:
    """Another host, or an end after the licence's."""
    lease: LeaseGranted = msgspec.structs.replace(lease_granted(licence=LICENCE), **change)
    with pytest.raises(LeaseOutsideLicence, match=match):
        fold(issued(), lease, ALLOWED)


def test_a_lease_after_the_revocation_is_refused() -> None:
    """The fold does not believe an issuer that grants under a revoked licence."""
    with pytest.raises(LeaseOutsideLicence, match="revoked"):
        with_lease(issued(revoked=True))


def test_lease_numbers_follow_each_other_per_host() -> None:
    """A gap and a repetition are refused."""
    ledger = with_lease(issued())
    assert ledger.lease_numbers == {"host-1": 1}
    for number in (1, 3):
        with pytest.raises(WrongLeaseNumber, match="does not follow lease 1"):
            with_lease(ledger, number)
    assert with_lease(ledger, 2).lease_numbers == {"host-1": 2}


def test_what_the_log_does_not_hold_cannot_be_leased_or_revoked() -> None:
    """A licence is found by its reference only."""
    with pytest.raises(UnknownLicence):
        fold(LicenceLedger(), lease_granted())
    with pytest.raises(UnknownLicence):
        fold(
            LicenceLedger(),
            LicenceRevoked(effective=NOW, licence=REFERENCE, number="LIC-1", reason="x"),
        )


def test_a_revocation_that_names_another_number_is_refused() -> None:
    """Signers read the number, so it must be the licence's own."""
    with pytest.raises(StateConflict, match="LIC-1 is referred to as LIC-2"):
        fold(
            issued(),
            LicenceRevoked(effective=NOW, licence=LICENCE, number="LIC-2", reason="x"),
        )


def test_a_second_revocation_does_not_move_the_first() -> None:
    """A licence is revoked once."""
    again = LicenceRevoked(effective=NOW.plus(99), licence=LICENCE, number="LIC-1", reason="x")
    ledger, _ = fold(issued(revoked=True), again)
    assert ledger.find(LICENCE_LEAF).revoked == NOW


def test_a_name_or_number_is_used_once() -> None:
    """Two licences with one number, or two runs with one name, are a conflict."""
    ledger, _ = fold(LicenceLedger(), run_declared())
    with pytest.raises(StateConflict, match="declared already"):
        fold(ledger, run_declared(planned_flop="5"))
    with pytest.raises(StateConflict, match="LIC-1 is taken"):
        fold(issued(), licence_issued(REFERENCE, budget_flop="5"))
    assert ledger.runs["run-1"][1] == run_declared()
    assert issued().by_number("LIC-1") is not None
    assert issued().by_number("LIC-2") is None


def test_a_lease_is_closed_once_and_by_its_own_name() -> None:
    """A second closing, another host or number, an unknown lease: no open lease."""
    ledger, lease = leased()
    text = disclosed("consumed_flop", "4000000000")
    closing = lease_closed(lease, licence=LICENCE)
    closed, _ = fold(ledger, closing, text)
    with pytest.raises(StateConflict, match="not open"):
        fold(closed, closing, text)
    for other in (
        msgspec.structs.replace(closing, host="host-2"),
        msgspec.structs.replace(closing, number=2),
        msgspec.structs.replace(closing, lease=Reference(log=ORIGIN, leaf="f" * 64)),
    ):
        with pytest.raises(StateConflict, match="not open"):
            fold(ledger, other, text)


def test_statements_of_other_rooms_change_nothing() -> None:
    """The fold passes over what is not its own."""
    ledger = issued()
    assert fold(ledger, host_enrolled())[0] == ledger


@given(st.lists(st.tuples(st.integers(0, ALLOWANCE), st.booleans()), max_size=8))
def test_the_books_balance_after_any_life_of_leases(ends: list[tuple[int, bool]]) -> None:
    """Whatever each lease consumed and however it ended, the four accounts make the budget."""
    ledger = issued()
    for number, (consumed, forfeited) in enumerate(ends, 1):
        ledger, lease = fold(ledger, lease_granted(number, licence=LICENCE), ALLOWED)
        closing = lease_closed(
            lease,
            number,
            licence=LICENCE,
            consumed_flop=str(consumed),
            how="forfeited" if forfeited else "final-receipt",
        )
        ledger, _ = fold(ledger, closing, disclosed("consumed_flop", str(consumed)))
    book = ledger.find(LICENCE_LEAF).book
    assert (book.budget, book.leased) == (BUDGET, 0)
    assert book.consumed == sum(consumed for consumed, _ in ends)
    assert book.forfeited == sum(ALLOWANCE - c for c, forfeited in ends if forfeited)
