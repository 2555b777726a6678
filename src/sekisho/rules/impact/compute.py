"""How much a training run computes: chips x hours x peak x utilisation, exactly.

Two figures, as everywhere (protocol section 11): the *bound*, every chip at the peak of its fastest format the whole
time, is sound and decides; the *estimate*, at the 16-bit peak and the utilisation that was stated or assumed, informs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Final

import msgspec

from sekisho.model.amounts import MAX_FLOP
from sekisho.model.chips import known_chips
from sekisho.rules.impact.question import Answer
from sekisho.rules.requests import ChipsAsked, Cluster, DeclaredDevice

__all__ = [
    "ASSUMED_UTILISATION",
    "Computed",
    "chips_of",
    "cluster_of",
    "computed",
    "designed_in_china",
    "text_of",
]

# Low, best and high where nobody stated one: our own assumption (O).
ASSUMED_UTILISATION: Final = (Fraction(30, 100), Fraction(40, 100), Fraction(50, 100))
_TERA: Final = 10**12
_CHINA: Final = frozenset({"CN", "HK", "MO"})


class Computed(msgspec.Struct, frozen=True, kw_only=True):
    """FLOP of one training run. `estimate` is low, best, high; `bound` counts utilisation 1, fastest format."""

    bound: int
    estimate: tuple[int, int, int]
    utilisation: tuple[Fraction, Fraction, Fraction]
    stated: bool  # the utilisation was stated, not assumed


class _Peaks(msgspec.Struct, frozen=True):
    fastest: Fraction
    sixteen_bit: Fraction


def text_of(answers: Mapping[str, Answer], question: str) -> str | None:
    """The answer as text, or None where it is missing, unknown or of another kind."""
    answer = answers.get(question)
    return answer if isinstance(answer, str) else None


def computed(answers: Mapping[str, Answer]) -> Computed | None:
    """What the stated run computes; None where chip, count or hours are not known."""
    peaks = _peaks(answers)
    count, hours = text_of(answers, "chip_count"), text_of(answers, "hours")
    if peaks is None or count is None or hours is None:
        return None
    chip_seconds = Fraction(count) * Fraction(hours) * 3600
    stated = text_of(answers, "utilisation")
    shares = (Fraction(stated) / 100,) * 3 if stated is not None else ASSUMED_UTILISATION
    low, best, high = (_whole(chip_seconds * peaks.sixteen_bit * share) for share in shares)
    return Computed(
        bound=_whole(chip_seconds * peaks.fastest),
        estimate=(low, best, high),
        utilisation=(shares[0], shares[1], shares[2]),
        stated=stated is not None,
    )


def chips_of(answers: Mapping[str, Answer]) -> ChipsAsked | None:
    """The chips as requests name them; a chip that no table has with its stated peak, counted at 16 bits."""
    name, count = text_of(answers, "chip"), text_of(answers, "chip_count")
    if name is None or count is None:
        return None
    peak = text_of(answers, "chip_peak")
    declared = None
    if known_chips().find(name) is None and peak is not None:
        rate = math.ceil(Fraction(peak) * _TERA)
        declared = DeclaredDevice(peak_flop_per_s=str(rate), bits=16)
    return ChipsAsked(chip=name, count=int(count), declared=declared)


def designed_in_china(given: Mapping[str, Answer]) -> bool | None:
    """Whether the chips are such as 3A090 names and were designed in China; None where that is not certain.

    Below 1,600 TPP no paragraph of 3A090 is met, from 4,800 on one of them is (15 CFR 774 Supp. 1); in between it
    depends on the die.
    """
    name = text_of(given, "chip")
    chip = known_chips().find(name) if name is not None else None
    seat = chip.designer_country if chip is not None else text_of(given, "chip_designed_in")
    if seat is None:
        return None
    if seat not in _CHINA:
        return False
    if chip is None:
        return None
    return False if chip.tpp < 1600 else True if chip.tpp >= 4800 else None


def cluster_of(answers: Mapping[str, Answer]) -> Cluster | None:
    """The chips as one cluster; whether they are joined stays open where nobody said."""
    chips = chips_of(answers)
    if chips is None:
        return None
    networked = answers.get("networked")
    return Cluster(chips=(chips,), networked=networked if isinstance(networked, bool) else None)


def _peaks(answers: Mapping[str, Answer]) -> _Peaks | None:
    name = text_of(answers, "chip")
    if name is None:
        return None
    chip = known_chips().find(name)
    if chip is not None:
        return _Peaks(Fraction(chip.fastest_peak_flop_per_s), chip.fp16_equivalent_flop_per_s)
    stated = text_of(answers, "chip_peak")
    peak = Fraction(stated) * _TERA if stated is not None else None
    return None if peak is None else _Peaks(peak, peak)


def _whole(flop: Fraction) -> int:
    """Rounded up, since a bound must stay one; beyond 38 digits every threshold is passed anyhow."""
    return min(math.ceil(flop), MAX_FLOP)
