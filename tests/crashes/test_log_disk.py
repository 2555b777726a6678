"""A full disk, a read-only folder: the log says so, loses nothing, and goes on when there is room again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crashes.nursery import Nursery, open_nursery
from tests.crashes.small_disk import mounts
from tests.mounts import in_own_mounts

pytestmark = [pytest.mark.mounts, pytest.mark.slow]


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """Where the scenarios run and mount what nobody else sees."""
    with open_nursery("tests.crashes.small_disk", in_own_mounts) as nursery:
        yield nursery


def play(scenario: str, nursery: Nursery) -> str:
    """Run a scenario of small_disk.py; what it said."""
    with tempfile.TemporaryDirectory(prefix="sekisho-disk-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # a server runs as its own account
        (folder / "small").mkdir()
        with nursery.child("play", scenario, str(folder / "small"), mounts()) as child:
            told = child.lines.read()
    assert told.endswith("passed\n"), told
    return told


@pytest.mark.parametrize("scenario", ["full_database", "full_tiles"])
def test_full_disk_refuses_and_goes_on_after_room_is_made(nursery: Nursery, scenario: str) -> None:
    """Entries are refused one by one, nothing answered is lost, and neither is anything doubled."""
    assert "refused:" in play(scenario, nursery)


def test_full_disk_at_the_first_opening(nursery: Nursery) -> None:
    """A log that cannot begin says what it needs, and begins when it has it."""
    play("full_at_opening", nursery)


def test_read_only_folder(nursery: Nursery) -> None:
    """A folder that may not be written is named, new log or old."""
    play("read_only", nursery)


@pytest.mark.postgres
def test_full_disk_of_the_server(nursery: Nursery) -> None:
    """PostgreSQL without room for its journal is a server that is away for a while."""
    assert "refused:" in play("full_server", nursery)
