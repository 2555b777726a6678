from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.licensing import MAX_OUTAGE_S, OutageBook
from sekisho.model.statements import OutageDeclared, Span
from tests.factory import NOW, host_enrolled
from tests.licensing.ledgers import recorded


def outage(start_s: float, end_s: float, **scope: tuple[str, ...]) -> OutageDeclared:
    return OutageDeclared(
        effective=NOW,
        outage=f"outage {start_s} {end_s}",
        period=Span(start=NOW.plus(start_s), end=NOW.plus(end_s)),
        reason="the issuer's data centre is without power",
        **scope,
    )


def book(*outages: OutageDeclared) -> OutageBook:
    folded = OutageBook()
    for each in outages:
        folded = folded.after(recorded(each))
    return folded


FAR = NOW.plus(10**8)


def extended(known: OutageBook, grace_s: float = 0, licence_s: float = 10**8) -> float:
    """Seconds after NOW until which host-1 of site-1 has grace that would end `grace_s` after it."""
    end = NOW.plus(licence_s)
    return known.extend("host-1", "site-1", NOW.plus(grace_s), licence_end=end).since(NOW)


def test_grace_lasts_until_the_outage_is_over() -> None:
    """Where it would end while the host stands under an outage; else it ends as it would."""
    known = book(outage(-10, 100))
    assert extended(known) == 100
    assert extended(known, 99.9) == 100
    assert extended(known, 100) == 100
    assert extended(known, -11) == -11


@pytest.mark.parametrize(
    ("scope", "covers"),
    [
        ({}, True),
        ({"hosts": ("host-1",)}, True),
        ({"sites": ("site-1",)}, True),
        ({"hosts": ("host-2",)}, False),
        ({"sites": ("site-2",), "hosts": ("host-2",)}, False),
        ({"sites": ("site-2",), "hosts": ("host-1",)}, True),
    ],
)
def test_an_outage_covers_the_hosts_and_sites_that_it_names(
    scope: dict[str, tuple[str, ...]], covers: bool
) -> None:
    """Naming nobody it means all."""
    assert (extended(book(outage(-10, 100, **scope))) == 100) is covers


def test_an_outage_ends_after_72_hours_whatever_it_says() -> None:
    """Counted from its start."""
    assert extended(book(outage(-10, 10**7))) == MAX_OUTAGE_S - 10


def test_outages_follow_each_other_only_without_a_gap() -> None:
    """Declared again before the first is over it goes on; a second too late it does not."""
    assert extended(book(outage(-10, 100), outage(100, 200))) == 200
    assert extended(book(outage(100, 200), outage(-10, 100))) == 200
    assert extended(book(outage(-10, 100), outage(101, 200))) == 100


def test_no_outage_lasts_beyond_the_licence() -> None:
    """Its period's end is the end of what the outage adds; the usual grace after it stays."""
    known = book(outage(-10, 100), outage(100, 200))
    assert extended(known, 5, licence_s=60) == 60
    assert extended(known, 5, licence_s=150) == 150
    assert extended(known, 70, licence_s=60) == 70
    assert extended(known, 5, licence_s=-60) == 5


def test_other_statements_declare_no_outage() -> None:
    """The fold passes over them."""
    assert OutageBook().after(recorded(host_enrolled())) == OutageBook()


spans = st.tuples(st.integers(-300, 300), st.integers(1, 400))


@given(st.lists(spans, max_size=6), st.integers(-200, 200))
def test_grace_never_ends_sooner_and_never_while_an_outage_covers(
    outages: list[tuple[int, int]], grace_s: int
) -> None:
    """Whatever was declared."""
    known = book(*(outage(start, start + length) for start, length in outages))
    until = known.extend("host-1", "site-1", NOW.plus(grace_s), licence_end=FAR)
    assert until >= NOW.plus(grace_s)
    assert known.covering("host-1", "site-1", until) is None
