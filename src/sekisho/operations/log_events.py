"""An entry of the log as an event for whoever watches many systems: how grave, about what, in one sentence.

Events hold public words only, since they are made of the log's entries without any disclosure: a concealed field has
no value here, and a sealed order is its number, kind and dates until it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements import KINDS, OrderReference, Predicate
from sekisho.operations.sentences import say_entry
from sekisho.operations.state import State
from sekisho.signing import Recorded

__all__ = ["SEVERITIES", "LogEvent", "Severity", "event_of", "severity_of"]

Severity: TypeAlias = Literal["info", "notice", "warning", "error", "critical", "alert"]

SEVERITIES: Final[Mapping[str, Severity]] = {
    "charter-adopted": "critical",
    "key-compromised": "alert",
    "key-drilled": "info",
    "signature-withdrawn": "warning",
    "recovery-announced": "alert",
    "recovery-vetoed": "alert",
    "host-enrolled": "notice",
    "host-retired": "notice",
    "party-enrolled": "notice",
    "pack-published": "notice",
    "agent-released": "notice",
    "time-marked": "info",
    "run-declared": "notice",
    "application-filed": "notice",
    "approval-given": "notice",
    "licence-issued": "notice",
    "licence-revoked": "warning",
    "licence-amended": "notice",
    "licence-suspended": "warning",
    "licence-closed": "notice",
    "outage-declared": "critical",
    "lease-granted": "info",
    "lease-closed": "info",
    "usage-reported": "info",
    "receipt-given": "info",
    "checkpoint-recorded": "info",
    "order-issued": "alert",
    "order-sealed": "alert",
    "order-opened": "notice",
    "order-confirmed": "notice",
    "orders-in-force": "info",
    "observation-made": "info",
    "challenge-answered": "info",
    "halt-judged": "notice",
    "refusal-recorded": "critical",
    "appeal-filed": "warning",
    "appeal-decided": "notice",
    "access-decided": "info",
    "weights-locked": "notice",
    "weights-key-released": "notice",
    "finding-raised": "error",
    "chip-registered": "info",
    "custody-moved": "info",
    "inventory-taken": "info",
    "balance-closed": "notice",
    "production-reported": "info",
    "irregularity-found": "error",
    "disclosure-deposited": "info",
    "disclosure-erased": "notice",
}
"""How grave a kind is; `severity_of` says where the content makes it more or less so."""

# (kind, field) -> value -> severity, where it is not the kind's own.
_BY_CONTENT: Final[Mapping[tuple[str, str], Mapping[object, Severity]]] = {
    ("order-issued", "drill"): {True: "notice"},
    ("order-issued", "kind"): {"resume": "critical"},
    ("order-sealed", "kind"): {"resume": "critical"},
    ("halt-judged", "degree"): {"contradicted": "alert", "non-responsive": "critical"},
    ("balance-closed", "verdict"): {"fails": "error", "unverifiable": "warning"},
    ("refusal-recorded", "step"): {"notice": "error"},
    ("pack-published", "emergency"): {True: "critical"},
}
# Names that an entry may carry, as the wire has them; each becomes an id of the event under the same name.
_NAMES: Final = (
    *("host", "site", "party", "licensee", "run", "application", "model", "device"),
    *("finding", "irregularity", "outage", "key", "step", "stage", "degree", "outcome", "verdict"),
)


class LogEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. `id` is its leaf digest: the same however often it is sent, and no other entry's.

    It was recorded after `recorded_from` and not after `recorded_to`; None is not known yet.
    """

    id: str
    origin: str
    index: int
    kind: str
    severity: Severity
    subject: str
    digest: str
    effective: Instant
    recorded_from: Instant | None
    recorded_to: Instant | None
    ids: dict[str, str]
    sentence: str


def severity_of(kind: str, predicate: Predicate) -> Severity:
    """How grave an entry is: by its kind, unless its content says more. A drill is first of all a drill."""
    for (of, field), values in _BY_CONTENT.items():
        found = values.get(getattr(predicate, field, None)) if of == kind else None
        if found is not None:
            return found
    return SEVERITIES.get(kind, "notice")


def event_of(entry: Recorded, state: State, origin: str) -> LogEvent:
    """An entry as an event; `state` is of the log as far as it was read, and tells between which marks it stands."""
    verified = entry.verified
    after, not_after = state.regime.recorded_between(entry.index)
    sentence = say_entry(entry, "en")
    subject = KINDS[verified.kind].subject(verified.predicate)
    return LogEvent(
        id=entry.leaf,
        origin=origin,
        index=entry.index,
        kind=verified.kind,
        severity=severity_of(verified.kind, verified.predicate),
        subject=subject,
        digest=verified.digest,
        effective=verified.predicate.effective,
        recorded_from=after,
        recorded_to=not_after,
        ids=_ids(verified.kind, verified.predicate),
        sentence=f"{sentence} {subject}" if sentence == verified.kind else sentence,
    )


def _ids(kind: str, predicate: Predicate) -> dict[str, str]:
    found = {name: v for name in _NAMES if isinstance(v := getattr(predicate, name, None), str)}
    order = getattr(predicate, "order", None)
    if isinstance(order, OrderReference):
        found["order"] = f"{order.register} {order.number}"
    elif kind in ("order-issued", "order-sealed"):
        found["order"] = f"{getattr(predicate, 'register', '')} {getattr(predicate, 'number', '')}"
    licence = getattr(predicate, "licence", None)
    if (leaf := getattr(licence, "leaf", None)) is not None:
        found["licence_leaf"] = leaf
    if kind.startswith("appeal-"):  # an order has a text of this name
        found["appeal"] = str(getattr(predicate, "appeal", ""))
    if kind.startswith("licence-"):
        found["licence"] = str(getattr(predicate, "number", ""))
    return found
