from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from sekisho.model.errors import StateConflict
from sekisho.model.statements import ProductionReported, make_payload
from sekisho.model.statements.shapes import Span
from sekisho.operations.register.producing import draft_production, judge_productions
from sekisho.operations.register.suspecting import Suspicions
from sekisho.registry.production import Production, Quota, Scrap
from sekisho.signing import open_fields
from tests.balanced import Ledger, salts
from tests.registered import standing
from tests.registry.balance.worlds import at, counted, row

MAY, JUNE = Span(start=at(0), end=at(744)), Span(start=at(744), end=at(1_464))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path)
    yield made
    made.store.close()


def made(dies: int | None = 10, period: Span = MAY, *certificates: str) -> Production:
    scrap = tuple(Scrap(certificate=name, issuer="r", dies=1) for name in certificates)
    return Production(
        party="maker", fab="fab-18", product="H100", period=period, good_dies=dies, scrap=scrap
    )


def test_a_certificate_counts_for_the_report_that_named_it_first() -> None:
    """Over all reports, those kept before included."""
    checked, _ = judge_productions([made(5, MAY, "c-1"), made(5, JUNE, "c-1")])
    assert [one.verdict for one in checked] == ["unverifiable", "fails"]
    again, _ = judge_productions([made(5, JUNE, "c-1")], earlier=[made(5, MAY, "c-1")])
    why = {check.name: check.why for check in again[0].checks}["certificates"]
    assert why.startswith("counted twice: c-1 (counted in fab-18 H100 from ")


def test_reports_kept_before_use_the_quota_too() -> None:
    """Reporting in parts helps nobody."""
    quota = Quota(fab="fab-18", period=Span(start=at(0), end=at(1_464)), dies=10)
    _, (state,) = judge_productions([made(6, JUNE)], [quota], earlier=[made(6, MAY)])
    assert (state.used, state.over) == (12, 2)


def test_a_report_is_kept_once(ledger: Ledger) -> None:
    """Another one of the same time is no correction."""
    assert ledger.productions.keep(made()) == 1
    assert ledger.productions.keep(made(7, JUNE)) == 2
    assert ledger.productions.load() == (made(), made(7, JUNE))
    with pytest.raises(StateConflict, match="is kept already"):
        ledger.productions.keep(made(3))


def test_the_register_counts_the_dies_itself(ledger: Ledger) -> None:
    """Those of this maker and product, made in the period, whatever the report says."""
    dies = [
        standing("d1", component="logic-die", model="H100", made=at(1)),
        standing("d2", component="logic-die", model="H100", made=at(743)),
        standing("d3", component="logic-die", model="H100", made=at(744)),
        standing("d4", component="logic-die", model="B200", made=at(1)),
        standing("d5", component="logic-die", model="H100", maker="other", made=at(1)),
        standing("p1", component="package", model="H100", made=at(1)),
    ]
    ledger.write(standings=dies)
    assert ledger.productions.with_register(replace(made(), registered=99)).registered == 2


def test_the_makers_statement_hides_fab_and_figures() -> None:
    """Only who reported, and of which period, is public."""
    checked, _ = judge_productions([made()])
    draft = draft_production(checked[0], salts())
    assert isinstance(draft.fact, ProductionReported)
    assert b"fab-18" not in make_payload(draft.fact)
    fields = open_fields((d.text for d in draft.disclosures), draft.fact.concealed).fields
    assert (fields["fab"], fields["good_dies"], fields["packages"]) == (
        "fab-18",
        "10",
        "not reported",
    )


class Raised:
    """Hears what is stated."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []
        self.details: list[str] = []

    def __call__(self, books: str, code: str, about: str, detail: str) -> None:
        self.told.append((books, code, about))
        self.details.append(detail)


def test_what_fails_is_stated_once(ledger: Ledger) -> None:
    """Missing and surplus by name, the quota with its excess; nothing again at the next look."""
    ledger.write([row("CM", "a", 1), row("CM", "b", 1)])
    ledger.balances.close(
        "osaka", party="cloud", until=at(10), now=at(11), inventory=counted(["a", "x"], 10)
    )
    ledger.productions.keep(made(12))
    quotas = (Quota(fab="fab-18", period=MAY, dies=10),)
    suspicions = Suspicions(ledger.balances, ledger.productions, lambda: quotas)
    raised = Raised()
    assert suspicions.raise_new(raised) == 3
    assert raised.told == [
        ("balance", "balance-missing", "osaka balance 1"),
        ("balance", "balance-surplus", "osaka balance 1"),
        ("production", "over-quota", f"fab-18  quota from {at(0)}"),
    ]
    assert "b" in raised.details[0]
    assert suspicions.raise_new(raised) == 0


def test_what_was_only_not_measured_is_no_finding(ledger: Ledger) -> None:
    """Unverifiable is not failed."""
    ledger.write([row("CM", "a", 1)])
    ledger.balances.close("osaka", party="cloud", until=at(10), now=at(11))
    ledger.productions.keep(made())
    assert Suspicions(ledger.balances, ledger.productions, tuple).raise_new(Raised()) == 0
