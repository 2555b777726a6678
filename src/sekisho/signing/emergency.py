"""Which rule pack is in force: the newest of its name, or an emergency one until it lapses. A pure fold.

An emergency pack takes fewer signatures and lapses by itself, counted from when it was witnessed; then the pack before
it counts again. While it runs, another emergency pack of its name takes its place but not a longer time. Once one of a
name has lapsed, every further one of that name needs the full quorum: nobody can tell from outside whether other bytes
are "as strict", so none is taken to be milder. A full quorum begins anew. Source: protocol section 2.
"""

from __future__ import annotations

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import PackPublished
from sekisho.signing.recorded import Recorded
from sekisho.signing.regime import Regime
from sekisho.signing.witnessing import Marks

__all__ = ["Emergency", "PackShelf", "put_on_shelf"]


class Emergency(msgspec.Struct, frozen=True, kw_only=True):
    """The newest emergency pack of a name; `index` is the entry from which its time counts.

    `is_over` where an ordinary pack took its place in time.
    """

    pack: PackPublished
    index: int
    lasts_s: int
    is_over: bool = False

    def lapses(self, marks: Marks) -> Instant | None:
        """The instant at which it stops to count; None as long as no witness has seen it."""
        seen = marks.after(self.index)
        return seen.plus(self.lasts_s) if seen is not None else None

    def has_lapsed(self, marks: Marks, at: Instant | None) -> bool:
        end = self.lapses(marks)
        return end is not None and at is not None and at >= end


class PackShelf(msgspec.Struct, frozen=True, kw_only=True):
    """Published packs by name: the newest with a full quorum, and the newest emergency.

    `published` is every pack that was ever taken onto the shelf, by "name version": the first of these bytes.
    """

    ordinary: PersistentMap[str, PackPublished] = PersistentMap()
    emergencies: PersistentMap[str, Emergency] = PersistentMap()
    published: PersistentMap[str, PackPublished] = PersistentMap()

    def find(self, name: str, version: str) -> PackPublished | None:
        """The pack that bears this name and version, whether or not it still counts; None where none does."""
        found: PackPublished | None = self.published.get(f"{name} {version}")
        return found

    def needs_full_quorum(self, name: str, marks: Marks) -> bool:
        """Whether an emergency pack of this name now takes as many signatures as any other pack."""
        before = self.emergencies.get(name)
        newest = marks.newest
        return (
            before is not None
            and not before.is_over
            and before.has_lapsed(marks, newest.at if newest else None)
        )

    def after(
        self, fact: PackPublished, index: int, marks: Marks, *, is_full: bool, lasts_s: int
    ) -> PackShelf:
        """The shelf once a pack is in the log; an emergency pack that lacks the quorum it needs changes nothing."""
        name = fact.pack.name
        before = self.emergencies.get(name)
        if not fact.emergency:
            return self._with_ordinary(fact, before, marks)
        if not is_full and self.needs_full_quorum(name, marks):
            return self
        runs_on = before is not None and not before.is_over and not is_full
        made = Emergency(
            pack=fact,
            index=before.index if before is not None and runs_on else index,
            lasts_s=before.lasts_s if before is not None and runs_on else lasts_s,
        )
        return msgspec.structs.replace(
            self, emergencies=self.emergencies.plus(name, made), published=self._noted(fact)
        )

    def in_force(self, name: str, at: Instant, marks: Marks) -> PackPublished | None:
        """The pack of a name that counts at an instant; None where there is none.

        No instant before the newest witnessed one is believed: a date must not bring a lapsed pack back.
        """
        newest = marks.newest
        now = max(at, newest.at) if newest is not None else at
        emergency = self.emergencies.get(name)
        if emergency is not None and not emergency.is_over and not emergency.has_lapsed(marks, now):
            return emergency.pack
        ordinary: PackPublished | None = self.ordinary.get(name)
        return ordinary

    def names(self) -> tuple[str, ...]:
        """Every name under which a pack was ever published, in the order of the log."""
        return tuple(dict.fromkeys((*self.ordinary, *self.emergencies)))

    def _with_ordinary(
        self, fact: PackPublished, before: Emergency | None, marks: Marks
    ) -> PackShelf:
        newest = marks.newest
        emergencies = self.emergencies
        if before is not None and not before.has_lapsed(marks, newest.at if newest else None):
            emergencies = emergencies.plus(
                fact.pack.name, msgspec.structs.replace(before, is_over=True)
            )
        return PackShelf(
            ordinary=self.ordinary.plus(fact.pack.name, fact),
            emergencies=emergencies,
            published=self._noted(fact),
        )

    def _noted(self, fact: PackPublished) -> PersistentMap[str, PackPublished]:
        key = f"{fact.pack.name} {fact.pack.version}"
        return self.published if key in self.published else self.published.plus(key, fact)


def put_on_shelf(shelf: PackShelf, recorded: Recorded, before: Regime) -> PackShelf:
    """The shelf once an entry is in the log; `before` is the regime that it came into."""
    fact = recorded.verified.predicate
    if not isinstance(fact, PackPublished):
        return shelf
    charter = before.in_force()
    return shelf.after(
        fact,
        recorded.index,
        before.marks,
        is_full=charter.standing("publish-rules", recorded.verified.signers).is_met,
        lasts_s=charter.terms.emergency_s,
    )
