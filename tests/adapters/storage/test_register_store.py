"""One suite for the port of the register's database, run on every kind of database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.adapters.storage.register_engine import READERS
from sekisho.adapters.storage.register_sql import RegisterSql, open_register
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.model.instants import Instant
from sekisho.ports.register_store import (
    Change,
    EventFilter,
    Holding,
    Numbers,
    RegisterStore,
    TouchRow,
)
from tests.registered import (
    DAY,
    START,
    alert,
    batch,
    captured,
    captures_in,
    chip,
    dump,
    event,
    hash_of,
    key_of,
    line,
    movement,
    registering,
    standing,
)

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
LATE = START.plus(1000 * DAY)
Opening = Callable[[], RegisterSql]


@pytest.fixture(params=KINDS)
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opening]:
    """Opens the register of this test, whatever kind it is; the one opened before is closed."""
    place: Path | str = tmp_path / "register.sqlite"
    if request.param == "postgres":
        place = request.getfixturevalue("postgres_url")
    held: list[RegisterSql] = []

    def open_again() -> RegisterSql:
        while held:
            held.pop().close()
        held.append(open_register(place))
        return held[0]

    yield open_again
    while held:
        held.pop().close()


@pytest.fixture
def store(opening: Opening) -> RegisterSql:
    """An empty register."""
    return opening()


def touched(number: int, epc: str, role: str = "epc") -> TouchRow:
    return TouchRow(number=number, epc=epc, role=role, at=START.plus(number))


def test_an_empty_register_knows_nothing(store: RegisterStore) -> None:
    """Every question has an empty answer, none an error."""
    assert store.load_numbers() == Numbers()
    answers: list[object] = [
        store.find_keys([(key_of("x"), hash_of("x"))]),
        store.load_standings([chip(1)]),
        store.load_inside([chip(1)]),
        store.load_containers([chip(1)]),
        store.load_history([chip(1)]),
        store.load_waiting([chip(1)]),
        store.load_timeline(chip(1)),
        store.load_events(after=0, limit=9),
        store.load_movements(["26TWABC"]),
        store.load_open_movements(LATE),
        store.find_hashes([hash_of("x")]),
        store.find_identities([("maker", "1")]),
        store.find_device_keys(["ab" * 32]),
        store.find_events(EventFilter(), after=0, limit=9).events,
        store.count_holdings(["site"]),
        store.count_holdings([]),
        list(store.iterate_standings()),
        dump(store),
        store.sum_lines("fab", since=None, before=LATE),
        store.load_lines("fab", since=None, before=LATE, after=0, limit=9),
        store.load_alerts(after=0, limit=9),
        store.find_capture("c1"),
        store.load_document("c1"),
        store.load_captures(after="", limit=9),
        store.find_batch(1),
        store.load_batches(),
        store.load_batch_events(1),
        store.load_batch_salts(1),
    ]
    assert not any(answers)


def test_events_come_back_as_they_were_saved(store: RegisterStore) -> None:
    """Each field of an event, of its capture and of its batch, byte for byte."""
    odd = event(
        2,
        document='{"größe":"鍵"}'.encode() * 5_000,
        parties=("maker", "cloud"),
        powers=("adjudicate",),
        hash_id="a hash id of another kind",
        action="",
        at=Instant(-1),
    )
    change = Change(
        captures=[captured(events=2, taken=2, endorsement=bytes(range(256)))],
        documents={"c1": b"the whole document"},
        events=[event(1), odd],
        batch=batch(1, events=2, entry=7, leaf="ab" * 32, known=START.plus(3)),
    )
    store.save(change)
    wanted = tuple(msgspec.structs.replace(e, known=START.plus(3)) for e in change.events)
    assert store.load_events(after=0, limit=9) == wanted
    assert store.load_events(after=1, limit=9) == wanted[1:]
    assert store.load_events(after=0, limit=1) == wanted[:1]
    assert store.load_batch_events(1) == wanted
    assert store.load_batch_salts(1) == tuple((e.salt, e.hash_id, e.capture) for e in wanted)
    assert store.find_hashes([odd.hash_id, hash_of("none")]) == {odd.hash_id: wanted[1:]}
    keys = [(odd.key, odd.hash_id), (key_of("none"), odd.hash_id), (odd.key, hash_of("none"))]
    assert store.find_keys(keys[:2]) == {odd.key: 2}
    assert store.find_keys(keys[2:]) == {}
    assert store.find_capture("c1") == change.captures[0]
    assert store.load_document("c1") == b"the whole document"
    assert store.find_batch(1) == change.batch
    assert store.load_numbers() == Numbers(event=2, effect=2, batch=1)


def test_a_register_opened_again_is_the_same(opening: Opening) -> None:
    """Nothing is kept in memory alone: after closing and opening all answers are the same."""
    change = registering(
        1, [1, 2, 3], lines=[line(1)], alerts=[alert(2)], contained={chip(1): "box"}
    )
    store = opening()
    store.save(change)
    before, events = dump(store), store.load_events(after=0, limit=9)
    again = opening()
    assert (dump(again), again.load_events(after=0, limit=9)) == (before, events)
    again.save(registering(4, [4], number=2))
    assert again.load_numbers() == Numbers(event=4, effect=4, batch=2)


def test_a_key_that_stands_is_refused_and_nothing_of_the_change_is_kept(
    store: RegisterStore,
) -> None:
    """One repeated key among new events: the words, chips, captures and counts of the others are not there either."""
    store.save(registering(1, [1, 2]))
    before = dump(store)
    repeated = registering(3, [3, 4], number=2, alerts=[alert(3, code="new-word")])
    events = [*repeated.events, event(5, word="event 2", capture="c2", batch=2, place=2)]
    with pytest.raises(StateConflict, match="event 2") as refused:
        store.save(msgspec.structs.replace(repeated, events=events))
    assert refused.value.remedy
    assert dump(store) == before
    assert (store.load_numbers().event, captures_in(store)) == (2, ["c1"])
    store.save(repeated)
    assert store.load_numbers() == Numbers(event=4, effect=4, batch=2)
    assert len(dump(store)) > len(before)


@pytest.mark.parametrize(
    "fault",
    [
        "same key twice",
        "same number",
        "unknown capture",
        "stands and is gone",
        "voids nobody",
        "settles nobody",
    ],
)
def test_a_change_that_cannot_be_is_refused_whole(store: RegisterStore, fault: str) -> None:
    """Whatever is wrong in it, the register is as it was."""
    store.save(registering(1, [1]))
    before = dump(store)
    good = registering(2, [2, 3], number=2)
    bad: dict[str, Any] = {
        "same key twice": {
            "events": [*good.events, event(9, word="event 2", capture="c2", batch=2)]
        },
        "same number": {"events": [*good.events, event(1, word="other", capture="c2", batch=2)]},
        "unknown capture": {"events": [*good.events, event(9, capture="c9", batch=2)]},
        "stands and is gone": {"gone": [chip(2)]},
        "voids nobody": {"voided": [(77, 2)]},
        "settles nobody": {"settled": [(77, 3)]},
    }
    with pytest.raises(StateConflict):
        store.save(msgspec.structs.replace(good, **bad[fault]))
    assert (dump(store), store.load_numbers().event) == (before, 1)
    store.save(good)


def test_standings_replace_each_other(store: RegisterStore) -> None:
    """The newest holds, with all it names; one that is gone is not there; others are untouched."""
    first = {
        1: standing(chip(1), device_key="ab" * 32, parent="urn:box"),
        2: standing(chip(2), device_key="not hexadecimal", movement="26TWABC", licence="L1"),
        3: standing("urn:box", component="container", serial="", model=""),
    }
    store.save(registering(1, first))
    wanted = {at.epc: at for at in first.values()}
    assert store.load_standings([chip(1), chip(2), "urn:box", chip(9)]) == wanted
    moved = standing(
        chip(1), state="active", custodian="cloud", site="hall", country="JP", number=4
    )
    store.save(
        Change(
            captures=[captured("c2")],
            events=[event(4, capture="c2", batch=2)],
            standings={chip(1): moved},
            gone=[chip(2), chip(9)],
            batch=batch(2),
        )
    )
    assert store.load_standings([chip(1), chip(2)]) == {chip(1): moved}
    assert list(store.iterate_standings()) == [moved, wanted["urn:box"]]
    assert list(store.iterate_standings(after=chip(1))) == [wanted["urn:box"]]
    assert list(store.iterate_standings({"site": ["hall"]})) == [moved]
    assert list(store.iterate_standings({"site": ["hall"]}, after=chip(1))) == []
    assert list(store.iterate_standings({"site": ["nowhere"]})) == []


def test_holdings_count_what_stands(store: RegisterStore) -> None:
    """By any dimensions, some of them held fast; what moves is counted where it is, what is gone nowhere."""
    chips = {n: standing(chip(n), model="H200" if n % 2 else "H100") for n in range(1, 8)}
    store.save(registering(1, chips))
    assert store.count_holdings(["model"]) == (
        Holding(values=("H100",), count=3),
        Holding(values=("H200",), count=4),
    )
    moved = {n: msgspec.structs.replace(chips[n], site="hall", country="JP") for n in (1, 2, 3)}
    store.save(Change(standings={chip(n): moved[n] for n in moved}, gone=[chip(7)]))
    assert store.count_holdings(["site", "model"]) == (
        Holding(values=("fab", "H100"), count=2),
        Holding(values=("fab", "H200"), count=1),
        Holding(values=("hall", "H100"), count=1),
        Holding(values=("hall", "H200"), count=2),
    )
    assert store.count_holdings([], {"country": ["JP", "DE"]}) == (Holding(values=(), count=3),)
    assert store.count_holdings(["model"], {"site": ["fab"], "model": ["H100"]}) == (
        Holding(values=("H100",), count=2),
    )
    assert store.count_holdings(["site"], {"site": ["nowhere"]}) == ()


@given(
    steps=st.lists(
        st.dictionaries(
            st.integers(1, 5), st.sampled_from(["fab", "hall", "dock", "gone"]), min_size=1
        ),
        min_size=1,
        max_size=6,
    )
)
def test_holdings_are_always_the_sum_of_standings(
    tmp_path_factory: pytest.TempPathFactory, steps: list[dict[int, str]]
) -> None:
    """After any changes the kept counts are what counting the standings gives."""
    with open_register(tmp_path_factory.mktemp("held") / "register.sqlite") as store:
        for step in steps:
            stand = {chip(n): standing(chip(n), site=at) for n, at in step.items() if at != "gone"}
            store.save(
                Change(standings=stand, gone=[chip(n) for n in step if chip(n) not in stand])
            )
        counted: dict[str, int] = {}
        for found in store.iterate_standings():
            counted[found.site] = counted.get(found.site, 0) + 1
        kept = {held.values[0]: held.count for held in store.count_holdings(["site"])}
        assert kept == counted


def test_what_lies_in_what(store: RegisterStore) -> None:
    """Both ways, registered or not; the newest place holds, and nothing is a place too."""
    store.save(registering(1, [1], contained={chip(1): "box", chip(2): "box", "box": "pallet"}))
    assert store.load_inside(["box", "pallet", "none"]) == {
        "box": (chip(1), chip(2)),
        "pallet": ("box",),
    }
    assert store.load_containers([chip(1), "box", chip(9)]) == {chip(1): "box", "box": "pallet"}
    store.save(Change(contained={chip(1): "", chip(2): "crate"}))
    assert store.load_inside(["box", "crate"]) == {"crate": (chip(2),)}
    assert store.load_containers([chip(1), chip(2)]) == {chip(2): "crate"}


def test_history_is_what_took_effect(store: RegisterStore) -> None:
    """In the order of effects; not what waits, was refused or voided; an event in two roles once."""
    events = [
        event(1, effect=3),
        event(2, effect=1),
        event(3, effect=None),
        event(4, effect=None, outcome="refused"),
        event(5, effect=2),
        event(6, effect=4),
    ]
    store.save(
        Change(
            captures=[captured()],
            events=events,
            touches=[touched(n, chip(1)) for n in range(1, 7)]
            + [touched(1, chip(1), "parent"), touched(6, chip(2))],
            waits=[(3, chip(1))],
            voided=[(5, 6)],
            batch=batch(1, events=6),
        )
    )
    found = store.load_history([chip(1), chip(2), chip(3)])
    assert [row.number for row in found[chip(1)]] == [2, 1, 6]
    assert [row.number for row in found[chip(2)]] == [6]
    assert chip(3) not in found
    told = store.load_timeline(chip(1))
    assert [(row.number, role, row.outcome, row.voided_by) for row, role in told] == [
        (1, "epc", "taken", None),
        (1, "parent", "taken", None),
        (2, "epc", "taken", None),
        (3, "epc", "waiting", None),
        (4, "epc", "refused", None),
        (5, "epc", "taken", 6),
        (6, "epc", "taken", None),
    ]


def test_a_new_event_may_be_voided_in_its_own_group(store: RegisterStore) -> None:
    """An event and its declaration in one change: the event comes with who voided it."""
    store.save(
        Change(
            captures=[captured()],
            events=[event(1, voided_by=2), event(2)],
            touches=[touched(1, chip(1)), touched(2, chip(1))],
            batch=batch(1, events=2),
        )
    )
    assert [row.voided_by for row in store.load_events(after=0, limit=9)] == [2, None]
    assert [row.number for row in store.load_history([chip(1)])[chip(1)]] == [2]


def test_an_early_event_waits_until_it_is_settled(store: RegisterStore) -> None:
    """It is found by what it waits for, may wait for something else then, and no longer once it took effect."""
    early = event(1, effect=None)
    store.save(
        Change(
            captures=[captured()],
            events=[early],
            waits=[(1, chip(1)), (1, chip(2))],
            batch=batch(1),
        )
    )
    assert store.load_waiting([chip(1), chip(3)]) == {chip(1): (early,)}
    store.save(Change(waits=[(1, chip(3))]))
    assert store.load_waiting([chip(1), chip(2), chip(3)]) == {chip(3): (early,)}
    later = event(2, effect=1, capture="c2", batch=2)
    store.save(Change(captures=[captured("c2")], events=[later], settled=[(1, 2)], batch=batch(2)))
    assert store.load_waiting([chip(3)]) == {}
    first, _ = store.load_events(after=0, limit=9)
    assert (first.outcome, first.effect, first.batch) == ("taken", 2, 1)
    assert store.load_numbers() == Numbers(event=2, effect=2, batch=2)


def test_a_released_event_is_known_with_what_released_it(store: RegisterStore) -> None:
    """As of a time when only the early event was recorded, it had no effect; the lines that it made neither."""
    store.save(
        Change(
            captures=[captured()],
            events=[event(1, effect=None)],
            waits=[(1, chip(1))],
            batch=batch(1, entry=1, leaf="aa" * 32, known=START.plus(10)),
        )
    )
    assert store.load_events(after=0, limit=1)[0].known == START.plus(10)
    store.save(
        Change(
            captures=[captured("c2")],
            events=[event(2, effect=1, capture="c2", batch=2)],
            settled=[(1, 2)],
            lines=[line(2), line(1, epc=chip(2))],
            batch=batch(2, entry=2, leaf="bb" * 32, known=START.plus(20)),
        )
    )
    assert [row.known for row in store.load_events(after=0, limit=9)] == [START.plus(20)] * 2
    sums = [
        store.sum_lines("fab", since=None, before=LATE, as_of=START.plus(s)) for s in (10, 19, 20)
    ]
    assert sums == [{}, {}, {("RD", False): 2}]


def test_movements_are_found_by_reference_and_by_when_they_are_due(store: RegisterStore) -> None:
    """The newest of each; only those under way count as open, the first due first."""
    late = movement("26TW2", epcs=[chip(n) for n in range(3_000)], due=START.plus(5))
    soon = movement("26TW1", due=START.plus(3))
    store.save(Change(movements={"26TW1": soon, "26TW2": late, "26TW3": movement("26TW3")}))
    assert store.load_movements(["26TW2", "26TW9"]) == {"26TW2": late}
    assert store.load_open_movements(START.plus(6)) == (soon, late)
    assert store.load_open_movements(START.plus(5)) == (soon,)
    there = msgspec.structs.replace(soon, state="received", received=(chip(1),))
    store.save(Change(movements={"26TW1": there}))
    assert store.load_movements(["26TW1"]) == {"26TW1": there}
    assert store.load_open_movements(START.plus(6)) == (late,)


def test_chips_are_found_by_serial_and_by_device_key(store: RegisterStore) -> None:
    """By the pair of maker and serial, never by one of them; by the whole key."""
    store.save(
        registering(
            1,
            {
                1: standing(chip(1), serial="7", device_key="ab" * 32),
                2: standing(chip(2), serial="7", maker="other", device_key="strange"),
            },
        )
    )
    asked = [("maker", "7"), ("other", "7"), ("nobody", "7"), ("maker", "8")]
    assert store.find_identities(asked) == {("maker", "7"): chip(1), ("other", "7"): chip(2)}
    assert store.find_device_keys(["ab" * 32, "strange", "cd" * 32, ""]) == {
        "ab" * 32: chip(1),
        "strange": chip(2),
    }


FILTERS: list[tuple[EventFilter, list[int]]] = [
    (EventFilter(), [1, 2, 3, 4]),
    (EventFilter(types=("TransactionEvent",)), [2]),
    (EventFilter(actions=("ADD", "DELETE")), [1]),
    (EventFilter(biz_steps=("receiving", "shipping"), dispositions=("in_transit",)), [1, 2, 4]),
    (EventFilter(read_points=("dock",)), [3]),
    (EventFilter(biz_locations=("hall",)), [4]),
    (EventFilter(biz_locations=("unheard of",)), []),
    (EventFilter(since=START.plus(2), before=START.plus(4)), [2, 3]),
    (EventFilter(received_since=START.plus(DAY + 3)), [3, 4]),
    (EventFilter(received_before=START.plus(DAY + 3)), [1, 2]),
    (EventFilter(match_epcs=(chip(1), chip(2))), [1, 2]),
    (EventFilter(match_epcs=(chip(1),), roles=("parent", "child")), [2]),
    (EventFilter(match_epcs=(chip(1),), roles=("input",)), []),
    (EventFilter(match_epcs=(chip(9),)), []),
]


def four_events() -> Change:
    return Change(
        captures=[captured()],
        events=[
            event(1, action="ADD"),
            event(2, type="TransactionEvent"),
            event(3, read_point="dock", disposition="active"),
            event(4, biz_location="hall", biz_step="receiving"),
        ],
        touches=[touched(1, chip(1)), touched(2, chip(1), "parent"), touched(2, chip(2))],
        batch=batch(1, events=4),
    )


def test_events_are_found_by_what_is_asked(store: RegisterStore) -> None:
    """Each question alone, several together; a word or chip that nobody wrote finds nothing."""
    store.save(four_events())
    for wanted, numbers in FILTERS:
        page = store.find_events(wanted, after=0, limit=10)
        assert [row.number for row in page.events] == numbers, wanted
        assert page.following is None, wanted


def test_pages_of_events_join_without_gap_or_repetition(
    store: RegisterStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long a page is, and however far a search looks before it answers."""
    monkeypatch.setattr("sekisho.adapters.storage.register_reading.SCAN", 3)
    steps = ["shipping", "receiving"]
    rows = [event(n, biz_step=steps[n % 2 if n < 6 else 0]) for n in range(1, 12)]
    store.save(Change(captures=[captured()], events=rows, batch=batch(1, events=11)))
    for wanted, limit in ((EventFilter(biz_steps=("receiving",)), 1), (EventFilter(), 4)):
        found: list[int] = []
        after: int | None = 0
        while after is not None:
            page = store.find_events(wanted, after=after, limit=limit)
            assert len(page.events) <= limit
            found += [row.number for row in page.events]
            after = page.following
        asked = wanted.biz_steps or tuple(steps)
        assert found == [row.number for row in rows if row.biz_step in asked]


