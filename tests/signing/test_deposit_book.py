from __future__ import annotations

import msgspec
import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.statements import DisclosureErased, Predicate, make_payload
from sekisho.model.wire import sha256_hex
from sekisho.signing import Recorded, Verified, concealed_of, parse_envelope
from sekisho.signing.deposit_book import DepositBook, deposit_keys
from tests.deposited import HOLDERS, deposit, with_holders
from tests.factory import (
    HOST,
    NOW,
    REFERENCE,
    charter,
    lease_closed,
    lease_granted,
    run_declared,
    signed,
)


def book_of(*facts: Predicate) -> DepositBook:
    """The book once these are in the log."""
    book = DepositBook()
    for index, fact in enumerate(facts):
        envelope = parse_envelope(signed(fact, HOST).raw)
        verified = Verified(
            kind="",
            predicate=fact,
            digest=envelope.digest,
            signers=frozenset(),
            envelope=envelope.at_rest(),
        )
        book = book.after(Recorded(index=index, leaf=f"{index:064x}", verified=verified))
    return book


def digest_of(fact: Predicate) -> str:
    return sha256_hex(make_payload(fact))


GRANTED = lease_granted()
DEPOSITED = deposit(statement=digest_of(GRANTED)).to_fact(NOW)
ERASED = DisclosureErased(effective=NOW, statement=digest_of(GRANTED), basis="Act 1, section 2")


def test_a_charter_names_its_holders_by_key_id() -> None:
    """Over all constituencies; none where it names none."""
    keys = deposit_keys(with_holders(charter(), 3))
    assert [key.key_id for key in keys] == sorted(holder.key.key_id for holder in HOLDERS[:3])
    assert deposit_keys(charter()) == ()


def test_a_deposit_key_that_is_none_is_named_by_its_place() -> None:
    """A charter with a signing key in its place is bad input."""
    terms = with_holders(charter(), 1)
    (first, *rest) = terms.constituencies
    wrong = msgspec.structs.replace(first.keys[0], deposit=HOST.public.to_text())
    broken = msgspec.structs.replace(first, keys=(wrong, *first.keys[1:]))
    with pytest.raises(InvalidInput, match=r"authority\.deposit"):
        deposit_keys(msgspec.structs.replace(terms, constituencies=(broken, *rest)))


def test_what_is_concealed_is_owed_until_it_is_deposited() -> None:
    """With its digests, so that the deposit can be made later."""
    terms = with_holders(charter(), 3)
    book = book_of(terms, run_declared(), GRANTED)
    assert dict(book.owed) == {digest_of(GRANTED): concealed_of(GRANTED)}
    after = book_of(terms, GRANTED, DEPOSITED)
    assert not after.owed
    assert dict(after.deposited) == {digest_of(GRANTED): 2}


def test_nothing_is_owed_where_the_charter_names_no_holder() -> None:
    """Nor later, for what was stated before it named one."""
    assert not book_of(charter(), GRANTED).owed
    later = book_of(charter(), GRANTED, with_holders(charter(), 2), lease_closed(REFERENCE))
    assert list(later.owed) == [digest_of(lease_closed(REFERENCE))]


def test_what_is_erased_is_owed_no_more() -> None:
    """Its basis stays, also where it was deposited before."""
    terms = with_holders(charter(), 3)
    for facts in ((terms, GRANTED, ERASED), (terms, GRANTED, DEPOSITED, ERASED)):
        book = book_of(*facts)
        assert not book.owed
        assert dict(book.erased) == {digest_of(GRANTED): "Act 1, section 2"}


def test_an_erasure_heard_before_its_statement_still_counts() -> None:
    """A book never owes again what was erased."""
    assert not book_of(with_holders(charter(), 3), ERASED, GRANTED).owed
