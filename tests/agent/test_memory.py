"""What a host finds when it wakes, from files that agree, that lag by one write, and that were set back."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.adapters.storage.host_folder import HostFolder
from sekisho.agent.memory import Memory
from sekisho.agent.receipts import Notes, give_receipt
from tests.factory import HOST, NOW
from tests.fakes import FakeCounter, FakeFiles


def memory(files: FakeFiles, counter: FakeCounter) -> Memory:
    return Memory(files, counter, "host-1")


def grown(files: FakeFiles, counter: FakeCounter, receipts: int = 3) -> Memory:
    """A memory with a few receipts in it."""
    kept = memory(files, counter)
    kept.open("boot-1")
    for _ in range(receipts):
        given = give_receipt(
            Notes(stage="quantum", state="running"),
            kept.state,
            host="host-1",
            run="run-1",
            tier="C0",
            heads=(),
            now=NOW,
            signer=HOST,
        )
        kept.record(given, kept.state)
    return kept


def test_a_fresh_home_is_sound() -> None:
    """Nothing written yet is a beginning, not a rollback."""
    assert memory(FakeFiles(), FakeCounter()).open("boot-1").start == "sound"


def test_what_was_recorded_is_there_again() -> None:
    """State, receipts and what is not delivered survive; delivered ones are not sent again."""
    files, counter = FakeFiles(), FakeCounter()
    kept = grown(files, counter)
    kept.deliver(1)
    kept.deliver(2)

    woken = memory(files, counter)
    assert woken.open("boot-1").start == "sound"
    assert woken.state.sequence == 3
    assert list(woken.pending) == [3]


def test_another_boot_is_told() -> None:
    """A host that was rebooted says so, since its elapsed time began anew."""
    files, counter = FakeFiles(), FakeCounter()
    grown(files, counter)

    assert memory(files, counter).open("boot-2").start == "rebooted"


@pytest.mark.parametrize("name", ["state.json", "receipts.jsonl"])
def test_a_file_from_the_past_is_a_rollback(name: str) -> None:
    """Either file put back by more than one write is found against the other."""
    files, counter = FakeFiles(), FakeCounter()
    grown(files, counter, 1)
    old = files.files[name]
    again = memory(files, counter)
    again.open("boot-1")
    grown(files, counter, 2)
    files.files[name] = old

    woken = memory(files, counter)
    assert woken.open("boot-1").start == "rolled-back"
    assert woken.state.sequence == 3
    assert woken.state.lease is None


def test_a_torn_last_receipt_is_taken_away(tmp_path: Path) -> None:
    """A line that a crash cut off was never acted on, and the next append does not continue it."""
    folder = HostFolder(tmp_path / "home")
    folder.append("lines", b"one")
    with (tmp_path / "home/lines").open("ab") as file:
        file.write(b"tor")

    assert list(folder.load_lines("lines")) == [b"one"]
    folder.append("lines", b"two")
    assert list(folder.load_lines("lines")) == [b"one", b"two"]


def test_a_file_of_one_torn_line_is_empty(tmp_path: Path) -> None:
    """The first append cut off leaves nothing."""
    folder = HostFolder(tmp_path)
    (tmp_path / "lines").write_bytes(b"torn")

    assert list(folder.load_lines("lines")) == []
