from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from sekisho.model.errors import Corrupt, InvalidInput, StateConflict
from sekisho.model.statements import BalanceClosed, InventoryTaken, make_payload, parse_payload
from sekisho.model.statements.shapes import Span
from sekisho.model.wire import canonical
from sekisho.operations.register.balancing import ClosedArea, draft_statements
from sekisho.signing import open_fields
from tests.balanced import Ledger, salts
from tests.registered import movement
from tests.registry.balance.worlds import Told, World, at, counted, row

MADE = [row("CM", "a", 1), row("RF", "b", 2), row("RD", "c", 3), row("SD", "b", 4)]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path)
    yield made
    made.store.close()


def close(
    ledger: Ledger, until: int, *epcs: str, party: str = "cloud", count: bool = True
) -> ClosedArea:
    return ledger.balances.close(
        "osaka",
        party=party,
        until=at(until),
        now=at(until + 1),
        inventory=counted(epcs, until) if count else None,
    )


def test_an_areas_book_is_shown_at_any_instant(ledger: Ledger) -> None:
    """Sums of its lines up to then; nobody counted yet, so it is unverifiable."""
    ledger.write(MADE)
    assert ledger.balances.show("osaka", at(3)).held == 3
    book = ledger.balances.show("osaka", at(9))
    assert (book.held, book.country, book.keeper, book.verdict) == (
        2,
        "JP",
        "cloud",
        "unverifiable",
    )
    assert {change.code: change.net for change in book.changes} == {
        "CM": 1,
        "RD": 1,
        "RF": 1,
        "SD": -1,
    }


def test_what_is_not_known_by_then_is_not_counted(ledger: Ledger) -> None:
    """A batch that no mark of the log followed is in no `as_of`."""
    ledger.write(MADE)
    assert ledger.balances.show("osaka", at(9), as_of=at(10**5)).held == 0


def test_an_unknown_area_is_refused_with_those_that_there_are(ledger: Ledger) -> None:
    """So that a slip of the pen shows no empty area."""
    with pytest.raises(
        InvalidInput, match="no area 'osako'; one of berlin, cold, fab, osaka, tokyo"
    ):
        ledger.balances.show("osako", at(1))


def test_a_place_that_the_terms_do_not_know_is_an_area(ledger: Ledger) -> None:
    """What lies there is not lost from sight."""
    world = World()
    world.tell(Told(hours=1, site="shed"))
    ledger.tell(world)
    assert "shed" in ledger.balances.names()
    assert ledger.balances.show("shed", at(2)).held == 1


def test_periods_are_closed_one_behind_the_other(ledger: Ledger) -> None:
    """Each opens with what was counted; three reports are kept of each."""
    ledger.write(MADE)
    first = close(ledger, 10, "a", "c")
    ledger.write([row("LA", "c", 12)])
    second = close(ledger, 20, "a")
    assert (first.balance.verdict, second.balance.verdict) == ("holds", "holds")
    assert (second.balance.opening, second.balance.decreases) == (2, 1)
    assert [r.header.type for r in second.reports] == ["ICR", "PIL", "MBR"]
    assert ledger.balances.history("osaka") == (first, second)
    assert ledger.balances.show("osaka", at(20)).last == second.balance
    assert ledger.balances.check("osaka") == ()


def test_the_first_period_begins_with_the_first_line_or_as_told(ledger: Ledger) -> None:
    """An area in which nothing ever was needs to be told."""
    with pytest.raises(StateConflict, match="nothing was ever booked in osaka; say when"):
        close(ledger, 10)
    ledger.write(MADE)
    assert close(ledger, 10).balance.period.start == at(1)
    with pytest.raises(StateConflict, match="the last balance of osaka ended at"):
        ledger.balances.close("osaka", party="cloud", until=at(30), now=at(31), start=at(9))


def test_only_its_keeper_closes_an_area(ledger: Ledger) -> None:
    """Another party's closing of it is refused."""
    ledger.write(MADE)
    with pytest.raises(StateConflict, match="osaka is kept by cloud, not by lab"):
        close(ledger, 10, party="lab", count=False)


def test_an_area_that_was_not_counted_stays_unverifiable(ledger: Ledger) -> None:
    """It is closed all the same, and said."""
    ledger.write(MADE)
    closed = close(ledger, 10, count=False)
    assert (closed.balance.verdict, closed.balance.counted) == ("unverifiable", None)
    assert [fault.code for fault in ledger.balances.check("osaka")] == ["inventory-missing"]


