"""Attacks with and by compromised keys, one test each. The reasoning is that of docs/adr/0015-compromise.md."""

from __future__ import annotations

import pytest

from sekisho.model.errors import NotAuthorised
from sekisho.model.statements import (
    KeyCompromised,
    OrderConfirmed,
    OrderReference,
    OrderSealed,
    Scope,
)
from sekisho.orders.sealed import make_sealed
from sekisho.signing import LogKeyReported, Recorded
from tests.factory import AUTHORITY, LOG, NOW, VERIFIER, order_issued
from tests.sealed import SALTS
from tests.signing.logs import (
    AMENDERS,
    DAY_S,
    REPORTERS,
    RegimeLog,
    confirm,
    effect_at,
    issue,
    next_terms,
    reference_of,
)

GRACE_S = 3 * DAY_S


def lapsing(log: RegimeLog, **fields: object) -> Recorded:
    """A cap, which lapses at its expiry, instead of a pause, which holds until a resume."""
    return issue(log, kind="cap", effect="cap", cap_percent=50, on_expiry="lapse", **fields)


def test_charter_order_signed_by_a_compromised_key_after_its_report() -> None:
    """From the report's entry on the key counts for nothing, whatever the order is dated."""
    log = RegimeLog()
    log.report(AUTHORITY[0])
    with pytest.raises(NotAuthorised, match="authority 2 of 3"):
        issue(log, now=NOW.plus(-DAY_S))
    issue(log, *AUTHORITY[1:4], VERIFIER[0])


def test_charter_order_signed_by_a_compromised_key_before_its_loss() -> None:
    """What was recorded before the key was lost stands as it stood."""
    log = RegimeLog()
    issue(log, effect="checkpoint-then-stop")
    later = log.pass_time(DAY_S)
    log.report(AUTHORITY[0], since=later)
    log.pass_time(10 * DAY_S)
    assert log.regime.doubts == ()
    assert effect_at(log, log.now) == "checkpoint-then-stop"


def test_charter_order_signed_by_a_compromised_key_after_its_loss() -> None:
    """It stays in force for 72 hours and ends nobody's work; then it is as if expired."""
    log = RegimeLog()
    entry = lapsing(log)
    start = log.pass_time(60)
    log.report(AUTHORITY[0], since=NOW)
    (doubt,) = log.regime.doubts
    assert (doubt.digest, doubt.key) == (entry.verified.digest, AUTHORITY[0].public.key_id)
    assert doubt.lapses == start.plus(GRACE_S)
    assert effect_at(log, start.plus(GRACE_S - 1)) == "cap"
    assert effect_at(log, start.plus(GRACE_S)) is None


def sealing(log: RegimeLog) -> Recorded:
    """The same cap, sealed."""
    charter = log.regime.in_force()
    order = order_issued(
        kind="cap", effect="cap", cap_percent=50, charter_digest=charter.digest, now=log.now
    )
    opens = min(order.expires, log.now.plus(90 * DAY_S))
    sealed, _ = make_sealed(order, ("host-1",), SALTS, opens=opens)
    log.mark()
    entry = log.add(sealed, *AUTHORITY[:3], VERIFIER[0])
    log.mark()
    return entry


def test_charter_sealed_order_signed_by_a_compromised_key_lapses_like_an_open_one() -> None:
    """A thief who seals what the stolen key signs gains no day by it, and a full quorum confirms it as any other."""
    for is_confirmed in (False, True):
        log = RegimeLog()
        entry = sealing(log)
        start = log.pass_time(60)
        log.report(AUTHORITY[0], since=NOW)
        (doubt,) = log.regime.doubts
        assert (doubt.digest, doubt.lapses) == (entry.verified.digest, start.plus(GRACE_S))
        assert log.book.doubted == {entry.verified.digest: start.plus(GRACE_S)}
        if is_confirmed:
            sealed = entry.verified.predicate
            assert isinstance(sealed, OrderSealed)
            order = OrderReference(
                register=sealed.register, number=sealed.number, digest=entry.verified.digest
            )
            fact = OrderConfirmed(effective=log.now, order=order, kind="cap")
            log.add(fact, *AUTHORITY[1:4], VERIFIER[0])
            assert log.book.doubted == {}


def test_charter_compromise_that_would_kill_by_a_stolen_pause() -> None:
    """A pause in doubt freezes where it said to stop: what was ended could not be given back."""
    log = RegimeLog()
    issue(log, effect="checkpoint-then-stop")
    assert effect_at(log, log.now) == "checkpoint-then-stop"
    log.report(AUTHORITY[0], since=NOW)
    assert effect_at(log, log.now) == "freeze"


def test_charter_compromise_as_a_false_resume() -> None:
    """A false report releases nobody from a pause: past its grace it holds until a resume, as its expiry says."""
    log = RegimeLog()
    issue(log)
    log.report(AUTHORITY[0], since=NOW.plus(-DAY_S))
    log.pass_time(400 * DAY_S)
    assert effect_at(log, log.now) == "freeze"
    issue(
        log,
        *AUTHORITY[1:4],
        VERIFIER[0],
        kind="resume",
        effect="lift",
        lifts=(reference_of_last_pause(log),),
    )
    assert effect_at(log, log.now) is None


def reference_of_last_pause(log: RegimeLog) -> OrderReference:
    head = log.book.heads["pause/JP"]
    return OrderReference(register=head.register, number=head.number, digest=head.digest)


