"""Opening evidence: folders, tars, public log folders, and what is none of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sekisho.auditor import Trust, audit_bundle, bundle, open_evidence
from sekisho.model.errors import InvalidInput
from tests.factory_bundle import Sealed, check_of, honest_story, pack_tar, seal, write_folder


@pytest.fixture(scope="module")
def honest() -> Sealed:
    """An honest bundle, sealed once for this module."""
    return seal(honest_story())


def test_folder_and_tar_hold_the_same(honest: Sealed, tmp_path: Path) -> None:
    """Both forms open without a fault and audit alike, wherever they were moved to."""
    folder = write_folder(tmp_path / "moved elsewhere" / "b", honest.files)
    tar = tmp_path / "b.tar"
    tar.write_bytes(pack_tar(honest.files))
    for path in (folder, tar):
        opened = open_evidence(path)
        assert opened.faults == ()
        assert dict(opened.files) == honest.files
        assert audit_bundle(opened, Trust(policy=honest.root)).verdict == "holds"


@pytest.mark.parametrize("place", ["", "log", "public/log"])
def test_a_public_log_folder_gets_the_log_checks_only(
    honest: Sealed, tmp_path: Path, place: str
) -> None:
    """What a public folder does not hold is unverifiable; what the log itself tells is checked."""
    log = {p.removeprefix("log/"): data for p, data in honest.files.items() if p.startswith("log/")}
    write_folder(tmp_path / place, log)
    write_folder(tmp_path / place, {"tile/0/000.p/7": bytes(7 * 32), ".lock": b""})
    if place == "public/log":
        (tmp_path / "hosts").mkdir()  # a home's own folders are none of an outsider's business
    opened = open_evidence(tmp_path)
    report = audit_bundle(opened, Trust(policy=honest.root))
    assert opened.kind == "log"
    assert report.verdict == "unverifiable"
    assert check_of(report, "signatures").verdict == "holds"
    assert check_of(report, "log-tree").verdict == "holds"
    for name in ("manifest", "decisions", "leases", "receipts", "budgets"):
        assert check_of(report, name).verdict == "unverifiable", name


def test_what_is_no_evidence_is_bad_input(tmp_path: Path) -> None:
    """An empty folder, a text, a missing path and a device are refused, naming the path."""
    (tmp_path / "text").write_text("hello")
    (tmp_path / "empty").mkdir()
    (tmp_path / "nothing").write_bytes(b"")
    for name in ("text", "empty", "nothing", "gone"):
        with pytest.raises(InvalidInput, match=name):
            open_evidence(tmp_path / name)
    with pytest.raises(InvalidInput, match="neither a folder nor a file"):
        open_evidence(Path("/dev/null"))


@pytest.mark.parametrize("make", ["link", "folder link", "fifo", "empty folder", "odd name"])
def test_what_is_no_regular_file_is_a_fault_and_never_followed(
    honest: Sealed, tmp_path: Path, make: str
) -> None:
    """Links, pipes and odd names are named and not opened."""
    folder = write_folder(tmp_path / "bundle", honest.files)
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "file").write_text("secret")
    extra = folder / "extra"
    if make == "link":
        extra.symlink_to(secret / "file")
    elif make == "folder link":
        extra.symlink_to(secret)
    elif make == "fifo":
        os.mkfifo(extra)
    elif make == "empty folder":
        extra.mkdir()
    else:
        (folder / "extra\udcff").write_text("x")
    opened = open_evidence(folder)
    assert [fault.path.startswith("extra") for fault in opened.faults] == [True]
    assert not any(b"secret" in data for data in opened.files.values())


def test_reading_is_bounded(
    honest: Sealed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file over the limit is a fault, and the number of files is bounded too."""
    folder = write_folder(tmp_path / "b", honest.files)
    monkeypatch.setattr(bundle, "MAX_FILE_BYTES", 1000)
    assert any("longer than 1000" in f.problem for f in open_evidence(folder).faults)
    monkeypatch.setattr(bundle, "MAX_FILE_BYTES", 1 << 20)
    monkeypatch.setattr(bundle, "MAX_FILES", 3)
    assert any("at most 3 files" in f.problem for f in open_evidence(folder).faults)
    (tmp_path / "b.tar").write_bytes(pack_tar(honest.files))
    monkeypatch.setattr(bundle, "MAX_TOTAL_BYTES", 1000)
    with pytest.raises(InvalidInput, match="longer than 1000"):
        open_evidence(tmp_path / "b.tar")


def test_evidence_is_never_written_to(honest: Sealed, tmp_path: Path) -> None:
    """The tiles of a bundle refuse writing."""
    tiles = open_evidence(write_folder(tmp_path, honest.files)).tiles
    assert tiles.exists("checkpoint")
    with pytest.raises(InvalidInput, match="never written"):
        tiles.write("checkpoint", b"")
    with pytest.raises(InvalidInput, match="longer than 3"):
        tiles.read("checkpoint", 3)
