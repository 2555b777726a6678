"""The made-up population: sound requests, the same for the same seed."""

from __future__ import annotations

from collections import Counter

import msgspec

from sekisho.rules import load_pack, parse_request
from sekisho.rules.stated import check_facts
from sekisho.rules.what_if import sample_population


def test_the_same_seed_gives_the_same_rows_and_another_others() -> None:
    """A longer population begins with a shorter one's rows."""
    rows = list(sample_population(50, 7))
    assert rows == list(sample_population(80, 7))[:50]
    assert rows != list(sample_population(50, 8))


def test_every_row_is_a_sound_request_of_three_kinds() -> None:
    """With the facts of a pack, in a year, or without."""
    pack = load_pack("us-ear")
    for rows in (
        sample_population(300, 1),
        sample_population(300, 1, pack.quantities),
        sample_population(300, 1, (), 2027),
    ):
        requests = [parse_request(msgspec.json.encode(row)) for row in rows]
        assert len({request.id for request in requests}) == 300
        kinds = Counter(request.kind for request in requests)
        assert set(kinds) == {"transfer", "training-run", "cloud-use"}


def test_only_facts_that_the_pack_asks_for_are_told() -> None:
    """So that no row is refused; without a pack there are none."""
    pack = load_pack("us-ear")
    for row in sample_population(60, 1, pack.quantities):
        check_facts(parse_request(msgspec.json.encode(row)), [pack])
    assert not any("facts" in row for row in sample_population(60, 1))


def test_rows_of_a_year_are_in_order_and_tell_nothing_of_before() -> None:
    """A ledger of one's own fills it."""
    rows = list(sample_population(100, 1, (), 2027))
    days = [str(row["on"]) for row in rows]
    assert days == sorted(days)
    assert (days[0], days[-1][:4]) == ("2027-01-01", "2027")
    assert not any("so_far" in row or "owner_window_flop" in row for row in rows)
