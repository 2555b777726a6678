"""Usage reports before an auditor: chains that hold, overlaps that fail, readings that are not at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.auditor import Report, Trust, audit_bundle, open_evidence
from sekisho.metering.accounts.roll_up import RollUp, payload_digest, statement_of
from sekisho.model.statements import UsageReported
from sekisho.operations import admission
from sekisho.operations.bundle import collect_bundle, write_bundle
from sekisho.operations.usage.reporting import UsageReports
from sekisho.rules import load_pack, pack_bytes
from tests import factory as f
from tests.reported import PERIOD, Reporting

ACME = "customer/" + b"acme".hex()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Reporting]:
    with Reporting(tmp_path) as made:
        yield made


def audited(desk: Reporting, accepted: tuple[str, ...] = ()) -> Report:
    desk.made.desk.mark_time()
    pack = load_pack()
    files = collect_bundle(
        cosigned=desk.made.cosigned(),
        tiles=desk.made.tiles,
        recorded=desk.made.desk.recorded(),
        private=desk.made.private,
        packs={f"{pack.reference.name}-{pack.reference.version}": pack_bytes()},
    )
    folder = desk.made.folder / f"bundle-{desk.made.desk.state.size}"
    write_bundle(folder, files, origin=f.ORIGIN, signer=f.LOG, now=desk.clock.now())
    return audit_bundle(open_evidence(folder), Trust(policy=desk.made.root), accepted=accepted)


def check(report: Report, name: str = "usage-reports") -> tuple[str, str]:
    found = next(row for row in report.checks if row.name == name)
    return found.verdict, found.detail


def kept(desk: Reporting) -> RollUp:
    found = desk.shelf.find(ACME, PERIOD)
    assert isinstance(found, RollUp)
    return found


def state_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """A control plane that admits what it should not."""
    monkeypatch.setattr(admission, "check_admission", lambda *_, **__: None)
    monkeypatch.setattr("sekisho.operations.desk.check_admission", lambda *_, **__: None)


def test_a_log_without_reports_holds(desk: Reporting) -> None:
    """Nothing is asked of it."""
    report = audited(desk)
    assert check(report)[0] == check(report, "usage-evidence")[0] == "holds"


def test_reports_and_their_corrections_hold_and_a_lowering_is_said(desk: Reporting) -> None:
    """By the disclosed figures."""
    desk.report()
    desk.telemetry.correct("1", chips=4)
    desk.report("fewer chips")
    verdict, detail = check(audited(desk))
    assert verdict == "holds"
    assert detail == "4 usage reports, 1 of them corrections, 1 of which lower a figure"


def test_readings_that_are_named_and_not_there_are_unverifiable(desk: Reporting) -> None:
    """Until somebody takes them on trust by name."""
    desk.report()
    verdict, detail = check(audited(desk), "usage-evidence")
    assert verdict == "unverifiable"
    assert "verify-report" in detail
    assert check(audited(desk, ("usage-evidence",)), "usage-evidence")[0] == "unverifiable"


def test_an_overlapping_report_in_the_log_fails(
    desk: Reporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever let it in."""
    desk.report()
    state_anything(monkeypatch)
    second = msgspec.structs.replace(
        kept(desk),
        period=msgspec.structs.replace(PERIOD, start=PERIOD.start.plus(3_600)),
        salt="66" * 16,
    )
    desk.made.desk.state_fact(statement_of(second)[0])
    verdict, detail = check(audited(desk))
    assert verdict == "fails"
    assert "is reported from" in detail


def test_a_correction_of_what_is_corrected_already_fails(
    desk: Reporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two figures would stand side by side."""
    desk.report()
    first = kept(desk)
    desk.telemetry.correct("1", chips=4)
    desk.report("fewer chips")
    state_anything(monkeypatch)
    fork = msgspec.structs.replace(
        first, corrects=payload_digest(first), reason="another", salt="77" * 16
    )
    monkeypatch.setattr("sekisho.operations.desk.unique_keys", lambda _: ())
    desk.made.desk.state_fact(statement_of(fork)[0])
    verdict, detail = check(audited(desk))
    assert verdict == "fails"
    assert "already" in detail


def test_figures_out_of_order_fail_and_hidden_ones_cannot_be_told(
    desk: Reporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gap longer than the time is no figure; what is not disclosed is not passed."""
    (plan,) = [plan for plan in desk.plan() if plan.roll_up.licensee == ACME]
    row = msgspec.structs.replace(plan.roll_up.rows[0], gap_ms=10**12)
    wrong = msgspec.structs.replace(plan.roll_up, rows=(row,), salt="88" * 16)
    fact, texts = statement_of(wrong)
    desk.made.desk.state_fact(fact, disclosures=texts)
    verdict, detail = check(audited(desk))
    assert verdict == "fails"
    assert "gap_ms" in detail


def test_a_report_whose_disclosures_are_withheld_is_unverifiable(desk: Reporting) -> None:
    """Unknown, never zero."""
    (plan,) = [plan for plan in desk.plan() if plan.roll_up.licensee == ACME]
    fact, _ = statement_of(msgspec.structs.replace(plan.roll_up, salt="99" * 16))
    desk.made.desk.state_fact(fact)
    verdict, detail = check(audited(desk))
    assert verdict == "unverifiable"
    assert "not disclosed" in detail


def test_an_erased_report_is_no_gap(desk: Reporting) -> None:
    """The law took the figures away, and the log says so."""
    desk.report()
    known = desk.made.desk.state.usage.find(ACME, PERIOD)
    assert known is not None
    assert isinstance(known.fact, UsageReported)
    desk.made.deposits.erase(known.digest, "Data act")
    assert isinstance(desk.reports, UsageReports)
    assert check(audited(desk))[0] == "holds"
