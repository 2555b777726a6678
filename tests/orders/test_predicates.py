"""Predicates on hosts: yes, no or unknown, exactly, and unknown counts as holding."""

from __future__ import annotations

import re
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.model.statements import HostLimb, HostPredicate, HostQuantity, LimbGroup
from sekisho.orders.predicates import (
    COUNTED,
    HostFigures,
    WidenedScope,
    check_predicate,
    evaluate_limb,
    figures_of,
    name_hosts,
    resolve_hosts,
    verify_resolved,
)
from sekisho.orders.where import parse_where
from tests.factory import REFERENCE, host_enrolled, licence_issued

KNOWN = figures_of(host_enrolled(), licence_issued(REFERENCE), 10**25)
BARE = HostFigures(host="host-9")
NAMES = [name for name in get_args(HostQuantity) if name not in COUNTED]


def limb(quantity: str, op: str, *values: str) -> HostLimb:
    return msgspec.convert({"quantity": quantity, "op": op, "values": list(values)}, HostLimb)


def predicate(*groups: tuple[HostLimb, ...]) -> HostPredicate:
    return HostPredicate(any_of=tuple(LimbGroup(all_of=group) for group in groups))


def holds_for(asked: HostPredicate, figures: HostFigures) -> bool | None:
    """Whether a host is named: yes, no, or None where what is unknown of it decides."""
    named = name_hosts(asked, [(figures.host, [figures])])
    return False if not named else None if named[0].unknown else True


def typed(group: LimbGroup) -> str:
    """A group as somebody would type it."""
    return " and ".join(
        f"{each.quantity} {each.op} {', '.join(map(_quoted, each.values))}" for each in group.all_of
    )


def _quoted(value: str) -> str:
    if re.fullmatch(r"[^\s,'\"]+", value):
        return value
    return f'"{value}"' if "'" in value else f"'{value}'"


@pytest.mark.parametrize(
    ("quantity", "mine"),
    [
        ("host", "host-1"),
        ("site", "site-1"),
        ("jurisdiction", "JP"),
        ("organisation", "Operator"),
        ("chip", "host CPU"),
        ("counter", "C0"),
        ("driver", "process"),
        ("licensee", "party-1"),
        ("licence", "L-1"),
        ("run", "run-1"),
        ("mode", "kill"),
    ],
)
def test_a_name_is_one_of_those_named_or_it_is_not(quantity: str, mine: str) -> None:
    """`is` and `is-not` of a known name are each other's contrary, over each quantity that is a name."""
    if quantity in ("licence", "mode"):
        mine = str(getattr(KNOWN, quantity))
    assert evaluate_limb(limb(quantity, "is", "another", mine), KNOWN) is True
    assert evaluate_limb(limb(quantity, "is-not", "another", mine), KNOWN) is False
    assert evaluate_limb(limb(quantity, "is", "another"), KNOWN) is False
    assert evaluate_limb(limb(quantity, "is-not", "another"), KNOWN) is True


@pytest.mark.parametrize("quantity", COUNTED)
def test_a_number_is_compared_exactly_at_its_own_value(quantity: str) -> None:
    """At the bound itself `at-least` holds and `below` does not; one below it the contrary."""
    mine = getattr(KNOWN, quantity.replace("-", "_"))
    assert evaluate_limb(limb(quantity, "at-least", str(mine)), KNOWN) is True
    assert evaluate_limb(limb(quantity, "below", str(mine)), KNOWN) is False
    assert evaluate_limb(limb(quantity, "at-least", str(mine + 1)), KNOWN) is False
    assert evaluate_limb(limb(quantity, "below", str(mine + 1)), KNOWN) is True


def test_numbers_beyond_floating_point_are_still_exact() -> None:
    """Two budgets that differ in their last of 26 digits are two budgets."""
    figures = msgspec.structs.replace(KNOWN, lineage_flop=10**26 + 1)
    assert evaluate_limb(limb("lineage-flop", "at-least", str(10**26 + 1)), figures) is True
    assert evaluate_limb(limb("lineage-flop", "at-least", str(10**26 + 2)), figures) is False


@pytest.mark.parametrize("quantity", [name for name in NAMES if name != "host"])
def test_what_is_unknown_of_a_host_is_neither_yes_nor_no_and_counts_as_holding(
    quantity: str,
) -> None:
    """A host that does not say cannot escape, by either comparison."""
    for op in ("is", "is-not"):
        asked = predicate((limb(quantity, op, "x"),))
        assert holds_for(asked, BARE) is None
        (named,) = name_hosts(asked, [("host-9", [BARE])])
        assert [each.quantity for each in named.unknown] == [quantity]


def test_a_chip_of_many_makes_a_host_one_with_that_chip() -> None:
    """`chip is` asks for any device, `chip is-not` for none."""
    mixed = msgspec.structs.replace(KNOWN, chips=("A", "B"))
    assert evaluate_limb(limb("chip", "is", "B"), mixed) is True
    assert evaluate_limb(limb("chip", "is-not", "B"), mixed) is False


def test_one_no_decides_a_group_and_one_yes_decides_the_whole() -> None:
    """Three-valued: no wins within a group, yes among groups, unknown in between."""
    yes, no, unknown = limb("site", "is", "site-1"), limb("site", "is", "x"), limb("run", "is", "r")
    here = msgspec.structs.replace(KNOWN, run=None)

    assert holds_for(predicate((unknown, no)), here) is False
    assert holds_for(predicate((unknown, yes)), here) is None
    assert holds_for(predicate((unknown,), (no,)), here) is None
    assert holds_for(predicate((unknown,), (yes,)), here) is True
    assert holds_for(predicate((no,), (no,)), here) is False


