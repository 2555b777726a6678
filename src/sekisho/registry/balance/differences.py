"""Differences between two sides: shipper and receiver, operator and inspector; what is still between two areas."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Literal, TypeAlias

import msgspec

from sekisho.model.custody import Movement
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import Count, Name
from sekisho.model.wire import from_json, parse_json
from sekisho.registry.balance.sigma import Accuracy

__all__ = [
    "InspectorDifference",
    "Moved",
    "TransitRow",
    "TransitState",
    "inspector_difference",
    "list_transit",
    "match_transit",
    "parse_moved",
]

TransitState: TypeAlias = Literal[
    "matched", "differs", "under-way", "overdue", "not-received", "not-shipped"
]
_MAX = 64 * 1024 * 1024
_EXACT: frozenset[str] = frozenset({"matched", "under-way"})


class TransitRow(msgspec.Struct, frozen=True, kw_only=True):
    """One movement by its reference. Counts are components; None is a side that says nothing, never nought.

    `difference` is shipped - received - refused - lost, positive where something is missing; `age_s` runs from the
    shipment, or from the receipt where only that is known.
    """

    reference: str
    state: TransitState
    shipper: str = ""
    consignee: str = ""
    shipped: int | None = None
    received: int | None = None
    difference: int | None = None
    age_s: int
    due: Instant | None = None

    @property
    def is_matched(self) -> bool:
        return self.state == "matched"

    @property
    def is_finding(self) -> bool:
        return self.state not in _EXACT


class Moved(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one side's report says of a movement: its reference, whose report, when, how many components."""

    reference: Name
    party: Name
    at: Instant
    items: Count


class _Sides(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    shipments: tuple[Moved, ...]
    receipts: tuple[Moved, ...]


def parse_moved(data: bytes, *, path: str = "") -> tuple[tuple[Moved, ...], tuple[Moved, ...]]:
    """Read both sides' reports, `shipments` and `receipts`, from JSON. Raises InvalidInput with the field's path."""
    sides = from_json(_Sides, parse_json(data, path=path, limit=_MAX), path=path)
    return sides.shipments, sides.receipts


def list_transit(movements: Iterable[Movement], now: Instant) -> tuple[TransitRow, ...]:
    """The movements that the register knows, oldest first, with what is still open of each."""
    rows = [_of_movement(movement, now) for movement in movements if movement.state != "cancelled"]
    return tuple(sorted(rows, key=lambda row: (-row.age_s, row.reference)))


def _of_movement(movement: Movement, now: Instant) -> TransitRow:
    settled = len(movement.received) + len(movement.refused) + len(movement.lost)
    difference = len(movement.epcs) - settled
    state: TransitState
    if difference == 0:
        state = "differs" if movement.lost else "matched"
    elif movement.state in ("received", "refused"):
        state = "differs"
    else:
        state = "overdue" if now > movement.due else "under-way"
    return TransitRow(
        reference=movement.reference,
        state=state,
        shipper=movement.shipper,
        consignee=movement.consignee,
        shipped=len(movement.epcs),
        received=len(movement.received),
        difference=difference,
        age_s=int(now.since(movement.shipped)),
        due=movement.due,
    )


def match_transit(
    shipments: Iterable[Moved], receipts: Iterable[Moved], now: Instant
) -> tuple[TransitRow, ...]:
    """Two sides' reports matched by movement reference, oldest first; partial receipts of one movement add up."""
    sent, got = _by_reference(shipments), _by_reference(receipts)
    rows = [
        _matched(reference, sent.get(reference, []), got.get(reference, []), now)
        for reference in sent.keys() | got.keys()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.age_s, row.reference)))


def _by_reference(moved: Iterable[Moved]) -> dict[str, list[Moved]]:
    found: dict[str, list[Moved]] = defaultdict(list)
    for one in moved:
        found[one.reference].append(one)
    return found


def _matched(
    reference: str, sent: Sequence[Moved], got: Sequence[Moved], now: Instant
) -> TransitRow:
    shipped = sum(one.items for one in sent) if sent else None
    received = sum(one.items for one in got) if got else None
    difference = None if shipped is None or received is None else shipped - received
    state: TransitState
    if difference is not None:
        state = "matched" if difference == 0 else "differs"
    else:
        state = "not-received" if sent else "not-shipped"
    return TransitRow(
        reference=reference,
        state=state,
        shipper=sent[0].party if sent else "",
        consignee=got[0].party if got else "",
        shipped=shipped,
        received=received,
        difference=difference,
        age_s=int(now.since(min(one.at for one in sent or got))),
    )


class InspectorDifference(msgspec.Struct, frozen=True, kw_only=True):
    """D = (N/n) sum(o_i - v_i) over a sample, its standard deviation, and whether |D| exceeds three of them.

    `difference` is exact, in the unit of the values; `sigma` a float. Source: regimes.md 2.
    """

    population: int
    sample: int
    difference: Fraction
    sigma: float
    is_alarm: bool


def inspector_difference(
    population: int,
    pairs: Sequence[tuple[Fraction, Fraction]],
    operator: Accuracy,
    inspector: Accuracy,
) -> InspectorDifference:
    """Extrapolate the differences of a random sample of (stated, verified) values to the population.

    sigma_D^2 = (N/n)^2 [sum o_i^2 (r_o^2 + r_v^2) + (sum o_i)^2 (s_o^2 + s_v^2)], with relative random errors r and
    systematic ones s: errors of measuring alone, as they are where nothing was falsified. Raises InvalidInput for an
    empty sample or one larger than its population.
    """
    if not 0 < len(pairs) <= population:
        raise InvalidInput(f"{len(pairs)} of {population} is no sample", path="sample")
    scale = Fraction(population, len(pairs))
    stated = [value for value, _ in pairs]
    random = sum(value * value for value in stated) * (
        operator.random_square + inspector.random_square
    )
    systematic = sum(stated) ** 2 * (operator.systematic_square + inspector.systematic_square)
    variance = scale * scale * (random + systematic)
    difference = scale * sum(stated_ - verified for stated_, verified in pairs)
    return InspectorDifference(
        population=population,
        sample=len(pairs),
        difference=difference,
        sigma=math.sqrt(variance),
        is_alarm=difference * difference > 9 * variance,
    )
