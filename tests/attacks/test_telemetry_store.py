"""Attacks on the store of telemetry: names that lead out, planted files, changed bytes. Refused, never read."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sekisho.adapters.telemetry.store import ReadingStore, manifests
from sekisho.model.errors import Corrupt, InvalidInput, SekishoError
from sekisho.model.instants import Instant
from tests.adapters.telemetry.store.keeping import (
    DAY,
    NOON,
    US,
    everything,
    incoming,
    local_store,
    rows_of,
)

ALL = (Instant(0), Instant.parse("2100-01-01T00:00:00Z"))
LATER = NOON.plus(3 * 86_400)
MANIFEST = f"manifests/site=osaka/{DAY}.json"


@pytest.fixture
def store(tmp_path: Path) -> ReadingStore:
    """A settled day and a segment that waits."""
    made = local_store(tmp_path / "t")
    made.append("osaka", incoming(rows_of(["GPU-1"], NOON, 5)), received_us=NOON.us)
    made.compact("osaka", now=NOON)
    made.append("osaka", incoming([("GPU-1", NOON.us + 999 * US, 7)]), received_us=NOON.us)
    return made


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "t"


def only(folder: Path) -> Path:
    (found,) = folder.iterdir()
    return found


def rewrite(root: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """A manifest as somebody with access to the folder could write it."""
    path = root / MANIFEST
    document = json.loads(path.read_bytes())
    change(document)
    path.write_bytes(json.dumps(document).encode())


@pytest.mark.parametrize(
    "site",
    ["../osaka", "..", ".", "", "a/b", "/etc", "a\\b", "a\0b", "a\nb", "x" * 65, ".hidden", "a..b", "大阪", "-rf"],
)  # fmt: skip
def test_site_name_that_leads_elsewhere(tmp_path: Path, site: str) -> None:
    """Every way in refuses it, and no folder is made."""
    store = local_store(tmp_path / "t")
    rows = incoming([("GPU-1", NOON.us, 1)])
    for act in (
        lambda: store.append(site, rows, received_us=1),
        lambda: store.compact(site, now=NOON),
        lambda: store.allocations.load(site, NOON, LATER),
        lambda: store.devices.save(site, [], recorded_us=1),
    ):
        with pytest.raises(InvalidInput, match="site"):
            act()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../outside.parquet",
        f"readings/site=osaka/day={DAY}/../../../../outside.parquet",
        f"readings/site=kobe/day={DAY}/part-1-0123456789abcdef-0.parquet",
        "readings/site=osaka/day=2026-03-13/part-1-0123456789abcdef-0.parquet",
        "segments/site=osaka/part-1-0123456789abcdef-0.parquet",
        "s3://elsewhere/part.parquet",
    ],
)
def test_manifest_that_names_a_file_elsewhere(store: ReadingStore, root: Path, path: str) -> None:
    """A file outside the day's own folder is never opened, whatever its digest."""
    rewrite(root, lambda document: document["readings"][0].__setitem__("path", path))
    with pytest.raises(Corrupt, match="no part of this day"):
        store.partitions(*ALL)
    with pytest.raises(Corrupt):
        store.compact("osaka", now=NOON)
    assert store.check().verdict == "fails"


def test_manifest_that_names_an_address(store: ReadingStore, root: Path) -> None:
    """Where an engine opens a file is worked out here, never read from a manifest."""
    rewrite(root, lambda document: document["readings"][0].__setitem__("address", "/etc/passwd"))
    with pytest.raises(Corrupt):
        store.partitions(*ALL)


def test_manifest_of_another_day(store: ReadingStore, root: Path) -> None:
    """A manifest copied to another day's place would count its rows twice."""
    shutil.copy(root / MANIFEST, root / "manifests/site=osaka/2026-03-15.json")
    with pytest.raises(Corrupt, match="another site or day"):
        store.partitions(*ALL)
    assert store.check().verdict == "fails"


def test_manifest_that_sends_the_trash_elsewhere(store: ReadingStore, root: Path) -> None:
    """The name in the trash is one that this store gives, or nothing is moved."""
    store.compact("osaka", now=LATER)
    store.drop(store.plan_drops("2026-03-15"), now=LATER)
    rewrite(root, lambda document: document["dropped"].__setitem__("trash", "../../elsewhere"))
    with pytest.raises(SekishoError):
        store.compact("osaka", now=LATER)
    assert not (root.parent / "elsewhere").exists()


