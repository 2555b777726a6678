"""How far a log was exported: one small file, replaced whole after each batch was sent."""

from __future__ import annotations

from pathlib import Path

import msgspec

from sekisho.adapters.durable_files import replace_file
from sekisho.model.errors import InvalidInput
from sekisho.model.statements.shapes import Count
from sekisho.model.wire import canonical, from_json, parse_json

__all__ = ["EventCursor", "load_event_cursor", "save_event_cursor"]

_MOST = 4_096


class EventCursor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The next entry to send, and the witnessed tree (size, root in hex) that it was read under."""

    origin: str
    next: Count
    size: Count
    root: str


def load_event_cursor(path: Path, origin: str) -> EventCursor | None:
    """None where there is none yet. Raises InvalidInput where it is another log's, or no cursor."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", path=str(path)) from None
    cursor = from_json(EventCursor, parse_json(raw, path=str(path), limit=_MOST), path=str(path))
    if cursor.origin != origin:
        raise InvalidInput(
            f"is of the log {cursor.origin!r}", path=str(path), remedy="one cursor for each log"
        )
    return cursor


def save_event_cursor(path: Path, cursor: EventCursor) -> None:
    """Crash before: the last batch is sent once more, its events under the same ids."""
    replace_file(path, canonical(cursor) + b"\n")
