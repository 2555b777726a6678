"""The gate of a scheduler: what it asks before it lets new work in or starts it.

The agent shows a picture; the scheduler's own plugin reads it and never asks over a network. A picture that is past
its `until` says nothing any more: then the gate is shut for licensed devices, in every mode but *advise*.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements import Mode

__all__ = ["Gate", "GatePicture", "RunGate"]


class RunGate(msgspec.Struct, frozen=True, kw_only=True):
    """Whether new work of one run may come in; where not, by which rule, why, and what helps."""

    run: str
    licence: str
    is_open: bool
    rule: str = ""
    reason: str = ""
    remedy: str = ""


class GatePicture(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate knows until an instant by the latest clock. A run that it does not name has no licence here.

    `grace_s` is the licence's: how long after `until` work may go on where no newer picture comes.
    """

    host: str
    mode: Mode
    written: Instant
    until: Instant
    runs: tuple[RunGate, ...] = ()
    grace_s: int = 0


class Gate(Protocol):
    """Where a picture is shown. `show` is whole or not at all; raises Unavailable where it cannot be written."""

    def show(self, picture: GatePicture) -> None: ...
