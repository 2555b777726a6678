"""Ultimate owners by a dated table: chains, shares, rings, halves, and what nobody says."""

from __future__ import annotations

import pytest

from sekisho.metering.accounts import OwnerTable, parse_owner_table
from sekisho.model.errors import InvalidInput
from tests.metering.accounts.made import T0, at


def table(*rows: str, header: str = "customer,owner,share,from,to") -> OwnerTable:
    return parse_owner_table("\n".join([header, *rows]).encode(), "owners.csv")


def owners(found: OwnerTable, customer: str, days: float = 0) -> tuple[str, ...]:
    return found.owned_at(customer, at(days).us).owners


def test_control_passes_along_the_chain_to_its_end() -> None:
    """Whoever owns the owner is who counts."""
    found = table("a,b,,,", "b,c,0.5,,", "c,d,1,,")
    assert owners(found, "a") == ("d",)
    assert owners(found, "d") == ("d",)


def test_shares_below_half_add_up_where_one_holds_them() -> None:
    """Three shell firms of a fifth each under one owner are three fifths."""
    shells = [f"a,shell{n},0.2,," for n in range(3)] + [f"shell{n},z,,," for n in range(3)]
    assert owners(table(*shells, "a,other,0.4,,"), "a") == ("z",)


def test_two_tranches_of_one_holder_are_one_holding() -> None:
    """A share written in two rows is not two small ones."""
    assert owners(table("a,z,0.3,,", "a,z,0.3,,"), "a") == ("z",)


def test_two_halves_control_both() -> None:
    """Each is accounted the whole, and it is said."""
    found = table("a,x,0.5,,", "a,y,0.5,,")
    assert owners(found, "a") == ("x", "y")
    assert "whole" in found.owned_at("a", T0.us).notes[0]


def test_small_holders_control_nothing_and_are_named() -> None:
    """A firm of which nobody holds half is its own owner."""
    owned = table("a,x,0.4,,", "a,y,0.4,,").owned_at("a", T0.us)
    assert owned.owners == ("a",)
    assert "x, y" in owned.notes[0]


def test_a_ring_of_owners_is_one_owner() -> None:
    """Firms that own each other have one name, the first, whichever of them is asked for."""
    found = table("a,b,,,", "b,c,,,", "c,b,,,")
    assert {owners(found, name) for name in "abc"} == {("b",)}


def test_an_owner_from_a_day_on_is_none_before() -> None:
    """A sale changes whose work it is, at its instant."""
    found = table("a,x,,,2026-01-11", "a,y,,2026-01-11,")
    assert (owners(found, "a", 9), owners(found, "a", 10)) == (("x",), ("y",))
    parts = found.controls_within("a", at(0).us, at(20).us)
    assert [(p.start, p.end, p.owned.owners) for p in parts] == [
        (at(0).us, at(10).us, ("x",)),
        (at(10).us, at(20).us, ("y",)),
    ]


def test_a_sale_further_up_changes_the_owner_too() -> None:
    """The date stands in a row above."""
    found = table("a,b,,,", "b,x,,,2026-01-11", "b,y,,2026-01-11,")
    assert (owners(found, "a", 9), owners(found, "a", 10)) == (("x",), ("y",))


def test_an_unknown_owner_is_an_owner_of_its_own_and_it_is_said() -> None:
    """Nothing is guessed."""
    owned = OwnerTable().owned_at("solo", T0.us)
    assert (owned.owners, owned.is_known) == (("solo",), False)
    assert "nobody says" in owned.notes[0]
    assert OwnerTable().owned_at("", T0.us).owners == ("",)


def test_spellings_of_one_name_are_one_owner() -> None:
    """Capitals and full-width letters split nothing."""
    found = table("Acme,HOLDING,,,", "ＡＣＭＥ,Holding,,,")
    assert owners(found, "acme") == ("HOLDING",)


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        (["a,,,,"], "owners.csv:2, owner"),
        (["a,b,1.5,,"], "owners.csv:2, share"),
        (["a,b,0,,"], "owners.csv:2, share"),
        (["a,b,,2026-02-30,"], "owners.csv:2, from"),
        (["a,b,,,", "a,b,,2026-02-01,2026-01-01"], "owners.csv:3, to"),
        (["a,b"], "owners.csv:2"),
        (['a,"b'], "owners.csv"),
    ],
)
def test_a_bad_row_is_named_with_its_line(rows: list[str], where: str) -> None:
    """A wrong table of owners would hide an owner: it is refused whole."""
    with pytest.raises(InvalidInput) as caught:
        table(*rows)
    assert caught.value.path.startswith(where)


@pytest.mark.parametrize("header", ["customer,share", "owner", "customer,owner,owner"])
def test_a_header_that_lacks_or_doubles_a_column_is_refused(header: str) -> None:
    """Before any row is read."""
    with pytest.raises(InvalidInput, match="column"):
        table(header=header)


def test_a_thousand_firms_above_one_are_refused() -> None:
    """A chain without end would be walked without end."""
    with pytest.raises(InvalidInput, match="firms stand above"):
        owners(table(*(f"f{n},f{n + 1},,," for n in range(1_100))), "f0")
