"""Facts under the names that packs give them: read as the pack declares them, refused where it declares none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final

from sekisho.model.errors import InvalidInput
from sekisho.rules.facts import AmountFact, Fact, FlagFact, PlacesFact, WordFact
from sekisho.rules.pack import Pack, StatedQuantity
from sekisho.rules.requests import Request
from sekisho.rules.requests.shapes import AskedFact

__all__ = ["check_facts", "stated_fact", "stated_facts"]

_DECIMAL: Final = re.compile(r"(?:0|[1-9][0-9]{0,37})(?:\.[0-9]{1,6})?")
_UNBOUNDED: Final = float("inf")


def check_facts(request: Request, packs: Iterable[Pack]) -> None:
    """Whether the request's `facts` are names that one of the packs declares, with values of their kind.

    Raises InvalidInput with the path `facts.NAME`: an unknown name may be a misspelt fact, which must not be lost.
    """
    if not request.facts:
        return
    declared = [pack.quantities for pack in packs]
    for name, value in request.facts.items():
        askers = [quantities[name] for quantities in declared if name in quantities]
        if not askers:
            raise _undeclared(name, sorted({known for names in declared for known in names}))
        for quantity in askers:
            stated_fact(quantity, value)


def stated_facts(request: Request, pack: Pack) -> Mapping[str, Fact]:
    """Every quantity that the pack declares, as far as the request states it. Raises InvalidInput as `check_facts`."""
    return {
        name: stated_fact(quantity, request.facts.get(name))
        for name, quantity in pack.quantities.items()
    }


def stated_fact(quantity: StatedQuantity, value: AskedFact | None) -> Fact:
    """One declared quantity; None is a missing fact. Raises InvalidInput for a value of another kind."""
    missing = (f"facts.{quantity.name}",) if value is None else ()
    if quantity.kind == "amount":
        return _amount(quantity, value, missing)
    if quantity.kind == "flag":
        return FlagFact(value=_flag(quantity, value), missing=missing)
    if quantity.kind == "places":
        return PlacesFact(values=_places(quantity, value), missing=missing)
    return WordFact(values=_words(quantity, value), missing=missing)


def _amount(
    quantity: StatedQuantity, value: AskedFact | None, missing: tuple[str, ...]
) -> AmountFact:
    if value is None:
        return AmountFact(low=0, high=_UNBOUNDED, missing=missing)
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise _wrong(quantity, f"write an amount in {quantity.unit} as a string like '12.5'")
    amount = Fraction(value) if "." in value else int(value)
    return AmountFact(low=amount, high=amount)


def _flag(quantity: StatedQuantity, value: AskedFact | None) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise _wrong(quantity, "write true or false")
    return value


def _places(quantity: StatedQuantity, value: AskedFact | None) -> tuple[str, ...] | None:
    if value is not None and not isinstance(value, tuple):
        raise _wrong(quantity, "write a list of jurisdictions")
    return value


def _words(quantity: StatedQuantity, value: AskedFact | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, str) or (quantity.words and value not in quantity.words):
        choice = f"one of {', '.join(quantity.words)}" if quantity.words else "a word"
        raise _wrong(quantity, f"write {choice}")
    return (value,)


def _wrong(quantity: StatedQuantity, remedy: str) -> InvalidInput:
    return InvalidInput(
        f"is no {quantity.kind}" if quantity.kind != "places" else "are no places",
        path=f"facts.{quantity.name}",
        remedy=remedy,
    )


def _undeclared(name: str, known: list[str]) -> InvalidInput:
    asked = f"use {', '.join(known)}" if known else "leave `facts` out: no pack here asks for any"
    return InvalidInput(
        "no pack of this call asks for this fact", path=f"facts.{name}", remedy=asked
    )
