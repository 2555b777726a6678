"""Attack: nesting so deep that a reader that calls itself runs out of stack."""

from __future__ import annotations

import pytest

from sekisho.model.errors import InvalidInput
from tests.written_packs import FULL, read

LIMB = "{quantity: attested, op: is, value: false}"


@pytest.mark.parametrize("depth", [30, 500, 30_000])
def test_a_tree_that_is_too_deep_is_refused(depth: int) -> None:
    """Before anything of it is built."""
    nested = "{not: " * depth + LIMB + "}" * depth
    with pytest.raises(InvalidInput, match="nested deeper than"):
        read(FULL.replace(LIMB, nested))


def test_a_tree_that_a_person_would_write_is_not() -> None:
    """Eight levels."""
    read(FULL.replace(LIMB, "{not: " * 8 + LIMB + "}" * 8))
