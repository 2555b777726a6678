"""Data sheets: JSON, JSON lines and CSV, numbers exactly, columns by two names, unknown ones refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.rules.requests import ChipSpec, DieSpec, parse_chip_spec, parse_chip_specs
from sekisho.rules.requests.sheets import PASSED_OVER


def sheet(**fields: Any) -> ChipSpec:
    """The sheet of one JSON object."""
    return parse_chip_spec(json.dumps(fields).encode(), "F")


def refused(data: str | bytes, file: str = "F") -> InvalidInput:
    """The error of a file that must not be read, or of its one sheet."""
    with pytest.raises(InvalidInput) as caught:
        parse_chip_spec(data if isinstance(data, bytes) else data.encode(), file)
    return caught.value


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("149.7", "149.7"),
        ('"149.7"', "149.7"),
        ("149.700", "149.7"),
        ("1e3", "1000"),
        ("1.5E+2", "150"),
        ("25e-1", "2.5"),
        ("0.000001", "0.000001"),
        ("2395.200001", "2395.200001"),
        ("123456789012345.678901", "123456789012345.678901"),
        ("0", "0"),
    ],
)
def test_a_number_is_read_in_its_own_digits(written: str, read: str) -> None:
    """Never through floating point, with or without quotation marks."""
    found = parse_chip_spec(f'{{"fp16_dense_tflops": {written}}}'.encode(), "F")
    assert found.fp16_dense_tflops == read


@pytest.mark.parametrize(
    "written",
    [
        "-1",
        '"-1"',
        "0.0000001",
        '"1,5"',
        '"about 5"',
        "true",
        "[1]",
        '"1e99"',
        '"' + "9" * 41 + '"',
    ],
)
def test_what_is_no_decimal_of_six_places_is_refused(written: str) -> None:
    """Signs, words, commas, too many places: with the field's path."""
    error = refused(f'{{"die_mm2": {written}}}')
    assert error.path == "F.die_mm2"
    assert error.remedy


@pytest.mark.parametrize(
    "data", ['{"die_mm2": NaN}', '{"die_mm2": 1, "die_mm2": 2}', '{"die_mm2": 1']
)
def test_json_is_read_strictly(data: str) -> None:
    """No names twice, no NaN, nothing cut off."""
    assert refused(data).path == "F"


@pytest.mark.parametrize("absent", [None, ""])
def test_an_empty_field_is_unknown(absent: object) -> None:
    """Null, nothing, or not there at all."""
    assert sheet(fp16_dense_tflops=absent, die_mm2=absent, datacenter=absent) == ChipSpec()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        *((said, True) for said in (True, 1, "1", "yes", "True")),
        *((said, False) for said in (False, 0, "0", "no", "false")),
    ],
)
def test_a_flag_may_be_written_in_the_usual_ways(written: object, read: bool) -> None:
    """As JSON, as a spreadsheet, as our own table writes it."""
    assert sheet(datacenter=written).datacenter is read


def test_a_flag_that_is_neither_is_refused() -> None:
    """2 is not more true than 1."""
    assert refused('{"datacenter": 2}').path == "F.datacenter"


def test_columns_may_have_the_names_of_our_own_table() -> None:
    """One meaning, two names; both at once is one too many."""
    ours = sheet(
        fp16_tflops="1", int8_tops="2", bandwidth_gbs="3", interconnect_gbs=4, released="2026"
    )
    assert ours == ChipSpec(
        fp16_dense_tflops="1",
        int8_dense_tops="2",
        mem_bw_gbs="3",
        interconnect_bidir_gbs="4",
        release_date="2026",
    )
    assert refused('{"fp16_tflops": 1, "fp16_dense_tflops": 1}').path == "F.fp16_dense_tflops"


def test_derived_columns_are_passed_over_and_unknown_ones_refused() -> None:
    """A published TPP does not count; a misspelt column must not be lost."""
    assert sheet(**dict.fromkeys(PASSED_OVER, "anything"), name="A") == ChipSpec(name="A")
    error = refused('{"fp16_dense_tflop": 5}')
    assert "did you mean fp16_dense_tflops?" in error.remedy


