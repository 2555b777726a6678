from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.statements import KeyCompromised, KeyDrilled, SignatureWithdrawn
from sekisho.signing import KeyBook, Recorded, Regime
from sekisho.signing.keybook import Drill
from tests.factory import AUTHORITY, NOW, RECOVERY, VERIFIER, recorded, signed, signer
from tests.signing.logs import AMENDERS, DAY_S, REPORTERS, RegimeLog, key_of, next_terms

KEY = AUTHORITY[0].public
REGIME: Regime = RegimeLog().regime


def entry(index: int, key: str = KEY.key_id) -> tuple[KeyCompromised, Recorded]:
    """A report at a place of the log."""
    fact = KeyCompromised(effective=NOW, key=key, since=NOW, reason="x")
    return fact, recorded(signed(fact, *REPORTERS), REGIME, index)


def test_a_key_counts_up_to_the_entry_of_its_report() -> None:
    """The report itself and all before it are by a key that still counted; None is after everything."""
    book = KeyBook().reported(*entry(7), grace_s=1)
    assert [book.counts(KEY.key_id, "p", index) for index in (6, 7, 8, None)] == [
        True,
        True,
        False,
        False,
    ]
    assert book.counts("other", "p")
    assert book.counting([KEY], "p") == []
    assert book.counting([KEY], "p", 7) == [KEY]


def test_a_signature_counts_up_to_the_entry_of_its_withdrawal() -> None:
    """Only on that payload; a second withdrawal says nothing new."""
    fact = SignatureWithdrawn(effective=NOW, payload="p", key=KEY.key_id, reason="x")
    book = KeyBook().taken_back(fact, 7)
    assert [book.counts(KEY.key_id, "p", index) for index in (7, 8, None)] == [True, False, False]
    assert book.counts(KEY.key_id, "q")
    assert book.taken_back(fact, 9) is book


@given(st.permutations([3, 5, 9]))
def test_reports_heard_in_any_order_make_one_book(order: list[int]) -> None:
    """An agent may hear of a later report first: the earliest one silences the key."""
    book = KeyBook()
    for index in order:
        book = book.reported(*entry(index), grace_s=1)
    assert [report.index for report in book.reports] == [3, 5, 9]
    assert book.silenced == {KEY.key_id: 3}


@given(st.permutations([("k1", 4), ("k2", 6), ("k3", 2)]))
def test_withdrawals_of_different_keys_in_any_order_make_one_book(
    order: list[tuple[str, int]],
) -> None:
    """They do not touch each other."""
    book = KeyBook()
    for key, index in order:
        fact = SignatureWithdrawn(effective=NOW, payload="p", key=key, reason="x")
        book = book.taken_back(fact, index)
    assert dict(book.withdrawn) == {("p", "k1"): 4, ("p", "k2"): 6, ("p", "k3"): 2}


def test_a_key_is_unproved_from_its_last_drill() -> None:
    """A drill keeps it for the charter's time to the second; a key never drilled counts from when it was known."""
    book = KeyBook().drilled("k1", Drill(index=3, size=3, proved=NOW))
    for seconds, found in ((100, []), (101, ["k1"])):
        rows = book.unproved(["k1"], NOW.plus(seconds), every_s=100, known_since=NOW.plus(-999))
        assert [row.key for row in rows] == found
    (row,) = book.unproved(["k2"], NOW.plus(101), every_s=100, known_since=NOW)
    assert (row.key, row.last) == ("k2", None)


def test_all_charter_keys_are_doubtful_after_ninety_days_without_drills() -> None:
    """Those of the constituencies and those for recovery; a drilled one and a reported one are not among them."""
    log = RegimeLog()
    log.mark()
    everyone = {key.key_id for key in log.regime.in_force().every_key()}
    assert log.regime.doubtful_keys(NOW.plus(90 * DAY_S)) == ()
    assert {k.key for k in log.regime.doubtful_keys(NOW.plus(90 * DAY_S + 1))} == everyone
    log.pass_time(DAY_S)
    mark = log.regime.newest_mark
    assert mark is not None
    drill = KeyDrilled(
        effective=log.now, key=RECOVERY[0].public.key_id, challenge=mark.root, size=mark.size
    )
    log.add(drill, RECOVERY[0])
    log.report(VERIFIER[0])
    left = {k.key for k in log.regime.doubtful_keys(NOW.plus(90 * DAY_S + 1))}
    assert left == everyone - {RECOVERY[0].public.key_id, VERIFIER[0].public.key_id}
    assert log.regime.keys.drills[RECOVERY[0].public.key_id].proved == NOW.plus(DAY_S)


def test_a_charter_may_ask_for_no_drills() -> None:
    """Zero seconds is never."""
    log = RegimeLog()
    log.add(next_terms(log, key_drill_every_s=0), *AMENDERS)
    assert log.regime.doubtful_keys(NOW.plus(9_999 * DAY_S)) == ()


def test_a_key_counts_from_the_charter_that_first_named_it() -> None:
    """A key that an amendment brings has its own ninety days; the others keep theirs."""
    log = RegimeLog()
    log.mark()
    log.pass_time(60 * DAY_S)
    old = log.regime.in_force().terms.constituencies
    new = key_of(signer("operator-2"), "Operator")
    groups = (*old[:2], old[2].__class__(name="operators", keys=(*old[2].keys, new)))
    log.add(next_terms(log, constituencies=groups), *AMENDERS)
    log.mark()
    doubtful = {row.key for row in log.regime.doubtful_keys(log.now.plus(40 * DAY_S))}
    assert signer("operator-2").public.key_id not in doubtful
    assert AUTHORITY[0].public.key_id in doubtful
    later = {row.key for row in log.regime.doubtful_keys(log.now.plus(91 * DAY_S))}
    assert signer("operator-2").public.key_id in later
