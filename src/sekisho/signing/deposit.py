"""Deposits: a statement's disclosures, sealed so that k of n verifiers together open them and fewer learn nothing.

Making one: a fresh content key is split k-of-n (Shamir); each share is sealed to its holder (sealing.py), bound to log,
statement, number, k and n; the disclosures, padded, are encrypted under the content key. A commitment to every share
stands before the ciphertext, so that whoever gets k shares can tell who lied:

1. a share that does not fit its commitment was changed by its holder, or on the way; 2. from k fitting shares all n are
computed again: where one does not fit its commitment, the depositor dealt shares that do not belong together; 3. where
the content does not open, or is not what the statement conceals, the depositor deposited something else.

What no outsider can tell before k holders open it: whether the content is genuine. And a holder to whom garbage was
sealed has only its own word for it, until k others have opened. Pure: key, split and seal come from outside.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from sekisho.model.errors import InvalidInput, NotAuthorised, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import DepositShare, DisclosureDeposited
from sekisho.model.wire import decode_base64, encode_base64
from sekisho.signing.deposit_content import STEP, TAG_BYTES, decrypt_texts, encrypt_texts
from sekisho.signing.disclosure import open_fields
from sekisho.signing.sealing import DepositKey, Opener, SealBroken, Sealer

__all__ = [
    "Deposit",
    "ForgedDeposit",
    "OpenedShare",
    "SealedShare",
    "SecretSharing",
    "TooFewShares",
    "check_deposit",
    "combine_shares",
    "make_deposit",
    "open_share",
    "threshold_for",
]

SECRET_BYTES = 16
MAX_HOLDERS = 64
_SEALED_BYTES = 32 + SECRET_BYTES + 16
_COMMITMENT_BYTES = 32
_SHARE, _COMMITMENT, _CONTENT = (
    f"sekisho deposit {part} v1" for part in ("share", "commitment", "content")
)


class ForgedDeposit(VerificationError):
    """A deposit, or a share of it, that is not what it must be; `by` is who lied, as far as that can be proved."""

    code = "forged-deposit"

    def __init__(self, message: str, *, by: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.by = by


class TooFewShares(VerificationError):
    """Fewer distinct shares than the deposit asks for: nothing can be said of its content."""

    code = "too-few-shares"


class SecretSharing(Protocol):
    """Shamir's scheme over GF(2^128), the field of x^128 + x^7 + x^2 + x + 1, secrets and shares of 16 bytes.

    The value of share i is the polynomial at i; the most significant bit of the first byte is the coefficient of
    x^127. Subtraction in this field is XOR.
    """

    def split(self, secret: bytes, k: int, n: int) -> list[bytes]:
        """Shares 1 to n of a polynomial of degree k - 1 through (0, secret), its other coefficients drawn at random."""
        ...

    def combine(self, points: Sequence[tuple[int, bytes]]) -> bytes:
        """The value at 0 of the polynomial of least degree through these points, whose places differ."""
        ...


class SealedShare(msgspec.Struct, frozen=True, kw_only=True):
    """One share, sealed to the deposit key with this id."""

    key: str
    sealed: bytes


class Deposit(msgspec.Struct, frozen=True, kw_only=True):
    """What the log holds: the statement's payload digest, k, the sealed shares 1 to n, commitments and ciphertext."""

    origin: str
    statement: str
    threshold: int
    shares: tuple[SealedShare, ...]
    content: bytes

    @classmethod
    def from_fact(cls, fact: DisclosureDeposited, origin: str) -> Deposit:
        """As the log of that origin holds it. Raises InvalidInput for base64 that is not canonical."""
        shares = tuple(
            SealedShare(key=share.key, sealed=decode_base64(share.sealed, path="shares"))
            for share in fact.shares
        )
        return cls(
            origin=origin,
            statement=fact.statement,
            threshold=fact.threshold,
            shares=shares,
            content=decode_base64(fact.content, path="content"),
        )

    def to_fact(self, effective: Instant) -> DisclosureDeposited:
        """As a statement says it."""
        return DisclosureDeposited(
            effective=effective,
            statement=self.statement,
            threshold=self.threshold,
            shares=tuple(
                DepositShare(key=share.key, sealed=encode_base64(share.sealed))
                for share in self.shares
            ),
            content=encode_base64(self.content),
        )

    @property
    def holders(self) -> tuple[str, ...]:
        return tuple(share.key for share in self.shares)

    def commitment(self, number: int) -> bytes:
        """The commitment to share `number`, counted from 1."""
        return self.content[(number - 1) * _COMMITMENT_BYTES : number * _COMMITMENT_BYTES]

    def context(self, domain: str, number: int) -> bytes:
        """What a share is bound to: seven lines, the last two its number and its holder's key."""
        n = len(self.shares)
        holder = self.shares[number - 1].key
        lines = (domain, self.origin, self.statement, self.threshold, n, number, holder)
        return "".join(f"{line}\n" for line in lines).encode()