@pytest.mark.parametrize("first", ['"dies": [{"fp16_dense_tflops": 5, "count": 2}, {}]'])
def test_dies_are_read_each_by_itself(first: str) -> None:
    """In the same columns."""
    found = parse_chip_spec(f"{{{first}}}".encode(), "F")
    assert found.dies == (DieSpec(fp16_dense_tflops="5", count=2), DieSpec())


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ('{"dies": [{"die_mm2": "x"}]}', "F.dies[0].die_mm2"),
        ('{"dies": [{}, {"die_mm2": 0}]}', "F.dies[1].die_mm2"),
        ('{"dies": 5}', "F.dies"),
        ('{"dies": [5]}', "F.dies[0]"),
        ('{"dies": [{"count": 1.5}]}', "F.dies[0].count"),
        ('{"die_mm2": 0}', "F.die_mm2"),
        ('{"designer_country": "cn"}', "F.designer_country"),
        ('{"name": 5}', "F.name"),
        ("[]", "F"),
        ("", "F"),
        ("5", "F"),
        ("[5]", "F[0]"),
        ('[{"name": "A"}, {"name": "B"}]', "F"),
    ],
)
def test_a_wrong_sheet_is_refused_by_its_path(data: str, path: str) -> None:
    """Also where one sheet is asked for and several stand there."""
    assert refused(data).path == path


def test_a_list_and_lines_give_one_answer_each() -> None:
    """A bad sheet does not hide the others."""
    for data in (
        '[{"name":"A"},{"die_mm2":-1},{"name":"C"}]',
        '{"name":"A"}\n{"die_mm2":-1}\n\n{"name":"C"}\n',
    ):
        rows = parse_chip_specs(data.encode(), "F")
        assert [isinstance(row, ChipSpec) for _, row in rows] == [True, False, True]
    assert [number for number, _ in rows] == [1, 2, 4]
    assert str(rows[1][1]).startswith("F:2.die_mm2")


CSV = "name,fp16_dense_tflops,die_mm2,datacenter,note\nA40,149.7,628,1,\n\n# remark\nB,-1,,0,x\nC,1,,,\n"


def test_a_table_gives_one_answer_for_each_row() -> None:
    """Blank lines and remarks keep their numbers; an empty cell is unknown."""
    rows = parse_chip_specs(CSV.encode(), "F.csv")
    assert [number for number, _ in rows] == [2, 5, 6]
    assert rows[0][1] == ChipSpec(
        name="A40", fp16_dense_tflops="149.7", die_mm2="628", datacenter=True
    )
    assert str(rows[1][1]).startswith("F.csv:5.fp16_dense_tflops")
    assert rows[2][1] == ChipSpec(name="C", fp16_dense_tflops="1")


@pytest.mark.parametrize(
    ("data", "path", "words"),
    [
        ("name\n", "F", "no sheet"),
        ("name,name\nA,B\n", "F:1", "twice"),
        ("nmae\nA\n", "F:1", "did you mean name?"),
        ("name,die_mm2\nA\n", "F:2", "1 fields instead of 2"),
        ('name\n"A\n', "F:2", "not CSV"),
        (b"name\n\xff\n", "F", "not UTF-8"),
    ],
)
def test_a_table_that_is_none_is_refused(data: str | bytes, path: str, words: str) -> None:
    """With the line."""
    error = refused(data)
    assert error.path == path
    assert words in str(error)


def test_a_table_may_begin_with_the_mark_of_spreadsheets() -> None:
    """And end its lines as they do."""
    data = b"\xef\xbb\xbfname,die_mm2\r\nA,5\r\n"
    assert parse_chip_spec(data, "F") == ChipSpec(name="A", die_mm2="5")


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "fp16_dense_tflops": st.decimals(0, 10**9, places=6),
            "die_mm2": st.decimals("0.000001", 10**4, places=6),
            "mem_bw_gbs": st.integers(0, 10**12),
            "datacenter": st.booleans(),
            "name": st.sampled_from(["A", "関所", 'say "x"']),
        },
    )
)
def test_text_numbers_and_tables_say_the_same(fields: dict[str, Any]) -> None:
    """JSON with and without quotation marks, and CSV, give one sheet."""
    bare = ",".join(
        f'"{name}":{json.dumps(value) if isinstance(value, str | bool) else format(value, "f")}'
        for name, value in fields.items()
    )
    quoted = {n: v if isinstance(v, str | bool) else format(v, "f") for n, v in fields.items()}
    first = parse_chip_spec(f"{{{bare}}}".encode(), "F")
    assert parse_chip_spec(json.dumps(quoted).encode(), "F") == first
    cells = {"vendor": "", **quoted}
    row = ",".join('"' + str(value).replace('"', '""') + '"' for value in cells.values())
    assert parse_chip_spec(f"{','.join(cells)}\n{row}\n".encode(), "F") == first
