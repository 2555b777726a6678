"""What was licensed on top of work that an order in force had halted: found again from the log alone.

A run is held that a host named in a receipt under a halting order, and with it every run whose weights come from it;
held is, too, each checkpoint that such a receipt names. While the order surely stood nobody may have been licensed for
more of it, and no lease granted whose weights come from such a checkpoint. Source: protocol section 8, *Effect*.
"""

from __future__ import annotations

from collections.abc import Iterator

from sekisho.auditor.history import History, Step
from sekisho.licensing.lineage import ancestors_of
from sekisho.model.statements import ReceiptGiven
from sekisho.orders import KnownOrder, halts_work

__all__ = ["held_checkpoints", "held_runs"]


def held_runs(history: History, step: Step, run: str) -> list[str]:
    """Why a run may not have been licensed for more at this entry, in words; an empty list where nothing held it."""
    above, _ = ancestors_of(step.ledger, run)
    held = {run, *above}
    found = {
        receipt.run: f"although run {receipt.run} stood halted under {_named(known)}"
        for known, receipt in _halted(history, step)
        if receipt.run in held
    }
    return [*found.values()] or held_checkpoints(history, step, run)


def held_checkpoints(history: History, step: Step, run: str) -> list[str]:
    """The orders that surely stood at this entry and under which a checkpoint was kept that a run's weights come from.

    A run that goes on from its own checkpoint is what the order halted: its host is covered or it is not.
    """
    above, _ = ancestors_of(step.ledger, run)
    origins = step.ledger.origins
    below = {digest for name in (run, *above) for digest in origins.rests_on.get(name, ())}
    found = {
        known.digest: f"although its weights come from a checkpoint that is held under {_named(known)}"
        for known, receipt in (_halted(history, step) if below else ())
        if receipt.checkpoint is not None
        and receipt.checkpoint.sha256 in below
        and receipt.run != run
    }
    return [*found.values()]


def _halted(history: History, step: Step) -> Iterator[tuple[KnownOrder, ReceiptGiven]]:
    """Every receipt before this entry that work halted, under an order that stood at both ends of its recorded time."""
    ends = (history.recorded_from(step.index), history.recorded_by(step.index))
    times = [at for at in ends if at is not None]
    if not times:
        return
    later = {known.digest for known in step.orders.in_force(times[-1])}
    for known in step.orders.in_force(times[0]):
        if known.digest not in later or not halts_work(known.order):
            continue
        for life in step.lives.under(known.reference):
            for passed in life.stages:
                if passed.stage in ("checkpointed", "halted"):
                    yield known, passed.receipt


def _named(known: KnownOrder) -> str:
    return f"order {known.order.register} {known.order.number}"
