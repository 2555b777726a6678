"""Chips that enter the register, in the log: an HMAC tag each, which the log keeps unique.

The register refuses a serial that it knows already. What it cannot see is a serial that differs to the byte and is the
same to a reader, or one that an earlier register of the same log took: those the log refuses, and that is a finding,
never a batch that does not get on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from sekisho.ledger.sequencer import UniquenessConflict
from sekisho.model.custody import Identity
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.model.statements import ChipRegistered, ChipTags
from sekisho.operations.desk import Desk
from sekisho.operations.register.irregularities import Irregularities
from sekisho.operations.register.rebuilding import is_unfinished
from sekisho.ports.register_store import BatchRow, Change, EventRow, RegisterStore
from sekisho.registry.epcis import event_of
from sekisho.signing.tag import TagKey

__all__ = ["CHUNK", "Tagging"]

CHUNK: Final = 200
MOST_NOTED: Final = 50_000
"""Chips of batches that wait, some 300 bytes each; what is beyond is read from the store."""
Registered: TypeAlias = tuple[str, int, Identity]
"""EPC, the number of the event that registered it, who it is."""
_SERIAL: Final = "chip-serial"
_DEVICE_KEY: Final = "device-key"
_COMMISSIONING: Final = "commissioning"
_TRANSFORMATION: Final = "TransformationEvent"


class Tagging:
    """States `chip-registered` for one register's batches, each batch behind its custody-moved."""

    def __init__(
        self, desk: Desk, store: RegisterStore, tag_key: TagKey, irregularities: Irregularities
    ) -> None:
        self._desk = desk
        self._store = store
        self._tag_key = tag_key
        self._irregularities = irregularities
        # Of the newest batch in the log: its root, and the tags that were stated for it.
        self._root = ""
        self._stated: set[str] = set()
        # What batches that wait registered, as far as there is room: spares reading it from the store again.
        self._noted: dict[int, list[Registered]] = {}
        self._room = MOST_NOTED
        self._lock = threading.Lock()

    def note(self, change: Change) -> None:
        """Look at a group while it is at hand."""
        if change.batch is None:
            return
        found = _registered_by(change)
        with self._lock:
            if len(found) <= self._room:
                self._room -= len(found)
                self._noted[change.batch.batch] = found

    def begin(self, root: str) -> None:
        """A batch's custody-moved is in the log."""
        self._root, self._stated = root, set()

    def take(self, fact: ChipRegistered) -> None:
        """A chip-registered is in the log."""
        if fact.batch == self._root:
            self._stated.update(chip.serial for chip in fact.chips)

    def register(self, row: BatchRow) -> None:
        """State what a batch registered and is not stated yet. Raises what the desk raises."""
        with self._lock:
            noted = self._noted.get(row.batch)
        tagged = [
            (epc, number, tags)
            for epc, number, identity in (self._read(row) if noted is None else noted)
            if (tags := self._tags_of(epc, identity)) is not None
            and tags.serial not in self._stated
        ]
        for start in range(0, len(tagged), CHUNK):
            self._state(row, tagged[start : start + CHUNK])
        # Only now: a try that the log refused needs it again.
        with self._lock:
            self._room += len(self._noted.pop(row.batch, ()))

    def _read(self, row: BatchRow) -> Iterator[Registered]:
        """What the batch's events registered and still stands: EPC, event number, identity."""
        if is_unfinished(self._store):
            raise _made_again()
        events = [event for event in self._store.load_batch_events(row.batch) if _registers(event)]
        named: dict[str, int] = {}
        for event in events:
            read = event_of(event.document)
            for epc in (*read.epcs, *read.outputs):
                named.setdefault(epc, event.number)
        standings = self._store.load_standings(tuple(named))
        if is_unfinished(self._store):
            raise _made_again()
        for epc, number in named.items():
            standing = standings.get(epc)
            if standing is not None:
                yield epc, number, standing.identity

    def _tags_of(self, epc: str, identity: Identity) -> ChipTags | None:
        key = identity.device_key
        try:
            return ChipTags(
                serial=self._tag_key.tag(_SERIAL, f"{identity.maker}/{identity.serial}"),
                device_key=self._tag_key.tag(_DEVICE_KEY, key) if key else None,
            )
        except InvalidInput as error:
            self._irregularities.raise_irregularity(
                "custody", "serial-not-taggable", epc, f"{epc}: {error}"
            )
            return None

    def _state(self, row: BatchRow, tagged: Sequence[tuple[str, int, ChipTags]]) -> None:
        """One statement; where the log refuses one of its tags, the halves by themselves."""
        fact = ChipRegistered(
            effective=row.made, batch=row.root.hex(), chips=tuple(tags for _, _, tags in tagged)
        )
        try:
            self._desk.state_fact(fact)
        except StateConflict as error:
            if len(tagged) == 1 and not isinstance(error, UniquenessConflict):
                raise
            if len(tagged) == 1:
                self._judge(tagged[0], str(error))
                return
            middle = len(tagged) // 2
            self._state(row, tagged[:middle])
            self._state(row, tagged[middle:])

    def _judge(self, refused: tuple[str, int, ChipTags], why: str) -> None:
        """A tag that the log holds: fine where the same EPC was registered before and that was undone."""
        epc, number, _ = refused
        timeline = self._store.load_timeline(epc)
        if any(event.number < number and _registers(event) for event, _ in timeline):
            return
        self._irregularities.raise_irregularity("custody", "duplicate-serial", epc, f"{epc}: {why}")


def _made_again() -> Unavailable:
    """While outcomes are made again, nothing can be said of what was registered."""
    return Unavailable("the register is being made again", remedy="wait until it is done")


def _registered_by(change: Change) -> list[Registered]:
    """What a group registered and left standing: EPC, event number, identity."""
    numbers = {row.number for row in change.events if _registers(row)}
    if not numbers:
        return []
    named: dict[str, int] = {}
    for touch in change.touches:
        if touch.number in numbers and touch.role in ("epc", "output"):
            named.setdefault(touch.epc, touch.number)
    return [
        (epc, number, change.standings[epc].identity)
        for epc, number in named.items()
        if epc in change.standings
    ]


def _registers(row: EventRow) -> bool:
    return row.outcome == "taken" and (
        row.biz_step == _COMMISSIONING or row.type == _TRANSFORMATION
    )
