"""Where the register of chips lies: captured events, which are the only copy, and what follows from them, which is not.

Standings, contents, movements and holdings can be made again from the events at any time (`forget_derived`, then the
same takings saved once more).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

import msgspec

from sekisho.model.custody import Movement, Standing
from sekisho.model.instants import Instant

__all__ = [
    "AlertRow",
    "BatchRow",
    "CaptureRow",
    "Change",
    "Dimension",
    "EventFilter",
    "EventRow",
    "Holding",
    "LineRow",
    "Numbers",
    "Page",
    "RegisterStore",
    "TouchRow",
]

Dimension: TypeAlias = Literal[
    "component", "model", "state", "custodian", "holder", "owner", "site", "country"
]


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """The newest event number, effect number and batch number; 0 where there is none."""

    event: int = 0
    effect: int = 0
    batch: int = 0


class CaptureRow(msgspec.Struct, frozen=True, kw_only=True):
    """One document that was handed in: its job's id and state, who endorsed it, and what became of its events."""

    capture: str
    received: Instant
    sha256: str
    size: int
    endorsement: bytes = b""
    parties: tuple[str, ...] = ()
    powers: tuple[str, ...] = ()
    running: bool = True
    finished: Instant | None = None
    events: int = 0
    taken: int = 0
    waiting: int = 0
    refused: int = 0
    repeated: int = 0
    problems: bytes = b""
    """JSON: a list of {"path","problem"}."""


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """A captured event. `document` is the event's own JSON with its @context, `salt` (16 bytes) hides its hash id.

    `effect` numbers the events in the order in which they took effect; None for one that waits or was refused.
    `known` is the end of the recorded time of the batch in which it took effect (its own where it took none), from the
    log's marks; None while no mark follows it.
    """

    number: int
    key: bytes
    hash_id: str
    at: Instant
    type: str
    action: str
    biz_step: str
    disposition: str
    read_point: str
    biz_location: str
    capture: str
    batch: int
    place: int
    received: Instant
    parties: tuple[str, ...] = ()
    powers: tuple[str, ...] = ()
    outcome: Literal["taken", "waiting", "refused"]
    effect: int | None = None
    voided_by: int | None = None
    salt: bytes
    document: bytes
    known: Instant | None = None


class TouchRow(msgspec.Struct, frozen=True, kw_only=True):
    """That an event speaks of an EPC, in which role (registry.custody.TouchRole)."""

    number: int
    epc: str
    role: str
    at: Instant


