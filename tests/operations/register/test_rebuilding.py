"""Rebuilding and checking: what is derived follows from the events alone."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sekisho.model.custody import Standing
from sekisho.model.errors import Unavailable
from sekisho.operations.register import rebuilding
from sekisho.operations.register.book import captured_of
from sekisho.operations.register.register import Register
from sekisho.ports.register_store import Change
from sekisho.registry.custody import Captured, MemoryBook, take
from tests.capturing import (
    PARTIES,
    World,
    chip,
    commissioned,
    declared_wrong,
    happened,
    observed,
    received,
    shipped,
)
from tests.registered import dump


def live(world: World) -> None:
    """Some of everything: early, late, refused, unsigned, declared wrong, contained."""
    wrong = commissioned(chip(9), hours=0.5)
    world.send([received("dist", chip(1))], "dist")
    world.send([commissioned(chip(n)) for n in range(6)], "maker")
    world.send([shipped("maker", "dist", chip(1), chip(2))], "maker")
    world.send([received("cloud", chip(2))], "cloud")
    world.send([received("dist", chip(2), hours=2.5)])
    world.send([wrong], "maker")
    world.send([declared_wrong(wrong)], "maker")
    world.send([observed("dist", chip(1))], "dist")
    world.send([happened("maker", chip(4), disposition="stolen", hours=5)], "maker")
    world.send([observed("cloud", chip(4), hours=6)], "cloud")


def test_a_rebuilt_register_is_the_live_one(tmp_path: Path) -> None:
    """Byte for byte, in every derived place."""
    with World(tmp_path) as world:
        live(world)
        before = dump(world.store)
        told: list[tuple[int, int]] = []
        rebuilt = world.register.rebuild(lambda done, total: told.append((done, total)))
        assert dump(world.store) == before
        assert (rebuilt.events, told[-1]) == (15, (15, 15))


def test_a_check_finds_nothing_where_nothing_is_wrong(tmp_path: Path) -> None:
    """And leaves no trace of the register that it made apart."""
    with World(tmp_path) as world:
        live(world)
        found = world.register.check()
        assert (found.events, found.differences, found.first) == (15, 0, ())
        assert found.derived > 20
        assert not list(tmp_path.glob("register-apart-*"))


def test_a_check_names_what_differs(tmp_path: Path) -> None:
    """A standing that somebody changed by hand is shown with both values; rebuilding mends it."""
    with World(tmp_path) as world:
        live(world)
        stands = world.standing(chip(3))
        forged = type(stands)(
            **{
                **{name: getattr(stands, name) for name in stands.__struct_fields__},
                "custodian": "carrier",
            }
        )
        world.store.save(Change(standings={chip(3): forged}))
        found = world.register.check()
        assert found.differences > 0
        assert f"standing/{chip(3)}" in [difference.place for difference in found.first]
        world.register.rebuild()
        assert world.register.check().differences == 0
        assert world.standing(chip(3)).custodian == "maker"


def test_a_rebuild_that_was_broken_off_is_done_again_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever part of it was saved."""
    monkeypatch.setattr(rebuilding, "PAGE", 4)
    with World(tmp_path) as world:
        live(world)
        before = dump(world.store)
        genuine = world.store.save
        saves: list[Change] = []

        def save(change: Change) -> None:
            if len(saves) == 2:
                raise Unavailable("the power is gone")
            saves.append(change)
            genuine(change)

        with monkeypatch.context() as broken:
            broken.setattr(world.store, "save", save)
            with pytest.raises(Unavailable):
                world.register.rebuild()
        assert dump(world.store) != before
    with World(tmp_path) as world:
        assert dump(world.store) == before


def test_an_event_that_waits_at_the_end_is_no_broken_rebuild(tmp_path: Path) -> None:
    """The newest event may wait for its predecessor for months."""
    with World(tmp_path) as world:
        world.send([received("dist", chip(1))], "dist")
        assert not rebuilding.is_unfinished(world.store)