def test_lines_are_summed_over_half_open_periods(store: RegisterStore) -> None:
    """By code and by whether they take something back, of one area, from a time on and before another."""
    lines = [
        line(1),
        line(2),
        line(3, code="SD", other="hall"),
        line(4, reverses=True),
        line(5, area="hall"),
    ]
    store.save(registering(1, [1, 2, 3, 4, 5], lines=lines))
    everything = {("RD", False): 2, ("SD", False): 1, ("RD", True): 1}
    assert store.sum_lines("fab", since=None, before=LATE) == everything
    assert store.sum_lines("fab", since=START.plus(2), before=START.plus(4)) == {
        ("RD", False): 1,
        ("SD", False): 1,
    }
    assert store.sum_lines("nowhere", since=None, before=LATE) == {}
    told = store.load_lines("fab", since=None, before=LATE, after=0, limit=3)
    rest = store.load_lines("fab", since=None, before=LATE, after=told[-1].place, limit=3)
    assert [msgspec.structs.replace(row, place=0) for row in (*told, *rest)] == lines[:4]
    assert store.load_lines("fab", since=START.plus(4), before=LATE, after=0, limit=3) == rest


def test_alerts_stand_once_and_keep_their_leaf(store: RegisterStore) -> None:
    """The same again changes the leaf only; pages go on behind a place, either way."""
    store.save(registering(1, [1], alerts=[alert(1), alert(1, epc=chip(2), refused=False)]))
    store.save_alerts(
        [alert(1, leaf="ab" * 32, detail="another"), alert(0, code="receipt-overdue")]
    )
    first, second, third = store.load_alerts(after=0, limit=9)
    assert (first.leaf, first.detail, third.code) == (
        "ab" * 32,
        "nobody signed it",
        "receipt-overdue",
    )
    assert (second.refused, second.epc) == (False, chip(2))
    assert store.load_alerts(after=first.place, limit=1) == (second,)
    assert store.load_alerts(after=0, limit=2, newest=True) == (third, second)
    assert store.load_alerts(after=second.place, limit=2, newest=True) == (first,)
    assert store.load_alerts(after=0, limit=9, epc=chip(2)) == (second,)
    assert store.load_alerts(after=0, limit=9, epc="nobody's") == ()
    store.save_alerts([alert(1)])
    assert store.load_alerts(after=0, limit=1)[0].leaf == "ab" * 32


