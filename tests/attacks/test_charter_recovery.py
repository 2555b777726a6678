"""Attacks on the recovery of a charter, one test each."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.model.errors import NotAuthorised
from sekisho.model.statements import Reference
from sekisho.signing import Charter, CharterBreak, CharterFault, RecoveryBreak, Regime
from tests.factory import (
    AUTHORITY,
    COSIGNERS,
    LOG,
    NOW,
    OPERATOR,
    ORIGIN,
    RECOVERY,
    VERIFIER,
    charter,
    charter_envelope,
    signed,
    signer,
    time_marked,
)
from tests.signing.logs import AMENDERS, DAY_S, NEW_KEY, RegimeLog, announced, next_terms

THIEF = signer("thief")


def test_charter_recovery_before_its_notice() -> None:
    """A second short of fourteen witnessed days nothing is replaced; then it is."""
    log = RegimeLog()
    entry = log.announce()
    log.pass_time(14 * DAY_S - 1)
    with pytest.raises(RecoveryBreak, match="notice of 14 days"):
        log.recover(entry)
    log.pass_time(1)
    log.recover(entry)
    assert NEW_KEY.public.key_id in log.regime.in_force().keys


def test_charter_recovery_under_a_clock_that_jumped_ahead() -> None:
    """What the log's keeper writes as the time counts for nothing: the witnesses' time does."""
    log = RegimeLog()
    entry = log.announce()
    size = len(log.entries)
    log.add(time_marked(size, NOW.plus(60), said=NOW.plus(400 * DAY_S)), LOG)
    with pytest.raises(RecoveryBreak, match="notice"):
        log.recover(entry, effective=NOW.plus(400 * DAY_S))


def test_charter_recovery_under_marks_that_too_few_witnesses_signed() -> None:
    """One witness with a fast clock is not the quorum."""
    log = RegimeLog()
    entry = log.announce()
    log.mark(NOW.plus(30 * DAY_S), cosigners=COSIGNERS[:1])
    with pytest.raises(RecoveryBreak, match="notice"):
        log.recover(entry)


def test_charter_recovery_under_marks_that_no_mark_covers_yet() -> None:
    """The notice begins when the announcement is in a witnessed tree, not when it was dated."""
    log = RegimeLog()
    old = announced(log.regime.in_force(), effective=NOW.plus(-90 * DAY_S))
    log.mark()
    entry = log.add(old, *RECOVERY[:2])
    log.add(time_marked(entry.index, NOW.plus(20 * DAY_S)), LOG)
    with pytest.raises(RecoveryBreak, match="notice"):
        log.recover(entry)


def test_charter_recovery_after_a_veto() -> None:
    """A constituency that keeps its keys says no within the notice: the recovery is dead."""
    log = RegimeLog()
    entry = log.announce()
    log.pass_time(13 * DAY_S)
    log.veto(entry)
    log.pass_time(2 * DAY_S)
    with pytest.raises(RecoveryBreak, match="vetoed by verifiers"):
        log.recover(entry)


def test_charter_recovery_stopped_by_a_late_veto() -> None:
    """A veto after the notice is a word too late: nobody can hold a recovery up for ever."""
    log = RegimeLog()
    entry = log.announce()
    log.pass_time(14 * DAY_S)
    log.veto(entry)
    log.recover(entry)
    assert log.regime.in_force().terms.version == 2


def test_charter_recovery_vetoed_by_the_very_constituency_replaced() -> None:
    """Whoever holds the lost keys does not stop their replacement."""
    log = RegimeLog()
    entry = log.announce()
    with pytest.raises(NotAuthorised, match="no veto in its own matter"):
        log.veto(entry, "authority", *AUTHORITY[:5])


def test_charter_recovery_vetoed_by_too_few() -> None:
    """A constituency speaks by its quorum: another's keys, or fewer than its own, are not its word."""
    log = RegimeLog()
    entry = log.announce(announced(log.regime.in_force(), ("verifiers", VERIFIER[1], NEW_KEY)))
    for signers in (AUTHORITY[:2], (*AUTHORITY[:2], VERIFIER[0]), (OPERATOR, *VERIFIER)):
        with pytest.raises(NotAuthorised, match="authority is not met"):
            log.veto(entry, "authority", *signers)
    log.veto(entry, "authority", *AUTHORITY[:3])


def test_charter_recovery_that_leaves_nobody_to_veto() -> None:
    """An announcement that replaces a key of every constituency would silence everyone who could object."""
    log = RegimeLog()
    everyone = (
        ("authority", AUTHORITY[0], signer("n1")),
        ("verifiers", VERIFIER[0], signer("n2")),
        ("operators", OPERATOR, signer("n3")),
    )
    with pytest.raises(RecoveryBreak, match="no constituency that could veto"):
        log.announce(announced(log.regime.in_force(), *everyone))


