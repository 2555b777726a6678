from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sekisho.adapters.keys.secret_files import MAX_SECRET_FILE, create_secret_file, load_secret_file
from sekisho.adapters.keys.tag_keys import create_tag_key, load_tag_key
from sekisho.model.errors import InvalidInput, StateConflict


def test_a_tag_key_comes_back_and_is_its_owners_alone(tmp_path: Path) -> None:
    """The same tags after reading, mode 0600, another key each time."""
    path, other = tmp_path / "registry.tag", tmp_path / "other.tag"
    made = create_tag_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_tag_key(path).tag("serial", "A1") == made.tag("serial", "A1")
    assert create_tag_key(other).tag("serial", "A1") != made.tag("serial", "A1")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """The message says how to mend it, and quotes nothing of the file."""
    path = tmp_path / "registry.tag"
    create_tag_key(path)
    path.chmod(mode)
    with pytest.raises(InvalidInput, match="others can read") as caught:
        load_tag_key(path)
    assert f"chmod 600 {path}" in caught.value.remedy
    assert path.read_text().split()[1] not in str(caught.value)


def test_a_secret_is_never_overwritten(tmp_path: Path) -> None:
    """Neither a key nor anything else that lies there."""
    path = tmp_path / "registry.tag"
    create_tag_key(path)
    before = path.read_bytes()
    with pytest.raises(StateConflict, match="already there"):
        create_tag_key(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"sekisho-tag-key-v1",
        b"sekisho-tag-key-v1 AAAA\n",
        b"sekisho-tag-key-v2 " + b"A" * 43 + b"=\n",
        b"sekisho-tag-key-v1 " + b"A" * 43 + b"=",
        b"sekisho-tag-key-v1 " + b"A" * 42 + b"B=\n",
        b"-----BEGIN PRIVATE KEY-----\n",
        b"\xff\xfe",
    ],
)
def test_a_cut_or_foreign_file_is_no_tag_key(tmp_path: Path, data: bytes) -> None:
    """A key that a crash left half written is refused by name."""
    path = tmp_path / "registry.tag"
    create_secret_file(path, data)
    with pytest.raises(InvalidInput, match=r"registry\.tag: is not a tag key"):
        load_tag_key(path)


def test_reading_is_bounded_and_names_the_file(tmp_path: Path) -> None:
    """A huge file is not taken into memory, a missing one is named."""
    path = tmp_path / "huge"
    create_secret_file(path, bytes(MAX_SECRET_FILE + 1))
    with pytest.raises(InvalidInput, match="too long"):
        load_secret_file(path)
    with pytest.raises(InvalidInput, match="missing: cannot be read"):
        load_secret_file(tmp_path / "missing")
