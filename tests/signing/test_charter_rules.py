from __future__ import annotations

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sekisho.model.errors import InvalidInput, NotAuthorised
from sekisho.model.statements import (
    CharterAdopted,
    Power,
    PowerGrant,
    Profile,
    QuorumPart,
)
from sekisho.model.wire import encode_base64
from sekisho.signing import (
    Charter,
    CharterFault,
    check_ownership,
    draft_charter,
    same_organisation,
)
from sekisho.signing.charter_rules import TWO_SIDED
from sekisho.signing.profiles import constituencies_of
from tests.factory import AUTHORITY, NOW, OPERATOR, RECOVERY, VERIFIER, charter, signer
from tests.signing.logs import key_of

TERMS = charter()
CHARTER = Charter(TERMS, "0" * 64)
PROFILES: tuple[Profile, ...] = ("internal", "provider", "authority", "international")


def drafted(profile: Profile) -> CharterAdopted:
    """The profile's draft with as many keys as it needs and one to spare."""
    return draft_charter(
        profile=profile,
        name="x",
        jurisdiction="JP",
        constituencies={
            name: [key_of(signer(f"{name} {n}"), name) for n in range(k + 1)]
            for name, k in constituencies_of(profile).items()
        },
        log=TERMS.log,
        now=NOW,
    )


