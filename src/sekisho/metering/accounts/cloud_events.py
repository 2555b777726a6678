"""Usage as CloudEvents 1.0 (CNCF), one JSON object a line: what billing and metering systems such as OpenMeter take.

Attributes by the specification: `specversion`, `id`, `source` and `type` are required and not empty; `source` is a
URI reference; `time` is RFC 3339; names are lower-case letters and digits; source + id are unique for each event. The
id is a digest of what the event is about and of its figures, so that a delivery that is tried again is recognised, and
a corrected figure is another event. FLOP are decimal strings: JSON numbers lose digits beyond 2^53.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import quote

import msgspec

from sekisho.metering.accounts.entries import Entry
from sekisho.model.amounts import format_flop
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import parse_instant
from sekisho.model.wire import canonical, sha256_hex

__all__ = ["CSV_COLUMNS", "EVENT_TYPE", "UsageEvent", "check_cloud_event", "usage_events"]

EVENT_TYPE: Final = "org.sekisho.usage.v1"
_ATTRIBUTE: Final = re.compile(r"[a-z0-9]{1,64}")
_URI_REFERENCE: Final = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_REQUIRED: Final = ("specversion", "id", "source", "type")
_KNOWN: Final = (*_REQUIRED, "datacontenttype", "dataschema", "subject", "time")
CSV_COLUMNS: Final = (
    "id",
    "start",
    "end",
    "site",
    "customer",
    "run",
    "job",
    "bound_low",
    "bound_high",
    "estimate_low",
    "estimate_best",
    "estimate_high",
    "chip_seconds",
    "gap_seconds",
    "tier",
    "counting",
    "evidence",
)


class UsageEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event: `to_json` gives the CloudEvent, `to_row` the same as fields of a table."""

    id: str
    source: str
    subject: str
    time: str
    data: Mapping[str, str | None]

    def to_json(self) -> dict[str, object]:
        """The CloudEvent; a customer that nobody names has no `subject`, which the format allows to leave out."""
        event: dict[str, object] = {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": EVENT_TYPE,
            "time": self.time,
            "datacontenttype": "application/json",
            "data": {name: value for name, value in self.data.items() if value is not None},
        }
        return event | ({"subject": self.subject} if self.subject else {})

    def to_row(self) -> list[str]:
        """The fields of `CSV_COLUMNS`; blank where not measured."""
        return [self.id, *((self.data.get(name) or "") for name in CSV_COLUMNS[1:])]


def usage_events(entries: Iterable[Entry], *, origin: str, counting: str) -> Iterator[UsageEvent]:
    """One event for each entry, at the end of its time. `origin` names the deployment, as its log or place."""
    for entry in entries:
        data = _data(entry, counting)
        source = f"sekisho://{quote(origin, safe='')}/{quote(entry.site, safe='')}"
        identity = {"source": source, "entry": entry.id, **data}
        yield UsageEvent(
            id=sha256_hex(canonical(identity)),
            source=source,
            subject=entry.customer,
            time=str(entry.end),
            data=data,
        )


def _data(entry: Entry, counting: str) -> dict[str, str | None]:
    bound, estimate = entry.bound, entry.estimate
    return {
        "start": str(entry.start),
        "end": str(entry.end),
        "site": entry.site,
        "customer": entry.customer,
        "run": entry.run,
        "job": entry.job,
        "bound_low": format_flop(bound.low) if bound else None,
        "bound_high": format_flop(bound.high) if bound else None,
        "estimate_low": format_flop(estimate.low) if estimate else None,
        "estimate_best": format_flop(estimate.best) if estimate else None,
        "estimate_high": format_flop(estimate.high) if estimate else None,
        "chip_seconds": _seconds(entry.chip_ms),
        "gap_seconds": _seconds(entry.gap_ms),
        "tier": entry.tier,
        "counting": counting,
        "evidence": entry.evidence,
    }


def _seconds(ms: int) -> str:
    whole, rest = divmod(ms, 1000)
    return f"{whole}.{rest:03d}".rstrip("0").rstrip(".")


def check_cloud_event(event: Mapping[str, object]) -> None:
    """Raise InvalidInput, naming the attribute, where an object is no CloudEvent 1.0 in JSON."""
    for name in _REQUIRED:
        if not isinstance(event.get(name), str) or not event[name]:
            raise InvalidInput("is missing, empty or no text", path=name)
    if event["specversion"] != "1.0":
        raise InvalidInput(f"{event['specversion']!r} is not 1.0", path="specversion")
    for name in ("source", "dataschema"):
        if name in event and not _URI_REFERENCE.fullmatch(str(event[name])):
            raise InvalidInput("is no URI reference", path=name)
    if "time" in event:
        parse_instant(str(event["time"]), path="time")
    if "data" in event and "data_base64" in event:
        raise InvalidInput("stands beside data", path="data_base64")
    for name, value in event.items():
        if name not in ("data", "data_base64"):
            _check_attribute(name, value)


def _check_attribute(name: str, value: object) -> None:
    if not _ATTRIBUTE.fullmatch(name):
        raise InvalidInput("is no attribute: lower-case letters and digits", path=name)
    if name in _KNOWN and (not isinstance(value, str) or not value):
        raise InvalidInput("is empty or no text", path=name)
