"""The attack: two packs whose files would bear one name; a pack that counts and whose bytes are kept away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.model.errors import StateConflict
from sekisho.model.statements import PackPublished, PackReference
from sekisho.operations.publishing import check_publication
from tests import factory as f
from tests.desks import TestDesk
from tests.regime import live_regime


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as running:
        yield running


def published(desk: TestDesk, name: str, version: str) -> PackPublished:
    pack = PackReference(name=name, version=version, sha256="7" * 64)
    return PackPublished(effective=desk.clock.now(), pack=pack, bytes=1)


def test_two_packs_never_share_a_file(desk: TestDesk) -> None:
    """`a-1` version `2` and `a` version `1-2` would be packs/a-1-2.yaml, and an honest bundle would fail its audit."""
    desk.desk.admit(f.signed(published(desk, "a", "1-2"), *f.AUTHORITY[:2]).raw)
    other = published(desk, "a-1", "2")
    (problem,) = check_publication(desk.desk.state, other, None)
    assert "a 1-2" in problem
    with pytest.raises(StateConflict, match="would bear the name"):
        desk.desk.admit(f.signed(other, *f.AUTHORITY[:2]).raw)


def test_an_older_pack_never_answers_for_one_whose_bytes_are_missing(tmp_path: Path) -> None:
    """A stricter version counts and its file is gone: the shipped one of that name says nothing in its place."""
    with live_regime(tmp_path) as regime:
        rules = regime.control.rules
        assert rules.find("us-ear", regime.now) is not None
        pack = PackReference(name="us-ear", version="9", sha256="9" * 64)
        regime.submit(PackPublished(effective=regime.now, pack=pack, bytes=9), *f.AUTHORITY[:2])
        assert rules.find("us-ear", regime.now) is None
        assert rules.find("us-ear", regime.now, "1") is not None
