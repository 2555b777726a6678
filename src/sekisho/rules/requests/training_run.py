"""What is asked of the rules: one planned training run, its lineage and its cluster.

A field that is left out is a missing fact: it is never read as zero or no. Amounts are decimal strings.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from sekisho.model.statements.shapes import FlopText, Jurisdiction, Name
from sekisho.rules.requests.shapes import (
    Asked,
    Contradiction,
    Day,
    DecimalText,
    Facts,
    check_day,
    check_places,
    is_above,
)

__all__ = [
    "NETWORKED_GBIT_S",
    "ChipsAsked",
    "Cluster",
    "DeclaredDevice",
    "Origin",
    "RunRequest",
]

NETWORKED_GBIT_S = 25  # above it chips are one cluster: arXiv 2511.10783v2 Art. II.16
Origin: TypeAlias = Literal["scratch", "known", "unknown"]


class DeclaredDevice(Asked, frozen=True, kw_only=True):
    """A device that is in no chip table, as its operator declares it: dense peak, its bit length, memory."""

    peak_flop_per_s: FlopText
    bits: Annotated[int, msgspec.Meta(ge=1, le=64)]
    memory_gb: DecimalText | None = None


class ChipsAsked(Asked, frozen=True, kw_only=True):
    """So many chips of a type, by the name that people write; `declared` counts only for unknown chips."""

    chip: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    count: Annotated[int, msgspec.Meta(ge=1, le=10**9)]
    declared: DeclaredDevice | None = None


class Cluster(Asked, frozen=True, kw_only=True):
    """The chips that the run would use, and whether they form one cluster (treaty draft Art. II.16)."""

    chips: Annotated[tuple[ChipsAsked, ...], msgspec.Meta(min_length=1, max_length=1000)]
    networked: bool | None = None
    network_gbit_s: DecimalText | None = None

    def __post_init__(self) -> None:
        if self.networked is False and is_above(self.network_gbit_s, NETWORKED_GBIT_S):
            raise Contradiction(
                f"chips joined by more than {NETWORKED_GBIT_S} Gbit/s are networked",
                path="networked",
                remedy="correct `networked` or `network_gbit_s`",
            )


class RunRequest(Asked, frozen=True, kw_only=True):
    """May this run start? FLOP by the treaty draft's rule: the larger of FP16-equivalent and actual operations.

    `lineage_flop` is what the weights that the run starts from have cost so far, over all licences and
    licensees; `lineage_post_training_flop` the part of it that was post-training. `origin` "unknown" (a start
    from weights that no receipt names) counts as the rule's worst case (protocol section 6).
    """

    kind: Literal["training-run"] = "training-run"
    id: Name
    on: Day | None = None
    party: Name | None = None
    jurisdictions: tuple[Jurisdiction, ...] | None = None
    planned_flop: FlopText | None = None
    origin: Origin | None = None
    lineage_flop: FlopText | None = None
    lineage_post_training_flop: FlopText | None = None
    post_training: bool | None = None
    cluster: Cluster | None = None
    facts: Facts = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        check_day(self.on)
        check_places(self.jurisdictions, self.facts)
        if self.origin == "scratch":
            self._check_scratch()
        earlier, lineage = self.lineage_post_training_flop, self.lineage_flop
        if earlier is not None and lineage is not None and int(earlier) > int(lineage):
            raise Contradiction(
                "the lineage's post-training is a part of the lineage",
                path="lineage_post_training_flop",
                remedy="correct it or `lineage_flop`",
            )

    def _check_scratch(self) -> None:
        if self.post_training:
            raise Contradiction(
                "a run from scratch trains no finished model",
                path="post_training",
                remedy="correct `origin` or `post_training`",
            )
        for name in ("lineage_flop", "lineage_post_training_flop"):
            if getattr(self, name) not in (None, "0"):
                raise Contradiction(
                    "a run from scratch has no lineage", path=name, remedy="leave it out or write 0"
                )
