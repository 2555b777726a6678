"""Entries and questions for the tests of accounts."""

from __future__ import annotations

from typing import Any

from sekisho.metering.accounts import (
    Account,
    Entry,
    Identities,
    KeyAccount,
    OwnerTable,
    Question,
    account,
    identify,
    parse_window,
)
from sekisho.metering.estimate import Estimate
from sekisho.model.flop import FlopInterval
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Allocation

__all__ = ["DAY", "T0", "answer", "at", "entry", "job", "only", "question"]

T0 = Instant.parse("2026-01-01T00:00:00Z")
DAY = 86_400


def at(days: float) -> Instant:
    """So many days after the year began."""
    return T0.plus(days * DAY)


def entry(
    start: float, end: float, work: int | None, *, name: str = "", job: str = "job", **more: Any
) -> Entry:
    """Work at most `work` from day `start` to day `end`; the estimate is half of that."""
    estimate = None if work is None else Estimate(low=work // 4, best=work // 2, high=work)
    fields: dict[str, Any] = {
        "bound": None if work is None else FlopInterval(0, work),
        "estimate": estimate,
        "chip_ms": round((end - start) * DAY * 1000),
        "customer": "acme",
        **more,
    }
    return Entry(id=name or f"{job} {start} {end}", job=job, start=at(start), end=at(end), **fields)


def job(name: str, start: float = 0, **more: Any) -> Allocation:
    """A record of a job that began on day `start`."""
    fields: dict[str, Any] = {"site": "", "chips": 8, "customer": "acme", "end": None, **more}
    return Allocation(job=name, start=at(start), **fields)


def question(window: str = "30d", **more: Any) -> Question:
    """By customer, over the first hundred days, unless said otherwise."""
    fields: dict[str, Any] = {"by": "customer", "start": T0, "end": at(100), **more}
    return Question(window=parse_window(window, anchor=T0), **fields)


def answer(
    entries: list[Entry],
    asked: Question,
    *,
    jobs: tuple[Allocation, ...] = (),
    owners: OwnerTable | None = None,
) -> Account:
    """The account of these entries."""
    identities: Identities = identify(jobs, owners)
    return account(entries, asked, identities)


def only(found: Account) -> KeyAccount:
    """The one key of an account."""
    (key,) = found.keys
    return key
