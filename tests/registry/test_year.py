"""A year of chips through the real path: signed documents, capture, store, log; what was planted is found."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from sekisho.model.custody import Standing
from sekisho.model.instants import Instant, Period
from sekisho.model.statements import IrregularityFound
from sekisho.operations.register.book import captured_of
from sekisho.registry.balance import Areas, signed
from sekisho.registry.custody import position_at
from sekisho.registry.custody.book import Captured
from sekisho.registry.irregularity import SERIOUS
from sekisho.registry.reading.declared import DeclaredItem
from sekisho.registry.reading.fleet_agent import ObservedDevice
from sekisho.registry.reading.reconcile import reconcile
from sekisho.registry.reading.subjects import AtSite
from tests import factory as f
from tests.desks import MovingClock
from tests.factory_bundle import check_of
from tests.register_desk import ADJUDICATORS, RegisterDesk
from tests.registry.year import ADJUDICATOR, MODEL, PARTIES, START, TERMS, Paper, Year, make_year

DAY = 86_400
END = START.plus(370 * DAY)
History = Sequence[tuple[Captured, Instant | None]]


def play(desk: RegisterDesk, year: Year) -> None:
    """Hand every paper in at its time; once a day the register looks at what is due, once a week the log is marked."""
    day = 0
    for paper in year.papers:
        while START.plus((day + 1) * DAY) <= paper.sent:
            day += 1
            move(desk, START.plus(day * DAY))
            desk.register.tick(desk.clock.now())
            if day % 7 == 0:
                desk.settle()
                desk.mark()
        move(desk, paper.sent)
        hand_in(desk, paper)
    move(desk, END)
    desk.settle()
    desk.mark()


def move(desk: RegisterDesk, at: Instant) -> None:
    desk.clock.at = max(desk.clock.at, at)


def hand_in(desk: RegisterDesk, paper: Paper) -> None:
    keys = [
        key
        for name in paper.signers
        for key in (ADJUDICATORS if name == ADJUDICATOR else (f.signer(name),))
    ]
    row = desk.capture(paper.document, *keys)
    assert row.problems == b""


class Played:
    """A year that was played, and what the register then says."""

    def __init__(self, desk: RegisterDesk, year: Year) -> None:
        self.desk = desk
        self.year = year
        self.areas = Areas.of(TERMS)
        play(desk, year)
        self.standings = {s.epc: s for s in desk.store.iterate_standings()}
        self.histories: Mapping[str, History] = {epc: self._history(epc) for epc in self.standings}

    def found(self) -> set[tuple[str, str]]:
        """Every alert that stands; one of an event that was early was settled when the event took effect."""
        events = self.desk.store.load_events(after=0, limit=10**6)
        in_effect = {row.number for row in events if row.outcome == "taken" and row.parties}
        return {
            (row.code, row.epc)
            for row in self.desk.store.load_alerts(after=0, limit=10**6)
            if not (row.refused and row.number in in_effect)
        }

    def findings(self) -> list[IrregularityFound]:
        facts = (entry.verified.predicate for entry in self.desk.desk.recorded())
        return [fact for fact in facts if isinstance(fact, IrregularityFound)]

    def positions(self, at: Instant, as_of: Instant | None) -> list[Standing]:
        """How every chip stood at an instant by what was known as of another."""
        told = (
            position_at(epc, history, TERMS, at=at, as_of=as_of)
            for epc, history in self.histories.items()
        )
        return [standing for standing in told if standing is not None]

    def _history(self, epc: str) -> History:
        rows = [row for row, _ in self.desk.store.load_timeline(epc) if row.effect is not None]
        rows.sort(key=lambda row: row.effect or 0)
        return [(captured_of(row), row.known) for row in rows]


def play_in(folder: Path, year: Year) -> Iterator[Played]:
    clock = MovingClock(START.plus(-3_600))
    with RegisterDesk(folder, PARTIES, terms=TERMS, clock=clock) as desk:
        yield Played(desk, year)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    yield from play_in(tmp_path_factory.mktemp("year"), make_year())


def check_year(played: Played, rng: random.Random) -> None:
    """All that a year must show, whatever its size."""
    desk, year = played.desk, played.year
    # 1. Every planted irregularity is found, by code and chip, and no other.
    assert played.found() == year.planted
    # 2. The log holds a finding for each of the serious ones, and for nothing else.
    serious = [code for code, _ in year.planted if code in SERIOUS]
    assert {fact.irregularity for fact in played.findings()} == set(serious)
    assert sum(fact.count for fact in played.findings()) == len(serious)
    # 3. Each chip stands as the script says.
    for epc in year.chips:
        standing = played.standings[epc]
        assert (standing.custodian, standing.state) == (year.custodians[epc], year.states[epc])
    # 4. At random pairs of times each chip has one custodian, and every area balances to the chip.
    for _ in range(4):
        at = START.plus(rng.randrange(400) * DAY)
        as_of = rng.choice([None, START.plus(rng.randrange(400) * DAY)])
        positions = played.positions(at, as_of)
        assert all(standing.custodian in PARTIES for standing in positions)
        check_balances(played, positions, at, as_of)
    # 5. What is made again from the events is what stands.
    assert desk.register.check().differences == 0


def check_balances(
    played: Played, positions: Sequence[Standing], at: Instant, as_of: Instant | None
) -> None:
    held: dict[str, int] = {}
    for standing in positions:
        area = played.areas.at(standing)
        held[area] = held.get(area, 0) + 1
    for place in TERMS.places:
        lines = played.desk.store.sum_lines(
            place.place, since=None, before=at.plus(0.000001), as_of=as_of
        )
        book = sum(signed(code, n, reverses=back) for (code, back), n in lines.items())
        assert book == held.get(place.place, 0), (place.place, at, as_of)


def test_a_year_with_theft_loss_repair_clone_and_dummies_is_replayed(played: Played) -> None:
    """Every planted irregularity is found with no false one; one custodian, exact balances, rebuilt equals live."""
    assert len(played.year.chips) > 3_000
    check_year(played, random.Random(1))


def test_an_outsider_finds_the_same_year_in_the_bundle(played: Played) -> None:
    """Commitments, endorsements and standings hold for whoever replays the disclosed events."""
    report = played.desk.audit(played.desk.files())
    for name in ("custody", "endorsements", "standings", "chip-tags", "irregularities"):
        row = check_of(report, name)
        assert row.verdict == "holds", row


def test_a_clouds_list_and_its_nodes_are_held_against_the_register(played: Played) -> None:
    """At the year's end: one chip that the firm leaves out, one that its server lacks, one that nobody registered."""
    here = [s for s in played.standings.values() if s.site == "hall-x" and s.state == "active"]
    hidden, taken_out = here[3], here[40]
    stranger = "Y27-99-0001"
    servers = {s.identity.serial: s.parent for s in here}
    reported = [s for s in servers if s != taken_out.identity.serial]
    at = AtSite(
        site="hall-x",
        window=Period(END.plus(-DAY), END.plus(1)),
        declared=[
            DeclaredItem(source=f"list.csv:{n}", line=n, serial=s.identity.serial, model=MODEL)
            for n, s in enumerate(here, 2)
            if s is not hidden
        ],
        observed=[
            *(observed(serial, node=servers[serial]) for serial in reported),
            observed(stranger, node=hidden.parent),
        ],
        standings=here,
        parties=frozenset(PARTIES),
        has_register=True,
    )
    found = reconcile(at)
    assert {(d.code, d.item) for d in found.differences if d.verdict == "fails"} == {
        ("undeclared", hidden.identity.serial),
        ("undeclared", stranger),
        ("unregistered", stranger),
    }
    assert {d.item for d in found.differences if d.verdict == "unverifiable"} == {
        taken_out.identity.serial
    }
    assert found.holds == len(here) - 2


def observed(serial: str, *, node: str) -> ObservedDevice:
    """As a node's agent reports it an hour before the year's end."""
    return ObservedDevice(
        uuid=f"GPU-{serial}",
        serial=serial,
        model=MODEL,
        node=node,
        site="hall-x",
        first=START,
        last=END.plus(-3_600),
        source=f"node {node}",
    )


@pytest.mark.soak
def test_larger_years_of_other_seeds_hold_as_well(tmp_path: Path) -> None:
    """Three years of some 8,000 chips."""
    for seed in range(3):
        year = make_year(seed, lot=160)
        for played in play_in(tmp_path / str(seed), year):
            check_year(played, random.Random(seed))
