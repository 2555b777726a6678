from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.instants import Instant
from sekisho.registry.custody import check_character, derive_reference, is_reference

SHIPPED = Instant.parse("2026-03-01T00:00:00Z")
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def test_the_check_character_is_that_of_iso_7064() -> None:
    """The GRid A1-2425G-ABC1234002-M, which uses the same MOD 37,36, checks."""
    assert check_character("A12425GABC1234002") == "M"


def test_a_derived_reference_has_its_form() -> None:
    """Year and country stand in front; the same event always has the same one."""
    reference = derive_reference("ni:///sha-256;00?ver=CBV2.0", SHIPPED, "US-CA")
    assert (len(reference), reference[:4]) == (20, "26US")
    assert is_reference(reference)
    assert reference == derive_reference("ni:///sha-256;00?ver=CBV2.0", SHIPPED, "US-CA")
    assert derive_reference("ni:///sha-256;01?ver=CBV2.0", SHIPPED, "")[:4] == "26ZZ"


@given(st.text(ALPHABET, min_size=15, max_size=15), st.integers(4, 18), st.sampled_from(ALPHABET))
def test_every_wrong_character_is_found(rest: str, at: int, other: str) -> None:
    """One character exchanged for another never checks."""
    whole = f"26JP{rest}" + check_character(f"26JP{rest}")
    wrong = whole[:at] + other + whole[at + 1 :]
    assert is_reference(whole)
    assert is_reference(wrong) == (wrong == whole)


@given(st.text(ALPHABET, min_size=15, max_size=15), st.integers(4, 18))
def test_every_swap_of_neighbours_is_found(rest: str, at: int) -> None:
    """Two characters in each other's place never check, unless they are the same."""
    whole = f"26JP{rest}" + check_character(f"26JP{rest}")
    wrong = whole[:at] + whole[at + 1] + whole[at] + whole[at + 2 :]
    assert is_reference(wrong) == (wrong == whole)


@pytest.mark.parametrize(
    "text", ["", "M", "26jp000000000000000X", "26JP00000000000000é0", "X" * 21]
)
def test_what_is_no_reference_is_none(text: str) -> None:
    """Of another length, in lower case, with letters of other alphabets."""
    assert not is_reference(text)
