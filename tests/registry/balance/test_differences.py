from __future__ import annotations

import random
from fractions import Fraction

import pytest

from sekisho.model.custody import Movement, MovementState
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical, to_plain
from sekisho.registry.balance import (
    Accuracy,
    Moved,
    inspector_difference,
    list_transit,
    match_transit,
    parse_moved,
)
from tests.registry.balance.worlds import at


def movement(
    state: MovementState = "under-way",
    *,
    due: int = 50,
    received: int = 0,
    lost: int = 0,
    refused: int = 0,
) -> Movement:
    """Three chips sent at hour 1, so many of them received, lost or refused."""
    return Movement(
        reference="26JPX",
        state=state,
        shipper="cloud",
        consignee="lab",
        shipped=at(1),
        due=at(due),
        shipment=1,
        epcs=("a", "b", "c"),
        received=("a", "b", "c")[:received],
        refused=("a", "b", "c")[:refused],
        lost=("a", "b", "c")[received : received + lost],
    )


@pytest.mark.parametrize(
    ("found", "state", "difference"),
    [
        (movement(), "under-way", 3),
        (movement(due=5), "overdue", 3),
        (movement(received=1), "under-way", 2),
        (movement("received", received=3), "matched", 0),
        (movement("received", received=2), "differs", 1),
        (movement("refused", refused=3), "matched", 0),
        (movement("received", received=2, lost=1), "differs", 0),
    ],
)
def test_a_movement_stands_as_its_chips_do(found: Movement, state: str, difference: int) -> None:
    """What was neither received, refused nor lost is still missing; a loss settles the count, not the matter."""
    (row,) = list_transit([found], at(11))
    assert (row.state, row.difference, row.age_s) == (state, difference, 36_000)
    assert row.is_finding == (state in ("overdue", "differs"))


def test_a_cancelled_movement_is_not_in_transit() -> None:
    """Nothing ever left."""
    assert list_transit([movement("cancelled")], at(9)) == ()


def moved(reference: str, party: str, items: int, hours: int = 1) -> Moved:
    return Moved(reference=reference, party=party, at=at(hours), items=items)


def test_two_sides_reports_are_matched_by_reference() -> None:
    """SRD = shipped - received; partial receipts add up; a silent side is not nought."""
    rows = match_transit(
        [moved("m1", "cloud", 5), moved("m2", "cloud", 5), moved("m3", "cloud", 5, 3)],
        [
            moved("m1", "lab", 3),
            moved("m1", "lab", 2),
            moved("m2", "lab", 4),
            moved("m9", "lab", 1),
        ],
        at(11),
    )
    told = {row.reference: (row.state, row.shipped, row.received, row.difference) for row in rows}
    assert told == {
        "m1": ("matched", 5, 5, 0),
        "m2": ("differs", 5, 4, 1),
        "m3": ("not-received", 5, None, None),
        "m9": ("not-shipped", None, 1, None),
    }
    assert [row.age_s for row in rows if row.reference == "m3"] == [28_800]


def test_both_sides_are_read_strictly() -> None:
    """There and back; nobody receives less than nothing, and a silent side says so."""
    sent, got = [moved("m1", "cloud", 5)], [moved("m1", "lab", 5)]
    data = canonical({"shipments": to_plain(sent), "receipts": to_plain(got)})
    assert parse_moved(data) == (tuple(sent), tuple(got))
    with pytest.raises(InvalidInput, match=r"receipts\[0\].items"):
        parse_moved(data.replace(b'"items":5', b'"items":-5'))
    with pytest.raises(InvalidInput, match="receipts"):
        parse_moved(b'{"shipments":[]}')


EXACT = Accuracy(random="0", systematic="0", source="synthetic")
OPERATOR = Accuracy(random="0.02", systematic="0.01", source="synthetic")
INSPECTOR = Accuracy(random="0.03", systematic="0.01", source="synthetic")


def test_the_difference_of_a_sample_is_extrapolated() -> None:
    """D = (N/n) sum(o - v) = 100/4 * 2; sigma by hand."""
    pairs = [(Fraction(10), Fraction(10))] * 3 + [(Fraction(10), Fraction(8))]
    found = inspector_difference(100, pairs, OPERATOR, INSPECTOR)
    variance = 25**2 * (400 * (0.0004 + 0.0009) + 1600 * 0.0002)
    assert found.difference == 50
    assert found.sigma == pytest.approx(variance**0.5)
    assert not found.is_alarm
    assert inspector_difference(100, pairs, EXACT, EXACT).is_alarm


@pytest.mark.parametrize("count", [0, 101])
def test_what_is_no_sample_is_refused(count: int) -> None:
    """Empty, or more than there are."""
    with pytest.raises(InvalidInput, match="is no sample"):
        inspector_difference(100, [(Fraction(1), Fraction(1))] * count, EXACT, EXACT)


def test_an_honest_operator_is_rarely_accused() -> None:
    """Synthetic, normal errors, 2,000 samples of 20 from 500: 0.27 % expected, at most 12."""
    draw = random.Random(11)
    alarms = 0
    for _ in range(2_000):
        bias_o, bias_v = draw.gauss(0, 0.01), draw.gauss(0, 0.01)
        pairs = []
        for _ in range(20):
            o = Fraction(1 + bias_o + draw.gauss(0, 0.02))
            pairs.append((o, Fraction(1 + bias_v + draw.gauss(0, 0.03))))
        alarms += inspector_difference(500, pairs, OPERATOR, INSPECTOR).is_alarm
    assert 0 < alarms <= 12
