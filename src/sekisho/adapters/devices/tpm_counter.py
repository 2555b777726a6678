"""The counter of hosts with a TPM: an NV index that only steps upwards, and the TPM's word for it.

A TPM starts a new counter above the highest of those that were deleted (TPM 2.0 part 3, NV_Increment), so that an
index which is deleted and made again stands higher, never lower. Each step is a write to the TPM's memory, which does
not last for ever: docs/guide/tpm.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sekisho.adapters.devices.tpm_line import TpmLine
from sekisho.adapters.devices.tpm_seat import TpmSeat
from sekisho.model.errors import Corrupt
from sekisho.model.statements import CertifiedCounter
from sekisho.model.tpm_papers import qualify_challenge
from sekisho.model.wire import encode_base64
from sekisho.ports.counter import CounterTier

__all__ = ["TpmCounter", "certify", "open_index", "open_key", "read_index"]


class TpmCounter:
    """Implements ports.CertifyingCounter over a TPM and the seat that its enrolment gave it.

    `tier` is what the enrolment says at the moment, since no host can tell whether a TPM is a chip. Each call raises
    Unavailable where the TPM does not answer in time, and Corrupt where index or key are not those that were enrolled.
    What lies at a handle is asked for its name each time, so that another thing in its place is noticed.
    """

    def __init__(
        self,
        tcti: str,
        seat: TpmSeat,
        *,
        tier: Callable[[], CounterTier] = lambda: "C1",
        within_s: float = 10.0,
    ) -> None:
        self._tier = tier
        self._line = TpmLine(tcti, within_s=within_s)
        self._seat = seat

    @property
    def tier(self) -> CounterTier:
        return self._tier()

    def read(self) -> int:
        return self._line.ask(self._read)

    def step(self) -> int:
        """One more, in the TPM's memory before this returns. A crash in here leaves the old number or the new."""
        return self._line.ask(self._step)

    def certify(self, challenge: str) -> CertifiedCounter:
        return self._line.ask(lambda tpm: self._certify(tpm, challenge))

    def boots(self) -> str:
        return self._line.ask(_boots)

    def close(self) -> None:
        self._line.close()

    def _read(self, tpm: Any) -> int:
        with open_index(tpm, self._seat) as index:
            return read_index(tpm, index)

    def _step(self, tpm: Any) -> int:
        with open_index(tpm, self._seat) as index:
            tpm.nv_increment(index)
            return read_index(tpm, index)

    def _certify(self, tpm: Any, challenge: str) -> CertifiedCounter:
        with open_key(tpm, self._seat) as key, open_index(tpm, self._seat) as index:
            return certify(tpm, key, index, challenge)


@contextmanager
def open_index(tpm: Any, seat: TpmSeat) -> Iterator[Any]:
    """The enrolled index, asked for anew each time, since it may have been made again meanwhile."""
    with _named(tpm, seat.index, seat.index_name, "counter") as index:
        tpm.tr_set_auth(index, bytes.fromhex(seat.secret))
        yield index


def open_key(tpm: Any, seat: TpmSeat) -> AbstractContextManager[Any]:
    """The enrolled attestation key."""
    return _named(tpm, seat.attestation, seat.attestation_name, "attestation key")


@contextmanager
def _named(tpm: Any, handle: int, name: str, what: str) -> Iterator[Any]:
    """What lies at a handle, by its name; the library forgets it afterwards, or it would grow with each question."""
    found = tpm.tr_from_tpmpublic(handle)
    try:
        if bytes(tpm.tr_get_name(found)).hex() != name:
            raise Corrupt(
                f"the {what} at {handle:#010x} is not the one that was enrolled",
                remedy="enrol the host's TPM again",
            )
        yield found
    finally:
        tpm.tr_close(found)


def _boots(tpm: Any) -> str:
    clock = tpm.read_clock().clockInfo
    return f"tpm {clock.resetCount}/{clock.restartCount}"


def certify(tpm: Any, key: Any, index: Any, challenge: str) -> CertifiedCounter:
    """An index's whole content and the TPM's clock, signed by `key` over a nonce (hexadecimal)."""
    from tpm2_pytss import TPM2_ALG, TPMT_SIG_SCHEME  # noqa: PLC0415  # the line has loaded it by now

    attested, signature = tpm.nv_certify(
        key,
        index,
        qualifying_data=qualify_challenge(challenge),
        in_scheme=TPMT_SIG_SCHEME(scheme=TPM2_ALG.NULL),
        size=8,
    )
    return CertifiedCounter(
        challenge=challenge,
        attested=encode_base64(bytes(attested)),
        signature=encode_base64(signature.marshal()),
    )


def read_index(tpm: Any, index: Any) -> int:
    """The number in a counter."""
    return int.from_bytes(bytes(tpm.nv_read(index, 8)), "big")
