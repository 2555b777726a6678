"""Lies about a deposit: by whoever makes it, by a holder, and by somebody in between. Each is refused, and named."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from sekisho.adapters.keys.deposit_keys import ShamirSharing
from sekisho.signing import conceal
from sekisho.signing.deposit import (
    Deposit,
    ForgedDeposit,
    OpenedShare,
    SealedShare,
    TooFewShares,
    check_deposit,
    combine_shares,
    make_deposit,
    open_share,
)
from tests.by_hand import FixedSealer, FixedSharing
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
from tests.factory import SALT

SHARING = ShamirSharing()
THREE = tuple(holder.key for holder in HOLDERS[:3])
HONEST = deposit()
SMALL = conceal("allowance_flop", "1", SALT)


def blame(deposit_: Deposit, shares: list[OpenedShare]) -> str:
    """Who is named when these shares are combined."""
    with pytest.raises(ForgedDeposit) as caught:
        combine_shares(deposit_, shares, CONCEALED, SHARING)
    return caught.value.by


def test_a_deposit_of_other_values_than_concealed_names_the_depositor() -> None:
    """A smaller allowance than the statement conceals is deposited: its digest is not the statement's."""
    lie = deposit(texts=(SMALL[1].text,), concealed=(SMALL[0],))
    check_deposit(lie, THREE)  # from outside it looks sound: only its holders can tell
    assert blame(lie, opened(lie, 1, 2)) == "the depositor"


def test_a_deposit_that_leaves_a_field_out_names_the_depositor() -> None:
    """Two fields are concealed, one is deposited."""
    second, _ = conceal("consumed_flop", "5", bytes(16))
    with pytest.raises(ForgedDeposit, match="unopened") as caught:
        combine_shares(HONEST, opened(HONEST, 1, 2), (*CONCEALED, second), SHARING)
    assert caught.value.by == "the depositor"


def test_a_deposit_with_something_more_names_the_depositor() -> None:
    """What the statement does not conceal must not travel in its deposit."""
    digest, note = conceal("note", "for one reader only", SALT)
    lie = deposit(texts=(TEXT, note.text), concealed=(*CONCEALED, digest))
    assert blame(lie, opened(lie, 1, 2)) == "the depositor"


def test_a_deposit_of_garbage_names_the_depositor() -> None:
    """Content that its own key does not open, and content in another padding."""
    size = len(HONEST.shares) * 32
    changed = HONEST.content[:size] + bytes([HONEST.content[size] ^ 1]) + HONEST.content[size + 1 :]
    for content in (changed, HONEST.content[:size] + bytes(272), HONEST.content + bytes(256)):
        lie = msgspec.structs.replace(HONEST, content=content)
        assert blame(lie, opened(lie, 1, 2)) == "the depositor"


def test_a_share_of_another_statement_is_replayed_and_refused() -> None:
    """Sealed for one statement it does not open for another; opened, it names its own statement."""
    other = deposit(statement="cd" * 32)
    lie = msgspec.structs.replace(HONEST, shares=(other.shares[0], *HONEST.shares[1:]))
    with pytest.raises(ForgedDeposit, match="does not open for this statement"):
        open_share(lie, HOLDERS[0])
    assert blame(HONEST, [*opened(HONEST, 2), *opened(other, 1)]) == "its sender"


def test_a_whole_deposit_moved_to_another_statement_opens_for_nobody() -> None:
    """Digest, log and number are part of what each share and the content are sealed to."""
    for change in ({"statement": "cd" * 32}, {"origin": "other.example/log"}):
        lie = msgspec.structs.replace(HONEST, **change)
        for holder in HOLDERS[:3]:
            with pytest.raises(ForgedDeposit):
                open_share(lie, holder)


