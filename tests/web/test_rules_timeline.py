"""The pictures of a pack's years: bands and steps lie where the rules read them, without gaps of their own making."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.catalogue import Language
from sekisho.model.instants import Instant, parse_date_or_instant
from sekisho.rules import load_pack, pack_names
from sekisho.rules.pack import DatedValue, Deadline, Status
from sekisho.web.rules_timeline import HEIGHT, WIDTH, Axis, axis_of, bands_of, form_of, steps_of
from sekisho.web.rules_views import say_amount, say_deadline, status_form, view_pack

NOW = parse_date_or_instant("2026-11-22")
DAY_US = 86_400_000_000
AXIS = Axis(start=Instant(0), end=Instant(100 * DAY_US), ticks=(), here=None)
DAYS = st.integers(min_value=-20, max_value=120)


def value(
    start: int, end: int | None, amount: int | None, recorded: int | None = None
) -> DatedValue:
    return DatedValue(
        start=Instant(start * DAY_US),
        end=None if end is None else Instant(end * DAY_US),
        recorded=Instant((start if recorded is None else recorded) * DAY_US),
        source="s",
        cite="c",
        mark="P",
        value=amount,
    )


def status(word: str, *, acts: bool) -> Status:
    return Status(
        start=Instant(0),
        recorded=Instant(0),
        source="s",
        cite="c",
        mark="P",
        word=word,  # type: ignore[arg-type]  # the test's own word
        acts=acts,
    )


@given(
    entries=st.lists(
        st.builds(
            lambda start, length, amount: value(start, start + length if length else None, amount),
            DAYS,
            st.integers(0, 60),
            st.integers(1, 10**26) | st.none(),
        ),
        max_size=5,
    ),
    day=st.integers(min_value=0, max_value=99),
)
def test_a_step_stands_where_the_rules_read_that_value(entries: list[DatedValue], day: int) -> None:
    """On any day the step over it is the entry that counts, and where none counts no step is drawn."""
    at = Instant(day * DAY_US + DAY_US // 2)
    counting = [entry for entry in entries if entry.counts(at, None)]
    expected = max(counting, key=lambda e: (e.start, e.recorded)) if counting else None
    x = AXIS.x(at)
    drawn = [s.entry for s in steps_of(entries, AXIS, None).steps if s.x <= x < s.x + s.width]
    assert drawn[:1] == ([expected] if expected is not None else [])


def test_steps_do_not_overlap_and_higher_values_stand_higher() -> None:
    """Three values, each above the one before; an ended one leaves a gap in the line."""
    entries = [value(0, 20, 10), value(20, 40, 10**6), value(40, 60, None), value(60, None, 10**24)]
    found = steps_of(entries, AXIS, None)
    assert [step.x for step in found.steps] == [0, 200, 400, 600]
    assert sum(step.width for step in found.steps) == WIDTH
    heights = [step.y for step in found.steps]
    assert heights[2] is None
    known = [y for y in heights if y is not None]
    assert known == sorted(known, reverse=True)
    assert all(0 <= y <= HEIGHT for y in known)
    assert len(found.lines) == 2


def test_what_was_recorded_later_is_drawn_only_as_known() -> None:
    """As of a day before it was recorded the earlier value goes on."""
    entries = [value(0, None, 1), value(10, None, 2, recorded=50)]
    assert [s.entry.value for s in steps_of(entries, AXIS, None).steps] == [1, 2]
    early = steps_of(entries, AXIS, Instant(20 * DAY_US))
    assert [s.entry.value for s in early.steps] == [1]


def test_one_value_lies_in_the_middle() -> None:
    """There is nothing for it to be higher or lower than."""
    assert steps_of([value(0, None, 5)], AXIS, None).steps[0].y == HEIGHT // 2


@pytest.mark.parametrize(
    ("word", "acts", "form", "shape"),
    [
        ("enforced", True, "acts", "verified"),
        ("draft", True, "acts", "verified"),
        ("codified", False, "stands", "claimed"),
        ("announced", False, "comes", "issued"),
        ("suspended", False, "rests", "silent"),
        ("revoked", False, "gone", "idle"),
    ],
)
def test_a_status_has_its_form_and_shape(word: str, acts: bool, form: str, shape: str) -> None:
    """What acts is told from what stands in the books, may come, rests or is gone."""
    assert form_of(status(word, acts=acts)) == form
    assert status_form(status(word, acts=acts)) == shape


def test_no_status_looks_like_none_that_acts() -> None:
    """A date before the first entry is unverifiable, not green."""
    assert status_form(None) == "unverifiable"


@pytest.mark.parametrize("name", pack_names())
@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_shipped_pack_has_a_view(name: str, language: Language) -> None:
    """Its axis holds every entry, its ticks are years, and each rule has a band on a day on which it acts."""
    pack = load_pack(name)
    view = view_pack(pack, (NOW, None, "enforced"), NOW, language)
    assert view.axis.start <= NOW <= view.axis.end
    assert all(tick.label.isdigit() for tick in view.axis.ticks)
    for row in view.rules:
        assert row.bands
        assert all(band.x >= 0 and band.x + band.width <= WIDTH for band in row.bands)
        if row.status is not None:
            x = view.axis.x(NOW)
            assert row.status in [b.entry for b in row.bands if b.x <= x <= b.x + b.width]
    assert len(view.parameters) == len(pack.parameters)
    assert bands_of((), view.axis, None) == ()
    assert axis_of(pack, NOW, NOW).here is not None


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [
        (10**26, "FLOP", "10^26 FLOP"),
        (25 * 10**24, "FLOP", "2.5 × 10^25 FLOP"),
        (4800, "TPP", "4,800 TPP"),
        (999_999_999, "chips", "999,999,999 chips"),
        (Fraction("5.92"), "TPP/mm2", "5.92 TPP/mm2"),
        (Fraction(1, 3), "share", "1/3 share"),
        (Fraction(1, 2), "", "0.5"),
        (0, "FLOP", "0 FLOP"),
    ],
)
def test_amounts_are_written_exactly(amount: int | Fraction, unit: str, text: str) -> None:
    """Powers of ten where they are shorter, decimals where they end, fractions where they do not."""
    assert say_amount(amount, unit, "en") == text
    assert say_amount(None, unit, "en") == "ended"


def test_deadlines_are_said_in_words() -> None:
    """Days, hours, fixed days; nothing where nothing is asked."""
    assert say_deadline(None, "en") == ""
    assert say_deadline(Deadline(days=14, direction="before", event="the run"), "en") == (
        "14 days before the run"
    )
    at_once = Deadline(days=0, direction="before", event="release")
    assert say_deadline(at_once, "en") == "before release"
    assert "72" in say_deadline(Deadline(hours=72, event="the incident"), "ja")
    assert say_deadline(Deadline(each_year_on=("07-15",)), "en") == "each year on 07-15"
