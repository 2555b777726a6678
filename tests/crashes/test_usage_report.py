"""The process dies between any two writes of a usage report; nothing is lost, and nothing comes twice.

roll-up kept -> disclosures kept -> statement in the log -> its deposit.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.adapters.durable_files import OsDisk
from sekisho.adapters.storage.private_sqlite import PrivateSqlite
from sekisho.adapters.storage.report_files import ReportFiles
from sekisho.metering.accounts.roll_up import RollUp, payload_digest
from sekisho.model.errors import Unavailable
from sekisho.operations.usage.reporting import UsageReports
from sekisho.operations.usage.shelf import RollUpShelf
from tests.crashes.test_deposit_steps import crash
from tests.fakes import Crashed
from tests.reported import DAY, PERIOD, Reporting
from tests.usage_days import allocated, used

ACME = "customer/" + b"acme".hex()


def settled(desk: Reporting) -> None:
    """After the next report every roll-up is kept once and stated once, with its disclosures."""
    desk.report()
    size = desk.made.desk.state.size
    desk.report()
    assert desk.made.desk.state.size == size
    assert len(desk.stated()) == 3
    for name in desk.shelf.names():
        (kept,) = desk.shelf.load(name)
        assert isinstance(kept, RollUp)
        digest = payload_digest(kept)
        assert desk.made.desk.find(digest) is not None
        assert desk.made.desk.disclosures_of(digest)
    assert desk.made.deposits.deposits_missing() == ()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", ["usage-reported", "disclosure-deposited"])
def test_a_death_around_an_entry_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, *, after: bool
) -> None:
    """The next start states what was kept, by the very same statement."""
    with Reporting(tmp_path, holders=3) as desk:
        with monkeypatch.context() as dying:
            crash(dying, kind, after=after)
            with pytest.raises(Crashed):
                desk.report()
        (kept,) = desk.shelf.load(desk.shelf.names()[0])
        assert isinstance(kept, RollUp)
    with Reporting(tmp_path, holders=3) as desk:
        assert desk.made.desk.find(payload_digest(kept)) is not None
        settled(desk)


def test_a_death_between_document_and_disclosures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document lies there with its salt: everything else follows from it."""

    def die(*_: object) -> None:
        raise Crashed("disclosures")

    with Reporting(tmp_path) as desk, monkeypatch.context() as dying:
        dying.setattr(PrivateSqlite, "save_disclosures", die)
        with pytest.raises(Crashed):
            desk.report()
        assert desk.stated() == []
    with Reporting(tmp_path) as desk:
        assert len(desk.stated()) == 1
        settled(desk)


class DyingDisk(OsDisk):
    """Refuses at one step of writing, before or after it took effect."""

    def __init__(self, step: str, *, after: bool) -> None:
        original = getattr(self, step)

        def fail(*arguments: object) -> object:
            if after:
                original(*arguments)
            raise OSError(5, "the machine stops here")

        setattr(self, step, fail)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "step", ["make_folder", "create", "write", "sync", "remove", "sync_folder"]
)
def test_a_death_while_the_document_is_written(tmp_path: Path, step: str, *, after: bool) -> None:
    """It is there whole or not at all."""
    with Reporting(tmp_path) as desk:
        shelf = RollUpShelf(ReportFiles(tmp_path / "reports", DyingDisk(step, after=after)))
        dying = UsageReports(desk.made.desk, shelf, draw=bytes)
        with pytest.raises(Unavailable):
            dying.report(desk.plan())
    with Reporting(tmp_path) as desk:
        settled(desk)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_death_around_a_correction_leaves_one_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    """The correction is stated once, and names the first report."""
    with Reporting(tmp_path) as desk:
        desk.report()
        desk.telemetry.correct("1", chips=1)
        with monkeypatch.context() as dying:
            crash(dying, "usage-reported", after=after)
            with pytest.raises(Crashed):
                desk.report("fewer chips")
    with Reporting(tmp_path, desk.telemetry) as desk:
        chain = desk.made.desk.state.usage.chain(ACME, PERIOD)
        assert [link.fact.corrects for link in chain] == [None, chain[0].digest]
        assert {plan.kind for plan in desk.plan()} == {"unchanged"}
        assert desk.reports.complete() == 0


def test_what_was_kept_and_not_stated_is_stated_before_anything_else_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk refuses and comes back, no restart between: the day before is not left behind."""
    with Reporting(tmp_path) as desk:
        desk.telemetry.usages.append(used("1", DAY.plus(-86_400)))
        desk.telemetry.records.append(allocated("1", DAY.plus(-86_400), hours=1))
        with monkeypatch.context() as refusing:
            crash(refusing, "usage-reported", after=False, error=Unavailable("no space"))
            with pytest.raises(Unavailable):
                desk.report(start=DAY.plus(-86_400))
        assert desk.stated() == []
        desk.report()
        assert len(desk.stated()) == 4
        assert desk.reports.complete() == 0
