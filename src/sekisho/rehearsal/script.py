"""The drill from its first step to its last, in one table; each step says what it is about to show."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from sekisho.app import Home
from sekisho.model.errors import SekishoError
from sekisho.rehearsal import opening, pausing
from sekisho.rehearsal.scene import Scene
from sekisho.rehearsal.stage import Stage

__all__ = ["STEPS", "DrillResult", "Narrator", "StepResult", "play"]

STEPS: tuple[tuple[str, Callable[[Scene], None]], ...] = (
    ("found", opening.found),
    ("enrol", opening.enrol),
    ("decide", opening.declare_and_decide),
    ("license", opening.issue_licences),
    ("meter", opening.run_and_meter),
    ("pause", pausing.order_pause),
    ("observe", pausing.observe_halt),
    ("challenge", pausing.challenge_device),
    ("resume", pausing.resume),
    ("blackout", pausing.black_out),
    ("return", pausing.come_back),
    ("audit", pausing.audit_offline),
)


class Narrator(Protocol):
    """Who tells a person what happens: a step begins, a line is said, a step ends."""

    def begin(self, name: str, number: int, count: int) -> None: ...

    def say(self, line: str) -> None: ...

    def end(self, result: StepResult) -> None: ...


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one step went, in seconds of wall time; `problem` says what was not as announced."""

    name: str
    ok: bool
    seconds: float
    problem: str = ""


class DrillResult(msgspec.Struct, frozen=True, kw_only=True):
    """*holds* when every step did what was announced, the expected *unverifiable* included."""

    verdict: Literal["holds", "fails"]
    bundle: str | None
    steps: tuple[StepResult, ...]


def play(home: Home, narrator: Narrator) -> DrillResult:
    """Play every step in a home of its own; the first that fails ends the drill, and all children end with it."""
    done: list[StepResult] = []
    with Stage(home) as stage:
        scene = Scene(home, stage, narrator.say)
        for number, (name, act) in enumerate(STEPS, 1):
            narrator.begin(name, number, len(STEPS))
            result = _step(name, act, scene)
            narrator.end(result)
            done.append(result)
            if not result.ok:
                break
        stage.end_work()
    holds = len(done) == len(STEPS) and all(step.ok for step in done)
    return DrillResult(
        verdict="holds" if holds else "fails",
        bundle=str(scene.bundle) if scene.bundle else None,
        steps=tuple(done),
    )


def _step(name: str, act: Callable[[Scene], None], scene: Scene) -> StepResult:
    began = time.monotonic()
    try:
        act(scene)
    except SekishoError as error:
        seconds = round(time.monotonic() - began, 2)
        return StepResult(name=name, ok=False, seconds=seconds, problem=str(error))
    return StepResult(name=name, ok=True, seconds=round(time.monotonic() - began, 2))
