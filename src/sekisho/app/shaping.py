"""What leaves a host's set is slowed: put on, checked, taken off."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from sekisho.adapters.schedulers.shaping import ShapePlan, Shaper, make_plan, plan_commands

__all__ = ["ShapeAnswer", "apply_shape", "check_shape", "plan_shape", "remove_shape"]


ShapeState: TypeAlias = Literal[
    "limited", "would-limit", "not-limited", "removed", "nothing-to-remove"
]


class ShapeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one interface, with the words that `tc` is told."""

    interface: str
    state: ShapeState
    bytes_per_s: int | None = None
    inside: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


def plan_shape(interface: str, rate: int, inside: tuple[str, ...]) -> ShapeAnswer:
    """What would be told, without telling it. Raises InvalidInput."""
    return _answer(make_plan(interface, rate, inside), "would-limit")


def apply_shape(
    folder: Path, interface: str, rate: int, inside: tuple[str, ...], netns: str = ""
) -> ShapeAnswer:
    """Put the limit on. Raises InvalidInput, StateConflict, Unavailable."""
    plan = make_plan(interface, rate, inside)
    Shaper(folder, netns).apply(plan)
    return _answer(plan, "limited")


def check_shape(
    folder: Path, interface: str, rate: int, inside: tuple[str, ...], netns: str = ""
) -> ShapeAnswer:
    """Whether exactly this limit is on. Raises InvalidInput, Unavailable."""
    plan = make_plan(interface, rate, inside)
    return _answer(plan, "limited" if Shaper(folder, netns).is_applied(plan) else "not-limited")


def remove_shape(folder: Path, interface: str, netns: str = "") -> ShapeAnswer:
    """Take it off; what was there is back. Raises InvalidInput, Unavailable."""
    was = Shaper(folder, netns).remove(interface)
    return ShapeAnswer(interface=interface, state="removed" if was else "nothing-to-remove")


def _answer(plan: ShapePlan, state: ShapeState) -> ShapeAnswer:
    return ShapeAnswer(
        interface=plan.interface,
        state=state,
        bytes_per_s=plan.bytes_per_s,
        inside=plan.inside,
        commands=tuple(" ".join(("tc", *words)) for words in plan_commands(plan)),
    )
