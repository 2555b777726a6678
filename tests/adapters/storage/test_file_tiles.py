from __future__ import annotations

import os
from pathlib import Path

import pytest

from sekisho.adapters.storage import FileTileStore
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.ports.tile_store import NotStored


@pytest.fixture
def store(tmp_path: Path) -> FileTileStore:
    """An empty store."""
    return FileTileStore(tmp_path / "public")


def test_files_go_there_and_back(store: FileTileStore) -> None:
    """What was written is read, and replaced by what is written next."""
    for content in (b"", b"one", b"another"):
        store.write("tile/0/x001/234.p/5", content)
        assert store.read("tile/0/x001/234.p/5", 100) == content
    assert store.exists("tile/0/x001/234.p/5")


def test_missing_file_is_not_stored(store: FileTileStore) -> None:
    """No file, a folder, and a path through a file are all told as not there."""
    store.write("a/b", b"x")
    os.mkfifo(store.root / "pipe")
    for path in ("c", "a", "a/b/c", "pipe"):
        assert not store.exists(path)
        with pytest.raises(NotStored):
            store.read(path, 10)


def test_read_is_bounded(store: FileTileStore) -> None:
    """A file longer than the limit is refused, one of exactly that length is read."""
    store.write("a", b"x" * 10)
    assert len(store.read("a", 10)) == 10
    with pytest.raises(InvalidInput, match="longer than 9 bytes"):
        store.read("a", 9)


def test_write_syncs_file_and_folders_before_and_after_the_rename(
    store: FileTileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is: content synced, renamed, folder synced; new folders are synced in their parents."""
    store.write("first", b"x")
    done: list[str] = []
    real_sync, real_rename = os.fsync, Path.replace

    def sync(descriptor: int) -> None:
        done.append("folder" if Path(f"/proc/self/fd/{descriptor}").is_dir() else "file")
        real_sync(descriptor)

    def rename(path: Path, target: Path) -> Path:
        done.append("rename")
        return real_rename(path, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", rename)
    store.write("first", b"y")
    assert done == ["file", "rename", "folder"]
    done.clear()
    store.write("new/folder/file", b"z")
    assert done == ["folder", "folder", "file", "rename", "folder"]


def test_refused_write_leaves_the_old_file(
    store: FileTileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full keeps what was there, and no temporary file stays."""
    store.write("a", b"old")

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(Unavailable, match="No space"):
        store.write("a", b"new")
    monkeypatch.undo()
    assert store.read("a", 10) == b"old"
    assert sorted(path.name for path in store.root.iterdir()) == ["a"]