def test_captures_come_newest_first_and_may_be_finished_later(store: RegisterStore) -> None:
    """A job that runs is written again when it is done, and keeps its place."""
    store.save(Change(captures=[captured("c1", running=True, finished=None), captured("c2")]))
    store.save(Change(captures=[captured("c3")]))
    done = captured("c1", taken=5)
    store.save(Change(captures=[done]))
    assert captures_in(store) == ["c3", "c2", "c1"]
    assert [row.capture for row in store.load_captures(after="c3", limit=1)] == ["c2"]
    assert store.find_capture("c1") == done
    with pytest.raises(InvalidInput, match="c9"):
        store.load_captures(after="c9", limit=1)


def test_a_batch_is_settled_once(store: RegisterStore) -> None:
    """Its entry and leaf stay; asked again nothing changes, asked otherwise it is refused."""
    for number in (1, 2, 3):
        store.save(registering(number, [number], number=number))
    store.settle_batch(2, 40, "ab" * 32)
    store.settle_batch(2, 40, "ab" * 32)
    for entry, leaf in ((41, "ab" * 32), (40, "cd" * 32)):
        with pytest.raises(StateConflict):
            store.settle_batch(2, entry, leaf)
    with pytest.raises(StateConflict):
        store.settle_batch(9, 40, "ab" * 32)
    assert [row.batch for row in store.load_batches(unlogged=True)] == [1, 3]
    assert [row.batch for row in store.load_batches(after=1, limit=1)] == [2]
    settled = store.find_batch(2)
    assert settled is not None
    assert (settled.entry, settled.leaf, settled.known) == (40, "ab" * 32, None)


