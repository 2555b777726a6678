"""Passports out of a register and its log: what the store says of one chip, tied to what the log holds.

A bare passport is one reading of the timeline and of its alerts. A proven one also reads, for each batch that the chip
was moved in, the salts of the batch and the log's entry, so that every line can be checked by whoever is handed it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, Protocol

import msgspec

from sekisho.ledger import Cosigned, LogReader
from sekisho.ledger.reader import TreeReader
from sekisho.ledger.tree import leaf_hash
from sekisho.model.custody import Standing
from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import CustodyMoved, Predicate, parse_payload
from sekisho.model.wire import encode_base64
from sekisho.ports.register_store import BatchRow, EventRow, RegisterStore
from sekisho.ports.tile_store import TileStore
from sekisho.registry.commitments import BatchTree, commitment
from sekisho.registry.passport import (
    Asked,
    Attachment,
    Passport,
    Ties,
    Timeline,
    build_passport,
)
from sekisho.registry.passport_line import Committed, LineProof, LogSeen
from sekisho.registry.terms import RegisterTerms
from sekisho.signing import parse_envelope

__all__ = ["Batches", "Logged", "Passports", "PublishedBatches", "committed_in"]

_MOST_ALERTS: Final = 10_000
_KEPT_BATCHES: Final = 64
"""Trees of batches that are kept: 17 MB at most, since a group of captures has some 2,000 events."""


class Logged(msgspec.Struct, frozen=True, kw_only=True):
    """What the log holds of a batch: what its entry commits to, the entry's bytes, and its tlog-proof."""

    committed: Committed
    envelope: bytes
    proof: str


class Batches(Protocol):
    """Where the entries of batches are looked up."""

    def find(self, row: BatchRow) -> Logged | None:
        """The entry of a batch under a witnessed checkpoint; None where there is none yet."""
        ...


class PublishedBatches:
    """Entries out of a log's public files, under the newest witnessed checkpoint that `latest` gives."""

    def __init__(self, tiles: TileStore, latest: Callable[[], Cosigned | None]) -> None:
        self._reader = LogReader(tiles)
        self._latest = latest
        self._tree: TreeReader | None = None

    def find(self, row: BatchRow) -> Logged | None:
        """Raises what reading the tree raises: DamagedTile, NotStored, Unavailable."""
        cosigned = self._latest()
        if row.entry is None or cosigned is None or row.entry >= cosigned.checkpoint.size:
            return None
        tree = self._tree
        if tree is None or tree.checkpoint != cosigned.checkpoint:
            tree = self._tree = self._reader.tree(cosigned.checkpoint)
        envelope = tree.entry(row.entry)
        return Logged(
            committed=committed_in(envelope, row.entry),
            envelope=envelope,
            proof=self._reader.prove(row.entry, cosigned).to_text(),
        )


def committed_in(envelope: bytes, index: int) -> Committed:
    """What an entry commits to; one that moves no custody commits to nothing, and no line fits it."""
    leaf = leaf_hash(envelope).hex()
    try:
        fact: Predicate | None = parse_payload(parse_envelope(envelope).payload).predicate
    except (InvalidInput, VerificationError):
        fact = None
    if not isinstance(fact, CustodyMoved):
        return Committed(leaf=leaf, entry=index, batch=0, events=0, root="")
    return Committed(leaf=leaf, entry=index, batch=fact.batch, events=fact.events, root=fact.root)


