"""Columns: proposed from headings in two languages, kept as a file, held against what stands under them."""

from __future__ import annotations

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.registry.reading.columns import (
    ColumnMapping,
    SwappedColumns,
    check_columns,
    is_device_uuid,
    parse_mapping,
    place_columns,
    plain_uuid,
    propose_mapping,
    write_mapping,
)
from sekisho.registry.reading.headings import field_of
from tests.inventoried import H100, gpu_uuid, serial, table

TWICE = (
    b'{"name":"x","kind":"packing-list","columns":['
    b'{"heading":"a","field":"serial"},{"heading":"b","field":"serial"}]}'
)
JAPANESE = ["ｼﾘｱﾙ番号", "型番", "設置場所", "数量", "ＵＵＩＤ", "備考"]


def fields(mapping: ColumnMapping) -> dict[str, str]:
    return {column.field: column.heading for column in mapping.columns}


def rows(*headings: str, count: int = 3) -> list[list[str]]:
    def row(number: int) -> dict[str, str]:
        return {"serial": serial(number), "model": H100, "uuid": gpu_uuid(number), "qty": "1"}

    return [
        list(headings),
        *([row(n)[heading] for heading in headings] for n in range(1, count + 1)),
    ]


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Serial No.", "serial"),
        ("S/N", "serial"),
        ("シリアル 番号", "serial"),
        ("製造番号", "serial"),
        ("型番", "model"),
        ("設置場所", "site"),
        ("数量（台）", "quantity"),
        ("Quantity (pcs)", "quantity"),
        ("GPU UUID", "device-uuid"),
        ("ｺﾝﾃﾅ", "container"),
        ("荷受人", "consignee"),
        ("Remarks", None),
    ],
)
def test_headings_are_known_in_both_languages(heading: str, field: str | None) -> None:
    """Whatever their width, case and punctuation."""
    known = field_of(heading)
    assert (known[0] if known else None) == field


def test_a_mapping_is_proposed_with_what_nobody_knows() -> None:
    """Full and half width, a title above the headings, a column of remarks."""
    opened = table(
        [["資産台帳 2026"], JAPANESE, [serial(1), H100, "大阪", "1", gpu_uuid(1), "x"]],
        encoding="cp932",
    )
    proposal = propose_mapping(opened, name="acme")
    assert fields(proposal.mapping) == {
        "serial": "ｼﾘｱﾙ番号",
        "model": "型番",
        "site": "設置場所",
        "quantity": "数量",
        "device-uuid": "ＵＵＩＤ",
    }
    assert (proposal.mapping.headings_line, proposal.mapping.kind) == (2, "asset-register")
    assert proposal.unknown == ("備考",)


def test_a_table_with_a_consignee_is_a_packing_list() -> None:
    """Unless the caller says otherwise."""
    opened = table([["Serial", "Ship To"], [serial(1), "acme"]])
    assert propose_mapping(opened, name="x").mapping.kind == "packing-list"
    assert propose_mapping(opened, name="x", kind="asset-register").mapping.kind == "asset-register"


def test_two_columns_for_one_serial_are_not_guessed_between() -> None:
    """The plain name wins; of two that are as good, none."""
    opened = table([["Serial Number", "Serial", "Model"], ["a1", serial(1), H100]])
    proposal = propose_mapping(opened, name="x")
    assert fields(proposal.mapping)["serial"] == "Serial"
    assert proposal.notes == ("serial is taken from Serial, not from Serial Number",)
    with pytest.raises(InvalidInput, match="two columns may be the serial"):
        propose_mapping(table([["Serial No", "製造番号"], ["a", "b"]]), name="x")


def test_unknown_headings_are_refused() -> None:
    """A table of which nothing is known is nobody's inventory."""
    with pytest.raises(InvalidInput, match="no heading is one that we know"):
        propose_mapping(table([["foo", "bar"], ["1", "2"]]), name="x")


def test_a_mapping_goes_there_and_back() -> None:
    """As a file that a person may edit."""
    mapping = propose_mapping(table(rows("serial", "model", "qty")), name="x").mapping
    assert parse_mapping(write_mapping(mapping), path="m.json") == mapping


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (b'{"name":"x","kind":"list","columns":[{"heading":"a","field":"serial"}]}', "kind"),
        (b'{"name":"x","kind":"packing-list","columns":[]}', "columns"),
        (
            b'{"name":"x","kind":"packing-list","columns":[{"heading":"a","field":"colour"}]}',
            "field",
        ),
        (
            TWICE,
            "two columns",
        ),
        (b'{"name":"x","kind":"packing-list","colums":[],"columns":[]}', "colums"),
    ],
)
def test_a_bad_mapping_is_refused_by_its_field(text: bytes, where: str) -> None:
    """Misspelt fields too: they would be passed over and mean nothing."""
    with pytest.raises(InvalidInput, match=where):
        parse_mapping(text, path="m.json")


def test_a_mapping_for_another_table_is_refused() -> None:
    """A heading that it names is not there, or there twice, or its line is not."""
    mapping = propose_mapping(table(rows("serial", "model")), name="x").mapping
    with pytest.raises(InvalidInput, match="'model' is missing"):
        place_columns(mapping, table([["serial", "site"], [serial(1), "x"]]))
    with pytest.raises(InvalidInput, match="'serial' stands twice"):
        place_columns(mapping, table([["serial", "model", "Serial"], [serial(1), H100, ""]]))
    with pytest.raises(InvalidInput, match="no headings on this line"):
        place_columns(mapping, table([[""], ["serial", "model"], [serial(1), H100]]))


def test_headings_of_a_mapping_match_in_any_width() -> None:
    """A firm that changes its template's letters need not change the mapping."""
    mapping = propose_mapping(table([["シリアル番号"], [serial(1)]]), name="x").mapping
    assert place_columns(mapping, table([["備考", "ｼﾘｱﾙ番号"], ["", serial(1)]]))[1] == {
        "serial": 1
    }


def test_sound_columns_pass() -> None:
    """Serials of digits only are no counts of pieces."""
    opened = table(rows("serial", "model", "uuid", "qty"))
    check_columns(propose_mapping(opened, name="x").mapping, opened)


def test_models_that_the_chip_table_lacks_are_no_reason_to_refuse() -> None:
    """Firms have other things too."""
    opened = table([["serial", "model"], ["A1", "PowerEdge R760"], ["A2", "PowerEdge R760"]])
    assert propose_mapping(opened, name="x").mapping.columns


def test_a_swapped_mapping_is_proposed_the_right_way() -> None:
    """The error carries the mapping that would fit."""
    mapping = propose_mapping(table(rows("serial", "uuid")), name="x").mapping
    turned = table([["serial", "uuid"], *([gpu_uuid(n), serial(n)] for n in range(3))])
    with pytest.raises(SwappedColumns, match="are swapped: 'serial' holds device-uuid") as refused:
        check_columns(mapping, turned)
    assert fields(refused.value.proposed) == {"serial": "uuid", "device-uuid": "serial"}
    check_columns(refused.value.proposed, turned)


def test_uuids_have_one_spelling() -> None:
    """The kind in capitals, the digits in small letters; a bare one is a GPU's."""
    assert plain_uuid("gpu-0000000A-0000-4000-8000-000000000001") == plain_uuid(
        "0000000a-0000-4000-8000-000000000001"
    )
    assert is_device_uuid(gpu_uuid(1))
    assert not is_device_uuid(serial(1))