class AlertRow(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that an event, or the passing of time, raised. `leaf` once the log holds its finding.

    `place` is its place among those stored, given by the store: what `load_alerts` goes on behind. At most one stands
    for a (number, code, EPC).
    """

    number: int
    code: str
    epc: str
    detail: str
    refused: bool
    raised: Instant
    leaf: str = ""
    place: int = 0


class LineRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a balance area's ledger: a component came in or went out at an event's time, under a change code.

    The sign follows from the code; `reverses` says that the line takes back an earlier one of the same code and time
    because event `number` voided or preceded what made it. `other` is the area at the other end, "" for none.
    `place` is its place among those stored, given by the store: what `load_lines` goes on behind.
    """

    number: int
    area: str
    code: str
    epc: str
    at: Instant
    other: str = ""
    reverses: bool = False
    place: int = 0


class BatchRow(msgspec.Struct, frozen=True, kw_only=True):
    """The events that one log entry commits to: how many, the root over their commitments, and the entry once made."""

    batch: int
    made: Instant
    events: int
    root: bytes
    entry: int | None = None
    leaf: str = ""
    known: Instant | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """All that one group of captures changes: saved at once or not at all.

    `settled` are events that waited and now took effect (number, effect) or were refused (number, None); `waits` are
    (number, EPC) pairs of events that wait, all of an event's that is named here; `voided` are (number, by) pairs.
    `documents` are, by capture, the whole bytes of those that somebody endorsed: the signature is over them.
    An EPC is in `standings` or in `gone`, not in both: what it is when the whole group is done. A batch's events are
    saved with it, and every event's capture with it or before. While a register is made again (`forget_derived`) the
    outcomes of events that stand already are told by `settled` and `waits`, `events` stays empty.
    """

    captures: Sequence[CaptureRow] = ()
    documents: Mapping[str, bytes] = {}
    events: Sequence[EventRow] = ()
    touches: Sequence[TouchRow] = ()
    standings: Mapping[str, Standing] = {}
    gone: Sequence[str] = ()
    contained: Mapping[str, str] = {}
    movements: Mapping[str, Movement] = {}
    settled: Sequence[tuple[int, int | None]] = ()
    waits: Sequence[tuple[int, str]] = ()
    voided: Sequence[tuple[int, int]] = ()
    alerts: Sequence[AlertRow] = ()
    lines: Sequence[LineRow] = ()
    batch: BatchRow | None = None


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What a query asks of events; empty fields ask nothing. Words as in EventRow, EPCs matched exactly.

    `match_epcs` are EPCs one of which the event must touch in one of `roles` (empty: any); times are half-open.
    """

    match_epcs: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    biz_steps: tuple[str, ...] = ()
    dispositions: tuple[str, ...] = ()
    read_points: tuple[str, ...] = ()
    biz_locations: tuple[str, ...] = ()
    since: Instant | None = None
    before: Instant | None = None
    received_since: Instant | None = None
    received_before: Instant | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Events in the order of their numbers; `following` is the number to go on behind, None at the end."""

    events: tuple[EventRow, ...]
    following: int | None = None


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """How many components share these values of the dimensions that were asked for, in that order."""

    values: tuple[str, ...]
    count: int


class RegisterStore(Protocol):
    """Safe for many threads that read; one at a time writes.

    Raises Unavailable where the database refuses for the moment, Corrupt where it cannot be read.
    """

    def load_numbers(self) -> Numbers: ...

    def save(self, change: Change) -> None:
        """Store all of it durably in one transaction. Raises StateConflict where an event's key stands already."""
        ...

    def find_keys(self, keys: Sequence[tuple[bytes, str]]) -> dict[bytes, int]:
        """The numbers of the events that bear these idempotency keys, each given with its hash id."""
        ...

    def load_standings(self, epcs: Sequence[str]) -> dict[str, Standing]: ...

    def load_inside(self, epcs: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """What lies directly in these containers."""
        ...

    def load_containers(self, epcs: Sequence[str]) -> dict[str, str]:
        """What these lie directly in."""
        ...

    def load_history(self, epcs: Sequence[str]) -> dict[str, tuple[EventRow, ...]]:
        """Events in effect and not voided that touch these EPCs and that somebody endorsed, by effect number."""
        ...

    def load_timeline(self, epc: str) -> tuple[tuple[EventRow, str], ...]:
        """Every event that touches an EPC with its role, taken, waiting, refused or voided, by event time."""
        ...

    def load_waiting(self, epcs: Sequence[str]) -> dict[str, tuple[EventRow, ...]]: ...

    def load_movements(self, references: Sequence[str]) -> dict[str, Movement]: ...

    def load_open_movements(self, due_before: Instant) -> tuple[Movement, ...]:
        """Movements under way that were to be received before an instant."""
        ...

    def find_hashes(self, hash_ids: Sequence[str]) -> dict[str, tuple[EventRow, ...]]:
        """The events, declarations included, that bear these hash ids."""
        ...

    def find_identities(self, serials: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """EPCs by (maker, serial)."""
        ...

    def find_serial(self, serial: str) -> tuple[str, ...]:
        """EPCs that any maker registered with this serial."""
        ...

    def find_device_keys(self, device_keys: Sequence[str]) -> dict[str, str]: ...

    def find_events(self, wanted: EventFilter, *, after: int, limit: int) -> Page: ...

    def load_events(self, *, after: int, limit: int) -> tuple[EventRow, ...]:
        """Events by number, for rebuilding and exporting."""
        ...

    def load_batch_events(self, batch: int) -> tuple[EventRow, ...]:
        """The events of one batch, by place."""
        ...

    def load_batch_salts(self, batch: int) -> tuple[tuple[bytes, str, str], ...]:
        """Salt, hash id and capture of each event of one batch, by place: all that its commitments are made of."""
        ...

    def count_holdings(
        self, by: Sequence[Dimension], where: Mapping[Dimension, Sequence[str]] | None = None
    ) -> tuple[Holding, ...]:
        """Counts of registered components, destroyed ones included unless `where` leaves them out."""
        ...

    def iterate_standings(
        self, where: Mapping[Dimension, Sequence[str]] | None = None, *, after: str = ""
    ) -> Iterator[Standing]:
        """Standings in the order of their EPCs, a few at a time, from behind an EPC on."""
        ...

    def sum_lines(
        self, area: str, *, since: Instant | None, before: Instant, as_of: Instant | None = None
    ) -> dict[tuple[str, bool], int]:
        """How many lines an area has by (code, reverses) in a half-open period; with `as_of` those known by then."""
        ...

    def load_lines(
        self, area: str, *, since: Instant | None, before: Instant, after: int, limit: int
    ) -> tuple[LineRow, ...]:
        """The lines themselves, in the order in which they were stored, behind the one whose `place` is `after`."""
        ...

    def load_alerts(
        self, *, after: int, limit: int, epc: str | None = None, newest: bool = False
    ) -> tuple[AlertRow, ...]:
        """Alerts in the order in which they were stored, behind the one whose `place` is `after`.

        With `newest` the other way round: those stored before that one, or with 0 from the end, the newest first.
        """
        ...

    def save_alerts(self, alerts: Sequence[AlertRow]) -> None:
        """Keep alerts that no event raised; the same (number, code, EPC) again changes its leaf only."""
        ...

    def find_capture(self, capture: str) -> CaptureRow | None: ...

    def find_captures(self, captures: Sequence[str]) -> dict[str, CaptureRow]:
        """Those of these captures that are there."""
        ...

    def load_document(self, capture: str) -> bytes:
        """The whole document of an endorsed capture; empty where none is kept."""
        ...

    def load_captures(self, *, after: str, limit: int) -> tuple[CaptureRow, ...]:
        """Captures, newest first, behind the one with this id; from the newest on where `after` is empty."""
        ...

    def load_batches(
        self, *, unlogged: bool = False, after: int = 0, limit: int = 1000
    ) -> tuple[BatchRow, ...]: ...

    def find_batch(self, batch: int) -> BatchRow | None: ...

    def settle_batch(self, batch: int, entry: int, leaf: str) -> None:
        """The log holds the batch's entry; asked again, nothing changes."""
        ...

    def mark_known(self, up_to_entry: int, known: Instant) -> None:
        """Batches whose entries are below `up_to_entry` and that no mark followed yet are known from this instant."""
        ...

    def forget_derived(self) -> None:
        """Drop all that follows from the events and unset their outcomes, before it is made again.

        Until it is, an event shows as waiting, for nobody. Alerts that time raised stay, and the leaf of one that an
        event raises again.
        """
        ...

    def load_derived(self) -> Iterable[tuple[str, bytes]]:
        """Everything derived as (place, canonical bytes) in order: for comparing a rebuilt register with a live one."""
        ...

    def close(self) -> None: ...