TOLD = st.sampled_from(["site-1", "site-2", "run-1", "run-2"])
LIMBS = st.builds(limb, st.sampled_from(["site", "run"]), st.sampled_from(["is", "is-not"]), TOLD)
GROUPS = st.lists(st.lists(LIMBS, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3)


@given(GROUPS, st.sampled_from(["site-1", "site-2"]), st.sampled_from(["run-1", "run-2"]))
def test_learning_more_of_a_host_never_names_it_where_it_was_certain_not_to_be(
    groups: list[tuple[HostLimb, ...]], site: str, run: str
) -> None:
    """Whoever hides an attribute is in at least the scopes that it would be in otherwise."""
    asked = predicate(*groups)
    known = HostFigures(host="h", site=site, run=run)
    for hidden in (HostFigures(host="h", site=site), HostFigures(host="h", run=run)):
        if holds_for(asked, known) is not False:
            assert holds_for(asked, hidden) is not False


def test_a_host_is_named_by_any_of_its_licences() -> None:
    """Whatever it runs beside: one licence within the predicate is enough, and certainty goes before doubt."""
    other = msgspec.structs.replace(KNOWN, run="run-2")
    asked = predicate((limb("run", "is", "run-2"),), (limb("mode", "is", "x"),))
    (named,) = name_hosts(asked, [("host-1", [KNOWN, other])])
    assert (named.group, named.unknown) == (1, ())
    assert name_hosts(asked, [("host-1", [KNOWN])]) == ()


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        (limb("devices", "is", "8"), r"any_of\[0\]\.all_of\[1\]\.op.*below or at-least"),
        (limb("site", "below", "8"), r"any_of\[0\]\.all_of\[1\]\.op.*is or is-not"),
        (limb("devices", "below", "8", "9"), r"all_of\[1\]\.values: below takes one number"),
        (limb("devices", "below", "eight"), r"all_of\[1\]\.values\[0\]"),
        (limb("devices", "below", "1e3"), r"all_of\[1\]\.values\[0\]"),
        (limb("devices", "below", "-1"), r"all_of\[1\]\.values\[0\]"),
        (limb("devices", "below", "9" * 39), r"all_of\[1\]\.values\[0\]"),
    ],
)
def test_a_condition_that_nobody_can_evaluate_is_refused_by_its_place(
    wrong: HostLimb, where: str
) -> None:
    """The error names the condition, before any host is looked at."""
    asked = predicate((limb("site", "is", "nowhere"), wrong))
    with pytest.raises(InvalidInput, match=where):
        check_predicate(asked)
    with pytest.raises(InvalidInput, match=where):
        name_hosts(asked, [])


def test_root_and_count_are_those_of_the_sorted_hosts() -> None:
    """The sequence in which hosts are found changes nothing; one host more or less changes both."""
    asked = predicate((limb("site", "is", "site-1"),))
    scope = resolve_hosts(asked, ("b", "a", "c"), size=7, tree="0" * 64)
    assert scope == resolve_hosts(asked, ("c", "b", "a"), size=7, tree="0" * 64)
    verify_resolved(scope, ("a", "c", "b"))
    for others in (("a", "b"), ("a", "b", "c", "d"), ("a", "b", "d"), ()):
        with pytest.raises(WidenedScope):
            verify_resolved(scope, others)


# --- as people write them --------------------------------------------------------------------


def test_a_text_is_read_as_it_is_written() -> None:
    """Quotation marks, several values, several texts, and numbers as people write them."""
    asked = parse_where(
        [
            "chip is 'H100 SXM5', \"Baker's\" and devices at-least 8",
            "licence-budget-flop below 1e24",
        ]
    )
    assert asked == predicate(
        (limb("chip", "is", "H100 SXM5", "Baker's"), limb("devices", "at-least", "8")),
        (limb("licence-budget-flop", "below", str(10**24)),),
    )
    assert parse_where([typed(group) for group in asked.any_of]) == asked


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "column 1: the end is not a quantity"),
        ("speed below 3", "column 1: 'speed' is not a quantity"),
        ("site equals x", "column 6: 'equals' is not a comparison"),
        ("site is", "column 8: the end stands where a value must"),
        ("site is x,", "column 11: the end stands where a value must"),
        ("chip is H100 SXM5", "column 14: 'SXM5' is not `and`"),
        ("site is 'x", "column 8: a quotation mark that is not closed"),
        ("devices at-least many", "column 18: 'many' is not a non-negative number"),
        ("devices at-least 1.5", "column 18: '1.5' is not a whole number"),
        ("devices is 8", r"any_of\[0\].all_of\[0\].op: devices is a number"),
        ("site below 3", r"any_of\[0\].all_of\[0\].op: site is a name"),
        (" and ".join(["site is x"] * 17), "more than 16 conditions"),
        ("site is " + ",".join("x" * 65), "more than 64 values"),
        ("site is " + "x" * 4_000, "longer than 4000 characters"),
    ],
)
def test_what_is_no_condition_is_refused_by_its_column(text: str, where: str) -> None:
    """An error says where in the text, and what would do."""
    with pytest.raises(InvalidInput, match=where):
        parse_where([text])


def test_too_many_groups_and_the_group_at_fault_are_named() -> None:
    """Of several texts the error says which."""
    with pytest.raises(InvalidInput, match="1 to 16 groups"):
        parse_where(["site is x"] * 17)
    with pytest.raises(InvalidInput, match="--where 2, column 1"):
        parse_where(["site is x", "no"])


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever is typed becomes a predicate or an error that says where."""
    try:
        asked = parse_where([text])
    except InvalidInput as refused:
        where = refused.path
    else:
        where = "--where"
        assert parse_where([typed(group) for group in asked.any_of]) == asked
    assert where.startswith("--where")