def test_a_mark_makes_known_what_stands_before_it(store: RegisterStore) -> None:
    """Batches whose entries come before the mark, once; not those after it, nor unlogged ones."""
    for number in (1, 2, 3):
        store.save(registering(number, [number], number=number, lines=[line(number)]))
        if number < 3:
            store.settle_batch(number, 10 * number, "ab" * 32)
    store.mark_known(20, START.plus(50))
    store.mark_known(21, START.plus(60))
    assert [row.known for row in store.load_batches()] == [START.plus(50), START.plus(60), None]
    assert [row.known for row in store.load_events(after=0, limit=9)] == [
        START.plus(50),
        START.plus(60),
        None,
    ]
    for as_of, count in ((49, 0), (50, 1), (60, 2), (10_000, 2)):
        sums = store.sum_lines("fab", since=None, before=LATE, as_of=START.plus(as_of))
        assert sums.get(("RD", False), 0) == count


def a_story() -> list[Change]:
    """Changes with something of everything that is derived, in three groups."""
    first = registering(
        1,
        [1, 2, 3],
        contained={chip(1): "box"},
        movements={"26TW1": movement("26TW1", epcs=[chip(1)])},
        alerts=[alert(2, epc=chip(2))],
        lines=[line(1), line(2, epc=chip(2))],
    )
    early = event(4, effect=None, capture="c2", batch=2, place=0)
    second = Change(
        captures=[captured("c2")],
        events=[early],
        touches=[touched(4, chip(3))],
        waits=[(4, chip(3))],
        batch=batch(2),
    )
    third = Change(
        captures=[captured("c3")],
        events=[event(5, effect=4, capture="c3", batch=3)],
        touches=[touched(5, chip(3)), touched(5, chip(1), "parent")],
        standings={chip(3): standing(chip(3), site="hall", number=5)},
        gone=[chip(2)],
        contained={chip(1): "", chip(3): "box"},
        settled=[(4, 5)],
        voided=[(2, 5)],
        lines=[line(4, area="hall", epc=chip(3)), line(5, reverses=True)],
        batch=batch(3),
    )
    return [first, second, third]


