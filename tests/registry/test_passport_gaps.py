from __future__ import annotations

from typing import Any

from sekisho.registry.passport_gaps import find_gaps
from tests.registry.passports import (
    CHIP,
    DAY,
    SERVER,
    Life,
    at,
    commissioned,
    installed,
    place,
    received,
    shipped,
    told,
)

LOST = "https://ns.sekisho.example/epcis/act/lost"
FOUND = "https://ns.sekisho.example/epcis/act/found"


def seen(day: float, step: str, disposition: str = "") -> dict[str, Any]:
    extra = {"disposition": disposition} if disposition else {}
    return told(
        day,
        "ObjectEvent",
        action="OBSERVE",
        bizStep=step,
        epcList=[CHIP],
        readPoint=place("hall-x"),
        bizLocation=place("hall-x"),
        **extra,
    )


def kinds(chip: Life, **asked: Any) -> list[str]:
    return [gap.kind for gap in chip.passport(**asked).gaps]


def test_ninety_days_without_a_word_are_a_gap() -> None:
    """Silence up to the refresh of a register is none; longer silence is, and lasts until the next event."""
    chip = Life()
    chip.add(commissioned(0), "fab")
    assert kinds(chip, day=90) == []
    assert kinds(chip, day=91) == ["silent"]
    chip.add(shipped(100), "fab")
    chip.add(received(101), "cloud-x")
    (gap,) = chip.passport(day=102).gaps
    assert (gap.kind, gap.since, gap.until) == ("silent", at(0), at(100))


def test_a_shipment_that_nobody_received_is_a_gap_and_one_received_in_time_is_none() -> None:
    """In transit and not received lasts; received within the terms' fourteen days it is no gap; later it is one."""
    chip = Life()
    chip.add(commissioned(0), "fab")
    chip.add(shipped(1), "fab")
    (gap,) = chip.passport(day=3).gaps
    assert (gap.kind, gap.since, gap.until) == ("in-transit", at(1), None)
    chip.add(received(14), "cloud-x")
    assert kinds(chip) == []
    late = Life()
    late.add(commissioned(0), "fab")
    late.add(shipped(1), "fab")
    late.add(received(16), "cloud-x")
    assert kinds(late) == ["in-transit"]


def test_a_lost_chip_is_whereabouts_unknown_until_it_is_found() -> None:
    """From the report of the loss to the finding nobody knows where it is."""
    chip = Life()
    chip.add(commissioned(0), "fab")
    chip.add(seen(2, LOST), "fab")
    assert kinds(chip) == ["whereabouts"]
    chip.add(seen(9, FOUND), "fab")
    (gap,) = chip.passport().gaps
    assert (gap.since, gap.until, gap.lines) == (at(2), at(9), (2,))


def test_an_event_that_waits_is_a_gap() -> None:
    """An early event is named, since what it rests on has not come."""
    chip = Life()
    chip.add(commissioned(0), "fab")
    chip.add(received(3), "cloud-x", outcome="waiting", effect=None)
    assert kinds(chip) == ["waiting"]


def test_a_refused_event_is_shown_and_is_no_gap() -> None:
    """What was refused stays on record with its outcome; nothing is missing for it."""
    chip = Life()
    chip.add(commissioned(0), "fab")
    chip.add(received(3), "cloud-x", outcome="refused", effect=None)
    passport = chip.passport()
    assert (passport.gaps, passport.lines[1].outcome) == ((), "refused")
    assert passport.lines[1].after is None


def test_gaps_stand_in_the_order_of_their_beginning() -> None:
    """Several gaps are listed by when they begin, each with the events it is about."""
    chip = Life()
    chip.add(commissioned(0), "fab")
    chip.add(installed(200, parent=SERVER), "fab", roles=("child",))
    chip.add(shipped(210))
    gaps = chip.passport(day=400).gaps
    assert [(gap.kind, gap.lines) for gap in gaps] == [
        ("silent", (1,)),
        ("silent", (2,)),
        ("unsigned", (3,)),
    ]


def test_a_gap_tells_how_long_it_is() -> None:
    """A gap that lasts is counted up to the instant of looking."""
    chip = Life()
    chip.add(commissioned(0), "fab")
    chip.add(shipped(1), "fab")
    (gap,) = find_gaps(chip.passport().lines, until=at(5), receipt_s=DAY)
    assert gap.seconds(at(5)) == 4 * DAY
