from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.adapters.keys.deposit_keys import HpkeSealer, ShamirSharing
from sekisho.model.errors import InvalidInput, NotAuthorised
from sekisho.model.statements import DisclosureDeposited, make_payload, parse_payload
from sekisho.signing import ForgedDisclosure, conceal
from sekisho.signing.deposit import (
    Deposit,
    ForgedDeposit,
    OpenedShare,
    SecretSharing,
    TooFewShares,
    check_deposit,
    combine_shares,
    make_deposit,
    open_share,
    threshold_for,
)
from sekisho.signing.deposit_content import MAX_CONTENT, STEP, pad_texts
from tests.by_hand import FixedSharing, multiply
from tests.deposited import (
    CONCEALED,
    HOLDERS,
    SECRET,
    STATEMENT,
    STRANGER,
    TEXT,
    deposit,
    opened,
    opener,
)
from tests.factory import NOW, ORIGIN, SALT

MADE = deposit()
SHARINGS: tuple[SecretSharing, ...] = (ShamirSharing(), FixedSharing())


@pytest.mark.parametrize(("holders", "asked"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (64, 33)])
def test_more_than_half_of_the_holders_open_a_deposit(holders: int, asked: int) -> None:
    """So two halves never open it apart."""
    assert threshold_for(holders) == asked


@pytest.mark.parametrize("chosen", list(itertools.combinations((1, 2, 3), 2)))
def test_any_two_of_three_holders_open_it(chosen: tuple[int, int]) -> None:
    """Whichever they are, and in whatever order they hand their shares in."""
    shares = opened(MADE, *chosen)
    assert combine_shares(MADE, shares, CONCEALED, ShamirSharing()) == (TEXT,)
    assert combine_shares(MADE, reversed(shares), CONCEALED, FixedSharing()) == (TEXT,)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 5), st.dictionaries(st.text(max_size=12), st.text(max_size=80), min_size=1))
def test_what_is_deposited_is_opened(count: int, fields: dict[str, str]) -> None:
    """Any disclosures, any number of holders, with the randomness of the libraries: there and back."""
    made = [conceal(name, value, SALT) for name, value in fields.items()]
    concealed = tuple(digest for digest, _ in made)
    texts = tuple(disclosure.text for _, disclosure in made)
    one = make_deposit(
        origin=ORIGIN,
        statement=STATEMENT,
        texts=texts,
        concealed=concealed,
        holders=[holder.key for holder in HOLDERS[:count]],
        secret=SECRET,
        sharing=ShamirSharing(),
        sealer=HpkeSealer(),
    )
    check_deposit(one, [holder.key for holder in HOLDERS[:count]])
    shares = opened(one, *range(count, count - one.threshold, -1))
    assert combine_shares(one, shares, concealed, ShamirSharing()) == texts


def test_the_two_sharings_are_one_scheme() -> None:
    """What the library splits, anybody combines from the written definition, and the other way round."""
    for one, other in (SHARINGS, SHARINGS[::-1]):
        shares = one.split(SECRET, 3, 5)
        for chosen in itertools.combinations(range(5), 3):
            points = [(number + 1, shares[number]) for number in chosen]
            assert other.combine(points) == SECRET
            for absent in set(range(5)) - set(chosen):
                seen = [(place ^ (absent + 1), value) for place, value in points]
                assert other.combine(seen) == shares[absent]


def test_the_field_multiplies_as_it_is_written() -> None:
    """x^127 times x is x^7 + x^2 + x + 1; one is neutral; the product does not ask for an order."""
    assert multiply(1 << 127, 2) == 0b10000111
    assert multiply(0x1234, 1) == 0x1234
    assert multiply(0xABCDEF, 0x123456) == multiply(0x123456, 0xABCDEF)


def test_holders_are_numbered_by_their_key_ids() -> None:
    """Whatever order the charter names them in, and once each."""
    shuffled = deposit((HOLDERS[2], HOLDERS[0], HOLDERS[1], HOLDERS[0]))
    assert shuffled.holders == MADE.holders == tuple(sorted(MADE.holders))
    assert shuffled == MADE


def test_too_few_shares_open_nothing() -> None:
    """One share, and one share many times, is one share."""
    (share,) = opened(MADE, 2)
    for shares in ([], [share], [share] * 3):
        with pytest.raises(TooFewShares, match="of 2 shares"):
            combine_shares(MADE, shares, CONCEALED, ShamirSharing())


def test_whoever_has_no_share_is_told_so() -> None:
    """A key that the deposit does not name."""
    with pytest.raises(NotAuthorised, match="no share"):
        open_share(MADE, STRANGER)


@pytest.mark.parametrize(
    "texts", [(), (TEXT[:-4],), (conceal("allowance_flop", "1", SALT)[1].text,)]
)
def test_half_a_deposit_is_not_made(texts: tuple[str, ...]) -> None:
    """The depositor itself checks that what it deposits opens the statement."""
    with pytest.raises((InvalidInput, ForgedDisclosure)):
        deposit(texts=texts)


