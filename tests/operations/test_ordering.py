"""Drafting the order that would be next in its register."""

from __future__ import annotations

from sekisho.ledger.tiles import Tile, decode_bundle
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.operations.state import State, fold_log, start_state
from tests.cli.ceremonies import PAUSED, T0, sealed_until


def paused_state() -> State:
    sealed = sealed_until(PAUSED)
    path = next(name for name in sealed.files if "/entries/" in name)
    count = Tile.from_path(path.removeprefix("log/")).width
    entries = decode_bundle(sealed.files[path], count, path=path)
    return fold_log(start_state(sealed.root), entries)[0]


def test_a_resume_begins_no_later_than_the_checkpoint_that_shows_it() -> None:
    """Witnesses sign whole seconds, so a resume begins on one; a pause begins at once."""
    state, now = paused_state(), T0.plus(PAUSED + 1.75)
    (pause,) = state.orders.orders["pause/JP"].values()
    resume = OrderPlan(
        kind="resume",
        scope=pause.order.scope,
        effect="lift",
        lasts_s=3_600,
        legal_basis="an example",
        appeal="none",
        lifts=(pause.reference,),
    )
    order = draft_order(state, resume, now=now)
    assert order.not_before == T0.plus(PAUSED + 1)
    assert order.effective == now
