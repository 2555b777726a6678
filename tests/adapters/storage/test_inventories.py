"""The file of inventories: only its owner reads it, what was written is there again, what is old is dropped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.storage.declarations_sqlite import DeclarationsSqlite
from sekisho.adapters.storage.fleet_sqlite import EVIDENCE_KEPT, NONCES_KEPT, FleetSqlite
from sekisho.adapters.storage.inventories_file import InventoriesFile
from sekisho.model.errors import Corrupt, Unavailable
from sekisho.ports.declaration_store import DeclarationRow, DeclaredLine
from sekisho.ports.fleet_store import (
    EvidenceRow,
    FleetToken,
    LineageRow,
    MessageRow,
    NodeRow,
    SightingRow,
)
from tests.inventoried import NOW

TOKEN = FleetToken(digest="ab" * 32, site="s", made=NOW, expires=NOW.plus(60), most=2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inventories.sqlite"


@pytest.fixture
def file(path: Path) -> Iterator[InventoriesFile]:
    opened = InventoriesFile(path)
    yield opened
    opened.close()


def lineage(name: str) -> LineageRow:
    return LineageRow(lineage=name, token=TOKEN.digest, site="s", made=NOW)


def message(node: str, sha256: str, **fields: object) -> MessageRow:
    given = {"site": "s", "first": NOW, "last": NOW, "booted": None, "body": b"{}"}
    return MessageRow(node=node, sha256=sha256, **given | fields)  # type: ignore[arg-type]  # the row's own fields


def sightings_of(node: str, count: int) -> list[SightingRow]:
    return [
        SightingRow(serial=f"{n:04d}", uuid=f"u{n}", node=node, site="s", first=NOW, last=NOW)
        for n in range(count)
    ]


def test_only_the_owner_may_read_it(path: Path) -> None:
    """Serials and sites stand in it."""
    InventoriesFile(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_was_written_is_there_again(path: Path) -> None:
    """After a stop without a word."""
    first = InventoriesFile(path)
    store = FleetSqlite(first)
    store.save_token(TOKEN)
    assert store.begin_lineage(lineage("l1"))
    bound = store.bind_node(NodeRow(node="n1", site="s", lineage="l1", bound=NOW))
    store.save_message(message("n1", "aa", booted=NOW), sightings_of("n1", 2))
    DeclarationsSqlite(first).save_declaration(
        DeclarationRow(site="s", kind="packing-list", source="x", received=NOW),
        [DeclaredLine(site="s", line=2, document=b"{}")],
        refused=lambda: 1,
    )
    second = InventoriesFile(path)
    again = FleetSqlite(second)
    assert again.load_tokens() == (msgspec.structs.replace(TOKEN, used=1),)
    assert again.load_nodes() == (bound,)
    found = again.find_lineage("l1")
    assert found is not None
    assert (found.node, found.released) == ("n1", False)
    assert list(again.iterate_newest()) == [message("n1", "aa", booted=NOW)]
    assert len(list(again.iterate_sightings())) == 2
    (row,) = DeclarationsSqlite(second).load_declarations()
    assert (row.taken, row.refused) == (1, 1)
    for opened in (first, second):
        opened.close()


def test_a_lineage_without_a_token_is_not_begun(file: InventoriesFile) -> None:
    """Nor one of a token that is used up."""
    store = FleetSqlite(file)
    assert not store.begin_lineage(lineage("l0"))
    store.save_token(TOKEN)
    assert [store.begin_lineage(lineage(f"l{n}")) for n in (1, 2, 3)] == [True, True, False]
    assert store.find_lineage("l3") is None


def test_the_newest_message_of_every_node_is_given(file: InventoriesFile) -> None:
    """Of more nodes than a page holds, each once, in the order of their names."""
    store = FleetSqlite(file)
    for number in range(70):
        for digest in ("old", "new"):
            store.save_message(message(f"n{number:03d}", digest), [])
    found = list(store.iterate_newest())
    assert [row.node for row in found] == [f"n{number:03d}" for number in range(70)]
    assert {row.sha256 for row in found} == {"new"}


def test_a_message_that_comes_back_is_a_new_one(file: InventoriesFile) -> None:
    """Only the newest is lengthened: a board that was away and is back was away."""
    store = FleetSqlite(file)
    for at, digest in enumerate(("a", "b", "a")):
        when = NOW.plus(at)
        store.save_message(message("n", digest, first=when, last=when), [])
    newest = store.find_newest("n")
    assert newest is not None
    assert (newest.sha256, newest.first) == ("a", NOW.plus(2))


def test_many_sightings_come_in_pages(file: InventoriesFile) -> None:
    """Each once, and one that is seen again keeps when it was first seen."""
    store = FleetSqlite(file)
    store.save_message(message("n", "a"), sightings_of("n", 2_040))
    later = [
        SightingRow(
            serial="0000", uuid="u0", node="n", site="s", first=NOW.plus(9), last=NOW.plus(9)
        )
    ]
    store.save_message(message("n", "b"), later)
    found = list(store.iterate_sightings())
    assert len(found) == 2_040
    assert (found[0].first, found[0].last) == (NOW, NOW.plus(9))


def test_nonces_are_few_their_nodes_own_and_taken_once(file: InventoriesFile) -> None:
    """An old one, another node's and one that was taken answer nothing."""
    store = FleetSqlite(file)
    for number in range(NONCES_KEPT + 2):
        store.save_nonce("n1", f"c{number}", NOW.plus(number))
    every = [f"c{number}" for number in range(NONCES_KEPT + 2)]
    assert store.take_nonces("n2", every, NOW) == ()
    assert store.take_nonces("n1", ["c0", "c9"], NOW) == ("c9",)
    assert store.take_nonces("n1", ["c9"], NOW) == ()
    assert store.take_nonces("n1", ["c3", "c8"], NOW.plus(5)) == ("c8",)
    assert store.take_nonces("n1", ["c3"], NOW) == ()


def test_evidence_is_bounded_newest_first(file: InventoriesFile) -> None:
    """Of each node."""
    store = FleetSqlite(file)
    for number in range(EVIDENCE_KEPT + 2):
        store.save_evidence(
            EvidenceRow(node="n", received=NOW, sha256=f"{number}", nonce="", body=b"x")
        )
    kept = store.load_evidence("n")
    assert [row.sha256 for row in kept] == [str(n) for n in range(EVIDENCE_KEPT + 1, 1, -1)]


def test_lines_come_in_pages_by_site(file: InventoriesFile) -> None:
    """More than one transaction's worth, of the site that was asked for."""
    store = DeclarationsSqlite(file)
    store.save_declaration(
        DeclarationRow(site="", kind="asset-register", source="x", received=NOW),
        (DeclaredLine(site=f"s{n % 2}", line=n, document=str(n).encode()) for n in range(10_001)),
        refused=lambda: 0,
    )
    assert [int(line) for line in store.iterate_lines("s0")] == list(range(0, 10_001, 2))
    assert list(store.iterate_lines("s0", kind="packing-list")) == []


def test_another_programs_file_is_left_alone(path: Path, tmp_path: Path) -> None:
    """And a folder that cannot be written says so."""
    path.write_bytes(b"no database" * 500)
    with pytest.raises(Corrupt, match="cannot be read"):
        InventoriesFile(path)
    assert path.read_bytes() == b"no database" * 500
    with pytest.raises(Unavailable):
        InventoriesFile(tmp_path / "gone" / "inventories.sqlite")
