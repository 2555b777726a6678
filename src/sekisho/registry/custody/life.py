"""The life of a chip or component as one table: from which state which act leads where, and who may sign it.

Destroyed is final. Stolen ends by adjudication or destruction alone. Lost may be found. A state that is not in the
table for an act means that the act is not possible then; it waits where an earlier event could still make it so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.custody import LifeState
from sekisho.registry.custody.acts import Act

__all__ = ["LIFE", "STATES", "Passage", "Signer", "life_table"]

Signer: TypeAlias = Literal["maker", "custodian", "holder", "consignee", "adjudicator"]
"""`holder` is the custodian or whoever holds it for the custodian; `consignee` is the party that a shipment is for, or
the shipper where the consignee refused it."""

STATES: Final[tuple[LifeState, ...]] = (
    "registered",
    "in-transit",
    "active",
    "suspended",
    "exported",
    "returned",
    "lost",
    "stolen",
    "destroyed",
)


class Passage(msgspec.Struct, frozen=True):
    """Where an act leads, and whose signature it takes."""

    to: LifeState
    signer: Signer


_From: TypeAlias = LifeState | Literal[""]
_AT_HAND: Final[tuple[LifeState, ...]] = ("registered", "active", "suspended", "returned")
_KEPT: Final[tuple[LifeState, ...]] = (*_AT_HAND, "in-transit", "exported")


def _lead(
    act: Act, states: tuple[_From, ...], to: LifeState | Literal["="], signer: Signer
) -> dict[tuple[_From, Act], Passage]:
    """`to` "=" leaves the state as it is."""
    return {(state, act): Passage(_end(state) if to == "=" else to, signer) for state in states}


def _end(state: _From) -> LifeState:
    if state == "":
        raise ValueError("what is not registered has no state to stay in")
    return state


LIFE: Final[Mapping[tuple[_From, Act], Passage]] = {
    **_lead("register", ("",), "registered", "maker"),
    **_lead("announce", _AT_HAND, "=", "custodian"),
    **_lead("ship", _AT_HAND, "in-transit", "custodian"),
    **_lead("receive", ("in-transit",), "registered", "consignee"),
    **_lead("refuse", ("in-transit",), "in-transit", "consignee"),
    **_lead("cancel", ("in-transit",), "registered", "custodian"),
    **_lead("divert", ("in-transit",), "in-transit", "custodian"),
    **_lead("split", ("in-transit",), "in-transit", "custodian"),
    **_lead("place", (*_AT_HAND, "in-transit"), "=", "holder"),
    **_lead("activate", _AT_HAND, "active", "custodian"),
    **_lead("suspend", _AT_HAND, "suspended", "custodian"),
    **_lead("export", _AT_HAND, "exported", "custodian"),
    **_lead("return", ("in-transit",), "returned", "consignee"),
    **_lead("return", ("exported",), "returned", "custodian"),
    **_lead("lose", ("in-transit",), "lost", "holder"),
    **_lead("lose", (*_AT_HAND, "exported"), "lost", "custodian"),
    **_lead("find", ("lost",), "registered", "custodian"),
    **_lead("steal", ("in-transit",), "stolen", "holder"),
    **_lead("steal", (*_AT_HAND, "exported", "lost"), "stolen", "custodian"),
    **_lead("recover", ("stolen",), "registered", "adjudicator"),
    **_lead("destroy", (*_KEPT, "lost", "stolen"), "destroyed", "custodian"),
    **_lead("rework", _AT_HAND, "destroyed", "custodian"),
    **_lead("install", _AT_HAND, "=", "custodian"),
    **_lead("remove", (*_AT_HAND, "lost", "stolen", "destroyed"), "=", "custodian"),
    **_lead("pack", (*_AT_HAND, "in-transit"), "=", "holder"),
    **_lead("unpack", (*_AT_HAND, "in-transit", "lost", "stolen", "destroyed"), "=", "holder"),
    **_lead("attach-licence", _KEPT, "=", "custodian"),
}


def life_table() -> str:
    """The table as Markdown: one line for each act, from which states, to which, signed by whom."""
    lines = ["| act | from | to | signed by |", "|---|---|---|---|"]
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for (state, act), passage in LIFE.items():
        to = "unchanged" if passage.to == state and act not in _NAMED_LOOPS else passage.to
        grouped.setdefault((act, to, passage.signer), []).append(state or "not registered")
    lines += [
        f"| {act} | {', '.join(states)} | {to} | {signer} |"
        for (act, to, signer), states in grouped.items()
    ]
    return "\n".join(lines) + "\n"


_NAMED_LOOPS = frozenset({"activate", "suspend"})
