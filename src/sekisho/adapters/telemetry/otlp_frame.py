"""The frame of an OTLP request with its insides left as bytes.

Protobuf lets a reader declare a message field as bytes. Declared so, a resource, a scope and a data point come out as
the very bytes that the sender wrote, which makes the bytes of a series its name: one that was met before costs a
look-up instead of a parse. What is left undeclared (descriptions, exemplars) costs nothing.
Source of the numbers: opentelemetry-proto, metrics/v1/metrics.proto.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import (  # type: ignore[import-untyped]  # it comes without types
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

__all__ = ["POINTS", "REQUEST"]

_PACKAGE: Final = "sekisho.otlp"
_F: Final = descriptor_pb2.FieldDescriptorProto
_BYTES, _MESSAGE = _F.TYPE_BYTES, _F.TYPE_MESSAGE
_ENUM, _BOOL = _F.TYPE_INT32, _F.TYPE_BOOL
_ONE, _MANY = _F.LABEL_OPTIONAL, _F.LABEL_REPEATED

# message -> (field, number, type, label, message of the field)
_FRAME: Final[dict[str, tuple[tuple[str, int, int, int, str], ...]]] = {
    "Request": (("resources", 1, _MESSAGE, _MANY, "Resource"),),
    "Resource": (
        ("resource", 1, _BYTES, _ONE, ""),
        ("scopes", 2, _MESSAGE, _MANY, "Scope"),
    ),
    "Scope": (
        ("scope", 1, _BYTES, _ONE, ""),
        ("metrics", 2, _MESSAGE, _MANY, "Metric"),
    ),
    "Metric": (
        ("name", 1, _BYTES, _ONE, ""),
        ("unit", 3, _BYTES, _ONE, ""),
        # Bytes too: a metric that holds one point, as some exporters write, needs no second message.
        ("gauge", 5, _BYTES, _ONE, ""),
        ("sum", 7, _BYTES, _ONE, ""),
        ("histogram", 9, _BYTES, _ONE, ""),
        ("exponential_histogram", 10, _BYTES, _ONE, ""),
        ("summary", 11, _BYTES, _ONE, ""),
    ),
    "Points": (
        ("points", 1, _BYTES, _MANY, ""),
        ("temporality", 2, _ENUM, _ONE, ""),
        ("monotonic", 3, _BOOL, _ONE, ""),
    ),
}
_ONE_OF: Final = ("gauge", "sum", "histogram", "exponential_histogram", "summary")


def _declare() -> tuple[Any, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="sekisho/otlp.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in _FRAME.items():
        message = file.message_type.add(name=name)
        for field, number, kind, label, of in fields:
            added = message.field.add(name=field, number=number, type=kind, label=label)
            if of:
                added.type_name = f".{_PACKAGE}.{of}"
            if name == "Metric" and field in _ONE_OF:
                added.oneof_index = 0
        if name == "Metric":
            message.oneof_decl.add(name="data")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    request, points = (
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
        for name in ("Request", "Points")
    )
    return request, points


REQUEST, POINTS = _declare()
"""The message class of an export request, and of the MetricsData that files hold: both have the same shape; and that
of the points of a metric, of whatever kind."""
