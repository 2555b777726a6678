"""What a monitor makes of what it sees: one log from several vantage points, for ever. Pure.

The state holds the newest checkpoint. Each further one is compared with it (`Comparison`, made at the edge from tiles
that authenticate themselves), and consistency is transitive: what agrees with the newest agrees with all that the
newest agreed with. What cannot be compared yet stays *open* and is compared again, in the end with a newest tree that
is large enough to decide. A fork is never forgotten, and the first branch seen stays the one that is followed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.evidence import ForkEvidence
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.wire import canonical, from_json, parse_canonical
from sekisho.signing.notes import Note, parse_decimal

__all__ = [
    "MAX_OPEN",
    "Comparison",
    "Finding",
    "FindingKind",
    "Followed",
    "Relation",
    "Sighting",
    "SourceState",
    "find_clash",
    "judge_round",
    "judge_sighting",
]

MAX_OPEN = 1000
MAX_STATE_BYTES = 64 * 1024 * 1024
MAX_OPEN_BYTES = 24 * 1024 * 1024
"""Escaped for JSON they are at most twice as long: what is saved can always be read back."""

FindingKind: TypeAlias = Literal[
    "fork",  # two signed checkpoints that no append-only log can have signed
    "shrank",  # this source showed a larger tree before
    "damaged",  # tiles or entries that do not give the checkpoint's root
    "missing",  # a tile or a bundle that the checkpoint promises is not there
    "unreadable",  # no checkpoint of this log: malformed, or by another key
    "unwitnessed",  # signed by the log, without the quorum of the policy
    "silent",  # the source does not answer
    "stale",  # nobody shows anything newer for too long
]
Relation: TypeAlias = Literal["first", "same", "grown", "older", "forked", "open"]


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint under the log's verified signature, as one source showed it."""

    source: str
    note: Note
    at: Instant

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint.from_text(self.note.text)


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """How a sighting stands to the newest checkpoint.

    *grown*: it was shown to extend the newest; *older*: to be a prefix of it; *forked* comes with its evidence;
    *open*: nobody's tiles decide it yet.
    """

    relation: Relation
    evidence: ForkEvidence | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong, or that is over (`over`): what, where it was seen, since when, and details."""

    kind: FindingKind
    source: str
    at: Instant
    detail: str = ""
    evidence: ForkEvidence | None = None
    over: bool = False


class SourceState(msgspec.Struct, frozen=True, kw_only=True):
    """One source: the largest size it showed, and up to where its tiles and entries were seen whole (None: not yet)."""

    shown: int = 0
    walked: int | None = None


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """All that a monitor remembers of one log.

    `newest_at` is when the newest checkpoint was first seen; `open` are sightings not compared yet; `forks` the file
    names of the evidence; `standing` each finding that is not over, as "kind source", with its beginning.
    """

    newest: Note | None = None
    newest_at: Instant | None = None
    open: tuple[Sighting, ...] = ()
    forks: tuple[str, ...] = ()
    sources: Mapping[str, SourceState] = {}
    standing: Mapping[str, Instant] = {}

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The newest checkpoint; None before the first."""
        return None if self.newest is None else Checkpoint.from_text(self.newest.text)

    @property
    def size(self) -> int:
        """The newest tree's size."""
        return 0 if self.newest is None else Checkpoint.from_text(self.newest.text).size

    def source(self, name: str) -> SourceState:
        return self.sources.get(name, SourceState())

    def with_walked(self, name: str, size: int) -> Followed:
        """Every tile and entry of this source was seen whole up to `size`."""
        state = msgspec.structs.replace(self.source(name), walked=size)
        return msgspec.structs.replace(self, sources={**self.sources, name: state})

    @classmethod
    def from_bytes(cls, data: bytes, *, path: str = "state") -> Followed:
        """Read a state back strictly. Raises InvalidInput naming the field."""
        value = parse_canonical(data.removesuffix(b"\n"), path=path, limit=MAX_STATE_BYTES)
        wire = from_json(_Wire, value, path=path)
        newest = None if wire.newest is None else _note(wire.newest, f"{path}.newest")
        if (newest is None) != (wire.newest_at is None):
            raise InvalidInput("the newest checkpoint and its time belong together", path=path)
        return cls(
            newest=newest,
            newest_at=wire.newest_at,
            open=tuple(
                Sighting(source=s.source, at=s.at, note=_note(s.note, f"{path}.open[{i}]"))
                for i, s in enumerate(wire.open)
            ),
            forks=wire.forks,
            sources={
                name: SourceState(
                    shown=parse_decimal(source.shown, path=f"{path}.sources"),
                    walked=None
                    if source.walked is None
                    else parse_decimal(source.walked, path=f"{path}.sources"),
                )
                for name, source in wire.sources.items()
            },
            standing=wire.standing,
        )

    def to_bytes(self) -> bytes:
        """The state as one canonical JSON line."""
        wire = _Wire(
            format="sekisho-monitor/v1",
            newest=None if self.newest is None else self.newest.to_bytes().decode(),
            newest_at=self.newest_at,
            open=tuple(
                _WireSighting(source=s.source, at=s.at, note=s.note.to_bytes().decode())
                for s in self.open
            ),
            forks=self.forks,
            sources={
                name: _WireSource(
                    shown=str(source.shown),
                    walked=None if source.walked is None else str(source.walked),
                )
                for name, source in self.sources.items()
            },
            standing=dict(self.standing),
        )
        return canonical(wire) + b"\n"


