"""What holds for every stream of events: out of order, late, doubled, undone, signed by the wrong side."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sekisho.model.custody import Standing
from sekisho.registry.custody import (
    Captured,
    MemoryBook,
    Taking,
    act_of,
    open_chips,
    path_of,
    position_at,
    take,
)
from sekisho.registry.custody.case import stays_of
from sekisho.registry.custody.facts import Reading
from sekisho.registry.custody.folding import fold, in_order
from sekisho.registry.epcis.event import Event
from tests.registry.custody.events import (
    START,
    TERMS,
    Register,
    act,
    at_hour,
    chip,
    commission,
    declare,
    event,
    install,
    pack,
    receive,
    seen,
    ship,
    unpack,
)

CHIPS = [chip(1), chip(2)]
SERVER, PALLET = "https://chips.example/id/server/S-1", "https://chips.example/id/pallet/P-1"
THINGS = [*CHIPS, SERVER, PALLET]
PARTIES = ["maker", "dealer", "cloud"]
SITES = {"maker": "fab", "dealer": "hub", "cloud": "hall"}
LAST_HOUR = 40
STILL = {
    "observe",
    "inspect",
    "count",
    "void",
    "register",
    "announce",
    "install",
    "pack",
    "remove",
    "unpack",
}
_EXAMPLES: Final = int(os.environ.get("SEKISHO_TEST_EXAMPLES", "40"))
SOME: Final = settings(
    max_examples=_EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


class Told:
    """An event, and who signs it with which powers."""

    def __init__(self, told: Event, *parties: str, powers: tuple[str, ...] = ()) -> None:
        self.event, self.parties, self.powers = told, parties, powers

    def __repr__(self) -> str:
        told = self.event
        names = (*told.epcs, told.parent, *told.children)
        tails = [name.rpartition("/")[2] for name in names if name]
        hours = told.at.since(START) / 3600
        return f"{act_of(told)}@{hours:g} {tails} by {[*self.parties, *self.powers]}"


@st.composite
def stories(draw: st.DrawFn) -> list[Told]:
    """What really happened to the chips, as those who had them would tell it, in order of time."""
    told = [
        Told(commission(CHIPS, 0), "maker"),
        Told(commission(SERVER, 0, ilmd={"component": "server", "model": ""}), "maker"),
    ]
    holder, way, hour = "maker", "", 0
    inside: dict[str, str] = {}
    for _ in range(draw(st.integers(2, 9))):
        hour += draw(st.integers(0, 3))
        step = draw(st.integers(0, 6))
        loads = [thing for thing in (*CHIPS, SERVER) if thing not in inside]
        if way:
            happens = [
                receive(loads, hour, site=SITES[way]),
                event(loads, hour, biz_step=act("refused")),
            ]
            if step < 5:
                told.append(Told(happens[0], way))
                holder, way = way, ""
            else:
                told += [Told(happens[1], way), Told(receive(loads, hour + 1), holder)]
                hour, way = hour + 1, ""
        elif step < 2:
            way = draw(st.sampled_from([name for name in PARTIES if name != holder]))
            told.append(Told(ship(loads, hour, way), holder))
        elif step == 2 and CHIPS[0] not in inside:
            told.append(Told(install(SERVER, CHIPS[0], hour), holder))
            inside[CHIPS[0]] = SERVER
        elif step == 2:
            told.append(Told(unpack(SERVER, CHIPS[0], hour, type="AssociationEvent"), holder))
            del inside[CHIPS[0]]
        elif step == 3:
            word = draw(st.sampled_from(["activated", "suspended"]))
            told.append(Told(event(CHIPS[1], hour, biz_step=act(word)), holder))
        elif step == 4:
            told.append(Told(seen(SERVER, hour, site=SITES[holder]), holder))
        else:
            told += [
                Told(event(CHIPS[1], hour, biz_step=act("lost")), holder),
                Told(event(CHIPS[1], hour + 1, biz_step=act("found")), holder),
            ]
            hour += 1
    return told


def anything() -> st.SearchStrategy[Told]:
    """Events that nobody vouches for the sense of."""
    hours = st.integers(0, LAST_HOUR)
    things = st.lists(st.sampled_from(THINGS), min_size=1, max_size=2, unique=True)
    words = [
        "lost",
        "found",
        "activated",
        "suspended",
        "exported",
        "returned",
        "refused",
        "diverted",
        "split",
    ]
    makers: list[st.SearchStrategy[Event]] = [
        st.builds(ship, things, hours, st.sampled_from(PARTIES)),
        st.builds(receive, things, hours),
        st.builds(seen, things, hours),
        st.builds(
            lambda t, h, w: event(t, h, biz_step=act(w)), things, hours, st.sampled_from(words)
        ),
        st.builds(lambda t, h: event(t, h, biz_step="void_shipping"), things, hours),
        st.builds(lambda t, h: event(t, h, biz_step="arriving", site="hub"), things, hours),
        st.builds(lambda t, h: event(t, h, disposition="stolen"), things, hours),
        st.builds(lambda t, h: event(t, h, biz_step="destroying"), things, hours),
        st.builds(lambda t, h: event(t, h, biz_step=act("recovered")), things, hours),
        st.builds(commission, st.sampled_from(THINGS), hours),
        st.builds(pack, st.sampled_from(THINGS), things, hours),
        st.builds(install, st.sampled_from(THINGS), things, hours),
        st.builds(unpack, st.sampled_from(THINGS), things, hours),
        st.builds(unpack, st.sampled_from(THINGS), st.just(()), hours),
    ]
    signers = st.lists(st.sampled_from(PARTIES), max_size=2, unique=True)
    powers = st.sampled_from([(), (), (), ("adjudicate",)])
    return st.builds(lambda e, s, p: Told(e, *s, powers=p), st.one_of(makers), signers, powers)


STORIES: Final = stories()
NONSENSE: Final = st.lists(anything(), max_size=5)


@st.composite
def streams(draw: st.DrawFn) -> list[Told]:
    """A true story in the order in which it reached the register, with nonsense and undoing between."""
    told = draw(STORIES)
    if draw(st.booleans()):
        told = draw(st.permutations(told))
    else:
        for _ in range(draw(st.integers(0, 3))):
            late = told.pop(draw(st.integers(0, len(told) - 1)))
            told.insert(draw(st.integers(0, len(told))), late)
    for other in draw(NONSENSE):
        told.insert(draw(st.integers(0, len(told))), other)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(told) - 1))
        wrong = told[at]
        signers = draw(st.sampled_from([wrong.parties, PARTIES]))
        void = Told(declare(wrong.event, str(len(told))), *signers, powers=wrong.powers)
        told.insert(draw(st.integers(at, len(told))), void)
    return told


STREAMS: Final = streams()


def captured_in(told: list[Told]) -> Register:
    """Captured long after it all happened, so that only the order counts."""
    register = Register()
    for one in told:
        if one.event.error is not None and one.event.error in [
            c.event.error for c in register.captured.values()
        ]:
            continue
        register.take(one.event, *one.parties, powers=one.powers, received=at_hour(LAST_HOUR))
    return register


def folded(register: Register, epc: str) -> Any:
    return fold(epc, in_order(register.book.history(epc)), Reading(TERMS))


@SOME
@given(STREAMS)
def test_one_step_and_the_whole_path_agree(told: list[Told]) -> None:
    """How a chip stands after each event is what all its events in order of time amount to."""
    register = Register()
    for one in told:
        register.take(one.event, *one.parties, powers=one.powers, received=at_hour(LAST_HOUR))
        for epc in THINGS:
            whole = folded(register, epc)
            assert whole.trouble is None
            assert whole.track.standing == register.book.standing(epc)
            assert whole.track.parent == register.book.container(epc)


@SOME
@given(STREAMS)
def test_there_is_exactly_one_custodian_at_every_time_as_of_every_time(told: list[Told]) -> None:
    """And the answer as of an instant is the one that the register gave then."""
    register = Register()
    told_then: list[dict[str, Any]] = []
    for one in told:
        register.take(one.event, *one.parties, powers=one.powers, received=at_hour(LAST_HOUR))
        paths = {epc: path_of(epc, register.book.history(epc), TERMS) for epc in THINGS}
        told_then.append({"effects": len(register.effects), "paths": paths})
    known = {number: at_hour(100 + place) for place, number in enumerate(register.effects)}
    for epc in THINGS:
        history = [(captured, known[captured.number]) for captured in register.history(epc)]
        for then in told_then:
            as_of = at_hour(99 + then["effects"])
            for hour in range(-1, LAST_HOUR + 1, 3):
                at = at_hour(hour)
                position = position_at(epc, history, TERMS, at=at, as_of=as_of)
                assert position == _on_path(then["paths"][epc], hour)
                if position is not None:
                    assert position.custodian in PARTIES
                    assert position.made <= at


def _on_path(path: tuple[tuple[Captured, Standing | None], ...], hour: float) -> Standing | None:
    standing = None
    for captured, stands in path:
        if captured.event.at <= at_hour(hour):
            standing = stands
    return standing


@SOME
@given(STREAMS)
def test_custody_passes_by_the_new_custodians_signature_alone(told: list[Told]) -> None:
    """At registration, at an endorsed receipt by whom the shipment names, or by adjudication."""
    register = captured_in(told)
    for epc in THINGS:
        before: Standing | None = None
        for captured, standing in path_of(epc, register.book.history(epc), TERMS):
            if standing is None or (before is not None and standing.custodian == before.custodian):
                before = standing
                continue
            word = act_of(captured.event)
            if word == "recover":
                assert "adjudicate" in captured.powers
            else:
                assert standing.custodian in captured.parties
                assert word == "register" if before is None else word in ("receive", "return")
            before = standing


@SOME
@given(STREAMS)
def test_the_movements_are_those_that_the_chips_are_in(told: list[Told]) -> None:
    """Whatever came late or was undone: under way in a movement is what stands in transit by it."""
    register = captured_in(told)
    for reference, movement in register.book.movements.items():
        standing = [register.book.standing(epc) for epc in THINGS]
        under_way = {s.epc for s in standing if s is not None and s.movement == reference}
        assert set(open_chips(movement)) == under_way
        assert (movement.state == "under-way") == bool(under_way)
    for epc in THINGS:
        stands = register.book.standing(epc)
        assert stands is None or (stands.state == "in-transit") == bool(stands.movement)


@SOME
@given(STREAMS)
def test_contents_share_what_befalls_their_container(told: list[Told]) -> None:
    """No event moves a container, by the book as it is at the end, without what lay in it then."""
    register = captured_in(told)
    reading = Reading(TERMS)
    for epc in THINGS:
        own = {captured.number for captured in register.book.history(epc)}
        for stay in stays_of(folded(register, epc)):
            for captured in register.book.history(stay.parent):
                at = captured.event.at
                within = stay.since < at and (stay.until is None or at < stay.until)
                if within and reading.facts(captured).effect not in STILL:
                    assert captured.number in own


@SOME
@given(STREAMS)
def test_nothing_is_moved_by_a_container_that_it_did_not_lie_in(told: list[Told]) -> None:
    """What befell a chip as contents befell what it lay in then."""
    register = captured_in(told)
    reading = Reading(TERMS)
    for epc in THINGS:
        parent = ""
        for captured, track in folded(register, epc).path:
            facts = reading.facts(captured)
            if facts.role_of(epc, parent) == "inside" and facts.effect not in STILL:
                assert captured in register.book.history(parent)
            parent = track.parent


@SOME
@given(STREAMS)
def test_the_book_is_whole(told: list[Told]) -> None:
    """What lies in what is said the same from both sides, and nothing lies in itself."""
    register = captured_in(told)
    for epc in THINGS:
        parent = register.book.container(epc)
        assert not parent or epc in register.book.inside(parent)
        assert all(register.book.container(child) == epc for child in register.book.inside(epc))
        standing = register.book.standing(epc)
        assert standing is None or standing.parent == parent
        above: list[str] = []
        while parent:
            assert parent not in above
            above.append(parent)
            parent = register.book.container(parent)


@SOME
@given(STREAMS)
def test_what_waits_or_is_refused_changes_nothing(told: list[Told]) -> None:
    """An event takes effect on everything that it names or on nothing at all."""
    register = captured_in(told)
    for taking in register.takings:
        if taking.outcome != "taken":
            assert not any([taking.standings, taking.movements, taking.contained, taking.gone])
            assert taking.voids is None
            assert bool(taking.waits_for) == (taking.outcome == "waiting")
            assert any(alert.refused for alert in taking.alerts)


@SOME
@given(STREAMS)
def test_nothing_waits_that_could_take_effect(told: list[Told]) -> None:
    """Whatever made an event possible released it."""
    register = captured_in(told)
    for captured in _waiting(register):
        again = take(MemoryBook(register.book), captured, TERMS)[0]
        assert again.outcome != "taken"


def _waiting(register: Register) -> Iterator[Captured]:
    outcome: dict[int, str] = {}
    for taking in register.takings:
        outcome[taking.number] = taking.outcome
    return (register.captured[n] for n, word in outcome.items() if word == "waiting")


@SOME
@given(STREAMS)
def test_replayed_in_the_order_of_capture_the_register_is_the_same(told: list[Told]) -> None:
    """Takings, one after the other, follow from the captured events alone."""
    register = captured_in(told)
    book = MemoryBook()
    again: list[Taking] = []
    for captured in register.captured.values():
        for taking in take(book, captured, TERMS):
            book.apply(taking, register.captured[taking.number])
            again.append(taking)
    assert again == register.takings
    assert book.standings == register.book.standings
    assert book.movements == register.book.movements


@SOME
@given(STORIES)
def test_a_true_story_is_taken_word_for_word(told: list[Told]) -> None:
    """In the order in which it happened nothing waits, nothing is refused, nothing alarms."""
    register = captured_in(told)
    assert [taking.outcome for taking in register.takings] == ["taken"] * len(told)
    assert [taking.alerts for taking in register.takings] == [()] * len(told)


@SOME
@given(STORIES.flatmap(lambda told: st.tuples(st.just(told), st.permutations(told))))
def test_in_whatever_order_a_true_story_comes_nobody_else_becomes_custodian(
    both: tuple[list[Told], list[Told]],
) -> None:
    """Out of order some of it may be missing at the end, but what is in effect was never untrue."""
    straight, mixed = (captured_in(told) for told in both)
    for epc in THINGS:
        custodians = {s.custodian for _, s in path_of(epc, straight.book.history(epc), TERMS) if s}
        for _, standing in path_of(epc, mixed.book.history(epc), TERMS):
            assert standing is None or standing.custodian in custodians