class OpenedShare(msgspec.Struct, frozen=True, kw_only=True):
    """A share as its holder hands it on, to be combined with others. Confidential: k of them open the deposit."""

    statement: str
    number: int
    share: bytes


def threshold_for(holders: int) -> int:
    """How many holders open a deposit together: more than half of them."""
    return holders // 2 + 1


def make_deposit(  # noqa: PLR0913  # what is deposited, for whom, and the three sources of randomness
    *,
    origin: str,
    statement: str,
    texts: Sequence[str],
    concealed: tuple[str, ...],
    holders: Iterable[DepositKey],
    secret: bytes,
    sharing: SecretSharing,
    sealer: Sealer,
) -> Deposit:
    """Deposit the disclosures of a statement (payload digest `statement`) with all `holders`, more than half to open.

    `secret` is a fresh content key of 16 bytes. Raises InvalidInput for no or more than 64 holders, ForgedDisclosure or
    InvalidInput where `texts` do not open every digest of the statement: half a deposit would pass for a whole one.
    """
    keys = sorted({key.key_id: key for key in holders}.items())
    if not 0 < len(keys) <= MAX_HOLDERS:
        raise InvalidInput(f"a deposit has 1 to {MAX_HOLDERS} holders, not {len(keys)}")
    if len(secret) != SECRET_BYTES:
        raise InvalidInput(f"a content key has {SECRET_BYTES} bytes, not {len(secret)}")
    if open_fields(texts, concealed).unopened:
        raise InvalidInput("a deposit opens every digest of its statement")
    blank = Deposit(
        origin=origin,
        statement=statement,
        threshold=threshold_for(len(keys)),
        shares=tuple(SealedShare(key=key_id, sealed=b"") for key_id, _ in keys),
        content=b"",
    )
    shares = sharing.split(secret, blank.threshold, len(keys))
    sealed = tuple(
        SealedShare(key=key_id, sealed=sealer.seal(key, share, blank.context(_SHARE, number)))
        for number, ((key_id, key), share) in enumerate(zip(keys, shares, strict=True), 1)
    )
    commitments = b"".join(_commit(blank, n, share) for n, share in enumerate(shares, 1))
    ciphertext = encrypt_texts(secret, texts, _associated(blank, commitments))
    return msgspec.structs.replace(blank, shares=sealed, content=commitments + ciphertext)


def check_deposit(deposit: Deposit, holders: Iterable[DepositKey]) -> None:
    """All that can be told without opening: right holders, right threshold, whole shares, padded content.

    `holders` are the deposit keys of the charter in force when it was stated. Raises ForgedDeposit, by the depositor.
    """
    asked = tuple(sorted({key.key_id for key in holders}))
    if deposit.holders != asked:
        strangers = sorted(set(deposit.holders) - set(asked))
        raise _depositor(
            f"is sealed to key {strangers[0][:16]}, which the charter does not name"
            if strangers
            else "does not name each holder of the charter once, by key id"
        )
    if deposit.threshold != threshold_for(len(asked)):
        raise _depositor(
            f"opens to {deposit.threshold} of {len(asked)} holders, the rule is {threshold_for(len(asked))}"
        )
    _check_form(deposit)


def open_share(deposit: Deposit, opener: Opener) -> OpenedShare:
    """A holder's own share. Raises NotAuthorised where none is sealed to this key, ForgedDeposit for another one."""
    _check_form(deposit)
    if opener.key.key_id not in deposit.holders:
        raise NotAuthorised(
            f"the deposit holds no share for key {opener.key.key_id[:16]}",
            remedy="open it with a key that its charter names",
        )
    number = deposit.holders.index(opener.key.key_id) + 1
    try:
        share = opener.open(deposit.shares[number - 1].sealed, deposit.context(_SHARE, number))
    except SealBroken:
        raise _depositor(
            f"share {number} does not open for this statement, number and threshold"
        ) from None
    if not _fits(deposit, number, share):
        raise _depositor(f"share {number} is not the one that the deposit commits to")
    return OpenedShare(statement=deposit.statement, number=number, share=share)


