"""A power cut at every durable step of an update: the release before is whole and current, or the new one is."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from sekisho.model.errors import Unavailable
from tests.crashes.discarding_disk import Fuse, PowerCut
from tests.released import Updating, make_tar

FILES = {"sekisho/__init__.py": b"# the new one\n", "sekisho/a.py": b"a = 1\n" * 500}
STEPS = ((os, "fsync"), (os, "replace"), (Path, "rename"), (Path, "symlink_to"), (Path, "mkdir"))
MENDING = ((shutil, "rmtree"), (Path, "unlink"))
MAX_STEPS = 120


@contextmanager
def fused(monkeypatch: pytest.MonkeyPatch, fuse: Fuse) -> Iterator[None]:
    """Every durable step goes through the fuse; once it is blown, nothing tidies up any more."""

    def guarded(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **named: fuse.guard(name, lambda: real(*args, **named))

    def halted(real: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **named: None if fuse.is_blown else real(*args, **named)

    with monkeypatch.context() as patched:
        for place, name in STEPS:
            patched.setattr(place, name, guarded(name, getattr(place, name)))
        for place, name in MENDING:
            patched.setattr(place, name, halted(getattr(place, name)))
        yield


def is_whole(updating: Updating, sequence: int) -> bool:
    folder = updating.home / "releases" / str(sequence)
    found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return found == (FILES if sequence == 2 else {"sekisho/__init__.py": b"# 1\n"})


def host(folder: Path) -> Updating:
    """A host whose release 1 is current, and 2 on offer."""
    updating = Updating(folder)
    updating.release(1)
    assert updating.update() == "newer"
    updating.release(2, make_tar(FILES, mode="w:gz"))
    return updating


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_power_cut_at_every_step(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, after: bool
) -> None:
    """Whatever `current` leads to is whole; what came before is untouched; the next update ends what was begun."""
    (tmp_path / "template").mkdir()
    updating = host(tmp_path / "template")
    template = updating.home
    seen: set[int] = set()
    names: list[str] = []
    for step in range(MAX_STEPS):
        home = Path(tempfile.mkdtemp(dir=tmp_path)) / "home"
        shutil.copytree(template, home, symlinks=True)
        home.chmod(0o700)
        updating.home = home
        fuse = Fuse(step, after=after)
        with fused(monkeypatch, fuse), suppress(PowerCut):
            updating.update()
        current = int((home / "current").readlink().name)
        seen.add(current)
        names = fuse.names
        assert is_whole(updating, 1)
        assert is_whole(updating, current), f"after {fuse.names[-1]}"
        assert updating.update() in ("newer", "unfinished", "current")
        assert (home / "current").readlink().name == "2"
        assert is_whole(updating, 2)
        left = {p.name for p in (home / "releases").iterdir()}
        assert left == {"1", "2"}, f"after {fuse.names[-1]}"
        if not fuse.is_blown:
            break
    assert not fuse.is_blown, "more steps than were tried"
    assert seen == {1, 2}
    assert {"fsync", "rename", "symlink_to", "mkdir"} <= set(names)


def test_the_order_of_the_last_steps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The folder is in place and synced before it is written down, and that before `current` moves."""
    updating = host(tmp_path)
    fuse = Fuse()
    with fused(monkeypatch, fuse):
        assert updating.update() == "newer"
    place = ["rename", "fsync"]
    write_down = ["fsync", "replace", "fsync"]
    switch = ["symlink_to", "rename", "fsync"]
    assert fuse.names[-8:] == [*place, *write_down, *switch]


def test_disk_full_while_unpacking(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A disk that refuses leaves the release before as it was, and says what to do."""
    updating = host(tmp_path)
    real = os.fsync
    calls: list[int] = []

    def refuse(descriptor: int) -> None:
        calls.append(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if path.name == "a.py":
            raise OSError(28, "No space left on device", str(path))
        real(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refuse)
        with pytest.raises(Unavailable, match="No space left"):
            updating.update()
    assert updating.shelf().current == 1
    assert [p.name for p in (updating.home / "releases").iterdir()] == ["1"]
    assert updating.update() == "newer"
