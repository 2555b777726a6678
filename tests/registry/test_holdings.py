from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.custody import Component, LifeState
from sekisho.registry.holdings import Tally, measure_holdings


def tally(
    key: str = "site-a",
    *,
    component: Component = "package",
    model: str = "H100 SXM5",
    state: LifeState = "active",
    count: int = 1,
) -> Tally:
    return Tally(key=key, component=component, model=model, state=state, count=count)


def test_chips_are_added_up_in_h100_equivalents() -> None:
    """Eight H100 are eight H100e by the treaty's constants, and an A100 its TPP over 15,824."""
    held = measure_holdings([tally(count=8), tally("site-b", model="A100")], "site")
    assert [(share.key, share.h100e.high) for share in held.shares] == [
        ("site-a", Fraction(8)),
        ("site-b", Fraction(312 * 16, 15_824)),
    ]
    assert held.total.h100e.high == 8 + Fraction(312 * 16, 15_824)
    assert held.shares[0].verdict == "holds"


def test_an_unknown_model_is_not_measured_and_never_zero() -> None:
    """Components of an unknown model are counted apart, and the figure says that it does not cover them."""
    held = measure_holdings([tally(count=2), tally(model="Abacus 9000", count=5)], "custodian")
    (share,) = held.shares
    assert (share.components, share.measured, share.h100e.high) == (7, 2, Fraction(2))
    assert [(item.model, item.count) for item in share.unmeasured] == [("Abacus 9000", 5)]
    assert share.verdict == "not measured"
    assert held.total.verdict == "not measured"


def test_retired_ones_are_left_out_and_said_so() -> None:
    """Destroyed components are in no figure, but how many there were is told."""
    held = measure_holdings([tally(count=3), tally(state="destroyed", count=4)], "owner")
    assert (held.total.components, held.total.retired, held.total.h100e.high) == (3, 4, Fraction(3))


def test_missing_ones_stay_with_their_last_custodian() -> None:
    """Lost and stolen chips stay in the figure, and are counted as missing."""
    held = measure_holdings([tally(state="lost"), tally(state="stolen", count=2)], "custodian")
    assert (held.total.components, held.total.missing, held.total.h100e.high) == (3, 3, Fraction(3))


def test_packages_and_boards_together_are_a_range() -> None:
    """A chip may be registered as package and as board, so the figure lies between the larger kind and the sum."""
    held = measure_holdings([tally(count=8), tally(component="board", count=6)], "site")
    assert (held.total.h100e.low, held.total.h100e.high) == (Fraction(8), Fraction(14))
    assert not held.total.h100e.is_sharp


def test_no_chips_are_zero_of_each() -> None:
    """An empty register holds nothing, which is a figure."""
    held = measure_holdings([], "country")
    assert (held.shares, held.total.components, held.total.h100e.high) == ((), 0, Fraction(0))


@given(
    st.lists(
        st.builds(
            tally,
            st.sampled_from("abc"),
            model=st.sampled_from(["H100", "A100", "L4", "Abacus"]),
            count=st.integers(1, 10**6),
        )
    )
)
def test_the_shares_add_up_to_the_whole(tallies: list[Tally]) -> None:
    """Counts and exact figures of the shares of one kind add up to those of the whole."""
    held = measure_holdings(tallies, "site")
    assert sum(share.components for share in held.shares) == held.total.components
    assert sum(share.measured for share in held.shares) == held.total.measured
    assert sum(share.h100e.high for share in held.shares) == held.total.h100e.high
