"""What a rule may ask about: each quantity with its kind, its unit, its meaning and the requests that tell it.

What is not here a pack may declare itself (`quantities:`); a request then tells it under `facts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

import msgspec

from sekisho.rules.requests.access import UserClass
from sekisho.rules.requests.shapes import RequestKind
from sekisho.rules.requests.transfer import EndUse

__all__ = ["QUANTITIES", "UNITS", "Quantity", "QuantityKind"]

QuantityKind: TypeAlias = Literal["amount", "flag", "places", "word"]

# Units of amounts, as packs write them. A share is a number between 0 and 1.
UNITS: Mapping[str, str] = {
    "FLOP": "operations, by the counting rule of the text",
    "FLOP/s": "operations a second",
    "TFLOP/s": "10^12 operations a second",
    "TPP": "tera-operations a second x bit length",
    "TPP/mm2": "TPP per square millimetre of logic die",
    "H100e": "H100 equivalents",
    "GB": "10^9 bytes",
    "GB/s": "10^9 bytes a second",
    "GB/s/mm2": "10^9 bytes a second per square millimetre",
    "Gbit/s": "10^9 bits a second",
    "chips": "a count of chips",
    "transistors": "a count of transistors",
    "share": "a part of another amount: 0.5 is half of it",
    "USD/yr": "US dollars a year",
    "MW": "megawatts",
    "days": "days",
    "licences/officer/yr": "applications that one officer settles in a year",
}


class Quantity(msgspec.Struct, frozen=True):
    """One thing that a limb may name."""

    kind: QuantityKind
    unit: str
    means: str
    kinds: tuple[RequestKind, ...]
    words: tuple[str, ...] = ()


_RUN: tuple[RequestKind, ...] = ("training-run",)
_CLUSTERED: tuple[RequestKind, ...] = ("training-run", "cluster", "cloud-use")
_TRANSFER: tuple[RequestKind, ...] = ("transfer",)
_CLOUD: tuple[RequestKind, ...] = ("cloud-use",)
_ACCESS: tuple[RequestKind, ...] = ("access",)


QUANTITIES: Mapping[str, Quantity] = {
    # --- training ---
    "run_flop": Quantity("amount", "FLOP", "FLOP of this run alone", ("training-run", "cloud-use")),
    "training_flop": Quantity(
        "amount",
        "FLOP",
        "FLOP of the whole lineage, all licences and licensees, with this run",
        ("training-run", "access"),
    ),
    "post_training_flop": Quantity(
        "amount",
        "FLOP",
        "FLOP of post-training in the lineage with this run; 0 where it is none",
        _RUN,
    ),
    "post_training": Quantity("flag", "", "the run goes on from a finished model", _RUN),
    "modification_share": Quantity(
        "amount", "share", "FLOP of this run over what its lineage has cost; 0 from scratch", _RUN
    ),
    "owner_window_flop": Quantity(
        "amount", "FLOP", "FLOP of the customer's owner in the window, with this contract", _CLOUD
    ),
    # --- clusters ---
    "cluster_networked": Quantity(
        "flag",
        "",
        "the chips are co-located, joined by more than 25 Gbit/s, or work on one task together",
        _CLUSTERED,
    ),
    "cluster_fp16": Quantity("amount", "TFLOP/s", "dense 16-bit peak of the cluster", _CLUSTERED),
    "cluster_peak": Quantity(
        "amount", "FLOP/s", "dense peak of the cluster in its fastest format", _CLUSTERED
    ),
    "cluster_tpp": Quantity(
        "amount", "TPP", "total processing performance of the cluster", _CLUSTERED
    ),
    "cluster_memory": Quantity("amount", "GB", "accelerator memory of the cluster", _CLUSTERED),
    "cluster_network": Quantity("amount", "Gbit/s", "network between the nodes", _CLUSTERED),
    # --- where law reaches ---
    "jurisdictions": Quantity(
        "places",
        "",
        "jurisdictions whose law reaches the run or the model",
        ("training-run", "cluster", "cloud-use", "access"),
    ),
    # --- the item of a transfer ---
    "form": Quantity(
        "word", "", "what the item is", _TRANSFER, ("ic", "computer", "hbm", "weights", "other")
    ),
    "eccn": Quantity("word", "", "the entry under which the item falls otherwise", _TRANSFER),
    "tpp": Quantity("amount", "TPP", "TPP of one chip, dense, the largest over formats", _TRANSFER),
    "h100e": Quantity("amount", "H100e", "TPP of one chip over that of an H100", _TRANSFER),
    "performance_density": Quantity(
        "amount", "TPP/mm2", "TPP over the area of the logic dies on non-planar nodes", _TRANSFER
    ),
    "interconnect": Quantity(
        "amount", "GB/s", "aggregate bidirectional input and output of one chip", _TRANSFER
    ),
    "memory_bandwidth": Quantity("amount", "GB/s", "memory bandwidth of one chip", _TRANSFER),
    "total_bandwidth": Quantity(
        "amount", "GB/s", "memory bandwidth and input and output of one chip, together", _TRANSFER
    ),
    "memory_bandwidth_density": Quantity(
        "amount", "GB/s/mm2", "bandwidth of a memory stack over its area", _TRANSFER
    ),
    "datacenter": Quantity("flag", "", "designed or marketed for data centres", _TRANSFER),
    "designer": Quantity("places", "", "where the chip's designer has its seat", _TRANSFER),
    "shipment_chips": Quantity("amount", "chips", "chips in this transfer", _TRANSFER),
    "shipment_tpp": Quantity("amount", "TPP", "TPP of this transfer", _TRANSFER),
    "shipment_h100e": Quantity("amount", "H100e", "H100 equivalents of this transfer", _TRANSFER),
    "weights_flop": Quantity(
        "amount", "FLOP", "training FLOP of the weights, synthetic data counted", _TRANSFER
    ),
    "weights_published": Quantity("flag", "", "the weights are published", _TRANSFER),
    "base_published": Quantity("flag", "", "derived from a published model", _TRANSFER),
    "added_flop": Quantity("amount", "FLOP", "FLOP that the derivation added", _TRANSFER),
    "added_share": Quantity("amount", "share", "added FLOP over the base model's", _TRANSFER),
    "below_most_advanced_published": Quantity(
        "flag", "", "trained with less than the most advanced published model needed", _TRANSFER
    ),
    # --- the way it goes ---
    "activity": Quantity(
        "word", "", "kind of transfer", _TRANSFER, ("export", "reexport", "in-country")
    ),
    "origin": Quantity("places", "", "country from which the item goes", _TRANSFER),
    "destination": Quantity("places", "", "country to which the item goes", _TRANSFER),
    "headquarters": Quantity(
        "places",
        "",
        "headquarters and ultimate parents' headquarters of the parties on the receiving side",
        ("transfer", "cloud-use", "access"),
    ),
    "party_countries": Quantity(
        "places",
        "",
        "countries where the parties on the receiving side are located",
        ("transfer", "cloud-use", "access"),
    ),
    "exporter_headquarters": Quantity(
        "places",
        "",
        "headquarters and ultimate parent's headquarters of the exporter or provider",
        ("transfer", "cloud-use", "access"),
    ),
    "end_use": Quantity(
        "word",
        "",
        "what the items or the compute are for; one of the stated uses is enough",
        ("transfer", "cloud-use"),
        get_args(EndUse),
    ),
    "listed_party": Quantity(
        "flag", "", "a receiving party stands on a list itself", ("transfer", "cloud-use", "access")
    ),
    "listed_owner_known": Quantity(
        "flag", "", "a listed owner of a receiving party is known", ("transfer", "cloud-use")
    ),
    "listed_owner_share": Quantity(
        "amount",
        "share",
        "largest share that listed parties own of a receiving party, together",
        ("transfer", "cloud-use"),
    ),
    "authorisation": Quantity(
        "word",
        "",
        "validated end-user authorisation of the end user",
        _TRANSFER,
        ("none", "universal", "national", "general"),
    ),
    # --- what has gone before, with this transfer ---
    "parent_year_tpp": Quantity(
        "amount", "TPP", "TPP to the ultimate parent in the calendar year, all exporters", _TRANSFER
    ),
    "country_tpp": Quantity("amount", "TPP", "TPP to the country under its allocation", _TRANSFER),
    "end_user_tpp": Quantity(
        "amount", "TPP", "TPP to the authorised end user since its authorisation", _TRANSFER
    ),
    "market_share": Quantity(
        "amount", "share", "aggregate shipped there over shipments to the other market", _TRANSFER
    ),
    # --- access to a hosted model ---
    "model": Quantity("word", "", "the model's name", _ACCESS),
    "user_class": Quantity(
        "word",
        "",
        "class of the user",
        _ACCESS,
        get_args(UserClass),
    ),
    "place": Quantity(
        "places",
        "",
        "where the chips stand, or from where the model is reached",
        (*_CLOUD, *_ACCESS),
    ),
    "weights_given": Quantity("flag", "", "the weights themselves are given", _ACCESS),
}
