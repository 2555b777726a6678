"""The commands of docs/guide/orders-by-hand.md, as they stand there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from sekisho.signing import parse_envelope
from tests.cli.ceremonies import KeyHolder, phrase_of
from tests.cli.test_order import answering
from tests.desks import TestDesk

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "orders-by-hand.md"
CONTROL = "http://127.0.0.1:8750"


def commands() -> list[list[str]]:
    blocks = re.findall(r"^```sh\n(.*?)^```", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line]


def payload_of(path: Path) -> bytes:
    data = path.read_bytes()
    return parse_envelope(data).payload if b'"payloadType"' in data else data


def test_every_command_of_the_guide_runs_in_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first key to the resume, against a real desk; whoever signs types the phrase."""
    holder = KeyHolder(tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    for name in ("authority-1", "authority-2", "authority-3", "verifier-1"):
        holder.key(name)
    with TestDesk(tmp_path) as desk:
        desk.licensed()
        desk.cosigned()
        holder.trust(desk.root)
        holder.set_clock(desk.clock.now())
        for words in commands():
            assert words[0] == "sekisho"
            if words[1:3] == ["order", "issue"]:
                _issue(holder, desk, words[1:])
                continue
            signing = words[1:3] == ["order", "sign"]
            typed = phrase_of(payload_of(tmp_path / words[3])) + "\n" if signing else ""
            assert holder.call(*words[1:], typed=typed) == 0, words
        assert desk.desk.state.orders.heads["pause/JP"].number == 1


def _issue(holder: KeyHolder, desk: TestDesk, words: list[str]) -> None:
    envelope = Path(words[2]).read_bytes()
    admitted = desk.desk.admit(envelope)
    placed = {
        "index": admitted.index,
        "leaf": admitted.leaf,
        "digest": admitted.digest,
        "fresh": True,
    }
    with answering(200, placed) as (url, sent):
        assert holder.call(*[word.replace(CONTROL, url) for word in words]) == 0
    assert sent == [envelope]
    desk.cosigned()
