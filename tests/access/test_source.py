"""The picture as a file: signed, whole, fresh, and never an older one."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sekisho.access.picture import AccessPicture
from sekisho.access.shown import ForgedPicture, parse_picture, sign_picture
from sekisho.access.source import PictureFile
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.signing import Ed25519Signer
from tests.factory import HOST, NOW, signer

PICTURE = AccessPicture(host="host-1", log="log", sequence=7, written=NOW, until=NOW.plus(60))


class Shelf:
    """A file with pictures, its reader, and both clocks by hand."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "access.json"
        self.elapsed = 100.0
        self.now = NOW
        self.file = PictureFile(
            self.path, HOST.public, elapsed_s=lambda: self.elapsed, now=lambda: self.now
        )

    def put(self, picture: AccessPicture, by: Ed25519Signer = HOST) -> None:
        beside = self.path.with_suffix(".new")
        beside.write_bytes(sign_picture(picture, by))
        beside.replace(self.path)
        self.advance(1)

    def advance(self, seconds: float) -> None:
        self.elapsed += seconds
        self.now = self.now.plus(seconds)

    def sequence(self) -> int | None:
        found = self.file.current()
        return found.sequence if found is not None else None


def changed(**fields: object) -> AccessPicture:
    return msgspec.structs.replace(PICTURE, **fields)


def test_a_picture_there_and_back() -> None:
    """What was signed is what is read."""
    assert parse_picture(sign_picture(PICTURE, HOST), HOST.public) == PICTURE


def test_another_key_or_a_changed_byte_is_refused() -> None:
    """Only the access point's own key says what is allowed."""
    raw = sign_picture(PICTURE, HOST)
    with pytest.raises(ForgedPicture):
        parse_picture(raw, signer("stranger").public)
    with pytest.raises((ForgedPicture, InvalidInput)):
        parse_picture(raw.replace(b'"payload":"ey', b'"payload":"eX', 1), HOST.public)


def test_a_newer_picture_is_taken_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    """Garbage in its place: what was believed goes on until it runs out, and then nothing does."""
    shelf = Shelf(tmp_path)
    assert shelf.sequence() is None
    shelf.put(PICTURE)
    assert shelf.sequence() == 7
    shelf.path.write_bytes(b"{}")
    shelf.advance(1)
    assert shelf.sequence() == 7
    assert shelf.file.problem
    shelf.put(changed(sequence=8, written=shelf.now, until=shelf.now.plus(60)))
    assert shelf.sequence() == 8


def test_a_picture_runs_out_by_the_clock_that_nobody_sets(tmp_path: Path) -> None:
    """A system clock set back lengthens nothing, one set ahead shortens."""
    shelf = Shelf(tmp_path)
    shelf.put(PICTURE)
    shelf.now = Instant(0)
    assert shelf.sequence() == 7
    shelf.elapsed += 61
    assert shelf.sequence() is None


def test_a_picture_found_after_its_time_is_not_believed(tmp_path: Path) -> None:
    """A server that starts beside an old file serves nobody."""
    shelf = Shelf(tmp_path)
    shelf.advance(60)
    shelf.put(PICTURE)
    assert shelf.sequence() is None
