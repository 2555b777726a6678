from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from msgspec.structs import replace

from sekisho.model.errors import InvalidInput
from sekisho.model.statements.shapes import Span
from sekisho.model.wire import canonical
from sekisho.registry.production import (
    Production,
    Scrap,
    Tolerances,
    check_production,
    parse_production,
    parse_production_table,
)
from tests.registry.balance.worlds import at

REPORT = Production(
    party="maker",
    fab="fab-18",
    product="H100",
    period=Span(start=at(0), end=at(720)),
    wafers_started=1_000,
    wafer_mm="300",
    die_area_mm2="814",
    gross_dies_per_wafer=65,
    yield_share="0.6",
    good_dies=38_500,
    registered=38_500,
    scrap=(Scrap(certificate="c-1", issuer="recycler", dies=400),),
    hbm_opening=1_000,
    hbm_received=190_000,
    hbm_scrapped=500,
    hbm_closing=500,
    packages=38_000,
    stacks_per_package=5,
    euv_hours="400",
    euv_wafers_per_hour="160",
    euv_layers=20,
)


def verdicts(report: Production, counted: dict[str, str] | None = None) -> dict[str, str]:
    checks = check_production(report, Tolerances(), counted or {})
    return {check.name: check.verdict for check in checks}


def test_a_sound_report_holds() -> None:
    """Every check by itself."""
    assert set(verdicts(REPORT).values()) == {"holds"}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"good_dies": 30_000, "registered": 30_000, "packages": 1}, "die-balance"),
        ({"wafers_started": 2_000}, "die-balance"),
        ({"registered": 38_400}, "dies-registered"),
        ({"gross_dies_per_wafer": 87}, "gross-dies"),
        ({"euv_hours": "124.9"}, "euv-bound"),
        ({"packages": 36_000}, "hbm-balance"),
        ({"packages": 38_501}, "packages-of-dies"),
        ({"scrap": (*(REPORT.scrap or ()), *(REPORT.scrap or ()))}, "certificates"),
    ],
)
def test_each_kind_of_hidden_production_fails_its_check(change: dict[str, Any], name: str) -> None:
    """Dies kept back, wafers too many, dies unregistered, stacks gone elsewhere, hours too few."""
    assert verdicts(replace(REPORT, **change))[name] == "fails"


def test_the_residual_is_exact_and_has_its_sign() -> None:
    """Stated 38,500 + 400 against 1,000 * 65 * 0.6 = 39,000, within 3 % = 1,170."""
    balance = check_production(REPORT, Tolerances(), {})[0]
    assert balance.expected == 39_000
    assert balance.stated == 38_900
    assert balance.residual == -100
    assert (balance.tolerance, balance.unit) == (Fraction(1_170), "dies")
    tight = check_production(REPORT, Tolerances(dies="0.0025"), {})[0]
    assert (tight.tolerance, tight.verdict) == (Fraction(195, 2), "fails")


def test_exposure_hours_bound_the_wafers_whatever_else_is_said() -> None:
    """125 hours * 160 / 20 layers = 1,000 wafers: one more is one too many, and fewer is no finding."""
    assert verdicts(replace(REPORT, euv_hours="125"))["euv-bound"] == "holds"
    more = replace(REPORT, euv_hours="125", wafers_started=1_001)
    assert verdicts(more)["euv-bound"] == "fails"


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("wafers_started", {"die-balance", "euv-bound"}),
        ("gross_dies_per_wafer", {"die-balance", "gross-dies"}),
        ("yield_share", {"die-balance"}),
        ("good_dies", {"die-balance", "dies-registered", "packages-of-dies"}),
        ("registered", {"dies-registered"}),
        ("scrap", {"die-balance", "certificates"}),
        ("wafer_mm", {"gross-dies"}),
        ("die_area_mm2", {"gross-dies"}),
        ("hbm_closing", {"hbm-balance"}),
        ("hbm_scrapped", {"hbm-balance"}),
        ("packages", {"hbm-balance", "packages-of-dies"}),
        ("euv_hours", {"euv-bound"}),
        ("euv_layers", {"euv-bound"}),
    ],
)
def test_a_figure_left_out_leaves_its_checks_unverifiable(field: str, names: set[str]) -> None:
    """And names itself; nothing is taken for nought."""
    checks = check_production(replace(REPORT, **{field: None}), Tolerances(), {})
    found = {check.name for check in checks if check.verdict == "unverifiable"}
    assert found == names
    assert all(field in check.missing for check in checks if check.name in names)


def test_scrap_that_is_said_to_be_none_is_a_figure() -> None:
    """An empty list is not a missing one."""
    assert verdicts(replace(REPORT, scrap=()))["die-balance"] == "holds"


def test_a_product_without_layers_has_no_bound() -> None:
    """Nothing is divided by nought."""
    assert verdicts(replace(REPORT, euv_layers=0))["euv-bound"] == "unverifiable"
    assert verdicts(replace(REPORT, die_area_mm2="0"))["gross-dies"] == "unverifiable"


def test_a_tolerance_of_everything_is_refused() -> None:
    """It would let any report pass."""
    with pytest.raises(InvalidInput, match="dies: is a share below 1"):
        Tolerances(dies="1")


def test_a_report_goes_to_json_and_back() -> None:
    """One, or a list of them."""
    data = canonical(REPORT)
    assert parse_production(data) == (REPORT,)
    assert parse_production(b"[" + data + b"]") == (REPORT,)


TABLE = (
    "party,fab,product,start,end,wafers_started,yield_share,good_dies,scrap\n"
    "maker,fab-18,H100,2025-06-15T15:06:40Z,2025-07-15T15:06:40Z,1000,0.6,,c-1:rec:400 c-2:rec:1\n"
    "maker,fab-19,H100,2025-06-15T15:06:40Z,2025-07-15T15:06:40Z,,0.6,5,none\n"
)


def test_a_table_is_read_and_its_empty_cells_are_not_nought() -> None:
    """`none` says that nothing was scrapped."""
    one, other = parse_production_table(TABLE.encode("utf-8-sig"))
    assert (one.period, one.wafers_started, one.good_dies) == (REPORT.period, 1_000, None)
    assert [(scrap.certificate, scrap.dies) for scrap in one.scrap or ()] == [
        ("c-1", 400),
        ("c-2", 1),
    ]
    assert (other.scrap, other.wafers_started) == ((), None)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("1000,", "-1000,", "line 2: wafers_started: '-1000' is not a whole number"),
        ("0.6,,", "1.2,,", "line 2: yield_share: is a share"),
        ("c-1:rec:400 ", "c-1 ", "line 2: scrap: 'c-1' is no certificate; write"),
        ("c-1:rec:400", "c-1:rec:4x0", "line 2: scrap: '4x0' is not a whole"),
        (",none", "", "line 3: has another number of cells"),
        ("2025-07-15T15:06:40Z,1000", "2025-06-15T15:06:40Z,1000", "line 2: period: ends before"),
        ("wafers_started", "wafers", "wafers"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(old: str, new: str, why: str) -> None:
    """And its column where one is at fault."""
    assert old in TABLE
    with pytest.raises(InvalidInput, match=why):
        parse_production_table(TABLE.replace(old, new, 1).encode(), path="p.csv")


def test_a_table_in_another_encoding_is_refused() -> None:
    """By the place of the first byte."""
    with pytest.raises(InvalidInput, match="byte 6 is not UTF-8"):
        parse_production_table(b"party\n\x93\n", path="p.csv")
