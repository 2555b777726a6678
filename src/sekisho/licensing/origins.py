"""Which run wrote which checkpoint, and which runs start from it: how runs hang together, as the log tells it. Pure.

A host's word for a checkpoint counts only for a run that is declared for this host. A digest that two runs claim
belongs to both: what follows from it is counted over both, so that nobody makes a lineage cheaper by claiming it anew.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import CheckpointRecorded, ReceiptGiven, RunDeclared
from sekisho.signing.regime import Recorded

__all__ = ["Origins"]

_Names = PersistentMap[str, tuple[str, ...]]


class Origins(msgspec.Struct, frozen=True, kw_only=True):
    """By checkpoint digest the runs that wrote it and those that start from it; by run the digests it rests on."""

    written_by: _Names = PersistentMap()
    taken_up_by: _Names = PersistentMap()
    rests_on: _Names = PersistentMap()
    written: _Names = PersistentMap()

    def after(self, recorded: Recorded, declared: RunDeclared | None) -> Origins:
        """Once a statement is in the log; `declared` is the declaration of the run that it speaks of."""
        fact = recorded.verified.predicate
        if isinstance(fact, RunDeclared):
            return self._resting(fact.run, fact.lineage.parents)
        if declared is None or not isinstance(fact, CheckpointRecorded | ReceiptGiven):
            return self
        if fact.checkpoint is None or fact.host not in declared.hosts:
            return self
        digest = fact.checkpoint.sha256
        parents = fact.parents if isinstance(fact, CheckpointRecorded) else ()
        resting = self._resting(declared.run, parents)
        return msgspec.structs.replace(
            resting,
            written_by=_with(self.written_by, digest, declared.run),
            written=_with(self.written, declared.run, digest),
        )

    def _resting(self, run: str, parents: Iterable[str]) -> Origins:
        rests_on, taken_up_by = self.rests_on, self.taken_up_by
        for digest in parents:
            rests_on = _with(rests_on, run, digest)
            taken_up_by = _with(taken_up_by, digest, run)
        return msgspec.structs.replace(self, rests_on=rests_on, taken_up_by=taken_up_by)


def _with(names: _Names, key: str, name: str) -> _Names:
    known = names.get(key, ())
    return names if name in known else names.plus(key, (*known, name))
