"""Attacks on the chain of charter versions, one test each."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.model.errors import BadSignature, InvalidInput, NotAuthorised
from sekisho.model.statements import (
    CharterAdopted,
    CharterWitness,
    SignatureWithdrawn,
    make_payload,
)
from sekisho.model.wire import sha256_hex
from sekisho.signing import Charter, CharterBreak, CharterFault, check_ownership
from sekisho.signing.notes import NoteSigner
from tests.factory import (
    AUTHORITY,
    COSIGNERS,
    LOG,
    NOW,
    ORIGIN,
    VERIFIER,
    charter,
    signed,
    signer,
    time_marked,
)
from tests.signing.logs import AMENDERS, RegimeLog, key_of, next_terms

NEW = tuple(signer(f"new-authority-{n}") for n in range(1, 6))
NEW_LOG = NoteSigner(ORIGIN, signer("new log").private)


def with_new_authority(log: RegimeLog) -> CharterAdopted:
    """The next version with five other authority keys."""
    old = log.regime.in_force().terms.constituencies
    group = msgspec.structs.replace(old[0], keys=tuple(key_of(key) for key in NEW))
    return next_terms(log, constituencies=(group, *old[1:]))


def test_charter_succession_signed_by_only_the_old_quorum() -> None:
    """The old keys alone cannot put others into office."""
    log = RegimeLog()
    with pytest.raises(NotAuthorised, match="amend"):
        log.add(with_new_authority(log), *AUTHORITY, *VERIFIER)


def test_charter_succession_signed_by_only_the_new_quorum() -> None:
    """Nobody puts themselves into office."""
    log = RegimeLog()
    with pytest.raises(NotAuthorised, match="amend"):
        log.add(with_new_authority(log), *NEW, *VERIFIER)


@pytest.mark.parametrize("fault", ["rollback", "gap", "fork", "replay"])
def test_charter_chain_broken(fault: str) -> None:
    """An older version, a version too far, another version 2, and version 2 once more."""
    log = RegimeLog()
    other = next_terms(log, max_lease_s=7)
    second = log.add(next_terms(log, max_lease_s=60), *AMENDERS)
    bent = {
        "rollback": msgspec.structs.replace(charter(), max_lease_s=5),
        "gap": msgspec.structs.replace(next_terms(log), version=4),
        "fork": other,
        "replay": second.verified.predicate,
    }
    with pytest.raises(CharterBreak):
        log.put(signed(bent[fault], *AUTHORITY, *VERIFIER))


def test_charter_amended_with_a_reported_key() -> None:
    """A stolen authority key makes no third of an amendment, under the old charter or the new one."""
    log = RegimeLog()
    log.report(AUTHORITY[0])
    with pytest.raises(NotAuthorised, match="authority 2 of 3"):
        log.add(next_terms(log, max_lease_s=60), *AMENDERS)
    log.add(next_terms(log, max_lease_s=60), *AUTHORITY[1:4], VERIFIER[0])


def test_charter_amended_with_a_withdrawn_signature() -> None:
    """Who took its signature back is not counted; who gives it again later is not either."""
    log = RegimeLog()
    terms = next_terms(log, max_lease_s=60)
    payload = sha256_hex(make_payload(terms))
    withdrawn = SignatureWithdrawn(
        effective=NOW, payload=payload, key=AUTHORITY[0].public.key_id, reason="misread"
    )
    log.add(withdrawn, AUTHORITY[0])
    with pytest.raises(NotAuthorised, match="authority 2 of 3"):
        log.add(terms, *AMENDERS)
    log.add(terms, *AUTHORITY[1:4], VERIFIER[0])


def test_charter_that_moves_the_regime_to_another_log() -> None:
    """References are made of the log's origin: a charter cannot take it elsewhere."""
    log = RegimeLog()
    other = NoteSigner("log.example/other", signer("new log").private)
    moved = msgspec.structs.replace(
        log.regime.in_force().terms.log, origin="log.example/other", vkey=other.verifier.to_text()
    )
    with pytest.raises(CharterBreak, match="cannot become"):
        log.add(next_terms(log, log=moved), *AMENDERS)


