"""A register whose process, server or disk fails while it saves: all of a change or nothing, and it goes on."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, Table

from sekisho.adapters.storage.register_engine import Rows
from sekisho.adapters.storage.register_sql import RegisterSql, open_register
from sekisho.adapters.storage.register_sqlite import SqliteRegister
from sekisho.model.errors import StateConflict, Unavailable
from sekisho.ports.register_store import Change
from tests.crashes.nursery import Nursery, open_nursery
from tests.crashes.small_disk import mounts
from tests.mounts import in_own_mounts
from tests.postgres import Server
from tests.registered import alert, chip, dump, line, movement, registering

ROOT = Path(__file__).parents[2]
GROUP = 7
KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where this test's register lies."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return str(tmp_path / "register.sqlite")


def group(number: int) -> Change:
    """Group `number`: seven new chips in a box, a shipment, an alert, lines, and the chips before them gone."""
    first = (number - 1) * GROUP + 1
    chips = list(range(first, first + GROUP))
    return registering(
        first,
        chips,
        number=number,
        contained={chip(n): "box" for n in chips},
        movements={f"26TW{number}": movement(f"26TW{number}", epcs=[chip(n) for n in chips])},
        alerts=[alert(first)],
        lines=[line(n, epc=chip(n)) for n in chips],
        gone=[chip(first - 1)] if number > 1 else [],
    )


def open_again(place: str) -> RegisterSql:
    """After a kill: a server may need a moment to notice."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return open_register(place)
        except (StateConflict, Unavailable):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def assert_groups(store: RegisterSql, groups: int, folder: Path) -> None:
    """What is there is what a register has in which these groups were saved and nothing ever failed."""
    assert store.load_numbers().event == groups * GROUP
    with open_register(folder / f"sound-{groups}.sqlite") as sound:
        if sound.load_numbers().event == 0:
            for number in range(1, groups + 1):
                sound.save(group(number))
        assert dump(store) == dump(sound)
        assert store.load_events(after=0, limit=999) == sound.load_events(after=0, limit=999)
        assert store.load_alerts(after=0, limit=999) == sound.load_alerts(after=0, limit=999)


def save_forever(place: str, first: str) -> None:
    """The process: group after group, each told on standard output once it is saved."""
    with open_again(place) as store:
        number = int(first)
        while True:
            store.save(group(number))
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()
            number += 1


def save_and_kill(place: str, first: int, most: int, dice: random.Random) -> int:
    """Let it save some groups, kill it at some moment; the last that it answered for."""
    command = [sys.executable, __file__, place, str(first)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    answered = first - 1
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for text in process.stdout:
            answered = int(text)
            if answered >= first + most:
                time.sleep(dice.random() * 0.02)
                process.kill()
                break
        answered = max([answered, *(int(text) for text in process.stdout)])
    assert answered >= first + most
    return answered


def test_a_killed_writer_leaves_whole_groups(
    place: str, tmp_path: Path, dice: random.Random
) -> None:
    """Everything answered for is there; of the group under way all or nothing; the next process goes on."""
    saved = 0
    for _ in range(2):
        answered = save_and_kill(place, saved + 1, dice.randrange(1, 12), dice)
        with open_again(place) as store:
            saved = store.load_numbers().batch
            assert saved in {answered, answered + 1}
            assert_groups(store, saved, tmp_path)


@pytest.mark.soak
def test_killed_writers_leave_whole_groups_fifty_times(
    place: str, tmp_path: Path, dice: random.Random
) -> None:
    """The same, fifty kills of one register."""
    saved = 0
    for _ in range(50):
        answered = save_and_kill(place, saved + 1, dice.randrange(1, 5), dice)
        with open_again(place) as store:
            saved = store.load_numbers().batch
            assert saved in {answered, answered + 1}
    with open_again(place) as store:
        assert_groups(store, saved, tmp_path)


class StoppedError(Exception):
    """Where a test stops a save."""


def test_a_save_that_stops_at_any_step_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before each of its insertions in turn: the register is as before, and the same change goes through after it."""
    real = SqliteRegister.put
    left = [0]

    def stopping(
        self: SqliteRegister, connection: Connection, table: Table, rows: Rows, ending: str = ""
    ) -> None:
        if rows:
            left[0] -= 1
            if left[0] < 0:
                raise StoppedError
        real(self, connection, table, rows, ending)

    with open_register(tmp_path / "register.sqlite") as store:
        store.save(group(1))
        before = dump(store)
        steps, is_saved = 0, False
        with monkeypatch.context() as patch:
            patch.setattr(SqliteRegister, "put", stopping)
            while not is_saved:
                left[0] = steps
                with suppress(StoppedError):
                    store.save(group(2))
                    is_saved = True
                if not is_saved:
                    steps += 1
                    assert (dump(store), store.load_numbers().event) == (before, GROUP)
                    assert len(store.load_captures(after="", limit=9)) == 1
        assert steps > 10
        assert_groups(store, 2, tmp_path)


@pytest.mark.postgres
def test_a_server_that_crashes_is_away_for_a_while(
    postgres_server: Server, postgres_url: str, tmp_path: Path
) -> None:
    """While it is down saving and reading are unavailable; then both go on, and nothing is lost or doubled."""
    with open_register(postgres_url) as store:
        store.save(group(1))
        postgres_server.stop()
        try:
            with pytest.raises(Unavailable) as refused:
                store.save(group(2))
            assert refused.value.remedy
            with pytest.raises(Unavailable):
                store.load_numbers()
        finally:
            postgres_server.start()
        save_patiently(store, group(2))
        assert_groups(store, 2, tmp_path)


def save_patiently(store: RegisterSql, change: Change) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            store.save(change)
            return
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_a_register_has_one_writer_and_any_number_of_readers(place: str) -> None:
    """A second process that would write is told what to do; one that reads sees what was saved, and cannot write."""
    with open_register(place) as store, open_register(place, writes=False) as reader:
        with pytest.raises(StateConflict) as refused:
            open_register(place)
        assert refused.value.remedy
        store.save(group(1))
        assert reader.load_numbers().event == GROUP
        assert dump(reader) == dump(store)
        with pytest.raises(StateConflict, match="to be read"):
            reader.save(group(2))
    with open_again(place) as store:
        store.save(group(2))


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """Where scenarios run and mount what nobody else sees."""
    with open_nursery("tests.crashes.register_small_disk", in_own_mounts) as nursery:
        yield nursery


@pytest.mark.mounts
@pytest.mark.parametrize("scenario", ["full", "full_at_opening", "read_only"])
def test_a_disk_that_refuses_loses_nothing(nursery: Nursery, scenario: str) -> None:
    """Full in the middle or at the first opening, or read-only: said so, and gone on when it can be written."""
    with tempfile.TemporaryDirectory(prefix="sekisho-disk-") as name:
        (Path(name) / "small").mkdir()
        with nursery.child("play", scenario, f"{name}/small", mounts()) as child:
            told = child.lines.read()
    assert told.endswith("passed\n"), told


if __name__ == "__main__":
    save_forever(*sys.argv[1:])
