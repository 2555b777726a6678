"""Real jobs of a cluster: every sliding-window crossing found, exact, against an oracle that shares no code.

Philly trace (Jeon et al., USENIX ATC 2019), GPU-seconds as work, 12 virtual clusters, thresholds of 30 to 100 % of
each one's sliding 14-day peak. The oracle lays the GPUs in use on an axis of whole seconds and adds them up; between
two seconds the sum is a straight line, so an instant follows by one division.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from sekisho.metering.accounts.work_line import Passing, Stretch, WorkLine

pytestmark = pytest.mark.testdata

WINDOW_S = 14 * 86_400
US = 1_000_000
Jobs = list[tuple[int, int, int]]  # start and end in seconds, GPUs


def jobs_of(folder: Path) -> dict[str, Jobs]:
    found: defaultdict[str, Jobs] = defaultdict(list)
    with (folder / "philly" / "jobs_2017_09_10.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            moment = datetime.fromisoformat(row["submitted_time"]).replace(tzinfo=UTC)
            start = round(moment.timestamp())
            found[row["vc"]].append((start, start + int(row["attempt_seconds"]), int(row["gpus"])))
    return found


class Oracle:
    """GPU-seconds in the 14 days before each whole second."""

    def __init__(self, jobs: Jobs) -> None:
        self.first = min(start for start, _, _ in jobs) - 1
        length = max(end for _, end, _ in jobs) - self.first + WINDOW_S + 2
        change: npt.NDArray[np.int64] = np.zeros(length, dtype=np.int64)
        for start, end, gpus in jobs:
            change[start - self.first] += gpus
            change[end - self.first] -= gpus
        done = np.concatenate(([0], np.cumsum(np.cumsum(change))))[:-1]
        before = np.concatenate((np.zeros(WINDOW_S, dtype=np.int64), done[:-WINDOW_S]))
        self.done = done
        self.held: npt.NDArray[np.int64] = done - before

    def passings(self, threshold: int) -> list[Passing]:
        above = self.held >= threshold
        found = []
        for i in map(int, np.flatnonzero(above[1:] != above[:-1])):
            here, after = int(self.held[i]), int(self.held[i + 1])
            at = (self.first + i) * US
            if after > here:
                at += -((here - threshold) * US // (after - here))
            else:
                at += (here - threshold) * US // (here - after) + 1
            found.append(Passing(threshold, "up" if after > here else "down", at))
        return found

    def calendar_peak(self) -> int:
        """The most in any 14 days counted from the epoch."""
        begins = range(self.first // WINDOW_S * WINDOW_S, self.first + len(self.done), WINDOW_S)
        ends = [
            min(max(b - self.first, 0), len(self.done) - 1)
            for b in (*begins, begins[-1] + WINDOW_S)
        ]
        return int(np.max(np.diff(self.done[ends])))


def test_every_sliding_crossing_is_found_and_exact(public_records: Path) -> None:
    """852 pairs of cluster and threshold, each crossing up and down to the microsecond."""
    pairs = missed = crossings = 0
    for jobs in jobs_of(public_records).values():
        oracle = Oracle(jobs)
        line = WorkLine(
            Stretch(start * US, end * US, gpus * (end - start) * US, (end - start) * US)
            for start, end, gpus in jobs
            if end > start
        )
        peak = int(oracle.held.max())
        levels = [-(-peak * percent // 100) for percent in range(30, 101)]
        found = line.find_passings([level * US for level in levels], WINDOW_S * US)
        by_level: defaultdict[int, list[Passing]] = defaultdict(list)
        for passing in found:
            by_level[passing.threshold // US].append(passing)
        for level in levels:
            expected = [p._replace(threshold=level * US) for p in oracle.passings(level)]
            assert by_level[level] == expected
            crossings += len(expected)
        pairs += len(levels)
        missed += sum(level > oracle.calendar_peak() for level in levels)
    assert (pairs, missed) == (852, 104)  # 12.2 % cross in no calendar window of 14 days
    assert crossings > 2 * pairs
