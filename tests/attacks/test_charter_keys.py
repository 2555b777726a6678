"""Attacks on what keys say of themselves: withdrawals and drills, one test each."""

from __future__ import annotations

import pytest

from sekisho.model.errors import BadSignature, NotAuthorised
from sekisho.model.statements import KeyDrilled, SignatureWithdrawn, make_payload
from sekisho.model.wire import sha256_hex
from sekisho.signing import ReplayedDrill
from sekisho.signing.keys import Signer
from tests.factory import AUTHORITY, HOST, NOW, OPERATOR, RECOVERY, order_issued, signer
from tests.signing.logs import AMENDERS, DAY_S, RegimeLog, issue, key_of, next_terms

STRANGER = signer("stranger")


def drill(log: RegimeLog, key: Signer, **changes: object) -> KeyDrilled:
    """A drill over the newest tree that the log quotes."""
    mark = log.regime.newest_mark
    assert mark is not None
    fields = {"challenge": mark.root, "size": mark.size, **changes}
    return KeyDrilled(effective=log.now, key=key.public.key_id, **fields)  # type: ignore[arg-type]  # the test's


def withdrawn(payload: str, key: Signer) -> SignatureWithdrawn:
    return SignatureWithdrawn(
        effective=NOW, payload=payload, key=key.public.key_id, reason="a slip"
    )


def test_charter_withdrawn_signature_counted() -> None:
    """Who takes a signature back before the order is in the log is not of its quorum."""
    log = RegimeLog()
    order = order_issued(charter_digest=log.regime.in_force().digest)
    log.add(withdrawn(sha256_hex(make_payload(order)), AUTHORITY[0]), AUTHORITY[0])
    with pytest.raises(NotAuthorised, match="authority 2 of 3"):
        log.add(order, *AMENDERS)
    log.add(order, *AMENDERS, AUTHORITY[3])


def test_charter_withdrawal_of_an_order_in_force() -> None:
    """Once the order is in the log its signatures are given: a later withdrawal changes nothing."""
    log = RegimeLog()
    entry = issue(log)
    log.add(withdrawn(entry.verified.digest, AUTHORITY[0]), AUTHORITY[0])
    assert len(log.book.in_force(log.now)) == 1
    assert log.regime.doubts == ()


def test_charter_withdrawal_in_anothers_name() -> None:
    """Nobody takes back what another signed."""
    log = RegimeLog()
    for key in (AUTHORITY[1], OPERATOR, STRANGER):
        with pytest.raises(BadSignature):
            log.add(withdrawn("0" * 64, AUTHORITY[0]), key)


def test_charter_withdrawal_of_one_payload_silences_no_other() -> None:
    """A key that took one signature back still signs other things."""
    log = RegimeLog()
    log.add(withdrawn("0" * 64, AUTHORITY[0]), AUTHORITY[0])
    log.add(next_terms(log, max_lease_s=60), *AMENDERS)


def test_charter_drill_by_a_key_that_is_not_in_the_charter() -> None:
    """A stranger, a host, and a key that an amendment put out of office prove nothing."""
    log = RegimeLog()
    log.mark()
    for key in (STRANGER, HOST):
        with pytest.raises(NotAuthorised, match="not in the charter"):
            log.add(drill(log, key), key)
    old = log.regime.in_force().terms.constituencies
    changed = (
        old[0].__class__(name=old[0].name, keys=(*old[0].keys[:4], key_of(STRANGER))),
        *old[1:],
    )
    log.add(next_terms(log, constituencies=changed), *AMENDERS)
    log.add(drill(log, STRANGER), STRANGER)
    with pytest.raises(NotAuthorised, match="not in the charter"):
        log.add(drill(log, AUTHORITY[4]), AUTHORITY[4])


def test_charter_drill_in_anothers_name() -> None:
    """A drill is signed by the very key that it names."""
    log = RegimeLog()
    log.mark()
    with pytest.raises(BadSignature):
        log.add(drill(log, AUTHORITY[0]), *AUTHORITY[1:])


def test_charter_drill_by_a_reported_key() -> None:
    """A thief can sign: that is why a reported key's drill proves nothing."""
    log = RegimeLog()
    log.report(AUTHORITY[0])
    with pytest.raises(BadSignature):
        log.add(drill(log, AUTHORITY[0]), AUTHORITY[0])


def test_charter_drill_with_a_replayed_challenge() -> None:
    """The same tree twice, an older one, and a tree that this log never quoted."""
    log = RegimeLog()
    log.mark()
    first = drill(log, AUTHORITY[0])
    log.pass_time(DAY_S)
    second = drill(log, AUTHORITY[0], note="second")
    log.add(second, AUTHORITY[0])
    for fact in (drill(log, AUTHORITY[0], note="again"), first):
        with pytest.raises(ReplayedDrill, match="not newer"):
            log.add(fact, AUTHORITY[0])
    for changes in ({"challenge": "0" * 64}, {"size": 1}, {"size": 99}):
        with pytest.raises(ReplayedDrill, match="no witnessed tree"):
            log.add(drill(log, AUTHORITY[1], **changes), AUTHORITY[1])


def test_charter_drill_signed_long_ago_and_handed_in_today() -> None:
    """A drill proves that the key signed after its tree, not on the day on which it is handed in."""
    log = RegimeLog()
    log.mark()
    kept = drill(log, RECOVERY[0])
    log.pass_time(100 * DAY_S)
    log.add(kept, RECOVERY[0])
    doubtful = {row.key: row.last for row in log.regime.doubtful_keys(log.now)}
    assert doubtful[RECOVERY[0].public.key_id] == NOW