def test_a_register_without_a_place_for_another_cannot_be_checked(tmp_path: Path) -> None:
    """It says so instead of saying that all is well."""
    with World(tmp_path) as world:
        bare = Register(
            store=world.store,
            terms=world.register.terms,
            voices=world.register.voices,
            clock=world.clock,
        )
        with pytest.raises(Unavailable):
            bare.check()


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[tuple[dict[str, Any], ...], tuple[str, ...]]]:
    """Documents in any order, by anybody, signed or not."""
    papers = []
    for _ in range(draw(st.integers(1, 8))):
        events = []
        for _ in range(draw(st.integers(1, 3))):
            who, to = draw(st.sampled_from(PARTIES)), draw(st.sampled_from(PARTIES))
            one = chip(draw(st.integers(0, 2)))
            hours = draw(st.integers(0, 6))
            event = draw(
                st.sampled_from(
                    (
                        commissioned(one, hours=hours),
                        shipped(who, to, one, hours=hours),
                        received(who, one, hours=hours),
                        observed(who, one, hours=hours),
                        happened(who, one, disposition="stolen", hours=hours),
                    )
                )
            )
            events.append(declared_wrong(event) if draw(st.integers(0, 5)) == 0 else event)
        signers = draw(st.sets(st.sampled_from(PARTIES), max_size=2))
        papers.append((tuple(events), tuple(sorted(signers))))
    return papers


@given(papers=histories())
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_whatever_is_captured_rebuild_equals_live(
    tmp_path_factory: pytest.TempPathFactory,
    papers: list[tuple[tuple[dict[str, Any], ...], tuple[str, ...]]],
) -> None:
    """Also where events wait, are refused, come twice or are declared wrong, in groups of any size."""
    folder = tmp_path_factory.mktemp("register")
    with World(folder) as world:
        for events, signers in papers:
            world.send(list(events), *signers)
        before = dump(world.store)
        replay_in_memory(world)
        assert world.register.check().differences == 0
        world.register.rebuild()
        assert dump(world.store) == before


def replay_in_memory(world: World) -> None:
    """The auditor's way: all events through a book in memory give the same outcomes and standings."""
    book = MemoryBook()
    outcomes: dict[int, str] = {}
    standings: dict[str, Standing] = {}
    captured: dict[int, Captured] = {}
    for row in world.store.load_events(after=0, limit=1_000):
        captured[row.number] = captured_of(row)
        for taking in take(book, captured[row.number], world.register.terms):
            book.apply(taking, captured[taking.number])
            outcomes[taking.number] = taking.outcome
            standings.update(taking.standings)
            for epc in taking.gone:
                standings.pop(epc, None)
    assert {r.number: r.outcome for r in world.store.load_events(after=0, limit=1_000)} == outcomes
    assert {s.epc: s for s in world.store.iterate_standings()} == standings


def test_grouping_changes_nothing(tmp_path: Path) -> None:
    """One document at a time or all in one: the same standings, outcomes and effects."""
    rng = random.Random(11)
    events = [commissioned(chip(n)) for n in range(8)]
    events += [shipped("maker", "dist", chip(n)) for n in range(8)]
    events += [received("dist", chip(n)) for n in range(8)]
    rng.shuffle(events)
    by = {"commissioning": "maker", "shipping": "maker", "receiving": "dist"}
    found = []
    for name, size in (("one", 1), ("three", 3)):
        (tmp_path / name).mkdir()
        with World(tmp_path / name) as world:
            for start in range(0, len(events), size):
                part = events[start : start + size]
                signers = {by[event["bizStep"]] for event in part}
                named = [
                    {**e, "ilmd": {**e["ilmd"], "skh:maker": "maker"}} if "ilmd" in e else e
                    for e in part
                ]
                world.send(named, *sorted(signers))
            rows = world.store.load_events(after=0, limit=100)
            found.append([(row.number, row.outcome, row.effect) for row in rows])
            assert {world.standing(chip(n)).custodian for n in range(8)} == {"dist"}
    assert [row[1] for row in found[0]] == [row[1] for row in found[1]]
