"""A link planted where a log tidies up must not lead it to empty somebody else's folder."""

from __future__ import annotations

from pathlib import Path

from sekisho.adapters.storage import FileTileStore


def test_a_link_in_the_place_of_partial_tiles(tmp_path: Path) -> None:
    """What lies behind the link stays, and so does the link."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "key.pem").write_bytes(b"key")
    store = FileTileStore(tmp_path / "log")
    store.write("tile/0/000", b"hashes")
    (tmp_path / "log/tile/0/000.p").symlink_to(precious)
    store.drop_folder("tile/0/000.p")
    assert (precious / "key.pem").read_bytes() == b"key"


def test_partial_tiles_still_go(tmp_path: Path) -> None:
    """A folder that is one is emptied and taken away."""
    store = FileTileStore(tmp_path)
    store.write("tile/0/000.p/7", b"hashes")
    store.drop_folder("tile/0/000.p")
    assert not (tmp_path / "tile/0/000.p").exists()
