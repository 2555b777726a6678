"""The chips' drill: a trade that balances, a diversion that labels hide, a challenge that finds it, papers.

One table of steps; each raises where something is not as announced, and the drill ends there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Literal

import msgspec

from sekisho.app import Home
from sekisho.catalogue import Language
from sekisho.model.errors import SekishoError
from sekisho.model.instants import Instant
from sekisho.rehearsal import chip_diversion, chip_evidence, chip_trade
from sekisho.rehearsal.chip_scene import ChipScene
from sekisho.rehearsal.script import Narrator, StepResult

__all__ = ["DAYS", "STEPS", "ChipDrillResult", "play_chips"]

DAYS: Final = 17
"""How many days of its calendar the drill takes; it begins so long before the present, and ends before it."""

STEPS: tuple[tuple[str, Callable[[ChipScene], None]], ...] = (
    ("found", chip_trade.found),
    ("enrol", chip_trade.enrol),
    ("make", chip_trade.make),
    ("early", chip_trade.receive_early),
    ("deliver", chip_trade.deliver),
    ("install", chip_trade.install),
    ("correct", chip_trade.correct),
    ("divert", chip_diversion.divert),
    ("labels", chip_diversion.count_labels),
    ("challenge", chip_diversion.ask_devices),
    ("elsewhere", chip_diversion.turn_up),
    ("balance", chip_diversion.balance_again),
    ("passports", chip_evidence.issue_passports),
    ("verify", chip_evidence.verify_outside),
)


class ChipDrillResult(msgspec.Struct, frozen=True, kw_only=True):
    """*holds* when every step did what was announced, the label count that passes wrongly included."""

    verdict: Literal["holds", "fails"]
    home: str
    steps: tuple[StepResult, ...]


def play_chips(
    home: Home, narrator: Narrator, *, now: Instant, language: Language
) -> ChipDrillResult:
    """Play every step in a home of its own until one fails. `now` is the present, where the calendar has ended."""
    scene = ChipScene(home, now.plus(-DAYS * 86_400), language, narrator.say)
    results: list[StepResult] = []
    try:
        for number, (name, act) in enumerate(STEPS, 1):
            narrator.begin(name, number, len(STEPS))
            results.append(_played(name, act, scene))
            narrator.end(results[-1])
            if not results[-1].ok:
                break
    finally:
        scene.close()
    holds = len(results) == len(STEPS) and all(step.ok for step in results)
    return ChipDrillResult(
        verdict="holds" if holds else "fails", home=str(home.path), steps=tuple(results)
    )


def _played(name: str, act: Callable[[ChipScene], None], scene: ChipScene) -> StepResult:
    start = time.monotonic()
    problem = ""
    try:
        act(scene)
    except SekishoError as error:
        problem = str(error)
    seconds = round(time.monotonic() - start, 3)
    return StepResult(name=name, ok=not problem, seconds=seconds, problem=problem)
