"""What a log does at its start with what it finds: go on, mend, or refuse before anything is written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sekisho.adapters.storage import FileTileStore
from sekisho.ledger import check_log
from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.recovery import RolledBack, load_published
from sekisho.ledger.sequencer import Sequencer
from sekisho.ledger.tree import EMPTY_ROOT
from sekisho.model.errors import Corrupt, Unavailable
from sekisho.ports.log_store import TreeHead
from sekisho.signing.notes import Note, NoteSigner
from tests.ledger.logs import (
    LOG,
    ORIGIN,
    W1,
    W2,
    MemoryTiles,
    RunningLog,
    names_in,
    policy,
    private_key,
    signed,
    submission,
    time_mark,
)
from tests.ledger.memory_store import MemoryLogStore


class Site:
    """A log's public folder and database, over many processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = MemoryLogStore()
        self.memories = (MemoryTiles(), MemoryTiles())

    def process(self) -> RunningLog:
        """A new process on what is there; not recovered yet."""
        self.store = self.store.after_restart()
        log = RunningLog(self.store, FileTileStore(self.folder))
        log.memories = self.memories
        return log

    def started(self) -> RunningLog:
        """A new process, recovered."""
        log = self.process()
        log.sequencer.recover()
        return log

    def grow(self, *names: str, publish: bool = True) -> MemoryLogStore:
        """Append in a process of its own, publish if asked; a backup of the database as it is then."""
        log = self.started()
        log.sequencer.append([submission(name) for name in names])
        if publish:
            log.publisher(log.witnesses()).publish()
        return self.store.after_restart()

    def files(self) -> dict[str, bytes]:
        """The folder, byte by byte."""
        found = [path for path in self.folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}

    def published(self) -> Checkpoint:
        """What anybody reads in the folder."""
        note = Note.from_bytes((self.folder / "checkpoint").read_bytes())
        return policy().verify_cosigned(note).checkpoint


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A published log of a mark and three entries."""
    site = Site(tmp_path / "public")
    site.grow("a", "b", "c")
    return site


def rows_of(store: MemoryLogStore) -> tuple[object, ...]:
    """All that a database holds."""
    size = store.load_size()
    return size, store.load_head(), store.load_cosigned(), store.load_entries(0, size)


def assert_refused(site: Site) -> RolledBack:
    """A start must refuse, and leave folder and database byte for byte as they were."""
    files, rows = site.files(), rows_of(site.store)
    with pytest.raises(RolledBack) as caught:
        site.started()
    assert (site.files(), rows_of(site.store)) == (files, rows)
    assert "restore" in caught.value.remedy
    assert "sekisho log rebuild" in caught.value.remedy
    return caught.value


def test_older_backup_that_lost_acknowledged_entries_is_refused(site: Site) -> None:
    """A database from before the last publication would give its indexes a second time."""
    backup = site.store.after_restart()
    site.grow("d")
    site.store = backup
    assert "size 6, the database only 4" in str(assert_refused(site))


@pytest.mark.parametrize("is_empty", [False, True])
def test_a_folder_that_is_behind_the_database_is_filled_up(site: Site, *, is_empty: bool) -> None:
    """As on another machine that takes the database over: the cosigned tree is whole before the next is published."""
    site.grow(*(f"old {n}" for n in range(300)))
    older = {path: data for path, data in site.files().items() if not is_empty}
    site.grow(*(f"cosigned {n}" for n in range(300)))
    size = site.published().size
    site.grow("not cosigned yet", publish=False)
    shutil.rmtree(site.folder)
    for path, data in older.items():
        (site.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (site.folder / path).write_bytes(data)
    log = site.started()
    assert site.published().size == size
    assert check_log(FileTileStore(site.folder), policy()).faults == ()
    log.publisher(log.witnesses()).publish()
    assert site.published().size > size
    assert check_log(FileTileStore(site.folder), policy()).holds


def test_older_backup_that_lost_only_a_mark_is_refused(site: Site) -> None:
    """Nobody's entry is missing, and yet the tree that was published could not be continued."""
    backup = site.store.after_restart()
    log = site.started()
    log.sequencer.mark_time()
    log.publisher(log.witnesses()).publish()
    site.store = backup
    assert_refused(site)


def test_older_backup_without_its_tiles_is_refused_and_nothing_is_rebuilt(site: Site) -> None:
    """Lost tiles are mended from the right database only."""
    backup = site.store.after_restart()
    site.grow("d")
    site.store = backup
    shutil.rmtree(site.folder / "tile")
    assert_refused(site)