def test_charter_compromise_dated_back_to_end_a_grace() -> None:
    """The grace runs from the witnessed report: a report that calls itself old does not end an order sooner."""
    log = RegimeLog()
    lapsing(log)
    log.pass_time(DAY_S)
    old = KeyCompromised(
        effective=NOW.plus(-300 * DAY_S),
        key=AUTHORITY[0].public.key_id,
        since=NOW.plus(-300 * DAY_S),
        reason="x",
    )
    log.add(old, *REPORTERS)
    assert effect_at(log, log.now) == "cap"
    assert log.regime.doubts[0].lapses is None
    told = log.pass_time(5)
    assert log.regime.doubts[0].lapses == told.plus(GRACE_S)


def test_charter_compromise_backdated_before_the_charter() -> None:
    """A key said to be lost before its charter undoes no charter: what it amended is listed as doubtful."""
    log = RegimeLog()
    amended = log.add(next_terms(log, max_lease_s=60), *AMENDERS)
    log.mark()
    log.report(AUTHORITY[0], since=NOW.plus(-999 * DAY_S))
    assert log.regime.in_force().digest == amended.verified.digest
    assert [d.kind for d in log.regime.doubts] == ["charter-adopted"]
    assert log.regime.doubts[0].lapses is None


def test_charter_resume_signed_by_a_stolen_key() -> None:
    """A forged resume lifts for its grace and no longer: then the pause stands again, and freezes."""
    log = RegimeLog()
    pause = issue(log, effect="checkpoint-then-stop")
    log.pass_time(3_600)
    issue(
        log,
        *AUTHORITY[2:5],
        VERIFIER[0],
        kind="resume",
        effect="lift",
        lifts=(reference_of(pause),),
    )
    assert effect_at(log, log.now) is None
    start = log.pass_time(60)
    log.report(AUTHORITY[4], since=NOW.plus(1_800))
    assert effect_at(log, start.plus(GRACE_S - 1)) is None
    assert effect_at(log, start.plus(GRACE_S)) == "freeze"


def test_charter_resume_confirmed_by_a_full_quorum() -> None:
    """Who signs a doubted order again keeps it: a false report is answered by those who are left."""
    log = RegimeLog()
    pause = issue(log)
    log.pass_time(3_600)
    resume = issue(log, kind="resume", effect="lift", lifts=(reference_of(pause),))
    log.report(AUTHORITY[0], since=NOW.plus(1_800))
    confirm(log, resume, *AUTHORITY[1:4], VERIFIER[0], kind="resume")
    assert log.regime.doubts == ()
    log.pass_time(30 * DAY_S)
    assert effect_at(log, log.now) is None


def test_charter_confirmation_by_a_cheaper_power() -> None:
    """A pause is not confirmed by the quorum of a hold, and no quorum is met by the lost key."""
    log = RegimeLog()
    entry = lapsing(log)
    log.report(AUTHORITY[0], since=NOW)
    with pytest.raises(NotAuthorised):
        confirm(log, entry, *AUTHORITY[:3], VERIFIER[0], kind="cap")
    confirm(log, entry, *AUTHORITY[1:3], kind="hold")
    assert [doubt.digest for doubt in log.regime.doubts] == [entry.verified.digest]
    confirm(log, entry, *AUTHORITY[1:4], VERIFIER[0], kind="cap")
    assert log.regime.doubts == ()


def test_charter_confirmation_that_loses_a_key_as_well() -> None:
    """A confirmation stands as long as its own quorum does."""
    log = RegimeLog()
    entry = lapsing(log)
    log.report(AUTHORITY[0], since=NOW)
    confirm(log, entry, *AUTHORITY[1:4], VERIFIER[0], kind="cap")
    log.pass_time(10)
    log.report(AUTHORITY[1], since=NOW)
    assert [doubt.key for doubt in log.regime.doubts] == [AUTHORITY[1].public.key_id]


def test_charter_compromise_by_one_constituency_alone() -> None:
    """Since a report can end orders, no constituency reports alone what two must decide."""
    log = RegimeLog()
    fact = KeyCompromised(effective=NOW, key=VERIFIER[0].public.key_id, since=NOW, reason="x")
    for signers in (AUTHORITY, VERIFIER):
        with pytest.raises(NotAuthorised, match="report-compromise"):
            log.add(fact, *signers)


def test_charter_compromise_that_leaves_no_quorum_to_amend() -> None:
    """It is accepted all the same; recovery is the way out, and it is still open."""
    log = RegimeLog()
    for key in AUTHORITY[:3]:
        log.report(key)
    with pytest.raises(NotAuthorised):
        log.add(next_terms(log), *AUTHORITY, *VERIFIER)
    entry = log.announce()
    log.pass_time(14 * DAY_S)
    assert log.regime.announcements[entry.leaf].vetoed is None


def test_charter_compromise_of_the_logs_own_key() -> None:
    """It would silence the log for ever, the remedy with it: another log key is put into the charter instead."""
    log = RegimeLog()
    with pytest.raises(LogKeyReported):
        log.report(LOG)


def test_charter_hold_and_pause_by_the_keys_that_are_left() -> None:
    """A report of one key does not disarm the others."""
    log = RegimeLog()
    log.report(AUTHORITY[0])
    issue(log, *AUTHORITY[1:3], kind="hold", effect="freeze", expires=log.now.plus(3_600))
    assert effect_at(log, log.now) == "freeze"


def test_charter_order_of_another_scope_is_untouched_by_a_report() -> None:
    """Only what hangs on the lost key is in doubt: an order with a signature to spare is not."""
    log = RegimeLog()
    issue(log, *AUTHORITY[:4], VERIFIER[0], scope=Scope(everywhere=True))
    log.report(AUTHORITY[0], since=NOW)
    assert log.regime.doubts == ()
