"""Attacks inside a release's file: signed by everybody, and still nothing of it leaves its folder."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from sekisho.adapters.storage.artefacts import UnsafeRelease, unpack_artefact
from sekisho.adapters.storage.release_shelf import ReleaseShelf
from sekisho.agent.installing import open_repository, open_update
from sekisho.model.errors import Corrupt, InvalidInput
from tests.released import Updating, make_tar


def unpack(tmp_path: Path, data: bytes, **bounds: int) -> Path:
    """The release's own folder beside other files, which must not change."""
    place = tmp_path / "releases"
    place.mkdir(exist_ok=True)
    (tmp_path / "beside").write_text("untouched")
    file = tmp_path / "file"
    file.write_bytes(data)
    try:
        unpack_artefact(file, place / "7", **bounds)
    finally:
        assert (tmp_path / "beside").read_text() == "untouched"
        assert {p.name for p in tmp_path.iterdir()} == {"releases", "beside", "file"}
        assert {p.name for p in place.iterdir()} <= {"7"}
    return place / "7"


def member(name: str, kind: bytes = tarfile.REGTYPE, **fields: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def make_zip(files: dict[str, bytes], mode: int = 0o644, kind: int = stat.S_IFREG) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (kind | mode) << 16
            archive.writestr(info, data)
    return out.getvalue()


@pytest.mark.parametrize("mode", ["w", "w:gz", "wheel"])
def test_an_honest_file_is_unpacked(tmp_path: Path, mode: str) -> None:
    """A tar, a packed one and a wheel: files, folders, and the right to be run."""
    files = {"sekisho/__init__.py": b"x = 1\n", "./bin/start": b"#!/bin/sh\n"}
    if mode == "wheel":
        data = make_zip({name.removeprefix("./"): body for name, body in files.items()}, 0o755)
    else:
        data = make_tar(files, mode=mode)
    folder = unpack(tmp_path, data)
    assert (folder / "sekisho" / "__init__.py").read_bytes() == b"x = 1\n"
    assert (folder / "bin" / "start").read_bytes() == b"#!/bin/sh\n"
    assert bool((folder / "bin" / "start").stat().st_mode & stat.S_IXUSR) is (mode == "wheel")


NAMES = [
    "../out",
    "a/../../out",
    "/etc/out",
    "a//b",
    "a/./b",
    "..",
    "a\\b",
    "a\nb",
    "ａ",
    "a" * 300,
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["tar", "wheel"])
def test_path_that_leads_out(tmp_path: Path, name: str, form: str) -> None:
    """Upwards, from the root, spelled in two ways, or with a character that no plain name has."""
    data = make_tar({name: b"x"}) if form == "tar" else make_zip({name: b"x"})
    with pytest.raises(UnsafeRelease):
        unpack(tmp_path, data)


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"Z"],
)
def test_link_device_or_pipe(tmp_path: Path, kind: bytes) -> None:
    """Only files and folders come out: a link would lead the next member out of the folder."""
    data = make_tar({"a": b"a"}, [member("a.link", kind, linkname="../../beside")])
    with pytest.raises(UnsafeRelease):
        unpack(tmp_path, data)


def test_link_in_a_wheel(tmp_path: Path) -> None:
    """A zip carries links as a mode: the same refusal."""
    with pytest.raises(UnsafeRelease, match="no plain file"):
        unpack(tmp_path, make_zip({"link": b"../../beside"}, kind=stat.S_IFLNK))


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o1755])
@pytest.mark.parametrize("form", ["tar", "wheel"])
def test_setuid_file(tmp_path: Path, mode: int, form: str) -> None:
    """No file of a release runs with another user's rights."""
    data = (
        make_tar({}, [member("run", mode=mode)]) if form == "tar" else make_zip({"run": b""}, mode)
    )
    with pytest.raises(UnsafeRelease, match="rights"):
        unpack(tmp_path, data)


@pytest.mark.parametrize("size", [1 << 40, 1024])
def test_huge_sparse_file(tmp_path: Path, size: int) -> None:
    """A file of a terabyte of holes, a few bytes on the way; refused for its form, so a small one as well."""
    header = bytearray(make_tar({"holes": b"x"})[:512])
    header[156:157] = b"S"
    header[386:398], header[398:410] = b"00000000000\0", b"00000000001\0"
    header[483:495] = b"\x80" + bytes(3) + struct.pack(">Q", size)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    with pytest.raises(UnsafeRelease, match="no plain file"):
        unpack(tmp_path, bytes(header) + bytes(512 * 20))


def test_sparse_file_in_the_newer_form(tmp_path: Path) -> None:
    """The same said in extended headers."""
    info = member("holes", size=512)
    info.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.map": "0,1",
        "GNU.sparse.size": str(1 << 40),
    }
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(bytes(512)))
    with pytest.raises(UnsafeRelease):
        unpack(tmp_path, out.getvalue())


