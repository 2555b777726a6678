"""Attacks on a regime's constitution, one test each."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.model.errors import NotAuthorised
from sekisho.model.statements import CharterKey, Constituency
from sekisho.model.wire import decode_base64, encode_base64
from sekisho.signing import (
    Charter,
    CharterFault,
    ForgedRegime,
    Regime,
    SharedKey,
    TrustRoot,
    find_root,
)
from tests.factory import (
    AUTHORITY,
    HOST,
    LOG,
    NOW,
    OPERATOR,
    ORIGIN,
    VERIFIER,
    charter,
    charter_envelope,
    host_enrolled,
    order_issued,
    regime,
    signed,
    signer,
)

TERMS = charter()


def keys(*names: str) -> tuple[CharterKey, ...]:
    """Charter keys of an attacker's choice."""
    return tuple(
        CharterKey(public=signer(name).public.to_text(), organisation="Authority", holder=name)
        for name in names
    )


def test_charter_wholly_forged_regime() -> None:
    """A charter with the same names, the same log and other keys does not become the regime of the trust root."""
    forged = msgspec.structs.replace(
        TERMS,
        constituencies=(
            Constituency(name="authority", keys=keys("m1", "m2", "m3", "m4", "m5")),
            Constituency(name="verifiers", keys=keys("m6", "m7")),
            Constituency(name="operators", keys=keys("m8")),
        ),
    )
    envelope = signed(forged, *(signer(f"m{n}") for n in range(1, 9)))
    with pytest.raises(ForgedRegime, match="trust root"):
        Regime.start(charter_envelope().digest, LOG.public).verify(envelope.raw)


def test_charter_trust_root_from_the_log_under_audit() -> None:
    """A root for another origin is not found for this log, so nothing vouches for it."""
    mine = TrustRoot(charter=f"sha256:{'0' * 64}", log=f"{ORIGIN}+00000000+AAAA", witnesses="")
    assert find_root((mine,), f"{ORIGIN}.evil.example") is None
    assert find_root((mine,), "") is None


def test_charter_first_version_without_its_quorum() -> None:
    """The right digest does not help a charter that its own founders did not sign."""
    unsigned = signed(TERMS, *AUTHORITY[:2], VERIFIER[0])
    with pytest.raises(NotAuthorised):
        Regime.start(unsigned.digest, LOG.public).verify(unsigned.raw)


def test_charter_key_in_two_constituencies() -> None:
    """Whoever stands in both the authority and the verifiers would be two constituencies alone."""
    verifiers = Constituency(
        name="verifiers", keys=(TERMS.constituencies[0].keys[0], *TERMS.constituencies[1].keys)
    )
    both = msgspec.structs.replace(
        TERMS, constituencies=(TERMS.constituencies[0], verifiers, TERMS.constituencies[2])
    )
    with pytest.raises(CharterFault, match="stands in authority and in verifiers"):
        Charter(both, "0" * 64)


def test_charter_key_listed_twice_in_one_constituency() -> None:
    """One key under two holders' names would fill two of three places."""
    first = TERMS.constituencies[0].keys[0]
    twice = Constituency(
        name="authority",
        keys=(first, msgspec.structs.replace(first, holder="authority 6")),
    )
    with pytest.raises(CharterFault, match="one key twice"):
        Charter(
            msgspec.structs.replace(TERMS, constituencies=(twice, *TERMS.constituencies[1:])),
            "0" * 64,
        )


def test_charter_witness_key_under_two_names() -> None:
    """One witness key under two names, or the log's own key as its witness, is not a second witness."""
    log = TERMS.log
    material = decode_base64(log.witnesses[0].vkey.split("+", 2)[2])
    twin = msgspec.structs.replace(
        log.witnesses[1], vkey=f"w2.example+11111111+{encode_base64(material)}"
    )
    own = msgspec.structs.replace(
        log.witnesses[1], vkey=f"w2.example+11111111+{log.vkey.split('+', 2)[2]}"
    )
    own_key = decode_base64(log.vkey.split("+", 2)[2])[1:]
    retyped = msgspec.structs.replace(
        log.witnesses[1], vkey=f"w2.example+11111111+{encode_base64(bytes([4]) + own_key)}"
    )
    for second, match in ((twin, "twice"), (own, "own key"), (retyped, "own key")):
        changed = msgspec.structs.replace(log, witnesses=(log.witnesses[0], second))
        with pytest.raises(CharterFault, match=match):
            Charter(msgspec.structs.replace(TERMS, log=changed), "0" * 64)


def test_charter_authority_alone_seizes_the_verifiers() -> None:
    """All five authority keys cannot adopt a charter whose verifiers are their own."""
    verifiers = Constituency(name="verifiers", keys=keys("puppet"))
    seized = msgspec.structs.replace(
        TERMS,
        version=2,
        previous=charter_envelope().digest,
        constituencies=(TERMS.constituencies[0], verifiers, TERMS.constituencies[2]),
    )
    with pytest.raises(NotAuthorised, match="verifiers 0 of 1"):
        regime().verify(signed(seized, *AUTHORITY, signer("puppet")).raw)


def test_charter_amendment_that_lets_one_constituency_pause() -> None:
    """Even the full old quorum cannot adopt what every charter of the profile must not say."""
    powers = tuple(
        msgspec.structs.replace(grant, quorums=grant.quorums[:1])
        if grant.power == "pause"
        else grant
        for grant in TERMS.powers
    )
    weaker = msgspec.structs.replace(
        TERMS, version=2, previous=charter_envelope().digest, powers=powers
    )
    with pytest.raises(CharterFault, match="pause"):
        regime().verify(signed(weaker, *AUTHORITY, *VERIFIER).raw)


def test_charter_wrong_constituency_orders_a_pause() -> None:
    """Operators and hosts do not pause, and do not stand in for a missing authority key."""
    order = order_issued()
    for signers in (
        (OPERATOR, HOST, LOG),
        (*AUTHORITY[:2], OPERATOR, VERIFIER[0]),
        (*AUTHORITY, OPERATOR),
        VERIFIER,
    ):
        with pytest.raises(NotAuthorised, match="pause"):
            regime().verify(signed(order, *signers).raw)


def test_charter_operator_enrols_a_device_under_its_own_key() -> None:
    """A device that answers under the host's own key would make the operator's word 'verified'."""
    enrolled = host_enrolled(emulated=True, now=NOW)
    device = msgspec.structs.replace(enrolled.devices[0], public=HOST.public.to_text())
    with pytest.raises(SharedKey):
        regime().verify(
            signed(msgspec.structs.replace(enrolled, devices=(device,)), AUTHORITY[0], OPERATOR).raw
        )
