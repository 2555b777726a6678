"""Processes that nobody named and that work all the same: on an accelerator, or on the host's processors. Pure."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from sekisho.observer.process_table import ProcessRow, ProcessTable
from sekisho.observer.settings import Strangers

__all__ = ["find_strangers"]


def find_strangers(
    tables: tuple[ProcessTable, ProcessTable],
    holders: Collection[int],
    rule: Strangers | None,
    *,
    interval_s: float,
    others: Collection[int],
) -> frozenset[tuple[int, int]]:
    """The identities of processes that count as work although nothing names them.

    A process that holds an accelerator always does, unless the site exempts it; one that is only busy does where the
    site says from which share of a processor on. `others` are the observer's own, by pid.
    """
    first, second = tables
    before = {row.identity: row for row in first.rows}
    found = set()
    for row in (*first.rows, *second.rows):
        if row.pid in others or (rule is not None and _is_exempt(row, rule)):
            continue
        if row.pid in holders or _is_busy(row, before.get(row.identity), rule, interval_s):
            found.add(row.identity)
    return frozenset(found)


def _is_busy(
    row: ProcessRow, before: ProcessRow | None, rule: Strangers | None, interval_s: float
) -> bool:
    if rule is None or rule.percent is None or interval_s <= 0:
        return False
    used = row.cpu_s - (before.cpu_s if before is not None else 0.0)
    return Decimal(repr(100 * used / interval_s)) > Decimal(rule.percent)


def _is_exempt(row: ProcessRow, rule: Strangers) -> bool:
    if row.user in rule.exempt_users:
        return True
    groups = {row.cgroup, *row.groups}
    return any(
        group == name or group.startswith(name.rstrip("/") + "/")
        for name in rule.exempt_groups
        for group in groups
    )
