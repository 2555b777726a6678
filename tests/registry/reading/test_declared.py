"""Rows of packing lists and asset registers: identifiers normalised, originals kept, wrong rows told by line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.registry.reading.asset_register import presence_of, read_asset_register
from sekisho.registry.reading.columns import ColumnMapping, propose_mapping
from sekisho.registry.reading.csv_tables import BadRow
from sekisho.registry.reading.declared import DeclaredItem, DeclaredRow, SeenKeys, serial_key
from sekisho.registry.reading.packing_list import read_packing_list
from sekisho.signing.tag import normalise_identifier
from tests.inventoried import H100, gpu_uuid, serial, table


def read(*rows: list[str], kind: str = "asset-register", site: str = "") -> list[DeclaredRow]:
    opened = table(rows)
    mapping = propose_mapping(opened, name="x").mapping
    reading = read_packing_list if kind == "packing-list" else read_asset_register
    return list(reading(opened, mapping, site=site))


def only(*rows: list[str], **options: str) -> DeclaredItem:
    (found,) = read(*rows, **options)
    assert isinstance(found, DeclaredItem), found
    return found


def error(heading: str, cell: str) -> str:
    """What is said of a row whose one odd cell this is, beside a good serial where it is not the serial itself."""
    headings, cells = ["model", heading], ["x", cell]
    if heading != "serial":
        headings, cells = [*headings, "serial"], [*cells, "A1"]
    sound = [["y", "", f"B{n}"] if heading != "serial" else ["y", f"B{n}"] for n in range(3)]
    found = read(headings, cells, *sound)
    assert isinstance(found[0], BadRow), found
    assert found[0].line == 2
    assert not any(isinstance(row, BadRow) for row in found[1:])
    return found[0].error


def test_a_line_becomes_an_item() -> None:
    """With its file and line, its extra columns, and what it is called in full width as it was written."""
    found = only(
        ["Serial", "Model", "設置場所", "数量", "UUID", "備考", "取得日"],
        ["１６５４-ab", H100, "大阪", "１", gpu_uuid(1).upper(), "=1+1", "2026年3月1日"],
    )
    assert (found.serial, found.model, found.site, found.quantity) == ("1654-ab", H100, "大阪", 1)
    assert found.device_uuid == gpu_uuid(1)
    assert found.date == Instant.parse("2026-03-01T00:00:00Z")
    assert (found.source, found.line) == ("list.csv:2", 2)
    assert found.extra == {"備考": "=1+1"}
    assert found.original["serial"] == "１６５４-ab"
    assert found.original["device_uuid"] == gpu_uuid(1).upper()
    assert "model" not in found.original


def test_the_site_of_the_call_is_for_rows_that_name_none() -> None:
    """A row's own site stands."""
    rows = read(["serial", "site"], ["A1", ""], ["A2", "tokyo"], site="osaka")
    assert [row.site for row in rows if isinstance(row, DeclaredItem)] == ["osaka", "tokyo"]


def test_names_are_turned_into_the_registers() -> None:
    """By the mapping's own tables, and the original is kept."""
    opened = table([["serial", "設置場所", "保管者"], ["A1", "大阪第一", "株式会社アクメ"]])
    mapping = propose_mapping(opened, name="x").mapping
    told = ColumnMapping(
        name="x",
        kind="asset-register",
        columns=mapping.columns,
        sites={"大阪第一": "osaka-1"},
        parties={"株式会社アクメ": "acme"},
    )
    (found,) = read_asset_register(opened, told)
    assert isinstance(found, DeclaredItem)
    assert (found.site, found.holder) == ("osaka-1", "acme")
    assert found.original == {"site": "大阪第一", "holder": "株式会社アクメ"}


def test_leading_zeros_that_a_spreadsheet_kept_are_kept() -> None:
    """`="00123"` is how it writes a text of digits."""
    assert only(["serial"], ['"=""00123"""']).serial == "00123"


