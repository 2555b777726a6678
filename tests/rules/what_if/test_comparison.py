"""Comparisons over hand-made populations: exact counts, the rule responsible, and the laws that hold of any."""

from __future__ import annotations

import itertools

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.model.chips import ChipTable, known_chips
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, parse_date_or_instant
from sekisho.rules import load_pack, parse_request
from sekisho.rules.accounts import Accounts
from sekisho.rules.requests import Request
from sekisho.rules.what_if import (
    CHANGES,
    Diff,
    Side,
    Tally,
    conclude,
    diff,
    diff_document,
    sample_population,
)
from sekisho.rules.what_if.sides import Answers
from sekisho.rules.what_if.sittings import make_judge
from tests.rules.what_if.small_packs import AT, shipment, shipments, side, small_pack, training

LOOSE, STRICT = small_pack(100), small_pack(50, name="strict")
COUNTS = st.lists(st.none() | st.integers(1, 200), max_size=30)


def changes(found: Diff) -> dict[str, int]:
    """The changes that came at all."""
    return {change: found.changed(change) for change in CHANGES if found.changed(change)}


def sample(count: int, seed: int) -> list[Request]:
    """Made-up requests, as a file would have them."""
    return [parse_request(line) for line in _lines(count, seed)]


def _lines(count: int, seed: int) -> list[bytes]:
    return [msgspec.json.encode(row) for row in sample_population(count, seed)]


def test_a_lower_threshold_catches_those_between() -> None:
    """Fifty itself is not over fifty, fifty-one to a hundred are newly caught, a hundred and one were before."""
    found = diff(shipments([49, 50, 51, 75, 100, 101]), side(LOOSE), side(STRICT))
    assert changes(found) == {"newly-caught": 3}
    assert found.flows.count("permit", "permit") == 2
    assert found.flows.count("licence", "licence") == 1
    assert [one.id for one in found.examples["newly-caught"]] == ["t3", "t4", "t5"]
    (effect,) = found.rules
    assert (effect.rule, effect.how, effect.changes) == ("big", "appears", {"newly-caught": 3})
    assert effect.example is not None
    assert (effect.example.quantity, effect.example.value) == ("shipment_chips", "51")
    assert (effect.example.op, effect.example.threshold) == (">", "50")


def test_the_tables_by_name_sum_to_the_population() -> None:
    """By country, owner, chip and kind; a name that nobody told is a group of its own."""
    rows = [
        shipment("a", 75, to="JP", owner="Group 1"),
        shipment("b", 75, to="JP", owner="Group 2", chip="A100"),
        shipment("c", 10, to=None, owner=None),
    ]
    found = diff(rows, side(LOOSE), side(STRICT))
    groups = {g.name: g.flows.changed("newly-caught") for g in found.by_country.groups}
    assert groups == {"JP": 2, "": 0}
    assert [g.name for g in found.by_owner.groups] == ["Group 1", "Group 2", ""]
    for grouping in (found.by_country, found.by_owner, found.by_chip, found.by_kind):
        assert sum(g.flows.requests for g in grouping.groups) == 3
    told = diff_document(found)["by_country"]
    assert isinstance(told, dict)
    assert isinstance(told["groups"], list)
    assert [g["name"] for g in told["groups"] if isinstance(g, dict)] == ["JP", None]


def test_a_missing_count_is_unsure_on_both_sides_and_its_own_category() -> None:
    """It is neither caught nor freed, and the load says that there may be more applications."""
    found = diff(shipments([None, 75]), side(LOOSE), side(STRICT))
    assert found.flows.count("unsure", "unsure") == 1
    assert (found.load.b.applications, found.load.b.open) == (1, 1)
    assert changes(found) == {"newly-caught": 1}


def test_a_kind_that_no_pack_speaks_of_is_unsure_never_permitted() -> None:
    """And a population of nothing else has decided nothing."""
    found = diff([training("r", "1")], side(LOOSE), side(STRICT))
    assert found.flows.count("unsure", "unsure") == 1
    assert found.decided_nothing


