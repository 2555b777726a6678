"""Events of the log in the forms that security monitoring reads: JSON lines, CEF and syslog (RFC 5424).

Texts in an event are other people's: whatever they hold, one event stays one event and every field stays its own.
Line ends, control and format characters become visible text before the form's own escapes are put in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from sekisho import __version__
from sekisho.cli.plain_text import tame

if TYPE_CHECKING:
    from sekisho.ceremony import LogEvent, Severity

__all__ = ["FORMS", "Form", "to_cef", "to_json", "to_syslog"]

Form: TypeAlias = Literal["jsonl", "cef", "syslog"]

FACILITY: Final = 13  # log audit (RFC 5424, table 1)
ENTERPRISE: Final = 32473  # reserved for examples (RFC 5612): this project has no number of its own
_SYSLOG: Final[Mapping[Severity, int]] = {
    "info": 6,
    "notice": 5,
    "warning": 4,
    "error": 3,
    "critical": 2,
    "alert": 1,
}
_CEF: Final[Mapping[Severity, int]] = {
    "info": 1,
    "notice": 3,
    "warning": 5,
    "error": 7,
    "critical": 9,
    "alert": 10,
}
# CEF has six places for texts of one's own; each says by its label what it holds.
_CEF_TEXTS: Final = ("order", "licence", "run", "site", "party", "licence_leaf")
_BOM: Final = "\ufeff"


def to_json(event: LogEvent) -> bytes:
    """One JSON object and a line end, in ASCII; keys as the guide lists them."""
    document = {
        "v": 1,
        "id": event.id,
        "origin": event.origin,
        "index": event.index,
        "kind": event.kind,
        "severity": event.severity,
        "subject": event.subject,
        "digest": event.digest,
        "effective": str(event.effective),
        "recorded_from": _text(event.recorded_from),
        "recorded_to": _text(event.recorded_to),
        "ids": event.ids,
        "sentence": event.sentence,
    }
    return json.dumps(document, separators=(",", ":")).encode("ascii") + b"\n"


def to_cef(event: LogEvent) -> bytes:
    """One CEF line and a line end, in UTF-8."""
    head = ("Sekisho", "sekisho", __version__, event.kind, event.kind.replace("-", " "))
    fields: dict[str, str] = {
        "externalId": event.id,
        "dvchost": event.origin,
        "cn1Label": "index",
        "cn1": str(event.index),
        "msg": event.sentence,
        "fileHash": event.digest,
    }
    if event.recorded_from is not None:
        fields["rt"] = str(event.recorded_from.us // 1_000)
    if "host" in event.ids:
        fields["dhost"] = event.ids["host"]
    for number, name in enumerate(_CEF_TEXTS, 1):
        if name in event.ids:
            fields |= {f"cs{number}Label": name, f"cs{number}": event.ids[name]}
    extension = " ".join(f"{key}={_cef_value(value)}" for key, value in fields.items())
    header = "|".join(_cef_header(part) for part in head)
    return f"CEF:0|{header}|{_CEF[event.severity]}|{extension}\n".encode()


def to_syslog(event: LogEvent) -> bytes:
    """One RFC 5424 message with its length before it (octet counting, RFC 6587 section 3.4.1)."""
    told = {"id": event.id, "index": str(event.index), "kind": event.kind, "subject": event.subject}
    told |= {"digest": event.digest, "effective": str(event.effective)}
    told |= {"recordedTo": _text(event.recorded_to) or ""}
    told |= {name.replace("_", ""): value for name, value in event.ids.items()}
    data = " ".join(f'{name}="{_parameter(value)}"' for name, value in told.items() if value)
    at = _text(event.recorded_from) or "-"
    priority = FACILITY * 8 + _SYSLOG[event.severity]
    head = f"<{priority}>1 {at} {event.origin} sekisho - {event.kind}"
    message = f"{head} [event@{ENTERPRISE} {data}] {_BOM}{tame(event.sentence)}".encode()
    return b"%d %s" % (len(message), message)


FORMS: Final[Mapping[Form, Callable[[LogEvent], bytes]]] = {
    "jsonl": to_json,
    "cef": to_cef,
    "syslog": to_syslog,
}


def _text(at: object) -> str | None:
    return None if at is None else str(at)


def _cef_header(text: str) -> str:
    return tame(text).replace("\\", "\\\\").replace("|", "\\|")


def _cef_value(text: str) -> str:
    return tame(text).replace("\\", "\\\\").replace("=", "\\=")


def _parameter(text: str) -> str:
    return tame(text).replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")
