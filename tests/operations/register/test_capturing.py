"""Capturing: durable, idempotent, numbered in order, nothing by half; and what others may endorse later."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from sekisho.ledger.line import Overloaded
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.operations.register import capturing
from sekisho.operations.register import line as line_module
from sekisho.operations.register.line import Line
from sekisho.ports.register_store import Change, EventFilter, EventRow
from sekisho.registry.commitments import batch_root, commitment
from tests.capturing import (
    World,
    chip,
    commissioned,
    declared_wrong,
    document,
    endorsed,
    observed,
    received,
    shipped,
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as running:
        yield running


def events_of(world: World) -> tuple[EventRow, ...]:
    return world.store.load_events(after=0, limit=1_000)


def outcomes(world: World) -> list[str]:
    return [row.outcome for row in events_of(world)]


def test_a_chip_goes_its_way(world: World) -> None:
    """Made, shipped and received, each endorsed by its own side: the receiver is custodian then."""
    world.send([commissioned(chip(1), chip(2))], "maker")
    world.send([shipped("maker", "dist", chip(1))], "maker")
    assert world.standing(chip(1)).custodian == "maker"
    world.send([received("dist", chip(1))], "dist")
    assert [world.standing(chip(n)).custodian for n in (1, 2)] == ["dist", "maker"]
    assert world.standing(chip(1)).site == "dock"


def test_original_declaration_and_correction_each_sent_twice_give_three_entries(
    world: World,
) -> None:
    """The key is the hash id with the digest of the error declaration; repeated ones are counted as such."""
    wrong = commissioned(chip(1), hours=1)
    declaration = declared_wrong(wrong)
    right = commissioned(chip(2), hours=1)
    told = [world.send([event], "maker") for event in (wrong, wrong, declaration, right)]
    told += [world.send([wrong, declaration, right], "maker") for _ in range(2)]
    assert [row.repeated for row in told] == [0, 0, 0, 0, 3, 3]
    assert [row.number for row in events_of(world)] == [1, 2, 3]
    assert outcomes(world) == ["taken"] * 3
    assert events_of(world)[0].voided_by == 2
    assert world.store.load_standings([chip(1)]) == {}


def test_the_same_document_again_gives_the_same_answer(world: World) -> None:
    """Byte for byte the first one, whatever was captured in between."""
    first = world.send([commissioned(chip(1))], "maker")
    world.clock.move(60)
    world.send([commissioned(chip(2))], "maker")
    assert world.send([commissioned(chip(1))], "maker") == first
    assert len(events_of(world)) == 2


def test_many_threads_with_the_same_document_get_one_answer(world: World) -> None:
    """Whoever stands in line with it and whoever comes later are told the same."""
    data = document(commissioned(chip(1)))
    signature = endorsed(data, "maker")
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: world.register.capture(data, signature), range(32)))
    assert set(answers) == {answers[0]}
    assert len(events_of(world)) == 1


def test_good_events_are_taken_and_bad_ones_named_with_their_place(world: World) -> None:
    """One event without a time and one with a word of nobody's: the others are taken."""
    bad = {k: v for k, v in commissioned(chip(2)).items() if k != "eventTime"}
    misspelt = {**commissioned(chip(3)), "bizStep": "comissioning"}
    row = world.send([commissioned(chip(1)), bad, misspelt, commissioned(chip(4))], "maker")
    assert (row.events, row.taken, row.running) == (4, 2, False)
    paths = [problem["path"] for problem in json.loads(row.problems)]
    assert [path.rpartition("[")[2] for path in paths] == ["1].eventTime", "2].bizStep"]


def test_with_rollback_a_bad_event_keeps_the_good_ones_out(world: World) -> None:
    """Nothing of the document is captured; its job says why; sent with `proceed` it is another job."""
    bad = {k: v for k, v in commissioned(chip(2)).items() if k != "eventTime"}
    row = world.send([commissioned(chip(1)), bad], "maker", behaviour="rollback")
    assert (row.events, row.taken, bool(row.problems)) == (2, 0, True)
    assert events_of(world) == ()
    again = world.send([commissioned(chip(1)), bad], "maker")
    assert (again.taken, again.capture != row.capture) == (1, True)


def test_problems_beyond_a_thousand_are_counted(world: World) -> None:
    """A document of nothing but faults does not make a job as large as itself."""
    row = world.send([{"type": "ObjectEvent"} for _ in range(1_500)], "maker")
    problems = json.loads(row.problems)
    assert len(problems) == 1_001
    assert problems[-1]["problem"].endswith("more problems are not listed")


def test_what_is_no_document_is_refused_and_kept_nowhere(world: World) -> None:
    """Nor what is too long."""
    with pytest.raises(InvalidInput):
        world.register.capture(b"{", None)
    with pytest.raises(InvalidInput, match="longer than"):
        world.register.capture(b" " * (16 * 1024 * 1024 + 1), None)
    assert world.store.load_captures(after="", limit=10) == ()


