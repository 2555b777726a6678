"""Opening sealed orders: the control plane does it by itself, at their instant or once a resume has lifted them.

The order of writes, and what a crash between two of them means:

    private store -> order-sealed -> order-opened
    1. disclosures, no statement: an orphan. Nobody was bound by it; whoever issues hands both in again.
    2. sealed and due, not opened: `open_due` looks at the log alone, so the next round opens it.
    3. opened: the log takes one opening of an order, whoever asks for another.
"""

from __future__ import annotations

from collections.abc import Iterable

from sekisho.model.errors import SekishoError
from sekisho.model.instants import Instant
from sekisho.model.statements import OrderOpened, OrderSealed
from sekisho.operations.desk import Admitted, Desk
from sekisho.operations.sealing import due_openings
from sekisho.orders.sealed import open_sealed

__all__ = ["open_due"]


def open_due(desk: Desk, *, now: Instant | None = None) -> tuple[Admitted, ...]:
    """Open what is due, of which the disclosures lie here. Raises Unavailable while the disk refuses."""
    with desk.lock:
        desk.settle()
        at = now or desk.clock.now()
        made = []
        for known in due_openings(desk.state, at):
            texts = desk.disclosures_of(known.digest)
            if known.sealed is None or not _opens(known.sealed, texts):
                continue  # what is lost cannot be opened: every audit says so from then on
            # Crash here: nothing is stated; the next round finds it due again.
            made.append(
                desk.state_fact(OrderOpened(effective=at, order=known.reference, disclosures=texts))
            )
        return tuple(made)


def _opens(sealed: OrderSealed, texts: Iterable[str]) -> bool:
    try:
        opened = open_sealed(sealed, texts)
    except SekishoError:
        return False
    return opened.order is not None and opened.salt is not None
