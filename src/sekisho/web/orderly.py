"""Orders as the pages show them: what state each is in, who signed it, and how far its hosts have come. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import msgspec

from sekisho.model.statements import CharterKey, Power
from sekisho.orders import KnownOrder
from sekisho.signing import PublicKey, Regime
from sekisho.web.snapshot import Snapshot
from sekisho.web.standing import HostStanding, StepTaken, Word, judge_under, steps_of

__all__ = [
    "HostLife",
    "OrderRow",
    "OrderState",
    "Quorum",
    "SignerTile",
    "count_words",
    "life_of",
    "lives_of",
    "quorums_of",
    "row_of",
    "standings_under",
    "state_of",
]

OrderState: TypeAlias = Literal[
    "pending", "in-force", "expired-refusing", "lifted", "lapsed", "took-effect"
]


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order in a list: its state, what lifted it, and how many of its hosts stand where."""

    known: KnownOrder
    state: OrderState
    lifted_by: KnownOrder | None
    words: tuple[tuple[Word, int], ...]


class SignerTile(msgspec.Struct, frozen=True, kw_only=True):
    """One key of a constituency, and whether it signed."""

    key: CharterKey
    key_id: str
    has_signed: bool


class Quorum(msgspec.Struct, frozen=True, kw_only=True):
    """One constituency's part of a power: how many keys signed of how many asked, and which."""

    constituency: str
    have: int
    asked: int
    tiles: tuple[SignerTile, ...]


class HostLife(msgspec.Struct, frozen=True, kw_only=True):
    """One host under one order: where it stands, its steps, and what the verdict rests on."""

    standing: HostStanding
    steps: tuple[StepTaken, ...]
    reasons: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    means: str = ""
    leaves: str = ""
    checkpoint: str = ""


def state_of(look: Snapshot, known: KnownOrder) -> OrderState:
    """What has become of an order by the instant of the look."""
    order = known.order
    if look.at < order.not_before:
        return "pending"
    if order.kind == "resume":
        return "took-effect"
    if any(other.digest == known.digest for other in look.in_force):
        return "in-force" if look.at < order.expires else "expired-refusing"
    return "lifted" if lifter_of(look, known) else "lapsed"


def lifter_of(look: Snapshot, known: KnownOrder) -> KnownOrder | None:
    """The resume that lifted an order, once it took effect."""
    return next(
        (
            other
            for other in look.all_orders
            if other.order.kind == "resume"
            and other.order.not_before <= look.at
            and any(lifted.digest == known.digest for lifted in other.order.lifts)
        ),
        None,
    )


def standings_under(look: Snapshot, known: KnownOrder) -> tuple[HostStanding, ...]:
    """Where every host that an order is for stands under it, by name."""
    return tuple(judge_under(look, known, host) for host in look.under(known))


def row_of(
    look: Snapshot, known: KnownOrder, standings: Sequence[HostStanding] | None = None
) -> OrderRow:
    """An order as a row of a list; `standings` where its hosts were judged already."""
    if standings is None:
        standings = () if known.order.kind == "resume" else standings_under(look, known)
    return OrderRow(
        known=known,
        state=state_of(look, known),
        lifted_by=lifter_of(look, known),
        words=() if known.order.kind == "resume" else count_words(standings),
    )


def count_words(standings: Iterable[HostStanding]) -> tuple[tuple[Word, int], ...]:
    """How many hosts stand where, the most frequent word first."""
    return tuple(Counter(standing.word for standing in standings).most_common())


def quorums_of(regime: Regime, power: Power, signers: frozenset[str]) -> tuple[Quorum, ...]:
    """Who of whom signed, for each quorum that a power asks."""
    charter = regime.charter
    grant = charter.grant_of(power) if charter else None
    if charter is None or grant is None:
        return ()
    keys = {c.name: c.keys for c in charter.terms.constituencies}
    quorums = []
    for part in grant.quorums:
        tiles = tuple(_tile(key, signers) for key in keys.get(part.constituency, ()))
        have = sum(tile.has_signed for tile in tiles)
        quorums.append(Quorum(constituency=part.constituency, have=have, asked=part.k, tiles=tiles))
    return tuple(quorums)


def lives_of(
    look: Snapshot, known: KnownOrder, standings: Iterable[HostStanding]
) -> tuple[HostLife, ...]:
    """These hosts under an order, each with its steps and its verdict's grounds."""
    return tuple(life_of(look, known, standing) for standing in standings)


def life_of(look: Snapshot, known: KnownOrder, standing: HostStanding) -> HostLife:
    """One host under an order: its steps, and what its verdict rests on."""
    host = standing.host
    life = look.lives.of(known.reference, host.host)
    verdict, followed = life.verdict, life.halted or life.capped
    checkpoints = [s.receipt.checkpoint for s in life.stages if s.receipt.checkpoint]
    means = followed.receipt.means or followed.receipt.cap or "" if followed else ""
    return HostLife(
        standing=standing,
        steps=steps_of(look, known, host),
        reasons=verdict.reasons if verdict else (),
        limits=verdict.limits if verdict else (),
        means=means,
        leaves=(followed.receipt.leaves or "") if followed else "",
        checkpoint=checkpoints[-1].sha256 if checkpoints else "",
    )


def _tile(key: CharterKey, signers: frozenset[str]) -> SignerTile:
    key_id = PublicKey.from_text(key.public).key_id
    return SignerTile(key=key, key_id=key_id, has_signed=key_id in signers)
