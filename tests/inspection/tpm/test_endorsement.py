"""Endorsement certificates up to a pinned root."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from sekisho.inspection.tpm import NotEndorsed, check_tier, verify_endorsement
from sekisho.model.instants import Instant, parse_instant
from sekisho.model.statements import HostEnrolled, TpmEnrolled
from sekisho.model.wire import sha256_hex
from tests.factory import NOW, host_enrolled
from tests.tpm_words import WEB_PURPOSE, Maker, WordyTpm, key_of

EK = key_of(55)
MAKER = Maker()
ROOTS = (sha256_hex(MAKER.root),)
PAST = dt.datetime(2021, 1, 1, tzinfo=dt.UTC)


def test_a_chain_to_a_pinned_root_names_the_maker() -> None:
    """Maker, model, version and root come out, and the key shown is the one certified."""
    found = verify_endorsement(MAKER.chain(EK), ROOTS, at=NOW, key=EK.public_key())

    assert (found.maker, found.model, found.version) == ("id:54455354", "Test", "id:1")
    assert found.root == ROOTS[0]


@pytest.mark.parametrize(
    ("maker", "words"),
    [
        (Maker(root_secret=2001), "which the charter does not name"),
        (Maker(issuer_is_authority=False), "certificate 2 is no authority"),
        (Maker(issuer_may_sign=False), "certificate 2 may not sign"),
        (Maker(root_path_length=0), "certificate 3 allows 0 authorities"),
        (Maker(last=PAST), "certificate 1 is good from"),
        (Maker(purpose=WEB_PURPOSE), "another purpose"),
        (Maker(agreement=False), "is not for encipherment"),
        (Maker(leaf_is_authority=True), "is an authority's"),
        (Maker(named=False), "does not name a TPM"),
        (Maker(stray=True), "critical extension 1.2.3.4.5"),
    ],
)
def test_each_fault_of_a_chain_is_named(maker: Maker, words: str) -> None:
    """Which certificate is wrong, and in what, stands in the message."""
    roots = (*ROOTS, sha256_hex(maker.root)) if maker.root_secret == 1001 else ROOTS
    with pytest.raises(NotEndorsed, match=words):
        verify_endorsement(maker.chain(EK), roots, at=NOW)


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        ((), "no chain"),
        (MAKER.chain(EK)[:1], "no chain"),
        ((MAKER.chain(EK)[0], MAKER.root), "certificate 1 is not signed by"),
        ((MAKER.endorse(EK), Maker(issuer_secret=9).issuer, MAKER.root), "not signed by"),
        (MAKER.chain(EK)[:2], "does not name"),
        ((b"\x30\x03abc", MAKER.root), "certificate 1 cannot be read"),
        ((bytes(7000), MAKER.root), "cannot be read"),
        ((MAKER.endorse(EK), *[MAKER.issuer] * 7, MAKER.root), "no chain"),
    ],
    ids="none leaf gap other rootless garbage long loop".split(),
)
def test_a_broken_chain_is_refused(chain: tuple[bytes, ...], words: str) -> None:
    """Missing, foreign, unreadable or too many certificates lead nowhere."""
    with pytest.raises(NotEndorsed, match=words):
        verify_endorsement(chain, ROOTS, at=NOW)


def test_a_certificate_of_another_key_is_refused() -> None:
    """A genuine certificate says nothing of a key that it does not hold."""
    with pytest.raises(NotEndorsed, match="another key"):
        verify_endorsement(MAKER.chain(EK), ROOTS, at=NOW, key=key_of(56).public_key())


@pytest.mark.parametrize("at", ["2019-12-31T23:59:59Z", "2040-01-01T00:00:01Z"])
def test_dates_are_held_against_the_instant_asked(at: str) -> None:
    """What is good today was not before it began, and will not be after it ended."""
    with pytest.raises(NotEndorsed, match="is good from"):
        verify_endorsement(MAKER.chain(EK), ROOTS, at=parse_instant(at))


def test_a_tier_is_what_the_certificates_prove() -> None:
    """C2 asks for a chain, C1 for a TPM at most, C0 for none."""
    plain = host_enrolled()
    proved = WordyTpm(endorsement=MAKER.chain(EK)).enrolled()
    bare = WordyTpm().enrolled()

    assert check_tier(_with(plain, "C2", proved), ROOTS) is not None
    assert check_tier(_with(plain, "C1", proved), ()) is None
    assert check_tier(_with(plain, "C1", bare), ROOTS) is None
    assert check_tier(plain, ()) is None
    for counter, tpm, roots in (
        ("C2", bare, ROOTS),
        ("C2", None, ROOTS),
        ("C2", proved, ()),
        ("C0", bare, ROOTS),
    ):
        with pytest.raises(NotEndorsed):
            check_tier(_with(plain, counter, tpm), roots)


def test_an_enrolment_is_held_against_its_own_instant() -> None:
    """A chain that has ended since still stands for the day of the enrolment."""
    tpm = WordyTpm(endorsement=Maker(last=PAST).chain(EK)).enrolled()
    fact = _with(host_enrolled(), "C2", tpm)
    early = msgspec.structs.replace(fact, effective=Instant.from_seconds(PAST.timestamp() - 60))

    assert check_tier(early, ROOTS) is not None
    with pytest.raises(NotEndorsed):
        check_tier(fact, ROOTS)


def _with(fact: HostEnrolled, counter: str, tpm: TpmEnrolled | None) -> HostEnrolled:
    return msgspec.structs.replace(fact, counter=counter, tpm=tpm)
