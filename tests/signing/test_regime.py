from __future__ import annotations

import msgspec
import pytest

from sekisho.model.errors import BadSignature, NotAuthorised, UnknownCriticalField
from sekisho.model.statements import (
    KINDS,
    ChallengeAnswered,
    CharterAdopted,
    EnrolledDevice,
    FindingRaised,
    HostRetired,
    RunDeclared,
)
from sekisho.signing import (
    CharterBreak,
    Envelope,
    Recorded,
    Regime,
    SharedKey,
    UnknownSpeaker,
    Verified,
    sign_payload,
)
from tests.factory import (
    AUTHORITY,
    DEVICE,
    HOST,
    LOG,
    NOW,
    OPERATOR,
    PARTY,
    VERIFIER,
    charter,
    charter_envelope,
    host_enrolled,
    order_issued,
    party_enrolled,
    receipt_given,
    regime,
    run_declared,
    signed,
    signer,
)
from tests.factory_kinds import one_of_each, regime_of_each, signers_of

EACH = one_of_each()
REGIME = regime()
EMULATED = signed(host_enrolled(emulated=True), AUTHORITY[0], OPERATOR)
NEW_AUTHORITY = tuple(signer(f"new-authority-{n}") for n in range(1, 6))
FIRST = charter_envelope()


def next_charter(**changes: object) -> CharterAdopted:
    """Version 2, following the factory's version 1."""
    return msgspec.structs.replace(charter(), version=2, previous=FIRST.digest, **changes)


def placed(verified: Verified, index: int = 3) -> Recorded:
    """A verified statement as an entry."""
    return Recorded(index=index, leaf="0" * 64, verified=verified)


def replaced_authority() -> CharterAdopted:
    """Version 2 with five new authority keys."""
    old = charter().constituencies
    keys = tuple(
        msgspec.structs.replace(old[0].keys[0], public=key.public.to_text())
        for key in NEW_AUTHORITY
    )
    return next_charter(constituencies=(msgspec.structs.replace(old[0], keys=keys), *old[1:]))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "charter-adopted"])
def test_every_kind_is_accepted_under_its_own_keys_only(kind: str) -> None:
    """The keys that the table of kinds names make the statement valid; a stranger's and too few do not."""
    known = regime_of_each()
    verified = known.verify(signed(EACH[kind], *signers_of(kind)).raw)
    assert (verified.kind, verified.predicate) == (kind, EACH[kind])
    assert verified.signers == {key.public.key_id for key in signers_of(kind)}
    for envelope in (
        signed(EACH[kind], signer("stranger")),
        signed(EACH[kind], *signers_of(kind)[:-1], signer("stranger")),
    ):
        with pytest.raises((NotAuthorised, BadSignature)):
            known.verify(envelope.raw)


def test_a_regime_begins_with_the_charter_of_its_trust_root() -> None:
    """Version 1 is trusted by its digest alone."""
    empty = Regime.start(FIRST.digest, LOG.public)
    verified = empty.verify(FIRST.raw)
    assert empty.after(placed(verified, 0)).in_force().digest == FIRST.digest
    with pytest.raises(NotAuthorised, match="no charter"):
        empty.in_force()
    with pytest.raises(NotAuthorised, match="no charter"):
        empty.verify(signed(host_enrolled(), AUTHORITY[0], OPERATOR).raw)


def test_a_first_charter_of_another_version_is_refused_even_by_its_digest() -> None:
    """A root that names version 2 would hide version 1."""
    second = signed(next_charter(), *AUTHORITY[:3], VERIFIER[0])
    with pytest.raises(CharterBreak, match="version 1"):
        Regime.start(second.digest, LOG.public).verify(second.raw)


