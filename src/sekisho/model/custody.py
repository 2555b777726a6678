"""Chips and components in custody: who one is, and how it stands now. Nouns that rooms, ports and the auditor share."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant

__all__ = ["Component", "Identity", "LifeState", "Movement", "MovementState", "Standing"]

Component: TypeAlias = Literal[
    "logic-die", "hbm-stack", "package", "board", "server", "rack", "container"
]
LifeState: TypeAlias = Literal[
    "registered",
    "in-transit",
    "active",
    "suspended",
    "exported",
    "returned",
    "lost",
    "stolen",
    "destroyed",
]
MovementState: TypeAlias = Literal[
    "announced", "under-way", "received", "refused", "cancelled", "lost"
]


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who a chip or component is: maker (party name), serial and model as commissioned, its device key.

    `device_key` is the SHA-256 of the key's SPKI in hexadecimal, or as its maker stated it; "" where there is none.
    """

    component: Component
    maker: str
    serial: str
    model: str
    device_key: str = ""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How one chip or component stands: exactly one custodian, one state, at most one container.

    Parties are enrolled names, `site` is the place's name, "" where nobody said. `at` is the time of the event that
    changed it last, `number` that event's number in the register. `owner` and `holder` follow the custodian where
    nobody said otherwise; a carrier is holder, never custodian.
    """

    epc: str
    identity: Identity
    state: LifeState
    custodian: str
    holder: str
    owner: str
    site: str = ""
    country: str = ""
    parent: str = ""
    movement: str = ""
    licence: str = ""
    made: Instant
    at: Instant
    number: int


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """A shipment under way, by its Chip Movement Reference: who sends what to whom, and by when it must be received.

    `epcs` are the chips and components themselves, containers resolved; `received` those that have arrived. What was
    refused goes back: once the shipper has it again it is in `received` too. Each list is sorted. `owner` is who owns
    them from the receipt on, where the shipment said. Of an announced movement `shipped` is when the register got the
    announcement.
    """

    reference: str
    state: MovementState
    shipper: str
    consignee: str
    destination: str = ""
    owner: str = ""
    shipped: Instant
    due: Instant
    shipment: int
    epcs: tuple[str, ...]
    received: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
