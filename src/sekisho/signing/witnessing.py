"""When something was seen: checkpoints that the charter's witnesses cosigned, as the log's own marks quote them.

Pure. A mark's time is the lower median of the cosignature times that count; who keeps the log can quote late, or not
at all, but cannot choose it. A cosignature counts where its key is a witness of the charter and its algorithm has
not ended when it was made. That the tree is this log's own is for readers who have all leaves. Source: protocol
sections 2 and 3; C2SP tlog-checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import CharterLog
from sekisho.model.wire import decode_base64
from sekisho.signing.notes import (
    Note,
    NoteAlgorithm,
    NoTrustedSignature,
    VerifiedSignature,
    VerifierKey,
    parse_decimal,
    verify_note,
)

__all__ = [
    "Mark",
    "Marks",
    "TooFewWitnesses",
    "counted_times",
    "median_second",
    "still_counting",
    "verify_quoted",
]

_NAMES = {
    NoteAlgorithm.COSIGNATURE_ED25519: "ed25519",
    NoteAlgorithm.COSIGNATURE_MLDSA44: "ml-dsa-44",
}


class TooFewWitnesses(VerificationError):
    """Fewer of the charter's witnesses cosigned a checkpoint than its quorum asks, in algorithms that still count."""

    code = "too-few-witnesses"


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A witnessed checkpoint that the log quotes: in which entry, of which tree (root in hex), seen when."""

    index: int
    size: int
    root: str
    at: Instant


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """All marks so far, neither size nor time ever falling. Recorded time is read off them."""

    rows: PersistentMap[int, Mark] = PersistentMap()

    @property
    def newest(self) -> Mark | None:
        return self.rows.get(len(self.rows) - 1)

    def plus(self, mark: Mark) -> Marks:
        """The marks with one more; the same where it says nothing new, or steps back."""
        last = self.newest
        if last is not None and (
            mark.size < last.size
            or mark.at < last.at
            or (mark.size, mark.at) == (last.size, last.at)
        ):
            return self
        return Marks(rows=self.rows.plus(len(self.rows), mark))

    def after(self, index: int) -> Instant | None:
        """The end of an entry's recorded time: when the first tree that holds it was witnessed; None before that.

        None as well for what has no place in the log (an index below 0).
        """
        if index < 0:
            return None
        place = self._first(lambda mark: mark.size > index)
        return self.rows[place].at if place < len(self.rows) else None

    def before(self, index: int) -> Instant | None:
        """The start of an entry's recorded time: when the newest tree quoted before it was witnessed."""
        place = self._first(lambda mark: mark.index >= index)
        return self.rows[place - 1].at if place else None

    def of_size(self, size: int, root: str) -> Mark | None:
        """The first mark of exactly this tree."""
        place = self._first(lambda mark: mark.size >= size)
        mark = self.rows.get(place)
        return mark if mark is not None and (mark.size, mark.root) == (size, root) else None

    def quoted_in(self, index: int) -> Mark | None:
        """The mark that entry `index` makes, if it makes one."""
        mark = self.rows.get(self._first(lambda mark: mark.index >= index))
        return mark if mark is not None and mark.index == index else None

    def _first(self, is_reached: Callable[[Mark], bool]) -> int:
        """The place of the first row that satisfies what all later ones satisfy as well."""
        low, high = 0, len(self.rows)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if is_reached(self.rows[middle]) else (middle + 1, high)
        return low


def verify_quoted(text: str, index: int, log_of: Callable[[int], CharterLog]) -> Mark:
    """The mark that a checkpoint quoted in entry `index` makes; `log_of` gives the charter's word on a tree of a size.

    1. every line of a known key verifies; 2. the log's key signed, under the log's own name; 3. the tree is not larger
    than the log; 4. enough witnesses count. Raises the named error of the first step that fails.
    """
    note = Note.from_bytes(text.encode(), path="checkpoint")
    origin, size, root = _read_checkpoint(note.text)
    log = log_of(size)
    own = VerifierKey.from_text(log.vkey, path="the charter's log")
    witnesses = [VerifierKey.from_text(w.vkey, path=f"witness {w.name}") for w in log.witnesses]
    verified = verify_note(note, [own, *witnesses])
    if all(item.key != own for item in verified):
        raise NoTrustedSignature("no signature by the log's own key")
    if origin != log.origin:
        raise InvalidInput(f"a checkpoint of {origin[:60]!r}, not of {log.origin}")
    if size > index:
        raise InvalidInput(f"a checkpoint of size {size} quoted in entry {index}")
    return Mark(index=index, size=size, root=root, at=_witnessed_at(verified, log))


def counted_times(verified: Iterable[VerifiedSignature], log: CharterLog) -> dict[str, int]:
    """Per witness (by its name in the charter) the newest second at which it cosigned in a way that still counts."""
    ends = {row.name: row.until for row in log.cosignatures}
    names = {witness.vkey: witness.name for witness in log.witnesses}
    times: dict[str, int] = {}
    for item in verified:
        name = names.get(item.key.to_text())
        until = ends.get(_NAMES.get(item.key.algorithm, ""))  # type: ignore[call-overload]  # unknown ones have no end
        if name is None or until is None or item.timestamp is None:
            continue
        if item.timestamp < until.seconds:
            times[name] = max(item.timestamp, times.get(name, 0))
    return times


def still_counting(times: Mapping[str, int], log: CharterLog) -> dict[str, int]:
    """The cosignature times, by the witnesses' names, less those made after their algorithm's end.

    For a checkpoint that was verified under a policy of the same names; a name that the charter does not have is the
    policy's own business, and stays.
    """
    ends = {row.name: row.until for row in log.cosignatures}
    algorithms = {w.name: VerifierKey.from_text(w.vkey).algorithm for w in log.witnesses}

    def counts(name: str, second: int) -> bool:
        until = ends.get(_NAMES.get(algorithms[name], ""))  # type: ignore[call-overload]  # unknown ones have no end
        return until is not None and second < until.seconds

    return {
        name: second
        for name, second in times.items()
        if name not in algorithms or counts(name, second)
    }


def median_second(times: Iterable[int]) -> int | None:
    """The lower median of cosignature times; None where nobody cosigned."""
    ordered = sorted(times)
    return ordered[(len(ordered) - 1) // 2] if ordered else None


def _witnessed_at(verified: Iterable[VerifiedSignature], log: CharterLog) -> Instant:
    times = counted_times(verified, log)
    second = median_second(times.values())
    if second is None or len(times) < log.witness_quorum:
        raise TooFewWitnesses(
            f"{len(times)} of {log.witness_quorum} cosignatures count: {', '.join(sorted(times)) or 'none'}"
        )
    return Instant.from_seconds(second)


def _read_checkpoint(text: str) -> tuple[str, int, str]:
    """Origin, size and root (hex) of a checkpoint's first three lines."""
    lines = text.split("\n")
    if len(lines) < 4:
        raise InvalidInput("has not the three lines of a checkpoint", path="checkpoint")
    root = decode_base64(lines[2], path="checkpoint")
    if len(root) != 32:
        raise InvalidInput(f"a root of {len(root)} bytes", path="checkpoint")
    return lines[0], parse_decimal(lines[1], path="checkpoint"), root.hex()
