"""When readings show a device: between its gaps, from single readings and from minutes alike."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sekisho.adapters.telemetry.parquet_telemetry import ParquetTelemetry
from sekisho.model.instants import Instant

EVE = Instant.parse("2026-03-14T23:50:00Z")
DAWN = EVE.plus(1200)


def stored(folder: Path, seconds: list[int]) -> ParquetTelemetry:
    """A store with readings of one device so many seconds after ten to midnight."""
    telemetry = ParquetTelemetry(str(folder))
    rows = ["timestamp,device,power_w", *(f"{EVE.plus(s)},GPU-0,400" for s in seconds)]
    body = "\n".join(rows).encode()
    telemetry.take("csv", body, site="osaka", received=EVE.plus(90_000))
    return telemetry


def spans(
    telemetry: ParquetTelemetry, start: Instant = EVE, end: Instant = DAWN
) -> list[tuple[int, int]]:
    """What was seen, in milliseconds after ten to midnight."""
    found = telemetry.find_seen(start, end)
    return [((s.start.us - EVE.us) // 1000, (s.end.us - EVE.us) // 1000) for s in found]


def test_device_is_seen_between_its_gaps(tmp_path: Path) -> None:
    """Midnight is no gap; four minutes of silence are; the last reading stands for one period."""
    there = [*range(0, 300, 10), *range(540, 900, 10)]
    assert spans(stored(tmp_path, there)) == [(0, 300_000), (540_000, 900_000)]


def test_stretch_is_cut_to_the_time_asked_for(tmp_path: Path) -> None:
    """A stretch that begins before and ends behind it fills all of it."""
    telemetry = stored(tmp_path, list(range(0, 1200, 10)))
    assert spans(telemetry, EVE.plus(100.5), EVE.plus(700.25)) == [(100_500, 700_250)]
    assert spans(telemetry, DAWN, EVE) == []


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(there=st.sets(st.integers(0, 119), min_size=4))
def test_what_is_seen_and_the_gaps_make_all_time(
    tmp_path_factory: pytest.TempPathFactory, there: set[int]
) -> None:
    """From the first reading to the end, without a hole and without an overlap."""
    seconds = sorted(10 * number for number in there)
    telemetry = stored(tmp_path_factory.mktemp("law"), seconds)
    gaps = [
        ((g.start.us - EVE.us) // 1000, (g.end.us - EVE.us) // 1000)
        for g in telemetry.find_gaps(EVE, DAWN)
    ]
    both = sorted([*spans(telemetry), *gaps])
    assert both[0][0] == seconds[0] * 1000
    assert both[-1][1] == 1_200_000
    assert all(one[1] == other[0] for one, other in pairwise(both))


@pytest.mark.parametrize("period", [10, 7, 25])
def test_minutes_tell_the_same_where_readings_were_dropped(tmp_path: Path, period: int) -> None:
    """As long as before, to a minute for each stretch; a silence that was there is still there."""
    there = [s for s in range(5, 600, period) if not 200 <= s < 440]
    telemetry = stored(tmp_path, there)
    telemetry.compact(only_due=False)
    before = spans(telemetry)
    planned = telemetry.store.plan_drops("2026-03-15", "")
    telemetry.store.drop(planned, now=EVE.plus(90_000))
    after = spans(telemetry)
    assert after != before
    assert sum(b - a for a, b in after) == pytest.approx(sum(b - a for a, b in before), abs=1)
    assert not any(a < 420_000 and b > 260_000 for a, b in after)  # 200 to 440, to the minute
