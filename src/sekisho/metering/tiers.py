"""The tiers of evidence, and the figure that one of them gives for a sum of telemetry (protocol section 11)."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, TypeAlias

import msgspec

from sekisho.metering.activity import ErrorShare
from sekisho.metering.coverage import Coverage
from sekisho.metering.energy import EnergyCheck
from sekisho.metering.estimate import DeclaredCheck, Estimate, wire_flop
from sekisho.model.flop import FlopInterval
from sekisho.model.instants import Instant

__all__ = ["Tier", "UsageFigure"]

Tier: TypeAlias = Literal["0", "1", "2", "3", "D"]
"""D declared only, 0 allocation, 1 utilisation, 2 tensor activity x clock, 3 the same, attested."""


class UsageFigure(msgspec.Struct, frozen=True, kw_only=True):
    """What one job computed on one type of chip in one stretch of time, in FLOP under `rule`.

    `bound` None and `tier` None or "D": not measured. `errors` are the parts of the estimate's error, `measured` the
    share of the allocated time that its evidence covers. `population`, `n` and `coverage` say what the estimate was
    held against; `source` is the digest of the evidence.
    """

    job: str
    site: str
    chip: str
    start: Instant
    end: Instant
    bound: FlopInterval | None
    estimate: Estimate | None
    tier: Tier | None
    method: str
    rule: str
    unit: str = "FLOP"
    notes: tuple[str, ...] = ()
    population: str = ""
    n: int = 0
    coverage: Coverage | None = None
    measured: Fraction = Fraction(0)
    errors: tuple[ErrorShare, ...] = ()
    energy_ceiling: int | None = None
    energy_check: EnergyCheck | None = None
    declared: int | None = None
    declared_check: DeclaredCheck | None = None
    contradicts: bool = False  # tensor activity above what utilisation allows
    doubtful_clock: bool = False  # above what the chip can run at
    source: str = ""

    @property
    def is_measured(self) -> bool:
        return self.bound is not None

    @property
    def findings(self) -> tuple[str, ...]:
        """What does not fit together, beyond the errors of both sides; a question to ask, never a verdict."""
        found = []
        if self.declared_check not in (None, "within"):
            found.append(f"declared FLOP {self.declared_check}")
        if self.energy_check not in (None, "within"):
            found.append(str(self.energy_check))
        if self.contradicts:
            found.append("tensor activity above utilisation")
        if self.doubtful_clock:
            found.append("a clock above what the chip can run at")
        return tuple(found)

    def to_row(self) -> dict[str, object]:
        """The wire form: FLOP as decimal strings, None where not measured."""
        bound, estimate = self.bound, self.estimate
        return {
            "job": self.job,
            "site": self.site,
            "chip": self.chip,
            "start": str(self.start),
            "end": str(self.end),
            "bound_low": wire_flop(bound.low if bound else None),
            "bound_high": wire_flop(bound.high if bound else None),
            "estimate_low": wire_flop(estimate.low if estimate else None),
            "estimate_best": wire_flop(estimate.best if estimate else None),
            "estimate_high": wire_flop(estimate.high if estimate else None),
            "tier": self.tier,
            "method": self.method,
            "rule": self.rule,
            "unit": self.unit,
            "notes": list(self.notes),
            "population": self.population,
            "n": self.n,
            "coverage": str(self.coverage) if self.coverage else None,
            "energy_ceiling": wire_flop(self.energy_ceiling),
            "declared": wire_flop(self.declared),
            "findings": list(self.findings),
            "source": self.source,
        }
