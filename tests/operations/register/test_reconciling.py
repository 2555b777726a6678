"""One site's books compared over real stores, findings raised once, documents drafted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sekisho.adapters.storage.declarations_sqlite import DeclarationsSqlite
from sekisho.adapters.storage.fleet_sqlite import FleetSqlite
from sekisho.adapters.storage.inventories_file import InventoriesFile
from sekisho.adapters.storage.register_sql import open_register
from sekisho.model.custody import Standing
from sekisho.model.errors import InvalidInput
from sekisho.operations.register.reconciling import (
    Books,
    draft_from_lines,
    raise_differences,
    reconcile_site,
    sites_of,
    take_declaration,
)
from sekisho.ports.declaration_store import DeclarationRow, DeclaredLine
from sekisho.ports.fleet_store import MessageRow, SightingRow
from sekisho.registry.epcis import canonical_identifier, parse_document
from sekisho.registry.reading import BadRow, DeclaredRow
from sekisho.registry.reading.reconcile import Reconciliation
from sekisho.registry.terms import RegisterTerms
from tests.inventoried import NOW, SITE, encoded, gpu_uuid, item, serial, standing
from tests.registered import registering


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    """Boards 1 to 3 registered at the site, board 4 at another."""
    file = InventoriesFile(tmp_path / "inventories.sqlite")
    register = open_register(tmp_path / "register.sqlite")
    held: dict[int, Standing] = {n: standing(n) for n in (1, 2, 3)}
    register.save(registering(1, held | {4: standing(4, site="tokyo-1")}))
    yield Books(register=register, fleet=FleetSqlite(file), declarations=DeclarationsSqlite(file))
    register.close()
    file.close()


def say(books: Books, node: str, *numbers: int, ago_s: float = 600, site: str = SITE) -> None:
    """A node reported these boards, an hour long."""
    last = NOW.plus(-ago_s)
    books.fleet.save_message(
        MessageRow(
            node=node,
            site=site,
            sha256=f"{node}{numbers}"[:64],
            first=last.plus(-3_600),
            last=last,
            booted=None,
            body=encoded(numbers, hostname=node),
        ),
        [
            SightingRow(
                serial=serial(n), uuid=gpu_uuid(n), node=node, site=site, first=last, last=last
            )
            for n in numbers
        ],
    )


def declare(books: Books, *rows: DeclaredRow, kind: str = "asset-register") -> DeclarationRow:
    row = DeclarationRow(site=SITE, kind=kind, source="list.csv", received=NOW)
    return take_declaration(books.declarations, rows, row)


def compared(books: Books, **more: Any) -> Reconciliation:
    return reconcile_site(books, SITE, now=NOW, **more)


def codes(found: Reconciliation) -> list[tuple[str, str, str]]:
    return [(d.code, d.verdict, d.item) for d in found.differences]


def test_a_site_whose_books_agree_holds(books: Books) -> None:
    """Declared, reported and registered: three of three."""
    declare(books, *(item(n, container="SRV-1") for n in (1, 2, 3)))
    say(books, "node-1", 1, 2, 3)
    found = compared(books)
    assert (found.verdict, found.holds, found.differences) == ("holds", 3, ())


def test_each_difference_names_its_line_and_its_message(books: Books) -> None:
    """One missing, one from another site, one that nobody registered."""
    declare(books, *(item(n, container="SRV-1") for n in (1, 2, 3)))
    say(books, "node-1", 1, 2, 4, 9)
    found = compared(books)
    assert codes(found) == [
        ("missing", "fails", serial(3)),
        ("elsewhere", "fails", serial(4)),
        ("undeclared", "fails", serial(4)),
        ("unregistered", "fails", serial(9)),
        ("undeclared", "fails", serial(9)),
    ]
    assert found.differences[0].sources[0] == "list.csv:4"
    assert found.differences[1].sources[1].startswith("node node-1 message ")


def test_only_reports_within_the_window_count(books: Books) -> None:
    """What a node said the day before yesterday shows nothing of today."""
    say(books, "node-1", 1, 2, 3, ago_s=2 * 86_400)
    assert compared(books).verdict == "unverifiable"
    assert compared(books, window_s=3 * 86_400).verdict == "holds"


def test_a_new_table_takes_the_place_of_the_old(books: Books) -> None:
    """Of the same site and kind; one of another kind stands beside it."""
    declare(books, item(1), item(2))
    assert declare(books, item(1), BadRow(3, "wrong"), kind="packing-list").refused == 1
    kept = declare(books, item(3))
    assert (kept.taken, kept.refused) == (1, 0)
    rows = books.declarations.load_declarations()
    assert [(row.kind, row.taken) for row in rows] == [("asset-register", 1), ("packing-list", 1)]
    assert len(list(books.declarations.iterate_lines(SITE))) == 2


def test_a_table_of_many_sites_names_each_of_them(books: Books) -> None:
    """Its rows say where they are: every site is compared, though the table itself names none."""
    lines = [
        DeclaredLine(site=site, line=line, document=b"{}")
        for line, site in enumerate(("kobe", "nara", "kobe", ""), 2)
    ]
    row = DeclarationRow(site="", kind="asset-register", source="all.csv", received=NOW)
    books.declarations.save_declaration(row, lines, refused=lambda: 0)
    assert books.declarations.load_sites() == ("kobe", "nara")
    assert set(sites_of(books)) >= {"kobe", "nara"}
    assert "" not in sites_of(books)


def test_a_table_that_breaks_off_leaves_the_old_one(books: Books) -> None:
    """Nothing half-applied, and what was half written is swept away by the next."""
    declare(books, item(1))

    def broken() -> Iterator[DeclaredRow]:
        yield from (item(n) for n in range(6_000))
        raise InvalidInput("not UTF-8", path="list.csv:6001")

    with pytest.raises(InvalidInput, match="6001"):
        take_declaration(
            books.declarations,
            broken(),
            DeclarationRow(site=SITE, kind="asset-register", source="x", received=NOW),
        )
    assert len(list(books.declarations.iterate_lines(SITE))) == 1
    declare(books, item(2), item(3))
    assert len(list(books.declarations.iterate_lines(SITE))) == 2


def test_lines_beside_those_that_are_kept_are_compared_too(books: Books) -> None:
    """A table that is only looked at."""
    say(books, "node-1", 1, 2, 3)
    assert ("unregistered", "fails", serial(8)) in codes(compared(books, declared=[item(8)]))


def test_a_register_entry_elsewhere_is_found_by_serial(books: Books) -> None:
    """Though no site's list names its maker."""
    found = compared(books, declared=[item(4)])
    assert ("elsewhere", "fails", serial(4)) in codes(found)


