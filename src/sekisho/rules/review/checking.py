"""All checks on a pack, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sekisho.model.instants import Instant
from sekisho.rules.pack import Pack
from sekisho.rules.review.acting import check_acting
from sekisho.rules.review.bounds import check_bounds
from sekisho.rules.review.histories import check_histories, turning_points
from sekisho.rules.review.names import check_names
from sekisho.rules.review.problem import PackProblem, warning
from sekisho.rules.review.rows import check_rows

__all__ = ["check_pack"]

MOST_DAYS: Final = 500


def check_pack(pack: Pack, now: Instant) -> tuple[PackProblem, ...]:
    """What is wrong with a pack, errors first; `now` is the day for what may be stale.

    A pack that was read is well formed already; these are the faults that only its meaning shows. What they cannot
    prove within bounded work they do not report, so none of them is a false alarm for want of time.
    """
    found = tuple(dict.fromkeys(_all(pack, now)))
    return tuple(sorted(found, key=lambda problem: problem.severity != "error"))


def _all(pack: Pack, now: Instant) -> Iterator[PackProblem]:
    yield from check_histories(pack, now)
    yield from check_names(pack)
    if len(turning_points(pack)) > MOST_DAYS:
        what = f"changes on more than {MOST_DAYS} days: its rules were not compared"
        yield warning("pack", what, "split it, and check the parts")
        return
    yield from check_acting(pack)
    yield from check_rows(pack)
    yield from check_bounds(pack)
