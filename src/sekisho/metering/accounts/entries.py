"""Entries of accounts: what a job computed in a stretch of time, and corrections, which name what they replace.

An entry is never changed. A correction is a new entry; which of them count is asked for an instant (`as_of`), so that
what was known when stays known, and a figure that was lowered afterwards is shown beside the one that it replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.metering.estimate import Estimate
from sekisho.model.errors import InvalidInput
from sekisho.model.flop import FlopInterval
from sekisho.model.instants import Instant

__all__ = ["BEFORE_ALL", "Correction", "Entry", "Ledger", "Reading", "Unit", "standing_at"]

Unit: TypeAlias = Literal["FLOP", "chip-second"]
Reading: TypeAlias = Literal["bound", "estimate", "declared"]
"""Which figure a threshold is held against: the bound's high end, the estimate's best, or what was declared."""

BEFORE_ALL: Final = Instant(-(2**62))


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Work of one job in one half-open stretch; a figure that is None was not measured, and is never zero.

    `customer` and `run` are as the job's record names them. `chip_ms` is device time, of which `gap_ms` carry no
    reading of activity, and `open_ms` lie behind the last reading of devices whose record has no end. `findings`
    are what does not fit together in the figure. `replaces` names the entries that this one corrects. `recorded` is
    when the account learnt of it. Raises InvalidInput where it ends before it begins, or holds work in no time.
    """

    id: str
    job: str
    start: Instant
    end: Instant
    site: str = ""
    run: str = ""
    customer: str = ""
    chip_ms: int = 0
    gap_ms: int = 0
    open_ms: int = 0
    bound: FlopInterval | None = None
    estimate: Estimate | None = None
    declared: int | None = None
    tier: str = ""
    evidence: str = ""
    exempt: bool = False
    recorded: Instant = BEFORE_ALL
    replaces: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise InvalidInput("ends before it starts", path=f"entry {self.id}")
        if self.end == self.start and any((self.high, self.best, self.declared)):
            raise InvalidInput(
                "holds work in no time", path=f"entry {self.id}", remedy="say when it ended"
            )

    @property
    def high(self) -> int | None:
        """The bound's high end, which caps read."""
        return None if self.bound is None else self.bound.high

    @property
    def best(self) -> int | None:
        return None if self.estimate is None else self.estimate.best

    def figure(self, reading: Reading) -> int | None:
        """The one number that a threshold is held against."""
        if reading == "bound":
            return self.high
        return self.best if reading == "estimate" else self.declared


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What a correction did: the entries that no longer count, and by how much each figure rose (or fell, below 0).

    None where either side is not measured: a figure that was measured and is not any more is `withdrawn`.
    """

    entry: Entry
    replaced: tuple[Entry, ...]
    bound_change: int | None
    estimate_change: int | None
    withdrawn: bool

    @property
    def is_lowering(self) -> bool:
        """Less is accounted than before: whoever reads the account is told."""
        changes = (self.bound_change, self.estimate_change)
        return self.withdrawn or any(change is not None and change < 0 for change in changes)


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """The entries that count at an instant, the corrections among them, and what does not fit."""

    entries: tuple[Entry, ...]
    corrections: tuple[Correction, ...] = ()
    problems: tuple[str, ...] = ()


def standing_at(entries: Iterable[Entry], as_of: Instant | None = None) -> Ledger:
    """The entries recorded by `as_of` (None: all) that nothing recorded by then replaces.

    One entry given twice is one entry. A correction that replaces what nobody knows, what another correction replaces
    already, or what was recorded after it, is a problem and is passed over: then the old figure stands. Raises
    InvalidInput where two different entries bear one id.
    """
    known = _by_id(entries, as_of)
    ended: dict[str, str] = {}
    corrections: list[Correction] = []
    problems: list[str] = []
    refused: set[str] = set()
    for entry in sorted(known.values(), key=lambda e: (e.recorded, e.id)):
        if not entry.replaces:
            continue
        wrong = _wrong(entry, known, ended, refused)
        if wrong:
            problems.append(f"entry {entry.id}: {wrong}; it is passed over")
            refused.add(entry.id)
            continue
        ended |= dict.fromkeys(entry.replaces, entry.id)
        corrections.append(_correction(entry, [known[name] for name in entry.replaces]))
    standing = (e for e in known.values() if e.id not in ended and e.id not in refused)
    return Ledger(entries=tuple(standing), corrections=tuple(corrections), problems=tuple(problems))


def _by_id(entries: Iterable[Entry], as_of: Instant | None) -> dict[str, Entry]:
    known: dict[str, Entry] = {}
    for entry in entries:
        if as_of is not None and entry.recorded > as_of:
            continue
        if known.setdefault(entry.id, entry) != entry:
            raise InvalidInput(
                "stands twice, with different figures",
                path=f"entry {entry.id}",
                remedy="a correction is a new entry that names the old one",
            )
    return known


def _wrong(entry: Entry, known: dict[str, Entry], ended: dict[str, str], refused: set[str]) -> str:
    for name in entry.replaces:
        if name == entry.id:
            return "replaces itself"
        if name not in known or name in refused:
            return f"replaces {name}, which is not known"
        if known[name].recorded > entry.recorded:
            return f"replaces {name}, which was recorded after it"
        if name in ended:
            return f"replaces {name}, which {ended[name]} replaces already"
        if known[name].replaces and known[name].recorded == entry.recorded and name > entry.id:
            return f"replaces {name}, which was recorded with it"
    return ""


def _correction(entry: Entry, replaced: Sequence[Entry]) -> Correction:
    bound, estimate = (_change(entry, replaced, reading) for reading in ("bound", "estimate"))
    return Correction(
        entry=entry,
        replaced=tuple(replaced),
        bound_change=bound,
        estimate_change=estimate,
        withdrawn=any(
            entry.figure(reading) is None
            and any(old.figure(reading) is not None for old in replaced)
            for reading in ("bound", "estimate")
        ),
    )


def _change(entry: Entry, replaced: Sequence[Entry], reading: Reading) -> int | None:
    now, before = entry.figure(reading), [old.figure(reading) for old in replaced]
    known = [figure for figure in before if figure is not None]
    return now - sum(known) if now is not None and len(known) == len(before) else None
