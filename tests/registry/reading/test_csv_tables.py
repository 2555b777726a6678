"""Tables as CSV: encodings decided strictly, delimiters found, wrong rows told and the rest read."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.registry.reading.csv_tables import BadRow, CsvTable, Row, open_table, write_csv
from sekisho.registry.reading.encodings import bytes_source, decoded_lines

HEAD = "シリアル番号,型番\r\n"
TEXT = HEAD + "A1,表紙付き\r\nA2,ソフト ｶﾀｶﾅ\r\n"


def opened(data: bytes, **options: str) -> CsvTable:
    return open_table(bytes_source(data), path="list.csv", **options)


def cells(data: bytes) -> list[list[str]]:
    return [row.cells for row in opened(data).rows() if isinstance(row, Row)]


@pytest.mark.parametrize(
    ("codec", "decided"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("cp932", "cp932"),
        ("shift_jis", "cp932"),
    ],
)
def test_each_encoding_is_told_and_read_alike(codec: str, decided: str) -> None:
    """The same cells come out of each, and the table says which it was."""
    data = TEXT.encode(codec)
    assert opened(data).encoding == decided
    assert cells(data) == [["シリアル番号", "型番"], ["A1", "表紙付き"], ["A2", "ソフト ｶﾀｶﾅ"]]


def test_big_endian_utf16_is_read() -> None:
    """A byte-order mark says which end comes first."""
    assert cells(b"\xfe\xff" + "a,b\n1,２\n".encode("utf-16-be")) == [["a", "b"], ["1", "２"]]


def test_a_mixture_is_refused_with_the_line_where_it_begins() -> None:
    """Two lines of cp932, then one of UTF-8."""
    data = TEXT.encode("cp932") + "A3,横浜\r\n".encode()
    with pytest.raises(InvalidInput, match=r"list\.csv:4: the line is UTF-8, but line 1 is cp932"):
        opened(data)


def test_what_nothing_explains_is_refused_with_its_line() -> None:
    """A byte that neither UTF-8 nor cp932 knows."""
    with pytest.raises(InvalidInput, match=r"list\.csv:2: is neither UTF-8 nor cp932"):
        opened(b"a,b\nx\x80\xff,1\n")


@pytest.mark.parametrize("codec", ["utf-32", "utf-16-le"])
def test_other_encodings_are_refused_by_name(codec: str) -> None:
    """UTF-32, and UTF-16 that does not say which it is."""
    with pytest.raises(InvalidInput, match=r"UTF-32|NUL"):
        opened("a,b\n1,2\n".encode(codec))


def test_half_width_katakana_alone_does_not_make_a_mixture() -> None:
    """Two bytes of cp932 that UTF-8 could also read speak for neither."""
    data = "型番,n\n".encode("cp932") + b"\xc3\xb1,1\n"  # ﾃｱ, or n with a tilde
    assert cells(data) == [["型番", "n"], ["ﾃｱ", "1"]]


def test_an_encoding_that_is_asked_for_is_held_to() -> None:
    """Its first wrong line is named, and what the line would be."""
    table = opened("a,b\n横浜,1\n".encode(), encoding="utf-8")
    assert [type(row) for row in table.rows()] == [Row, Row]
    with pytest.raises(InvalidInput, match=r"list\.csv:1: is not UTF-8; it would be cp932"):
        opened(TEXT.encode("cp932"), encoding="UTF8")
    with pytest.raises(InvalidInput, match="is no encoding of tables"):
        opened(b"a\n", encoding="latin-1")


def test_utf16_that_is_cut_off_is_refused() -> None:
    """Half a character at the end is no row."""
    with pytest.raises(InvalidInput, match="cut off"):
        opened("a,b\n1,2\n".encode("utf-16")[:-1])


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_the_delimiter_is_found(mark: str) -> None:
    """Also where a cell holds another one."""
    data = f'a{mark}b{mark}c\n1{mark}"x;y,z"{mark}3\n'.encode()
    assert cells(data)[1] == ["1", "x;y,z", "3"]


def test_a_delimiter_that_cannot_be_told_is_asked_for() -> None:
    """Every row parts alike by two marks."""
    data = b"a,b;c\n1,2;3\n"
    with pytest.raises(InvalidInput, match="--delimiter"):
        opened(data)
    assert [row.cells for row in opened(data, delimiter=";").rows() if isinstance(row, Row)] == [
        ["a,b", "c"],
        ["1,2", "3"],
    ]


def test_a_sep_line_is_obeyed_and_is_no_row() -> None:
    """Spreadsheets write it for each other."""
    assert cells(b"sep=;\na;b,c\n1;2,3\n") == [["a", "b,c"], ["1", "2,3"]]


def test_quoted_line_ends_belong_to_their_cell() -> None:
    """And rows behind them keep the lines that they begin on."""
    rows = list(opened(b'a,b\n1,"x\ny\n"\n3,4\n').rows())
    assert rows == [Row(1, ["a", "b"]), Row(2, ["1", "x\ny\n"]), Row(5, ["3", "4"])]


def test_an_open_quote_costs_its_own_row() -> None:
    """What it would have swallowed is read again."""
    rows = list(opened(b'a,b\n"1,2\n3,4\n5,6\n').rows())
    assert rows[1:] == [
        BadRow(2, "a quote is opened here and not closed"),
        Row(3, ["3", "4"]),
        Row(4, ["5", "6"]),
    ]


def test_text_behind_a_closing_quote_is_a_bad_row() -> None:
    """The form does not allow it, and nobody guesses."""
    rows = list(opened(b'a,b\n"1"2,3\n4,5\n').rows())
    assert isinstance(rows[1], BadRow)
    assert "RFC 4180" in rows[1].error
    assert rows[2] == Row(3, ["4", "5"])


def test_blank_lines_are_no_rows() -> None:
    """Nor rows of empty cells."""
    assert cells(b"a,b\n\n,\n1,2\n\n") == [["a", "b"], ["1", "2"]]


def test_a_file_of_nothing_is_refused() -> None:
    """It has no headings."""
    with pytest.raises(InvalidInput, match="holds no rows"):
        opened(b"\n\n")


def test_formulas_are_written_so_that_nothing_runs_them() -> None:
    """An apostrophe stands before what a spreadsheet would evaluate; other cells are as they were."""
    data = write_csv([["=1+1", "@SUM(A1)", "-2", "plain", "a=b"]])
    assert data.startswith(b"\xef\xbb\xbf")
    (row,) = csv.reader(io.StringIO(data.decode("utf-8-sig")))
    assert row == ["'=1+1", "'@SUM(A1)", "'-2", "plain", "a=b"]


def test_cp932_output_says_what_it_cannot_write() -> None:
    """A character that cp932 lacks becomes a question mark."""
    assert write_csv([["横浜", "한"]], encoding="cp932") == "横浜,?\r\n".encode("cp932")


CELLS = st.text(
    alphabet=st.sampled_from('ab1,;"\n\r\t 横ｱ=')
    | st.characters(codec="utf-8", exclude_characters="\0"),
    max_size=12,
)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=8))
def test_what_csv_writes_is_read_back(rows: list[list[str]]) -> None:
    """Whatever stands in the cells, except rows that are empty, which are none."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    data = text.getvalue().encode()
    source = bytes_source(data)
    if rows[0][0].casefold()[:4] != "sep=":
        table = CsvTable(path="x", encoding="utf-8", delimiter=",", head=(), chunks=source)
        found = [row.cells for row in table.rows() if isinstance(row, Row)]
        assert found == [row for row in rows if any(row)]


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    """Rows, or an error of ours."""
    try:
        found: list[object] = [type(row) for row in opened(data).rows()]
    except InvalidInput as error:
        found = [error.path.partition(":")[0]]
    assert set(found) <= {Row, BadRow, "list.csv"}


@given(st.text(max_size=40), st.integers(1, 7))
def test_lines_do_not_depend_on_the_pieces_they_come_in(text: str, size: int) -> None:
    """A piece may end anywhere, in the middle of a character too."""
    data = text.encode()

    def pieces() -> list[bytes]:
        return [data[at : at + size] for at in range(0, len(data), size)]

    whole = list(decoded_lines(bytes_source(data), "utf-8", path="x"))
    assert list(decoded_lines(pieces, "utf-8", path="x")) == whole
    assert "".join(line or "" for line in whole) == text.removeprefix("\ufeff")
