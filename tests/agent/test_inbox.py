"""The inbox of an agent's home: dropped whole, read bounded, answered once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sekisho.agent.inbox import MAX_FILE, Inbox, Outcome, drop, find_outcome, load_request
from sekisho.model.errors import InvalidInput

TOKEN = "a" * 32


def test_a_dropped_file_is_seen_and_its_answer_found_once(tmp_path: Path) -> None:
    """The file goes with the answer, the answer with the reading."""
    inbox = Inbox(tmp_path)
    name = drop(tmp_path, b"{}", token=TOKEN)

    assert inbox.look() == [(name, b"{}")]
    assert find_outcome(tmp_path, name) is None
    inbox.answer(name, Outcome(taken=True, lease=7))
    assert inbox.look() == []
    assert find_outcome(tmp_path, name) == Outcome(taken=True, lease=7)
    assert list((tmp_path / "inbox").iterdir()) == []


def test_nobody_else_may_look_into_the_inbox(tmp_path: Path) -> None:
    """A lease's disclosures are private."""
    Inbox(tmp_path)
    name = drop(tmp_path, b"{}", token=TOKEN)

    assert (tmp_path / "inbox").stat().st_mode & 0o077 == 0
    assert (tmp_path / "inbox" / name).stat().st_mode & 0o077 == 0


def test_a_home_without_inbox_is_bad_input(tmp_path: Path) -> None:
    """No agent has run there."""
    with pytest.raises(InvalidInput, match="no agent has run there"):
        drop(tmp_path, b"{}", token=TOKEN)


def spoil(path: Path, how: str) -> None:
    if how == "link":
        path.symlink_to("/etc/passwd")
    elif how == "pipe":
        os.mkfifo(path)
    elif how == "folder":
        path.mkdir()
    elif how == "writable":
        path.write_bytes(b"{}")
        path.chmod(0o666)
    else:
        path.write_bytes(b"x" * (MAX_FILE + 1))


@pytest.mark.parametrize("how", ["link", "pipe", "folder", "writable", "huge"])
def test_what_is_no_plain_file_of_the_host_s_own_is_refused(tmp_path: Path, how: str) -> None:
    """It is answered by an error, and the agent neither waits nor follows."""
    inbox = Inbox(tmp_path)
    spoil(tmp_path / "inbox" / f"{TOKEN}.json", how)

    ((_, found),) = inbox.look()
    assert isinstance(found, InvalidInput)


def test_an_inbox_that_is_flooded_is_read_bit_by_bit(tmp_path: Path) -> None:
    """Sixteen files a look, and nothing whose name is not one that `drop` gives."""
    inbox = Inbox(tmp_path)
    for number in range(40):
        drop(tmp_path, b"{}", token=f"{number:032x}")
    (tmp_path / "inbox" / "other.json").write_bytes(b"{}")

    assert len(inbox.look()) == 16


def test_the_request_that_waits_is_read_from_the_home(tmp_path: Path) -> None:
    """None where there is none, or where it was answered."""
    assert load_request(tmp_path) is None
    (tmp_path / "request.dsse").write_bytes(b"")
    assert load_request(tmp_path) is None
    (tmp_path / "request.dsse").write_bytes(b"{}")
    assert load_request(tmp_path) == b"{}"
