"""One round of watching: ask every source, compare what they show, walk what is new, and say what is wrong.

1. Every source is asked for its checkpoint, all at once. 2. The log's signature decides whether it is one; a missing
quorum is a finding and no excuse: also an unwitnessed checkpoint proves a fork. 3. Smallest first, each is compared
with the newest, by tiles that authenticate themselves, the source's own before those of the others. 4. What was open
is compared again. 5. What a source's log has grown by is read whole, tile by tile and entry by entry. 6. Evidence is
stored, then the state.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from sekisho.ledger.evidence import find_fork
from sekisho.ledger.monitor import (
    Comparison,
    Finding,
    FindingKind,
    Followed,
    Relation,
    Sighting,
    find_clash,
    judge_round,
    judge_sighting,
)
from sekisho.ledger.policy import Policy, QuorumMissing
from sekisho.ledger.reader import TreeReader
from sekisho.ledger.tiles import CHECKPOINT_PATH, TILE_WIDTH, DamagedTile
from sekisho.model.errors import (
    BadSignature,
    InvalidInput,
    SekishoError,
    Unavailable,
    VerificationError,
)
from sekisho.model.instants import Instant
from sekisho.monitor.memory import MonitorMemory
from sekisho.ports.tile_store import NotStored, TileStore
from sekisho.signing.notes import Note

__all__ = ["Round", "Vantage", "Watch"]

MAX_ASKED_AT_ONCE = 16
WALK_S = 30.0
MAX_SIGNATURE = 4096
MAX_LINES_OF_A_KEY = 2
_UNREADABLE = (NotStored, DamagedTile, InvalidInput, Unavailable)

Progress = Callable[[int, int], None]
"""Told (entries walked, entries to walk) of one source."""


class Vantage(msgspec.Struct, frozen=True, kw_only=True):
    """One place from which the log is seen. `tiles` is None where somebody shows a checkpoint and nothing else."""

    name: str
    fetch: Callable[[], bytes]
    tiles: TileStore | None = None

    @property
    def file(self) -> str:
        """The checkpoint's own name, for messages."""
        return self.name if self.tiles is None else f"{self.name}/{CHECKPOINT_PATH}"


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What a round came to: the state after it, what is new, and the sizes that the sources showed."""

    at: Instant
    state: Followed
    findings: tuple[Finding, ...]
    shown: dict[str, int]


class Watch:
    """Follows one log under a policy from several vantage points; with `whole` from its first entry on.

    `stale_s` is how long nothing newer may come; None: for ever.
    """

    def __init__(
        self,
        policy: Policy,
        vantages: Sequence[Vantage],
        memory: MonitorMemory,
        *,
        stale_s: float | None = None,
        whole: bool = False,
    ) -> None:
        self._policy = policy
        self._vantages = tuple(vantages)
        self._memory = memory
        self._stale_s = stale_s
        self._whole = whole
        self.state = memory.load()

    def round(self, now: Instant, progress: Progress = lambda *_: None) -> Round:
        """One round. Raises nothing about what it sees; Unavailable where its own state cannot be written."""
        state, looked = self.state, list(self._look(now))
        found = [item for item in looked if isinstance(item, Finding)]
        sightings = [item for item in looked if isinstance(item, Sighting)]
        sightings.sort(key=lambda item: item.checkpoint.size)
        relations: dict[str, Relation] = {}
        for sighting in sightings:
            state, relations[sighting.note.text], more = self._take(state, sighting)
            found += more
        for (
            sighting
        ) in state.open:  # of this round and of earlier ones, now that the newest may be larger
            state, relations[sighting.note.text], more = self._take(state, sighting)
            found += more
        for sighting in sightings:
            if relations[sighting.note.text] not in ("open", "forked"):
                state, faults = self._walk(state, sighting, progress)
                found += faults
        found += [finding for sighting in sightings for finding in self._missing_quorum(sighting)]
        return self._finish(state, found, {s.source: s.checkpoint.size for s in sightings}, now)

    def _finish(
        self, state: Followed, found: Sequence[Finding], shown: dict[str, int], now: Instant
    ) -> Round:
        for finding in found:
            if finding.evidence is not None:
                self._memory.keep_evidence(finding.evidence)
        state, told = judge_round(state, found, now=now, stale_s=self._stale_s)
        if state != self.state:
            self._memory.save(state)
        self.state = state
        return Round(at=now, state=state, findings=told, shown=shown)

    def _look(self, now: Instant) -> Iterator[Sighting | Finding]:
        workers = min(MAX_ASKED_AT_ONCE, max(1, len(self._vantages)))
        with ThreadPoolExecutor(workers, thread_name_prefix="vantage") as pool:
            yield from pool.map(lambda vantage: self._look_from(vantage, now), self._vantages)

    def _look_from(self, vantage: Vantage, now: Instant) -> Sighting | Finding:
        try:
            note = Note.from_bytes(vantage.fetch(), path=vantage.file)
            self._policy.verify_logged(note)
            return Sighting(source=vantage.name, note=_without_padding(note, self._policy), at=now)
        except (InvalidInput, VerificationError) as error:
            return _finding("unreadable", vantage.name, now, error)
        except NotStored as error:
            return _finding("missing", vantage.name, now, error)
        except Unavailable as error:
            return _finding("silent", vantage.name, now, error)

    def _missing_quorum(self, sighting: Sighting) -> Iterator[Finding]:
        try:
            self._policy.verify_cosigned(sighting.note)
        except (QuorumMissing, BadSignature) as error:
            yield _finding("unwitnessed", sighting.source, sighting.at, error)

    def _take(
        self, state: Followed, sighting: Sighting
    ) -> tuple[Followed, Relation, list[Finding]]:
        comparison, faults = self._compare(state, sighting)
        state, found = judge_sighting(state, sighting, comparison)
        return state, comparison.relation, [*found, *faults]

    def _compare(self, state: Followed, sighting: Sighting) -> tuple[Comparison, list[Finding]]:
        clash = find_clash(state, sighting)
        if clash is not None:
            return Comparison(relation="forked", evidence=clash), []
        faults: list[Finding] = []
        for name, tree in self._trees(state, sighting):
            try:
                if state.newest is None:
                    _read_edge(tree)
                    return Comparison(relation="first"), []
                fork = find_fork(state.newest, sighting.note, tree)
            except _UNREADABLE as error:
                if (
                    name == sighting.source
                ):  # the others never promised tiles for what this one shows
                    faults.append(_finding(_kind_of(error), name, sighting.at, error))
                continue
            if fork is not None:
                return Comparison(relation="forked", evidence=fork), []
            return Comparison(relation=_relation(state.size, sighting.checkpoint.size)), []
        return Comparison(relation="open"), faults

    def _trees(
        self, state: Followed, sighting: Sighting
    ) -> Iterator[tuple[str, TreeReader | None]]:
        """Readers of the larger of the two trees, that of the sighting's own source first.

        None where no tile is needed, or where nobody has any: then the first checkpoint is taken as it stands.
        """
        held, seen = state.checkpoint, sighting.checkpoint
        stores = [(v.name, v.tiles) for v in self._vantages if v.tiles is not None]
        if not stores if held is None else held.size in (0, seen.size) or not seen.size:
            yield sighting.source, None
            return
        larger = seen if held is None or seen.size > held.size else held
        for name, tiles in sorted(stores, key=lambda store: store[0] != sighting.source):
            yield name, TreeReader(tiles, larger)

    def _walk(
        self, state: Followed, sighting: Sighting, progress: Progress
    ) -> tuple[Followed, list[Finding]]:
        """Read what this source's log has grown by, for at most so long, so that no source holds up the others."""
        tiles = next((v.tiles for v in self._vantages if v.name == sighting.source), None)
        if tiles is None:
            return state, []
        checkpoint, walked = sighting.checkpoint, state.source(sighting.source).walked
        tree, ends, found = TreeReader(tiles, checkpoint), time.monotonic() + WALK_S, []
        position = start = walked if walked is not None else 0 if self._whole else checkpoint.size
        try:
            _read_edge(tree)
            while position < checkpoint.size and time.monotonic() < ends:
                stop = min(checkpoint.size, (position // TILE_WIDTH + 1) * TILE_WIDTH)
                for _ in tree.entries(position, stop):
                    pass
                position = stop
                progress(position - start, checkpoint.size - start)
        except _UNREADABLE as error:
            found = [_finding(_kind_of(error), sighting.source, sighting.at, error)]
        return state.with_walked(sighting.source, position), found


def _without_padding(note: Note, policy: Policy) -> Note:
    """The note with the lines that claim a known key, and few of each: whoever serves it can add any other.

    Kept as it came, each showing of one checkpoint would be another note to remember, and another piece of evidence.
    """
    keys = [*policy.logs, *(witness.key for witness in policy.witnesses)]
    claimed = [
        [line for line in note.signatures if key.made(line)][:MAX_LINES_OF_A_KEY] for key in keys
    ]
    kept = {line for lines in claimed for line in lines if len(line.signature) <= MAX_SIGNATURE}
    return Note(text=note.text, signatures=tuple(line for line in note.signatures if line in kept))


def _read_edge(tree: TreeReader | None) -> None:
    """Authenticate the right edge of a tree, and with it the root; raises what reading it raises."""
    if tree is not None and tree.size:
        tree.node(0, tree.size - 1)


def _relation(newest: int, seen: int) -> Relation:
    if newest == seen:
        return "same"
    return "grown" if seen > newest else "older"


def _kind_of(error: SekishoError) -> FindingKind:
    if isinstance(error, NotStored):
        return "missing"
    return "silent" if isinstance(error, Unavailable) else "damaged"


def _finding(kind: FindingKind, source: str, at: Instant, error: SekishoError) -> Finding:
    return Finding(kind=kind, source=source, at=at, detail=str(error))
