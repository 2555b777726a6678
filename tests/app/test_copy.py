"""A control plane with a published copy: it follows, and what it knows stops a database that knows less."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sekisho.adapters.storage import FileTileStore
from sekisho.app import Control, Elsewhere, Home
from sekisho.ledger import Policy, check_log
from sekisho.ledger.copying import CopyDiverged
from sekisho.ledger.publisher import WitnessesMissing
from tests.regime import live_regime


def test_the_copy_follows_and_an_older_backup_is_refused_by_it(tmp_path: Path) -> None:
    """The copy is a whole witnessed log; a home restored from before it does not start, and holds nothing open."""
    elsewhere = Elsewhere(copy=f"file://{tmp_path}/copy")
    with live_regime(tmp_path, elsewhere) as regime:
        control = regime.control
        assert control.copy is not None
        control.desk.mark_time()
        size = control.desk.state.size
        control.publisher.wait_witnessed(size - 1, 20)
        control.copy.wait_copied(size, 20)
        policy = control.policy
    assert check_log(FileTileStore(tmp_path / "copy"), policy).size == size
    backup = tmp_path / "backup"
    shutil.copytree(tmp_path / "home", backup)
    with Control(Home(path=tmp_path / "home", elsewhere=elsewhere), {}) as control:
        control.desk.mark_time()
        ahead = control.desk.state.size
        assert ahead > size
        with pytest.raises(WitnessesMissing):  # its tiles are written, and nobody cosigns
            control.publisher.publish()
    _publish_ahead(tmp_path / "copy", tmp_path / "home", policy)
    for _ in range(2):
        with pytest.raises(CopyDiverged, match="newer"):
            Control(Home(path=backup, elsewhere=elsewhere), {}).__enter__()


def _publish_ahead(copy: Path, home: Path, policy: Policy) -> None:
    """The copy as it would be had the witnesses answered: the log's own signature is all that a start asks for."""
    from sekisho.ledger.checkpoint import Checkpoint, sign_checkpoint

    place = Home(path=home)
    signer = place.log_signer(policy.logs[0].name)[0]
    with place.open_log(signer.name) as store:
        head = store.load_head()
    shutil.copytree(home / "public/log/tile", copy / "tile", dirs_exist_ok=True)
    note = sign_checkpoint(Checkpoint(origin=signer.name, size=head.size, root=head.root), signer)
    FileTileStore(copy).write("checkpoint", note.to_bytes())
