"""The store in an S3-compatible object store: moto's server, on a loopback port."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow.fs as arrow  # type: ignore[import-untyped]  # it comes without types
import pytest
from moto.server import ThreadedMotoServer

from sekisho.adapters.telemetry.store import ReadingStore, StoreSettings, open_store
from sekisho.adapters.telemetry.store.files import LocalFiles
from sekisho.adapters.telemetry.store.object_files import ObjectFiles
from sekisho.adapters.telemetry.store.reading_store import open_files
from sekisho.model.errors import Corrupt, InvalidInput, StateConflict, Unavailable
from sekisho.model.instants import Instant
from sekisho.ports.tile_store import NotStored
from tests.adapters.telemetry.store.keeping import (
    NOON,
    RULES,
    US,
    everything,
    incoming,
    rows_of,
)

ALL = (Instant(0), Instant.parse("2100-01-01T00:00:00Z"))
LATER = NOON.plus(3 * 86_400)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """An S3 that anybody may write to."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture
def files(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[ObjectFiles]:
    """An empty place in a bucket of this test's own."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "example")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    bucket = f"bucket-{abs(hash(request.node.name)):x}"
    raw = arrow.S3FileSystem(
        endpoint_override=endpoint,
        scheme="http",
        region="us-east-1",
        allow_bucket_creation=True,
        allow_bucket_deletion=True,
    )
    raw.create_dir(bucket)
    opened = open_files(f"s3://{bucket}/fleet/telemetry?endpoint_override=http://{endpoint}")
    assert isinstance(opened, ObjectFiles)
    yield opened
    opened.close()
    raw.delete_dir(bucket)


@pytest.fixture
def store(files: ObjectFiles) -> ReadingStore:
    settings = StoreSettings(gather_s=0.0, bucket_rows=20, wait_s=0.5)
    return ReadingStore(files, settings=settings, rules=RULES)


def put(store: ReadingStore, rows: list[tuple[str, int, int | None]]) -> None:
    store.append("osaka", incoming(rows), received_us=NOON.us)


def test_rows_go_in_are_settled_and_found(store: ReadingStore) -> None:
    """The same promises as in a folder: nothing lost or doubled before, between and after compactions."""
    rows = rows_of(["GPU-1", "GPU-2", "GPU-3"], NOON, 20)
    put(store, rows[:30])
    put(store, rows[30:])
    assert everything(store) == sorted(rows)
    done = store.compact("osaka", now=LATER)
    assert (done.rows_in, done.removed) == (60, 0)
    assert everything(store) == sorted(rows)
    put(store, [("GPU-1", NOON.us + US, 9)])
    assert store.compact("osaka", now=LATER.plus(60)).days[0].late == 1
    assert len(everything(store)) == 61
    assert store.check().verdict == "holds"


def test_merged_segments_go_only_after_their_manifest_has_stood(store: ReadingStore) -> None:
    """Two compactors that both thought themselves alone may overwrite each other; the rows are still there to merge."""
    put(store, [("GPU-1", NOON.us, 1)])
    assert store.compact("osaka", now=LATER).removed == 0
    assert store.compact("osaka", now=LATER.plus(1_800)).removed == 0
    assert store.compact("osaka", now=LATER.plus(3_601)).removed == 1
    assert everything(store) == [("GPU-1", NOON.us, 1)]


def test_manifest_of_a_compactor_that_missed_rows_loses_none(
    store: ReadingStore, files: ObjectFiles
) -> None:
    """The slower of two writes a manifest without what the faster merged: the next run merges it again."""
    put(store, [("GPU-1", NOON.us, 1)])
    store.compact("osaka", now=LATER)
    stale = files.read("manifests/site=osaka/2026-03-14.json", 1 << 20)
    put(store, [("GPU-1", NOON.us + US, 2)])
    store.compact("osaka", now=LATER.plus(10))
    files.write_all([("manifests/site=osaka/2026-03-14.json", stale)])
    assert len(everything(store)) == 2
    store.compact("osaka", now=LATER.plus(20))
    assert everything(store) == [("GPU-1", NOON.us, 1), ("GPU-1", NOON.us + US, 2)]


def test_lease_keeps_a_second_compactor_out_until_it_is_given_back(
    store: ReadingStore, files: ObjectFiles
) -> None:
    """One works, another is told so; afterwards it may."""
    with files.hold("site=osaka", wait_s=1.0):
        with pytest.raises(StateConflict):
            store.compact("osaka", now=LATER)
        with files.hold("site=kobe", wait_s=1.0):
            pass
    assert store.compact("osaka", now=LATER).site == "osaka"


def test_never_do_two_hold_one_name(files: ObjectFiles) -> None:
    """Four threads that claim at once: at every moment one at most has it, and all get it in the end."""
    holding, most, done = 0, 0, 0
    guard = threading.Lock()

    def work() -> None:
        nonlocal holding, most, done
        with files.hold("site=osaka", wait_s=30.0):
            with guard:
                holding += 1
                most = max(most, holding)
            with guard:
                holding -= 1
                done += 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (most, done) == (1, 4)


def test_engine_reads_a_checked_copy(store: ReadingStore, files: ObjectFiles) -> None:
    """What an engine opens was fetched and has the digest that the manifest names; other bytes are refused."""
    put(store, [("GPU-1", NOON.us, 1)])
    store.compact("osaka", now=LATER)
    (part,) = store.partitions(*ALL)
    assert Path(part.readings[0].address).stat().st_size == part.readings[0].size
    put(store, [("GPU-1", NOON.us + US, 1)])
    store.compact("osaka", now=LATER)
    name = f"readings/site=osaka/day=2026-03-14/{part.readings[0].path.rpartition('/')[2]}"
    new = files.list_files("readings/site=osaka/day=2026-03-14")
    for entry in new:
        files.write_all([(f"readings/site=osaka/day=2026-03-14/{entry.name}", b"other bytes")])
    assert name in {f"readings/site=osaka/day=2026-03-14/{entry.name}" for entry in new}
    with pytest.raises(Corrupt):
        store.partitions(*ALL)


def test_raw_rows_are_dropped_and_come_back(store: ReadingStore) -> None:
    """Moving is copying and then taking away; undoing is the same backwards."""
    rows = rows_of(["GPU-1"], NOON, 3)
    put(store, rows)
    store.compact("osaka", now=LATER)
    trash = store.drop(store.plan_drops("2026-03-15"), now=LATER)
    assert store.partitions(*ALL)[0].readings == ()
    store.undo_drop(trash, now=LATER)
    store.undo_drop(trash, now=LATER)
    assert len(store.partitions(*ALL)[0].readings) == 1
    trash = store.drop(store.plan_drops("2026-03-15"), now=LATER)
    assert store.empty(trash, now=LATER) == 1


def test_missing_object_and_absent_store_are_told_apart(
    files: ObjectFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing there is an answer; a store that does not answer is to be tried again."""
    with pytest.raises(NotStored):
        files.read("manifests/site=a/2026-03-14.json", 10)
    assert files.list_files("segments/site=a") == []
    files.remove_all(["segments/site=a/x"])
    for path in ("../x", "a//b", "a/./b", ""):
        with pytest.raises(InvalidInput):
            files.read(path, 1)
    files.write_all([("locks/x", b"too long")])
    with pytest.raises(Corrupt):
        files.read("locks/x", 3)
    gone = open_store("s3://nowhere/x?endpoint_override=http://127.0.0.1:9")
    with pytest.raises(Unavailable):
        gone.sites()


@pytest.mark.parametrize(
    "address", ["http://x/y", "s3://", "s3://a/b?key=secret", "s3://user:pw@a/b", "file://host/x"]
)
def test_address_that_is_none_is_refused(address: str) -> None:
    """Credentials never stand in an address, and other stores are not known."""
    with pytest.raises(InvalidInput, match="--store"):
        open_files(address)


def test_file_address_is_a_folder(tmp_path: Path) -> None:
    """The same folder by its path and by its address."""
    opened = open_files(f"file://{tmp_path}/t")
    assert isinstance(opened, LocalFiles)
    assert opened.root == tmp_path / "t"
