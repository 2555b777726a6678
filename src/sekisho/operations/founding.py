"""Founding a regime: the first charter, drafted from keys that exist, for its quorum to sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CharterAdopted,
    CharterKey,
    CharterLog,
    CharterWitness,
    CosignatureAlgorithm,
    Profile,
    Recovery,
)
from sekisho.signing import draft_charter
from sekisho.signing.notes import VerifierKey

__all__ = [
    "FoundingPlan",
    "WitnessPlan",
    "approvals_asked",
    "draft_founding",
    "refuse_idle",
    "witness_terms",
]

_YEAR_S = 365 * 86_400


class WitnessPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A witness by its cosigner key; `owner` is the organisation that holds it."""

    vkey: str
    owner: str


class FoundingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the founders decide."""

    name: str
    profile: Profile
    jurisdiction: str
    log_vkey: str
    log_owner: str
    constituencies: Mapping[str, Sequence[CharterKey]]
    witnesses: Sequence[WitnessPlan]
    orders_in_force_every_s: int = 60
    halt_verdict_s: int = 3_600
    recovery: Recovery | None = None
    licence_approvals: int = 0


def approvals_asked(profile: Profile) -> int:
    """How many holders must approve a licence's application under a new charter of this profile, if nobody says."""
    return 0 if profile == "internal" else 2


def draft_founding(plan: FoundingPlan, *, now: Instant) -> CharterAdopted:
    """Charter version 1, with the witness quorum of `witness_terms`."""
    quorum, faults = witness_terms(len(plan.witnesses))
    drafted = draft_charter(
        profile=plan.profile,
        name=plan.name,
        jurisdiction=plan.jurisdiction,
        constituencies=plan.constituencies,
        log=CharterLog(
            origin=VerifierKey.from_text(plan.log_vkey).name,
            vkey=plan.log_vkey,
            owner=plan.log_owner,
            witnesses=tuple(_witness(w) for w in plan.witnesses),
            witness_quorum=quorum,
            witness_faults=faults,
            cosignatures=(CosignatureAlgorithm(name="ed25519", until=now.plus(10 * _YEAR_S)),),
        ),
        now=now,
        orders_in_force_every_s=plan.orders_in_force_every_s,
        halt_verdict_s=plan.halt_verdict_s,
        recovery=plan.recovery,
    )
    return msgspec.structs.replace(drafted, licence_approvals=plan.licence_approvals)


def refuse_idle(terms: CharterAdopted) -> None:
    """Raises InvalidInput for a constituency that no power asks: a name mistyped would take its keys with it."""
    asked = {part.constituency for grant in terms.powers for part in grant.quorums}
    idle = [group.name for group in terms.constituencies if group.name not in asked]
    if idle:
        raise InvalidInput(
            f"no power of this charter asks {', '.join(idle)}",
            path="constituencies",
            remedy=f"name one of {', '.join(sorted(asked))}; the next version may add others, with powers",
        )


def witness_terms(n: int) -> tuple[int, int]:
    """How many of n witnesses are asked, and how many of them may be faulty: all below four, else n/2 + 2."""
    quorum = n if n < 4 else n // 2 + 2
    return quorum, max(0, 2 * quorum - n - 1)


def _witness(plan: WitnessPlan) -> CharterWitness:
    key = VerifierKey.from_text(plan.vkey)
    return CharterWitness(name=key.name, vkey=plan.vkey, owner=plan.owner)
