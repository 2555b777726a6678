"""The published copy against a log that was put back, forked or swapped: the copy is never made to follow it."""

from __future__ import annotations

import pytest

from sekisho.ledger import LogReader
from sekisho.ledger.copying import CopyDiverged, PublishedCopy
from sekisho.model.errors import SekishoError
from sekisho.signing.notes import NoteSigner
from tests.ledger import reference
from tests.ledger.logs import LOG, W1, W2, MemoryTiles, numbered, policy, private_key, tiled

SIGNERS = (LOG, W1, W2)


def keeper(store: MemoryTiles, copy: MemoryTiles, *keys: NoteSigner) -> PublishedCopy:
    """A published copy, not started."""
    trusted = [signer.verifier for signer in keys or (LOG,)]
    return PublishedCopy(source=store, copy=copy, keys=trusted, refuse=lambda _: None)


def try_copy(store: MemoryTiles, copy: MemoryTiles) -> SekishoError:
    """What the copy answers to the log's newest head; nothing of the copy may change."""
    before = dict(copy.files)
    with pytest.raises(CopyDiverged) as caught:
        keeper(store, copy).copy_once(LogReader(store).load_checkpoint(policy()))
    assert copy.files == before
    return caught.value


def test_database_restored_from_an_older_backup_is_refused_at_start() -> None:
    """The copy has 600 entries, the restored database 500: no start, and the message says how to get them back."""
    copy = tiled(numbered(600), SIGNERS)
    leaves = [reference.leaf(entry) for entry in numbered(500)]
    keeping = keeper(tiled(numbered(500), SIGNERS), copy)
    with pytest.raises(CopyDiverged) as caught:
        keeping.compare_at_start(500, lambda size: reference.mth(leaves[:size]))
    assert "an older backup was restored" in str(caught.value)
    assert "sekisho log rebuild" in caught.value.remedy


def test_restored_database_that_grew_past_the_copy_is_still_refused() -> None:
    """Other entries after the backup make it longer than the copy, and not one that the copy is a prefix of."""
    copy = tiled(numbered(600), SIGNERS)
    forked = tiled([*numbered(500), *(b"other %d" % number for number in range(300))], SIGNERS)
    assert "another tree" in str(try_copy(forked, copy))


def test_published_folder_put_back_with_its_checkpoint_does_not_take_the_copy_back() -> None:
    """An old folder with its old checkpoint, handed over as if new, changes nothing in the copy."""
    assert "newer" in str(try_copy(tiled(numbered(300), SIGNERS), tiled(numbered(301), SIGNERS)))


def test_copy_of_another_log_is_not_overwritten() -> None:
    """An address with a slip in it points at somebody else's log: refused, whether its key is like ours or not."""
    stranger = NoteSigner("example.org/other", private_key("other"))
    theirs = tiled(numbered(10), SIGNERS)
    text = theirs.files["checkpoint"].decode().replace("example.org/log", "example.org/other")
    for note in (
        text.encode(),
        tiled(numbered(10), (stranger,)).files["checkpoint"][:-9] + b"AAAAAAAA\n",
    ):
        copy = MemoryTiles({**theirs.files, "checkpoint": note})
        assert "not ours" in str(try_copy(tiled(numbered(20), SIGNERS), copy))


def test_forged_checkpoint_in_the_copy_is_not_followed() -> None:
    """Whoever can write to the bucket and puts a smaller or larger size there without our key stops the copy."""
    copy = tiled(numbered(10), SIGNERS)
    copy.files["checkpoint"] = copy.files["checkpoint"].replace(b"\n10\n", b"\n9\n")
    assert "not ours" in str(try_copy(tiled(numbered(20), SIGNERS), copy))


def test_two_logs_with_one_key_and_one_copy_find_each_other_out() -> None:
    """A second home started from a clone writes to the same copy: whoever comes second is refused."""
    copy = MemoryTiles()
    first = tiled([*numbered(5), b"first"], SIGNERS)
    second = tiled([*numbered(5), b"second", b"third"], SIGNERS)
    keeper(first, copy).copy_once(LogReader(first).load_checkpoint(policy()))
    assert "another tree" in str(try_copy(second, copy))
