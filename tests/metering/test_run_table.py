"""Run tables: a wrong file is refused whole, a wrong row alone, and nothing crashes."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.metering import RowError, RunRecord, parse_run_table
from sekisho.model.errors import InvalidInput

HEADER = "run_id,chip,chips,seconds"
GOOD = "a,NVIDIA H100-SXM5-80GB,8,3600"


def rows(*lines: str, header: str = HEADER) -> list[RunRecord | RowError]:
    """The rows of a table with these lines."""
    return list(parse_run_table("\n".join([header, *lines, ""]).encode(), "runs.csv").rows)


def error(line: str, header: str = HEADER) -> str:
    """The error of a table's only row."""
    (row,) = rows(line, header=header)
    assert isinstance(row, RowError)
    assert row.line == 2
    return row.error


def test_a_row_is_read_exactly() -> None:
    """Every column, decimals as fractions, scientific notation without floating point."""
    header = (
        "run_id,chip,chips,seconds,precision,utilisation,sm_clock_ratio,energy_j,"
        "params,tokens,benchmark,samples,system,declared"
    )
    line = "r/1,TPU-v5p,512,6887.633,BF16,0.45,0.9,1e9,1.75e11,1207959552.0,gpt3,7,pod,1.2683575296e+21"
    assert rows(line, header=header) == [
        RunRecord(
            run_id="r/1",
            chip="TPU-v5p",
            chips=512,
            seconds=Fraction(6887633, 1000),
            precision="bf16",
            utilisation=Fraction(45, 100),
            sm_clock_ratio=Fraction(9, 10),
            energy_j=Fraction(10**9),
            params=175 * 10**9,
            tokens=1_207_959_552,
            benchmark="gpt3",
            samples=7,
            system="pod",
            declared=1_268_357_529_600_000_000_000,
            line=2,
        )
    ]


def test_aliases_and_other_columns_are_accepted() -> None:
    """`chip_count`, `gpt3_declared_flop_6nd`; headers in any case; unknown columns passed over."""
    header = "Run_ID, chip ,chip_count,SECONDS,submitter,gpt3_declared_flop_6nd"
    (row,) = rows("a,H100,8,1,x,5", header=header)
    assert isinstance(row, RunRecord)
    assert (row.chips, row.declared) == (8, 5)


@pytest.mark.parametrize("column", ["run_id", "chip", "chips", "seconds"])
def test_attack_missing_column(column: str) -> None:
    """The header is named with the column that lacks."""
    header = ",".join(name for name in HEADER.split(",") if name != column)
    with pytest.raises(InvalidInput, match=f"'{column}' is missing") as caught:
        rows("a,b,c", header=header)
    assert caught.value.path == "runs.csv:1"


@pytest.mark.parametrize(
    "header", [HEADER + ",seconds", HEADER + ",chip_count", HEADER + ",Seconds "]
)
def test_attack_duplicated_column(header: str) -> None:
    """Also under an alias or in another case: two answers to one question."""
    with pytest.raises(InvalidInput, match="stands twice"):
        rows(GOOD + ",1", header=header)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("chips", "eight"),
        ("seconds", "an hour"),
        ("seconds", "1,5"),
        ("chips", "8 GPUs"),
        ("seconds", "0x10"),
        ("seconds", "12:30"),
    ],
)
def test_attack_text_for_a_number(column: str, text: str) -> None:
    """The row is refused by its column, the file is not."""
    cell = f'"{text}"'
    line = f"a,H100,{cell},1" if column == "chips" else f"a,H100,8,{cell}"
    assert error(line).startswith(f"{column}: ")


@pytest.mark.parametrize("text", ["NaN", "nan", "inf", "-inf", "Infinity"])
def test_attack_nan(text: str) -> None:
    """Not a number is not a figure, in any column."""
    assert error(f"a,H100,8,{text}").startswith("seconds: ")
    assert error(f"a,H100,{text},1").startswith("chips: ")


def test_attack_negative() -> None:
    """Negative time, chips, tokens or energy; and zero time or chips, which no run has."""
    assert error("a,H100,8,-1").startswith("seconds: ")
    assert error("a,H100,-8,1").startswith("chips: ")
    assert error("a,H100,8,0").startswith("seconds: ")
    assert error("a,H100,0,1").startswith("chips: ")
    assert error("a,H100,8,1,-5", header=HEADER + ",tokens").startswith("tokens: ")
    assert error("a,H100,8,1,-5", header=HEADER + ",energy_j").startswith("energy_j: ")


