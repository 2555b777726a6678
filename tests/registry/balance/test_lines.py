from __future__ import annotations

import timeit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sekisho.model.errors import StateConflict
from sekisho.registry.balance import CODES, held_at, lines_of, path_lines, signed
from sekisho.registry.custody.book import Taking
from sekisho.registry.epcis.event import Typed
from tests.registry.balance.worlds import (
    AREAS,
    CLOUD,
    FAB,
    TOKYO,
    Told,
    World,
    at,
    count_of,
    tellings,
)


def codes_of(*told: Told) -> list[tuple[str, str, str]]:
    """(area, code, other) of every line of one chip's story."""
    world = World()
    for one in told:
        world.tell(one)
    return [(line.area, line.code, line.other) for line in world.lines]


MADE = Told(hours=0, site="fab", custodian="maker")
HELD = Told(hours=0)


def sent(hours: int, *to: Typed, site: str = "hall-1", custodian: str = "cloud") -> Told:
    return Told(
        hours=hours, state="in-transit", site=site, custodian=custodian, destinations=tuple(to)
    )


STORIES = {
    "made": ([MADE], [("fab", "CM", "")]),
    "exported and imported": (
        [MADE, sent(1, CLOUD, site="fab", custodian="maker"), Told(hours=2)],
        [("fab", "CM", ""), ("fab", "SF", ""), ("osaka", "RF", "")],
    ),
    "shipped at home": (
        [HELD, sent(1, TOKYO), Told(hours=2, site="tokyo")],
        [("osaka", "CM", ""), ("osaka", "SD", "tokyo"), ("tokyo", "RD", "")],
    ),
    "a shipment of unknown goal": (
        [HELD, sent(1)],
        [("osaka", "CM", ""), ("osaka", "SD", "")],
    ),
    "over a hub abroad": (
        [HELD, sent(1, TOKYO), sent(2, site="berlin"), Told(hours=3, site="tokyo")],
        [("osaka", "CM", ""), ("osaka", "SD", "tokyo"), ("tokyo", "RD", "")],
    ),
    "a receipt that says whence": (
        [HELD, sent(1, TOKYO), Told(hours=3, site="tokyo", sources=(FAB,))],
        [("osaka", "CM", ""), ("osaka", "SD", "tokyo"), ("tokyo", "RF", "fab")],
    ),
    "within one area": ([HELD, Told(hours=1, site="hall-2")], [("osaka", "CM", "")]),
    "re-racked between areas": (
        [HELD, Told(hours=1, site="tokyo")],
        [("osaka", "CM", ""), ("osaka", "RB-", "tokyo"), ("tokyo", "RB+", "osaka")],
    ),
    "moved to another party": (
        [HELD, Told(hours=1, site="tokyo", custodian="lab")],
        [("osaka", "CM", ""), ("osaka", "SD", "tokyo"), ("tokyo", "RD", "osaka")],
    ),
    "moved abroad at once": (
        [HELD, Told(hours=1, site="berlin")],
        [("osaka", "CM", ""), ("osaka", "SF", "berlin"), ("berlin", "RF", "osaka")],
    ),
    "put away and fetched": (
        [HELD, Told(hours=1, site="cold"), Told(hours=2)],
        [
            ("osaka", "CM", ""),
            ("osaka", "TW", "cold"),
            ("cold", "RD", "osaka"),
            ("cold", "SD", "osaka"),
            ("osaka", "FW", "cold"),
        ],
    ),
    "lost and found": (
        [HELD, Told(hours=1, state="lost"), Told(hours=2)],
        [("osaka", "CM", ""), ("osaka", "LA", ""), ("osaka", "GA", "")],
    ),
    "stolen": ([HELD, Told(hours=1, state="stolen")], [("osaka", "CM", ""), ("osaka", "TH", "")]),
    "destroyed": (
        [HELD, Told(hours=1, state="destroyed")],
        [("osaka", "CM", ""), ("osaka", "DS", "")],
    ),
    "exported for good and returned": (
        [HELD, Told(hours=1, state="exported"), Told(hours=2, state="returned")],
        [("osaka", "CM", ""), ("osaka", "SF", ""), ("osaka", "RF", "")],
    ),
    "reworked": (
        [HELD, Told(hours=1, state="destroyed", biz_step="repairing")],
        [("osaka", "CM", ""), ("osaka", "RM-", "")],
    ),
    "lost on the way": (
        [HELD, sent(1, TOKYO), Told(hours=2, state="lost")],
        [("osaka", "CM", ""), ("osaka", "SD", "tokyo")],
    ),
    "nowhere": (
        [HELD, Told(hours=1, site=""), Told(hours=2)],
        [("osaka", "CM", ""), ("osaka", "SD", ""), ("osaka", "RD", "")],
    ),
    "a place that the terms do not know": (
        [Told(hours=0, site="shed")],
        [("shed", "CM", "")],
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_move_is_booked_under_its_code(name: str) -> None:
    """The code follows from the event and the standings around it."""
    told, expected = STORIES[name]
    assert codes_of(*told) == expected


def test_an_observation_books_nothing() -> None:
    """The chip stays where it was."""
    world = World()
    world.tell(HELD)
    assert world.tell(Told(hours=1, state="active")) == ()


def test_what_was_not_taken_books_nothing() -> None:
    """A waiting or refused event has no lines."""
    world = World()
    world.tell(HELD)
    captured, standing = world.path["chip-1"][0]
    taking = Taking(number=1, outcome="waiting", standings={"chip-1": standing})
    assert lines_of(captured, taking, lambda _: None, AREAS) == ()


def test_a_backdated_event_asks_for_the_path() -> None:
    """Without it the lines would be wrong, so it is refused."""
    world = World()
    world.tell(Told(hours=5))
    captured, standing = world.path["chip-1"][0]
    late = Taking(number=2, outcome="taken", standings={"chip-1": standing})
    with pytest.raises(StateConflict, match="need the path of chip-1"):
        lines_of(captured, late, lambda _: replace(standing, at=at(9)), AREAS)


def test_a_voided_shipment_takes_its_line_back() -> None:
    """The line that goes names the code and time of the one that it takes back, and the number of what voided it."""
    world = World()
    world.tell(HELD)
    world.tell(sent(1, TOKYO))
    made = world.tell(Told(hours=1, voids=2))
    assert [(line.code, line.reverses, line.at, line.number) for line in made] == [
        ("SD", True, at(1), 3)
    ]


def test_a_backdated_visit_changes_the_lines_between() -> None:
    """A chip that turns out to have been in Tokyo in between has left Osaka earlier."""
    world = World()
    world.tell(HELD)
    world.tell(Told(hours=9, site="berlin"))
    made = world.tell(Told(hours=5, site="tokyo"))
    assert sorted((line.area, line.code, line.reverses, line.at) for line in made) == sorted(
        [
            ("osaka", "SF", True, at(9)),
            ("osaka", "RB-", False, at(5)),
            ("tokyo", "RB+", False, at(5)),
            ("tokyo", "SF", False, at(9)),
            ("berlin", "RF", True, at(9)),
            ("berlin", "RF", False, at(9)),
        ]
    )


ALL_AREAS = ["fab", "osaka", "tokyo", "cold", "berlin", "shed"]


@settings(max_examples=200, deadline=None)
@given(st.lists(tellings, max_size=14))
def test_for_every_at_and_as_of_the_lines_of_an_area_sum_to_what_lies_there(
    story: list[Told],
) -> None:
    """Invariant 6, whatever is backdated or voided: signed lines = components by the fold, at each step of knowing."""
    world = World()
    numbers: dict[int, str] = {}
    for place, wished in enumerate(story, 1):
        is_voiding = wished.voids is not None and numbers.get(wished.voids) == wished.epc
        told = wished if is_voiding else replace(wished, voids=None)
        if told.voids is not None:
            numbers.pop(told.voids)
        else:
            numbers[place] = told.epc
        world.tell(told)
        for area in ALL_AREAS:
            for hours in (0, 3, 6, 12):
                ledger = [line for line in world.lines if line.area == area]
                held, impossible = held_at(ledger, at(hours).plus(0.000001))
                paths = {epc: world.folded(epc) for epc in world.path}
                expected = {e for e, p in paths.items() if count_of(p, area, at(hours))}
                assert (held, impossible) == (frozenset(expected), ())


@settings(max_examples=200, deadline=None)
@given(st.lists(tellings, max_size=12))
def test_the_lines_kept_are_those_of_the_path_as_it_is_believed_now(story: list[Told]) -> None:
    """Reversals cancel exactly what was booked before, code by code, so the sums by code are right as well."""
    world = World()
    for told in story:
        world.tell(replace(told, voids=None))
    for epc in world.path:
        kept: dict[tuple[str, str, int], int] = {}
        for line in world.lines:
            if line.epc == epc:
                key = (line.area, line.code, line.at.us)
                kept[key] = kept.get(key, 0) + (-1 if line.reverses else 1)
        now: dict[tuple[str, str, int], int] = {}
        for line in path_lines(epc, world.folded(epc), AREAS):
            key = (line.area, line.code, line.at.us)
            now[key] = now.get(key, 0) + 1
        assert {k: v for k, v in kept.items() if v} == now


@settings(max_examples=100, deadline=None)
@given(st.lists(tellings, max_size=12))
def test_areas_and_transit_and_outside_hold_every_chip_once(story: list[Told]) -> None:
    """The sum over areas plus what is in none is the count of the register."""
    world = World()
    for told in story:
        world.tell(replace(told, voids=None))
    inside = sum(signed(line.code, 1, reverses=line.reverses) for line in world.lines)
    last = [world.folded(epc)[-1][1] for epc in world.path]
    assert inside + sum(1 for standing in last if not AREAS.at(standing)) == len(last)


@settings(max_examples=100, deadline=None)
@given(st.lists(tellings, max_size=12))
def test_pairs_are_made_together(story: list[Told]) -> None:
    """Each RB- of one area has its RB+ in the other, for the same chip at the same time."""
    world = World()
    for told in story:
        world.tell(replace(told, voids=None))
    halves = {
        sign: sorted(
            (line.epc, line.at.us, *sorted((line.area, line.other)), line.reverses)
            for line in world.lines
            if line.code == f"RB{sign}"
        )
        for sign in "-+"
    }
    assert halves["-"] == halves["+"]


def test_every_code_that_a_line_bears_has_a_fixed_sign() -> None:
    """Otherwise the ledger could not be summed."""
    codes = {code for _, expected in STORIES.values() for _, code, _ in expected}
    assert {CODES[code].sign for code in codes} == {1, -1}


def test_making_lines_takes_microseconds() -> None:
    """Capture makes them for every event."""
    world = World()
    world.tell(HELD)
    world.tell(Told(hours=1, site="tokyo"))
    (_, before), (captured, after) = world.path["chip-1"]
    taking = Taking(number=2, outcome="taken", standings={"chip-1": after})
    assert len(lines_of(captured, taking, lambda _: before, AREAS)) == 2
    spent = timeit.timeit(lambda: lines_of(captured, taking, lambda _: before, AREAS), number=2000)
    assert spent / 2000 < 100e-6