def deposit(seed: int) -> str:
    """An X25519 key as a charter carries it."""
    public = X25519PrivateKey.from_private_bytes(bytes([seed]) * 32).public_key()
    return encode_base64(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def with_deposits(*texts: str | None) -> CharterAdopted:
    first, *rest = TERMS.constituencies
    keys = tuple(
        msgspec.structs.replace(key, deposit=text)
        for key, text in zip(first.keys, [*texts, *[None] * 5], strict=False)
    )
    return msgspec.structs.replace(
        TERMS, constituencies=(msgspec.structs.replace(first, keys=keys), *rest)
    )


@pytest.mark.parametrize("profile", PROFILES)
def test_the_draft_of_every_profile_is_sound(profile: Profile) -> None:
    """It keeps the rules of a charter and gives every power of the protocol to somebody."""
    terms = drafted(profile)
    made = Charter(terms, "0" * 64)
    assert {grant.power for grant in terms.powers} == set(Power.__args__)  # type: ignore[attr-defined]  # a Literal
    assert all(made.keys_of(grant.power) for grant in terms.powers)
    assert terms.profile == profile


@pytest.mark.parametrize("profile", PROFILES)
def test_in_every_draft_who_works_does_not_judge_and_an_emergency_takes_fewer(
    profile: Profile,
) -> None:
    """Operators neither order nor judge; an emergency pack asks less than any pack; a report asks two sides."""
    made = Charter(drafted(profile), "0" * 64)

    def asked(power: Power) -> list[QuorumPart]:
        grant = made.grant_of(power)
        assert grant is not None
        return list(grant.quorums)

    for power in ("hold", "pause", "cap", "suspend-access", "resume", "judge", "observe"):
        assert "operators" not in {part.constituency for part in asked(power)}
    assert sum(p.k for p in asked("publish-emergency")) <= sum(p.k for p in asked("publish-rules"))
    assert len(asked("report-compromise")) == 2
    assert sum(p.k for p in asked("hold")) < sum(p.k for p in asked("pause"))


@pytest.mark.parametrize("profile", ["authority", "international"])
def test_the_strict_profiles_ask_two_sides(profile: Profile) -> None:
    """For pause, resume, amend and agents, and for what could end or begin a halt by a detour."""
    made = Charter(drafted(profile), "0" * 64)
    for power in (*TWO_SIDED, "report-compromise", "declare-outage"):
        grant = made.grant_of(power)
        assert grant is not None
        assert len(grant.quorums) >= 2


@pytest.mark.parametrize("power", ["report-compromise", "declare-outage"])
def test_a_strict_charter_gives_no_detour_to_one_constituency(power: Power) -> None:
    """Where it grants these at all, it asks two for them; it may leave them out."""
    rest = tuple(grant for grant in TERMS.powers if grant.power != power)
    one = PowerGrant(power=power, quorums=(QuorumPart(constituency="authority", k=5),))
    with pytest.raises(CharterFault, match=power):
        Charter(msgspec.structs.replace(TERMS, powers=(*rest, one)), "0" * 64)
    Charter(msgspec.structs.replace(TERMS, powers=rest), "0" * 64)


def test_a_draft_without_keys_for_a_constituency_is_refused() -> None:
    """The error names whose keys are missing."""
    with pytest.raises(InvalidInput, match="auditors") as refused:
        draft_charter(
            profile="provider",
            name="x",
            jurisdiction="JP",
            constituencies={"provider": [key_of(OPERATOR)], "operators": [key_of(VERIFIER[0])]},
            log=TERMS.log,
            now=NOW,
        )
    assert "provider, auditors, operators" in refused.value.remedy


def test_a_constituency_speaks_alone_by_its_part_in_amend_or_by_its_majority() -> None:
    """That is the quorum of a veto."""
    assert CHARTER.veto_quorum("authority") == 3
    assert CHARTER.veto_quorum("verifiers") == 1
    assert CHARTER.veto_quorum("operators") == 1
    CHARTER.verify_veto("verifiers", frozenset({VERIFIER[0].public.key_id}))
    for name in ("authority", "nobody"):
        with pytest.raises(NotAuthorised):
            CHARTER.verify_veto(name, frozenset({VERIFIER[0].public.key_id}))


def test_recovery_keys_count_towards_recovery_alone() -> None:
    """They are in no constituency, have no power, and are the charter's all the same."""
    ids = frozenset(key.public.key_id for key in RECOVERY)
    assert ids == set(CHARTER.recovery)
    assert not ids & set(CHARTER.keys)
    assert all(not CHARTER.standing(grant.power, ids).is_met for grant in TERMS.powers)
    CHARTER.verify_recovery(ids)
    assert CHARTER.holder_of(min(ids)) is not None
    with pytest.raises(NotAuthorised, match="names no recovery keys"):
        Charter(msgspec.structs.replace(TERMS, recovery=None), "0" * 64).verify_recovery(ids)


def test_a_deposit_key_is_an_x25519_key_of_one_holder() -> None:
    """A signing key, broken text, and one key for two holders are refused."""
    Charter(with_deposits(deposit(1), None, deposit(2)), "0" * 64)
    for texts in ((AUTHORITY[0].public.to_text(),), (deposit(1)[:-8],)):
        with pytest.raises(InvalidInput):
            Charter(with_deposits(*texts), "0" * 64)
    with pytest.raises(CharterFault, match="listed twice"):
        Charter(with_deposits(deposit(1), deposit(1)), "0" * 64)


def test_an_organisation_is_the_same_however_it_is_written() -> None:
    """Case, spaces and width do not make a second organisation of one."""
    for other in ("ACME Inc.", "  acme   inc. ", "ＡＣＭＥ Inc."):
        assert same_organisation("Acme Inc.", other)
    assert not same_organisation("Acme Inc.", "Acme Ltd.")


def test_who_holds_a_key_in_a_pause_quorum_cannot_be_licensed() -> None:
    """Under any spelling; the operator, who neither pauses nor resumes, can."""
    for name in ("Authority", "VERIFIER", " authority "):
        assert CHARTER.is_pausing(name)
    for name in ("Operator", "Developer", "Vault"):
        assert not CHARTER.is_pausing(name)


def test_ownership_of_witnesses_is_asked_of_the_strict_profiles_only() -> None:
    """One company may witness itself, and is told what that is worth by its auditor."""
    log = TERMS.log
    own = tuple(msgspec.structs.replace(w, owner=log.owner) for w in log.witnesses)
    alone = msgspec.structs.replace(TERMS, log=msgspec.structs.replace(log, witnesses=own))
    assert check_ownership(TERMS) == []
    assert "0 organisations" in check_ownership(alone)[0]
    assert check_ownership(msgspec.structs.replace(alone, profile="internal")) == []
    assert check_ownership(msgspec.structs.replace(alone, profile="provider")) == []