def test_a_succession_needs_the_old_and_the_new_quorum() -> None:
    """Old keys alone, new keys alone, or new keys with the shared verifier do not replace the authority."""
    terms = replaced_authority()
    both = signed(terms, *AUTHORITY[:3], *NEW_AUTHORITY[:3], VERIFIER[0])
    verified = REGIME.verify(both.raw)
    assert REGIME.after(placed(verified)).in_force().digest == both.digest
    assert len(verified.signers) == 7
    for signers in (
        (*AUTHORITY, *VERIFIER),
        (*NEW_AUTHORITY, *VERIFIER),
        (*AUTHORITY[:2], *NEW_AUTHORITY[:3], VERIFIER[0]),
        (*AUTHORITY[:3], *NEW_AUTHORITY[:2], VERIFIER[0]),
        (*AUTHORITY[:3], *NEW_AUTHORITY[:3]),
    ):
        with pytest.raises(NotAuthorised, match="amend"):
            REGIME.verify(signed(terms, *signers).raw)


@pytest.mark.parametrize(
    ("version", "previous"),
    [(1, None), (3, FIRST.digest), (2, "0" * 64), (2, None), (1, FIRST.digest)],
    ids=["rollback", "gap", "other predecessor", "no predecessor", "same version"],
)
def test_a_charter_that_does_not_follow_is_refused(version: int, previous: str | None) -> None:
    """Rollback, gap and another predecessor are refused, whoever signs."""
    terms = msgspec.structs.replace(charter(), version=version, previous=previous)
    with pytest.raises(CharterBreak):
        REGIME.verify(signed(terms, *AUTHORITY, *VERIFIER).raw)


def test_after_a_succession_only_the_new_keys_count() -> None:
    """The old authority cannot pause under the charter that replaced it."""
    both = signed(replaced_authority(), *AUTHORITY[:3], *NEW_AUTHORITY[:3], VERIFIER[0])
    renewed = REGIME.after(placed(REGIME.verify(both.raw)))
    order = order_issued(charter_digest=both.digest)
    with pytest.raises(NotAuthorised):
        renewed.verify(signed(order, *AUTHORITY, *VERIFIER).raw)
    assert renewed.verify(signed(order, *NEW_AUTHORITY[:3], VERIFIER[0]).raw).signers
    assert renewed.hosts == REGIME.hosts


def test_hosts_and_parties_speak_with_their_own_keys_only() -> None:
    """A receipt of host-1 under another host's key, a run of party-1 under the host's: refused."""
    other = regime(signed(host_enrolled("host-2", of=signer("host-2")), AUTHORITY[0], OPERATOR))
    for envelope in (
        signed(receipt_given(), signer("host-2")),
        signed(receipt_given(), *AUTHORITY, *VERIFIER, OPERATOR, LOG),
        signed(run_declared(), HOST),
    ):
        with pytest.raises(BadSignature):
            other.verify(envelope.raw)


def test_an_unknown_host_party_or_device_is_no_speaker() -> None:
    """Who is not enrolled says nothing, whatever the key."""
    stranger = msgspec.structs.replace(receipt_given(), host="host-9")
    run = msgspec.structs.replace(run_declared(), party="party-9")
    answer = EACH["challenge-answered"]
    assert isinstance(answer, ChallengeAnswered)
    for envelope, match in (
        (signed(stranger, HOST), "host-9"),
        (signed(run, PARTY), "party-9"),
        (signed(answer, DEVICE), "host-1/device-0"),
    ):
        with pytest.raises(UnknownSpeaker, match=match):
            REGIME.verify(envelope.raw)


def test_a_retired_host_is_silent() -> None:
    """From its retirement on a host's key says nothing."""
    retired = regime(
        signed(HostRetired(effective=NOW, host="host-1", reason="sold"), AUTHORITY[0], OPERATOR)
    )
    with pytest.raises(UnknownSpeaker):
        retired.verify(signed(receipt_given(), HOST).raw)


def test_a_host_enrolled_anew_speaks_with_its_new_key() -> None:
    """An enrolment under the same name replaces the key."""
    fresh = signer("host-1 fresh")
    renewed = regime(signed(host_enrolled(of=fresh), AUTHORITY[0], OPERATOR))
    assert renewed.verify(signed(receipt_given(), fresh).raw).signers == {fresh.public.key_id}
    with pytest.raises(BadSignature):
        renewed.verify(signed(receipt_given(), HOST).raw)


