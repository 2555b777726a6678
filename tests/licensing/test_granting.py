"""Shares, issuers, terms and forks in the ledger's fold."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.ledger import leaf_hash
from sekisho.licensing import (
    LicenceLedger,
    LicenceState,
    StaleTerm,
    UnknownShare,
    WrongIssuer,
)
from sekisho.model.errors import StateConflict
from sekisho.model.statements import BudgetShare, LeaseClosed, Predicate, Reference
from sekisho.signing import Recorded, Verified, conceal
from tests.factory import (
    NOW,
    ORIGIN,
    REFERENCE,
    SALT,
    disclosed,
    lease_granted,
    licence_issued,
    signed,
    signer,
)

EAST, WEST = signer("issuer east"), signer("issuer west")
ALLOWANCE = 62 * 10**9
SPLIT = (
    BudgetShare(share="east", budget_flop="4000000000000", issuer=EAST.public.key_id),
    BudgetShare(share="west", budget_flop="6000000000000", issuer=WEST.public.key_id),
)


def told(predicate: Predicate, by: object = EAST) -> Recorded:
    """A statement as the regime hands it on, signed by one key."""
    envelope = signed(predicate, by)  # type: ignore[arg-type]  # a signer
    key = by.public.key_id  # type: ignore[attr-defined]  # a signer
    verified = Verified(
        kind="",
        predicate=predicate,
        digest=envelope.digest,
        signers=frozenset({key}),
        envelope=envelope.at_rest(),
    )
    return Recorded(index=0, leaf=leaf_hash(envelope.raw).hex(), verified=verified)


def licensed(shares: tuple[BudgetShare, ...] = SPLIT) -> tuple[LicenceLedger, Reference]:
    entry = told(msgspec.structs.replace(licence_issued(REFERENCE), shares=shares))
    return LicenceLedger().after(entry), Reference(log=ORIGIN, leaf=entry.leaf)


def granted(  # what a grant varies in
    ledger: LicenceLedger,
    licence: Reference,
    *,
    by: object = EAST,
    number: int = 1,
    share: str | None = "east",
    term: int | None = None,
) -> tuple[LicenceLedger, Reference]:
    entry = told(lease_granted(number, licence=licence, share=share, term=term), by)
    after = ledger.after(entry, {entry.leaf: (disclosed("allowance_flop", str(ALLOWANCE)),)})
    return after, Reference(log=ORIGIN, leaf=entry.leaf)


def closed(  # what a closing varies in
    ledger: LicenceLedger,
    lease: Reference,
    licence: Reference,
    consumed: int | None,
    how: str = "forked",
    by: object = EAST,
) -> LicenceLedger:
    digest, text = conceal("consumed_flop", str(consumed or 0), SALT)
    fact = LeaseClosed(
        effective=NOW,
        lease=lease,
        licence=licence,
        host="host-1",
        number=1,
        how=how,  # type: ignore[arg-type]  # the test's own choice
        concealed=(digest,),
    )
    entry = told(fact, by)
    return ledger.after(entry, {entry.leaf: () if consumed is None else (text.text,)})


def state_of(ledger: LicenceLedger, licence: Reference) -> LicenceState:
    return ledger.find(licence.leaf)


def test_a_lease_draws_on_the_share_that_it_names() -> None:
    """The other share's book does not move."""
    ledger, licence = licensed()
    ledger, _ = granted(ledger, licence)
    books = state_of(ledger, licence).books
    assert (books.of("east").leased, books.of("west").leased) == (ALLOWANCE, 0)


def test_a_lease_without_share_under_a_split_licence_is_refused() -> None:
    """And one that names a share where none is."""
    ledger, licence = licensed()
    with pytest.raises(UnknownShare, match="names no share"):
        granted(ledger, licence, share=None)
    whole, licence = licensed(())
    with pytest.raises(UnknownShare, match="no share 'east'"):
        granted(whole, licence)


