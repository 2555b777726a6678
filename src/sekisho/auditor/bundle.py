"""Opening evidence: a bundle's folder or tar, or a home's public log folder. Nothing is trusted, nothing is written.

1. Only regular files are read, never through a link, each and all of them up to a limit. 2. A tar must be its own
re-packing. 3. The manifest names every file, and every file is as it says. Each departure is a named fault and the
reading goes on, so that a report can tell what else holds; only what is no bundle at all raises.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from sekisho.auditor.manifest import (
    MANIFEST,
    SIGNATURE,
    Manifest,
    compare_files,
    parse_manifest,
    parse_signature,
)
from sekisho.auditor.tarball import BLOCK, Fault, is_safe_path, is_tar, read_tar
from sekisho.model.errors import InvalidInput
from sekisho.ports.tile_store import NotStored
from sekisho.signing import Envelope

__all__ = ["Bundle", "ReadOnlyTiles", "as_bundle", "open_evidence"]

MAX_FILES = 100_000
MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_TOTAL_BYTES = 1024 * 1024 * 1024
MAX_DEPTH = 32


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """Files by path as they were read, and all that is wrong with them as files.

    Of a public log folder (`kind` "log") only the log's own files are here, under `log/` as in a bundle.
    """

    kind: Literal["bundle", "log"]
    files: Mapping[str, bytes]
    manifest: Manifest | None = None
    signature: Envelope | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def tiles(self) -> ReadOnlyTiles:
        return ReadOnlyTiles(self.files, "log/")


class ReadOnlyTiles:
    """The log's files of a bundle as a tile store that can only be read."""

    def __init__(self, files: Mapping[str, bytes], prefix: str) -> None:
        self._files = files
        self._prefix = prefix

    def read(self, path: str, limit: int) -> bytes:
        data = self._files.get(self._prefix + path)
        if data is None:
            raise NotStored(f"{self._prefix}{path} is not there")
        if len(data) > limit:
            raise InvalidInput(f"longer than {limit} bytes", path=self._prefix + path)
        return data

    def write(self, path: str, data: bytes) -> None:  # noqa: ARG002  # the port's own signature
        raise InvalidInput("evidence is never written to", path=path)

    def exists(self, path: str) -> bool:
        return self._prefix + path in self._files


