"""What an event means for the chips that it names: one table from the words of EPCIS and CBV to our acts.

Where CBV has no word for an act, a word of our own stands in its place, as business step or as disposition:
`OWN_NAMESPACE` + `act/found` and so on. What the table does not know is an observation, never an error: firms use
EPCIS for more than custody. Source: CBV 2.0; regimes of EMCS and EMVS for the acts that it lacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.registry.epcis.event import Event
from sekisho.registry.terms import OWN_NAMESPACE

__all__ = ["CONTAINMENT", "OWN_WORDS", "ROWS", "WITHOUT_EFFECT", "Act", "Row", "act_of"]

Act: TypeAlias = Literal[
    "register",
    "announce",
    "ship",
    "receive",
    "refuse",
    "cancel",
    "divert",
    "split",
    "place",
    "activate",
    "suspend",
    "export",
    "return",
    "lose",
    "find",
    "steal",
    "recover",
    "destroy",
    "install",
    "remove",
    "pack",
    "unpack",
    "rework",
    "attach-licence",
    "count",
    "inspect",
    "observe",
    "void",
]

WITHOUT_EFFECT: Final[frozenset[Act]] = frozenset({"observe", "inspect", "count"})
"""Acts that say what somebody saw, and change nothing."""
CONTAINMENT: Final[frozenset[Act]] = frozenset({"install", "remove", "pack", "unpack"})

_OWN: Final[Mapping[str, Act]] = {
    "announced": "announce",
    "refused": "refuse",
    "diverted": "divert",
    "split": "split",
    "activated": "activate",
    "suspended": "suspend",
    "exported": "export",
    "returned": "return",
    "lost": "lose",
    "found": "find",
    "stolen": "steal",
    "recovered": "recover",
}
OWN_WORDS: Final[Mapping[str, Act]] = {
    f"{OWN_NAMESPACE}act/{word}": act for word, act in _OWN.items()
}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Events of these types, steps, dispositions and actions mean `act`; an empty tuple asks nothing."""

    act: Act
    types: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    dispositions: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    certified: bool = False
    """Only with a `cert` among the business transactions."""


_OBJECT = ("ObjectEvent",)
_NAMING = ("ObjectEvent", "TransactionEvent", "AggregationEvent", "AssociationEvent")
_MOVES = (
    "accepting arriving collecting departing entering_exiting loading picking staging_outbound stocking storing "
    "transporting unloading"
)

ROWS: Final[tuple[Row, ...]] = (
    Row(act="rework", types=("TransformationEvent",)),
    Row(act="install", types=("AssociationEvent",), actions=("ADD",)),
    Row(act="remove", types=("AssociationEvent",), actions=("DELETE",)),
    Row(act="pack", types=("AggregationEvent",), actions=("ADD",)),
    Row(act="unpack", types=("AggregationEvent",), actions=("DELETE",)),
    Row(act="register", types=_OBJECT, steps=("commissioning",), actions=("ADD",)),
    Row(act="inspect", types=_NAMING, steps=("inspecting", "sampling", "sensor_reporting")),
    Row(act="steal", types=_NAMING, dispositions=("stolen",)),
    Row(act="lose", types=_NAMING, dispositions=("no_pedigree_match",)),
    Row(act="destroy", types=_NAMING, steps=("destroying",)),
    Row(act="destroy", types=_NAMING, steps=("decommissioning",), dispositions=("destroyed",)),
    Row(act="suspend", types=_NAMING, steps=("decommissioning", "holding")),
    Row(act="ship", types=_NAMING, steps=("shipping", "consigning")),
    Row(act="return", types=_NAMING, steps=("receiving",), dispositions=("returned",)),
    Row(act="receive", types=_NAMING, steps=("receiving",)),
    Row(act="cancel", types=_NAMING, steps=("void_shipping",)),
    Row(
        act="activate",
        types=_NAMING,
        steps=("", "installing", "other"),
        dispositions=("active",),
        actions=("OBSERVE",),
    ),
    Row(
        act="suspend",
        types=_NAMING,
        steps=("", "other"),
        dispositions=("inactive",),
        actions=("OBSERVE",),
    ),
    Row(act="count", types=_NAMING, steps=("stock_taking", "cycle_counting")),
    Row(act="attach-licence", types=("TransactionEvent",), certified=True),
    Row(act="place", types=_NAMING, steps=tuple(_MOVES.split())),
)


def act_of(event: Event) -> Act:
    """The act of an event; an error declaration is `void` whatever it repeats."""
    if event.error is not None:
        return "void"
    certified = event.type == "TransactionEvent" and any(
        t.type == "cert" for t in event.transactions
    )
    return _look_up(
        event.type, event.biz_step, event.disposition, event.action or "", certified=certified
    )


@lru_cache(maxsize=4096)
def _look_up(kind: str, step: str, disposition: str, action: str, *, certified: bool) -> Act:
    own = OWN_WORDS.get(step) or OWN_WORDS.get(disposition)
    if own is not None and kind in _NAMING and not _changes_contents(kind, action):
        return own
    for row in ROWS:
        if (
            (not row.types or kind in row.types)
            and (not row.steps or step in row.steps)
            and (not row.dispositions or disposition in row.dispositions)
            and (not row.actions or action in row.actions)
            and (certified or not row.certified)
        ):
            return row.act
    return "observe"


def _changes_contents(kind: str, action: str) -> bool:
    return kind in ("AggregationEvent", "AssociationEvent") and action != "OBSERVE"
