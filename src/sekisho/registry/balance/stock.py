"""A country's stock and its trade: the identity S_t = S_t-1 + production + imports - exports - destroyed, and mirrors.

Sources: Montreal Protocol Art. 7 (the identity), Kimberley Process statistics (the mirror gap); regimes.md 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.statements.shapes import Count, Jurisdiction, Name, Span
from sekisho.model.wire import from_json, parse_json
from sekisho.registry.balance.codes import CODES

__all__ = [
    "MIRROR_FLAG",
    "FlowCheck",
    "Mirror",
    "NationalStock",
    "StockDeclaration",
    "Trade",
    "TradeDeclaration",
    "account_stock",
    "check_stock",
    "mirror",
    "parse_stock_declaration",
    "parse_trade_declaration",
    "significant_chips",
    "trade_mirrors",
]

Verdict: TypeAlias = Literal["holds", "fails", "unverifiable"]
Flow: TypeAlias = Literal[
    "opening", "production", "imports", "exports", "destroyed", "other", "closing"
]
MIRROR_FLAG: Final = Fraction(5, 100)
"""Above this share of the larger figure, or one significant quantity, two sides' figures are flagged."""
_FLOWS: Final[Mapping[str, Flow]] = {
    "CM": "production",
    "MP": "production",
    "RF": "imports",
    "RN": "imports",
    "SF": "exports",
    "SN": "exports",
    "DS": "destroyed",
}
_MAX: Final = 8 * 1024 * 1024
_NAMES: Final[tuple[Flow, ...]] = (
    "opening",
    "production",
    "imports",
    "exports",
    "destroyed",
    "other",
    "closing",
)


class NationalStock(msgspec.Struct, frozen=True, kw_only=True):
    """Components in a country's areas over a period. `other` is all else that came (+) or went: lost, found, between.

    What a shipper of the country has sent and no receiver of it has taken yet is in `other`, not in the stock.
    """

    country: str
    opening: int
    production: int
    imports: int
    exports: int
    destroyed: int
    other: int
    closing: int

    @property
    def difference(self) -> int:
        """Nought by the identity; anything else is an error of the books."""
        came = self.production + self.imports + self.other
        return self.opening + came - self.exports - self.destroyed - self.closing


class StockDeclaration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a country declares of a period, in components; a figure left out is not declared, not nought."""

    country: Jurisdiction
    period: Span
    opening: Count | None = None
    production: Count | None = None
    imports: Count | None = None
    exports: Count | None = None
    destroyed: Count | None = None
    other: Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)] | None = None
    closing: Count | None = None


class FlowCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One figure declared against the register's; `difference` = declared - registered."""

    flow: str
    declared: int | None
    registered: int | None
    difference: int | None
    verdict: Verdict


def account_stock(
    country: str, opening: int, nets: Mapping[str, int], closing: int
) -> NationalStock:
    """A country's stock from its areas' ledgers: counts at both ends and each code's signed sum between them."""
    sums: dict[Flow, int] = dict.fromkeys(_NAMES, 0)
    for code, net in nets.items():
        if code not in CODES:
            raise InvalidInput(f"no change code {code!r}")
        flow = _FLOWS.get(code, "other")
        sums[flow] += -net if flow in ("exports", "destroyed") else net
    return NationalStock(
        country=country,
        opening=opening,
        production=sums["production"],
        imports=sums["imports"],
        exports=sums["exports"],
        destroyed=sums["destroyed"],
        other=sums["other"],
        closing=closing,
    )


def check_stock(
    declared: StockDeclaration, registered: NationalStock | None, last: StockDeclaration | None
) -> tuple[FlowCheck, ...]:
    """A declaration against its own arithmetic, the declaration before it, and the register, figure by figure.

    `identity` compares the closing figure with opening + flows; `continuity` the opening with the last closing.
    The identity has no term for losses and finds: `other` is added where it is declared.
    """
    rows = [_check("identity", declared.closing, _sum_of(declared))]
    if last is not None:
        rows.append(_check("continuity", declared.opening, last.closing))
    for flow in _NAMES if registered is not None else ():
        stated: int | None = getattr(declared, flow)
        known: int = getattr(registered, flow)
        rows.append(_check(flow, stated, known))
    return tuple(rows)


def _sum_of(declared: StockDeclaration) -> int | None:
    figures = (declared.opening, declared.production, declared.imports)
    minus = (declared.exports, declared.destroyed)
    known = [figure for figure in (*figures, *minus) if figure is not None]
    if len(known) < len(figures) + len(minus):
        return None
    return sum(known[:3]) - sum(known[3:]) + (declared.other or 0)


