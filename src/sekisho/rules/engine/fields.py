"""Which fields of a request tell which quantities: what the engine may keep by the values of these fields alone.

A test turns every other field about and finds the same facts. A quantity that is not in the table rests on the whole
request, which is right and slow.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from operator import attrgetter
from typing import Final, TypeAlias

import msgspec

from sekisho.model.chips import ChipTable
from sekisho.rules.facts import Fact, facts_of
from sekisho.rules.facts.transfers import size_facts
from sekisho.rules.requests import (
    AccessRequest,
    CloudUseRequest,
    ClusterRequest,
    Request,
    RunRequest,
    TransferRequest,
)
from sekisho.rules.requests.shapes import RequestKind

__all__ = ["FIELDS", "Fields", "Key", "Read", "every_field", "fields_of", "key_of", "reader_of"]

Fields: TypeAlias = tuple[str, ...]
Key: TypeAlias = Callable[[Request], Hashable]
Read: TypeAlias = Callable[[Request, ChipTable], Mapping[str, Fact]]

_ITEM: Final = (
    "form eccn tpp h100e performance_density interconnect memory_bandwidth total_bandwidth "
    "memory_bandwidth_density datacenter designer weights_flop weights_published base_published "
    "added_flop added_share below_most_advanced_published"
)
_RECEIVING: Final = (
    "headquarters party_countries listed_party listed_owner_known listed_owner_share"
)
_CLUSTER: Final = (
    "cluster_networked cluster_network cluster_fp16 cluster_peak cluster_tpp cluster_memory"
)

FIELDS: Final[Mapping[RequestKind, Mapping[str, str]]] = {
    "transfer": {
        "item": _ITEM,
        "activity": "activity",
        "origin": "origin",
        "destination": "destination",
        "end_use": "end_use",
        "exporter": "exporter_headquarters",
        "consignee end_user intermediates end_user_is_consignee": f"{_RECEIVING} authorisation",
        "item count": "shipment_chips shipment_tpp shipment_h100e",
        "item count so_far": "parent_year_tpp country_tpp end_user_tpp",
        "so_far": "market_share",
    },
    "training-run": {
        "planned_flop": "run_flop",
        "planned_flop origin lineage_flop lineage_post_training_flop post_training": (
            "training_flop post_training_flop post_training modification_share"
        ),
        "jurisdictions": "jurisdictions",
        "cluster": _CLUSTER,
    },
    "cluster": {"jurisdictions": "jurisdictions", "cluster": _CLUSTER},
    "cloud-use": {
        "planned_flop": "run_flop",
        "owner_window_flop planned_flop": "owner_window_flop",
        "cluster": _CLUSTER,
        "jurisdictions": "jurisdictions",
        "customer": _RECEIVING,
        "provider": "exporter_headquarters",
        "end_use": "end_use",
        "place": "place",
    },
    "access": {
        "training_flop": "training_flop",
        "jurisdictions": "jurisdictions",
        "user": "headquarters party_countries listed_party",
        "provider": "exporter_headquarters",
        "model": "model",
        "user_class": "user_class",
        "place": "place",
        "weights": "weights_given",
    },
}

_TOLD_BY: Final[Mapping[RequestKind, Mapping[str, Fields]]] = {
    kind: {
        quantity: tuple(fields.split())
        for fields, quantities in table.items()
        for quantity in quantities.split()
    }
    for kind, table in FIELDS.items()
}
_SHAPES: Final[Mapping[RequestKind, type[Request]]] = {
    "training-run": RunRequest,
    "cluster": ClusterRequest,
    "transfer": TransferRequest,
    "cloud-use": CloudUseRequest,
    "access": AccessRequest,
}
_OF_SIZE: Final[tuple[Fields, ...]] = (("item", "count"), ("item", "count", "so_far"), ("so_far",))
_OUTSIDE: Final = frozenset({"kind", "id", "on", "facts"})  # of no fact that `facts_of` tells


def fields_of(kind: RequestKind, quantity: str) -> Fields:
    """The fields that tell a quantity."""
    return _TOLD_BY[kind].get(quantity) or every_field(kind)


def key_of(fields: Fields) -> Key:
    """The values of these fields."""
    return attrgetter(*fields)


def reader_of(fields: Fields) -> Read:
    """What reads the facts of these fields: of those that differ from request to request no more than them."""
    return _size_facts if fields in _OF_SIZE else facts_of


def _size_facts(request: Request, chips: ChipTable) -> Mapping[str, Fact]:
    return size_facts(request, chips) if isinstance(request, TransferRequest) else {}


def every_field(kind: RequestKind) -> Fields:
    """All fields that `facts_of` may read."""
    names = [field.name for field in msgspec.structs.fields(_SHAPES[kind])]
    return tuple(name for name in names if name not in _OUTSIDE)
