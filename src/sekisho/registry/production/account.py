"""Does a fab's report hold together? Several bounds, each from figures that different hands keep. Pure.

Formula F10 (mechanisms.md): wafers * gross dies * yield +- tolerance = good + certified scrap; HBM used >= packages *
stacks; exposure hours bound the wafers from above; dies registered = good dies. A residual beyond its tolerance fails;
a figure that is not reported leaves its check unverifiable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.amounts import parse_amount
from sekisho.model.errors import InvalidInput
from sekisho.registry.production.report import Decimal, Production

__all__ = ["CHECKS", "Check", "CheckName", "Tolerances", "Verdict", "check_production"]

Verdict: TypeAlias = Literal["holds", "fails", "unverifiable"]
CheckName: TypeAlias = Literal[
    "die-balance",
    "dies-registered",
    "gross-dies",
    "euv-bound",
    "hbm-balance",
    "packages-of-dies",
    "certificates",
]
_PI_UP: Final = Fraction(31_416, 10_000)
"""A little above pi, so that the bound on dies per wafer stays a bound."""


class Tolerances(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rule's parameters, relative: of the expected dies, and of the HBM stacks that should have been used."""

    dies: Decimal = "0.03"
    hbm: Decimal = "0.005"

    def __post_init__(self) -> None:
        for name in ("dies", "hbm"):
            if parse_amount(getattr(self, name)) >= 1:
                raise InvalidInput("is a share below 1", path=name)


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check. `residual` = stated - expected in `unit`, exact; positive is more than can be explained.

    For a bound only a positive residual beyond `tolerance` fails; for a balance one on either side does. `missing` are
    the figures without which nothing can be said.
    """

    name: CheckName
    unit: str
    expected: Fraction | None = None
    stated: Fraction | None = None
    residual: Fraction | None = None
    tolerance: Fraction = Fraction(0)
    missing: tuple[str, ...] = ()
    verdict: Verdict
    why: str = ""


def check_production(
    report: Production,
    tolerances: Tolerances,
    counted_certificates: Mapping[str, str],
) -> tuple[Check, ...]:
    """All checks of one report. `counted_certificates` says of certificates counted before in which report."""
    checks = [check(report, tolerances) for check in CHECKS.values()]
    return (*checks, _certificates(report, counted_certificates))


def _die_balance(report: Production, tolerances: Tolerances) -> Check:
    missing = _missing(
        report, "wafers_started", "gross_dies_per_wafer", "yield_share", "good_dies", "scrap"
    )
    if missing:
        return _open("die-balance", "dies", missing)
    wafers, gross = Fraction(report.wafers_started or 0), report.gross_dies_per_wafer or 0
    expected = wafers * gross * parse_amount(report.yield_share)
    stated = Fraction((report.good_dies or 0) + sum(scrap.dies for scrap in report.scrap or ()))
    return _balance("die-balance", "dies", expected, stated, parse_amount(tolerances.dies))


def _dies_registered(report: Production, tolerances: Tolerances) -> Check:  # noqa: ARG001  # one shape for all
    missing = _missing(report, "good_dies", "registered")
    if missing:
        return _open("dies-registered", "dies", missing)
    good, registered = Fraction(report.good_dies or 0), Fraction(report.registered or 0)
    return _balance("dies-registered", "dies", good, registered, Fraction(0))


def _gross_dies(report: Production, tolerances: Tolerances) -> Check:  # noqa: ARG001  # one shape for all
    """No more dies on a wafer than its area holds: pi d^2 / 4A."""
    missing = _missing(report, "gross_dies_per_wafer", "wafer_mm", "die_area_mm2")
    if missing:
        return _open("gross-dies", "dies a wafer", missing)
    area = parse_amount(report.die_area_mm2)
    if not area:
        return _open("gross-dies", "dies a wafer", ("die_area_mm2",))
    most = _PI_UP * parse_amount(report.wafer_mm) ** 2 / (4 * area)
    return _bound("gross-dies", "dies a wafer", most, Fraction(report.gross_dies_per_wafer or 0))


def _euv_bound(report: Production, tolerances: Tolerances) -> Check:  # noqa: ARG001  # one shape for all
    """Each wafer passes the tool once for each layer, so hours bound wafers whatever a fab says of them."""
    missing = _missing(report, "wafers_started", "euv_hours", "euv_wafers_per_hour", "euv_layers")
    if missing or not report.euv_layers:
        return _open("euv-bound", "wafers", missing or ("euv_layers",))
    hours, rate = parse_amount(report.euv_hours), parse_amount(report.euv_wafers_per_hour)
    most = hours * rate / report.euv_layers
    return _bound("euv-bound", "wafers", most, Fraction(report.wafers_started or 0))


def _hbm_balance(report: Production, tolerances: Tolerances) -> Check:
    """Stacks in, less stock and certified loss, against the stacks in the packages made."""
    names = ("hbm_opening", "hbm_received", "hbm_scrapped", "hbm_closing")
    missing = _missing(report, *names, "packages", "stacks_per_package")
    if missing:
        return _open("hbm-balance", "stacks", missing)
    opening, received, scrapped, closing = (Fraction(getattr(report, name)) for name in names)
    used = opening + received - scrapped - closing
    made = Fraction((report.packages or 0) * (report.stacks_per_package or 0))
    return _balance("hbm-balance", "stacks", made, used, parse_amount(tolerances.hbm))


def _packages_of_dies(report: Production, tolerances: Tolerances) -> Check:  # noqa: ARG001  # one shape for all
    """No package without a good die; dies may lie in stock, so this bounds one way."""
    missing = _missing(report, "packages", "good_dies")
    if missing:
        return _open("packages-of-dies", "packages", missing)
    good, packages = Fraction(report.good_dies or 0), Fraction(report.packages or 0)
    return _bound("packages-of-dies", "packages", good, packages)


CHECKS: Final[Mapping[str, Callable[[Production, Tolerances], Check]]] = {
    "die-balance": _die_balance,
    "dies-registered": _dies_registered,
    "gross-dies": _gross_dies,
    "euv-bound": _euv_bound,
    "hbm-balance": _hbm_balance,
    "packages-of-dies": _packages_of_dies,
}


def _certificates(report: Production, counted: Mapping[str, str]) -> Check:
    """A certificate counts once: twice in one report, or in an earlier one, is the same dies destroyed twice."""
    if report.scrap is None:
        return _open("certificates", "certificates", ("scrap",))
    names = [scrap.certificate for scrap in report.scrap]
    again = sorted({name for name in names if names.count(name) > 1 or name in counted})
    told = [f"{name} (counted in {counted[name]})" if name in counted else name for name in again]
    return Check(
        name="certificates",
        unit="certificates",
        expected=Fraction(0),
        stated=Fraction(len(again)),
        residual=Fraction(len(again)),
        verdict="fails" if again else "holds",
        why="counted twice: " + ", ".join(told) if again else "",
    )


def _missing(report: Production, *names: str) -> tuple[str, ...]:
    return tuple(name for name in names if getattr(report, name) is None)


def _open(name: CheckName, unit: str, missing: Iterable[str]) -> Check:
    return Check(name=name, unit=unit, missing=tuple(missing), verdict="unverifiable")


def _balance(
    name: CheckName, unit: str, expected: Fraction, stated: Fraction, share: Fraction
) -> Check:
    residual, tolerance = stated - expected, expected * share
    return Check(
        name=name,
        unit=unit,
        expected=expected,
        stated=stated,
        residual=residual,
        tolerance=tolerance,
        verdict="fails" if abs(residual) > tolerance else "holds",
    )


def _bound(name: CheckName, unit: str, most: Fraction, stated: Fraction) -> Check:
    return Check(
        name=name,
        unit=unit,
        expected=most,
        stated=stated,
        residual=stated - most,
        verdict="fails" if stated > most else "holds",
    )
