"""What of a register goes into an evidence bundle, so that an outsider can take every event anew.

It discloses everything: who holds which chip where. So it is made only where asked for, and only up to a bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sekisho.model.errors import StateConflict
from sekisho.model.wire import canonical
from sekisho.ports.register_store import BatchRow, CaptureRow, EventRow, RegisterStore
from sekisho.registry.disclosed import (
    BATCHES,
    CAPTURES,
    DOCUMENTS,
    EVENTS,
    STANDINGS,
    TERMS,
    DisclosedBatch,
    DisclosedCapture,
    DisclosedEvent,
    to_lines,
)
from sekisho.registry.terms import RegisterTerms

__all__ = ["MOST_EVENTS", "collect_register"]

MOST_EVENTS: Final = 200_000
MOST_DOCUMENTS: Final = 50_000
PAGE: Final = 1_000


def collect_register(
    store: RegisterStore, terms: RegisterTerms, *, size: int, most_events: int = MOST_EVENTS
) -> dict[str, bytes]:
    """The files of `custody/` by path: what the batches below entry `size` of the log commit to.

    Standings are given where every event of the register is among them, since they are those of the newest. Nothing is
    returned of an empty register. Raises StateConflict for more events or signed documents than a bundle takes.
    """
    batches = list(_batches(store, size))
    events = [row for batch in batches for row in store.load_batch_events(batch.batch)]
    if not events:
        return {}
    if len(events) > most_events:
        raise StateConflict(
            f"the register has {len(events)} events, a bundle takes {most_events}",
            remedy="leave the register out, and hand its database to the auditor",
        )
    captures = list(_captures(store, events))
    files = {
        TERMS: canonical(terms),
        BATCHES: to_lines(DisclosedBatch.of(row) for row in batches),
        CAPTURES: to_lines(DisclosedCapture.of(row) for row in captures),
        EVENTS: to_lines(DisclosedEvent.of(row) for row in events),
        **_documents(store, captures),
    }
    if events[-1].number == store.load_numbers().event:
        files[STANDINGS] = to_lines(store.iterate_standings())
    return files


def _batches(store: RegisterStore, size: int) -> Iterator[BatchRow]:
    after = 0
    while rows := store.load_batches(after=after, limit=PAGE):
        for row in rows:
            if row.entry is None or row.entry >= size:
                return
            yield row
        after = rows[-1].batch


def _captures(store: RegisterStore, events: list[EventRow]) -> Iterator[CaptureRow]:
    for capture in dict.fromkeys(row.capture for row in events):
        row = store.find_capture(capture)
        if row is not None:
            yield row


def _documents(store: RegisterStore, captures: list[CaptureRow]) -> dict[str, bytes]:
    signed = [row for row in captures if row.endorsement]
    if len(signed) > MOST_DOCUMENTS:
        raise StateConflict(
            f"the register has {len(signed)} signed documents, a bundle takes {MOST_DOCUMENTS}",
            remedy="leave the register out, and hand its database to the auditor",
        )
    found = {f"{DOCUMENTS}{row.sha256}": store.load_document(row.capture) for row in signed}
    return {path: data for path, data in found.items() if data}
