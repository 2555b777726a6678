"""An evidence bundle of a home, written beside whoever serves it: only what is witnessed already goes in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.keys import load_key
from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.private_sqlite import PrivateSqlite
from sekisho.app.home import Home
from sekisho.app.rules import collect_packs
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.operations.bundle import collect_bundle, write_bundle
from sekisho.operations.reading import read_state
from sekisho.operations.register.exporting import collect_register
from sekisho.operations.state import State
from sekisho.ports.tile_store import NotStored
from sekisho.registry.disclosed import EVENTS
from sekisho.signing import Ed25519Signer, Recorded

__all__ = ["Exported", "export_home_bundle"]


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that was written: entries of the log, events of the register in it, and events captured by then."""

    size: int
    events: int
    captured: int


def export_home_bundle(
    home: Home, folder: Path, heard: Callable[[int, int], None] = lambda *_: None
) -> Exported:
    """Write a bundle of the newest witnessed checkpoint, the register of chips disclosed; `<folder>.tar` beside it.

    `heard` is told log entries done and to do. Raises InvalidInput where no regime is founded or nothing is published
    here, StateConflict where the folder holds something or the register is more than a bundle takes, and what reading
    the log raises. A crash leaves a folder that no auditor takes for a bundle.
    """
    root, tiles = home.load_root(), FileTileStore(home.public)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StateConflict(f"{folder} is not empty", remedy="name a new folder")
    recorded: list[Recorded] = []

    def hear(entry: Recorded) -> None:
        recorded.append(entry)
        heard(entry.index + 1, entry.index + 2)

    try:
        state, cosigned = read_state(tiles, root, hear=hear)
    except NotStored:
        raise InvalidInput(
            "nothing is published here yet", path=str(home.public), remedy="sekisho up"
        ) from None
    size = cosigned.checkpoint.size
    register, captured = _register(home, size)
    private = PrivateSqlite(home.path / "private.sqlite")
    try:
        files = collect_bundle(
            cosigned=cosigned,
            tiles=tiles,
            recorded=recorded,
            private=private,
            packs=collect_packs(home, state),
            register=register,
        )
    finally:
        private.close()
    write_bundle(
        folder, files, origin=root.origin, signer=_speaker(home, state), now=SystemClock().now()
    )
    events = register.get(EVENTS, b"").count(b"\n")
    return Exported(size=size, events=events, captured=captured)


def _register(home: Home, size: int) -> tuple[dict[str, bytes], int]:
    """The register's files as far as the log of this size holds its batches, and the newest event's number."""
    if not home.elsewhere.database and not home.register_file.exists():
        return {}, 0
    with home.open_register(writes=False) as store:
        return collect_register(store, home.load_terms(), size=size), store.load_numbers().event


def _speaker(home: Home, state: State) -> Ed25519Signer:
    """The log's key that the charter in force names: while it changes, that may be the next one."""
    named = state.regime.log_key.key_id
    following = (key for key in home.next_log_keys() if key.public.key_id == named)
    return next(following, load_key(home.keys / "log.pem"))
