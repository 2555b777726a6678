"""The fold of usage reports: one for each period, corrections in one chain."""

from __future__ import annotations

import msgspec

from sekisho.metering.accounts.report_book import UsageBook, usage_key
from sekisho.model.statements import UsageReported, make_payload
from sekisho.model.statements.shapes import Span
from sekisho.model.wire import sha256_hex
from sekisho.signing import Recorded, sign_payload
from sekisho.signing.regime import Verified
from tests.factory import OPERATOR, REFERENCE
from tests.metering.accounts.made import at


def report(day: float = 0, *, licensee: str = "party-1", **more: object) -> UsageReported:
    period = Span(start=at(day), end=at(day + 1))
    fact = UsageReported(effective=period.end, licensee=licensee, period=period, chains=())
    return msgspec.structs.replace(fact, **more)


def digest(fact: UsageReported) -> str:
    return sha256_hex(make_payload(fact))


def recorded(fact: object, index: int = 0) -> Recorded:
    envelope = sign_payload(make_payload(fact), [OPERATOR])  # type: ignore[arg-type]  # a predicate
    kind = "usage-reported"
    verified = Verified(
        kind=kind,
        predicate=fact,  # type: ignore[arg-type]  # a predicate
        digest=envelope.digest,
        envelope=envelope.at_rest(),
        signers=frozenset(),
    )
    return Recorded(index=index, leaf=REFERENCE.leaf, verified=verified)


def book(*facts: UsageReported) -> UsageBook:
    found = UsageBook()
    for index, fact in enumerate(facts):
        found = found.after(recorded(fact, index))
    return found


def test_days_of_one_licensee_stand_side_by_side() -> None:
    """Half-open periods touch and do not overlap; another licensee has its own days."""
    found = book(report(0), report(1), report(0, licensee="party-2"))
    assert len(found.reports) == 3
    standing = found.find("party-1", report(1).period)
    assert standing is not None
    assert standing.index == 1


def test_an_overlapping_report_is_a_problem_and_changes_nothing() -> None:
    """The same day again, or half of it."""
    found = book(report(0))
    for fact in (report(0, rollup="1" * 64), report(0.5)):
        assert "reported" in found.problem_of(fact)
        assert found.after(recorded(fact)) == found


def test_a_correction_takes_the_place_of_the_report_that_it_names() -> None:
    """The chain is kept, its last link counts."""
    first = report(0)
    second = report(0, rollup="1" * 64, corrects=digest(first))
    third = report(0, rollup="2" * 64, corrects=digest(second))
    found = book(first, second, third)
    chain = found.chain("party-1", first.period)
    assert [link.index for link in chain] == [0, 1, 2]
    standing = found.find("party-1", first.period)
    assert standing is not None
    assert standing.fact == third


def test_a_correction_names_what_stands_of_the_same_licensee_and_period() -> None:
    """Not a stranger's report, not another day's, not one that is corrected already, not itself."""
    first = report(0)
    found = book(first, report(1), report(0, rollup="1" * 64, corrects=digest(first)))
    assert "no usage report" in found.problem_of(report(0, corrects="9" * 64))
    assert "another licensee" in found.problem_of(
        report(1, rollup="2" * 64, corrects=digest(first))
    )
    assert "already" in found.problem_of(report(0, rollup="3" * 64, corrects=digest(first)))


def test_a_replay_of_one_entry_is_passed_over() -> None:
    """A book that is given an entry twice is the same book."""
    found = book(report(0))
    assert found.after(recorded(report(0))) == found


def test_one_key_for_each_licensee_period_and_correction() -> None:
    """Two statements with one key cannot both be in the log."""
    assert usage_key(report(0)) == usage_key(report(0, rollup="1" * 64))
    assert len({usage_key(report(d, licensee=p)) for d in (0, 1) for p in ("a", "b")}) == 4
    assert usage_key(report(0)) != usage_key(report(0, corrects="1" * 64))
