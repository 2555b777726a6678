"""While an order stands, the lineage of what halted under it is held: no run is licensed on top of it. Pure.

Source: protocol section 8, *Effect*. A run is held that a host named in a receipt under a halting order in force: it is
licensed for nothing more, and neither is what comes from it. Held is, too, each checkpoint that such a receipt names.
Leases of runs that were licensed before go on unless their weights come from such a checkpoint: their own order, if
there is one, says more.
"""

from __future__ import annotations

from sekisho.licensing.lineage import ancestors_of
from sekisho.model.instants import Instant
from sekisho.model.statements import OrderReference, ReceiptGiven
from sekisho.operations.state import State
from sekisho.orders import effect_of

__all__ = ["check_lineage_free", "find_lineage_orders"]

HALTING = ("freeze", "checkpoint-then-stop")


def check_lineage_free(state: State, run: str, now: Instant) -> list[str]:
    """Why a run is licensed for nothing more now: every order in force that halted it, or what its weights come from.

    The run itself is among them: what stands halted at one site is not given another.
    """
    above, _ = ancestors_of(state.licences, run)
    held = {run, *above}
    halted = {
        receipt.run: reference
        for reference, receipt in _halting_receipts(state, now)
        if receipt.run in held
    }
    problems = [_words(f"run {name}", order) for name, order in sorted(halted.items())]
    if problems:
        return problems
    return [
        _words("its parent checkpoint", order) for order in find_lineage_orders(state, run, now)
    ]


def find_lineage_orders(state: State, run: str, now: Instant) -> tuple[OrderReference, ...]:
    """The orders in force under which a checkpoint was kept that the weights of a run come from, at any depth."""
    digests = _digests_below(state, run)
    if not digests:
        return ()  # from scratch: most leases are asked for by such runs, and orders may cover many hosts
    found = {
        reference.digest: reference
        for reference, receipt in _halting_receipts(state, now)
        if receipt.checkpoint is not None
        and receipt.checkpoint.sha256 in digests
        # A run that goes on from its own checkpoint is what the order halted: its host is covered or it is not.
        and receipt.run != run
    }
    return tuple(found.values())


def _halting_receipts(state: State, now: Instant) -> list[tuple[OrderReference, ReceiptGiven]]:
    return [
        (known.reference, passed.receipt)
        for known in state.orders.in_force(now)
        if effect_of(known.order) in HALTING
        for life in state.lives.under(known.reference)
        for passed in life.stages
        if passed.stage in ("checkpointed", "halted")
    ]


def _digests_below(state: State, run: str) -> frozenset[str]:
    """Every checkpoint that the weights of a run come from."""
    origins = state.licences.origins
    above, _ = ancestors_of(state.licences, run)
    return frozenset(digest for name in (run, *above) for digest in origins.rests_on.get(name, ()))


def _words(what: str, order: OrderReference) -> str:
    return (
        f"{what} stands halted under order {order.register} {order.number}, "
        "which holds its lineage until it is lifted"
    )
