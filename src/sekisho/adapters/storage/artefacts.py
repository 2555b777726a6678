"""A release's one file, taken apart into a new folder: a tar, a tar packed with gzip, or a wheel (zip).

The file is signed by a quorum before anybody comes here. It is read as if it were not: only regular files and folders,
each inside its own folder under a plain name, none over another, with no right beyond "may be run", and within bounds
that are counted on what comes out, never on what a header says.
"""

from __future__ import annotations

import gzip
import os
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import msgspec

from sekisho.adapters.durable_files import sync_path
from sekisho.model.errors import VerificationError

__all__ = ["MAX_FILES", "MAX_UNPACKED", "UnsafeRelease", "unpack_artefact"]

MAX_UNPACKED: Final = 1024 * 1024 * 1024
MAX_FILES: Final = 20_000
MAX_NAME: Final = 240
MAX_HEADER: Final = 1024 * 1024
CHUNK: Final = 64 * 1024
_SPECIAL: Final = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX
_ENCRYPTED: Final = 0x1


class UnsafeRelease(VerificationError):
    """A release's file holds something that must not be unpacked: a way out, a link, a device, a right, a flood."""

    code = "unsafe-release"


class _Entry(msgspec.Struct, frozen=True):
    """One member: its path, its stated size, its mode, and its bytes (None: a folder)."""

    name: str
    size: int
    mode: int
    stream: IO[bytes] | None


class _Sober:
    """A tar's bytes for `tarfile`, which reads whole headers into memory as long as they say they are."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_HEADER:
            raise UnsafeRelease(f"it has a header of {size} bytes")
        return self._file.read(size)


def unpack_artefact(
    artefact: Path, into: Path, *, most: int = MAX_UNPACKED, files: int = MAX_FILES
) -> None:
    """Write the files of `artefact` into the new folder `into`, each one on the disk. Raises UnsafeRelease.

    After an error, or a crash, `into` holds a part: whoever called takes it away.
    """
    into.mkdir(mode=0o755)
    count, left, seen = 0, most, set[str]()
    try:
        with _opened(artefact, most, into.parent) as entries:
            for entry in entries:
                name = _checked(entry)
                count += 1
                if count > files:
                    raise UnsafeRelease(f"it holds more than {files} files")
                if name and name in seen:
                    raise UnsafeRelease(f"{name[:120]!a} is in it twice")
                seen.add(name)
                left -= _write(entry, into / name, left)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise UnsafeRelease(f"it cannot be read: {error}") from None
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise UnsafeRelease(f"a file lies in another one's way: {error.filename!a}") from None
    for folder, _, _ in os.walk(into):
        sync_path(Path(folder))


def _checked(entry: _Entry) -> str:
    """The member's name as a path below the folder; "" is the folder itself. Raises UnsafeRelease."""
    name = entry.name.removeprefix("./")
    name = name.removesuffix("/") if entry.stream is None else name
    if name in ("", ".") and entry.stream is None:
        return ""
    shown = entry.name[:120]
    if not (name.isascii() and name.isprintable()) or len(name) > MAX_NAME or "\\" in name:
        raise UnsafeRelease(f"{shown!a} is no plain name")
    if any(part in ("", ".", "..") for part in name.split("/")):
        raise UnsafeRelease(f"{shown!a} leads out of the release")
    if entry.mode & _SPECIAL:
        raise UnsafeRelease(f"{shown!a} would run with another user's rights")
    return name


def _write(entry: _Entry, path: Path, left: int) -> int:
    """The member on the disk; how many bytes it had. Folders above it were made by us, so no link is among them."""
    if entry.stream is None:
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
        return 0
    if entry.size > left:
        raise UnsafeRelease(f"it unpacks to more than is allowed, at {entry.name[:120]!a}")
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    mode = 0o755 if entry.mode & stat.S_IXUSR else 0o644
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    got = 0
    with os.fdopen(os.open(path, flags, mode), "wb") as out:
        while chunk := entry.stream.read(CHUNK):
            got += len(chunk)
            if got > left:
                raise UnsafeRelease(f"it unpacks to more than is allowed, at {entry.name[:120]!a}")
            out.write(chunk)
        out.flush()
        os.fchmod(out.fileno(), mode)
        os.fsync(out.fileno())
    if got != entry.size:
        raise UnsafeRelease(f"{entry.name[:120]!a} is not as long as it says")
    return got


@contextmanager
def _opened(artefact: Path, most: int, beside: Path) -> Iterator[Iterator[_Entry]]:
    """The members, by what the first bytes say that it is."""
    with artefact.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if head[:2] == b"PK":
            with zipfile.ZipFile(file) as archive:
                yield _zip_entries(archive)
        elif head[:2] == b"\x1f\x8b":
            # Twice the bound: headers and padding of many small files come on top.
            with tempfile.TemporaryFile(dir=beside) as plain:
                _inflate(file, plain, 2 * most)
                plain.seek(0)
                yield _tar_entries(plain)
        else:
            yield _tar_entries(file)


def _inflate(packed: IO[bytes], plain: IO[bytes], most: int) -> None:
    written = 0
    with gzip.GzipFile(fileobj=packed) as unpacked:
        while chunk := unpacked.read(CHUNK):
            written += len(chunk)
            if written > most:
                raise UnsafeRelease("it unpacks to more than is allowed")
            plain.write(chunk)


def _tar_entries(file: IO[bytes]) -> Iterator[_Entry]:
    with tarfile.open(fileobj=_Sober(file), mode="r:", errorlevel=2) as archive:  # type: ignore[call-overload]  # reads, seeks and tells, which is all that is asked of it
        for member in archive:
            archive.members.clear()  # it keeps every member that it has seen
            if member.isdir():
                yield _Entry(member.name, 0, member.mode, None)
            elif member.isreg() and not member.issparse():
                stream = archive.extractfile(member)
                yield _Entry(member.name, member.size, member.mode, stream)
            else:
                raise UnsafeRelease(f"{member.name[:120]!a} is no plain file")


def _zip_entries(archive: zipfile.ZipFile) -> Iterator[_Entry]:
    for info in archive.infolist():
        mode = info.external_attr >> 16
        kind = stat.S_IFMT(mode)
        if info.is_dir():
            yield _Entry(info.filename, 0, mode & 0o7777, None)
        elif kind not in (0, stat.S_IFREG) or info.flag_bits & _ENCRYPTED:
            raise UnsafeRelease(f"{info.filename[:120]!a} is no plain file")
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnsafeRelease(f"{info.filename[:120]!a} is packed in an unusual way")
        else:
            with archive.open(info) as stream:
                yield _Entry(info.filename, info.file_size, mode & 0o7777, stream)
