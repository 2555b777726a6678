from __future__ import annotations

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.wire import canonical
from sekisho.registry.balance import Inventory, Item, parse_inventory, parse_inventory_table
from tests.registry.balance.worlds import at, counted


def table(text: str | bytes) -> Inventory:
    data = text.encode() if isinstance(text, str) else text
    return parse_inventory_table(data, party="cloud", area="osaka", taken=at(9), path="count.csv")


def test_a_count_goes_to_json_and_back() -> None:
    """What is read is what was written."""
    made = counted(["a", "b"], 9)
    assert parse_inventory(canonical(made)) == made


def test_a_table_is_read_with_or_without_its_optional_columns() -> None:
    """With the mark that spreadsheets put in front as well."""
    assert table("epc\na\nb\n") == counted(["a", "b"], 9)
    assert table(b"\xef\xbb\xbfpoint,epc,batch\r\nrow-1,a,t-9\r\n").items == (
        Item(epc="a", point="row-1", batch="t-9"),
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("epc\na\na\n", r"items\[1\]: lists a twice; count it once"),
        ("serial\na\n", "line 1: has the columns serial; name them"),
        ("epc,epc\na,b\n", "line 1: has the columns"),
        ("epc,point\na\n", "line 2: has another number of cells"),
        ("epc,point\na,b,c\n", "line 2: has another number of cells"),
        ("epc,point\n,b\n", "line 2: has no identifier"),
        ('epc\n"a\n', "line"),
        (b"epc\n\x93\n", "byte 4 is not UTF-8; save the table as UTF-8"),
        ("", "line 1: has the columns none"),
    ],
)
def test_a_bad_table_is_refused_with_its_line(text: str | bytes, why: str) -> None:
    """And with what to do."""
    with pytest.raises(InvalidInput, match=why):
        table(text)


def test_an_unknown_field_is_not_passed_over() -> None:
    """A misspelt list must not read as an empty one."""
    with pytest.raises(InvalidInput):
        parse_inventory(
            b'{"party":"cloud","area":"osaka","taken":"2026-01-01T00:00:00Z","item":[]}'
        )
