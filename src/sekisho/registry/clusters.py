"""Covered clusters by the limbs of the treaty draft: more than 16 H100 equivalents by rate, TPP or memory. Pure.

Source: arXiv 2511.10783v2 Art. II.16: more than 15,824 TFLOP/s, or TPP above 253,184, or more than 1,280 GB, over chips
that are networked: co-located, joined by more than 25 Gbit/s, or made to work together. The register knows of a network
what its terms say of the place (`places[].network`); where they say nothing a site is a network of its own. Sums are
exact fractions: sixteen H100 are not covered, and one more is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.chips import (
    TREATY_H100,
    ChipTable,
    ClusterFigures,
    H100Constants,
    cluster_figures,
    known_chips,
)
from sekisho.model.custody import LifeState
from sekisho.registry.holdings import COUNTED, Range, Tally, Unmeasured, by_model

__all__ = [
    "PRESENT",
    "Cluster",
    "Clusters",
    "Covered",
    "Limb",
    "LimbName",
    "find_covered",
    "judge_cluster",
    "networks_of",
]

Covered: TypeAlias = Literal["covered", "not covered", "unverifiable"]
LimbName: TypeAlias = Literal["rate", "tpp", "memory"]
PRESENT: Final[tuple[LifeState, ...]] = (
    "registered",
    "active",
    "suspended",
    "exported",
    "returned",
)
"""The states in which a chip stands where its site says; in transit, lost, stolen and destroyed ones do not."""

_SIXTEEN: Final = 16
_TERA: Final = 10**12


class Limb(msgspec.Struct, frozen=True, kw_only=True):
    """One limb: the figure, what it must not exceed, and whether this limb alone covers the cluster.

    `is_complete` is False where a chip's figure is unknown; then the range is only what is known.
    """

    name: LimbName
    figure: Range
    limit: Fraction
    unit: str
    is_complete: bool

    @property
    def covers(self) -> Covered:
        if self.figure.low > self.limit:
            return "covered"
        is_below = self.figure.high <= self.limit and self.is_complete
        return "not covered" if is_below else "unverifiable"


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """The chips of one network and what they amount to, limb by limb. `network` is "" where nobody said a place."""

    network: str
    sites: tuple[str, ...]
    chips: int
    limbs: tuple[Limb, ...]
    models: tuple[tuple[str, int], ...]
    unmeasured: tuple[Unmeasured, ...] = ()

    @property
    def covered(self) -> Covered:
        """Covered where one limb covers; not covered only where every limb is known not to."""
        words = {limb.covers for limb in self.limbs}
        if not self.network:
            return "unverifiable"  # nobody said that these stand together, or that they do not
        if "covered" in words:
            return "covered"
        return "unverifiable" if "unverifiable" in words else "not covered"

    @property
    def h100e(self) -> Fraction:
        """The largest limb in H100 equivalents, for the order of a list."""
        return max(limb.figure.high / limb.limit for limb in self.limbs) * _SIXTEEN


class Clusters(msgspec.Struct, frozen=True, kw_only=True):
    """Every network with chips in it, the largest first."""

    constants: H100Constants
    clusters: tuple[Cluster, ...]

    def count(self, covered: Covered) -> int:
        return sum(cluster.covered == covered for cluster in self.clusters)


def find_covered(
    tallies: Iterable[Tally],
    networks: Mapping[str, str],
    *,
    constants: H100Constants = TREATY_H100,
    table: ChipTable | None = None,
) -> Clusters:
    """Judge every network. `tallies` are by site; `networks` says which network a site is in, itself if left out."""
    found: dict[str, list[Tally]] = defaultdict(list)
    for tally in tallies:
        if tally.state in PRESENT and tally.component in COUNTED:
            found[networks.get(tally.key, tally.key)].append(tally)
    chips = table or known_chips()
    judged = [judge_cluster(name, kept, constants, chips) for name, kept in found.items()]
    judged.sort(key=lambda cluster: (-cluster.h100e, cluster.network))
    return Clusters(constants=constants, clusters=tuple(judged))


def networks_of(places: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """Site to network, of (place, network) pairs; sites without a network are networks of their own."""
    return {place: network for place, network in places if network}


def judge_cluster(
    network: str, tallies: Sequence[Tally], constants: H100Constants, table: ChipTable
) -> Cluster:
    """One network's figures against each limb."""
    known, unknown = by_model(tallies, table)
    kinds = [cluster_figures(chips, constants) for chips in known.values()]
    models: dict[str, int] = defaultdict(int)
    for chips in known.values():
        for chip, count in chips:
            models[chip.name] += count
    return Cluster(
        network=network,
        sites=tuple(sorted({tally.key for tally in tallies})),
        chips=sum(tally.count for tally in tallies),
        limbs=_limbs(kinds, constants, is_known=not unknown),
        models=tuple(sorted(models.items(), key=lambda item: (-item[1], item[0]))),
        unmeasured=unknown,
    )


def _limbs(
    kinds: Sequence[ClusterFigures], constants: H100Constants, *, is_known: bool
) -> tuple[Limb, ...]:
    def limb(
        name: LimbName, values: list[Fraction], one: Fraction, unit: str, *, is_complete: bool
    ) -> Limb:
        figure = Range(low=max(values), high=sum(values, Fraction(0)))
        return Limb(
            name=name, figure=figure, limit=one * _SIXTEEN, unit=unit, is_complete=is_complete
        )

    rate = [kind.fp16_flop_per_s / _TERA for kind in kinds]
    memory_known = is_known and all(kind.memory_complete for kind in kinds)
    return (
        limb(
            "rate",
            rate,
            Fraction(constants.flop_per_s, _TERA),
            "TFLOP/s",
            is_complete=is_known,
        ),
        limb(
            "tpp",
            [kind.tpp for kind in kinds],
            Fraction(constants.tpp),
            "TPP",
            is_complete=is_known,
        ),
        limb(
            "memory",
            [kind.known_memory_gb for kind in kinds],
            Fraction(constants.memory_gb),
            "GB",
            is_complete=memory_known,
        ),
    )
