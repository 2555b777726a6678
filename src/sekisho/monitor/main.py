"""Wires the monitor and the mirror; `sekisho log monitor|mirror` run these.

A source is an `https` address or a folder, with tiles; or a file, or an address named with `seen`, that holds nothing
but somebody's checkpoint.
"""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.transport.http_tiles import HttpTileStore
from sekisho.ledger.evidence import ForkEvidence
from sekisho.ledger.mirror import Copied, ForkedLog, Mirror
from sekisho.ledger.monitor import Finding, Followed
from sekisho.ledger.policy import Policy
from sekisho.ledger.tiles import CHECKPOINT_PATH
from sekisho.model.errors import InvalidInput, SekishoError, StateConflict, Unavailable
from sekisho.model.instants import Instant
from sekisho.monitor.memory import MonitorMemory
from sekisho.monitor.watch import Progress, Round, Vantage, Watch
from sekisho.ports.tile_store import TileStore
from sekisho.signing.notes import MAX_NOTE_BYTES

__all__ = [
    "FollowPlan",
    "MirrorEvent",
    "MirrorPlan",
    "RoundEvent",
    "fetch_checkpoint",
    "follow_log",
    "keep_evidence",
    "mirror_log",
]

_FAILS, _SILENT = 1, 4


class FollowPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to watch, by which policy, where to remember, how often, and what counts as stale (seconds)."""

    sources: tuple[str, ...]
    policy: Policy
    folder: Path
    seen: tuple[str, ...] = ()
    every_s: float = 60.0
    once: bool = False
    stale_s: float | None = None
    whole: bool = False
    go_on: bool = False


class RoundEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One round for whoever reads along: the newest checkpoint, what each source showed, what is new, all forks."""

    at: Instant
    origin: str
    size: int
    newest_at: Instant | None
    shown: dict[str, int]
    sources: int
    findings: tuple[Finding, ...]
    standing: dict[str, Instant]
    forks: tuple[str, ...]


class MirrorPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to copy, by which policy, into which folder; `every_s` None: once."""

    source: str
    folder: Path
    policy: Policy
    workers: int = 8
    every_s: float | None = None

    @property
    def evidence_folder(self) -> Path:
        """Beside the copy and never in it, so that nobody serves a fork as the log."""
        return self.folder.with_name(f"{self.folder.name}-evidence")


class MirrorEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One pass: copied, or why not (and then the copy is as it was)."""

    at: Instant
    event: Literal["copied", "failed"]
    size: int | None = None
    written: int = 0
    changed: bool = False
    problem: str = ""
    code: str = ""


def follow_log(
    plan: FollowPlan, tell: Callable[[RoundEvent], None], progress: Progress = lambda *_: None
) -> int:
    """Watch until told to stop, until a fork (unless `go_on`), or once; the exit code.

    Raises InvalidInput for what is no source, StateConflict where another monitor holds the folder, Corrupt for a
    state that cannot be read, Unavailable where it cannot be written.
    """
    clock, stop = SystemClock(), threading.Event()
    with ExitStack() as stack:
        vantages = _vantages(plan, stack)
        stack.enter_context(_held(plan.folder))
        stack.enter_context(_stopping(stop))
        memory = MonitorMemory(FileTileStore(plan.folder))
        watch = Watch(plan.policy, vantages, memory, stale_s=plan.stale_s, whole=plan.whole)
        while True:
            done = watch.round(clock.now(), progress)
            tell(_event(plan, done))
            if plan.once or (done.state.forks and not plan.go_on):
                return _code(done.state)
            if stop.wait(plan.every_s):
                return _code(done.state)


