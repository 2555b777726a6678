"""Attack: a pack so large, or of so many tiny values, that reading it takes minutes."""

from __future__ import annotations

import time

import pytest

from sekisho.model.errors import InvalidInput
from tests.written_packs import FULL, read


def test_a_pack_over_a_megabyte_is_refused() -> None:
    """By its length alone."""
    with pytest.raises(InvalidInput, match="longer than"):
        read(FULL + "#" * 2**20)


def test_a_megabyte_of_tiny_values_is_refused_at_a_bound() -> None:
    """Half a million commas would be half a million values."""
    began = time.monotonic()
    with pytest.raises(InvalidInput, match="more than 50000 values"):
        read(FULL.replace("[civil, other]", "[" + "a," * 400_000 + "a]"))
    assert time.monotonic() - began < 20


def test_a_number_of_a_million_digits_is_refused_without_being_computed() -> None:
    """Nor is 1e99 written out, or a fraction over a huge number made."""
    for number in ("9" * 500_000, "1e99", "1e-5", "1/" + "9" * 400_000, "0." + "3" * 400_000):
        with pytest.raises(InvalidInput):
            read(FULL.replace("value: 5.92", f"value: {number}"))
