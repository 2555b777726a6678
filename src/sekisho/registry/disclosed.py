"""What a register discloses of itself to an auditor, and deposits with the charter's holders: the wire forms.

Lines of canonical JSON. Events as they were captured, each with the salt of its commitment and the digest of the
document that it came in; captures with their endorsements; batches as the log has them; standings as the register
claims them. A reader derives everything but salts, documents and endorsements again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from sekisho.model.custody import Standing
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import Digest
from sekisho.model.wire import canonical, decode_base64, encode_base64, from_json, parse_canonical
from sekisho.ports.register_store import BatchRow, CaptureRow, EventRow
from sekisho.registry.commitments import SALT_SIZE

__all__ = [
    "BATCHES",
    "CAPTURES",
    "DOCUMENTS",
    "EVENTS",
    "MAX_LINE",
    "STANDINGS",
    "TERMS",
    "DisclosedBatch",
    "DisclosedCapture",
    "DisclosedEvent",
    "event_lines",
    "parse_lines",
    "to_lines",
]

TERMS: Final = "custody/terms.json"
BATCHES: Final = "custody/batches.jsonl"
CAPTURES: Final = "custody/captures.jsonl"
EVENTS: Final = "custody/events.jsonl"
STANDINGS: Final = "custody/standings.jsonl"
DOCUMENTS: Final = "custody/documents/"
"""The folder of whole documents, each named by its SHA-256."""

MAX_LINE: Final = 64 * 1024 * 1024
_Salt = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}(?!\n)$")]
_Positive = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
T = TypeVar("T", bound=msgspec.Struct)


class _Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class DisclosedEvent(_Line, frozen=True, kw_only=True):
    """One captured event. `document` is its own JSON; `effect` and `outcome` are the register's claim."""

    number: _Positive
    batch: _Positive
    place: _Count
    received: Instant
    capture: str
    salt: _Salt
    document: str
    outcome: Literal["taken", "waiting", "refused"]
    effect: _Positive | None = None
    voided_by: _Positive | None = None

    @classmethod
    def of(cls, row: EventRow) -> DisclosedEvent:
        return cls(
            number=row.number,
            batch=row.batch,
            place=row.place,
            received=row.received,
            capture=row.capture,
            salt=row.salt.hex(),
            document=row.document.decode(),
            outcome=row.outcome,
            effect=row.effect,
            voided_by=row.voided_by,
        )

    @property
    def salt_bytes(self) -> bytes:
        return bytes.fromhex(self.salt)


class DisclosedCapture(_Line, frozen=True, kw_only=True):
    """One document that was handed in, with its endorsement (base64, "" for none) and who it is said to be by."""

    capture: str
    received: Instant
    sha256: Digest
    size: _Count
    endorsement: str = ""
    parties: tuple[str, ...] = ()
    powers: tuple[str, ...] = ()

    @classmethod
    def of(cls, row: CaptureRow) -> DisclosedCapture:
        return cls(
            capture=row.capture,
            received=row.received,
            sha256=row.sha256,
            size=row.size,
            endorsement=encode_base64(row.endorsement) if row.endorsement else "",
            parties=row.parties,
            powers=row.powers,
        )

    @property
    def envelope(self) -> bytes:
        return decode_base64(self.endorsement, path="endorsement") if self.endorsement else b""


class DisclosedBatch(_Line, frozen=True, kw_only=True):
    """One batch as the register keeps it; `leaf` is its log entry's."""

    batch: _Positive
    made: Instant
    events: _Positive
    root: Digest
    leaf: str = ""

    @classmethod
    def of(cls, row: BatchRow) -> DisclosedBatch:
        return cls(
            batch=row.batch, made=row.made, events=row.events, root=row.root.hex(), leaf=row.leaf
        )


def to_lines(
    rows: Iterable[DisclosedEvent | DisclosedCapture | DisclosedBatch | Standing],
) -> bytes:
    """Each as one line of canonical JSON, ended by a newline."""
    return b"".join(canonical(row) + b"\n" for row in rows)


def event_lines(rows: Iterable[EventRow]) -> bytes:
    """A batch's content as it is deposited: its events with their salts."""
    for row in rows:
        if len(row.salt) != SALT_SIZE:
            raise InvalidInput(f"event {row.number} has a salt of {len(row.salt)} bytes")
    return to_lines(DisclosedEvent.of(row) for row in rows)


def parse_lines(kind: type[T], data: bytes, path: str) -> tuple[T, ...]:
    """Read such lines strictly. Raises InvalidInput with file and line."""
    if data and not data.endswith(b"\n"):
        raise InvalidInput("does not end with a newline: it is cut off", path=path)
    return tuple(
        from_json(
            kind,
            parse_canonical(line, path=f"{path}:{number}", limit=MAX_LINE),
            path=f"{path}:{number}",
        )
        for number, line in enumerate(data.split(b"\n")[:-1], 1)
    )