def retold(change: Change) -> Change:
    """The same change as a rebuild saves it: the events stand already, only what follows from them is told."""
    return msgspec.structs.replace(
        change,
        captures=(),
        events=(),
        batch=None,
        settled=[
            *((row.number, row.effect) for row in change.events if row.outcome == "taken"),
            *change.settled,
        ],
    )


def test_a_register_made_again_is_the_same(store: RegisterStore) -> None:
    """Everything derived is dropped, the events stay, and the same takings give the same bytes again."""
    changes = a_story()
    for change in changes:
        store.save(change)
    store.save_alerts([alert(2, epc=chip(2), leaf="ab" * 32), alert(0, code="receipt-overdue")])
    before, events, numbers = dump(store), store.load_events(after=0, limit=9), store.load_numbers()
    alerts = store.load_alerts(after=0, limit=9)
    store.forget_derived()
    assert dump(store) == []
    assert store.load_numbers() == Numbers(event=5, effect=0, batch=3)
    assert {row.outcome for row in store.load_events(after=0, limit=9)} == {"waiting"}
    assert [row.code for row in store.load_alerts(after=0, limit=9)] == ["receipt-overdue"]
    assert (store.count_holdings([]), store.load_timeline(chip(1))) == ((), ())
    for change in changes:
        store.save(retold(change))
    assert dump(store) == before
    assert (store.load_events(after=0, limit=9), store.load_numbers()) == (events, numbers)
    assert store.load_alerts(after=0, limit=9) == alerts


