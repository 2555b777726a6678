"""Whether one charter lets a host's work start or thaw, as the agents of its other charters ask. Pure."""

from __future__ import annotations

import math

import msgspec

from sekisho.agent.decide import LeaseFacts, Situation, decide

__all__ = ["decide_refusal"]

_ADVISED = LeaseFacts(mode="advise", grace_s=0.0, ends_s=math.inf)


def decide_refusal(situation: Situation) -> str | None:
    """Why work may not start or thaw under this charter; None where it may.

    A licence under another charter satisfies none here: without a lease of its own the charter's word on work without a
    lease decides, and only *advise* lets it in. A charter that does not bind the host is asked nothing, once heard.
    """
    if not situation.is_bound:
        return None if situation.has_contact else "nothing was heard from it yet"
    if situation.lease is None:
        if situation.busy_without_lease != "advise":
            return "it has no lease for this work"
        situation = msgspec.structs.replace(situation, lease=_ADVISED)
    decision = decide(situation)
    return None if decision.new_work else "; ".join(decision.reasons)
