"""What fabs report, checked together: a report against its figures, certificates, quotas and the register."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.errors import Corrupt, InvalidInput, StateConflict
from sekisho.model.statements import ProductionReported
from sekisho.model.statements.shapes import Span
from sekisho.model.wire import canonical, from_json, parse_json
from sekisho.operations.register.balancing import Draft, conceal_fields
from sekisho.ports.register_store import RegisterStore
from sekisho.ports.report_store import ReportStore
from sekisho.registry.balance import salted_digest
from sekisho.registry.production import (
    Check,
    Production,
    Quota,
    QuotaState,
    Tolerances,
    check_production,
    post_quota,
)

__all__ = ["CheckedProduction", "Productions", "draft_production", "judge_productions"]

Verdict: TypeAlias = Literal["holds", "fails", "unverifiable"]
Draw: TypeAlias = Callable[[int], bytes]
SALT_BYTES: Final = 16


class CheckedProduction(msgspec.Struct, frozen=True, kw_only=True):
    """One report with all that was checked of it. The verdict is the worst check: fails, unverifiable, holds."""

    report: Production
    checks: tuple[Check, ...]

    @property
    def verdict(self) -> Verdict:
        found = {check.verdict for check in self.checks}
        if "fails" in found:
            return "fails"
        return "unverifiable" if "unverifiable" in found else "holds"


def judge_productions(
    reports: Sequence[Production],
    quotas: Sequence[Quota] = (),
    *,
    tolerances: Tolerances | None = None,
    earlier: Sequence[Production] = (),
) -> tuple[tuple[CheckedProduction, ...], tuple[QuotaState, ...]]:
    """Reports in their order, each certificate counting for the first that names it; then the quotas over all of them.

    `earlier` are reports that were kept before: their certificates count, and they use the quotas. Raises InvalidInput
    for reports that overlap or that lie in no one quota period.
    """
    states = post_quota(quotas, [*earlier, *reports])
    counted = {s.certificate: _name(r) for r in earlier for s in r.scrap or ()}
    checked = []
    for report in reports:
        checks = check_production(report, tolerances or Tolerances(), counted)
        checked.append(CheckedProduction(report=report, checks=checks))
        for scrap in report.scrap or ():
            counted.setdefault(scrap.certificate, _name(report))
    return tuple(checked), states


def _name(report: Production) -> str:
    return f"{report.fab} {report.product} from {report.period.start}"


class Productions:
    """The production reports that a home keeps, by fab, and what its register knows of dies."""

    def __init__(self, store: RegisterStore, reports: ReportStore) -> None:
        self._store = store
        self._reports = reports

    def load(self) -> tuple[Production, ...]:
        """Every report kept, fab by fab, oldest first. Raises Corrupt for what is none."""
        return tuple(
            _parse(data, f"{fab} {number}")
            for fab in self._reports.load_names("production")
            for number, data in enumerate(self._reports.load_all("production", fab), 1)
        )

    def count_registered(self, party: str, product: str, period: Span) -> int:
        """How many logic dies of a product this maker registered as made in a half-open period."""
        made = (
            standing.identity.maker == party and period.start <= standing.made < period.end
            for standing in self._store.iterate_standings(
                {"component": ("logic-die",), "model": (product,)}
            )
        )
        return sum(made)

    def with_register(self, report: Production) -> Production:
        """The report with the register's own count of dies, whatever it says of that itself."""
        count = self.count_registered(report.party, report.product, report.period)
        return msgspec.structs.replace(report, registered=count)

    def keep(self, report: Production) -> int:
        """Keep a report and give its number. Raises StateConflict where one of the same fab and time is kept.

        A crash before: nothing was reported. After it: reporting the same again is refused as already there.
        """
        kept = self._reports.load_all("production", report.fab)
        for data in kept:
            other = _parse(data, report.fab)
            if other.product == report.product and _overlap(other.period, report.period):
                raise StateConflict(
                    f"a report of {_name(other)} is kept already",
                    remedy="what was reported is corrected by a statement, never replaced",
                )
        self._reports.add("production", report.fab, len(kept) + 1, canonical(report))
        return len(kept) + 1


def _parse(data: bytes, name: str) -> Production:
    try:
        return from_json(Production, parse_json(data, path=name), path=name)
    except InvalidInput as error:
        raise Corrupt(f"a kept report cannot be read: {error}") from None


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def draft_production(checked: CheckedProduction, draw: Draw) -> Draft:
    """What the maker states of a report: party and period are public, fab and figures concealed."""
    report, salt = checked.report, draw(SALT_BYTES)
    figures: Mapping[str, object] = {
        "wafers_started": report.wafers_started,
        "good_dies": report.good_dies,
        "packages": report.packages,
    }
    fields = {"fab": report.fab, "product": report.product, "report_salt": salt.hex()}
    fields |= {
        name: "not reported" if value is None else str(value) for name, value in figures.items()
    }
    concealed, disclosures = conceal_fields(fields, draw)
    fact = ProductionReported(
        effective=report.period.end,
        party=report.party,
        period=report.period,
        report=salted_digest(salt, [report.digest]),
        concealed=concealed,
    )
    return Draft(fact=fact, disclosures=disclosures)
