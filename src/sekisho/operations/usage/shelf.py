"""The roll-ups that a home keeps: written once each, by licensee and month, in the order in which they were made.

What the law erases leaves a remnant: that there was a document, of whom and when, and the statement that it stood for.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.metering.accounts.roll_up import RollUp, parse_roll_up, payload_digest
from sekisho.model.errors import Corrupt, InvalidInput
from sekisho.model.statements.shapes import Digest, Name, Span
from sekisho.model.wire import canonical, from_json, parse_json
from sekisho.ports.report_store import ReportStore

__all__ = ["ErasedRollUp", "Kept", "RollUpShelf", "name_of_shelf"]

_REMNANT: Final = b'{"erased":'


class ErasedRollUp(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a roll-up: `erased` is the payload digest of its statement."""

    erased: Digest
    licensee: Name
    period: Span


Kept: TypeAlias = RollUp | ErasedRollUp
_Kind: TypeAlias = Literal["usage"]
_USAGE: Final[_Kind] = "usage"


class RollUpShelf:
    """Roll-ups over a `ReportStore`."""

    def __init__(self, reports: ReportStore) -> None:
        self._reports = reports

    def load(self, name: str, *, after: int = 0) -> tuple[Kept, ...]:
        """The documents under a name of `names`, behind a number. Raises Corrupt for what is none."""
        documents = self._reports.load_all(_USAGE, name, after=after)
        return tuple(_parse(data, f"roll-up of {name}") for data in documents)

    def find(self, licensee: str, period: Span) -> Kept | None:
        """The newest document of exactly this period."""
        kept = [known for known in self.load(_name(licensee, period)) if known.period == period]
        return kept[-1] if kept else None

    def find_newest(self, name: str) -> Kept | None:
        """The last document under a name."""
        kept = self.load(name, after=max(self._reports.count(_USAGE, name) - 1, 0))
        return kept[-1] if kept else None

    def add(self, roll_up: RollUp) -> None:
        """Keep one more, durably. Raises StateConflict where another process kept one meanwhile."""
        name = _name(roll_up.licensee, roll_up.period)
        number = self._reports.count(_USAGE, name) + 1
        self._reports.add(_USAGE, name, number, canonical(roll_up))

    def erase(self, licensee: str, period: Span, digest: str) -> bool:
        """Put a remnant in the place of the document of this statement; whether there was one."""
        name = _name(licensee, period)
        for number, kept in enumerate(self.load(name), 1):
            if isinstance(kept, RollUp) and payload_digest(kept) == digest:
                remnant = ErasedRollUp(erased=digest, licensee=kept.licensee, period=kept.period)
                self._reports.erase(_USAGE, name, number, canonical(remnant))
                return True
        return False

    def names(self) -> tuple[str, ...]:
        """Names of shelves, one for each licensee and month."""
        return self._reports.load_names(_USAGE)

    def licensees_of(self, period: Span) -> tuple[str, ...]:
        """Who was reported in the month in which a period begins."""
        month = _month(period)
        return tuple(name.removesuffix(month) for name in self.names() if name.endswith(month))


def name_of_shelf(roll_up: Kept) -> str:
    """The name under which a document is kept."""
    return _name(roll_up.licensee, roll_up.period)


def _name(licensee: str, period: Span) -> str:
    return f"{licensee}{_month(period)}"


def _month(period: Span) -> str:
    return f" {str(period.start)[:7]}"


def _parse(data: bytes, path: str) -> Kept:
    try:
        if data.startswith(_REMNANT):
            return from_json(ErasedRollUp, parse_json(data, path=path), path=path)
        return parse_roll_up(data, path=path)
    except InvalidInput as error:
        raise Corrupt(
            f"a kept roll-up cannot be read: {error}", remedy="restore it from a copy"
        ) from None
