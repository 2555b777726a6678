"""The log's own clock: time marks that never go back, whatever the machine's clock does."""

from __future__ import annotations

from sekisho.model.instants import Instant
from sekisho.model.statements import TimeMarked, make_payload
from sekisho.ports.clock import Clock
from sekisho.signing import Recorded, sign_payload
from sekisho.signing.keys import Signer

__all__ = ["MarkMaker"]

TOLD_S = 5.0


class MarkMaker:
    """Makes the `time-marked` that opens each batch, dated now or as the newest mark before it, whichever is later.

    A log that refused to go on under a wrong clock would refuse a pause with it. The date in a mark is the log's
    word only; what bounds recorded time are the witnesses' times in the checkpoint that it quotes.
    """

    def __init__(self, clock: Clock, signer: Signer) -> None:
        self._clock = clock
        self._signer = signer
        self._newest: Instant | None = None

    def take_recorded(self, recorded: Recorded) -> None:
        """An entry is in the log (a listener of the desk)."""
        fact = recorded.verified.predicate
        if isinstance(fact, TimeMarked):
            self._newest = fact.effective

    def make(self, previous: bytes | None) -> bytes:
        """The envelope of a mark that quotes the checkpoint `previous`, as a signed note."""
        now = self._clock.now()
        at = now if self._newest is None else max(now, self._newest)
        self._newest = at
        fact = TimeMarked(effective=at, checkpoint=previous.decode() if previous else None)
        return sign_payload(make_payload(fact), [self._signer]).raw

    @property
    def problem(self) -> str:
        """What a person should mend: a clock that stands before the newest mark. Empty where there is nothing."""
        now = self._clock.now()
        if self._newest is None or now.plus(TOLD_S) >= self._newest:
            return ""
        return f"the clock says {now}, the log's newest mark {self._newest}: set the clock"
