"""The same requests on six days: the page about the pack prints what the engine answers, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.rules import Decision
from tests.lawyer_cases import Case, cases_of_pack, decided

PAGE = Path(__file__).parents[2] / "docs" / "packs" / "us-ear.md"
DAYS = ("2022-10-08", "2023-12-01", "2025-01-20", "2025-06-01", "2026-02-01", "2026-11-10")
REQUESTS = {
    "h100-china": "H100 to a data centre in China",
    "a800-china": "A800 to China",
    "rtx4090-china": "RTX 4090 to China, 25 days' notice",
    "h200-china": "H200 from the US to China, all conditions of January 2026",
    "h100-malaysia": "H100 to Malaysia, parent's headquarters in China",
    "h100-india": "H100 to India, LPP certified",
    "weights-germany": "unpublished weights of 1e26 to Germany",
}


def _cases() -> dict[tuple[str, str, str], Case]:
    found = [case for case in cases_of_pack("us-ear") if case.file == "us_ear_six_dates"]
    return {(case.base, case.at, case.reading): case for case in found}


def _cell(answer: Decision) -> str:
    """The answer with what lifts the licence, or with how an application would be looked at."""
    used = [exception.id for exception in answer.exceptions if exception.truth == "true"]
    if used and answer.decision != "licence":
        return f"{answer.decision} by {', '.join(used)}"
    policies = {rule.review.policy for rule in answer.rules if rule.review is not None}
    return f"{answer.decision}, {', '.join(sorted(policies))}" if policies else answer.decision


def table() -> Iterator[str]:
    """The rows of the page; a second row where the books say something else than what is enforced."""
    cases = _cases()
    for base, words in REQUESTS.items():
        for reading, more in (("enforced", ""), ("codified", "; by the books")):
            row = [cases.get((base, day, reading)) for day in DAYS]
            if any(row):
                cells = [_cell(decided(case)) if case is not None else "the same" for case in row]
                yield f"| {words}{more} | {' | '.join(cells)} |"


def test_the_page_prints_what_the_engine_answers() -> None:
    """Each row of the table stands on the page word for word, and the page has no other row."""
    printed = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "| " in line]
    rows = list(table())
    assert [
        line for line in printed if line.split(" | ")[0] in {r.split(" | ")[0] for r in rows}
    ] == rows


@pytest.mark.parametrize("base", REQUESTS)
def test_each_request_is_answered_on_all_six_days(base: str) -> None:
    """No day is left out of what is enforced."""
    days = {at for known, at, reading in _cases() if (known, reading) == (base, "enforced")}
    assert days == set(DAYS)


def test_the_requests_are_the_same_on_every_day() -> None:
    """Only the day differs: a fact that one day asks for is told on all of them."""
    for base in REQUESTS:
        asked = [case.asked for case in _cases().values() if case.base == base]
        assert all(request == asked[0] for request in asked)
