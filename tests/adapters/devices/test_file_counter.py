"""The file counter: durable steps, and nonsense is corrupt, never zero."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sekisho.adapters.devices import FileCounter
from sekisho.model.errors import Corrupt, StateConflict


def test_steps_are_read_back_by_another(tmp_path: Path) -> None:
    """Each step is one more, and whoever opens the file next reads it."""
    counter = FileCounter.create(tmp_path / "counter")
    assert counter.tier == "C0"
    assert [counter.read(), counter.step(), counter.step()] == [0, 1, 2]
    assert FileCounter(tmp_path / "counter").read() == 2
    assert (tmp_path / "counter").read_bytes() == b"2\n"


@pytest.mark.parametrize(
    "content", [b"", b"7", b"-1\n", b"01\n", b"1\n2\n", b"seven\n", b"\xff\n", b"9" * 30 + b"\n"]
)
def test_nonsense_is_corrupt(tmp_path: Path, content: bytes) -> None:
    """Anything but one number and a line feed stops the host, and stepping does not repair it."""
    path = tmp_path / "counter"
    path.write_bytes(content)
    with pytest.raises(Corrupt, match="enrol the host again"):
        FileCounter(path).read()
    with pytest.raises(Corrupt):
        FileCounter(path).step()
    assert path.read_bytes() == content


def test_a_missing_counter_is_corrupt(tmp_path: Path) -> None:
    """A counter that is gone does not begin again at zero."""
    with pytest.raises(Corrupt, match="cannot be read"):
        FileCounter(tmp_path / "counter").step()
    assert not (tmp_path / "counter").exists()


def test_a_counter_is_made_once(tmp_path: Path) -> None:
    """Creating over a counter is refused and leaves it."""
    FileCounter.create(tmp_path / "counter").step()
    with pytest.raises(StateConflict):
        FileCounter.create(tmp_path / "counter")
    assert FileCounter(tmp_path / "counter").read() == 1


def test_a_crash_before_the_rename_keeps_the_old_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that dies before its rename leaves the old number, and the next step goes on from it."""
    counter = FileCounter.create(tmp_path / "counter")
    counter.step()

    def die(_: Path, __: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", die)
        with pytest.raises(KeyboardInterrupt):
            counter.step()
    assert counter.read() == 1
    assert counter.step() == 2


def test_a_step_is_on_the_disk_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is synced before its rename and the folder after it."""
    counter = FileCounter.create(tmp_path / "counter")
    done: list[str] = []
    sync, replace = os.fsync, Path.replace

    def seen_sync(file: int) -> None:
        done.append("folder" if os.path.isdir(f"/proc/self/fd/{file}") else "file")  # noqa: PTH112
        sync(file)

    def seen_replace(path: Path, target: Path) -> Path:
        done.append("rename")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", seen_sync)
    monkeypatch.setattr(Path, "replace", seen_replace)
    counter.step()
    assert done == ["file", "rename", "folder"]