def _check(flow: str, declared: int | None, registered: int | None) -> FlowCheck:
    if declared is None or registered is None:
        return FlowCheck(
            flow=flow,
            declared=declared,
            registered=registered,
            difference=None,
            verdict="unverifiable",
        )
    difference = declared - registered
    return FlowCheck(
        flow=flow,
        declared=declared,
        registered=registered,
        difference=difference,
        verdict="fails" if difference else "holds",
    )


class Trade(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many components of a model sent to, or got from, another party or country."""

    partner: Name
    model: str = ""
    items: Count


class TradeDeclaration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One side's trade of a period. A list left out is a side that is silent; an empty one says that there was none."""

    who: Name
    period: Span
    exports: tuple[Trade, ...] | None = None
    imports: tuple[Trade, ...] | None = None


class Mirror(msgspec.Struct, frozen=True, kw_only=True):
    """Exports that one side states against imports that the other does; `gap` = |E - I| / max(E, I), exact.

    None where a side is silent: not measured. Flagged above 5 % or from one significant quantity of components on.
    """

    exporter: str
    importer: str
    model: str
    exports: int | None
    imports: int | None
    gap: Fraction | None
    is_flagged: bool
    verdict: Verdict


def mirror(
    exporter: str,
    importer: str,
    exports: int | None,
    imports: int | None,
    *,
    significant: int,
    model: str = "",
) -> Mirror:
    """Compare one flow from both sides. Raises InvalidInput where the significant quantity is not positive."""
    if significant <= 0:
        raise InvalidInput("must be at least 1 component", path="significant")
    gap, flagged = None, False
    if exports is not None and imports is not None:
        larger = max(exports, imports)
        gap = Fraction(abs(exports - imports), larger) if larger else Fraction(0)
        flagged = gap > MIRROR_FLAG or abs(exports - imports) >= significant
    return Mirror(
        exporter=exporter,
        importer=importer,
        model=model,
        exports=exports,
        imports=imports,
        gap=gap,
        is_flagged=flagged,
        verdict="unverifiable" if gap is None else "fails" if flagged else "holds",
    )


def trade_mirrors(
    a: TradeDeclaration, b: TradeDeclaration, *, significant: int
) -> tuple[Mirror, ...]:
    """Both directions between two sides, model by model. Raises InvalidInput for declarations of different periods."""
    if (a.period.start, a.period.end) != (b.period.start, b.period.end):
        raise InvalidInput(
            f"{a.who} declares another period than {b.who}",
            path="period",
            remedy="compare declarations of one period",
        )
    rows = []
    for seller, buyer in ((a, b), (b, a)):
        sold, bought = (
            _by_model(seller.exports, buyer.who),
            _by_model(buyer.imports, seller.who),
        )
        models = sorted((sold or {}).keys() | (bought or {}).keys()) or [""]
        rows += [
            mirror(
                seller.who,
                buyer.who,
                None if sold is None else sold.get(model, 0),
                None if bought is None else bought.get(model, 0),
                significant=significant,
                model=model,
            )
            for model in models
        ]
    return tuple(rows)


def _by_model(trades: tuple[Trade, ...] | None, partner: str) -> dict[str, int] | None:
    if trades is None:
        return None
    found: dict[str, int] = {}
    for trade in trades:
        if trade.partner == partner:
            found[trade.model] = found.get(trade.model, 0) + trade.items
    return found


def significant_chips(flop: int, seconds: int, peak_flop_per_s: int, utilisation: Fraction) -> int:
    """The compute significant quantity: chips that do `flop` in `seconds`, to the nearest whole chip, at least 1.

    SCQ(F, T) = F / (peak * utilisation * T); regimes.md 2. Raises InvalidInput for factors that are not positive.
    """
    rate = peak_flop_per_s * utilisation * seconds
    if rate <= 0 or flop <= 0:
        raise InvalidInput("a significant quantity needs positive figures")
    return max(1, round(flop / rate))


def parse_stock_declaration(data: bytes, *, path: str = "") -> StockDeclaration:
    """Read a country's declaration from JSON. Raises InvalidInput with the field's path."""
    return from_json(StockDeclaration, parse_json(data, path=path, limit=_MAX), path=path)


def parse_trade_declaration(data: bytes, *, path: str = "") -> TradeDeclaration:
    """Read one side's trade from JSON. Raises InvalidInput with the field's path."""
    return from_json(TradeDeclaration, parse_json(data, path=path, limit=_MAX), path=path)
