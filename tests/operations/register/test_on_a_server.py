"""The same register on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sekisho.app import Elsewhere
from sekisho.model.errors import StateConflict
from tests.capturing import (
    PARTIES,
    World,
    chip,
    commissioned,
    document,
    endorsed,
    enrolled,
    received,
    shipped,
)
from tests.factory import AUTHORITY
from tests.operations.register.test_rebuilding import live
from tests.regime import live_regime
from tests.registered import dump

pytestmark = pytest.mark.postgres


def test_a_server_gives_what_a_file_gives(tmp_path: Path, postgres_url: str) -> None:
    """Byte for byte, live and rebuilt."""
    (tmp_path / "file").mkdir()
    with World(tmp_path / "file") as world:
        live(world)
        expected = dump(world.store)
    with World(tmp_path, place=postgres_url) as world:
        live(world)
        assert dump(world.store) == expected
        assert world.register.check().differences == 0
        world.register.rebuild()
        assert dump(world.store) == expected


def test_many_threads_on_a_server_leave_one_custodian(tmp_path: Path, postgres_url: str) -> None:
    """Conflicting receipts, whichever comes first."""
    with World(tmp_path, place=postgres_url) as world:
        world.send([commissioned(*map(chip, range(8)))], "maker")
        world.send([shipped("maker", "dist", *map(chip, range(8)))], "maker")
        claims = [(chip(n), party) for n in range(8) for party in ("dist", "cloud")]
        with ThreadPoolExecutor(8) as pool:
            list(
                pool.map(lambda claim: world.send([received(claim[1], claim[0])], claim[1]), claims)
            )
        assert {world.standing(chip(n)).custodian for n in range(8)} == {"dist"}


def test_a_regime_on_a_server_keeps_its_register_there(tmp_path: Path, postgres_url: str) -> None:
    """Beside the log; stated in it; and a second writer is kept out."""
    with live_regime(tmp_path, Elsewhere(database=postgres_url)) as regime:
        for party in PARTIES:
            regime.submit(enrolled(party), AUTHORITY[0])
        data = document(commissioned(chip(1)))
        row = regime.control.register.capture(data, endorsed(data, "maker"))
        assert row.parties == ("maker",)
        regime.control.register.complete()
        (batch,) = regime.control.register.store.load_batches()
        assert batch.leaf
        assert not (regime.control.home.path / "register.sqlite").exists()
        with pytest.raises(StateConflict):
            regime.control.home.open_register()
