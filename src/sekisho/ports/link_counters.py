"""What this host's network interfaces have sent, as the kernel counts it."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

__all__ = ["LinkCount", "LinkCounters", "LinkSource"]

LinkSource = Literal["proc-net-dev", "infiniband-port-xmit-data"]


class LinkCount(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes sent by one interface since it came up, and where that was read.

    A port of InfiniBand counts in words of four bytes: they are bytes here. Its name is `device/port`.
    """

    interface: str
    sent_bytes: int
    source: LinkSource


class LinkCounters(Protocol):
    """All interfaces of this host, in the reader's network namespace."""

    def read(self) -> tuple[LinkCount, ...]:
        """Raises Unavailable where the kernel does not show them."""
        ...
