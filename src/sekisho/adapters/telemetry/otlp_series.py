"""What an OTLP series says of itself, as the labels that a mapper reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sekisho.adapters.telemetry.columns import Unusable

__all__ = [
    "BLANK",
    "CUMULATIVE",
    "DELTA",
    "GAUGE",
    "KIND",
    "MAX_ATTRIBUTES",
    "MAX_ATTRIBUTE_BYTES",
    "NO_VALUE_FLAG",
    "SCOPE",
    "TOO_MANY",
    "UNCLEAR",
    "UNIT",
    "kind_of_sum",
    "labels_of",
    "text_of",
]

MAX_ATTRIBUTES: Final = 256
MAX_ATTRIBUTE_BYTES: Final = 64 << 10
NO_VALUE_FLAG: Final = 1
"""DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK."""

# Labels that we add, named so that no attribute of a sender hides them: ours are set last.
UNIT: Final = "otel.unit"
SCOPE: Final = "otel.scope.name"
KIND: Final = "otel.kind"
# A level as it stands, a counter as it stands, what came to pass since a start, and sums that say none of these:
# changes of a level (an up-down counter as delta), or no temporality at all.
GAUGE, CUMULATIVE, DELTA, UNCLEAR = "gauge", "cumulative", "delta", "unclear"

BLANK: Final = Unusable(reason="blank", why="the point is flagged: no recorded value")
TOO_MANY: Final = Unusable(
    reason="malformed",
    why=f"more than {MAX_ATTRIBUTES} attributes or {MAX_ATTRIBUTE_BYTES} bytes of them",
)


def kind_of_sum(temporality: int, *, monotonic: bool) -> str:
    """What a sum's values are, by AggregationTemporality (1 delta, 2 cumulative) and whether it only grows."""
    if temporality == 2:
        return CUMULATIVE if monotonic else GAUGE
    return DELTA if temporality == 1 and monotonic else UNCLEAR


def labels_of(
    layers: Iterable[Mapping[str, str]], *, unit: str, scope: str, kind: str
) -> dict[str, str]:
    """Resource, scope and point attributes in one, the nearer one winning, with unit, scope and kind."""
    labels: dict[str, str] = {}
    for layer in layers:
        labels.update(layer)
    labels[UNIT], labels[SCOPE], labels[KIND] = unit, scope, kind
    return labels


def text_of(attributes: Iterable[Any]) -> dict[str, str]:
    """KeyValue messages as text; lists, maps and bytes name no device and are left out."""
    found: dict[str, str] = {}
    for each in attributes:
        which = each.value.WhichOneof("value")
        if which == "string_value":
            found[each.key] = each.value.string_value
        elif which == "int_value":
            found[each.key] = str(each.value.int_value)
        elif which == "bool_value":
            found[each.key] = "true" if each.value.bool_value else "false"
        elif which == "double_value":
            found[each.key] = repr(each.value.double_value)
    return found