def test_older_backup_that_went_on_is_refused_at_its_next_start(site: Site, tmp_path: Path) -> None:
    """A backup that grew elsewhere to the published size or beyond holds other entries: refused."""
    backup = site.store.after_restart()
    site.grow("d")
    elsewhere = Site(tmp_path / "elsewhere")
    elsewhere.store = backup
    shutil.copytree(site.folder, elsewhere.folder)
    (elsewhere.folder / "checkpoint").unlink()
    elsewhere.memories = site.memories
    elsewhere.grow("x", "y", publish=False)
    site.store = elsewhere.store
    assert "not of the tree in the database" in str(assert_refused(site))


def test_a_database_of_the_same_size_and_another_root_is_refused(
    site: Site, tmp_path: Path
) -> None:
    """Equal sizes are not equal trees."""
    other = Site(tmp_path / "other")
    other.grow("a", "b", "C")
    site.store = other.store
    assert site.store.load_size() == site.published().size
    assert_refused(site)


def test_a_lost_database_is_refused(site: Site) -> None:
    """A new, empty database beside a published log would be a fork from its first entry."""
    site.store = MemoryLogStore()
    assert "the database only 0" in str(assert_refused(site))


def test_a_head_behind_the_published_one_is_caught_up(site: Site) -> None:
    """A database that holds all published entries and an older head lost nothing: it goes on."""
    whole = site.grow("d")
    site.store._rows.head = TreeHead(size=0, root=EMPTY_ROOT)
    log = site.started()
    assert site.store.load_head() == whole.load_head()
    assert names_in(log.entries()) == ["mark", "a", "b", "c", "mark", "d"]


def test_a_head_behind_and_another_tree_is_refused_before_a_tile_is_written(
    site: Site, tmp_path: Path
) -> None:
    """Where the published tree is ahead of the database's head, its root is computed first."""
    site.grow("d")
    other = Site(tmp_path / "other")
    other.grow("a", "b", "c")
    log = other.started()
    log.sequencer.append([submission("x"), submission("y"), submission("z")])
    site.store = other.store.after_restart()
    assert site.store.load_head().size < site.published().size < site.store.load_size()
    assert_refused(site)


def test_entries_past_the_published_tree_are_brought_in(site: Site) -> None:
    """What was acknowledged and not yet in tiles is there after the start, at its place."""
    site.grow("d", "e", publish=False)
    assert site.store.load_head().size < site.store.load_size()
    log = site.started()
    assert site.store.load_head().size == site.store.load_size() == 7
    assert names_in(log.entries())[-3:] == ["mark", "d", "e"]


def test_lost_tiles_are_written_again(site: Site) -> None:
    """Tiles, bundles and all: the folder is byte for byte what it was."""
    before = site.files()
    shutil.rmtree(site.folder / "tile")
    site.started()
    assert site.files() == before


def test_a_lost_checkpoint_is_written_again(site: Site) -> None:
    """The database keeps the cosigned checkpoint beside the file."""
    before = site.files()
    (site.folder / "checkpoint").unlink()
    site.started()
    assert site.files() == before


def test_a_lost_folder_is_written_again(site: Site) -> None:
    """With nothing left but the database, everything public comes back."""
    before = site.files()
    shutil.rmtree(site.folder)
    site.started()
    assert site.files() == before


def test_a_checkpoint_behind_the_database_is_brought_forward(site: Site) -> None:
    """Cosigned and kept, but not yet in its file: the start publishes it, asking no witness."""
    older = (site.folder / "checkpoint").read_bytes()
    site.grow("d")
    newer = (site.folder / "checkpoint").read_bytes()
    (site.folder / "checkpoint").write_bytes(older)
    site.started()
    assert (site.folder / "checkpoint").read_bytes() == newer


def test_a_checkpoint_that_lacks_a_cosignature_gets_it(site: Site) -> None:
    """The same size with fewer lines is behind too."""
    whole = (site.folder / "checkpoint").read_bytes()
    (site.folder / "checkpoint").write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    site.started()
    assert (site.folder / "checkpoint").read_bytes() == whole


def test_a_checkpoint_ahead_of_the_kept_one_stays_and_is_quoted(site: Site) -> None:
    """A file newer than the database's copy is not replaced by the older, and the next batch quotes it."""
    kept = site.store.load_cosigned()
    site.grow("d")
    newest = (site.folder / "checkpoint").read_bytes()
    site.store._rows.cosigned = kept
    log = site.started()
    assert (site.folder / "checkpoint").read_bytes() == newest
    log.sequencer.append_one(submission("e"))
    (mark,) = [e for e in log.entries()[6:] if e.startswith(b"{")]
    assert json.loads(mark)["previous"].encode() == newest


