"""One gate for several charters: it is open only where each of them opens it, and says which one does not."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from sekisho.model.statements import Mode
from sekisho.ports.gate import Gate, GatePicture, RunGate

__all__ = ["GateSeat", "JointGate", "Word", "combine_words"]

_STRICTNESS: tuple[Mode, ...] = ("advise", "block-new", "drain", "freeze", "kill")


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What one charter last let the gate show, `age_s` seconds ago; nothing where it has not spoken yet."""

    charter: str
    picture: GatePicture | None = None
    age_s: float = 0.0

    def left_s(self) -> float:
        """For how long it still speaks."""
        shown = self.picture
        return 0.0 if shown is None else shown.until.since(shown.written) - self.age_s


def combine_words(newest: GatePicture, words: tuple[Word, ...]) -> GatePicture:
    """The strictest of all words, dated as the newest is: by its clock they end with the first that runs out.

    A run that one of them does not name has no licence there, and is let in only where that charter just advises.
    """
    pictures = [word.picture for word in words if word.picture is not None]
    named = sorted({run.run for picture in pictures for run in picture.runs})
    spoken = [word.left_s() for word in words if word.picture is not None]
    return GatePicture(
        host=newest.host,
        mode=max((picture.mode for picture in pictures), key=_STRICTNESS.index),
        written=newest.written,
        until=newest.written.plus(max(min(spoken), 0.0)),
        runs=tuple(_judge_run(run, words) for run in named),
        grace_s=min((p.grace_s for p in pictures if p.runs), default=0),
    )


def _judge_run(name: str, words: tuple[Word, ...]) -> RunGate:
    said = [(word.charter, one) for word in words if (one := _of_run(name, word)) is not None]
    shut = [(charter, one) for charter, one in said if not one.is_open]
    licences = "+".join(one.licence for _, one in said if one.licence)
    if not shut:
        return RunGate(run=name, licence=licences, is_open=True)
    return RunGate(
        run=name,
        licence=licences,
        is_open=False,
        rule=shut[0][1].rule,
        reason="; ".join(f"charter {charter}: {one.reason}" for charter, one in shut),
        remedy=shut[0][1].remedy,
    )


def _of_run(name: str, word: Word) -> RunGate | None:
    """What a charter says of a run; None where it only advises and has nothing to say."""
    if word.picture is None:
        return RunGate(
            run=name,
            licence="",
            is_open=False,
            rule="not-heard",
            reason="has not spoken yet",
            remedy="wait a moment",
        )
    found = next((run for run in word.picture.runs if run.run == name), None)
    if found is not None or word.picture.mode == "advise":
        return found
    return RunGate(
        run=name,
        licence="",
        is_open=False,
        rule="no-licence",
        reason="the run has no licence there",
        remedy="apply for one there, too",
    )


class JointGate:
    """The gate behind the seats of all charters."""

    def __init__(self, gate: Gate, elapsed_s: Callable[[], float]) -> None:
        self._gate = gate
        self._elapsed_s = elapsed_s
        self._shown: dict[str, tuple[GatePicture, float] | None] = {}

    def seat(self, charter: str) -> GateSeat:
        self._shown[charter] = None
        return GateSeat(self, charter)

    def show(self, charter: str, picture: GatePicture) -> None:
        """Raises Unavailable where the gate cannot be written."""
        now = self._elapsed_s()
        self._shown[charter] = (picture, now)
        self._gate.show(combine_words(picture, tuple(self._words(now))))

    def _words(self, now: float) -> list[Word]:
        return [
            Word(charter=charter)
            if shown is None
            else Word(charter=charter, picture=shown[0], age_s=now - shown[1])
            for charter, shown in self._shown.items()
        ]


class GateSeat:
    """Implements ports.Gate for one charter's duty."""

    def __init__(self, joint: JointGate, charter: str) -> None:
        self._joint = joint
        self._charter = charter

    def show(self, picture: GatePicture) -> None:
        self._joint.show(self._charter, picture)