def test_a_refused_row_is_counted_with_its_line_and_is_in_no_other_figure() -> None:
    """An error of the reader, and facts that no pack asks for."""
    odd = parse_request(b'{"kind":"transfer","id":"x","item":{},"facts":{"misspelt":true}}')
    rows: list[tuple[int, Request | InvalidInput]] = [
        (3, InvalidInput("is no request", path="f:3")),
        (7, odd),
        (9, shipment("a", 75)),
    ]
    found = diff(rows, side(LOOSE), side(STRICT))
    assert (found.requests, found.refused) == (1, 2)
    assert [row.line for row in found.refused_rows] == [3, 7]
    assert "facts.misspelt" in found.refused_rows[1].error


def test_examples_are_bounded_and_the_rest_is_counted() -> None:
    """The first two by their lines, of ten."""
    found = diff(shipments([75] * 10), side(LOOSE), side(STRICT), examples=2)
    assert [one.line for one in found.examples["newly-caught"]] == [1, 2]
    assert found.changed("newly-caught") == 10


def test_the_same_pack_at_two_dates_is_two_laws() -> None:
    """A rule that begins in between catches under the later date only."""
    pack = small_pack(100, start="2026-01-01")
    early = Side(pack=pack, at=parse_date_or_instant("2025-12-31"), now=AT)
    found = diff(shipments([150, 50]), early, side(pack))
    assert found.flows.count("unsure", "licence") == 1  # no acting rule: nothing was said
    assert found.flows.count("unsure", "permit") == 1


def test_the_same_pack_under_two_readings() -> None:
    """What is codified and not enforced catches under the reading that asks for it."""
    pack = small_pack(100, status="codified", acts="false")
    codified = Side(pack=pack, at=AT, now=AT, reading="codified")
    found = diff(shipments([150]), side(pack), codified)
    assert found.flows.count("unsure", "licence") == 1


def test_without_a_date_each_request_is_judged_by_its_own_day() -> None:
    """A rule that begins in 2026 answers the request of that year only."""
    pack = small_pack(100, start="2026-01-01")
    own = Side(pack=pack, now=AT)
    rows = [shipment("a", 150, on="2025-06-01"), shipment("b", 150, on="2026-06-01")]
    found = diff(rows, own, own)
    assert found.flows.count("unsure", "unsure") == 1
    assert found.flows.count("licence", "licence") == 1
    assert found.a.at == ""


def test_days_of_one_law_share_their_judge() -> None:
    """A year of days, two laws: the judges are two pairs, not three hundred and sixty-five."""
    made = []

    def make(side_asked: Side, at: Instant, chips: ChipTable) -> Answers:
        made.append(str(at))
        return make_judge(side_asked, at, chips)

    pack = small_pack(100, start="2026-07-01")
    own = Side(pack=pack, now=AT)
    days = [f"2026-{month:02d}-{day:02d}" for month in range(1, 13) for day in (1, 15)]
    rows = [shipment(f"t{number}", 150, on=day) for number, day in enumerate(days)]
    found = diff(rows, own, own, make=make)
    assert found.flows.count("licence", "licence") == 12
    assert sorted(set(made)) == ["2020-01-01T00:00:00Z", "2026-07-01T00:00:00Z"]
    assert len(made) == 4


@settings(max_examples=15, deadline=None)
@given(counts=COUNTS)
def test_a_pack_against_itself_changes_nothing(counts: list[int | None]) -> None:
    """Whatever is asked."""
    found = diff(shipments(counts), side(LOOSE), side(LOOSE))
    assert changes(found) == {}
    assert found.same_answer_other_rules == 0
    assert found.load.more_applications == 0
    assert found.rules == ()


