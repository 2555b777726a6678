"""Message types of Prometheus remote-write, built at run time from the field tables below.

Field numbers and types: prometheus/prometheus, `prompb/remote.proto`, `prompb/types.proto` and
`prompb/io/prometheus/write/v2/types.proto` (P). A field of type bytes where the protocol has a message or a packed
list reads the same bytes on the wire, undecoded: that is what the quick readers of `remote_write` use.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from google.protobuf import (  # type: ignore[import-untyped]  # it comes without types
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

__all__ = ["remote_write_1", "remote_write_2"]

_Fields = Mapping[str, str]
_Messages = Mapping[str, _Fields]

_SPAN: Final[_Fields] = {"offset": "1 sint32", "length": "2 uint32"}
# Native histograms, alike in both versions. The members of a oneof are plain fields here: whichever came last is set.
_HISTOGRAM: Final[_Fields] = {
    "count_int": "1 uint64",
    "count_float": "2 double",
    "sum": "3 double",
    "schema": "4 sint32",
    "zero_threshold": "5 double",
    "zero_count_int": "6 uint64",
    "zero_count_float": "7 double",
    "negative_spans": "8 repeated BucketSpan",
    "negative_deltas": "9 repeated sint64",
    "negative_counts": "10 repeated double",
    "positive_spans": "11 repeated BucketSpan",
    "positive_deltas": "12 repeated sint64",
    "positive_counts": "13 repeated double",
    "reset_hint": "14 int32",
    "timestamp": "15 int64",
    "custom_values": "16 repeated double",
}

_VERSION_1: Final[_Messages] = {
    "Request": {"timeseries": "1 repeated TimeSeries", "metadata": "3 repeated Metadata"},
    "Outline": {"timeseries": "1 repeated bytes", "metadata": "3 repeated Metadata"},
    "TimeSeries": {
        "labels": "1 repeated Label",
        "samples": "2 repeated Sample",
        "exemplars": "3 repeated Exemplar",
        "histograms": "4 repeated Histogram",
    },
    "Label": {"name": "1 string", "value": "2 string"},
    "Sample": {"value": "1 double", "timestamp": "2 int64"},
    "Exemplar": {"labels": "1 repeated Label", "value": "2 double", "timestamp": "3 int64"},
    "Metadata": {"type": "1 int32", "family": "2 string", "help": "4 string", "unit": "5 string"},
    "Histogram": _HISTOGRAM,
    "BucketSpan": _SPAN,
}

_VERSION_2: Final[_Messages] = {
    "Request": {"symbols": "4 repeated string", "timeseries": "5 repeated TimeSeries"},
    "Outline": {"symbols": "4 repeated string", "timeseries": "5 repeated bytes"},
    "TimeSeries": {
        "labels_refs": "1 repeated uint32",
        "samples": "2 repeated Sample",
        "histograms": "3 repeated Histogram",
        "exemplars": "4 repeated Exemplar",
        "metadata": "5 Metadata",
        "created_timestamp": "6 int64",
    },
    "Sample": {"value": "1 double", "timestamp": "2 int64"},
    "Exemplar": {"labels_refs": "1 repeated uint32", "value": "2 double", "timestamp": "3 int64"},
    "Metadata": {"type": "1 int32", "help_ref": "3 uint32", "unit_ref": "4 uint32"},
    "Histogram": _HISTOGRAM,
    "BucketSpan": _SPAN,
}

_KINDS: Final = descriptor_pb2.FieldDescriptorProto


@lru_cache(maxsize=1)
def remote_write_1() -> Mapping[str, Any]:
    """The messages of version 1 by name: `Request` in full, `Outline` with its series undecoded."""
    return _build("sekisho.remote_write.v1", _VERSION_1)


@lru_cache(maxsize=1)
def remote_write_2() -> Mapping[str, Any]:
    """The messages of version 2 by name: `Request` in full, `Outline` with its series undecoded."""
    return _build("sekisho.remote_write.v2", _VERSION_2)


def _build(package: str, messages: _Messages) -> Mapping[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax="proto3"
    )
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, written in fields.items():
            message.field.append(_field(package, field, written))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in messages
    }


def _field(package: str, name: str, written: str) -> Any:
    """A field from its line in a table: number, `repeated` or nothing, type."""
    number, *label, kind = written.split()
    field = _KINDS(name=name, number=int(number))
    field.label = _KINDS.LABEL_REPEATED if label else _KINDS.LABEL_OPTIONAL
    if kind[0].isupper():
        field.type, field.type_name = _KINDS.TYPE_MESSAGE, f".{package}.{kind}"
    else:
        field.type = _KINDS.Type.Value(f"TYPE_{kind.upper()}")
    return field
