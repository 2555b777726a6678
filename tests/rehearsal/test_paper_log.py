"""The rehearsal's log: readers of real logs read it, its witnesses refuse what does not follow."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.adapters.storage.file_tiles import FileTileStore
from sekisho.ledger import Checkpoint, check_log, sign_checkpoint
from sekisho.ledger.witness import AddCheckpoint
from sekisho.model.errors import NotAuthorised, VerificationError
from sekisho.operations.reading import read_state
from sekisho.rehearsal.charter_drill import found
from sekisho.rehearsal.charter_scene import DAY_S, CharterScene
from tests.factory import NOW


@pytest.fixture
def scene(tmp_path: Path) -> CharterScene:
    made = CharterScene(tmp_path, NOW, "en", lambda _: None)
    found(made)
    return made


def test_its_files_are_a_log_that_every_reader_takes(scene: CharterScene, tmp_path: Path) -> None:
    """Fsck holds, and a stranger folds the same charter under the root."""
    scene.log.publish()
    store = FileTileStore(tmp_path / "public" / "log")
    assert scene.root is not None
    state, cosigned = read_state(store, scene.root)
    assert state.regime.in_force().digest == scene.state.regime.in_force().digest
    assert cosigned.checkpoint.size == scene.state.size
    assert check_log(store, scene.log.note_signer.verifier).faults == ()


def test_what_the_folds_refuse_is_not_in_it(scene: CharterScene) -> None:
    """An envelope without its quorum leaves the log as it was, but for the time mark before it."""
    terms = scene.state.regime.in_force().terms
    before = scene.state.regime.in_force().digest
    few = scene.sign(terms, ("authority-1",))
    with pytest.raises((NotAuthorised, VerificationError)):
        scene.log.append(few.raw, scene.now)
    assert scene.state.regime.in_force().digest == before


def test_its_witnesses_cosign_no_fork(scene: CharterScene) -> None:
    """Another tree of the size that they saw, and a shorter one, get no line."""
    witness = scene.witnesses[0]
    size = witness.size
    forked = Checkpoint(origin=scene.origin, size=size, root=b"\1" * 32)
    note = sign_checkpoint(forked, scene.log.note_signer)
    request = AddCheckpoint(old_size=size, proof=(), note=note, checkpoint=forked)
    with pytest.raises(VerificationError, match="does not cosign"):
        witness.cosign(request, scene.log.note_signer, scene.now)
    assert witness.size == size


def test_recorded_time_is_the_calendars(scene: CharterScene) -> None:
    """A day passes only as witnesses sign it."""
    before = scene.state.regime.newest_mark
    scene.pass_time(DAY_S)
    scene.pass_time(60)
    after = scene.state.regime.newest_mark
    assert before is not None
    assert after is not None
    assert after.at.since(before.at) >= DAY_S