def test_an_unsigned_event_is_kept_and_moves_nothing(world: World) -> None:
    """It shows as unsigned, and the chip's custodian is who it was."""
    world.send([commissioned(chip(1))], "maker")
    world.send([shipped("maker", "dist", chip(1))], "maker")
    row = world.send([received("dist", chip(1))])
    assert (row.parties, row.powers) == ((), ())
    assert world.standing(chip(1)).custodian == "maker"
    assert {alert.code for alert in world.store.load_alerts(after=0, limit=9)} == {"unsigned"}


def test_an_event_that_came_unsigned_takes_effect_once_it_is_endorsed(world: World) -> None:
    """Else whoever sends somebody's event first would keep it from ever taking effect."""
    world.send([commissioned(chip(1))])
    row = world.send([commissioned(chip(1))], "maker")
    assert (row.taken, row.repeated) == (1, 0)
    assert world.standing(chip(1)).custodian == "maker"
    assert world.send([commissioned(chip(1)), observed("maker", chip(1))], "maker").repeated == 1


def test_an_event_refused_under_one_name_may_come_under_another(world: World) -> None:
    """A receipt that the carrier endorsed is refused; the receiver's own is taken, and taken once."""
    world.send([commissioned(chip(1))], "maker")
    world.send([shipped("maker", "dist", chip(1))], "maker")
    receipt = received("dist", chip(1))
    assert world.send([receipt], "carrier").refused == 1
    assert world.send([receipt, observed("dist", chip(1))], "carrier").repeated == 1
    assert world.send([receipt], "dist").taken == 1
    assert world.standing(chip(1)).custodian == "dist"


def test_an_early_event_waits_and_takes_effect_with_its_predecessor(world: World) -> None:
    """The receipt comes before the shipment: it waits, and is settled in the shipment's group."""
    world.send([commissioned(chip(1))], "maker")
    assert world.send([received("dist", chip(1))], "dist").waiting == 1
    assert outcomes(world) == ["taken", "waiting"]
    world.send([shipped("maker", "dist", chip(1))], "maker")
    assert [(row.outcome, row.effect) for row in events_of(world)] == [
        ("taken", 1),
        ("taken", 3),
        ("taken", 2),
    ]
    assert world.standing(chip(1)).custodian == "dist"


def test_within_one_document_events_are_settled_in_one_group(world: World) -> None:
    """What waits and what releases it stand in one change."""
    events = [
        received("dist", chip(1)),
        shipped("maker", "dist", chip(1)),
        commissioned(chip(1), maker="maker"),
    ]
    row = world.send(events, "maker", "dist")
    assert (row.taken, row.waiting) == (3, 0)
    assert world.standing(chip(1)).custodian == "dist"


def test_a_batch_commits_to_its_events(world: World) -> None:
    """Its root is that over salt and hash id of each event, in their places; salts are drawn one by one."""
    world.send([commissioned(chip(n)) for n in range(5)], "maker")
    batch = world.store.find_batch(1)
    rows = world.store.load_batch_events(1)
    assert batch is not None
    assert batch.root == batch_root(
        [commitment(row.salt, row.hash_id, row.capture) for row in rows]
    )
    assert len({row.salt for row in rows}) == batch.events == 5


def test_a_document_without_anything_new_makes_no_batch(world: World) -> None:
    """Nothing is stated in the log for what the register knew already."""
    world.send([commissioned(chip(1)), commissioned(chip(2))], "maker")
    world.send([commissioned(chip(1))], "maker")
    assert world.store.load_numbers().batch == 1
    assert len(world.store.load_captures(after="", limit=10)) == 2


def test_conflicting_receipts_from_many_threads_leave_one_custodian(tmp_path: Path) -> None:
    """Of those who each claim to have received a chip, the consignee is custodian, and nobody else."""
    with World(tmp_path) as world:
        world.send([commissioned(*map(chip, range(20)))], "maker")
        world.send([shipped("maker", "dist", *map(chip, range(20)))], "maker")
        claims = [
            ([received(party, chip(n), hours=2 + n / 100)], party)
            for n in range(20)
            for party in ("dist", "cloud", "carrier")
        ]
        with ThreadPoolExecutor(12) as pool:
            rows = list(pool.map(lambda claim: world.send(claim[0], claim[1]), claims))
        assert sum(row.taken for row in rows) == 20
        assert {world.standing(chip(n)).custodian for n in range(20)} == {"dist"}
        assert world.register.check().differences == 0


def test_numbers_have_no_gaps_whatever_the_threads_do(tmp_path: Path) -> None:
    """Documents of many threads are numbered one after the other, each document's events together."""
    with World(tmp_path) as world:

        def send(n: int) -> None:
            world.send([commissioned(chip(100 * n + k)) for k in range(7)], "maker")

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(send, range(24)))
        rows = events_of(world)
        assert [row.number for row in rows] == list(range(1, 169))
        for start in range(0, 168, 7):
            assert len({row.capture for row in rows[start : start + 7]}) == 1


