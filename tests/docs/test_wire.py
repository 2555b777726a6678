from __future__ import annotations

import re

import pytest

from sekisho.model.statements import KINDS
from tests.docs.wire_table import PAGE, cells_of, kind_rows, shape_rows
from tests.factory_kinds import one_of_each

LINES = PAGE.read_text(encoding="utf-8").splitlines()
ROWS = [cells_of(line) for line in LINES if line.startswith("| `")]
KIND_ROWS = {row[0].strip("`"): row for row in ROWS if len(row) == 6}
SHAPE_ROWS = {row[0].strip("`"): row for row in ROWS if len(row) == 2 and row[0][1].isupper()}


def test_every_kind_has_its_row_and_no_row_is_left_over() -> None:
    """In the order of the table of kinds."""
    assert list(KIND_ROWS) == list(KINDS)
    assert set(SHAPE_ROWS) == set(shape_rows())


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_says_the_kinds_own_fields_key_and_place(kind: str) -> None:
    """Fields and types as the code has them; the power by its name; whether it is an entry."""
    _, subject, predicate, key, logged, learned = KIND_ROWS[kind]
    assert predicate == kind_rows()[kind]
    made = KINDS[kind].subject(one_of_each()[kind])
    pattern = re.sub(r"<[a-z0-9_]+>", ".+", subject.strip("`"))
    assert re.fullmatch(pattern, made)
    named = {
        "order-kind": "its `kind` names",
        "pack-kind": "`publish-emergency`",
        "witness-of-fault": "one key",
        "key-itself": "the key that it names",
        "recovery": "recovery keys",
        "veto": "the constituency that it names",
    }
    assert named.get(KINDS[kind].signer, f"`{KINDS[kind].signer}`") in key
    assert (logged != "no") is KINDS[kind].logged
    assert len(learned) > 20 or learned.startswith("nothing")


@pytest.mark.parametrize("shape", shape_rows())
def test_a_shapes_row_says_its_own_fields(shape: str) -> None:
    """As the code has them."""
    assert SHAPE_ROWS[shape][1] == shape_rows()[shape]


def test_kinds_that_are_missing_are_not_in_the_table() -> None:
    """What the page calls missing is missing, and those that the protocol does not name are here."""
    text = PAGE.read_text(encoding="utf-8")
    start = text.index("Kinds that the protocol names")
    missing, _, added = text[start:].partition("These are here")
    named = set(re.findall(r"[a-z]+(?:-[a-z]+)+", missing))
    assert not named & set(KINDS)
    assert len(named) == 4
    assert set(re.findall(r"[a-z]+(?:-[a-z]+)+", added)) <= set(KINDS)