@pytest.mark.parametrize(
    "change",
    ["powers", "expires", "profile", "log", "recovery", "more keys", "key elsewhere"],
)
def test_charter_recovery_with_changed_powers(change: str) -> None:
    """Recovery replaces the announced keys and changes nothing else."""
    log = RegimeLog()
    entry = log.announce()
    log.pass_time(15 * DAY_S)
    terms = log.recovering(entry)
    first, *rest = terms.constituencies
    more = msgspec.structs.replace(
        first, keys=(msgspec.structs.replace(first.keys[0], holder="thief"), *first.keys[1:])
    )
    assert terms.recovery is not None
    changes: dict[str, dict[str, object]] = {
        "powers": {"powers": terms.powers[:-1]},
        "expires": {"expires": terms.expires.plus(1)},
        "profile": {"profile": "internal"},
        "log": {"log": msgspec.structs.replace(terms.log, witness_faults=0)},
        "recovery": {"recovery": msgspec.structs.replace(terms.recovery, k=1)},
        "more keys": {"constituencies": (more, *rest)},
        "key elsewhere": {"constituencies": (rest[0], first, *rest[1:])},
    }
    with pytest.raises(RecoveryBreak, match="changes nothing else"):
        log.recover(entry, **changes[change])


def test_charter_recovery_by_too_few_recovery_keys() -> None:
    """One of three recovery keys neither announces nor adopts; recovery keys alone adopt nothing."""
    log = RegimeLog()
    with pytest.raises(NotAuthorised, match="1 of 2"):
        log.announce(None, RECOVERY[0])
    with pytest.raises(NotAuthorised, match="0 of 2"):
        log.announce(None, *AUTHORITY, *VERIFIER)
    entry = log.announce()
    log.pass_time(14 * DAY_S)
    with pytest.raises(NotAuthorised, match="1 of 2"):
        log.recover(entry, RECOVERY[0], *AMENDERS)
    with pytest.raises(NotAuthorised, match="amend"):
        log.recover(entry, *RECOVERY)


def test_charter_recovery_of_an_older_charter() -> None:
    """An announcement names the charter in force; one amended away in the meantime is void."""
    log = RegimeLog()
    entry = log.announce()
    late = announced(log.regime.in_force())
    log.pass_time(14 * DAY_S)
    terms = log.recovering(entry)
    log.add(next_terms(log, max_lease_s=60), *AMENDERS)
    with pytest.raises(CharterBreak):
        log.put(signed(terms, *RECOVERY[:2], *AMENDERS))
    with pytest.raises(RecoveryBreak, match="does not follow"):
        log.announce(late)


def test_charter_recovery_replayed() -> None:
    """An announcement that was carried out, or amended away, carries nothing out again."""
    log = RegimeLog()
    entry = log.announce()
    log.pass_time(14 * DAY_S)
    log.recover(entry)
    old = entry.verified.predicate
    again = next_terms(log, recovers=log.regime.in_force().terms.recovers)
    with pytest.raises(RecoveryBreak, match="nothing that is announced"):
        log.put(signed(again, *RECOVERY[:2], *AMENDERS))
    with pytest.raises(RecoveryBreak, match="does not follow"):
        log.put(signed(old, *RECOVERY[:2]))


def test_charter_recovery_by_a_reported_recovery_key() -> None:
    """A stolen recovery key that was reported neither announces nor carries out."""
    log = RegimeLog()
    entry = log.announce()
    log.report(RECOVERY[0])
    log.pass_time(14 * DAY_S)
    with pytest.raises(NotAuthorised, match="1 of 2"):
        log.recover(entry)
    log.recover(entry, *RECOVERY[1:], *AMENDERS)


def test_charter_recovery_to_a_key_that_is_known_already() -> None:
    """The new key is nobody's: not another constituency's, not a recovery key, not one reported lost."""
    log = RegimeLog()
    log.report(THIEF)
    for known in (VERIFIER[0], RECOVERY[2], THIEF, AUTHORITY[4]):
        with pytest.raises(RecoveryBreak, match="known already"):
            log.announce(announced(log.regime.in_force(), ("authority", AUTHORITY[4], known)))
    for name, old in (("verifiers", AUTHORITY[4]), ("nobody", AUTHORITY[4]), ("authority", THIEF)):
        with pytest.raises(RecoveryBreak, match="is not in"):
            log.announce(announced(log.regime.in_force(), (name, old, NEW_KEY)))


def test_charter_recovery_keys_that_sign_elsewhere() -> None:
    """A recovery key in a constituency would speak twice; one listed twice would count twice."""
    terms = charter()
    assert terms.recovery is not None
    listed = terms.constituencies[0].keys[0]
    for keys, match in (
        ((listed, *terms.recovery.keys), "stands in authority"),
        ((terms.recovery.keys[0], *terms.recovery.keys), "twice"),
        (terms.recovery.keys[:1], "asks 2 of 1"),
    ):
        recovery = msgspec.structs.replace(terms.recovery, keys=keys)
        with pytest.raises(CharterFault, match=match):
            Charter(msgspec.structs.replace(terms, recovery=recovery), "0" * 64)


def test_charter_recovery_disguised_as_a_first_charter() -> None:
    """Version 1 recovers nothing."""
    terms = msgspec.structs.replace(charter(), recovers=Reference(log=ORIGIN, leaf="0" * 64))
    envelope = charter_envelope(terms)
    with pytest.raises(CharterBreak):
        Regime.start(envelope.digest, LOG.public).verify(envelope.raw)