@pytest.mark.parametrize("text", ["1e400", "1" + "0" * 400, "1e39", "9" * 10_000])
def test_attack_ten_to_the_four_hundred(text: str) -> None:
    """Refused by its length, before anything is computed with it."""
    assert error(f"a,H100,8,{text}").startswith("seconds: ")
    assert error(f"a,H100,{text},1").startswith("chips: ")
    assert error(f"a,H100,8,1,{text}", header=HEADER + ",declared").startswith("declared: ")


def test_attack_byte_order_mark() -> None:
    """Spreadsheets write a UTF-8 mark: accepted. UTF-16 is refused."""
    data = f"{HEADER}\n{GOOD}\n"
    assert len(parse_run_table(data.encode("utf-8-sig"), "runs.csv").records) == 1
    with pytest.raises(InvalidInput, match="not UTF-8") as caught:
        parse_run_table(data.encode("utf-16"), "runs.csv")
    assert caught.value.path == "runs.csv:1"


@pytest.mark.parametrize("data", [HEADER, HEADER + "\n", HEADER + "\n\n\n"])
def test_attack_no_rows(data: str) -> None:
    """A header alone says nothing about any run."""
    with pytest.raises(InvalidInput, match="no rows"):
        parse_run_table(data.encode(), "runs.csv")


def test_attack_empty_file() -> None:
    """Nothing at all is a missing column."""
    with pytest.raises(InvalidInput, match="is missing"):
        parse_run_table(b"", "runs.csv")


def test_attack_more_rows_than_the_bound() -> None:
    """The bound is a million; here three."""
    data = "\n".join([HEADER, *[GOOD] * 4]).encode()
    assert len(parse_run_table(data, "runs.csv", max_rows=4).rows) == 4
    with pytest.raises(InvalidInput, match="more than 3 rows"):
        parse_run_table(data, "runs.csv", max_rows=3)


def test_attack_ragged_and_broken_rows() -> None:
    """Too few or many fields cost the row; an open quote or a NUL costs the file."""
    assert "3 fields" in error("a,H100,8")
    assert "5 fields" in error(GOOD + ",x")
    for line in ('a,"H100,8,1', 'a,"H"100,8,1', "a" * 200_000 + ",H100,8,1"):
        with pytest.raises(InvalidInput, match="not CSV"):
            rows(line)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("utilisation", "45%"),
        ("utilisation", "1.01"),
        ("utilisation", "0"),
        ("precision", "fp7"),
        ("params", "1.5"),
        ("benchmark", "x" * 501),
    ],
)
def test_an_optional_value_that_makes_no_sense_is_refused(column: str, text: str) -> None:
    """Optional means that it may be blank, not that it may be wrong."""
    assert error(f"{GOOD},{text}", header=f"{HEADER},{column}").startswith(f"{column}: ")


def test_blank_cells_are_not_stated_and_a_blank_run_id_is_refused() -> None:
    """Blank seconds make a run not measured; a run without a name cannot be answered."""
    (row,) = rows("a,H100,,")
    assert isinstance(row, RunRecord)
    assert (row.chips, row.seconds) == (None, None)
    assert "run_id" in error(",H100,8,1")


def test_a_bad_row_names_its_line_and_the_rest_is_read() -> None:
    """Also after a quoted cell that spans lines."""
    found = rows(GOOD, '"b\nc",H100,8,x', GOOD)
    assert [type(row) for row in found] == [RunRecord, RowError, RunRecord]
    assert isinstance(found[1], RowError)
    assert isinstance(found[2], RunRecord)
    assert (found[1].line, found[2].line) == (3, 5)


def answer_to(data: bytes) -> str:
    """The path of the refusal, or "" where rows were read."""
    try:
        return "" if parse_run_table(data, "runs.csv").rows else "no rows"
    except InvalidInput as refused:
        return refused.path


@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_a_named_error(data: bytes) -> None:
    """Never a crash."""
    for text in (data, HEADER.encode() + b"\n" + data):
        path = answer_to(text)
        assert not path or path.startswith("runs.csv")
