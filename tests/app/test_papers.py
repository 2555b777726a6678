"""A home's papers, opened without a control plane."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.app import Home, open_papers
from sekisho.model.errors import InvalidInput, StateConflict
from tests.regime import unwitnessed_control
from tests.registered import chip, registering, standing


def test_a_home_without_a_regime_has_no_papers(tmp_path: Path) -> None:
    """An empty folder is no home, and none is made of it."""
    with pytest.raises(InvalidInput), open_papers(Home(path=tmp_path)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_never_kept_a_register_says_so(tmp_path: Path) -> None:
    """A regime from before the register has none yet; looking makes none."""
    with unwitnessed_control(tmp_path) as control:
        home = control.home
    home.register_file.unlink()
    with pytest.raises(StateConflict) as refusal, open_papers(home):
        pass
    assert "sekisho up" in refusal.value.remedy
    assert not home.register_file.exists()


def test_without_a_checkpoint_papers_are_read_and_nothing_is_proved(tmp_path: Path) -> None:
    """Before any witness has seen the log, chips are found and counted."""
    with unwitnessed_control(tmp_path) as control:
        control.register.store.save(registering(1, {1: standing(chip(1))}))
        home = control.home
    with open_papers(home) as papers:
        assert papers.find(chip(1)) == (chip(1),)
        assert papers.holdings("site").total.components == 1
