"""Accounts from telemetry: sums of the store, metered, made into entries, cut by key and window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from sekisho.metering.accounts import (
    Account,
    Entry,
    Identities,
    OwnerTable,
    Question,
    account,
    identify,
)
from sekisho.metering.accounts.usage_entries import JobRecords, entries_of, rates_now
from sekisho.metering.counting import CountingRule
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.ports.telemetry import Telemetry, UsageQuery

__all__ = ["Collected", "Grounds", "account_usage", "collect_entries"]

_HOUR_S: Final = 3_600


class Grounds(msgspec.Struct, frozen=True, kw_only=True):
    """What an account of telemetry rests on beside it. `bucket_s` is the length of an entry, a divisor of a day."""

    rule: CountingRule = CountingRule()
    owners: OwnerTable | None = None
    checkpoints: Mapping[str, str] = {}
    site: str = ""
    bucket_s: int = _HOUR_S


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of a stretch of time, the job records that touch it, and what names are joined by."""

    entries: tuple[Entry, ...]
    records: JobRecords
    identities: Identities


def collect_entries(
    telemetry: Telemetry, start: Instant, end: Instant, grounds: Grounds
) -> Collected:
    """Meter everything in [start, end): one entry for each job, chip type and bucket. Raises what the store raises."""
    if grounds.bucket_s < 1 or 86_400 % grounds.bucket_s:
        raise InvalidInput(
            f"{grounds.bucket_s} s do not divide a day", path="bucket", remedy="write 5m, 1h or 1d"
        )
    records = JobRecords(telemetry.load_allocations(start, end))
    query = UsageQuery(start=start, end=end, bucket_s=grounds.bucket_s, site=grounds.site)
    entries = tuple(entries_of(telemetry.sum_usage(query), records, grounds.rule))
    identities = identify(records.all, grounds.owners, grounds.checkpoints)
    return Collected(entries=entries, records=records, identities=identities)


def account_usage(
    telemetry: Telemetry,
    question: Question,
    grounds: Grounds,
    heard: Callable[[int, int], None] = lambda *_: None,
) -> Account:
    """Answer a question from telemetry. More is read before its start, so that each window that ends in it is whole."""
    slid = 0 if question.style == "calendar" else question.window.length_us or 0
    bucket = question.window.bucket_at(question.start.us).start.us
    # No reading is older than 1970, however long the window.
    start = min(question.start, Instant(max(0, min(question.start.us - slid, bucket))))
    found = collect_entries(telemetry, start, question.end, grounds)
    rates = (
        rates_now(found.records, found.entries, grounds.rule, question.now)
        if question.now is not None
        else []
    )
    return account(found.entries, question, found.identities, rates, heard)