def find_clash(state: Followed, sighting: Sighting) -> ForkEvidence | None:
    """A fork that two notes show without any tile: one size, two roots, among the newest and all that is open."""
    held = [item.note for item in state.open]
    for note in ([state.newest] if state.newest is not None else []) + held:
        other, seen = Checkpoint.from_text(note.text), sighting.checkpoint
        if other.size == seen.size and other.root != seen.root:
            return ForkEvidence.of(note, sighting.note)
    return None


def judge_sighting(
    state: Followed, sighting: Sighting, comparison: Comparison
) -> tuple[Followed, tuple[Finding, ...]]:
    """What a compared sighting changes, and what it finds. Also settles it where it was open before."""
    replace = msgspec.structs.replace
    left = tuple(item for item in state.open if item.note.text != sighting.note.text)
    state = replace(state, open=left)
    if comparison.relation == "open":
        kept = (*left, sighting) if _has_room(left, sighting) else left
        return replace(state, open=kept), ()
    if comparison.relation in ("first", "grown"):
        state = replace(state, newest=sighting.note, newest_at=sighting.at)
    elif comparison.relation == "same":
        state = replace(state, newest=_better_signed(state.newest, sighting.note))
    if comparison.evidence is not None:
        return _take_fork(state, sighting, comparison.evidence)
    return _take_size(state, sighting)


def judge_round(
    state: Followed, found: Sequence[Finding], *, now: Instant, stale_s: float | None
) -> tuple[Followed, tuple[Finding, ...]]:
    """The end of a round that found all this: what to tell, which is what is new and what is over.

    Forks are told once and are never over.
    """
    found = [*found, *_stale(state, now, stale_s)]
    forks = [finding for finding in found if finding.kind == "fork"]
    present: dict[str, Finding] = {}
    for finding in found:
        if finding.kind != "fork":
            present.setdefault(_key(finding), finding)
    begun = [finding for key, finding in present.items() if key not in state.standing]
    over = [_over(key, since) for key, since in state.standing.items() if key not in present]
    standing = {key: state.standing.get(key, finding.at) for key, finding in present.items()}
    state = msgspec.structs.replace(state, standing=standing)
    return state, (*forks, *begun, *over)


def _has_room(left: Sequence[Sighting], sighting: Sighting) -> bool:
    size = sum(len(item.note.to_bytes()) for item in (*left, sighting))
    return len(left) < MAX_OPEN and size <= MAX_OPEN_BYTES


def _take_fork(
    state: Followed, sighting: Sighting, evidence: ForkEvidence
) -> tuple[Followed, tuple[Finding, ...]]:
    name = evidence.file_name
    if name in state.forks:
        return state, ()
    finding = Finding(kind="fork", source=sighting.source, at=sighting.at, evidence=evidence)
    return msgspec.structs.replace(state, forks=(*state.forks, name)), (finding,)


def _take_size(state: Followed, sighting: Sighting) -> tuple[Followed, tuple[Finding, ...]]:
    size, before = sighting.checkpoint.size, state.source(sighting.source)
    shown = msgspec.structs.replace(before, shown=max(size, before.shown))
    state = msgspec.structs.replace(state, sources={**state.sources, sighting.source: shown})
    if size >= before.shown:
        return state, ()
    detail = f"{before.shown} -> {size}"
    finding = Finding(kind="shrank", source=sighting.source, at=sighting.at, detail=detail)
    return state, (finding,)


def _stale(state: Followed, now: Instant, stale_s: float | None) -> list[Finding]:
    if stale_s is None or state.newest_at is None:
        return []
    age_s = (now.us - state.newest_at.us) / 1_000_000
    if age_s <= stale_s:
        return []
    return [Finding(kind="stale", source="", at=now, detail=f"{age_s:.0f} s > {stale_s:.0f} s")]


def _better_signed(held: Note | None, seen: Note) -> Note:
    """Of two notes over the same tree the one under more signatures."""
    if held is None or (held.text == seen.text and len(seen.signatures) > len(held.signatures)):
        return seen
    return held


def _key(finding: Finding) -> str:
    return f"{finding.kind} {finding.source}"


def _over(key: str, since: Instant) -> Finding:
    kind, _, source = key.partition(" ")
    return Finding(kind=msgspec.convert(kind, FindingKind), source=source, at=since, over=True)


def _note(text: str, path: str) -> Note:
    note = Note.from_bytes(text.encode(), path=path)
    Checkpoint.from_text(note.text, path=path)
    return note


class _WireSighting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    source: str
    at: Instant
    note: str


class _WireSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes as decimal text: a log may sign sizes that JSON numbers do not hold."""

    shown: str
    walked: str | None


class _Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: Literal["sekisho-monitor/v1"]
    newest: str | None
    newest_at: Instant | None
    open: tuple[_WireSighting, ...]
    forks: tuple[str, ...]
    sources: dict[str, _WireSource]
    standing: dict[str, Instant]
