"""Reads the structures of a TPM, big-endian, to their last byte: nothing short, nothing left over."""

from __future__ import annotations

from sekisho.model.errors import VerificationError

__all__ = ["MAX_STRUCTURE", "MalformedTpmData", "Octets", "sized"]

MAX_STRUCTURE = 4096


class MalformedTpmData(VerificationError):
    """Bytes that are not the TPM structure that they should be."""

    code = "malformed-tpm-data"


class Octets:
    """Bytes to be read from the front. Raises MalformedTpmData, naming the structure, where they end too early."""

    def __init__(self, data: bytes, what: str) -> None:
        if len(data) > MAX_STRUCTURE:
            raise MalformedTpmData(f"{what}: {len(data)} bytes are more than {MAX_STRUCTURE}")
        self._data = data
        self._at = 0
        self._what = what

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise self.fault(f"ends at byte {len(self._data)}, {end} are needed")
        taken, self._at = self._data[self._at : end], end
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def sized(self, limit: int) -> bytes:
        """A TPM2B: a length of 16 bits, and that many bytes, `limit` at most."""
        size = self.number(2)
        if size > limit:
            raise self.fault(f"a part of {size} bytes, {limit} are allowed")
        return self.take(size)

    def end(self) -> None:
        left = len(self._data) - self._at
        if left:
            raise self.fault(f"{left} bytes are left over")

    def fault(self, what: str) -> MalformedTpmData:
        return MalformedTpmData(f"{self._what}: {what}")


def sized(data: bytes) -> bytes:
    """A TPM2B of these bytes."""
    return len(data).to_bytes(2, "big") + data
