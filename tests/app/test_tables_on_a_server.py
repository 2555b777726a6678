"""A home whose log is kept by a PostgreSQL server: its tables lie there too, and are made and checked from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.app import (
    Control,
    Elsewhere,
    Home,
    check_home_projections,
    rebuild_projections,
)
from tests.regime import unwitnessed_control

pytestmark = pytest.mark.postgres


def test_tables_follow_the_log_to_its_server(tmp_path: Path, postgres_url: str) -> None:
    """Written by the control plane, checked beside it, made again beside it; nothing of them is in the folder."""
    with unwitnessed_control(tmp_path):
        pass
    home = Home(path=tmp_path / "home", elsewhere=Elsewhere(database=postgres_url))
    home.projections.unlink()
    with Control(home, {}) as control:
        control.desk.mark_time()
        size = control.desk.state.size
        assert control.projector.wait_written(size, 20)
        checked = check_home_projections(home, lambda *_: None)
        assert (checked.verdict, checked.size) == ("holds", size)
        made = rebuild_projections(home, lambda *_: None)
        assert (made.size, made.tables) == (size, checked.tables)
        control.desk.mark_time()
        assert control.projector.wait_written(size + 1, 20)
    assert check_home_projections(home, lambda *_: None).behind == 0
    assert not home.projections.exists()