def test_k_minus_1_shares_learn_nothing_useful() -> None:
    """With all shares but one every content key is still possible: the missing share is free."""
    five = deposit(HOLDERS)
    known = opened(five, 1, 2)
    with pytest.raises(TooFewShares):
        combine_shares(five, known, CONCEALED, SHARING)
    points = [(share.number, share.share) for share in known]
    guesses = {
        SHARING.combine([*points, (3, hashlib.sha256(bytes([n])).digest()[:16])]) for n in range(12)
    }
    assert len(guesses) == 12
    assert SECRET not in guesses
    for guess in guesses:  # and each of them is as good: some third share leads to it
        assert FixedSharing().combine([*points, (3, _third_share(points, guess))]) == guess


def _third_share(points: list[tuple[int, bytes]], secret: bytes) -> bytes:
    """The share 3 under which two known shares would combine to a given secret."""
    seen_from_3 = [(0 ^ 3, secret), *((place ^ 3, value) for place, value in points)]
    return FixedSharing().combine(seen_from_3)


def test_a_lowered_threshold_opens_for_nobody() -> None:
    """One holder cannot be enough by saying so: k is part of every seal, and of the charter's rule."""
    lie = msgspec.structs.replace(HONEST, threshold=1)
    with pytest.raises(ForgedDeposit, match="opens to 1 of 3"):
        check_deposit(lie, THREE)
    for holder in HOLDERS[:3]:
        with pytest.raises(ForgedDeposit, match="threshold"):
            open_share(lie, holder)
    with pytest.raises(ForgedDeposit, match="not the one that was deposited"):
        combine_shares(lie, opened(HONEST, 1), CONCEALED, SHARING)


def test_a_raised_threshold_opens_for_nobody_and_is_seen() -> None:
    """All three must agree, where the rule is two: an issuer that makes demands fail is found out from outside."""
    lie = msgspec.structs.replace(HONEST, threshold=3)
    with pytest.raises(ForgedDeposit, match="opens to 3 of 3"):
        check_deposit(lie, THREE)


def test_a_corrupted_share_is_named() -> None:
    """A holder hands in another share: it does not fit the commitment, and its number and key are told."""
    first, second = opened(HONEST, 1, 2)
    flipped = bytes([second.share[0] ^ 1]) + second.share[1:]
    corrupted = msgspec.structs.replace(second, share=flipped)
    assert blame(HONEST, [first, corrupted]) == f"holder {HOLDERS[1].key.key_id}"
    short = msgspec.structs.replace(second, share=second.share[:-1])
    assert blame(HONEST, [first, short]) == f"holder {HOLDERS[1].key.key_id}"
    third = opened(HONEST, 3)
    assert combine_shares(HONEST, [first, *third], CONCEALED, SHARING) == (TEXT,)


def test_two_holders_shares_exchanged_are_named() -> None:
    """A share under another number is another share."""
    first, second = opened(HONEST, 1, 2)
    swapped = msgspec.structs.replace(first, number=2)
    assert blame(HONEST, [swapped, second]) == f"holder {HOLDERS[1].key.key_id}"


class CrookedSharing(FixedSharing):
    """A dealer whose third share lies on no polynomial with the others."""

    def split(self, secret: bytes, k: int, n: int) -> list[bytes]:
        shares = super().split(secret, k, n)
        shares[2] = bytes(16)
        return shares


def test_shares_that_do_not_belong_together_name_the_depositor() -> None:
    """Holders 1 and 2 would open one thing, 2 and 3 another: any two find out, though nobody shows share 3."""
    lie = make_deposit(
        origin=HONEST.origin,
        statement=STATEMENT,
        texts=(TEXT,),
        concealed=CONCEALED,
        holders=THREE,
        secret=SECRET,
        sharing=CrookedSharing(),
        sealer=FixedSealer(),
    )
    for numbers in ((1, 2), (1, 3), (2, 3)):
        assert blame(lie, opened(lie, *numbers)) == "the depositor"