def test_two_registers_of_the_same_events_derive_the_same(
    store: RegisterStore, tmp_path: Path
) -> None:
    """Also where words and chips got other numbers because something else came first."""
    with open_register(tmp_path / "other.sqlite") as other:
        other.save_alerts([alert(0, code="zzz", epc=chip(77)), alert(0, code="aaa", epc=chip(3))])
        for change in a_story():
            store.save(change)
            other.save(change)
        assert dump(other) == dump(store)
        places = [place for place, _ in dump(store)]
        assert {place.split("/")[0] for place in places} == {
            *("standing", "container", "touches", "outcome", "alert", "movement", "line", "holding")
        }


def test_long_iterations_give_every_standing_once(
    store: RegisterStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By pages along the order of EPCs, and by the way of few; also while somebody writes."""
    monkeypatch.setattr("sekisho.adapters.storage.register_sql.STEP", 7)
    store.save(registering(1, list(range(1, 41))))
    wanted = [chip(n) for n in range(1, 41)]
    assert [at.epc for at in store.iterate_standings()] == wanted
    assert [at.epc for at in store.iterate_standings({"site": ["fab"]}, after=chip(4))] == wanted[
        4:
    ]
    monkeypatch.setattr("sekisho.adapters.storage.register_sql.FEW", 3)
    found = store.iterate_standings({"site": ["fab"]})
    first = next(found).epc
    store.save(Change(standings={chip(40): standing(chip(40), site="hall")}, gone=[chip(2)]))
    assert [first, *(at.epc for at in found)] == wanted[:39]


def test_readers_see_whole_changes_while_somebody_writes(store: RegisterStore) -> None:
    """Counts, events and standings read at once belong together, whoever writes meanwhile."""
    faults: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            held = sum(found.count for found in store.count_holdings([]))
            if held % 5:
                faults.append(f"{held} chips")
            number = store.load_numbers()
            if number.event % 5 or number.effect != number.event:
                faults.append(str(number))

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for n in range(20):
        store.save(registering(5 * n + 1, list(range(5 * n, 5 * n + 5)), number=n + 1))
    done.set()
    for thread in threads:
        thread.join(10)
    assert faults == []
    assert store.load_numbers().event == 100


def test_too_many_readers_at_once_are_told_to_try_again(
    store: RegisterSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who finds no free connection waits a while and is refused; the others and the next one are served."""
    engine: Any = store._engine
    monkeypatch.setattr(engine._readers.pool, "_timeout", 0.05)
    with ExitStack() as asking:
        for _ in range(2 * READERS):
            asking.enter_context(engine.reading())
        with pytest.raises(Unavailable, match="16 readers"):
            store.load_numbers()
    assert store.load_numbers() == Numbers()


@pytest.mark.parametrize("text", ["nul \0 inside", "lone \ud800 surrogate"])
def test_text_that_no_database_keeps_is_refused(store: RegisterStore, text: str) -> None:
    """As bad input, by both kinds alike, and nothing is saved; asked for, it is not found."""
    for change in (
        registering(1, {1: standing(text)}),
        registering(1, {1: standing(chip(1), serial=text)}),
        registering(1, {1: standing(chip(1), site=text)}),
        registering(1, [1], alerts=[alert(1, detail=text)]),
    ):
        with pytest.raises(InvalidInput):
            store.save(change)
    assert store.load_numbers() == Numbers()
    assert (store.load_standings([text, chip(1)]), store.load_movements([text])) == ({}, {})
    assert (store.find_hashes([text]), store.find_device_keys([text])) == ({}, {})
    assert store.find_identities([("maker", text), (text, "1")]) == {}
    assert store.find_capture(text) is None
    assert store.count_holdings(["site"], {"site": [text]}) == ()
    assert store.find_events(EventFilter(match_epcs=(text,)), after=0, limit=1).events == ()
