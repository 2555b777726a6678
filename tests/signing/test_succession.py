from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.ledger import Policy
from sekisho.model.errors import SekishoError
from sekisho.model.statements import CharterWitness, QuorumPart
from sekisho.signing import Regime, current_root, root_of
from sekisho.signing.keys import Signer
from sekisho.signing.notes import NoteSigner
from tests.factory import (
    AUTHORITY,
    COSIGNERS,
    LOG,
    NOW,
    ORIGIN,
    VERIFIER,
    charter,
    charter_envelope,
    signed,
    signer,
    time_marked,
)
from tests.signing.logs import AMENDERS, RegimeLog, key_of, next_terms

POOL = tuple(signer(f"pool-{n}") for n in range(8))
NEW_LOG = NoteSigner(ORIGIN, signer("new log").private)
ROOT = root_of(charter(), charter_envelope().digest)


def rotated_log(log: RegimeLog) -> None:
    """Adopt the next version, with a new log key and a new second witness."""
    old = log.regime.in_force().terms.log
    witness = NoteSigner.cosigner("w3.example", signer("cosigner-3").private)
    changed = msgspec.structs.replace(
        old,
        vkey=NEW_LOG.verifier.to_text(),
        witnesses=(
            old.witnesses[0],
            CharterWitness(name="w3", vkey=witness.verifier.to_text(), owner="Witness Society 3"),
        ),
    )
    log.add(next_terms(log, log=changed), *AMENDERS)


def test_a_root_that_knows_the_old_key_leads_to_the_new_one() -> None:
    """Version 1 keeps the root as the verifier brought it; a later one derives log key and witnesses from itself."""
    log = RegimeLog()
    stricter = msgspec.structs.replace(
        ROOT, witnesses=ROOT.witnesses.replace("charter 2", "charter 1")
    )
    assert current_root(stricter, log.regime) == stricter
    rotated_log(log)
    derived = current_root(ROOT, log.regime)
    assert derived.charter == ROOT.charter
    assert derived.log == NEW_LOG.verifier.to_text()
    policy = Policy.from_text(derived.witnesses)
    assert [key.to_text() for key in policy.logs] == [derived.log]
    assert [w.name for w in policy.witnesses] == ["w1", "w3"]


def test_a_root_before_any_charter_is_itself() -> None:
    """Nothing changes a root but its charter's chain."""
    assert current_root(ROOT, Regime.start(ROOT.charter_digest, LOG.public)) == ROOT


def test_a_tree_is_judged_by_the_charter_that_it_holds() -> None:
    """What was witnessed before the succession stays witnessed; what holds it needs the new key and witnesses."""
    log = RegimeLog()
    log.mark()
    rotated_log(log)
    size = len(log.entries)
    log.add(time_marked(size - 1, NOW.plus(5)), LOG)
    assert log.regime.newest_mark is not None
    assert log.regime.newest_mark.at == NOW.plus(5)
    log.add(time_marked(size, NOW.plus(9)), signer("new log"))
    assert log.regime.newest_mark.at == NOW.plus(5)
    assert log.regime.former_log_key is None


def test_the_charter_at_an_entry_is_the_one_adopted_before_it() -> None:
    """An entry after the succession is judged by the new version, one before it by the old."""
    log = RegimeLog()
    first = log.regime.in_force()
    adopted = log.add(next_terms(log, max_lease_s=60), *AMENDERS)
    assert log.regime.charter_at(adopted.index) is first
    assert log.regime.charter_at(adopted.index + 1) is log.regime.in_force()
    assert log.regime.charter_at(None) is log.regime.in_force()


def test_registers_that_a_charter_adds_are_opened_empty() -> None:
    """And what stands in the others stays."""
    log = RegimeLog()
    new = msgspec.structs.replace(
        log.regime.in_force().terms.registers[0], name="hold/US", jurisdiction="US"
    )
    registers = (*log.regime.in_force().terms.registers, new)
    log.add(next_terms(log, registers=registers), *AMENDERS)
    assert log.book.heads["hold/US"].number == 0
    assert len(log.book.heads) == 6


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sets(st.integers(0, 7), min_size=1, max_size=5),
            st.sets(st.integers(0, 7)),
            st.booleans(),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_amendments_are_tried_only_both_quorums_carry_one(
    chain: list[tuple[set[int], set[int], bool]],
) -> None:
    """Random authorities, each tried by random signers: one takes office exactly where both have their quorum."""
    log = RegimeLog()
    in_office: set[Signer] = set(AUTHORITY)
    for members, trying, has_verifier in chain:
        chosen = [POOL[n] for n in sorted(members)]
        k = len(chosen) // 2 + 1
        terms = next_terms(log, **office(log, chosen, k))
        signers = [*(POOL[n] for n in sorted(trying)), *AUTHORITY[:3]]
        signers += VERIFIER[:1] if has_verifier else []
        old_k = next(part.k for part in quorums(log) if part.constituency == "authority")
        is_due = (
            len(in_office & set(signers)) >= old_k
            and len(set(chosen) & set(signers)) >= k
            and has_verifier
        )
        before = log.regime.in_force()
        try:
            log.put(signed(terms, *signers))
        except SekishoError:
            assert not is_due
            assert log.regime.in_force() is before
        else:
            assert is_due
            assert log.regime.in_force().terms.version == before.terms.version + 1
            in_office = set(chosen)


def quorums(log: RegimeLog) -> tuple[QuorumPart, ...]:
    grant = log.regime.in_force().grant_of("amend")
    assert grant is not None
    return grant.quorums


def office(log: RegimeLog, keys: Sequence[Signer], k: int) -> dict[str, object]:
    """The authority's keys and its part in every power, replaced."""
    terms = log.regime.in_force().terms
    powers = tuple(
        msgspec.structs.replace(
            grant,
            quorums=tuple(
                msgspec.structs.replace(part, k=k if part.constituency == "authority" else part.k)
                for part in grant.quorums
            ),
        )
        for grant in terms.powers
    )
    group = msgspec.structs.replace(
        terms.constituencies[0], keys=tuple(key_of(key) for key in keys)
    )
    return {"powers": powers, "constituencies": (group, *terms.constituencies[1:])}


def test_a_witnessed_tree_needs_as_many_witnesses_as_the_charter_asks() -> None:
    """A succession that asks more leaves a tree with fewer cosignatures without a time."""
    log = RegimeLog()
    with pytest.raises(SekishoError):
        log.regime.verify_tree(time_marked(1, NOW, cosigners=COSIGNERS[:1]).checkpoint or "", 5)
    assert log.regime.verify_tree(time_marked(1, NOW).checkpoint or "", 5).size == 1