def mirror_log(
    plan: MirrorPlan, tell: Callable[[MirrorEvent], None], progress: Progress = lambda *_: None
) -> None:
    """Copy once, or until told to stop. A pass that fails is told and tried again where there is a next.

    Raises ForkedLog with the evidence stored, always; what `Mirror.copy` raises where there is one pass only.
    """
    clock, stop = SystemClock(), threading.Event()
    with ExitStack() as stack:
        source = _tiles_at(plan.source, stack)
        if isinstance(source, FileTileStore) and source.root.resolve() == plan.folder.resolve():
            raise InvalidInput("is the log itself", path=str(plan.folder), remedy="name another")
        stack.enter_context(_held(plan.folder.parent, f".{plan.folder.name}.mirror.lock"))
        stack.enter_context(_stopping(stop))
        mirror = Mirror(source, FileTileStore(plan.folder), plan.policy, workers=plan.workers)
        mirror.tidy()
        while True:
            try:
                tell(_copied(mirror.copy(progress), clock.now()))
            except ForkedLog as error:
                path = keep_evidence(error.evidence, plan.evidence_folder)
                raise ForkedLog(
                    f"{error.message}; both are in {path}", evidence=error.evidence
                ) from None
            except SekishoError as error:
                if plan.every_s is None:
                    raise
                tell(
                    MirrorEvent(at=clock.now(), event="failed", problem=str(error), code=error.code)
                )
            if plan.every_s is None or stop.wait(plan.every_s):
                return


def keep_evidence(evidence: ForkEvidence, folder: Path) -> Path:
    """Store evidence durably in a folder, under its own name; where it lies."""
    # Crash before: whoever looks again finds the same fork and writes the same bytes.
    FileTileStore(folder).write(evidence.file_name, evidence.to_bytes())
    return folder / evidence.file_name


def fetch_checkpoint(place: str) -> bytes:
    """Somebody's checkpoint from a file or an `https` address. Raises InvalidInput, Unavailable, NotStored."""
    if _is_address(place):
        prefix, _, name = place.rpartition("/")
        with closing(HttpTileStore(prefix)) as store:
            return store.read(name, MAX_NOTE_BYTES)
    path = Path(place)
    return FileTileStore(path.parent).read(path.name, MAX_NOTE_BYTES)


def _vantages(plan: FollowPlan, stack: ExitStack) -> list[Vantage]:
    found = [_vantage(place, stack) for place in dict.fromkeys(plan.sources)]
    return found + [_bare(place) for place in dict.fromkeys(plan.seen)]


def _vantage(place: str, stack: ExitStack) -> Vantage:
    if not _is_address(place) and Path(place).is_file():
        return _bare(place)
    tiles = _tiles_at(place, stack)
    return Vantage(
        name=place, fetch=lambda: tiles.read(CHECKPOINT_PATH, MAX_NOTE_BYTES), tiles=tiles
    )


def _bare(place: str) -> Vantage:
    return Vantage(name=place, fetch=lambda: fetch_checkpoint(place))


def _tiles_at(place: str, stack: ExitStack) -> TileStore:
    if _is_address(place):
        return stack.enter_context(closing(HttpTileStore(place)))
    if not Path(place).is_dir():
        raise InvalidInput(
            "is neither a folder nor an address",
            path=place,
            remedy="name a log's public folder or its https address",
        )
    return FileTileStore(Path(place))


def _is_address(place: str) -> bool:
    return place.startswith(("http://", "https://"))


def _event(plan: FollowPlan, done: Round) -> RoundEvent:
    checkpoint = done.state.checkpoint
    folder = plan.folder / "evidence"
    return RoundEvent(
        at=done.at,
        origin=checkpoint.origin if checkpoint else "",
        size=done.state.size,
        newest_at=done.state.newest_at,
        shown=done.shown,
        sources=len(set(plan.sources)) + len(set(plan.seen)),
        findings=done.findings,
        standing=dict(done.state.standing),
        forks=tuple(str(folder / name) for name in done.state.forks),
    )


def _code(state: Followed) -> int:
    kinds = {key.partition(" ")[0] for key in state.standing}
    if state.forks or kinds - {"silent"}:
        return _FAILS
    return _SILENT if kinds else 0


def _copied(done: Copied, at: Instant) -> MirrorEvent:
    size = done.cosigned.checkpoint.size
    return MirrorEvent(at=at, event="copied", size=size, written=done.written, changed=done.changed)


@contextmanager
def _held(folder: Path, name: str = "monitor.lock") -> Iterator[None]:
    """One process for one folder, as long as the block lasts; nothing stays behind but an empty file."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(
            f"{folder} cannot be used: {error.strerror}", remedy="check rights"
        ) from None
    try:
        _lock(file, folder)
        yield
    finally:
        os.close(file)


def _lock(file: int, folder: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StateConflict(f"another process works on {folder}", remedy="stop it first") from None


@contextmanager
def _stopping(stop: threading.Event) -> Iterator[None]:
    """SIGTERM ends the work at the next pause; it is put back afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
