"""A bundle as a tar: uncompressed, and only the one byte sequence that its files allow.

Every member's header is written anew from its path and size and compared; so a tar that this reader takes without a
fault equals its own re-packing byte for byte. The form: ustar, members in ascending order of path, regular files of
mode 0644, owner 0 without names, time 0, no device numbers, two empty blocks at the end, zeros up to a multiple of
10,240 bytes.
"""

from __future__ import annotations

import msgspec

__all__ = ["Fault", "TarContents", "format_header", "is_safe_path", "is_tar", "read_tar"]

BLOCK = 512
RECORD = 10_240
MAX_PATH = 240
_MAGIC = slice(257, 262)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a bundle, and what is wrong with it."""

    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class TarContents(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a tar as far as they can be told, and every departure from the one form."""

    files: dict[str, bytes]
    faults: tuple[Fault, ...]


def is_tar(head: bytes) -> bool:
    """Whether the first block is some tar's; what kind of tar is `read_tar`'s question."""
    return len(head) >= BLOCK and head[_MAGIC] == b"ustar"


def is_safe_path(path: str) -> bool:
    """A relative path of printable ASCII that stays inside its folder, spelled in its only way."""
    return (
        0 < len(path) <= MAX_PATH
        and path.isascii()
        and path.isprintable()
        and "\\" not in path
        and all(part not in ("", ".", "..") for part in path.split("/"))
    )


def read_tar(data: bytes) -> TarContents:
    """Read a whole tar strictly; nothing is written anywhere, so no path can lead out."""
    reader = _Reader(data)
    while reader.take_member():
        pass
    reader.check_end()
    return TarContents(files=reader.files, faults=tuple(reader.faults))


def format_header(path: str, size: int) -> bytes:
    """The one header block that a file of this path and size has. Raises ValueError for a path that does not fit."""
    prefix, name = _split_path(path)
    head = b"".join(
        (
            name.encode().ljust(100, b"\0"),
            b"0000644\0" + b"0000000\0" * 2,
            b"%011o\0" % size + b"00000000000\0",
        )
    )
    tail = (
        b"0"
        + bytes(100)
        + b"ustar\00000"
        + bytes(80)
        + prefix.encode().ljust(155, b"\0")
        + bytes(12)
    )
    checksum = sum(head) + 8 * ord(" ") + sum(tail)
    return head + b"%06o\0 " % checksum + tail


def _split_path(path: str) -> tuple[str, str]:
    """The prefix as short as it can be, since ustar has a hundred bytes for the name."""
    if len(path) <= 100:
        return "", path
    parts = path.split("/")
    for cut in range(1, len(parts)):
        prefix, name = "/".join(parts[:cut]), "/".join(parts[cut:])
        if len(prefix) <= 155 and len(name) <= 100:
            return prefix, name
    raise ValueError("the path does not fit a ustar header")


class _Reader:
    """One pass over the blocks."""

    def __init__(self, data: bytes) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: list[Fault] = []
        self._data = data
        self._at = 0
        self._last = ""

    def take_member(self) -> bool:
        """One member; False at the end, or where nothing more can be told."""
        block = self._data[self._at : self._at + BLOCK]
        if not block.strip(b"\0") and len(block) == BLOCK:
            return False
        path, size = _claimed(block)
        shown = ascii(path)[1:-1] if path else f"the member at byte {self._at}"
        if size is None or len(block) < BLOCK:
            self._fault(shown, "the tar is cut off or its header is damaged here")
            self._at = len(self._data)
            return False
        self._check_header(shown, path, size, block)
        start = self._at + BLOCK
        padded = -(-size // BLOCK) * BLOCK
        content, padding = (
            self._data[start : start + size],
            self._data[start + size : start + padded],
        )
        if len(content) + len(padding) < padded:
            self._fault(shown, "the tar is cut off inside this file")
        elif padding.strip(b"\0"):
            self._fault(shown, "bytes other than zero follow this file")
        if is_safe_path(path):
            self.files.setdefault(path, content)
        self._at = start + padded
        return self._at < len(self._data)

    def check_end(self) -> None:
        """Two empty blocks, then zeros up to the record, and nothing else."""
        rest = self._data[self._at :]
        whole = -(-(self._at + 2 * BLOCK) // RECORD) * RECORD
        if rest.strip(b"\0"):
            self._fault("the end of the tar", "bytes follow the last file")
        if len(self._data) != whole:
            self._fault(
                "the end of the tar", f"{len(self._data)} bytes where the files take {whole}"
            )

    def _check_header(self, shown: str, path: str, size: int, block: bytes) -> None:
        if not is_safe_path(path):
            self._fault(shown, "this path would leave the bundle, or is not spelled in its one way")
            return
        if block[156:157] not in (b"0", b"\0"):
            self._fault(shown, "a link or special file: a bundle holds regular files only")
        elif _header_or_none(path, size) != block:
            self._fault(shown, "its tar header is not the one that its path and size give")
        if path <= self._last:
            self._fault(
                shown, f"stands after {self._last}: members come in ascending order, each once"
            )
        self._last = path

    def _fault(self, path: str, problem: str) -> None:
        self.faults.append(Fault(path=path, problem=problem))


def _claimed(block: bytes) -> tuple[str, int | None]:
    """Path and size as a header states them; no size where it states none."""
    prefix, name = block[345:500].rstrip(b"\0"), block[:100].rstrip(b"\0")
    path = (prefix + b"/" + name if prefix else name).decode("latin-1")
    digits = block[124:136].rstrip(b"\0 ")
    try:
        size = int(digits, 8)
    except ValueError:
        return path, None
    return path, size if size >= 0 else None


def _header_or_none(path: str, size: int) -> bytes | None:
    try:
        return format_header(path, size)
    except ValueError:
        return None