def test_the_next_batch_quotes_what_was_published_before_the_stop(site: Site) -> None:
    """A restart does not lose the checkpoint that closes the recorded time of what came before it."""
    log = site.started()
    log.sequencer.append_one(submission("d"))
    quoted = json.loads(log.entries()[4])["previous"]
    assert quoted.encode() == (site.folder / "checkpoint").read_bytes()


def test_recovering_twice_changes_nothing(site: Site) -> None:
    """A start after a start that did nothing finds the same."""
    site.grow("d", publish=False)
    log = site.started()
    files, rows = site.files(), rows_of(site.store)
    log.sequencer.recover()
    assert (site.files(), rows_of(site.store)) == (files, rows)


def test_a_new_log_starts_on_nothing(tmp_path: Path) -> None:
    """No folder, no database: a log of no entries, and nothing written yet."""
    site = Site(tmp_path / "new")
    assert site.started().sequencer.size == 0
    assert not site.folder.exists()


def other_origin() -> bytes:
    """A checkpoint of another log, signed by ours."""
    text = Checkpoint(origin="example.org/other", size=4, root=bytes(32)).to_text()
    return Note(text=text, signatures=(LOG.sign(text),)).to_bytes()


def of_a_stranger() -> bytes:
    """A checkpoint under our name and another key."""
    text = Checkpoint(origin=ORIGIN, size=4, root=bytes(32)).to_text()
    stranger = NoteSigner(ORIGIN, private_key("stranger"))
    return Note(text=text, signatures=(stranger.sign(text),)).to_bytes()


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"not a checkpoint",
        lambda: signed(4, bytes(32)).to_bytes().replace(b"\n4\n", b"\n3\n"),
        lambda: signed(4, bytes(32)).to_bytes() + b"\n" * 2_000_000,
        of_a_stranger,
        other_origin,
    ],
    ids=["empty", "no note", "changed size", "far too long", "stranger's key", "other origin"],
)
def test_a_checkpoint_that_is_not_ours_stops_the_start(
    site: Site, make: Callable[[], bytes]
) -> None:
    """A file that our key did not sign is a person's matter: nothing is written over it."""
    (site.folder / "checkpoint").write_bytes(make())
    files = site.files()
    with pytest.raises(Corrupt, match="not ours") as caught:
        site.started()
    assert "check key and folder" in caught.value.remedy
    assert site.files() == files


def test_a_folder_that_cannot_be_asked_stops_the_start(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not to know whether anything was published is not to know that nothing was."""

    def refuse(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    site.store = MemoryLogStore()
    monkeypatch.setattr(Path, "is_file", refuse)
    with pytest.raises(Unavailable, match="Permission denied"):
        site.started()


def test_a_checkpoint_under_the_former_key_is_ours_while_the_key_changes(site: Site) -> None:
    """With both keys at hand the published checkpoint of the old one is read, and the next carries both."""
    new = NoteSigner(ORIGIN, private_key("log 2"))
    sequencer = Sequencer(
        signer=new, also=(LOG,), store=site.store, tiles=FileTileStore(site.folder), mark=time_mark
    )
    sequencer.recover()
    note = sequencer.signed_head()
    assert [line.key_id for line in note.signatures] == [
        new.verifier.key_id,
        LOG.verifier.key_id,
    ]
    alone = Sequencer(
        signer=new, store=site.store, tiles=FileTileStore(site.folder), mark=time_mark
    )
    with pytest.raises(Corrupt, match="not ours"):
        alone.recover()


def test_the_published_checkpoint_is_read_under_any_of_the_logs_keys(site: Site) -> None:
    """None where there is none; the checkpoint where there is."""
    tiles = FileTileStore(site.folder)
    assert load_published(tiles, [LOG.verifier]) == site.published()
    tiles = FileTileStore(site.folder / "nothing")
    assert load_published(tiles, [LOG.verifier, W1.verifier, W2.verifier]) is None


def test_a_log_that_recovered_goes_on_with_its_witnesses(site: Site) -> None:
    """After a loss of the whole folder the next checkpoint is cosigned as if nothing had been."""
    shutil.rmtree(site.folder)
    site.grow("d")
    assert site.published().size == 6
    assert check_log(FileTileStore(site.folder), policy()).holds