@pytest.mark.parametrize("form", ["tar", "gzip", "wheel"])
def test_flood_of_bytes(tmp_path: Path, form: str) -> None:
    """What comes out is counted; a small file that unpacks to much is cut off."""
    files = {f"zeros-{n}": bytes(400_000) for n in range(4)}
    data = {
        "tar": lambda: make_tar(files),
        "gzip": lambda: make_tar(files, mode="w:gz"),
        "wheel": lambda: make_zip(files),
    }[form]()
    with pytest.raises(UnsafeRelease, match="more than is allowed"):
        unpack(tmp_path, data, most=1_000_000)


def test_flood_behind_the_tar(tmp_path: Path) -> None:
    """Packed zeros after the tar's end are counted as well: they would fill the disk while they are unpacked."""
    data = gzip.compress(make_tar({"a": b"a"}) + bytes(4_000_000))
    with pytest.raises(UnsafeRelease, match="more than is allowed"):
        unpack(tmp_path, data, most=1_000_000)


def test_flood_of_files(tmp_path: Path) -> None:
    """Too many members fill a folder as surely as too many bytes."""
    with pytest.raises(UnsafeRelease, match="more than 10 files"):
        unpack(tmp_path, make_tar({f"{n}": b"" for n in range(11)}), files=10)


def test_header_that_is_longer_than_memory(tmp_path: Path) -> None:
    """An extended header of hundreds of megabytes is not read to its end."""
    out = io.BytesIO()
    info = member("././@PaxHeader", tarfile.XHDTYPE, size=300 * 1024 * 1024)
    out.write(info.tobuf(tarfile.USTAR_FORMAT))
    with pytest.raises(UnsafeRelease, match="a header of"):
        unpack(tmp_path, out.getvalue() + bytes(2_000_000))


@pytest.mark.parametrize("order", ["twice", "file-then-folder", "folder-then-file"])
def test_two_members_in_one_place(tmp_path: Path, order: str) -> None:
    """The second of two never replaces what the first one was."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        if order == "folder-then-file":
            archive.addfile(member("a", tarfile.DIRTYPE))
        archive.addfile(member("a"))
        if order == "twice":
            archive.addfile(member("./a"))
        if order == "file-then-folder":
            archive.addfile(member("a/b"))
    with pytest.raises(UnsafeRelease):
        unpack(tmp_path, out.getvalue())


def test_wheel_that_lies_about_a_length(tmp_path: Path) -> None:
    """A central directory that says less than comes out is found by the sum, or by the length."""
    data = bytearray(make_zip({"a": b"x" * 5_000}))
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    with pytest.raises(UnsafeRelease):
        unpack(tmp_path, bytes(data))


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\x03\x04", b"\x1f\x8b\x08", b"\x1f\x8b" + bytes(40), bytes(10_240), b"x" * 2_000],
)
def test_what_is_no_archive(tmp_path: Path, data: bytes) -> None:
    """Cut off, foreign, or nothing at all; ten kilobytes of zeros are an empty tar, and an empty folder."""
    if data == bytes(10_240):
        assert not list(unpack(tmp_path, data).iterdir())
        return
    with pytest.raises(UnsafeRelease):
        unpack(tmp_path, data)


def test_a_release_that_everybody_signed(tmp_path: Path) -> None:
    """The whole way: quorum, witnesses and repository agree on a tar with ../, and the host refuses to unpack it."""
    updating = Updating(tmp_path)
    updating.release(1)
    assert updating.update() == "newer"
    updating.release(2, make_tar({"../../../agent.json": b"{}"}))
    with pytest.raises(UnsafeRelease):
        updating.update()
    shelf = updating.shelf()
    assert (shelf.current, shelf.highest) == (1, 1)
    assert sorted(p.name for p in (updating.home / "releases").iterdir()) == ["1"]


def test_a_shelf_that_others_may_write(tmp_path: Path) -> None:
    """What root runs lies where nobody else writes: any other folder is refused before anything is fetched."""
    updating = Updating(tmp_path)
    updating.release(1)
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    shelf.chmod(0o775)
    with pytest.raises(InvalidInput, match="others than you may write"):
        ReleaseShelf(shelf)
    shelf.chmod(0o755)
    source = open_repository(updating.home, str(updating.publisher.folder), into=shelf)
    with open_update(updating.home, source, into=shelf, control=updating.control) as update:
        assert update.carry_out(update.judge()) is not None
    assert (shelf / "current" / "sekisho" / "__init__.py").exists()
    assert not (updating.home / "current").exists()


@pytest.mark.parametrize("content", [b"", b"{", b'{"placed":[{"sequence":"1"}]}'])
def test_a_list_that_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    """Without its memory a host takes nothing: an older release could come back."""
    updating = Updating(tmp_path)
    updating.release(1)
    assert updating.update() == "newer"
    (updating.home / "releases.json").write_bytes(content)
    with pytest.raises(Corrupt):
        updating.update()


def test_a_current_that_leads_elsewhere(tmp_path: Path) -> None:
    """A link that is none of ours is looked at by a person, not moved."""
    updating = Updating(tmp_path)
    updating.release(1)
    (updating.home / "current").symlink_to("/usr")
    with pytest.raises(Corrupt, match="no link to a release"):
        updating.update()
    assert (updating.home / "current").readlink() == Path("/usr")
