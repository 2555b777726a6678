"""The one tar that a set of files has."""

from __future__ import annotations

import io
import tarfile

import pytest

from sekisho.auditor.tarball import format_header, is_safe_path, is_tar, read_tar
from tests.factory_bundle import pack_tar

FILES = {"a": b"", "b/" + "c" * 60 + "/" + "d" * 70: b"x" * 513, "log/checkpoint": b"y" * 512}


def test_what_the_standard_library_packs_in_order_is_read_back_without_a_fault() -> None:
    """The form is the one that any ustar writer gives with neutral owners, modes and times."""
    contents = read_tar(pack_tar(FILES))
    assert contents.faults == ()
    assert contents.files == FILES


@pytest.mark.parametrize("path", sorted(FILES))
def test_a_header_is_the_standard_librarys(path: str) -> None:
    """Long paths are cut where ustar cuts them."""
    member = tarfile.TarInfo(path)
    member.size = 7
    assert format_header(path, 7) == member.tobuf(tarfile.USTAR_FORMAT)


def test_a_path_that_fits_no_header_is_refused() -> None:
    """A name of more than a hundred bytes has no ustar form."""
    with pytest.raises(ValueError, match="does not fit"):
        format_header("x" * 101, 1)


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../up", "a/../b", "a//b", "a/", "./a", "a\\b", "ä", "a\nb", "a" * 241],
)
def test_paths_that_lead_out_or_have_two_spellings_are_unsafe(path: str) -> None:
    """Only one spelling of a path inside the folder is taken."""
    assert not is_safe_path(path)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"mtime": 1}, "header"),
        ({"mode": 0o755}, "header"),
        ({"uid": 5}, "header"),
        ({"uname": "root"}, "header"),
        ({"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, "link or special"),
        ({"type": tarfile.FIFOTYPE}, "link or special"),
        ({"name": "../../etc/cron.d/x"}, "leave the bundle"),
        ({"name": "/etc/cron.d/x"}, "leave the bundle"),
    ],
)
def test_a_member_of_another_form_is_a_named_fault(change: dict[str, object], fault: str) -> None:
    """Owner, mode, time, kind and path of each member are fixed; a path that leads out is not even read."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        member = tarfile.TarInfo("file")
        member.mode = 0o644
        for name, value in change.items():
            setattr(member, name, value)
        tar.addfile(member)
    contents = read_tar(stream.getvalue())
    assert any(fault in f.problem for f in contents.faults)
    assert not any(path.startswith(("/", "..")) for path in contents.files)


@pytest.mark.parametrize("cut", [1, 511, 512, 1024, 5000, 9000])
def test_a_cut_tar_is_a_fault_at_every_length(cut: int) -> None:
    """Whatever is missing at the end is noticed."""
    whole = pack_tar(FILES)
    assert read_tar(whole[:-cut]).faults


@pytest.mark.parametrize("extra", [b"\0", b"\0" * 10_240, b"x", b"\0" * 512 + b"x" * 512])
def test_bytes_after_the_end_are_a_fault(extra: bytes) -> None:
    """Nothing is hidden behind the last file."""
    assert read_tar(pack_tar(FILES) + extra).faults


def test_what_is_no_tar_is_told_by_its_first_block() -> None:
    """A text or an empty file is no tar at all."""
    assert is_tar(pack_tar(FILES)[:512])
    assert not is_tar(b"ustar")
    assert not is_tar(bytes(512))