def test_only_its_issuer_grants_from_a_share_and_closes_what_it_granted() -> None:
    """The other issuer's key, good for its own share, is refused here."""
    ledger, licence = licensed()
    with pytest.raises(WrongIssuer, match="share east"):
        granted(ledger, licence, by=WEST)
    ledger, lease = granted(ledger, licence)
    with pytest.raises(WrongIssuer, match="share east"):
        closed(ledger, lease, licence, 0, "final-receipt", by=WEST)


def test_a_share_without_issuer_is_anybodys() -> None:
    """Whoever has the power grants from it."""
    ledger, licence = licensed((BudgetShare(share="east", budget_flop="10000000000000"),))
    assert state_of(granted(ledger, licence, by=WEST)[0], licence).book.leased == ALLOWANCE


def test_an_issuer_never_goes_back_to_an_earlier_term() -> None:
    """Nor to none; the other issuer's terms are its own."""
    ledger, licence = licensed()
    ledger, _ = granted(ledger, licence, term=3)
    ledger, _ = granted(ledger, licence, number=2, term=3)
    for term in (2, None):
        with pytest.raises(StaleTerm, match="at term 3"):
            granted(ledger, licence, number=3, term=term)
    ledger, _ = granted(ledger, licence, number=3, by=WEST, share="west", term=1)
    assert dict(ledger.terms) == {EAST.public.key_id: 3, WEST.public.key_id: 1}
    assert granted(ledger, licence, number=4, term=7)[0].terms[EAST.public.key_id] == 7


def test_a_fork_adds_both_branches_and_shows_what_is_overdrawn() -> None:
    """A lease of the whole budget, spent twice: the books say by how much, and stay readable."""
    ledger, licence = licensed((BudgetShare(share="east", budget_flop="10000000000000"),))
    entry = told(lease_granted(1, licence=licence, share="east", allowance_flop="10000000000000"))
    ledger = ledger.after(entry, {entry.leaf: (disclosed("allowance_flop", "10000000000000"),)})
    lease = Reference(log=ORIGIN, leaf=entry.leaf)
    after = closed(ledger, lease, licence, 15 * 10**12)
    book = state_of(after, licence).book
    assert (book.available, book.consumed, book.overdrawn) == (0, 15 * 10**12, 5 * 10**12)
    assert book.budget == 10**13
    assert state_of(after, licence).live_leases() == ()


def test_a_fork_that_comes_to_light_later_is_added_then() -> None:
    """After a final receipt had given the rest back; and once more where a branch grew."""
    ledger, licence = licensed()
    ledger, lease = granted(ledger, licence)
    ledger = closed(ledger, lease, licence, 10, "final-receipt")
    assert state_of(ledger, licence).book.available == 10**13 - 10
    ledger = closed(ledger, lease, licence, 25)
    ledger = closed(ledger, lease, licence, 30)
    book = state_of(ledger, licence).book
    assert (book.consumed, book.forfeited, book.available) == (30, 0, 10**13 - 30)
    with pytest.raises(StateConflict, match="nothing is added"):
        closed(ledger, lease, licence, 30)
    with pytest.raises(StateConflict, match="not open"):
        closed(ledger, lease, licence, 30, "forfeited")


def test_what_ran_out_covers_the_fork_that_comes_after() -> None:
    """The forfeited rest is what the clone had in its hands."""
    ledger, licence = licensed()
    ledger, lease = granted(ledger, licence)
    ledger = closed(ledger, lease, licence, 10, "forfeited")
    ledger = closed(ledger, lease, licence, 30)
    book = state_of(ledger, licence).book
    assert (book.consumed, book.forfeited) == (30, ALLOWANCE - 30)
    assert book.available == 10**13 - ALLOWANCE


def test_an_unknown_consumption_stops_the_books_of_its_share() -> None:
    """It is counted as unknown, never as nothing."""
    ledger, licence = licensed()
    ledger, lease = granted(ledger, licence)
    ledger = closed(ledger, lease, licence, None, "final-receipt")
    assert state_of(ledger, licence).books.unknown == {"east": 1}
    assert state_of(ledger, licence).undisclosed == 1
