"""Before a host has an agent: a counter in its TPM, the paper that shows it, and the answer to the enroller.

A composition root of its own: an agent at work never makes or deletes anything in a TPM.
"""

from __future__ import annotations

from pathlib import Path

from sekisho.adapters.devices.tpm_enrolment import (
    COUNTER_INDEX,
    KEY_HANDLE,
    SeatWanted,
    open_challenge,
    seat_counter,
)
from sekisho.adapters.devices.tpm_seat import TpmSeat
from sekisho.adapters.storage.host_folder import HostFolder
from sekisho.licensing import HostState
from sekisho.model.errors import StateConflict
from sekisho.model.tpm_papers import TpmAnswer, TpmChallenge, TpmPaper
from sekisho.model.wire import canonical

__all__ = ["COUNTER_INDEX", "KEY_HANDLE", "SeatWanted", "answer_challenge", "take_seat"]


def take_seat(home: Path, tcti: str, wanted: SeatWanted) -> TpmPaper:
    """Make the counter of an empty home, whose quanta are numbered from where that counter stands.

    Raises StateConflict where the home has begun already or the TPM's index is taken, Unavailable, Corrupt.
    """
    for name in ("tpm.json", "counter", "receipts.jsonl"):
        if (home / name).exists():
            raise StateConflict(
                f"{home / name} stands already",
                remedy="a counter is made once, in a home that no agent has used",
            )
    paper, seat, value = seat_counter(tcti, wanted)
    # Crash here: the TPM has an index that nothing refers to; the next attempt names another one.
    HostFolder(home).save("state.json", canonical(HostState(quantum=value)))
    seat.save(home)
    return paper


def answer_challenge(home: Path, tcti: str, challenge: TpmChallenge) -> TpmAnswer:
    """Open an enroller's challenge. Raises Corrupt where it was made for another TPM, Unavailable, InvalidInput."""
    return open_challenge(tcti, TpmSeat.load(home), challenge)
