"""Lies about an identifier: registered twice in another spelling, tagged under another key, guessed by a stranger."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sekisho.ledger.sequencer import Submission
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.signing.tag import TagKey, unique_key
from tests.desks import TestDesk

REGISTRY = TagKey(hashlib.sha256(b"registry").digest())
SERIAL = "SN-0042"


def submission(desk: TestDesk, number: int, tag: str) -> Submission:
    """Some registration with this tag, each with its own payload."""
    raw = desk.charter_envelope.raw + bytes(number)
    return Submission(
        envelope=raw,
        payload_sha256=hashlib.sha256(raw).digest(),
        unique=(unique_key("serial", tag),),
    )


def test_one_serial_in_two_spellings_is_registered_once(tmp_path: Path) -> None:
    """The log itself refuses the second: nothing of the serial stands in it, only its tag."""
    with TestDesk(tmp_path) as desk:
        first = submission(desk, 1, REGISTRY.tag("serial", SERIAL))
        desk.sequencer.append_one(first)
        for number, spelling in enumerate(
            ("sn-0042", " \uff33\uff2e\uff0d0042", "SN\u20130042"), 2
        ):
            again = submission(desk, number, REGISTRY.tag("serial", spelling))
            with pytest.raises(StateConflict, match="tag:serial:"):
                desk.sequencer.append_one(again)
        desk.sequencer.append_one(submission(desk, 9, REGISTRY.tag("serial", "SN-0043")))
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert SERIAL.encode() not in files


def test_a_tag_under_another_key_is_not_this_registrys(tmp_path: Path) -> None:
    """Somebody else's tag of the same serial is no proof, and does not collide."""
    stranger = TagKey(hashlib.sha256(b"stranger").digest())
    tag = stranger.tag("serial", SERIAL)
    assert tag != REGISTRY.tag("serial", SERIAL)
    assert not REGISTRY.is_tag(tag, "serial", SERIAL)
    with TestDesk(tmp_path) as desk:
        desk.sequencer.append_one(submission(desk, 1, REGISTRY.tag("serial", SERIAL)))
        desk.sequencer.append_one(submission(desk, 2, tag))


def test_a_list_of_all_serials_does_not_open_a_tag() -> None:
    """Without the key a dictionary of plain or keyed-by-nothing hashes never meets the tag."""
    tag = REGISTRY.tag("serial", SERIAL)
    empty = TagKey(bytes(32))
    for number in range(200):
        guess = f"SN-{number:04}"
        assert hashlib.sha256(guess.encode()).hexdigest() != tag
        assert empty.tag("serial", guess) != tag


def test_a_look_alike_serial_is_refused_not_tagged() -> None:
    """Letters of other scripts that a person cannot tell from the real ones."""
    for spelling in ("\u0405N-0042", "S\u039d-0042", "SN-\u041e042", "SN-0042\u0301"):
        with pytest.raises(InvalidInput, match="ASCII"):
            REGISTRY.tag("serial", spelling)


def test_a_tag_of_one_scheme_does_not_stand_for_another() -> None:
    """A tag carried over from the registry of boards to that of chips."""
    tag = REGISTRY.tag("board", SERIAL)
    assert unique_key("board", tag) != unique_key("chip", tag)
    assert not REGISTRY.is_tag(tag, "chip", SERIAL)