def test_huge_manifest(store: ReadingStore, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than its bound is not read into memory."""
    monkeypatch.setattr("sekisho.adapters.telemetry.store.days.MAX_MANIFEST", 64 * 1024)
    assert manifests.MAX_MANIFEST <= 16 * 1024 * 1024
    (root / MANIFEST).write_bytes(b'{"site":"' + b"x" * 100_000 + b'"}')
    with pytest.raises(Corrupt, match="longer than"):
        store.partitions(*ALL)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b'{"site":1}', b"[" * 100_000, b'{"site":"a","site":"b"}', b"\xff\xfe"],
)
def test_manifest_that_is_none(store: ReadingStore, root: Path, data: bytes) -> None:
    """Told with its path and as corrupt: nothing is guessed, and no rows are left out in silence."""
    (root / MANIFEST).write_bytes(data)
    with pytest.raises(Corrupt, match=DAY):
        store.partitions(*ALL)


@pytest.mark.parametrize("kind", ["readings", "minutes"])
def test_part_whose_bytes_were_changed(store: ReadingStore, root: Path, kind: str) -> None:
    """One byte, or another whole Parquet file of the same size: neither is summed."""
    part = only(root / kind / "site=osaka" / f"day={DAY}")
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(bytes(data))
    with pytest.raises(Corrupt, match="SHA-256"):
        store.partitions(*ALL)
    assert [fault.kind for fault in store.check().faults] == ["changed"]


def test_part_that_is_changed_after_it_was_checked(store: ReadingStore, root: Path) -> None:
    """What was checked once in this process is checked again when the file is another one."""
    store.partitions(*ALL)
    part = only(root / "readings" / "site=osaka" / f"day={DAY}")
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(bytes(data))
    os.utime(part, ns=(1, 1))
    with pytest.raises(Corrupt):
        store.partitions(*ALL)


def test_segment_whose_bytes_were_changed(store: ReadingStore, root: Path) -> None:
    """A segment's name is its digest: what was changed is not merged, and the day stays as it was."""
    segment = only(root / "segments" / "site=osaka")
    segment.write_bytes(segment.read_bytes()[:-1] + b"x")
    before = store.partitions(*ALL)
    with pytest.raises(Corrupt, match="SHA-256"):
        store.compact("osaka", now=NOON)
    assert store.partitions(*ALL) == before


def test_segment_under_a_name_of_its_own(store: ReadingStore, root: Path) -> None:
    """Somebody's file among the segments stops the compaction instead of joining it."""
    folder = root / "segments" / "site=osaka"
    shutil.copy(only(folder), folder / "mine.parquet")
    with pytest.raises(Corrupt, match=r"mine\.parquet"):
        store.compact("osaka", now=NOON)


def test_part_that_no_manifest_names(store: ReadingStore, root: Path) -> None:
    """A copy of a part beside it is not read; one that no crash could have left is a fault."""
    part = only(root / "readings" / "site=osaka" / f"day={DAY}")
    rows = everything(store)
    shutil.copy(part, part.with_name("part-9-0123456789abcdef-0.parquet"))
    assert everything(store) == rows
    assert (store.check().verdict, len(store.check().left)) == ("holds", 1)
    shutil.copy(part, part.with_name("more.parquet"))
    assert everything(store) == rows
    assert [fault.kind for fault in store.check().faults] == ["unlisted"]


@pytest.mark.parametrize("place", ["segments", "manifests", "readings"])
def test_symbolic_link_in_the_store(store: ReadingStore, root: Path, place: str) -> None:
    """A link in place of a site's folder leads nowhere: neither read nor written through."""
    elsewhere = root.parent / "elsewhere"
    (root / place / "site=osaka").rename(elsewhere)
    (root / place / "site=osaka").symlink_to(elsewhere)
    before = sorted(path.name for path in elsewhere.rglob("*"))
    with pytest.raises(Corrupt, match="symbolic link"):
        local_store(root).compact("osaka", now=NOON)
    if place != "segments":  # a question about settled days reads none
        with pytest.raises(Corrupt, match="symbolic link"):
            store.partitions(*ALL, "osaka")
    assert sorted(path.name for path in elsewhere.rglob("*")) == before
    assert store.check().verdict == "fails"


def test_part_that_is_a_symbolic_link(store: ReadingStore, root: Path) -> None:
    """Even to a file with the right bytes: it could be another a moment later."""
    part = only(root / "readings" / "site=osaka" / f"day={DAY}")
    elsewhere = root.parent / "same.parquet"
    part.rename(elsewhere)
    part.symlink_to(elsewhere)
    with pytest.raises(Corrupt, match="symbolic link"):
        store.partitions(*ALL)


def test_lock_that_is_a_symbolic_link(store: ReadingStore, root: Path) -> None:
    """Taking a lock never opens another's file."""
    target = root.parent / "victim"
    lock = root / "locks" / "site=osaka.lock"
    lock.unlink()
    lock.symlink_to(target)
    with pytest.raises(SekishoError):
        store.compact("osaka", now=NOON)
    assert not target.exists()


def test_hold_that_names_other_files(store: ReadingStore, root: Path) -> None:
    """A hold is what its digest says; one that was changed stops retention instead of freeing what it kept."""
    evidence = store.hold(store.partitions(*ALL)[0].readings, why="entry 17", at=NOON)
    path = root / "holds" / f"{evidence.removeprefix('sha256:')}.json"
    document = json.loads(path.read_bytes())
    document["files"][0]["rows"] += 1
    path.write_bytes(json.dumps(document).encode())
    with pytest.raises(Corrupt):
        store.plan_drops("2026-03-15")
    with pytest.raises(InvalidInput):
        store.release("sha256:../../etc/passwd")


def test_records_that_were_changed(store: ReadingStore, root: Path) -> None:
    """A device or an allocation is what the file's name says, or the question ends."""
    folder = root / "devices" / "site=osaka"
    path = only(folder)
    path.write_bytes(path.read_bytes().replace(b"GPU-1", b"GPU-9"))
    with pytest.raises(Corrupt, match="SHA-256"):
        local_store(root).devices.load("osaka")
