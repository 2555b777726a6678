"""Holds: files that a roll-up in the log rests on, so that nobody takes away what would prove it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from sekisho.adapters.telemetry.store.files import StoreFiles
from sekisho.adapters.telemetry.store.manifests import MAX_MANIFEST, StoredFile, evidence_of
from sekisho.model.errors import Corrupt, InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.wire import canonical, from_json, parse_json

__all__ = ["Hold", "held_files", "load_holds", "release", "save_hold"]

_FOLDER: Final = "holds"
_EVIDENCE: Final = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_NAME: Final = re.compile(r"[0-9a-f]{64}\.json", re.ASCII)


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Files that must stay, the digest that names them together, and who says so (an entry of the log, a case)."""

    evidence: str
    why: str
    at: Instant
    files: tuple[StoredFile, ...]


def save_hold(files: StoreFiles, hold: Hold) -> None:
    """Durable when it returns. Raises InvalidInput where the digest is not that of the files."""
    bare = tuple(msgspec.structs.replace(file, address="") for file in hold.files)
    if evidence_of(bare) != hold.evidence:
        raise InvalidInput("is not the digest of these files", path="evidence")
    data = canonical(msgspec.structs.replace(hold, files=bare))
    files.write_all([(_path(hold.evidence), data)])


def load_holds(files: StoreFiles) -> tuple[Hold, ...]:
    """All of them. Raises Corrupt where one cannot be read: what it keeps must not be taken away for that."""
    return tuple(_load(files, entry.name) for entry in files.list_files(_FOLDER))


def held_files(files: StoreFiles) -> Mapping[str, tuple[str, ...]]:
    """The paths that must stay, each with the evidence that rests on it."""
    found: dict[str, tuple[str, ...]] = {}
    for hold in load_holds(files):
        for file in hold.files:
            found[file.path] = (*found.get(file.path, ()), hold.evidence)
    return found


def release(files: StoreFiles, evidence: str) -> None:
    """Let go of it; harmless where it is not held."""
    files.remove_all([_path(evidence)])


def _load(files: StoreFiles, name: str) -> Hold:
    path = f"{_FOLDER}/{name}"
    if not _NAME.fullmatch(name):
        raise Corrupt(f"{path} is no hold", remedy="move it elsewhere, then try again")
    try:
        data = parse_json(files.read(path, MAX_MANIFEST), path=path, limit=MAX_MANIFEST)
        hold = from_json(Hold, data, path=path)
    except InvalidInput as error:
        raise Corrupt(str(error), remedy="restore it from a copy of the store") from None
    if _path(hold.evidence) != path or evidence_of(hold.files) != hold.evidence:
        raise Corrupt(f"{path} names other files than its digest", remedy="restore it from a copy")
    return hold


def _path(evidence: str) -> str:
    if not _EVIDENCE.fullmatch(evidence):
        raise InvalidInput("is no digest", path="evidence", remedy="write sha256:<64 hex digits>")
    return f"{_FOLDER}/{evidence.removeprefix('sha256:')}.json"
