"""Where one chip is on its way through the register, and what one event does to that."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from sekisho.model.custody import Movement, Standing
from sekisho.registry.custody.book import AlertCode

__all__ = ["NOWHERE", "Mark", "Share", "Step", "Track", "Trouble"]

Share: TypeAlias = Literal[
    "under-way", "received", "lost", "refused", "taken-back", "cancelled", "moved"
]
"""What became of one chip in one movement; `moved` is on under another reference."""


class Track(msgspec.Struct, frozen=True):
    """A chip's standing, what it lies in, and the movement it is in. An unregistered container has no standing.

    `sent_back`: its consignee refused it, so that the shipper receives it again.
    """

    standing: Standing | None = None
    parent: str = ""
    movement: Movement | None = None
    sent_back: bool = False


NOWHERE = Track()


class Mark(msgspec.Struct, frozen=True):
    """That a chip's part in a movement changed, and the movement's own words where the event sets those."""

    reference: str
    share: Share
    header: Movement | None = None


class Step(msgspec.Struct, frozen=True):
    """What an event does to one chip: where that stands now, and in its movements. `notes` are alerts beside that."""

    track: Track
    marks: tuple[Mark, ...] = ()
    notes: tuple[tuple[AlertCode, str], ...] = ()


class Trouble(msgspec.Struct, frozen=True):
    """Why an event may not do that to a chip. `waits` where an earlier event, still to come, could make it right."""

    code: AlertCode
    detail: str
    waits: bool = False
