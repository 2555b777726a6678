"""What became of the keys: reported compromised, proved by drills, and what they took back. A pure fold.

A key that was reported counts for nothing in any entry after the report; a withdrawn signature counts for nothing in
any entry after the withdrawal. Neither comes back: who needs the key again brings a new one. Source: protocol
section 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import KeyCompromised, SignatureWithdrawn
from sekisho.signing.keys import PublicKey
from sekisho.signing.recorded import Recorded

__all__ = ["Drill", "KeyBook", "Report", "UnprovedKey"]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report that a key is somebody else's since an instant; `grace_s` is the charter's at that entry."""

    key: str
    since: Instant
    index: int
    leaf: str
    grace_s: int
    seen: Instant | None = None


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """A key's newest proof: the entry, the tree it quoted, and when that tree was witnessed.

    The signature came after `proved`, whenever it was handed in: an old drill kept in a drawer proves nothing new.
    """

    index: int
    size: int
    proved: Instant


class UnprovedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A charter key that no drill has proved for too long; `last` is None where none ever did."""

    key: str
    last: Instant | None


class KeyBook(msgspec.Struct, frozen=True, kw_only=True):
    """Reports in log order; the first entry that silences each key; withdrawals; the newest drill of each key."""

    reports: tuple[Report, ...] = ()
    silenced: Mapping[str, int] = {}
    withdrawn: PersistentMap[tuple[str, str], int] = PersistentMap()
    drills: PersistentMap[str, Drill] = PersistentMap()

    def counts(self, key_id: str, payload: str, index: int | None = None) -> bool:
        """Whether a key's signature on a payload counts in entry `index`; None is after all that is known."""
        silenced = self.silenced.get(key_id)
        if silenced is not None and (index is None or silenced < index):
            return False
        taken_back = self.withdrawn.get((payload, key_id))
        return taken_back is None or (index is not None and taken_back >= index)

    def counting(
        self, keys: Iterable[PublicKey], payload: str, index: int | None = None
    ) -> list[PublicKey]:
        """Those of the keys whose signature on this payload counts."""
        if not self.silenced and not self.withdrawn:
            return list(keys)
        return [key for key in keys if self.counts(key.key_id, payload, index)]

    def reported(self, fact: KeyCompromised, recorded: Recorded, *, grace_s: int) -> KeyBook:
        """The book once a report is in the log. A reader of single entries may hear of a later one first."""
        report = Report(
            key=fact.key,
            since=fact.since,
            index=recorded.index,
            leaf=recorded.leaf,
            grace_s=grace_s,
            seen=recorded.seen,
        )
        first = min(recorded.index, self.silenced.get(fact.key, recorded.index))
        return msgspec.structs.replace(
            self,
            reports=tuple(sorted((*self.reports, report), key=lambda row: row.index)),
            silenced={**self.silenced, fact.key: first},
        )

    def taken_back(self, fact: SignatureWithdrawn, index: int) -> KeyBook:
        """The book once a withdrawal is in the log."""
        place = (fact.payload, fact.key)
        if place in self.withdrawn:
            return self
        return msgspec.structs.replace(self, withdrawn=self.withdrawn.plus(place, index))

    def drilled(self, key: str, drill: Drill) -> KeyBook:
        """The book once a key has proved itself."""
        return msgspec.structs.replace(self, drills=self.drills.plus(key, drill))

    def unproved(
        self, keys: Iterable[str], at: Instant, *, every_s: int, known_since: Instant
    ) -> tuple[UnprovedKey, ...]:
        """The keys that nobody has proved within `every_s` before `at`; one never drilled counts from `known_since`."""
        found = []
        for key in keys:
            drill = self.drills.get(key)
            last = drill.proved if drill is not None else None
            if at.since(last if last is not None else known_since) > every_s:
                found.append(UnprovedKey(key=key, last=last))
        return tuple(found)