def combine_shares(
    deposit: Deposit,
    shares: Iterable[OpenedShare],
    concealed: tuple[str, ...],
    sharing: SecretSharing,
) -> tuple[str, ...]:
    """The statement's disclosures, from enough opened shares.

    `concealed` are the statement's own digests. Raises TooFewShares, and ForgedDeposit naming who lied.
    """
    _check_form(deposit)
    known = _sound_shares(deposit, shares)
    if len(known) < deposit.threshold:
        raise TooFewShares(
            f"{len(known)} of {deposit.threshold} shares are here",
            remedy="ask further holders to open theirs",
        )
    points = sorted(known.items())[: deposit.threshold]
    _check_dealt(deposit, points, sharing)
    texts = _decrypt(deposit, sharing.combine(points))
    try:
        unopened = open_fields(texts, concealed).unopened
    except (InvalidInput, VerificationError) as error:
        raise _depositor(
            f"holds another disclosure than the statement's: {error.message}"
        ) from None
    if unopened or len(set(texts)) != len(texts):
        raise _depositor(f"leaves {unopened} digests of the statement unopened")
    return texts


def _sound_shares(deposit: Deposit, shares: Iterable[OpenedShare]) -> dict[int, bytes]:
    """The shares by number, each fitting its commitment; the same one twice counts once."""
    known: dict[int, bytes] = {}
    for share in shares:
        number = share.number
        if share.statement != deposit.statement or not 1 <= number <= len(deposit.shares):
            raise ForgedDeposit(
                f"share {number} is of another statement, {share.statement[:16]}", by="its sender"
            )
        if not _fits(deposit, number, share.share):
            holder = deposit.holders[number - 1]
            raise ForgedDeposit(
                f"share {number}, of key {holder[:16]}, is not the one that was deposited",
                by=f"holder {holder}",
                remedy="leave it out, and ask another holder",
            )
        known[number] = share.share
    return known


def _check_dealt(
    deposit: Deposit, points: Sequence[tuple[int, bytes]], sharing: SecretSharing
) -> None:
    """Compute the shares that are not here, and hold each against its commitment."""
    here = {number for number, _ in points}
    for number in range(1, len(deposit.shares) + 1):
        if number in here:
            continue
        # Seen from `number`, every place lies at its XOR with it: the value at 0 is then the share itself.
        share = sharing.combine([(place ^ number, value) for place, value in points])
        if not _fits(deposit, number, share):
            raise _depositor(f"share {number} does not lie on one polynomial with the others")


def _check_form(deposit: Deposit) -> None:
    n, content = len(deposit.shares), deposit.content
    if not 0 < n <= MAX_HOLDERS or not 0 < deposit.threshold <= n:
        raise _depositor(f"asks {deposit.threshold} of {n} holders")
    if any(len(share.sealed) != _SEALED_BYTES for share in deposit.shares):
        raise _depositor(f"holds a share that has not {_SEALED_BYTES} bytes")
    if len(set(deposit.holders)) != n:
        raise _depositor("names one holder twice")
    padded = len(content) - n * _COMMITMENT_BYTES - TAG_BYTES
    if padded < STEP or padded % STEP:
        raise _depositor(f"holds content that is not padded to steps of {STEP} bytes")


def _depositor(message: str) -> ForgedDeposit:
    return ForgedDeposit(f"the deposit {message}", by="the depositor")


def _commit(deposit: Deposit, number: int, share: bytes) -> bytes:
    """A share has 128 random bits, so its hash gives nothing away."""
    return hashlib.sha256(deposit.context(_COMMITMENT, number) + share).digest()


def _fits(deposit: Deposit, number: int, share: bytes) -> bool:
    known = hmac.compare_digest(_commit(deposit, number, share), deposit.commitment(number))
    return known and len(share) == SECRET_BYTES


def _associated(deposit: Deposit, commitments: bytes) -> bytes:
    lines = (_CONTENT, deposit.origin, deposit.statement, deposit.threshold, len(deposit.shares))
    return "".join(f"{line}\n" for line in lines).encode() + commitments


def _decrypt(deposit: Deposit, secret: bytes) -> tuple[str, ...]:
    split = len(deposit.shares) * _COMMITMENT_BYTES
    commitments, ciphertext = deposit.content[:split], deposit.content[split:]
    try:
        return decrypt_texts(secret, ciphertext, _associated(deposit, commitments))
    except InvalidInput:
        raise _depositor("holds content that its own key does not open") from None
