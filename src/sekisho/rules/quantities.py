"""What a rule may ask about a run: each quantity with its kind, its unit and its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

__all__ = ["QUANTITIES", "Quantity"]


class Quantity(msgspec.Struct, frozen=True):
    """One thing that a limb may name."""

    kind: Literal["amount", "flag", "places"]
    unit: str
    means: str


QUANTITIES: Mapping[str, Quantity] = {
    "run_flop": Quantity("amount", "FLOP", "FLOP of this run alone"),
    "training_flop": Quantity(
        "amount", "FLOP", "FLOP of the whole lineage, all licences and licensees, with this run"
    ),
    "post_training_flop": Quantity(
        "amount", "FLOP", "FLOP of post-training in the lineage with this run; 0 where it is none"
    ),
    "post_training": Quantity("flag", "", "the run goes on from a finished model"),
    "cluster_networked": Quantity(
        "flag",
        "",
        "the chips are co-located, joined by more than 25 Gbit/s, or work on one task together",
    ),
    "cluster_fp16": Quantity("amount", "TFLOP/s", "dense 16-bit peak of the cluster"),
    "cluster_tpp": Quantity("amount", "TPP", "total processing performance of the cluster"),
    "cluster_memory": Quantity("amount", "GB", "accelerator memory of the cluster"),
    "jurisdictions": Quantity("places", "", "jurisdictions whose law reaches the run"),
}
