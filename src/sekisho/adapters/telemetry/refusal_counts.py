"""Counting what a parser refuses: by reason, with the first of each."""

from __future__ import annotations

from typing import Final

from sekisho.model.telemetry import Reason, Refusals

__all__ = ["Refusing"]

_SHOWN: Final = 200  # characters of a first example


class Refusing:
    """Refusals of one delivery, in the order in which their reasons were first met. Mutable; one reader at a time."""

    def __init__(self) -> None:
        self._first: dict[Reason, tuple[str, str]] = {}
        self._counts: dict[Reason, int] = {}

    def add(self, reason: Reason, first: str, *, remedy: str = "", count: int = 1) -> None:
        """Count one more, or `count`; `first` and `remedy` are kept for the first of their reason."""
        if count > 0:
            self._counts[reason] = self._counts.get(reason, 0) + count
            self._first.setdefault(reason, (first[:_SHOWN], remedy))

    def refusals(self) -> tuple[Refusals, ...]:
        """What was counted, by reason."""
        return tuple(
            Refusals(reason=reason, count=self._counts[reason], first=first, remedy=remedy)
            for reason, (first, remedy) in self._first.items()
        )
