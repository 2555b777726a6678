"""What reaches an agent's duty from its threads: each a fact that happened, in the order in which it was heard of."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from sekisho.following import Finding
from sekisho.ports.control import Feed, FeedItem, LeaseAnswer
from sekisho.ports.device_census import SeenDevice
from sekisho.ports.link_counters import LinkCount

__all__ = [
    "Delivered",
    "DevicesCounted",
    "Event",
    "FeedCame",
    "LeaseCame",
    "LeaseRefused",
    "LinksRead",
    "Noticed",
    "OrderFetched",
    "Pushed",
    "ReceiptRefused",
    "Silence",
]


class FeedCame(msgspec.Struct, frozen=True):
    """An answer of the long poll."""

    feed: Feed


class Pushed(msgspec.Struct, frozen=True):
    """What somebody sent to the agent's own address: its envelopes hold; nothing else of it is believed yet."""

    feed: Feed


class OrderFetched(msgspec.Struct, frozen=True):
    """An outstanding order, or None where it could not be had."""

    register: str
    number: int
    item: FeedItem | None


class Delivered(msgspec.Struct, frozen=True):
    """A receipt reached the issuer; `acknowledgement` is an envelope that still has to be verified."""

    sequence: int
    acknowledgement: bytes | None


class ReceiptRefused(msgspec.Struct, frozen=True):
    """The issuer does not take a receipt: a broken chain, a fork, an unknown lease.

    `is_kept`: it has taken it into the chain, and only does not acknowledge its quantum.
    """

    sequence: int
    detail: str
    is_kept: bool = False


class LeaseCame(msgspec.Struct, frozen=True):
    """An answer to the request with these bytes."""

    request: bytes
    answer: LeaseAnswer


class LeaseRefused(msgspec.Struct, frozen=True):
    """The issuer says no to the request with these bytes, and why."""

    request: bytes
    detail: str


class Silence(msgspec.Struct, frozen=True):
    """The control plane did not answer."""

    detail: str


class Noticed(msgspec.Struct, frozen=True):
    """What rounds beside the duty have found."""

    findings: tuple[Finding, ...]


class DevicesCounted(msgspec.Struct, frozen=True, kw_only=True):
    """A look at this host's devices, begun at `at_s` of elapsed time; `seen` None: they could not be read, and why."""

    at_s: float
    seen: tuple[SeenDevice, ...] | None = None
    why: str = ""


class LinksRead(msgspec.Struct, frozen=True, kw_only=True):
    """What the interfaces had sent at `at_s` of elapsed time; `counts` None: that could not be read, and why."""

    at_s: float
    counts: tuple[LinkCount, ...] | None = None
    why: str = ""


Event: TypeAlias = (
    FeedCame
    | Pushed
    | OrderFetched
    | Delivered
    | ReceiptRefused
    | LeaseCame
    | LeaseRefused
    | Noticed
    | DevicesCounted
    | LinksRead
    | Silence
)
