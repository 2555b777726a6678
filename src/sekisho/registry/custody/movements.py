"""Shipments under way: their lists as their chips' parts change, and those that nobody received in time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from sekisho.model.custody import Movement, MovementState
from sekisho.model.instants import Instant
from sekisho.registry.custody.book import Alert
from sekisho.registry.custody.track import Share

__all__ = ["open_chips", "overdue", "update_movement"]


def update_movement(
    was: Movement | None, header: Movement | None, shares: Mapping[str, Share]
) -> Movement | None:
    """A movement after some chips' parts in it changed; `header` has its words where the event set them."""
    base = _base(was, header)
    if base is None:
        return None
    changed = shares.keys()
    kept = [epc for epc in base.epcs if epc not in changed]
    members = [*kept, *_with(shares, "under-way", "received", "lost", "refused", "taken-back")]
    received = _merge(base.received, shares, "received", "taken-back")
    lost = _merge(base.lost, shares, "lost")
    refused = _merge(base.refused, shares, "refused", "taken-back")
    fields = {
        "epcs": tuple(sorted(members)),
        "received": received,
        "lost": lost,
        "refused": refused,
    }
    moved = replace(base, **fields)
    state = _state_of(moved)
    return moved if state == moved.state else replace(moved, state=state)


def open_chips(movement: Movement) -> tuple[str, ...]:
    """What neither arrived nor was lost, on its way back after a refusal included."""
    done = {*movement.received, *movement.lost}
    return tuple(epc for epc in movement.epcs if epc not in done)


def overdue(movements: Iterable[Movement], now: Instant) -> tuple[Alert, ...]:
    """An alert for each chip whose receipt is due by now and did not come; its number is that of the shipment."""
    return tuple(
        Alert(
            code="receipt-overdue",
            epc=epc,
            detail=f"movement {movement.reference} from {movement.shipper} to {movement.consignee} "
            f"was due by {movement.due}; {movement.shipper} stays accountable",
            number=movement.shipment,
            refused=False,
        )
        for movement in movements
        if movement.state == "under-way" and movement.due <= now
        for epc in open_chips(movement)
    )


def _base(was: Movement | None, header: Movement | None) -> Movement | None:
    if was is None or was.state == "announced":
        return header or was
    if header is None:
        return was
    # Chips shipped later under the same reference do not put off its receipt.
    due = header.due if header.shipment == was.shipment else was.due
    return replace(
        was,
        consignee=header.consignee,
        destination=header.destination,
        owner=header.owner,
        due=due,
    )


def _merge(old: tuple[str, ...], shares: Mapping[str, Share], *which: Share) -> tuple[str, ...]:
    if not old and not any(share in which for share in shares.values()):
        return ()
    kept = [epc for epc in old if epc not in shares]
    return tuple(sorted([*kept, *_with(shares, *which)]))


def _with(shares: Mapping[str, Share], *which: Share) -> list[str]:
    return [epc for epc, share in shares.items() if share in which]


def _state_of(movement: Movement) -> MovementState:
    if not movement.epcs:
        return "cancelled"
    if open_chips(movement):
        return "under-way"
    if len(movement.lost) == len(movement.epcs):
        return "lost"
    return "refused" if set(movement.refused) == set(movement.epcs) else "received"
