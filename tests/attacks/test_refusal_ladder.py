"""Attacks on the ladder: a step left out, too early, against who halted, on made-up evidence; leases after their end.

Everybody with a key colludes here: what the desk would refuse is in the log all the same, and the auditor finds it.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sekisho.auditor import Report
from sekisho.model.statements import (
    AppealDecided,
    AppealFiled,
    OrderReference,
    PartyEnrolled,
    Predicate,
    RefusalRecorded,
)
from tests import factory as f
from tests.factory_bundle import (
    AUTHORITY_3,
    T0,
    Item,
    LogSoFar,
    Story,
    audit,
    check_of,
    heartbeat,
    honest_story,
    item,
    seal,
)

STEP = f.charter().refusal_step_s
LATE = 700.0  # the pause of second 20 is due at 620
DAY = LATE + STEP + 10


def silent_story() -> Story:
    """The honest story up to the pause, and then nothing from its host."""
    story = honest_story()
    story.batches = [batch for batch in story.batches if batch[0] <= 21]
    return story


def reference(log: LogSoFar) -> OrderReference:
    return OrderReference(register="pause/JP", number=1, digest=log.digest("pause-1"))


def step(word: str, at: float, **changes: Any) -> Item:
    def said(log: LogSoFar) -> Predicate:
        fact = RefusalRecorded(
            effective=T0.plus(at),
            host="host-1",
            order=reference(log),
            step=word,  # type: ignore[arg-type]  # the test's own word
            answer_by=T0.plus(at + STEP + 60),
            measure="a visit" if word in ("inspection", "supply-measure") else None,
        )
        return msgspec.structs.replace(fact, **changes)

    return item(said, "verifier-1")


def appeal(at: float, party: str = "party-1") -> Item:
    def filed(log: LogSoFar) -> Predicate:
        return AppealFiled(
            effective=T0.plus(at), appeal="APPEAL-1", order=reference(log), party=party, asks="-"
        )

    return item(filed, party)


def decision(at: float, **changes: Any) -> Item:
    def decided(log: LogSoFar) -> Predicate:
        fact = AppealDecided(
            effective=T0.plus(at),
            appeal="APPEAL-1",
            filed=log.reference("appeal"),
            order=reference(log),
            outcome="upheld",
            reasons="heard",
            resume_by=T0.plus(at + 60),
        )
        return msgspec.structs.replace(fact, **changes)

    return item(decided, *AUTHORITY_3)


def audited(*batches: tuple[float, str, Item], story: Story | None = None) -> Report:
    """The audit of a story with these entries, one batch each, and a heartbeat at the end."""
    told = story or silent_story()
    for at, name, make in batches:
        told.add(at, (name, make))
    end = max((at for at, _, _ in batches), default=LATE) + 20
    told.add(end, ("last-beat", heartbeat(end, orders=("pause-1",), in_force=("pause-1",))))
    return audit(seal(told))


def verdict(report: Report, name: str = "refusals") -> tuple[str, str]:
    found = check_of(report, name)
    return found.verdict, found.detail


def test_an_honest_ladder_holds() -> None:
    """Notice when late, the next step a day after: counted, and the host is a limit of the report."""
    report = audited(
        (LATE, "notice", step("notice", LATE)), (DAY + 60, "ended", step("leases-ended", DAY + 60))
    )
    assert verdict(report) == ("holds", "2 steps against hosts that do not follow an order")
    assert any("host-1 is late under order pause/JP/1" in limit for limit in report.limits)


def test_an_honest_step_whose_witnesses_are_behind_the_desk_holds() -> None:
    """Taken as soon as it was due, and dated before that by clocks within their error: no certain fault."""
    due, behind = LATE + STEP + 60.9, f.charter().clock_error_s - 1
    ended = step("leases-ended", due)
    report = audited(
        (LATE, "notice", step("notice", LATE, answer_by=T0.plus(due))),
        (due - behind, "ended", ended),
    )
    assert verdict(report)[0] == "holds"
    early = audited(
        (LATE, "notice", step("notice", LATE, answer_by=T0.plus(due))),
        (due - behind - 10, "ended", ended),
    )
    assert "at the earliest" in verdict(early)[1]


@pytest.mark.parametrize(
    ("batches", "why"),
    [
        ([(LATE, "x", step("leases-ended", LATE))], "leases-ended is not the next step"),
        ([(LATE, "x", step("supply-measure", LATE))], "supply-measure is not the next step"),
        ([(300.0, "x", step("notice", 300.0))], "it was not late"),
        (
            [(LATE, "a", step("notice", LATE)), (LATE + 60, "b", step("leases-ended", LATE + 60))],
            "at the earliest",
        ),
        (
            [(LATE, "x", step("notice", LATE, answer_by=T0.plus(LATE + 60)))],
            "to answer",
        ),
        ([(LATE, "x", step("notice", LATE, evidence=("e" * 64,)))], "does not stand before it"),
        ([(LATE, "x", step("notice", LATE, host="host-9"))], "does not hold"),
    ],
)
def test_a_step_out_of_the_ladder_fails(batches: list[tuple[float, str, Item]], why: str) -> None:
    """Left out, too early, too short, on nothing, against nobody."""
    told, detail = verdict(audited(*batches))
    assert told == "fails"
    assert why in detail


def test_a_step_against_a_host_that_halted_fails() -> None:
    """Its receipt stands in the log: whoever says that it is late says what is not so."""
    story = honest_story()
    story.batches = [batch for batch in story.batches if batch[0] <= 36]
    told, detail = verdict(audited((LATE, "x", step("notice", LATE)), story=story))
    assert (told, "it was not late" in detail) == ("fails", True)


def test_a_lease_after_the_end_of_leases_fails() -> None:
    """The issuer grants it all the same, and the audit names both."""

    def grant(log: LogSoFar) -> Predicate:
        licence = log.reference("licence")
        return f.lease_granted(2, licence=licence, effective=T0.plus(DAY + 90))

    told, detail = verdict(
        audited(
            (LATE, "notice", step("notice", LATE)),
            (DAY + 60, "ended", step("leases-ended", DAY + 60)),
            (DAY + 90, "granted", item(grant, "operator-1")),
        )
    )
    assert told == "fails"
    assert "lease 2 is granted to host-1, whose leases were ended" in detail


def test_a_straggler_that_long_had_no_notice_is_not_passed_over() -> None:
    """Whether it refuses or nobody looked, these bytes do not show: unverifiable."""
    beat = heartbeat(DAY, orders=("pause-1",), in_force=("pause-1",))
    told, detail = verdict(audited((DAY, "beat", beat)))
    assert told == "unverifiable"
    assert "without notice" in detail
    soon = verdict(
        audited((LATE, "beat", heartbeat(LATE, orders=("pause-1",), in_force=("pause-1",))))
    )
    assert soon[0] == "holds"


def test_an_appeal_by_who_is_under_the_order_holds_and_its_overdue_resume_is_a_limit() -> None:
    """Filed, upheld, and nothing came of it by its day."""
    beat = heartbeat(200, orders=("pause-1",), in_force=("pause-1",))
    report = audited(
        (100.0, "appeal", appeal(100.0)),
        (130.0, "decided", decision(130.0)),
        (200.0, "beat", beat),
    )
    assert verdict(report, "appeals") == ("holds", "1 appeals, 1 of them decided")
    assert any("APPEAL-1" in limit and "has not come" in limit for limit in report.limits)


def test_an_appeal_by_a_party_that_the_order_does_not_touch_fails() -> None:
    """A stranger's appeal is found, though it is signed and logged."""

    def stranger(log: LogSoFar) -> Predicate:
        return PartyEnrolled(
            effective=T0.plus(50),
            party="party-2",
            public=log.cast.signer("party-2").public.to_text(),
            organisation="Bystander",
            country="JP",
        )

    report = audited(
        (50.0, "stranger", item(stranger, "authority-1")),
        (100.0, "appeal", appeal(100.0, "party-2")),
    )
    told, detail = verdict(report, "appeals")
    assert (told, "touches neither" in detail) == ("fails", True)


def test_a_decision_without_a_day_or_a_second_one_fails() -> None:
    """Upheld without an instant, and decided twice."""
    report = audited(
        (100.0, "appeal", appeal(100.0)), (130.0, "d", decision(130.0, resume_by=None))
    )
    assert verdict(report, "appeals")[0] == "fails"
    report = audited(
        (100.0, "appeal", appeal(100.0)),
        (130.0, "d", decision(130.0)),
        (140.0, "e", decision(140.0, reasons="again")),
    )
    assert verdict(report, "appeals")[0] == "fails"
    assert verdict(report, "uniqueness")[0] == "fails"
