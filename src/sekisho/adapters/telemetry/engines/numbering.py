"""Distinct numbers and the place of each row's number among them, without sorting where a table will do."""

from __future__ import annotations

from typing import Final

import numpy as np

from sekisho.adapters.telemetry.engines.fleet import Ints

__all__ = ["CLAIM_BITS", "count_rows", "number_groups", "number_rows"]

CLAIM_BITS: Final = 32
"""A group is a bucket's number and, in the lower bits, a claim's or a line's."""
_TABLE: Final = 4_000_000


def number_rows(values: Ints) -> tuple[Ints, Ints]:
    """The distinct values from the lowest, and for each row the place of its value among them."""
    if not values.size:
        return values, values
    lowest = int(values.min())
    width = int(values.max()) - lowest + 1
    if width > max(_TABLE, 4 * values.size):
        found, place = np.unique(values, return_inverse=True)
        return found, place.reshape(-1)
    there = np.zeros(width, dtype=np.bool_)
    there[values - lowest] = True
    found = np.flatnonzero(there)
    places = np.cumsum(there) - 1
    return found + lowest, places[values - lowest]


def number_groups(groups: Ints) -> tuple[Ints, Ints]:
    """The same of groups, whose numbers are far apart."""
    if not groups.size:
        return groups, groups
    claims = groups & ((1 << CLAIM_BITS) - 1)
    width = int(claims.max()) + 1
    found, place = number_rows((groups >> CLAIM_BITS) * width + claims)
    return (found // width << CLAIM_BITS) | found % width, place


def count_rows(*columns: Ints) -> tuple[list[Ints], Ints]:
    """The distinct rows of some columns, and how often each is there."""
    order = np.lexsort(columns)
    ordered = [column[order] for column in columns]
    new = np.zeros(order.size, dtype=np.bool_)
    new[:1] = True
    for column in ordered:
        new[1:] |= column[1:] != column[:-1]
    begins = np.flatnonzero(new)
    return [column[begins] for column in ordered], np.diff(np.append(begins, order.size))
