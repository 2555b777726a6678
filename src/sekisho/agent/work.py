"""The work's own files, as a host reads them: its checkpoint and what it says it has computed. Believed for nothing.

The agent may be root and the work is not, so files are opened without following links, and reads are bounded.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from sekisho.model.amounts import parse_flop
from sekisho.model.errors import InvalidInput
from sekisho.model.statements import Checkpoint
from sekisho.model.wire import from_json, parse_json

__all__ = ["WorkFolder", "WrittenCheckpoint"]

MAX_RECORD = 65_536
MAX_HASHED = (
    256 * 1024 * 1024
)  # beyond this hashing would hold up the agent: the work's own digest is taken


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    step: int
    sha256: str
    bytes: int
    path: str


class _Status(msgspec.Struct, frozen=True, kw_only=True):
    flop: str


class WrittenCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that lies there whole; `stamp` tells one writing of the record from the next."""

    checkpoint: Checkpoint
    path: str
    stamp: int


class WorkFolder:
    """`checkpoint.json` and `status.json` in the folder that the work writes into."""

    def __init__(self, out: Path) -> None:
        self._out = out

    def stamp(self) -> int:
        """Changes with every new checkpoint record; 0 where there is none."""
        try:
            return (self._out / "checkpoint.json").lstat().st_mtime_ns
        except OSError:
            return 0

    def load_checkpoint(self) -> WrittenCheckpoint | None:
        """The newest checkpoint, if the file has the digest that its record names; else None."""
        stamp = self.stamp()
        raw = _read_plain(self._out / "checkpoint.json")
        if raw is None:
            return None
        try:
            record = from_json(_Record, parse_json(raw, path="checkpoint.json"))
            path = self._out / Path(record.path).name
            if not self._has_digest(path, record):
                return None
            checkpoint = msgspec.convert(
                {"sha256": record.sha256, "bytes": record.bytes, "step": record.step}, Checkpoint
            )
        except (InvalidInput, msgspec.ValidationError):
            return None
        return WrittenCheckpoint(checkpoint=checkpoint, path=str(path), stamp=stamp)

    def declared_flop(self) -> int | None:
        """What the work says it has computed in all; None where it does not say."""
        raw = _read_plain(self._out / "status.json")
        if raw is None:
            return None
        try:
            return parse_flop(from_json(_Status, parse_json(raw, path="status.json")).flop)
        except InvalidInput:
            return None

    @staticmethod
    def _has_digest(path: Path, record: _Record) -> bool:
        digest = hashlib.sha256()
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                size = os.fstat(descriptor).st_size
                if size != record.bytes:
                    return False
                if size > MAX_HASHED:
                    return True
                while chunk := file.read(1 << 20):
                    digest.update(chunk)
        except OSError:
            return False
        return digest.hexdigest() == record.sha256


def _read_plain(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(MAX_RECORD)
    except OSError:
        return None
