"""Roll-ups: the private document, the statement derived from it, and what the two give away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from sekisho.metering.accounts import join_runs
from sekisho.metering.accounts.roll_up import (
    CONCEALED,
    RollUp,
    evidence_digest,
    is_same_account,
    make_roll_up,
    parse_roll_up,
    roll_up_digest,
    statement_of,
)
from sekisho.model.errors import InvalidInput
from sekisho.model.statements import make_payload
from sekisho.model.statements.shapes import Span
from sekisho.model.wire import canonical
from sekisho.signing import open_fields
from tests.metering.accounts.made import T0, at, entry

PERIOD = Span(start=T0, end=at(1))
SALT = "5a" * 16


def roll_up(*, salt: str = SALT, party: str = "acme", **more: Any) -> RollUp:
    entries = [
        entry(0, 0.5, 1_000, job="1", site="tokyo", evidence="sha256:" + "e" * 64),
        entry(0.5, 2, 3_000, job="1", site="tokyo"),
        entry(0, 1, 10, job="2", site="osaka"),
    ]
    made = make_roll_up(
        entries,
        join_runs([]),
        party=party,
        licensee="party-1",
        period=PERIOD,
        counting="max-over-formats",
    )
    return msgspec.structs.replace(made, salt=salt, **more)


def test_rows_are_the_jobs_of_the_period_and_nothing_beyond_it() -> None:
    """What reaches over the edge counts with its share."""
    found = roll_up()
    assert [(row.site, row.job, row.bound_high) for row in found.rows] == [
        ("osaka", "2", "10"),
        ("tokyo", "1", "2000"),
    ]
    assert found.total("bound_high") == 2_010


def test_one_document_gives_one_statement_byte_for_byte() -> None:
    """A retry derives the very same payload; another salt another one."""
    one, again = (make_payload(statement_of(roll_up())[0]) for _ in range(2))
    assert one == again
    assert make_payload(statement_of(roll_up(salt="5b" * 16))[0]) != one


def test_the_statement_is_opened_by_its_disclosures_alone() -> None:
    """All thirteen fields, none in the payload itself."""
    fact, texts = statement_of(roll_up())
    fields = open_fields(texts, fact.concealed).fields
    assert fields == roll_up().concealed_fields()
    assert set(fields) == set(CONCEALED)
    payload = make_payload(fact)
    assert b"acme" not in payload
    assert b"2010" not in payload


@pytest.mark.parametrize("work", [0, 1, 10**30])
def test_a_statements_size_tells_nothing_of_its_figures(work: int) -> None:
    """Whoever computed nothing and whoever computed a frontier model look alike."""
    made = make_roll_up(
        [entry(0, 1, work)],
        join_runs([]),
        party="x" * (1 + work % 7),
        licensee="party-1",
        period=PERIOD,
        counting="max-over-formats",
    )
    fact, _ = statement_of(
        msgspec.structs.replace(made, salt=SALT, evidence=("sha256:" + "e" * 64,))
    )
    assert len(make_payload(fact)) == len(make_payload(statement_of(roll_up())[0]))


def test_what_was_not_measured_is_said_and_never_a_smaller_figure() -> None:
    """A total over jobs of which one has no bound says so."""
    made = make_roll_up(
        [entry(0, 1, 100, job="1"), entry(0, 1, None, job="2")],
        join_runs([]),
        party="acme",
        licensee="party-1",
        period=PERIOD,
        counting="max-over-formats",
    )
    assert made.concealed_fields()["bound_high"] == "not measured in part, 100"
    assert not made.is_bounded


def test_the_document_goes_there_and_back() -> None:
    """Its canonical bytes have its digest."""
    found = roll_up()
    assert parse_roll_up(canonical(found)) == found
    assert len(roll_up_digest(found)) == 64


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: {**d, "salt": "00"}, "salt"),
        (lambda d: {**d, "rows": [d["rows"][1], d["rows"][0]]}, "out of order"),
        (lambda d: {**d, "rows": [d["rows"][0], d["rows"][0]]}, "twice"),
        (lambda d: {**d, "period": {"start": str(at(1)), "end": str(T0)}}, "ends before"),
        (lambda d: {**d, "rows": [{**d["rows"][0], "bound_low": "11"}]}, "low, best, high"),
        (lambda d: {**d, "rows": [{**d["rows"][0], "bound_high": "1e3"}]}, "FLOP"),
        (lambda d: {**d, "rows": [{**d["rows"][0], "chip_ms": -1}]}, "below zero"),
    ],
)
def test_a_document_that_contradicts_itself_is_refused(
    change: Callable[[dict[str, Any]], dict[str, Any]], said: str
) -> None:
    """With the field."""
    plain = msgspec.json.decode(canonical(roll_up()))
    with pytest.raises(InvalidInput, match=said):
        parse_roll_up(msgspec.json.encode(change(plain)), path="f.json")


def test_two_documents_are_one_account_whatever_their_salts_and_files() -> None:
    """Compacted files bear other names; other figures are another account."""
    moved = roll_up(salt="00" * 16, evidence=("sha256:" + "f" * 64,))
    assert is_same_account(roll_up(), moved)
    assert not is_same_account(roll_up(), msgspec.structs.replace(moved, rows=moved.rows[:1]))


def test_the_evidence_is_the_stores_own_digest_where_it_is_one() -> None:
    """Of several a digest over all; of nothing nothing."""
    assert evidence_digest(("sha256:" + "e" * 64,)) == "e" * 64
    two = evidence_digest(("sha256:" + "e" * 64, "sha256:" + "f" * 64))
    assert two is not None
    assert len(two) == 64
    assert evidence_digest(()) is None