def test_charter_that_gives_the_log_a_key_of_another_name() -> None:
    """The log's key bears the log's name, and signs statements: Ed25519, whole."""
    log = RegimeLog()
    terms = log.regime.in_force().terms.log
    for vkey, error in (
        (NoteSigner("log.example/other", signer("x").private).verifier.to_text(), CharterFault),
        (NoteSigner.cosigner(ORIGIN, signer("x").private).verifier.to_text(), InvalidInput),
        (f"{ORIGIN}+00000000+AAAA", InvalidInput),
    ):
        changed = msgspec.structs.replace(terms, vkey=vkey)
        with pytest.raises(error):
            log.add(next_terms(log, log=changed), *AMENDERS)


def test_charter_old_log_key_after_its_rotation() -> None:
    """Once the new key has marked the time, the old one marks no more; before that both may, and no other."""
    log = RegimeLog()
    terms = msgspec.structs.replace(
        log.regime.in_force().terms.log, vkey=NEW_LOG.verifier.to_text()
    )
    log.add(next_terms(log, log=terms), *AMENDERS)
    blank = time_marked(len(log.entries), NOW)
    with pytest.raises(BadSignature):
        log.add(blank, signer("x"))
    log.add(blank, LOG)
    log.add(blank, signer("new log"))
    with pytest.raises(BadSignature):
        log.add(blank, LOG)


def test_charter_witness_set_swapped_to_the_logs_own_organisation() -> None:
    """No amendment lets the log's owner, alone or with one friend, be its own witness quorum."""
    log = RegimeLog()
    old = log.regime.in_force().terms.log
    for owners in (("Operator", "Operator"), ("  operator ", "Witness Society 2"), ("W", "W")):
        witnesses = tuple(
            CharterWitness(name=f"w{n}", vkey=w.verifier.to_text(), owner=owner)
            for n, (w, owner) in enumerate(zip(COSIGNERS, owners, strict=True), 1)
        )
        swapped = msgspec.structs.replace(old, witnesses=witnesses)
        terms = next_terms(log, log=swapped)
        assert check_ownership(terms)
        with pytest.raises(CharterFault, match="witness"):
            log.add(terms, *AMENDERS)


def test_charter_witnesses_outnumbered_by_the_logs_own() -> None:
    """Two others among the witnesses say nothing where a quorum can be made without one of them."""
    log = RegimeLog()
    old = log.regime.in_force().terms.log
    owners = ("A", "B", "Operator", "Operator", "Operator")
    witnesses = tuple(
        CharterWitness(
            name=f"w{n}",
            vkey=NoteSigner.cosigner(f"w{n}.example", signer(f"w-{n}").private).verifier.to_text(),
            owner=owner,
        )
        for n, owner in enumerate(owners, 1)
    )
    packed = msgspec.structs.replace(old, witnesses=witnesses, witness_quorum=4, witness_faults=1)
    with pytest.raises(CharterFault, match="4 witnesses"):
        log.add(next_terms(log, log=packed), *AMENDERS)
    fair = msgspec.structs.replace(packed, witness_quorum=5)
    log.add(next_terms(log, log=fair), *AMENDERS)


def test_charter_one_key_in_other_encodings() -> None:
    """The same key under another name, with a deposit key, or spelled with another base64 is still one key."""
    text = charter().constituencies[0].keys[0].public
    with pytest.raises(CharterFault, match="one key twice"):
        Charter(with_a_sixth_key(text), "0" * 64)
    for spelled in (text.rstrip("="), text[:-2] + "9=", text[:-1] + "=="):
        with pytest.raises(InvalidInput):
            Charter(with_a_sixth_key(spelled), "0" * 64)


def with_a_sixth_key(text: str) -> CharterAdopted:
    """The charter whose authority lists one more key, held by somebody else."""
    terms = charter()
    first, *rest = terms.constituencies
    listed = msgspec.structs.replace(first.keys[0], holder="somebody else", public=text)
    group = msgspec.structs.replace(first, keys=(*first.keys, listed))
    return msgspec.structs.replace(terms, constituencies=(group, *rest))
