"""A witness is asked where it stands before it is shown anything new: a log brought back from a copy signs no fork.

The question is the newest checkpoint that this log knows to be cosigned, put again. A witness that has seen more than
the database held at its start has seen entries that are lost here: no new head leaves this process for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from sekisho.ledger.policy import Policy
from sekisho.ledger.recovery import RolledBack
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.ports.witness import Witness, WitnessConflict, WitnessRefused

__all__ = ["AskedFirst", "refuse_lost_entries"]

_UNPROCESSABLE = 422


class AskedFirst:
    """A `Witness` behind that question, which is put until it is answered once.

    `cosigned` is the newest cosigned checkpoint (size and note; None: a new log), `size` how many entries there are.
    """

    def __init__(self, witness: Witness, cosigned: tuple[int, bytes] | None, size: int) -> None:
        self._witness = witness
        self._cosigned = cosigned
        self._size = size
        self._is_asked = cosigned is None
        self.ahead = ""
        """What this witness has seen that is not here; "" while nothing is known of that kind."""

    def ask(self) -> None:
        """Raises what asking raises where the witness does not answer; then it is asked again later."""
        if self._is_asked or self._cosigned is None:
            return
        size, note = self._cosigned
        try:
            self._witness.add_checkpoint(size, (), note)
        except WitnessConflict as conflict:
            self.ahead = self._judge(conflict.size, size)
        except WitnessRefused:
            pass  # a key or a log that it does not know any more: the next checkpoint gets the same answer
        self._is_asked = True

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
        self.ask()
        if self.ahead:
            raise WitnessRefused(self.ahead, status=_UNPROCESSABLE)
        return self._witness.add_checkpoint(old_size, proof, note)

    def _judge(self, witnessed: int, asked: int) -> str:
        if witnessed > self._size:
            return f"it has cosigned {witnessed} entries, and this log began with {self._size}"
        if witnessed == asked:
            return f"it has cosigned another tree of size {asked}"
        return ""


def refuse_lost_entries(witnesses: Mapping[str, AskedFirst], policy: Policy) -> None:
    """Raise RolledBack where so many witnesses have seen more than is here that no quorum is left without them.

    Those that do not answer are asked again before they are shown anything.
    """
    if not witnesses:
        return
    with ThreadPoolExecutor(len(witnesses)) as pool:
        list(pool.map(_try, witnesses.values()))
    ahead = {name: witness.ahead for name, witness in witnesses.items() if witness.ahead}
    if ahead and not _is_quorum_without(ahead, witnesses, policy):
        told = "; ".join(f"{name}: {what}" for name, what in sorted(ahead.items()))
        raise RolledBack(
            f"witnesses have seen entries that are lost here ({told})",
            remedy="restore again with `sekisho home restore --newest MIRROR --replay`; going on "
            "would fork the log",
        )


def _is_quorum_without(
    ahead: Collection[str], all_of_them: Collection[str], policy: Policy
) -> bool:
    return policy.is_satisfied(set(all_of_them) - set(ahead))


def _try(witness: AskedFirst) -> None:
    try:
        witness.ask()
    except (Unavailable, InvalidInput):
        return  # silent, or it answers nonsense: it is asked again