def test_a_finding_takes_one_key_of_the_host_an_observer_or_an_issuer() -> None:
    """Whoever sees a fault may say so; the authority, who sees none, may not."""
    finding = EACH["finding-raised"]
    assert isinstance(finding, FindingRaised)
    for key in (HOST, VERIFIER[1], OPERATOR):
        assert REGIME.verify(signed(finding, key).raw).signers == {key.public.key_id}
    with pytest.raises(BadSignature):
        REGIME.verify(signed(finding, *AUTHORITY).raw)


@pytest.mark.parametrize("taken", ["host", "charter", "own device"])
def test_an_enrolment_whose_key_speaks_for_another_is_refused(taken: str) -> None:
    """Another host's key, a verifier's key, or the host's own key for its device."""
    keys = {"host": HOST, "charter": VERIFIER[0], "own device": signer("host-2")}
    new = host_enrolled("host-2", of=signer("host-2"))
    device = msgspec.structs.replace(new.devices[0], public=keys[taken].public.to_text())
    for enrolled in (
        msgspec.structs.replace(new, devices=(device,)),
        host_enrolled("host-2", of=keys[taken]) if taken != "own device" else None,
    ):
        if enrolled is not None:
            with pytest.raises(SharedKey):
                REGIME.verify(signed(enrolled, AUTHORITY[0], OPERATOR).raw)


def test_an_enrolment_that_squats_on_a_devices_name_is_refused() -> None:
    """An answer names its device, so no two hosts may have one of that name; nor one host two."""
    mine = host_enrolled("host-2", of=signer("host-2"))
    squat: EnrolledDevice = msgspec.structs.replace(mine.devices[0], device="host-1/device-0")
    for devices in ((squat,), mine.devices * 2):
        enrolled = msgspec.structs.replace(mine, devices=devices)
        with pytest.raises(SharedKey, match="device"):
            REGIME.verify(signed(enrolled, AUTHORITY[0], OPERATOR).raw)


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind not in ("order-issued", "order-sealed")]
)
def test_an_unknown_critical_field_disarms_what_permits(kind: str) -> None:
    """Licences, leases and all else that a reader must understand are refused."""
    strange = msgspec.structs.replace(EACH[kind], crit=("later",))
    with pytest.raises(UnknownCriticalField):
        regime_of_each().verify(signed(strange, *signers_of(kind)).raw)


def test_an_unknown_critical_field_does_not_disarm_a_sealed_pause() -> None:
    """What is sealed restricts as well: a resume never is."""
    strange = msgspec.structs.replace(EACH["order-sealed"], crit=("later",))
    told = regime_of_each().verify(signed(strange, *signers_of("order-sealed")).raw)
    assert told.kind == "order-sealed"


def test_an_unknown_critical_field_does_not_disarm_a_pause() -> None:
    """What restricts acts all the same; a resume with such a field is refused."""
    signers = signers_of("order-issued")
    pause = order_issued(crit=("later",))
    assert REGIME.verify(signed(pause, *signers).raw).predicate == pause
    resume = order_issued(kind="resume", effect="lift", crit=("later",))
    with pytest.raises(UnknownCriticalField, match="later"):
        REGIME.verify(signed(resume, *signers).raw)


def test_verification_takes_exactly_the_signed_bytes() -> None:
    """What is verified is the envelope at hand, not a copy made of it."""
    envelope: Envelope = sign_payload(FIRST.payload, [*AUTHORITY[:3], VERIFIER[0]])
    verified = Regime.start(FIRST.digest, LOG.public).verify(envelope.raw)
    assert verified.envelope.raw == envelope.raw == FIRST.raw
    assert verified.digest == FIRST.digest


def test_the_fold_keeps_hosts_and_parties_by_name() -> None:
    """After enrolment both are known, and a statement about neither changes nothing."""
    assert set(REGIME.hosts) == {"host-1"}
    assert REGIME.parties["party-1"] == party_enrolled()
    run = REGIME.verify(signed(run_declared(), PARTY).raw)
    assert isinstance(run.predicate, RunDeclared)
    assert REGIME.after(placed(run)) == REGIME
