"""What compaction has before it: segments that wait, and since when."""

from __future__ import annotations

from pathlib import Path

from sekisho.adapters.telemetry.store.backlog import look_at_backlog
from tests.adapters.telemetry.store.keeping import NOON, US, incoming, local_store


def test_segments_wait_until_every_day_of_theirs_is_settled(tmp_path: Path) -> None:
    """The oldest that waits is told; a segment of two days waits until both have its rows."""
    store = local_store(tmp_path / "telemetry")
    assert look_at_backlog(store.files, store.sites()).oldest is None
    early, late = NOON.us, NOON.us + 86_400 * US
    store.append("osaka", incoming([("GPU-1", early, 1), ("GPU-1", late, 2)]), received_us=early)
    store.append("tokyo", incoming([("GPU-2", late, 3)]), received_us=late)
    found = look_at_backlog(store.files, store.sites())
    assert (found.segments, found.oldest) == (2, NOON)
    first = str(NOON)[:10]
    store.compact("osaka", [first], now=NOON.plus(2 * 86_400))
    assert look_at_backlog(store.files, store.sites()).oldest == NOON
    store.compact("osaka", now=NOON.plus(2 * 86_400))
    found = look_at_backlog(store.files, store.sites())
    assert (found.segments, found.oldest) == (1, NOON.plus(86_400))
    store.compact("tokyo", now=NOON.plus(2 * 86_400))
    assert look_at_backlog(store.files, store.sites()).segments == 0
