"""When a threshold will be met, if what runs now goes on: from the bound (the earliest) and the estimate (expected).

Duties run from when a threshold is met *or known to be going to be met* (EU AI act, Art. 52), so the question is
asked ahead. It is answered from the rates of the present allocations, each until its end or, where nobody says when
that is, for ever; what begins later is not foreseen, and the answer says what it rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Literal, TypeAlias

import msgspec

from sekisho.metering.accounts.entries import Reading
from sekisho.metering.accounts.work_line import Stretch, WorkLine
from sekisho.model.instants import Instant

__all__ = ["Ahead", "Forecast", "Outlook", "Rate", "forecast"]

Outlook: TypeAlias = Literal["met", "will be met", "not within the horizon", "not measured"]


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """What a present allocation computes a microsecond, exactly; None where it cannot be told. It ends at `until`."""

    job: str
    bound: Fraction | None
    estimate: Fraction | None
    until: int | None = None

    def figure(self, reading: Reading) -> Fraction | None:
        return self.bound if reading == "bound" else self.estimate


class Ahead(msgspec.Struct, frozen=True, kw_only=True):
    """From when to when is asked, and the length of the sliding window (None: all that the line holds)."""

    now: int
    horizon: int
    window_us: int | None


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one threshold and one figure: the first instant from `now` on at which the window holds it."""

    outlook: Outlook
    at: Instant | None
    rests_on: str


def forecast(
    line: WorkLine,
    running: Sequence[tuple[Fraction | None, int | None]],
    threshold: int,
    ahead: Ahead,
    *,
    lacking: int = 0,
) -> Forecast:
    """Ask when the window first holds `threshold`, if rates go on from now until their ends or the horizon.

    `running` are rates a microsecond, each with its end; `lacking` counts entries of the past that were not measured.
    Where either is unknown, a threshold that is not met without it is *not measured*; one that is, is met by then.
    """
    known = [(rate, end) for rate, end in running if rate is not None]
    going_on = _going_on(known, ahead.now, ahead.horizon)
    future = WorkLine([*line.clip(-(2**62), ahead.now).stretches, *going_on])
    rests_on = _grounds(running, ahead, lacking)
    if _held(future, ahead.window_us, ahead.now) >= threshold:
        return Forecast(outlook="met", at=Instant(ahead.now), rests_on=rests_on)
    passings = future.find_passings([threshold], ahead.window_us, ahead.horizon)
    at = next((p.at for p in passings if p.direction == "up" and p.at > ahead.now), None)
    if at is not None:
        return Forecast(outlook="will be met", at=Instant(at), rests_on=rests_on)
    is_known = len(known) == len(running) and not lacking
    outlook: Outlook = "not within the horizon" if is_known else "not measured"
    return Forecast(outlook=outlook, at=None, rests_on=rests_on)


def _held(line: WorkLine, window_us: int | None, now: int) -> int:
    start = now - window_us if window_us is not None else -(2**62)
    return line.sum_between(start, now).floor()


def _going_on(
    rates: Sequence[tuple[Fraction, int | None]], now: int, horizon: int
) -> Iterable[Stretch]:
    for rate, end in rates:
        until = horizon if end is None else min(end, horizon)
        if until > now and rate:
            yield Stretch(now, until, rate.numerator, rate.denominator)


def _grounds(
    running: Sequence[tuple[Fraction | None, int | None]], ahead: Ahead, lacking: int
) -> str:
    unknown = sum(rate is None for rate, _ in running)
    unending = sum(end is None for _, end in running)
    said = [f"{len(running)} allocations that run at {Instant(ahead.now)}"]
    if unending:
        said.append(
            f"{unending} of them without an end, taken to go on to {Instant(ahead.horizon)}"
        )
    if unknown:
        said.append(f"{unknown} of them at a rate that is not measured")
    if lacking:
        said.append(f"{lacking} entries of the past not measured")
    return ", ".join(said) if running or lacking else "nothing that runs now"
