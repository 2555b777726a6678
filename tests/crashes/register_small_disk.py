"""A register on a small file system of its own: run by test_register_store.py in a private mount namespace."""

from __future__ import annotations

import subprocess
from itertools import count
from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.storage.register_sql import RegisterSql, open_register
from sekisho.model.errors import SekishoError, Unavailable
from tests.crashes.small_disk import mount, mounts, remount, tell
from tests.registered import chip, event, registering

GROUP = 20


def play(scenario: str, folder: str, others: str) -> None:
    """A scenario by its name, in other mounts than `others`; the last line says that it went as it should."""
    assert mounts() != others, "this would mount for everybody"
    try:
        globals()[scenario](Path(folder))
    finally:
        # The name of the mount point is busy for everybody until then.
        subprocess.run(["umount", "--lazy", folder], check=True)
    tell("passed")


def save_group(store: RegisterSql, number: int) -> None:
    """Group `number` of chips, with documents of four kilobytes that do not shrink."""
    first = (number - 1) * GROUP + 1
    change = registering(first, list(range(first, first + GROUP)), number=number)
    noisy = [msgspec.structs.replace(r, document=_noise(r.number)) for r in change.events]
    store.save(msgspec.structs.replace(change, events=noisy))


def _noise(number: int) -> bytes:
    return b"".join(event(number, word=f"{number} {n}").key for n in range(125))


def fill(store: RegisterSql, first: int) -> tuple[int, SekishoError]:
    """Save groups until one is refused; its number, and what was said."""
    for number in count(first):
        try:
            save_group(store, number)
        except SekishoError as error:
            return number, error
        assert number < 10_000, "the disk never filled"
    raise AssertionError


def assert_holds(store: RegisterSql, groups: int) -> None:
    """Every group that was answered for is there whole, nothing of any other is."""
    wanted = groups * GROUP
    numbers = store.load_numbers()
    assert (numbers.event, numbers.effect, numbers.batch) == (wanted, wanted, groups)
    assert sum(held.count for held in store.count_holdings([])) == wanted
    found = [at.epc for at in store.iterate_standings()]
    assert found == [chip(n) for n in range(1, wanted + 1)]
    assert [row.document for row in store.load_events(after=0, limit=3)] == [
        _noise(n) for n in range(1, 4)
    ]


def full(folder: Path) -> None:
    """A disk that fills: refused, refused again, read all the while, going on when there is room, and reopened."""
    mount(folder, "size=24m")
    # Room for the journal to be brought over, which needs as much again until it is done.
    (folder / "ballast").write_bytes(bytes(16 << 20))
    path = folder / "register.sqlite"
    with open_register(path) as store:
        refused, error = fill(store, 1)
        assert isinstance(error, Unavailable), repr(error)
        assert error.remedy
        tell(f"refused: {error}")
        with pytest.raises(Unavailable):
            save_group(store, refused)
        assert_holds(store, refused - 1)
        (folder / "ballast").unlink()
        save_group(store, refused)
        assert_holds(store, refused)
    with open_register(path) as store:
        assert_holds(store, refused)
        save_group(store, refused + 1)
        assert_holds(store, refused + 1)


def full_at_opening(folder: Path) -> None:
    """No room to begin: said so, and begun once there is."""
    mount(folder, "size=1m")
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(bytes(4096))
            except OSError:
                break
    with pytest.raises(Unavailable) as refused:
        open_register(folder / "register.sqlite")
    assert refused.value.remedy
    ballast.unlink()
    with open_register(folder / "register.sqlite") as store:
        assert store.load_numbers().event == 0


def read_only(folder: Path) -> None:
    """A folder that may not be written: refused to write, and named."""
    mount(folder, "size=8m")
    with open_register(folder / "register.sqlite") as store:
        save_group(store, 1)
    remount(folder, "ro")
    with pytest.raises(Unavailable, match="Read-only"):
        open_register(folder / "register.sqlite")
    remount(folder, "rw")
    with open_register(folder / "register.sqlite") as store:
        assert_holds(store, 1)
