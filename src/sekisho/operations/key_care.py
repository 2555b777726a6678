"""What hangs on a key: who has proved theirs lately, and what would lose its quorum if one were lost. Pure."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    KeyCompromised,
    KeyDrilled,
    OrderConfirmed,
    OrderReference,
    Power,
    SignatureWithdrawn,
    make_payload,
    parse_payload,
)
from sekisho.operations.state import State
from sekisho.signing import Charter, Recorded, Verified, sign_payload
from sekisho.signing.compromise import ORDERS, Doubt

__all__ = [
    "Consequence",
    "DoubtfulStatement",
    "KeyStanding",
    "doubt_of",
    "draft_compromise",
    "draft_confirmation",
    "draft_drill",
    "draft_withdrawal",
    "key_standings",
    "last_drill",
    "lost_powers",
    "weigh_compromise",
]

Consequence: TypeAlias = Literal["lapses", "runs-out", "doubtful"]


class DoubtfulStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One statement that would lack its quorum: what becomes of it, and when; `ends` is None where nobody can say."""

    name: str
    kind: str
    power: Power
    leaf: str
    consequence: Consequence
    ends: Instant | None = None


class KeyStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One charter key: whose it is, when it was last proved, and whether it is doubtful or reported lost."""

    key: str
    constituency: str
    organisation: str
    holder: str
    last: Instant | None
    doubtful: bool
    compromised: bool


def draft_drill(state: State, key_id: str, note: str, *, now: Instant) -> KeyDrilled:
    """The proof that a key is to sign: over the newest witnessed tree that the log quotes, which nobody could foresee.

    Raises InvalidInput for a key that is not the charter's, StateConflict where there is no newer tree than last time.
    """
    charter, newest = state.regime.in_force(), state.regime.newest_mark
    if charter.holder_of(key_id) is None:
        raise InvalidInput(
            f"key {key_id[:16]} is not in the charter in force",
            path="--key",
            remedy="see sekisho key drill --list",
        )
    before = state.regime.keys.drills.get(key_id)
    if newest is None or (before is not None and newest.size <= before.size):
        raise StateConflict(
            "the log quotes no witnessed tree that is newer than the key's last drill",
            remedy="wait for the log's next time mark",
        )
    return KeyDrilled(effective=now, key=key_id, challenge=newest.root, size=newest.size, note=note)


def draft_compromise(
    charter: Charter, key_id: str, since: Instant, reason: str, *, now: Instant
) -> KeyCompromised:
    """The report that a charter key is somebody else's since an instant that is not ahead."""
    if since > now:
        raise InvalidInput(f"{since} is still ahead", path="--since")
    if charter.holder_of(key_id) is None:
        raise InvalidInput(f"key {key_id[:16]} is not in the charter in force", path="--key")
    return KeyCompromised(effective=now, key=key_id, since=since, reason=reason)


def draft_withdrawal(
    state: State, payload: str, key_id: str, reason: str, *, now: Instant
) -> SignatureWithdrawn:
    """A key's word that its signature on a payload shall not count. Raises StateConflict where it comes too late."""
    if state.regime.in_force().holder_of(key_id) is None:
        raise InvalidInput(f"key {key_id[:16]} is not in the charter in force", path="--key")
    logged = state.regime.spoken.get(payload)
    if logged is not None:
        raise StateConflict(
            f"that payload is entry {logged.index} of the log already: its signatures stand",
            remedy="where the key was lost, report it: sekisho key compromised",
        )
    return SignatureWithdrawn(effective=now, payload=payload, key=key_id, reason=reason)


def draft_confirmation(state: State, reference: OrderReference, *, now: Instant) -> OrderConfirmed:
    """The confirmation of an order that a reported key left in doubt."""
    known = state.orders.find(reference)
    if known is None:
        raise InvalidInput(
            f"{reference.register} {reference.number} is no order of this log", path="ORDER"
        )
    if doubt_of(state, reference.digest) is None:
        raise StateConflict(f"order {reference.register} {reference.number} is not in doubt")
    return OrderConfirmed(effective=now, order=reference, kind=known.order.kind)


