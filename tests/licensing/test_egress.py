"""What leaves a set in one window, against the licence's limit."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.licensing.egress import ALLOWED_BURST, EgressVerdict, LinkSides, judge_egress
from sekisho.ports.link_counters import LinkCount

LIMIT = 1_000_000
SIDES = LinkSides(outside=("eth0",), inside=("ib*", "mlx5_*"))
TEN = Fraction(10)


def counts(**sent: int) -> tuple[LinkCount, ...]:
    return tuple(
        LinkCount(interface=name, sent_bytes=count, source="proc-net-dev")
        for name, count in sent.items()
    )


def window(before: dict[str, int], after: dict[str, int], seconds: Fraction = TEN) -> EgressVerdict:
    return judge_egress(LIMIT, SIDES, counts(**before), counts(**after), seconds)


@pytest.mark.parametrize(
    ("sent", "verdict"),
    [
        (0, "holds"),
        (10 * LIMIT, "holds"),
        (10_500_000 + ALLOWED_BURST, "holds"),
        (10_500_001 + ALLOWED_BURST, "fails"),
    ],
)
def test_beyond_limit_and_tolerance_fails(sent: int, verdict: str) -> None:
    """The boundary to the byte: limit x seconds x 1.05 + 64 KiB."""
    found = window({"eth0": 5}, {"eth0": 5 + sent})
    assert (found.verdict, found.bytes_per_s) == (verdict, Fraction(sent, 10))
    assert found.sources == ("proc-net-dev",)


def test_what_stays_inside_does_not_count() -> None:
    """The fabric and the loopback may carry what they like."""
    found = window({"eth0": 0, "ib0": 0, "lo": 0}, {"eth0": 1, "ib0": 10**15, "lo": 10**15})
    assert (found.verdict, found.bytes_per_s) == ("holds", Fraction(1, 10))


def test_an_interface_that_nobody_named_counts_as_outside() -> None:
    """And it is named, once it has sent."""
    quiet = window({"eth0": 0, "usb0": 7}, {"eth0": 0, "usb0": 7})
    found = window({"eth0": 0, "usb0": 0}, {"eth0": 0, "usb0": 10**9})

    assert (quiet.verdict, quiet.unnamed) == ("holds", ())
    assert (found.verdict, found.unnamed) == ("fails", ("usb0",))


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ({"eth0": 100}, {"eth0": 99}, "began again"),
        ({"eth0": 100}, {}, "no counter of eth0"),
        ({"eth0": 0, "usb0": 5}, {"eth0": 0}, "no counter of usb0"),
        ({"lo": 0}, {"lo": 1}, "no counter of eth0"),
    ],
)
def test_a_counter_that_fell_or_went_is_not_measured(
    before: dict[str, int], after: dict[str, int], why: str
) -> None:
    """Never zero, and no rate is told."""
    found = window(before, after)
    assert (found.verdict, found.bytes_per_s) == ("unverifiable", None)
    assert why in found.why


def test_what_is_seen_beyond_the_limit_counts_beside_what_is_not() -> None:
    """A counter that began again hides nothing that the others show."""
    found = window({"eth0": 10**9, "usb0": 0}, {"eth0": 0, "usb0": 10**9})
    assert found.verdict == "fails"


def test_an_interface_that_came_up_counts_from_nothing() -> None:
    """All that it shows was sent since."""
    assert window({"eth0": 0}, {"eth0": 0, "usb0": 10**9}).verdict == "fails"


def test_no_time_is_no_window() -> None:
    """Two readings of one moment say nothing of a rate."""
    assert window({"eth0": 0}, {"eth0": 0}, Fraction(0)).verdict == "unverifiable"


def test_nothing_that_leads_outside_is_no_pass() -> None:
    """A host whose every interface is named inside has not been measured."""
    sides = LinkSides(inside=("*",))
    found = judge_egress(LIMIT, sides, counts(eth0=0), counts(eth0=9), TEN)
    assert (found.verdict, found.why) == ("unverifiable", "no interface leads outside")


@given(
    before=st.integers(0, 10**12),
    sent=st.integers(0, 10**9),
    more=st.integers(0, 10**9),
    seconds=st.integers(1, 3600),
)
def test_sending_more_never_helps(before: int, sent: int, more: int, seconds: int) -> None:
    """Where a window fails, it fails with more bytes, too."""
    less = window({"eth0": before}, {"eth0": before + sent}, Fraction(seconds))
    greater = window({"eth0": before}, {"eth0": before + sent + more}, Fraction(seconds))
    assert not (less.verdict == "fails" and greater.verdict == "holds")
