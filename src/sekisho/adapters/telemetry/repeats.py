"""Deliveries that came before, byte for byte: a sender that got no answer sends again."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from threading import Lock
from typing import Final

from sekisho.adapters.telemetry.deliveries import Delivery
from sekisho.model.telemetry import Intake

__all__ = ["Repeats"]

WINDOW_US: Final = 3_600_000_000
MOST: Final = 10_000


class Repeats:
    """Digests of what was kept within the last hour, in this process. What it forgot, settling still finds row by row.

    An exporter's page is never a repeat: its samples bear no time of their own, so the same bytes later say that
    nothing changed.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, tuple[int, Intake]] = OrderedDict()
        self._lock = Lock()

    def find(self, delivery: Delivery) -> Intake | None:
        """What became of the same bytes before, its rows now counted as duplicates."""
        if delivery.kind == "prometheus":
            return None
        with self._lock:
            known = self._kept.get(_key(delivery))
        if known is None or delivery.received.us - known[0] > WINDOW_US:
            return None
        before = known[1]
        return Intake(
            passed_over=before.passed_over,
            duplicates=before.duplicates + before.taken,
            refused=before.refused,
            notes=(*before.notes, "the same bytes came before"),
        )

    def remember(self, delivery: Delivery, intake: Intake) -> None:
        """Only of what is durable: else the sender's next try would be refused for nothing."""
        if delivery.kind == "prometheus":
            return
        with self._lock:
            self._kept[_key(delivery)] = (delivery.received.us, intake)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)


def _key(delivery: Delivery) -> bytes:
    digest = blake2b(delivery.body, digest_size=24)
    for word in (delivery.site, delivery.kind, delivery.encoding, delivery.content_type):
        digest.update(b"\0" + word.encode())
    return digest.digest()