def key_standings(state: State, *, now: Instant) -> tuple[KeyStanding, ...]:
    """Every key of the charter in force with its last proof, the doubtful and the lost marked."""
    regime, charter = state.regime, state.regime.in_force()
    doubtful = {row.key for row in regime.doubtful_keys(now)}
    rows = []
    for key in charter.every_key():
        organisation, holder = charter.holder_of(key.key_id) or ("", "")
        lost = key.key_id in regime.keys.silenced
        rows.append(
            KeyStanding(
                key=key.key_id,
                constituency=charter.constituency_of(key.key_id) or "recovery",
                organisation=organisation,
                holder=holder,
                last=last_drill(state, key.key_id),
                doubtful=key.key_id in doubtful and not lost,
                compromised=lost,
            )
        )
    return tuple(rows)


def last_drill(state: State, key_id: str) -> Instant | None:
    """When the newest tree that a key signed in a drill was witnessed; None where it never drilled."""
    drill = state.regime.keys.drills.get(key_id)
    return drill.proved if drill is not None else None


def doubt_of(state: State, digest: str) -> Doubt | None:
    """Why a statement, by its payload digest, lacks its quorum; None where it stands."""
    return next((row for row in state.regime.doubts if row.digest == digest), None)


def weigh_compromise(
    state: State, fact: KeyCompromised, *, now: Instant
) -> tuple[DoubtfulStatement, ...]:
    """What a report would put in doubt that is not so already; the orders that would lapse first.

    Reckoned as if the report were the log's next entry and witnessed at once: its grace would begin now.
    """
    before = {row.digest for row in state.regime.doubts}
    after = state.regime.after(_as_if_recorded(state, fact, now)).doubts
    rows = [_weighed(state, row) for row in after if row.digest not in before]
    if "grant-lease" in lost_powers(state, fact.key):
        rows += _leases(state, now)
    order: tuple[Consequence, ...] = ("lapses", "runs-out", "doubtful")
    return tuple(sorted(rows, key=lambda row: order.index(row.consequence)))


def lost_powers(state: State, *key_ids: str) -> tuple[Power, ...]:
    """The powers whose quorums nobody could meet any more without these keys and those reported before."""
    charter = state.regime.in_force()
    today = frozenset(charter.keys) - set(state.regime.keys.silenced)
    left = today - set(key_ids)
    return tuple(
        grant.power
        for grant in charter.terms.powers
        if charter.standing(grant.power, today).is_met
        and not charter.standing(grant.power, left).is_met
    )


def _as_if_recorded(state: State, fact: KeyCompromised, now: Instant) -> Recorded:
    payload = make_payload(fact)
    statement = parse_payload(payload)
    verified = Verified(
        kind=statement.kind,
        predicate=fact,
        digest=statement.digest,
        signers=frozenset(),
        envelope=sign_payload(payload, []).at_rest(),
    )
    return Recorded(index=state.size, leaf=statement.digest, verified=verified, seen=now)


def _weighed(state: State, doubt: Doubt) -> DoubtfulStatement:
    is_order = doubt.kind in ORDERS
    return DoubtfulStatement(
        name=_name(state, doubt),
        kind=doubt.kind,
        power=doubt.power,
        leaf=doubt.leaf,
        consequence="lapses" if is_order and doubt.lapses is not None else "doubtful",
        ends=doubt.lapses,
    )


def _name(state: State, doubt: Doubt) -> str:
    """What people call a statement: an order by register and number, others by their place in the log."""
    for book in state.orders.orders.values():
        for known in book.values():
            if known.digest == doubt.digest:
                return f"{known.order.register} {known.order.number}"
    return f"entry {doubt.index}"


def _leases(state: State, now: Instant) -> list[DoubtfulStatement]:
    """The leases that nobody could renew any more: they end by themselves."""
    return [
        DoubtfulStatement(
            name=f"{lease.granted.host} {lease.granted.number}",
            kind="lease-granted",
            power="grant-lease",
            leaf=lease.leaf,
            consequence="runs-out",
            ends=lease.granted.not_after,
        )
        for licence in state.licences.licences.values()
        for lease in licence.live_leases()
        if lease.granted.not_after > now
    ]