def test_a_refusing_store_fails_the_group_and_nothing_is_stored(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever captures is told to come again, and coming again works."""
    genuine = world.store.save

    def refuse(_: Change) -> None:
        raise Unavailable("the disk is full")

    with monkeypatch.context() as full:
        full.setattr(world.store, "save", refuse)
        with pytest.raises(Unavailable):
            world.send([commissioned(chip(1))], "maker")
        assert world.register.problem == "the disk is full"
    assert world.store.save == genuine
    assert world.send([commissioned(chip(1))], "maker").taken == 1
    assert world.register.problem == ""


def test_one_document_that_cannot_be_saved_does_not_take_others_with_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The group is tried again one by one; only the culprit fails."""
    genuine = world.store.save
    gate = threading.Event()

    def save(change: Change) -> None:
        gate.wait(5)
        if any(chip(13) in row.document.decode() for row in change.events):
            raise StateConflict("not this one")
        genuine(change)

    monkeypatch.setattr(world.store, "save", save)
    documents = [document(commissioned(chip(n))) for n in (11, 12, 13, 14)]
    futures = [world.register.hand_in(data, endorsed(data, "maker")) for data in documents]
    gate.set()
    failed = [future.exception(5) is not None for future in futures]
    assert failed == [False, False, True, False]
    assert len(events_of(world)) == 3


def test_a_defect_reaches_the_caller_and_the_writer_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody foresaw is no reason to capture no more."""

    def fail(_: Change) -> None:
        raise RuntimeError("a defect")

    with monkeypatch.context() as broken:
        broken.setattr(world.store, "save", fail)
        with pytest.raises(RuntimeError, match="a defect"):
            world.send([commissioned(chip(1))], "maker")
    assert world.send([commissioned(chip(1))], "maker").taken == 1


def test_who_comes_while_the_register_stops_is_told_so(tmp_path: Path) -> None:
    """Not left waiting for ever."""
    with World(tmp_path) as world:
        world.register.stop()
        with pytest.raises(Unavailable, match="stopping"):
            world.send([commissioned(chip(1))], "maker")


def test_a_full_line_pushes_back_and_one_document_always_gets_in() -> None:
    """Bytes and numbers are bounded; what leaves makes room."""
    line = Line(max_waiting=2, max_bytes=100)
    line.enter(500)
    with pytest.raises(Overloaded):
        line.enter(1)
    line.leave(500)
    line.enter(10)
    line.enter(10)
    with pytest.raises(Overloaded):
        line.enter(10)


@pytest.mark.slow
def test_a_document_of_a_hundred_thousand_chips_is_captured(world: World) -> None:
    """Each of them stands in the register afterwards."""
    row = world.send([commissioned(*map(chip, range(100_000)))], "maker")
    assert (row.taken, len(row.problems)) == (1, 0)
    counted = world.store.count_holdings(["custodian"])
    assert [(holding.values, holding.count) for holding in counted] == [(("maker",), 100_000)]


def test_a_document_that_names_too_much_is_told_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything of it is decided."""
    monkeypatch.setattr(capturing, "MAX_NAMED", 10)
    assert world.send([commissioned(*map(chip, range(10)))], "maker").taken == 1
    with pytest.raises(InvalidInput, match="names 11 chips"):
        world.send([commissioned(*map(chip, range(11)))], "maker")
    assert len(events_of(world)) == 1


def test_groups_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is beyond a group's number of events waits for the next one."""
    monkeypatch.setattr(line_module, "MAX_GROUP", 10)
    genuine, sizes = world.store.save, []

    def save(change: Change) -> None:
        sizes.append(len(change.events))
        genuine(change)

    monkeypatch.setattr(world.store, "save", save)
    with ThreadPoolExecutor(8) as pool:
        sends = [
            pool.submit(world.send, [commissioned(chip(10 * n + k)) for k in range(4)], "maker")
            for n in range(16)
        ]
        assert all(send.result().taken == 4 for send in sends)
    assert max(sizes) <= 10


def test_events_are_found_by_what_they_say(world: World) -> None:
    """The facade's query is the store's, page by page."""
    world.send([commissioned(chip(n)) for n in range(5)], "maker")
    world.send([shipped("maker", "dist", chip(3))], "maker")
    page = world.register.find_events(EventFilter(match_epcs=(chip(3),)), limit=1)
    assert [row.biz_step for row in page.events] == ["commissioning"]
    assert page.following is not None
    page = world.register.find_events(EventFilter(biz_steps=("shipping",)))
    assert [row.number for row in page.events] == [6]


def test_a_capture_keeps_who_endorsed_it_and_what(world: World) -> None:
    """The document's digest, its endorsement and its bytes stay for whoever checks it."""
    data = document(commissioned(chip(1)))
    row = world.register.capture(data, endorsed(data, "maker", "dist"))
    kept = world.register.find_capture(row.capture)
    assert kept == row
    assert (row.parties, row.endorsement) == (("dist", "maker"), endorsed(data, "maker", "dist"))
    assert world.store.load_document(row.capture) == data
    assert msgspec.structs.asdict(row)["size"] == len(data)
