"""From closed balances and production reports to findings in the log: each that fails, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol

import msgspec

from sekisho.model.statements import IrregularityIn
from sekisho.operations.register.balancing import Balances
from sekisho.operations.register.producing import Productions, judge_productions
from sekisho.registry.balance import Balance
from sekisho.registry.production import Quota

__all__ = ["Raising", "Suspicion", "Suspicions", "suspect_balance"]

MOST_NAMED: Final = 20
"""Components that a finding names; it says how many more there are."""


class Raising(Protocol):
    """States a finding, once for the same first three words (operations.register.irregularities)."""

    def __call__(self, books: IrregularityIn, code: str, about: str, detail: str) -> object: ...


class Suspicion(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the books that does not fit: the code, what it is about, and the evidence in words."""

    books: IrregularityIn
    code: str
    about: str
    detail: str


def suspect_balance(balance: Balance) -> Iterator[Suspicion]:
    """One finding for each reason for which a closed balance fails; none for one that merely was not measured."""
    about = f"{balance.area} balance {balance.number}"
    told = (
        ("balance-missing", balance.missing, "in the book and not counted"),
        ("balance-surplus", balance.surplus, "counted and not in the book"),
        ("balance-contradicted", balance.contradicted, "booked since against the last count"),
    )
    for code, epcs, what in told:
        if epcs:
            named = ", ".join(epcs[:MOST_NAMED])
            more = f" and {len(epcs) - MOST_NAMED} more" if len(epcs) > MOST_NAMED else ""
            detail = f"{len(epcs)} {what} at {balance.period.end}: {named}{more}"
            yield Suspicion(books="balance", code=code, about=about, detail=detail)
    if "impossible-book" in balance.reasons:
        detail = "the ledger counts a component other than 0 or 1 times"
        yield Suspicion(books="balance", code="balance-impossible", about=about, detail=detail)


class Suspicions:
    """States what fails in a home's balances and production reports. For one thread."""

    def __init__(
        self,
        balances: Balances,
        productions: Productions,
        quotas: Callable[[], tuple[Quota, ...]],
    ) -> None:
        self._balances = balances
        self._productions = productions
        self._quotas = quotas
        self._seen: dict[str, int] = {}
        self._reported = 0

    def raise_new(self, raising: Raising) -> int:
        """State what was kept since the last call; how many findings that made.

        Stated again after a crash they are the same findings, which the log holds once.
        """
        found = list(self._new_balances())
        found += self._new_productions()
        for one in found:
            raising(one.books, one.code, one.about, one.detail)
        return len(found)

    def _new_balances(self) -> Iterator[Suspicion]:
        for area in self._balances.closed():
            kept = self._balances.balances(area)
            for balance in kept[self._seen.get(area, 0) :]:
                yield from suspect_balance(balance)
            self._seen[area] = len(kept)

    def _new_productions(self) -> list[Suspicion]:
        reports = self._productions.load()
        if len(reports) == self._reported:
            return []
        self._reported = len(reports)
        checked, quotas = judge_productions(reports, self._quotas())
        found = []
        for one in checked:
            about = f"{one.report.fab} {one.report.product} from {one.report.period.start}"
            for check in one.checks:
                if check.verdict == "fails":
                    detail = check.why or (
                        f"{check.name}: stated {check.stated}, expected {check.expected} {check.unit}"
                    )
                    code = f"production-{check.name}"
                    found.append(
                        Suspicion(books="production", code=code, about=about, detail=detail)
                    )
        for state in quotas:
            if state.over:
                about = (
                    f"{state.quota.fab} {state.quota.product} quota from {state.quota.period.start}"
                )
                detail = f"{state.over} dies beyond the quota of {state.quota.dies}"
                found.append(
                    Suspicion(books="production", code="over-quota", about=about, detail=detail)
                )
        return found
