"""Splitting: who crosses a threshold only when a year's requests are added up."""

from __future__ import annotations

import pytest

from sekisho.rules.what_if import Split, counting, diff, splitting
from tests.rules.what_if.small_packs import shipment, side, small_pack

PACK = small_pack(100)


def split_of(*rows: object) -> Split:
    """The one split of those shipments."""
    found = diff(list(rows), side(PACK), side(PACK))  # type: ignore[arg-type]  # shipments, built above
    assert found.splits is not None
    (split,) = found.splits
    return split


def test_an_owner_over_the_cap_only_together_is_named_with_its_sum() -> None:
    """Two of sixty for one owner; one of sixty, one of a hundred and one, for two others."""
    split = split_of(
        shipment("a", 60, owner="Group 1"),
        shipment("b", 60, owner="Group 1"),
        shipment("c", 60, owner="Group 2"),
        shipment("d", 101, owner="Group 3"),
    )
    assert (split.owners, split.over_alone, split.over_together) == (3, 1, 1)
    (over,) = split.largest
    assert (over.owner, over.requests, over.largest, over.total) == ("Group 1", 2, "60", "120")


def test_years_are_not_added_to_one_another() -> None:
    """Sixty in December and sixty in January."""
    split = split_of(shipment("a", 60, on="2026-12-31"), shipment("b", 60, on="2027-01-01"))
    assert (split.owners, split.over_together) == (2, 0)


def test_exactly_the_cap_together_is_not_over_it() -> None:
    """`> 100`: two of fifty are a hundred."""
    assert split_of(shipment("a", 50), shipment("b", 50)).over_together == 0


def test_an_unknown_amount_leaves_its_owner_open_and_an_unnamed_owner_is_added_for_nobody() -> None:
    """Neither is counted as nought, nor as over."""
    split = split_of(
        shipment("a", None), shipment("b", 60, owner=None), shipment("c", 60, owner=None)
    )
    assert (split.open_owners, split.unnamed, split.over_together) == (1, 2, 0)


def test_too_many_owners_are_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of them would mislead: the splits and the table by owner say that they are not there."""
    monkeypatch.setattr(splitting, "MOST_NAMES", 3)
    monkeypatch.setattr(counting, "MOST_NAMES", 3)
    rows = [shipment(f"t{n}", 60, owner=f"Group {n}") for n in range(5)]
    found = diff(rows, side(PACK), side(PACK))
    assert found.splits is None
    assert found.by_owner.names is None
    assert found.by_owner.groups == ()
    assert found.by_country.names == 1
