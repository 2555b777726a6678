"""Attacks by way of the inbox: files that make the agent large or late, answers that find no room, names that stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.agent import inbox as inbox_module
from sekisho.agent.inbox import MAX_FILE, MAX_WAITING, Inbox, Outcome, drop, find_outcome


def token(number: int) -> str:
    return f"{number:032x}"


def test_many_files_of_the_greatest_size_come_one_at_a_time(tmp_path: Path) -> None:
    """Sixteen of them at once would be larger than the agent may grow."""
    inbox = Inbox(tmp_path)
    for number in range(3):
        drop(tmp_path, b"x" * MAX_FILE, token=token(number))
    drop(tmp_path, b"{}", token=token(3))
    seen = []
    while found := inbox.look():
        assert sum(len(raw) for _, raw in found if isinstance(raw, bytes)) <= MAX_FILE
        for name, _ in found:
            seen.append(name)
            inbox.answer(name, Outcome(taken=False))
    assert seen == [f"{token(number)}.json" for number in range(4)]


def test_a_file_that_cannot_be_answered_on_a_full_disk_is_taken_in_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the disk is full the agent does not judge it again and again; the answer comes when there is room."""
    inbox = Inbox(tmp_path)
    name = drop(tmp_path, b"{}", token=token(1))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(inbox_module, "_write_whole", full)
        assert [found for found, _ in inbox.look()] == [name]
        inbox.answer(name, Outcome(taken=True, lease=7))
        assert inbox.look() == []
        assert inbox.look() == []
    assert find_outcome(tmp_path, name) is None
    assert inbox.look() == []
    assert find_outcome(tmp_path, name) == Outcome(taken=True, lease=7)
    assert list((tmp_path / "inbox").iterdir()) == []


def test_names_that_cannot_be_taken_away_bar_nobody(tmp_path: Path) -> None:
    """As many folders as one look takes in, first by name: the real file behind them is still met."""
    inbox = Inbox(tmp_path)
    for number in range(MAX_WAITING):
        (tmp_path / "inbox" / f"{token(number)}.json").mkdir()
    real = drop(tmp_path, b"{}", token=token(99))
    for name, _ in inbox.look():
        inbox.answer(name, Outcome(taken=False))
    assert inbox.look() == [(real, b"{}")]
