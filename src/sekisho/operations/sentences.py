"""What an entry of the log says, in one sentence. A table of kinds: from the fact to the words of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sekisho.catalogue import Language, say
from sekisho.model.amounts import format_flop_short, parse_flop
from sekisho.signing import Recorded

__all__ = ["say_entry", "say_kind"]

_WORDS: Final[Mapping[str, Callable[[Any], dict[str, object]]]] = {
    "charter-adopted": lambda p: {"version": p.version, "name": p.name, "profile": p.profile},
    "host-enrolled": lambda p: {"host": p.host, "site": p.site, "devices": len(p.devices)},
    "host-retired": lambda p: {"host": p.host, "reason": p.reason},
    "party-enrolled": lambda p: {"party": p.party, "organisation": p.organisation},
    "pack-published": lambda p: {"name": p.pack.name, "version": p.pack.version},
    "agent-released": lambda p: {"version": p.version},
    "time-marked": lambda _: {},
    "run-declared": lambda p: {
        "party": p.party,
        "run": p.run,
        "flop": format_flop_short(parse_flop(p.planned_flop)),
    },
    "licence-issued": lambda p: {
        "number": p.number,
        "run": p.run,
        "flop": format_flop_short(parse_flop(p.budget_flop)),
        "decision": p.decision.decision,
    },
    "application-filed": lambda p: {
        "party": p.party,
        "application": p.application,
        "run": p.run,
        "flop": format_flop_short(parse_flop(p.budget_flop)),
    },
    "approval-given": lambda p: {"number": p.number, "outcome": p.outcome, "reason": p.reason},
    "licence-amended": lambda p: {
        "number": p.number,
        "version": p.version,
        "flop": format_flop_short(parse_flop(p.budget_flop)),
        "reason": p.reason,
    },
    "licence-suspended": lambda p: {"number": p.number, "reason": p.reason},
    "licence-closed": lambda p: {"number": p.number},
    "outage-declared": lambda p: {"until": p.period.end, "reason": p.reason},
    "licence-revoked": lambda p: {"number": p.number, "reason": p.reason},
    "lease-granted": lambda p: {"host": p.host, "number": p.number, "until": p.not_after},
    "lease-closed": lambda p: {"host": p.host, "number": p.number, "how": p.how},
    "usage-reported": lambda p: {
        "licensee": p.licensee,
        "start": p.period.start,
        "end": p.period.end,
    },
    "receipt-given": lambda p: {
        "host": p.host,
        "stage": p.stage,
        "order": f"{p.order.register} {p.order.number}" if p.order else "-",
    },
    "checkpoint-recorded": lambda p: {"host": p.host, "run": p.run},
    "order-issued": lambda p: {
        "kind": p.kind,
        "order": f"{p.register} {p.number}",
        "effect": p.effect,
    },
    "order-sealed": lambda p: {
        "kind": p.kind,
        "order": f"{p.register} {p.number}",
        "opens": p.opens,
    },
    "order-opened": lambda p: {"order": f"{p.order.register} {p.order.number}"},
    "refusal-recorded": lambda p: {
        "host": p.host,
        "order": f"{p.order.register} {p.order.number}",
        "step": p.step,
        "until": p.answer_by,
    },
    "appeal-filed": lambda p: {
        "party": p.party,
        "order": f"{p.order.register} {p.order.number}",
        "asks": p.asks,
    },
    "appeal-decided": lambda p: {
        "appeal": p.appeal,
        "outcome": p.outcome,
        "reasons": p.reasons,
    },
    "access-decided": lambda p: {
        "host": p.host,
        "model": p.model,
        "served": p.served if p.workers != 0 else "?",
        "refused": p.refused if p.workers != 0 else "?",
    },
    "weights-locked": lambda p: {"party": p.party, "model": p.model},
    "weights-key-released": lambda p: {"host": p.host, "model": p.model},
    "orders-in-force": lambda p: {"count": len(p.in_force)},
    "observation-made": lambda p: {
        "host": p.host,
        "readings": len(p.readings),
        "cpu": p.work_cpu_ms,
    },
    "challenge-answered": lambda p: {"device": p.device, "bytes": p.memory_bytes},
    "halt-judged": lambda p: {"host": p.host, "degree": p.degree, "until": p.lapses},
    "chip-registered": lambda p: {"count": len(p.chips)},
    "custody-moved": lambda p: {"batch": p.batch, "events": p.events},
    "inventory-taken": lambda p: {"party": p.party, "taken": p.taken},
    "balance-closed": lambda p: {
        "party": p.party,
        "until": p.period.end,
        "verdict": p.verdict,
    },
    "production-reported": lambda p: {"party": p.party, "until": p.period.end},
    "irregularity-found": lambda p: {
        "irregularity": p.irregularity,
        "books": p.books,
        "count": p.count,
    },
    "finding-raised": lambda p: {"finding": p.finding, "host": p.host, "detail": p.detail},
}


def say_entry(recorded: Recorded, language: Language) -> str:
    """The entry in one sentence; a kind without words of its own is named as the wire names it."""
    kind = recorded.verified.kind
    words = _WORDS.get(kind)
    if words is None:
        return kind
    return say(f"web.says.{kind}", language, **words(recorded.verified.predicate))


def say_kind(kind: str, language: Language) -> str:
    """The kind's name for people; the wire's word where the catalogue has none."""
    return say(f"web.kind.{kind}", language) if kind in _WORDS else kind
