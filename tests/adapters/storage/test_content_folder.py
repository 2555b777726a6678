from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.adapters.storage.content_folder import ContentFolder
from sekisho.model.errors import Corrupt, InvalidInput, Unavailable
from sekisho.model.wire import sha256_hex
from sekisho.ports.tile_store import NotStored


def test_a_content_lies_under_its_own_digest(tmp_path: Path) -> None:
    """It comes back as it was, is saved twice without harm, and only its owner may read it."""
    store = ContentFolder(tmp_path / "custody")
    name = store.save(b"sealed")
    assert name == sha256_hex(b"sealed") == store.save(b"sealed")
    assert store.load(name, 6) == b"sealed"
    assert store.has(name)
    assert (tmp_path / "custody").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "custody" / name).stat().st_mode & 0o777 == 0o600


def test_what_is_not_there_is_told_as_that(tmp_path: Path) -> None:
    """No folder, no file, and a folder of that name hold nothing."""
    store = ContentFolder(tmp_path / "custody")
    assert not store.has("0" * 64)
    with pytest.raises(NotStored):
        store.load("0" * 64, 10)
    (tmp_path / "custody" / ("0" * 64)).mkdir(parents=True)
    with pytest.raises(NotStored):
        store.load("0" * 64, 10)


def test_changed_or_oversized_bytes_are_corrupt(tmp_path: Path) -> None:
    """Whoever changes a content cannot have it taken for what it was."""
    store = ContentFolder(tmp_path)
    name = store.save(b"sealed")
    with pytest.raises(Corrupt, match="at most 5"):
        store.load(name, 5)
    (tmp_path / name).write_bytes(b"SEALED")
    with pytest.raises(Corrupt, match="changed"):
        store.load(name, 10)


def test_a_name_that_is_no_digest_never_becomes_a_path(tmp_path: Path) -> None:
    """The address in a disclosed field is somebody's word."""
    store = ContentFolder(tmp_path / "custody")
    (tmp_path / "secret").write_bytes(b"x")
    for name in ("../secret", "A" * 64, "", "0" * 63 + "\n"):
        with pytest.raises(InvalidInput):
            store.load(name, 10)


def test_a_link_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    """A planted link would lead elsewhere."""
    store = ContentFolder(tmp_path)
    (tmp_path / "elsewhere").write_bytes(b"sealed")
    (tmp_path / sha256_hex(b"sealed")).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotStored):
        store.load(sha256_hex(b"sealed"), 10)


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    """The batch waits until somebody mends it."""
    (tmp_path / "custody").write_bytes(b"a file")
    with pytest.raises(Unavailable):
        ContentFolder(tmp_path / "custody").save(b"sealed")