@settings(max_examples=15, deadline=None)
@given(counts=COUNTS)
def test_b_against_a_mirrors_a_against_b(counts: list[int | None]) -> None:
    """Flows, groups and load, the other way round."""
    there, back = (
        diff(shipments(counts), side(LOOSE), side(STRICT)),
        diff(shipments(counts), side(STRICT), side(LOOSE)),
    )
    assert back.flows == there.flows.mirrored()
    assert (back.load.a, back.load.b) == (there.load.b, there.load.a)
    assert {g.name: g.flows.mirrored() for g in back.by_chip.groups} == {
        g.name: g.flows for g in there.by_chip.groups
    }
    assert {e.rule: e.total for e in back.rules} == {e.rule: e.total for e in there.rules}


@settings(max_examples=20, deadline=None)
@given(counts=COUNTS, cuts=st.lists(st.integers(0, 30), max_size=3), turned=st.booleans())
def test_parts_of_a_population_add_up_to_one_pass(
    counts: list[int | None], cuts: list[int], turned: bool
) -> None:
    """However it is cut, in whatever order the parts are added up: the whole document is the same."""
    rows = list(enumerate(shipments(counts), 1))
    whole = diff(rows, side(LOOSE), side(STRICT), examples=3)
    edges = [0, *sorted(cuts), len(rows)]
    tally = Tally(side(LOOSE), side(STRICT), known_chips(), examples=3)
    parts = []
    for start, end in itertools.pairwise(edges):
        for line, request in rows[start:end]:
            tally.take(line, request)
        parts.append(tally.hand_over())
    if turned:
        parts.reverse()
    total, *rest = parts
    for part in rest:
        total.add(part)
    assert diff_document(conclude(total, tally.sittings)) == diff_document(whole)


def test_parts_of_a_sample_under_real_packs_add_up_to_one_pass() -> None:
    """All kinds of request, two packs that say different things about them."""
    a, b = side(load_pack("loop-2026")), side(load_pack("treaty-2511"))
    rows = list(enumerate(sample(200, 3), 1))
    tally = Tally(a, b, known_chips())
    total = tally.hand_over()
    for start in range(0, 200, 33):
        for line, request in rows[start : start + 33]:
            tally.take(line, request)
        total.add(tally.hand_over())
    assert diff_document(conclude(total, tally.sittings)) == diff_document(diff(rows, a, b))


def test_a_reform_changes_nothing_before_it_starts() -> None:
    """The overlay over the export controls, on its eve and on its day."""
    names = load_pack("us-ear"), load_pack("us-diffusion-tightened")
    rows = [
        parse_request(line)
        for line in map(_encoded, sample_population(150, 5, names[0].quantities))
    ]
    for day, is_changed in (("2026-12-31", False), ("2027-01-01", True)):
        at = parse_date_or_instant(day)
        a, b = (Side(pack=pack, at=at, now=at) for pack in names)
        assert bool(changes(diff(rows, a, b))) is is_changed, day


def _encoded(row: object) -> bytes:
    return msgspec.json.encode(row)


def test_what_went_before_is_filled_from_the_rows_before() -> None:
    """Two shipments to one parent: the second is over the year's cap, and the first is not."""
    when = '{quantity: parent_year_tpp, op: ">", value: 200000, unit: TPP}'
    pack = small_pack(when=when)
    rows = [shipment("a", 10, on="2026-03-01"), shipment("b", 10, on="2026-04-01")]
    past = Accounts()
    tally = Tally(side(pack), side(pack), known_chips(), accounts=past)
    judged = [tally.take(number, row) for number, row in enumerate(rows, 1)]
    assert [getattr(one, "a", None) for one in judged] == ["permit", "licence"]
    assert diff(rows, side(pack), side(pack)).flows.count("unsure", "unsure") == 2


def test_a_row_without_a_day_is_refused_where_the_past_is_asked_for() -> None:
    """It would belong to no year."""
    tally = Tally(side(LOOSE), side(LOOSE), known_chips(), accounts=Accounts())
    tally.take(1, shipment("a", 10))
    counts = tally.hand_over()
    assert counts.refusals == 1
    assert "names no day" in counts.refused[0].error