def test_a_deposit_sealed_to_a_key_not_in_the_charter_is_refused() -> None:
    """A friend among the holders, one left out, one twice, another order: each is seen from outside."""
    friend = deposit((*HOLDERS[:2], STRANGER))
    with pytest.raises(ForgedDeposit, match="which the charter does not name"):
        check_deposit(friend, THREE)
    with pytest.raises(ForgedDeposit, match="each holder"):
        check_deposit(deposit(HOLDERS[:2]), THREE)
    turned = msgspec.structs.replace(HONEST, shares=HONEST.shares[::-1])
    with pytest.raises(ForgedDeposit, match="each holder"):
        check_deposit(turned, THREE)
    with pytest.raises(ForgedDeposit):
        check_deposit(HONEST, [])


def test_a_share_sealed_to_another_holder_than_it_names_does_not_open() -> None:
    """The depositor writes a verifier's key over a share that only its friend can open."""
    blank = HONEST.context("sekisho deposit share v1", 1)
    mine = FixedSealer().seal(STRANGER.key, bytes(16), blank)
    renamed = SealedShare(key=HONEST.shares[0].key, sealed=mine)
    lie = msgspec.structs.replace(HONEST, shares=(renamed, *HONEST.shares[1:]))
    with pytest.raises(ForgedDeposit, match="does not open") as caught:
        open_share(lie, HOLDERS[0])
    assert caught.value.by == "the depositor"


def test_a_share_that_is_not_the_committed_one_is_seen_by_its_holder() -> None:
    """Garbage, sealed as it should be, to one verifier: it learns so before it is asked for its share."""
    info = HONEST.context("sekisho deposit share v1", 1)
    garbage = FixedSealer().seal(HOLDERS[0].key, bytes(16), info)
    bad = SealedShare(key=HONEST.shares[0].key, sealed=garbage)
    lie = msgspec.structs.replace(HONEST, shares=(bad, *HONEST.shares[1:]))
    with pytest.raises(ForgedDeposit, match="commits to"):
        open_share(lie, HOLDERS[0])
    assert combine_shares(lie, opened(lie, 2, 3), CONCEALED, SHARING) == (TEXT,)


def test_every_flipped_byte_of_the_log_is_noticed() -> None:
    """Anywhere in shares or content: nothing opens as if nothing had happened."""
    for place in range(len(HONEST.content)):
        content = bytearray(HONEST.content)
        content[place] ^= 0x40
        lie = msgspec.structs.replace(HONEST, content=bytes(content))
        with pytest.raises(ForgedDeposit):
            combine_shares(lie, opened(HONEST, 1, 2), CONCEALED, SHARING)
    for place in range(64):
        sealed = bytearray(HONEST.shares[0].sealed)
        sealed[place] ^= 1
        bad = msgspec.structs.replace(HONEST.shares[0], sealed=bytes(sealed))
        lie = msgspec.structs.replace(HONEST, shares=(bad, *HONEST.shares[1:]))
        with pytest.raises(ForgedDeposit):
            open_share(lie, HOLDERS[0])


def test_the_length_of_a_deposit_does_not_tell_one_amount_from_another() -> None:
    """Digits are worth money: amounts of 1 and of 38 digits deposit to the same length, with any number of holders."""
    for count in (1, 3, 5):
        sizes = set()
        for value in ("7", "7" * 38):
            digest, made = conceal("allowance_flop", value, SALT)
            fact = deposit(HOLDERS[:count], texts=(made.text,), concealed=(digest,))
            sizes.add((len(fact.content), tuple(len(share.sealed) for share in fact.shares)))
        assert len(sizes) == 1


def test_a_stranger_with_the_whole_log_opens_nothing() -> None:
    """Without a holder's key there is no share to combine."""
    for holder in (STRANGER, opener("another stranger")):
        for number in (1, 2, 3):
            posing = msgspec.structs.replace(HONEST.shares[number - 1], key=holder.key.key_id)
            shares = list(HONEST.shares)
            shares[number - 1] = posing
            with pytest.raises(ForgedDeposit):
                open_share(msgspec.structs.replace(HONEST, shares=tuple(shares)), holder)
