"""Holds beyond their limits in a log that is consistent in itself: the auditor finds what the desk let in."""

from __future__ import annotations

import pytest

from sekisho.model.statements import OrderIssued, Scope
from sekisho.signing import Envelope
from tests import factory
from tests.factory_bundle import (
    QUORUM,
    T0,
    Item,
    LogSoFar,
    audit,
    check_of,
    honest_story,
    seal,
)

LOW = ("authority-1", "authority-2")


def held(number: int, at: float, *signers: str, **changes: object) -> Item:
    """Hold `number` of the story, for a minute."""

    def make(log: LogSoFar) -> Envelope:
        start = T0.plus(at)
        order: OrderIssued = factory.order_issued(
            kind="hold",
            number=number,
            previous=log.digest(f"hold-{number - 1}")
            if number > 1
            else factory.order_issued().previous,
            charter_digest=log.digest("charter"),
            now=start,
            **{"expires": start.plus(60), **changes},  # type: ignore[arg-type]  # a test's own fields
        )
        return factory.signed(order, *log.cast.signers(*(signers or LOW)))

    return make


def verdict(*items: tuple[str, Item]) -> tuple[str, str]:
    """What the check of holds says of the honest story with these entries behind its first pause."""
    story, after = honest_story(), "pause-1"
    for name, make in items:
        story.insert_after(after, name, make)
        after = name
    found = check_of(audit(seal(story)), "holds")
    return found.verdict, found.detail


def test_one_hold_within_its_limits_holds() -> None:
    """The honest story with a hold in it."""
    assert verdict(("hold-1", held(1, 20))) == ("holds", "1 holds within their limits")


def test_a_stacked_hold_in_the_log_fails() -> None:
    """Two holds of one site within a minute, by the same constituency."""
    told, detail = verdict(("hold-1", held(1, 20)), ("hold-2", held(2, 20)))
    assert told == "fails"
    assert "authority held overlapping scope by hold/JP 1" in detail


@pytest.mark.parametrize(
    "scope", [Scope(hosts=("host-1",)), Scope(sites=("site-1",), runs=("run-1",))], ids=str
)
def test_a_stacked_hold_under_another_wording_fails(scope: Scope) -> None:
    """The hosts that were covered when it was issued decide."""
    told, _ = verdict(("hold-1", held(1, 20)), ("hold-2", held(2, 20, scope=scope)))
    assert told == "fails"


def test_a_second_hold_that_the_pause_quorum_signed_holds() -> None:
    """It is as good as a pause."""
    told, _ = verdict(("hold-1", held(1, 20)), ("hold-2", held(2, 20, *QUORUM)))
    assert told == "holds"


def test_a_second_hold_of_another_site_holds() -> None:
    """No host in common, and words that prove it."""
    elsewhere = Scope(sites=("site-9",))
    told, _ = verdict(("hold-1", held(1, 20)), ("hold-2", held(2, 20, scope=elsewhere)))
    assert told == "holds"
