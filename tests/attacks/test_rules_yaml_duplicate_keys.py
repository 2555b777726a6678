"""Attack: a key that stands twice, so that the lawyer reads the first value and the machine the second."""

from __future__ import annotations

import pytest

from sekisho.model.errors import InvalidInput
from tests.written_packs import FULL, read


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("outcome: licence", "outcome: licence\n    outcome: permit"),
        ("value: 5.92", "value: 5.92, value: 5.92e6"),
        ("  third:\n", "  density: {}\n  third:\n"),
        ("outcome: licence", 'outcome: licence\n    "outcome": permit'),
    ],
    ids=["a field", "in braces", "a name", "once in quotes"],
)
def test_a_key_that_stands_twice_is_refused(old: str, new: str) -> None:
    """However it is written; the refusal says where the first one stands."""
    with pytest.raises(InvalidInput, match="stands twice") as caught:
        read(FULL.replace(old, new, 1))
    assert "see line" in caught.value.remedy
