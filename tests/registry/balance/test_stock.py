from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sekisho.model.errors import InvalidInput
from sekisho.model.statements.shapes import Span
from sekisho.model.wire import canonical
from sekisho.registry.balance import (
    CODES,
    StockDeclaration,
    Trade,
    TradeDeclaration,
    account_stock,
    check_stock,
    mirror,
    parse_stock_declaration,
    parse_trade_declaration,
    significant_chips,
    trade_mirrors,
)
from tests.registry.balance.worlds import at

YEAR = Span(start=at(0), end=at(8760))
DECLARED = StockDeclaration(
    country="JP",
    period=YEAR,
    opening=100,
    production=0,
    imports=50,
    exports=20,
    destroyed=5,
    other=-1,
    closing=124,
)


def test_a_countrys_stock_follows_from_its_areas_codes() -> None:
    """S_t = S_t-1 + production + imports - exports - destroyed, and what else came or went."""
    stock = account_stock("JP", 100, {"RF": 50, "SF": -20, "DS": -5, "LA": -1}, 124)
    assert (stock.imports, stock.exports, stock.destroyed, stock.other) == (50, 20, 5, -1)
    assert stock.difference == 0


@given(st.dictionaries(st.sampled_from([c for c in CODES if CODES[c].sign]), st.integers(0, 99)))
def test_the_identity_holds_for_any_codes(counts: dict[str, int]) -> None:
    """No code falls between the terms."""
    nets = {code: CODES[code].sign * count for code, count in counts.items()}
    assert account_stock("JP", 7, nets, 7 + sum(nets.values())).difference == 0


def test_a_declaration_is_held_against_itself_the_last_one_and_the_register() -> None:
    """Each figure has its own verdict."""
    stock = account_stock("JP", 100, {"RF": 60, "SF": -20, "DS": -5, "LA": -1}, 134)
    last = replace(DECLARED, closing=99)
    rows = {row.flow: row for row in check_stock(DECLARED, stock, last)}
    assert rows["identity"].verdict == "holds"
    assert (rows["continuity"].difference, rows["continuity"].verdict) == (1, "fails")
    assert (rows["imports"].difference, rows["imports"].verdict) == (-10, "fails")
    assert rows["exports"].verdict == "holds"


@pytest.mark.parametrize(
    "flow", ["opening", "production", "imports", "exports", "destroyed", "closing"]
)
def test_a_figure_left_out_is_not_nought(flow: str) -> None:
    """The identity and the figure are unverifiable."""
    stock = account_stock("JP", 100, {"RF": 50, "SF": -20, "DS": -5, "LA": -1}, 124)
    rows = {row.flow: row for row in check_stock(replace(DECLARED, **{flow: None}), stock, None)}
    assert rows["identity"].verdict == rows[flow].verdict == "unverifiable"
    assert rows[flow].difference is None


@pytest.mark.parametrize(
    ("exports", "imports", "gap", "flagged"),
    [
        (100, 100, Fraction(0), False),
        (100, 95, Fraction(5, 100), False),
        (1000, 949, Fraction(51, 1000), True),
        (0, 0, Fraction(0), False),
        (0, 1, Fraction(1), True),
        (10_000, 9_920, Fraction(8, 1000), True),
        (10_000, 9_921, Fraction(79, 10_000), False),
    ],
)
def test_a_mirror_is_flagged_above_five_percent_or_from_one_significant_quantity(
    exports: int, imports: int, gap: Fraction, flagged: bool
) -> None:
    """The gap is |E - I| / max(E, I), exactly; one significant quantity is 80 chips here."""
    row = mirror("JP", "DE", exports, imports, significant=80)
    assert (row.gap, row.is_flagged) == (gap, flagged)
    assert row.verdict == ("fails" if flagged else "holds")


@pytest.mark.parametrize(("exports", "imports"), [(None, 5), (5, None), (None, None)])
def test_a_silent_side_is_not_measured(exports: int | None, imports: int | None) -> None:
    """Silence is no nought."""
    row = mirror("JP", "DE", exports, imports, significant=80)
    assert (row.gap, row.verdict) == (None, "unverifiable")


JAPAN = TradeDeclaration(
    who="JP",
    period=YEAR,
    exports=(
        Trade(partner="DE", model="H100", items=40),
        Trade(partner="DE", model="H100", items=10),
        Trade(partner="TW", model="H100", items=7),
    ),
    imports=(),
)
GERMANY = TradeDeclaration(
    who="DE", period=YEAR, imports=(Trade(partner="JP", model="H100", items=49),)
)


def test_two_declarations_are_mirrored_both_ways_by_model() -> None:
    """Germany says nothing of its exports: that direction is not measured."""
    out, back = trade_mirrors(JAPAN, GERMANY, significant=80)
    assert (out.exporter, out.exports, out.imports, out.gap) == ("JP", 50, 49, Fraction(1, 50))
    assert (back.exporter, back.exports, back.imports, back.verdict) == (
        "DE",
        None,
        0,
        "unverifiable",
    )


def test_declarations_of_different_periods_are_not_compared() -> None:
    """They speak of different things."""
    other = replace(GERMANY, period=Span(start=at(0), end=at(1)))
    with pytest.raises(InvalidInput, match="another period"):
        trade_mirrors(JAPAN, other, significant=80)


@pytest.mark.parametrize(
    ("flop", "days", "chips"),
    [(10**24, 30, 975), (10**24, 365, 80), (10**25, 90, 3_251), (10**26, 90, 32_508), (10**26, 365, 8_016)],
)  # fmt: skip
def test_significant_quantities_are_those_of_the_table(flop: int, days: int, chips: int) -> None:
    """regimes.md 2: H100, 989e12 FLOP/s, 40 %."""
    assert significant_chips(flop, days * 86_400, 989 * 10**12, Fraction(2, 5)) == chips


def test_declarations_are_read_strictly() -> None:
    """There and back; an unknown field, a negative count and no significant quantity are refused."""
    assert parse_stock_declaration(canonical(DECLARED)) == DECLARED
    assert parse_trade_declaration(canonical(JAPAN)) == JAPAN
    with pytest.raises(InvalidInput, match="surplus"):
        parse_stock_declaration(canonical(DECLARED).replace(b'"other"', b'"surplus"'))
    with pytest.raises(InvalidInput, match="exports"):
        parse_stock_declaration(canonical(DECLARED).replace(b'"exports":20', b'"exports":-20'))
    with pytest.raises(InvalidInput, match="significant"):
        mirror("JP", "DE", 1, 1, significant=0)
    with pytest.raises(InvalidInput, match="positive"):
        significant_chips(10**24, 0, 1, Fraction(1))
    with pytest.raises(InvalidInput, match="no change code"):
        account_stock("JP", 0, {"XX": 1}, 0)
