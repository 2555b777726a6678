"""Who had which devices, from when to when: one record of a scheduler."""

from __future__ import annotations

import msgspec

from sekisho.model.instants import Instant

__all__ = ["Allocation"]


class Allocation(msgspec.Struct, frozen=True, kw_only=True):
    """Devices given to a job; half-open [start, end). `end` None: it has not ended, or nobody wrote that it did.

    `devices` are UUIDs where the record has them; else `hosts` (with `chips` over all of them). `customer` is
    the account that asked, as the scheduler names it; owners of customers stand elsewhere. `run` joins restarts
    of one training run ("" where nobody says: the job is its own run), `parents` are checkpoints or runs that
    it began from. `line` is where the record stood, for messages.
    """

    job: str
    site: str
    start: Instant
    end: Instant | None
    chips: int
    chip: str = ""
    devices: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    customer: str = ""
    run: str = ""
    parents: tuple[str, ...] = ()
    format: str = ""  # number format as declared, "" where nobody says
    exempt: bool = False  # named exempt by a rule or licence, accounted apart
    source: str = ""
    line: int = 0
