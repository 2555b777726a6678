"""How orders get to hosts, as a control plane tells it: who waits for news, and who is pushed to and does not answer.

It is the control plane's own word, and no statement: what a host received, its receipts say.
"""

from __future__ import annotations

import msgspec

__all__ = ["Delivery", "Pushes", "SilentAddress"]


class SilentAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A host whose address does not answer, how often it failed since it last did, and with what."""

    host: str
    failed_in_a_row: int
    problem: str


class Pushes(msgspec.Struct, frozen=True, kw_only=True):
    """How many addresses stand how; `rows` are the silent ones that failed most often, not all of them."""

    reached: int
    untried: int
    silent: int
    rows: tuple[SilentAddress, ...]

    @property
    def addresses(self) -> int:
        return self.reached + self.untried + self.silent


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """As of `at`: how many hosts wait in a long poll, and the pushes; None where orders are pushed to nobody."""

    at: str
    waiting: int
    push: Pushes | None = None