def test_sites_are_those_that_tables_and_nodes_name(books: Books) -> None:
    """A site without either is nobody's to compare; no site at all is refused."""
    declare(books, item(1))
    assert sites_of(books) == (SITE,)
    with pytest.raises(InvalidInput, match="a site must be named"):
        reconcile_site(books, "", now=NOW)


def test_serious_differences_are_raised_and_others_are_not(books: Books) -> None:
    """Each code with its item; what nobody observed accuses nobody."""
    declare(books, item(1, model="H100 PCIe"), item(2), item(3))
    say(books, "node-1", 1, 9)
    raised: list[tuple[str, str, str, int]] = []

    def raising(books: Any, code: str, about: str, detail: str, **more: Any) -> Any:
        assert json.loads(detail)
        raised.append((books, code, about, more.get("count", 1)))
        return SimpleNamespace()

    assert raise_differences(compared(books), raising) == 1
    assert raised == [("inventory", "unregistered", f'["{SITE}","{serial(9)}"]', 1)]


def test_many_at_once_are_one_finding_with_a_count(books: Books) -> None:
    """Twenty by name, the rest together."""
    say(books, "node-1", *range(100, 150))
    counts = []

    def raising(*_: Any, count: int = 1, **__: Any) -> Any:
        counts.append(count)
        return SimpleNamespace()

    assert raise_differences(compared(books), raising) == 50
    assert counts == [1] * 20 + [30]


def test_a_packing_list_becomes_a_shipment_to_sign(books: Books) -> None:
    """One event for each consignee and delivery, EPCs from the register, lines without one told."""
    lines = [
        item(1, consignee="cloud-b", reference="PL-7"),
        item(2, consignee="cloud-b", reference="PL-7"),
        item(3, consignee="cloud-c", reference="PL 8"),
        item(9, consignee="cloud-c"),
    ]
    made = draft_from_lines(
        books.register, lines, "shipping", terms=RegisterTerms(), now=NOW, party="cloud-a"
    )
    assert (made.events, made.items, [left.line for left in made.left_out]) == (2, 3, [10])
    read = parse_document(made.document)
    assert read.problems == ()
    first = read.events[0]
    assert (first.biz_step, first.disposition, first.action) == (
        "shipping",
        "in_transit",
        "OBSERVE",
    )
    assert first.epcs == tuple(canonical_identifier(standing(n).epc) for n in (1, 2))
    assert first.sources[0].id == "urn:sekisho:party:cloud-a"
    assert first.destinations[0].id == "urn:sekisho:party:cloud-b"
    assert first.transactions[0].id == "urn:sekisho:delivery:PL-7"
    assert read.events[1].transactions[0].id.startswith("urn:sekisho:delivery:")


@pytest.mark.parametrize("kind", ["receiving", "stock_taking"])
def test_other_documents_name_where(books: Books, kind: Any) -> None:
    """A receipt and a stock-taking happen at the site."""
    made = draft_from_lines(books.register, [item(1)], kind, terms=RegisterTerms(), now=NOW)
    (event,) = parse_document(made.document).events
    assert event.biz_step == kind
    assert event.biz_location == f"urn:sekisho:place:{SITE}"


def test_a_table_without_registered_items_makes_no_document(books: Books) -> None:
    """There is nothing to sign."""
    with pytest.raises(InvalidInput, match="no line names a registered item"):
        draft_from_lines(books.register, [item(9)], "shipping", terms=RegisterTerms(), now=NOW)
