"""A chip or component enters the register: who it is by the event that commissions it, and whether it may be that."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, get_args

from sekisho.model.chips import Chip, known_chips
from sekisho.model.custody import Component, Identity
from sekisho.registry.custody.facts import Facts, own_field
from sekisho.registry.custody.track import Trouble

__all__ = ["claimed_key", "find_chip", "identity_of", "same_model", "wrong_tpp"]

_COMPONENTS: Final[frozenset[str]] = frozenset(get_args(Component))
_LAST_PART = re.compile(r"[^/:]+\Z")
MOST_OF_A_FIELD: Final = 256


def identity_of(facts: Facts, epc: str) -> Identity | Trouble:
    """Who an EPC is, as its registering event says; a Trouble where the event may not or cannot say it."""
    alone = len(facts.event.epcs or facts.event.outputs) == 1
    maker = _maker_of(facts)
    component = _text(facts, "component") or "package"
    serial = _text(facts, "serial") if alone else ""
    serial = serial or _last_part(epc)
    if isinstance(maker, Trouble):
        return maker
    if component not in _COMPONENTS:
        return Trouble("model-mismatch", f"{component!r} is no kind of component")
    if not alone and (_text(facts, "serial") or claimed_key(facts)):
        return Trouble("duplicate-serial", "one serial or device key is stated for several EPCs")
    return Identity(
        component=component,  # type: ignore[arg-type]  # looked up among the words just above
        maker=maker,
        serial=serial,
        model=_text(facts, "model"),
        device_key=claimed_key(facts),
    )


def claimed_key(facts: Facts) -> str:
    """The device key that an event states, in one spelling; "" where it states none."""
    stated = unicodedata.normalize("NFKC", _text(facts, "deviceKeySha256"))
    return "".join(stated.split()).lower()


def wrong_tpp(facts: Facts, model: str) -> str:
    """Why the TPP that an event states is not its model's by the chip table; "" where it is, or where nobody knows."""
    stated = own_field(facts.event, "tpp")
    chip = find_chip(model) if model else None
    if stated is None or chip is None:
        return ""
    try:
        claimed = Fraction(str(stated)[:64])
    except (ValueError, ZeroDivisionError):
        return f"a TPP of {str(stated)[:40]!r} is stated, which is no number"
    if abs(claimed - chip.tpp) < 1:  # tables print whole numbers
        return ""
    return f"a TPP of {stated} is stated; {chip.name} has {float(chip.tpp):g}"


def same_model(one: str, other: str) -> bool:
    """Whether two spellings mean one model: the same chip of the table, else the same words."""
    if one.casefold() == other.casefold():
        return True
    chip = find_chip(one)
    return chip is not None and chip == find_chip(other)


@lru_cache(maxsize=1024)
def find_chip(model: str) -> Chip | None:
    """The chip of the table that a model's name means."""
    return known_chips().find(model)


def _maker_of(facts: Facts) -> str | Trouble:
    """The endorsing party; a maker may be named only by itself, or by who may register chips."""
    stated = _text(facts, "maker")
    if stated:
        maker = facts.terms.name_of("party", stated) or stated
        if maker in facts.parties or "register-chips" in facts.captured.powers:
            return maker
        return Trouble("wrong-signer", f"names {maker} as maker, who did not sign it")
    if len(facts.parties) == 1:
        return next(iter(facts.parties))
    return Trouble("wrong-signer", "is signed by several parties or none and names no maker")


def _text(facts: Facts, name: str) -> str:
    value: Any = own_field(facts.event, name)
    return value[:MOST_OF_A_FIELD] if isinstance(value, str) else ""


def _last_part(epc: str) -> str:
    found = _LAST_PART.search(epc)
    return found.group() if found else epc
