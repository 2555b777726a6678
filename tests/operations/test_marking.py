"""The log's own clock, and what a machine's clock that jumps does to it."""

from __future__ import annotations

import pytest

from sekisho.model.instants import Instant
from sekisho.model.statements import TimeMarked, parse_payload
from sekisho.operations.marking import MarkMaker
from sekisho.signing import Recorded, parse_envelope
from sekisho.signing.recorded import Verified
from tests import factory as f
from tests.desks import MovingClock
from tests.ledger.logs import MemoryLog, submission

DAY_S = 86_400


def mark_of(raw: bytes) -> TimeMarked:
    """What a mark's envelope says."""
    fact = parse_payload(parse_envelope(raw).payload).predicate
    assert isinstance(fact, TimeMarked)
    return fact


def recorded(raw: bytes) -> Recorded:
    """A mark as the desk tells of it when it folds the log."""
    envelope = parse_envelope(raw)
    verified = Verified(
        kind="time-marked",
        predicate=mark_of(raw),
        digest=envelope.digest,
        signers=frozenset({f.LOG.public.key_id}),
        envelope=envelope.at_rest(),
    )
    return Recorded(index=0, leaf="0" * 64, verified=verified)


@pytest.fixture
def clock() -> MovingClock:
    """A clock moved by hand."""
    return MovingClock()


@pytest.fixture
def maker(clock: MovingClock) -> MarkMaker:
    """A mark maker that made no mark yet."""
    return MarkMaker(clock, f.LOG)


def dates(log: MemoryLog) -> list[Instant]:
    """The dates of the log's marks, in log order."""
    entries = [entry for entry in log.entries() if not entry.startswith(b"envelope of ")]
    return [mark_of(entry).effective for entry in entries]


def test_a_clock_that_jumps_back_a_day_does_not_turn_the_marks_back(
    clock: MovingClock, maker: MarkMaker
) -> None:
    """Entries are taken in under a wrong clock, and no mark is dated before the one in front of it."""
    log = MemoryLog(mark=maker.make)
    log.sequencer.recover()
    publisher = log.publisher(log.witnesses())
    for step_s in (0, 60, -DAY_S, 60, DAY_S):
        clock.move(step_s)
        log.sequencer.append_one(submission(str(clock.now())))
        publisher.publish()
    start = f.NOW
    assert dates(log) == [start, *[start.plus(60)] * 3, start.plus(120)]


def test_a_clock_that_jumped_back_is_told_until_it_is_mended(
    clock: MovingClock, maker: MarkMaker
) -> None:
    """A person learns that the clock is wrong; a second or two behind is nobody's matter."""
    assert maker.problem == ""
    maker.make(None)
    clock.move(-4)
    assert maker.problem == ""
    clock.move(-DAY_S)
    assert "set the clock" in maker.problem
    clock.move(DAY_S + 4)
    assert maker.problem == ""


def test_a_restart_under_a_clock_a_day_behind_goes_on_from_the_newest_mark(
    clock: MovingClock, maker: MarkMaker
) -> None:
    """What the log holds is known before the first mark of a new process."""
    newest = maker.make(None)
    clock.move(-DAY_S)
    again = MarkMaker(clock, f.LOG)
    again.take_recorded(recorded(newest))
    assert mark_of(again.make(None)).effective == f.NOW
    assert "set the clock" in again.problem


def test_a_mark_quotes_the_checkpoint_that_it_is_given(maker: MarkMaker) -> None:
    """Signed by the log's key, with the note as it came or none."""
    assert mark_of(maker.make(None)).checkpoint is None
    assert mark_of(maker.make(b"a signed note\n")).checkpoint == "a signed note\n"
