"""Whose work it is: entries cut into pieces by job, run, customer, ultimate owner or site."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec

from sekisho.metering.accounts.entries import Entry
from sekisho.metering.accounts.lineage import JobNamed, Runs, join_runs
from sekisho.metering.accounts.ownership import OwnerTable
from sekisho.model.names import fold_name
from sekisho.model.telemetry import Allocation
from sekisho.model.telemetry.usage import UNATTRIBUTED

__all__ = ["KEYS", "NOBODY", "Identities", "KeyKind", "Piece", "Pieces", "identify", "pieces_by"]

KeyKind: TypeAlias = Literal["job", "run", "customer", "owner", "site"]
KEYS: Final[tuple[KeyKind, ...]] = ("job", "run", "customer", "owner", "site")
NOBODY: Final = ""
"""The key of device time that no job claims, or of a job whose customer nobody names."""


class Piece(NamedTuple):
    """The part of an entry that belongs to a key: its work in [start, end), epoch microseconds."""

    entry: Entry
    start: int
    end: int


class Identities(msgspec.Struct, frozen=True, kw_only=True):
    """What names are joined by: owners of customers, and the runs of jobs."""

    owners: OwnerTable
    runs: Runs


class Pieces(msgspec.Struct, frozen=True, kw_only=True):
    """All pieces by key, ordered by key, and notes by key."""

    by_key: Mapping[str, tuple[Piece, ...]]
    notes: Mapping[str, tuple[str, ...]]


def identify(
    allocations: Iterable[Allocation],
    owners: OwnerTable | None = None,
    checkpoints: Mapping[str, str] | None = None,
) -> Identities:
    """Owners and runs from job records. `checkpoints` names the run or job that wrote a checkpoint, by its digest.

    A job whose owner changes is of the owner at its start, so that a sale in mid-run makes no second run.
    """
    table = owners or OwnerTable()
    jobs: dict[tuple[str, str], JobNamed] = {}
    for record in allocations:
        before = jobs.get((record.site, record.job))
        start = record.start.us if before is None else min(before.start, record.start.us)
        jobs[record.site, record.job] = JobNamed(
            job=record.job,
            site=record.site,
            owner=" ".join(map(fold_name, table.owned_at(record.customer, start).owners)),
            start=start,
            run=record.run or (before.run if before else ""),
            parents=(*(before.parents if before else ()), *record.parents),
        )
    return Identities(owners=table, runs=join_runs(jobs.values(), checkpoints))


def pieces_by(kind: KeyKind, entries: Iterable[Entry], identities: Identities) -> Pieces:
    """Cut entries into pieces of keys of one kind; an entry of several owners with control is whole in each."""
    known = list(entries)
    found: defaultdict[str, list[Piece]] = defaultdict(list)
    notes: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for entry in known:
        if entry.job == UNATTRIBUTED and kind != "site":
            cuts: Iterable[tuple[str, Piece, Iterable[str]]] = [
                (NOBODY, _whole(entry), ("device time that no job claims",))
            ]
        elif kind == "owner":
            cuts = _by_owner(entry, identities.owners)
        else:
            cuts = [(_KEYS_OF[kind](entry, identities), _whole(entry), ())]
        for key, piece, said in cuts:
            found[key].append(piece)
            notes[key].update(dict.fromkeys(said))
    if kind == "job":
        found = _told_apart(found)
    elif kind == "customer":
        found = _as_spelt(found)
    elif kind == "run":
        for run, said in identities.runs.notes.items():
            notes[run].update(dict.fromkeys(said))
    return Pieces(
        by_key={key: tuple(found[key]) for key in sorted(found)},
        notes={key: tuple(notes[key])[:20] for key in found},
    )


def _whole(entry: Entry) -> Piece:
    return Piece(entry, entry.start.us, entry.end.us)


def _by_owner(entry: Entry, owners: OwnerTable) -> Iterator[tuple[str, Piece, Iterable[str]]]:
    if entry.end == entry.start:
        owned = owners.owned_at(entry.customer, entry.start.us)
        yield from ((owner, _whole(entry), owned.notes) for owner in owned.owners)
        return
    for part in owners.controls_within(entry.customer, entry.start.us, entry.end.us):
        piece = Piece(entry, part.start, part.end)
        yield from ((owner, piece, part.owned.notes) for owner in part.owned.owners)


_KEYS_OF: Final[Mapping[KeyKind, Callable[[Entry, Identities], str]]] = {
    "job": lambda entry, _: f"{entry.site}\0{entry.job}",
    "run": lambda entry, known: known.runs.of(entry.site, entry.job),
    "customer": lambda entry, _: entry.customer,
    "site": lambda entry, _: entry.site,
}


def _told_apart(found: Mapping[str, list[Piece]]) -> defaultdict[str, list[Piece]]:
    """A job is called by its name; with its site, where two sites have jobs of one name."""
    sites: defaultdict[str, list[str]] = defaultdict(list)
    for key in found:
        site, _, job = key.rpartition("\0")
        sites[job].append(site)
    named: defaultdict[str, list[Piece]] = defaultdict(list)
    for key, pieces in found.items():
        site, _, job = key.rpartition("\0")
        named[job if len(sites[job]) == 1 else f"{site}/{job}"] += pieces
    return named


def _as_spelt(found: Mapping[str, list[Piece]]) -> defaultdict[str, list[Piece]]:
    """Spellings of one name are one customer, under the spelling that sorts first."""
    spelt: dict[str, str] = {}
    for key in sorted(found):
        spelt.setdefault(fold_name(key), key)
    named: defaultdict[str, list[Piece]] = defaultdict(list)
    for key in sorted(found):
        named[spelt[fold_name(key)]] += found[key]
    return named
