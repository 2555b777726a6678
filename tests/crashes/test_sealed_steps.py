"""The process dies between any two writes of a sealed order or its opening; the next start goes on.

private store -> order-sealed -> order-opened.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.adapters.storage.private_sqlite import PrivateSqlite
from sekisho.model.statements import OrderOpened
from sekisho.operations.opening import open_due
from tests.crashes.test_deposit_steps import crash
from tests.fakes import Crashed
from tests.scoped import ScopedDesk
from tests.sealed import DAY_S, order_in, seal


def openings(desk: ScopedDesk) -> int:
    return sum(isinstance(r.verified.predicate, OrderOpened) for r in desk.desk.recorded())


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_death_around_the_statement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    """What it conceals is kept by then, so that it is known, or handed in again without harm."""
    with ScopedDesk(tmp_path) as desk:
        envelope, texts = seal(desk.founded())
        with monkeypatch.context() as broken:
            crash(broken, "order-sealed", after=after)
            with pytest.raises(Crashed):
                desk.desk.admit(envelope.raw, disclosures=texts)
    with ScopedDesk(tmp_path, desk.clock) as again:
        assert again.private.load_disclosures()[envelope.digest] == texts
        assert again.desk.admit(envelope.raw, disclosures=texts).fresh is not after
        assert order_in(again, envelope).legal_basis == "a law"


def test_death_before_its_content_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the log holds nothing: never an order that nobody can open."""

    def dying(*_: object) -> None:
        raise Crashed("save")

    with ScopedDesk(tmp_path) as desk:
        envelope, texts = seal(desk.founded())
        with monkeypatch.context() as broken:
            broken.setattr(PrivateSqlite, "save_disclosures", dying)
            with pytest.raises(Crashed):
                desk.desk.admit(envelope.raw, disclosures=texts)
        assert desk.desk.find(envelope.digest) is None
    with ScopedDesk(tmp_path, desk.clock) as again:
        assert again.desk.admit(envelope.raw, disclosures=texts).fresh


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_death_around_the_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    """It is opened at the next round if it was not, and never twice."""
    with ScopedDesk(tmp_path) as desk:
        envelope, texts = seal(desk.founded())
        desk.desk.admit(envelope.raw, disclosures=texts)
        desk.clock.move(2 * DAY_S)
        with monkeypatch.context() as broken:
            crash(broken, "order-opened", after=after)
            with pytest.raises(Crashed):
                open_due(desk.desk)
    with ScopedDesk(tmp_path, desk.clock) as again:
        assert len(open_due(again.desk)) == (0 if after else 1)
        assert open_due(again.desk) == ()
        assert openings(again) == 1