def open_evidence(path: Path) -> Bundle:
    """Read what lies at `path`. Raises InvalidInput only where it is neither a bundle nor a log's folder."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise InvalidInput(
            f"cannot be read: {error.strerror}",
            path=str(path),
            remedy="name a bundle or a log's public folder",
        ) from None
    if stat.S_ISDIR(mode):
        return _open_folder(path)
    if stat.S_ISREG(mode):
        return _open_tar(path)
    raise InvalidInput("is neither a folder nor a file", path=str(path))


def _open_tar(path: Path) -> Bundle:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        head = file.read(BLOCK)
        if not is_tar(head):
            raise InvalidInput(
                "is not a bundle",
                path=str(path),
                remedy="name a bundle's folder, or its uncompressed tar",
            )
        rest = file.read(MAX_TOTAL_BYTES + 1)
    if len(rest) > MAX_TOTAL_BYTES:
        raise InvalidInput(f"is longer than {MAX_TOTAL_BYTES} bytes", path=str(path))
    contents = read_tar(head + rest)
    return as_bundle(contents.files, contents.faults)


def _open_folder(path: Path) -> Bundle:
    log = _log_folder_in(path)
    if log is not None:
        reader = _FolderReader(log, only=("checkpoint", "tile"))
        files = {f"log/{name}": data for name, data in reader.read().items()}
        return Bundle(kind="log", files=files, faults=tuple(reader.faults))
    if not _looks_like_bundle(path):
        raise InvalidInput(
            "is neither a bundle nor a log's public folder",
            path=str(path),
            remedy="a bundle holds manifest.json, a log's folder checkpoint and tile/",
        )
    reader = _FolderReader(path)
    return as_bundle(reader.read(), reader.faults)


def _looks_like_bundle(path: Path) -> bool:
    return any(
        os.path.lexists(path / name)
        for name in (MANIFEST, SIGNATURE, "log/checkpoint", "disclosures.json", "hosts")
    )


def _log_folder_in(path: Path) -> Path | None:
    """The log's folder, where `path` is one, a home with one in its public folder, or holds nothing of a bundle's."""
    if any(os.path.lexists(path / name) for name in (MANIFEST, SIGNATURE)):
        return None
    if (path / "public/log/checkpoint").is_file():
        return path / "public/log"
    if any(os.path.lexists(path / name) for name in ("disclosures.json", "hosts", "packs")):
        return None
    return next((f for f in (path, path / "log") if (f / "checkpoint").is_file()), None)


def as_bundle(files: Mapping[str, bytes], found: Sequence[Fault] = ()) -> Bundle:
    """A bundle from its files, held against its manifest; `found` is what reading them already showed."""
    faults = list(found)
    manifest = signature = None
    try:
        data = _present(files, MANIFEST)
        manifest = parse_manifest(data)
        faults.extend(compare_files(manifest, files))
        signature = parse_signature(_present(files, SIGNATURE), data)
    except InvalidInput as error:
        path = SIGNATURE if error.path.startswith(SIGNATURE) else MANIFEST
        faults.append(Fault(path=path, problem=str(error).removeprefix(f"{path}: ")))
    return Bundle(
        kind="bundle", files=files, manifest=manifest, signature=signature, faults=tuple(faults)
    )


def _present(files: Mapping[str, bytes], path: str) -> bytes:
    if path not in files:
        raise InvalidInput("is missing", path=path)
    return files[path]


class _FolderReader:
    """Reads a folder's regular files by descriptor, following no link."""

    def __init__(self, root: Path, only: tuple[str, ...] = ()) -> None:
        self.faults: list[Fault] = []
        self._root = root
        self._only = only
        self._files: dict[str, bytes] = {}
        self._left = MAX_TOTAL_BYTES

    def read(self) -> dict[str, bytes]:
        descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._enter(descriptor, "", 0)
        finally:
            os.close(descriptor)
        return self._files

    def _enter(self, folder: int, prefix: str, depth: int) -> None:
        with os.scandir(folder) as listing:
            names = sorted(entry.name for entry in listing)
        if not names and prefix:
            self._fault(prefix.rstrip("/"), "an empty folder, which no manifest lists")
        for name in names:
            if self._only and not prefix and name not in self._only:
                continue
            path = prefix + name
            if not is_safe_path(path) or depth > MAX_DEPTH:
                self._fault(ascii(path)[1:-1], "is no path that a bundle may hold")
            elif len(self._files) >= MAX_FILES:
                self._fault(path, f"a bundle holds at most {MAX_FILES} files")
                return
            else:
                self._take(folder, name, path, depth)

    def _take(self, folder: int, name: str, path: str, depth: int) -> None:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            self._fault(path, "a link or special file: a bundle holds regular files only")
            return
        # Between the look and the opening it may have been exchanged: O_NOFOLLOW refuses the link then too.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(name, flags, dir_fd=folder)
        except OSError as error:
            self._fault(path, f"cannot be read: {error.strerror}")
            return
        try:
            if stat.S_ISDIR(mode):
                self._enter(descriptor, f"{path}/", depth + 1)
            else:
                self._read_file(descriptor, path)
        finally:
            os.close(descriptor)

    def _read_file(self, descriptor: int, path: str) -> None:
        limit = min(MAX_FILE_BYTES, self._left)
        data = b"".join(_chunks(descriptor, limit + 1))
        if len(data) > limit:
            self._fault(path, f"is longer than {limit} bytes")
            return
        self._left -= len(data)
        self._files[path] = data

    def _fault(self, path: str, problem: str) -> None:
        self.faults.append(Fault(path=path, problem=problem))


def _chunks(descriptor: int, most: int) -> Iterator[bytes]:
    while most > 0:
        chunk = os.read(descriptor, min(most, 1 << 20))
        if not chunk:
            return
        most -= len(chunk)
        yield chunk