class Passports:
    """The passports of one register. Safe for many threads."""

    def __init__(
        self, store: RegisterStore, terms: RegisterTerms, *, log: str, batches: Batches | None
    ) -> None:
        self._store = store
        self._terms = terms
        self._log = log
        self._batches = batches
        # Batches never change; chips that were moved together are looked at together.
        self._tree = lru_cache(maxsize=_KEPT_BATCHES)(self._load_tree)

    def load(
        self,
        epc: str,
        *,
        now: Instant,
        at: Instant | None = None,
        as_of: Instant | None = None,
        proven: bool = True,
    ) -> Passport | None:
        """The passport of one chip; None where no event speaks of it. Raises Unavailable, Corrupt.

        Without `proven` no line carries a proof, and each is *unverifiable* for want of one.
        """
        timeline = _joined(self._store.load_timeline(epc))
        if not timeline:
            return None
        alerts = self._store.load_alerts(after=0, limit=_MOST_ALERTS, epc=epc)
        asked = Asked(epc=epc, log=self._log, issued=now, at=at, as_of=as_of)
        ties = self._tie(timeline) if proven else None
        return build_passport(asked, timeline, self._terms, alerts=alerts, ties=ties)

    def find(self, text: str) -> tuple[str, ...]:
        """The EPCs that a person may mean: an EPC, a serial of any maker, `maker/serial`, a device key.

        Nothing is taken for a pattern: what is found bears the text exactly.
        """
        if self._store.load_standings((text,)) or self._store.load_timeline(text):
            return (text,)
        named = [
            (text[:place], text[place + 1 :]) for place, sign in enumerate(text) if sign == "/"
        ]
        found = dict.fromkeys(self._store.find_serial(text))
        found.update(dict.fromkeys(self._store.find_identities(named).values()))
        found.update(dict.fromkeys(self._store.find_device_keys((text.lower(),)).values()))
        return tuple(sorted(found))

    def load_standings(self, epcs: Sequence[str]) -> dict[str, Standing]:
        """How these stand now; those that nobody registered are left out."""
        return self._store.load_standings(epcs)

    def _load_tree(self, batch: int) -> BatchTree:
        salts = self._store.load_batch_salts(batch)
        return BatchTree([commitment(*member) for member in salts])

    def _tie(self, timeline: Timeline) -> Ties:
        """The proofs of a timeline, batch by batch."""
        rows: dict[int, list[EventRow]] = {}
        for row, _ in timeline:
            rows.setdefault(row.batch, []).append(row)
        proofs: dict[int, LineProof] = {}
        logged: dict[str, Logged] = {}
        for number, members in rows.items():
            batch = self._store.find_batch(number)
            if batch is None:
                continue
            tree = self._tree(number)
            # A batch that has not the events that it says it has proves nothing.
            if len(tree.commitments) == batch.events:
                proofs.update((row.number, _proof_of(batch, row, tree)) for row in members)
            entry = None if self._batches is None else self._batches.find(batch)
            if entry is not None:
                logged[batch.leaf] = entry
        return Ties(
            proofs=proofs,
            seen=LogSeen(committed={leaf: entry.committed for leaf, entry in logged.items()}),
            entries=tuple(_attach(leaf, entry) for leaf, entry in logged.items()),
        )


def _joined(timeline: Sequence[tuple[EventRow, str]]) -> list[tuple[EventRow, tuple[str, ...]]]:
    """One row for each event, with every role in which it names the chip, by event time and then effect."""
    rows: dict[int, EventRow] = {}
    roles: dict[int, list[str]] = {}
    for row, role in timeline:
        rows[row.number] = row
        roles.setdefault(row.number, []).append(role)
    ordered = sorted(rows.values(), key=lambda row: (row.at, row.effect or 2**63, row.number))
    return [(row, tuple(dict.fromkeys(roles[row.number]))) for row in ordered]


def _proof_of(batch: BatchRow, row: EventRow, tree: BatchTree) -> LineProof:
    return LineProof(
        batch=batch.batch,
        place=row.place,
        events=batch.events,
        salt=row.salt.hex(),
        hash_id=row.hash_id,
        capture=row.capture,
        commitment=tree.commitments[row.place].hex(),
        path=tuple(item.hex() for item in tree.path(row.place)),
        root=batch.root.hex(),
        entry=batch.entry,
        leaf=batch.leaf,
    )


def _attach(leaf: str, entry: Logged) -> Attachment:
    return Attachment(leaf=leaf, envelope=encode_base64(entry.envelope), proof=entry.proof)