@pytest.mark.parametrize("count", [0, 65])
def test_a_deposit_has_one_to_sixty_four_holders(count: int) -> None:
    """As many as a statement has room for."""
    with pytest.raises(InvalidInput, match="1 to 64 holders"):
        deposit(tuple(opener(f"holder {n}") for n in range(count)))


def test_a_content_key_has_sixteen_bytes() -> None:
    """The field's elements have 128 bits."""
    with pytest.raises(InvalidInput, match="16 bytes"):
        deposit(secret=bytes(32))


@settings(max_examples=60)
@given(st.integers(0, 900))
def test_the_length_of_content_tells_its_step_only(size: int) -> None:
    """Content grows by 256 bytes at a time, whatever is in it."""
    padded = pad_texts(["x" * size])
    assert len(padded) % STEP == 0
    assert len(padded) == -(-(4 + size + 4) // STEP) * STEP


def test_all_amounts_look_alike() -> None:
    """One FLOP and ten to the 37: the same length, so a reader of the log learns nothing."""
    sizes = set()
    for value in ("0", "9" * 38):
        digest, disclosure = conceal("allowance_flop", value, SALT)
        sizes.add(len(deposit(texts=(disclosure.text,), concealed=(digest,)).content))
    assert len(sizes) == 1


def test_what_does_not_fit_a_statement_is_refused_before_anything_is_stated() -> None:
    """And what just fits does, with the most holders."""
    room = MAX_CONTENT - 4 - 4
    assert len(pad_texts(["x" * room])) == MAX_CONTENT
    with pytest.raises(InvalidInput, match="do not fit"):
        pad_texts(["x" * (room + 1)])


def test_the_largest_deposit_is_a_statement() -> None:
    """Sixty-four holders and content at its limit stay under the payload's 45,000 bytes."""
    values = ["v" * 14_000, "w" * 900]
    made = [conceal(f"field_{n}", value, SALT) for n, value in enumerate(values)]
    holders = tuple(opener(f"holder {n}") for n in range(64))
    one = deposit(
        holders,
        texts=tuple(disclosure.text for _, disclosure in made),
        concealed=tuple(digest for digest, _ in made),
    )
    assert len(one.content) == 64 * 32 + MAX_CONTENT + 16
    assert len(make_payload(one.to_fact(NOW))) < 45_000


def test_a_deposit_goes_into_a_statement_and_back() -> None:
    """Byte for byte, through the wire."""
    fact = parse_payload(make_payload(MADE.to_fact(NOW))).predicate
    assert isinstance(fact, DisclosureDeposited)
    assert Deposit.from_fact(fact, ORIGIN) == MADE
    assert fact.threshold == 2


def test_base64_with_free_bits_is_refused() -> None:
    """One deposit has one spelling."""
    fact = MADE.to_fact(NOW)
    share = fact.shares[0]
    crooked = msgspec.structs.replace(share, sealed=share.sealed[:-3] + "B==")
    with pytest.raises(InvalidInput, match="shares: base64"):
        Deposit.from_fact(msgspec.structs.replace(fact, shares=(crooked, *fact.shares[1:])), ORIGIN)


def test_a_share_names_its_statement_and_number() -> None:
    """So that nobody combines what does not belong together."""
    assert [(share.statement, share.number) for share in opened(MADE, 1, 3)] == [
        (STATEMENT, 1),
        (STATEMENT, 3),
    ]
    assert {len(share.share) for share in opened(MADE, 1, 2, 3)} == {16}


@pytest.mark.parametrize("number", [0, 4, -1])
def test_a_share_beside_the_deposit_is_refused(number: int) -> None:
    """Numbers run from 1 to n."""
    (share,) = opened(MADE, 1)
    strange = OpenedShare(statement=STATEMENT, number=number, share=share.share)
    with pytest.raises(ForgedDeposit, match="another statement"):
        combine_shares(MADE, [strange], CONCEALED, ShamirSharing())


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": 0},
        {"threshold": 4},
        {"shares": ()},
        {"shares": (*MADE.shares, MADE.shares[0])},
        {"shares": (msgspec.structs.replace(MADE.shares[0], sealed=b"short"), *MADE.shares[1:])},
        {"content": MADE.content[:-1]},
        {"content": MADE.content[:-256]},
        {"content": b""},
    ],
)
def test_a_deposit_of_another_form_is_the_depositors_fault(change: dict[str, object]) -> None:
    """Before any key is used."""
    broken = msgspec.structs.replace(MADE, **change)
    with pytest.raises(ForgedDeposit) as caught:
        open_share(broken, HOLDERS[0])
    assert caught.value.by == "the depositor"
    with pytest.raises(ForgedDeposit):
        combine_shares(broken, [], CONCEALED, ShamirSharing())


def test_a_deposit_as_the_charter_asks_is_sound() -> None:
    """For each number of holders, seen from outside."""
    for count in range(1, 6):
        check_deposit(deposit(HOLDERS[:count]), [holder.key for holder in HOLDERS[:count]])