def test_reports_say_what_the_components_are(ledger: Ledger) -> None:
    """Maker, model and kind from the register; what nobody registered is named so."""
    world = World()
    world.tell(Told(hours=1, epc="a"))
    ledger.tell(world)
    closed = close(ledger, 10, "a", "x")
    listing = closed.reports[1]
    assert sorted(line.description for line in listing.lines) == [
        "maker H100 package",
        "not registered",
    ]


def test_late_lines_leave_what_was_reported_as_it_is(ledger: Ledger) -> None:
    """The next change report corrects the entry by report and line, and quality control finds nothing."""
    ledger.write(MADE)
    first = close(ledger, 10, "a", "c")
    ledger.write([row("RD", "c", 3, reverses=True)])
    second = close(ledger, 20, "a")
    assert ledger.balances.history("osaka")[0] == first
    corrected = [line.corrects for line in second.reports[0].lines]
    assert [(c.report, c.entry) for c in corrected if c] == [(1, 3)]
    assert ledger.balances.check("osaka") == ()
    assert second.balance.contradicted == ("c",)


def test_a_ledger_that_says_otherwise_than_was_reported_is_found(
    ledger: Ledger, tmp_path: Path
) -> None:
    """A report that was changed on the disk no longer fits."""
    ledger.write(MADE)
    closed = close(ledger, 10, "a", "c")
    changes = closed.reports[0]
    lines = (replace(changes.lines[0], items=7), *changes.lines[1:])
    forged = replace(closed, reports=(replace(changes, lines=lines), *closed.reports[1:]))
    path = next((tmp_path / "balances" / "balance" / "osaka").glob("*.json"))
    path.write_bytes(canonical(forged))
    codes = {fault.code for fault in ledger.balances.check("osaka")}
    assert codes == {"ledger-differs", "totals-differ"}
    path.write_bytes(b"{}")
    with pytest.raises(Corrupt, match="osaka 1"):
        ledger.balances.history("osaka")


def test_the_partys_statements_hide_area_and_figures(ledger: Ledger) -> None:
    """Period and verdict are public; with the disclosures the digests can be checked."""
    ledger.write(MADE)
    closed = close(ledger, 10, "a", "c")
    taken, done = draft_statements(closed, salts())
    assert isinstance(taken.fact, InventoryTaken)
    assert isinstance(done.fact, BalanceClosed)
    for draft in (taken, done):
        payload = make_payload(draft.fact)
        assert b"osaka" not in payload
        assert parse_payload(payload).predicate == draft.fact
    fields = open_fields((d.text for d in done.disclosures), done.fact.concealed).fields
    assert (fields["area"], fields["book"], fields["unaccounted"]) == ("osaka", "2", "0")
    digests = canonical([report.digest for report in closed.reports])
    salt = bytes.fromhex(fields["report_salt"])
    assert done.fact.report == hashlib.sha256(salt + digests).hexdigest()
    assert done.fact.verdict == "holds"


def test_a_figure_that_was_not_measured_is_stated_as_such(ledger: Ledger) -> None:
    """Never as nought."""
    ledger.write(MADE)
    (done,) = draft_statements(close(ledger, 10, count=False), salts())
    assert isinstance(done.fact, BalanceClosed)
    fields = open_fields((d.text for d in done.disclosures), done.fact.concealed).fields
    assert (fields["counted"], fields["unaccounted"]) == ("not measured", "not measured")


def test_what_is_under_way_is_listed(ledger: Ledger) -> None:
    """With its age and what is missing of it."""
    ledger.write(movements=[movement("26JPA", epcs=("a", "b"), shipped=at(0), due=at(5))])
    (line,) = ledger.balances.transit(at(10))
    assert (line.reference, line.state, line.difference, line.age_s) == (
        "26JPA",
        "overdue",
        2,
        36_000,
    )


def test_a_countrys_stock_is_the_sum_of_its_areas(ledger: Ledger) -> None:
    """What went between two of them comes to nothing."""
    world = World()
    world.tell(Told(hours=1, epc="a"))
    world.tell(Told(hours=2, epc="b", site="fab", custodian="maker"))
    world.tell(Told(hours=3, epc="b", site="fab", state="in-transit", custodian="maker"))
    world.tell(Told(hours=4, epc="b"))
    world.tell(Told(hours=5, epc="b", site="tokyo"))
    world.tell(Told(hours=6, epc="a", state="destroyed"))
    ledger.tell(world)
    stock = ledger.balances.stock("JP", Span(start=at(2), end=at(9)))
    assert (stock.opening, stock.imports, stock.destroyed, stock.other) == (1, 1, 1, 0)
    assert (stock.closing, stock.difference) == (1, 0)
    with pytest.raises(InvalidInput, match="no area lies in FR"):
        ledger.balances.stock("FR", Span(start=at(2), end=at(9)))