@pytest.mark.parametrize(
    ("heading", "cell", "says"),
    [
        ("serial", "1.65492E+12", "rounded by a spreadsheet"),
        ("serial", "=CMD()", "is a formula"),
        ("serial", "+49", "is a formula"),
        ("serial", H100, "name of a model"),
        ("serial", gpu_uuid(1), "a device's UUID"),
        ("serial", "Ω1", "ASCII"),
        ("quantity", "0", "is not a count of 1 to"),
        ("quantity", "-1", "is not a count"),
        ("quantity", "1.5", "is not a count"),
        ("quantity", "two", "is not a count"),
        ("uuid", "GPU-1", "no device UUID"),
        ("device key", "ab", "no SHA-256"),
        ("epc", "123", "no EPC"),
        ("date", "yesterday", "date: "),
        ("quantity", "2", "one serial is one piece"),
        ("holder", "x" * 501, "longer than 500"),
    ],
)
def test_a_bad_cell_is_named_by_field(heading: str, cell: str, says: str) -> None:
    """The row is refused with its line and what to do."""
    assert says in error(heading, cell)


def test_the_rest_of_the_rows_is_taken() -> None:
    """Too few fields, too many, a serial that stands twice in another spelling; good rows between them."""
    rows = read(
        ["serial", "model"],
        ["A1", "x"],
        ["A2"],
        ["A3", "x", "y"],
        ["ａ１", "x"],
        ["A4", "x", ""],
    )
    assert [row.error if isinstance(row, BadRow) else row.serial for row in rows] == [
        "A1",
        "1 fields, but the headings are 2",
        "3 fields, but the headings are 2",
        "serial: 'a1' stands in line 2 too",
        "A4",
    ]


def test_pieces_of_a_model_are_counted() -> None:
    """A packing list may name no serials; what names nothing at all is refused."""
    rows = read(
        ["model", "qty", "consignee", "serial"],
        [H100, '"1,024 pcs"', "acme", "N/A"],
        ["", "8", "acme", "-"],
        kind="packing-list",
    )
    first = rows[0]
    assert isinstance(first, DeclaredItem)
    assert (first.quantity, first.key, first.consignee) == (1024, "", "acme")
    assert rows[1] == BadRow(3, "names neither a serial nor a model")


def test_an_epc_is_compared_in_the_registers_spelling() -> None:
    """A URN and a Digital Link are one item; what was written is kept."""
    urn, link = "urn:epc:id:sgtin:4912345.000001.1", "https://id.gs1.org/01/04912345000019/21/1"
    found = only(["epc", "model"], [urn, H100])
    assert (found.epc, found.original["epc"]) == (link, urn)
    assert only(["epc", "model"], [link, H100]).epc == link


@pytest.mark.parametrize(
    ("word", "presence"),
    [
        ("使用中", "in-use"),
        ("In Use", "in-use"),
        ("予備", "stored"),
        ("廃棄済", "gone"),
        ("?", "unsaid"),
    ],
)
def test_words_for_a_state_say_where_it_is(word: str, presence: str) -> None:
    """In both languages; an unknown word says nothing."""
    assert presence_of(word) == presence


@given(st.text(max_size=30))
def test_the_quick_spelling_is_the_slow_one(text: str) -> None:
    """`serial_key` never differs from the spelling under which the registry tags identifiers."""
    try:
        expected = normalise_identifier(text)
    except InvalidInput:
        expected = ""
    assert serial_key(text) == expected


@given(st.lists(st.text(max_size=6), max_size=400))
def test_seen_keys_are_found_where_they_stood_first(keys: list[str]) -> None:
    """As a dictionary would find them, at a tenth of its memory."""
    seen, known = SeenKeys(), dict[str, int]()
    for line, key in enumerate(keys, 1):
        earlier = known.get(key)
        assert seen.add(key, line) == earlier
        known.setdefault(key, line)


def test_many_keys_are_found_again() -> None:
    """The table grows several times on the way."""
    seen = SeenKeys()
    assert all(seen.add(serial(n), n + 1) is None for n in range(20_000))
    assert all(seen.add(serial(n), 0) == n + 1 for n in range(20_000))
