"""The next charter, drafted from the one in force: what changes, what stays, what is refused."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.model.errors import InvalidInput, StateConflict, UnknownCriticalField
from sekisho.model.statements import CharterKey, CharterWitness, PowerGrant, QuorumPart
from sekisho.operations.amending import (
    AmendmentPlan,
    KeyChange,
    draft_amendment,
    find_key,
    key_id_of,
    parse_quorums,
    replace_keys,
    verify_draft,
)
from sekisho.signing import Charter, CharterFault
from sekisho.signing.notes import NoteSigner
from tests import factory
from tests.factory import NOW

TERMS = msgspec.structs.replace(
    factory.charter(
        log_vkey=NoteSigner(factory.ORIGIN, factory.LOG.private).verifier.to_text(),
        witnesses=[
            CharterWitness(
                name=f"w{n}.example",
                vkey=NoteSigner.cosigner(
                    f"w{n}.example", factory.signer(f"w{n}").private
                ).verifier.to_text(),
                owner=f"Owner {n}",
            )
            for n in (1, 2)
        ],
    )
)
CHARTER = Charter(TERMS, factory.signed(TERMS, factory.OPERATOR).digest)
FRESH = CharterKey(
    public=factory.signer("fresh").public.to_text(), organisation="Authority", holder="fresh"
)
FIRST = key_id_of(TERMS.constituencies[0].keys[0])


def test_version_and_predecessor_follow_from_what_is_in_force() -> None:
    """Whatever a whole edited charter says of itself, it is the next one, dated now, and recovers nothing."""
    edited = msgspec.structs.replace(TERMS, version=40, max_grace_s=60)
    terms = draft_amendment(CHARTER, AmendmentPlan(terms=edited), now=NOW.plus(9))
    assert (terms.version, terms.previous, terms.effective) == (2, CHARTER.digest, NOW.plus(9))
    assert (terms.max_grace_s, terms.recovers) == (60, None)


def test_a_replaced_key_keeps_its_place() -> None:
    """Order and size of the constituency stay; every other key is the same."""
    change = KeyChange(old=FIRST, new=FRESH)
    before, after = TERMS.constituencies, replace_keys(TERMS, [change])
    assert after[0].keys == (FRESH, *before[0].keys[1:])
    assert after[1:] == before[1:]
    with pytest.raises(InvalidInput, match="in no constituency"):
        replace_keys(TERMS, [KeyChange(old="0" * 64, new=FRESH)])


def test_keys_come_and_go() -> None:
    """A constituency that loses its last key is gone; a new name is a new constituency."""
    operator = key_id_of(TERMS.constituencies[2].keys[0])
    plan = AmendmentPlan(removed=(FIRST,), added=(("auditors", FRESH),))
    terms = draft_amendment(CHARTER, plan, now=NOW)
    assert [(c.name, len(c.keys)) for c in terms.constituencies] == [
        ("authority", 4),
        ("verifiers", 2),
        ("operators", 1),
        ("auditors", 1),
    ]
    with pytest.raises(CharterFault, match="operators"):
        draft_amendment(CHARTER, AmendmentPlan(removed=(operator,)), now=NOW)
    with pytest.raises(InvalidInput, match="--remove-key"):
        draft_amendment(CHARTER, AmendmentPlan(removed=("0" * 64,)), now=NOW)


def test_a_quorum_changes_and_its_limit_stays() -> None:
    """Hold keeps its longest duration; a power that nobody had is granted."""
    hold = parse_quorums("hold=authority:3", path="--quorum")
    terms = draft_amendment(CHARTER, AmendmentPlan(quorums=(hold,)), now=NOW)
    found = next(grant for grant in terms.powers if grant.power == "hold")
    assert found == PowerGrant(
        power="hold",
        quorums=(QuorumPart(constituency="authority", k=3),),
        max_duration_s=86_400,
    )


@pytest.mark.parametrize("text", ["hold", "hold=", "hold=authority", "hold=:1", "nap=authority:1"])
def test_what_is_no_quorum_is_refused(text: str) -> None:
    """With the flag named."""
    with pytest.raises(InvalidInput, match="--quorum"):
        parse_quorums(text, path="--quorum")


def test_a_witness_of_a_known_name_gets_its_new_key() -> None:
    """The quorum is told anew only where the number of witnesses changes."""
    again = NoteSigner.cosigner("w1.example", factory.signer("w1-new").private).verifier.to_text()
    rotated = CharterWitness(name="w1.example", vkey=again, owner="Owner 1")
    terms = draft_amendment(CHARTER, AmendmentPlan(witnesses=(rotated,)), now=NOW)
    assert terms.log.witnesses == (rotated, TERMS.log.witnesses[1])
    assert terms.log.witness_quorum == TERMS.log.witness_quorum
    fifth = [
        CharterWitness(
            name=f"w{n}.example",
            vkey=NoteSigner.cosigner(
                f"w{n}.example", factory.signer(f"w{n}").private
            ).verifier.to_text(),
            owner=f"Owner {n}",
        )
        for n in (3, 4, 5)
    ]
    terms = draft_amendment(CHARTER, AmendmentPlan(witnesses=tuple(fifth)), now=NOW)
    assert (terms.log.witness_quorum, terms.log.witness_faults) == (4, 2)


def test_what_nobody_should_be_asked_to_sign_is_refused() -> None:
    """No change, an expiry that is past, an expired charter, fields that this program would leave out."""
    with pytest.raises(InvalidInput, match="change nothing"):
        draft_amendment(CHARTER, AmendmentPlan(), now=NOW)
    with pytest.raises(InvalidInput, match="--expires"):
        draft_amendment(CHARTER, AmendmentPlan(expires=NOW), now=NOW)
    with pytest.raises(StateConflict, match="expired"):
        draft_amendment(CHARTER, AmendmentPlan(removed=(FIRST,)), now=TERMS.expires)
    newer = Charter(TERMS, "0" * 64)
    with pytest.raises(UnknownCriticalField, match="leave them out"):
        draft_amendment(newer, AmendmentPlan(removed=(FIRST,)), now=NOW)


def test_a_draft_whose_witnesses_are_the_logs_own_is_refused() -> None:
    """Version 1 is read all the same; nobody is asked to sign such a one."""
    owned = tuple(msgspec.structs.replace(w, owner=TERMS.log.owner) for w in TERMS.log.witnesses)
    log = msgspec.structs.replace(TERMS.log, witnesses=owned)
    with pytest.raises(CharterFault, match="witnesses"):
        verify_draft(msgspec.structs.replace(TERMS, log=log))
    verify_draft(TERMS)


def test_a_key_is_found_by_eight_digits_of_one_key_only() -> None:
    """A beginning that is too short, fits none or is no hexadecimal names nothing."""
    assert find_key(CHARTER, FIRST[:8], path="--key") == FIRST
    assert find_key(CHARTER, FIRST, path="--key") == FIRST
    for text in (FIRST[:7], "0" * 8, "", "xyz" * 4):
        with pytest.raises(InvalidInput, match="--key"):
            find_key(CHARTER, text, path="--key")
