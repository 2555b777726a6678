"""TPMS_ATTEST: what a TPM says of itself under its attestation key. Strict, bounded, to the last byte.

Source: TPM 2.0 Library part 2, sections 10.12 (attestation structures) and 10.11.1 (TPMS_CLOCK_INFO).
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from sekisho.inspection.tpm.octets import MalformedTpmData, Octets

__all__ = ["Attested", "ClockInfo", "NvCertified", "Quoted", "parse_attested"]

_MAGIC = 0xFF544347  # TPM_GENERATED_VALUE: a restricted key signs no foreign bytes that begin so
_ST_NV, _ST_QUOTE = 0x8014, 0x8018
_MAX_NAME = 68  # TPM2B_NAME: a hash identifier and at most 64 bytes; or a handle of 4
_MAX_EXTRA = 66  # TPM2B_DATA: sizeof(TPMT_HA)
_MAX_NV = 2048
_MAX_DIGEST = 64
_MAX_BANKS = 16


class ClockInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The TPM's clock: milliseconds while powered, resets and restarts of the TPM, and whether `clock` is sure."""

    clock_ms: int
    reset_count: int
    restart_count: int
    safe: bool


class NvCertified(msgspec.Struct, frozen=True, kw_only=True):
    """TPMS_NV_CERTIFY_INFO: the name of an NV index, and bytes of it from an offset."""

    name: bytes
    offset: int
    contents: bytes


class Quoted(msgspec.Struct, frozen=True, kw_only=True):
    """TPMS_QUOTE_INFO: which registers, as (hash identifier, bit map), and the digest over them."""

    registers: tuple[tuple[int, bytes], ...]
    digest: bytes


Body: TypeAlias = NvCertified | Quoted


class Attested(msgspec.Struct, frozen=True, kw_only=True):
    """One attestation: who signed (qualified name), over which challenge, when by its clock, and what it says."""

    signer: bytes
    extra: bytes
    clock: ClockInfo
    firmware: int
    body: Body


def parse_attested(data: bytes) -> Attested:
    """Read a TPMS_ATTEST of an NV index or of platform registers. Raises MalformedTpmData for anything else."""
    octets = Octets(data, "TPMS_ATTEST")
    if octets.number(4) != _MAGIC:
        raise octets.fault("was not made by a TPM: its magic number is missing")
    kind = octets.number(2)
    signer, extra = octets.sized(_MAX_NAME), octets.sized(_MAX_EXTRA)
    clock = _clock(octets)
    firmware = octets.number(8)
    if kind == _ST_NV:
        body: Body = _nv(octets)
    elif kind == _ST_QUOTE:
        body = _quote(octets)
    else:
        raise MalformedTpmData(f"TPMS_ATTEST: type {kind:#06x} is neither an NV index nor a quote")
    octets.end()
    return Attested(signer=signer, extra=extra, clock=clock, firmware=firmware, body=body)


def _clock(octets: Octets) -> ClockInfo:
    clock_ms, resets, restarts = octets.number(8), octets.number(4), octets.number(4)
    safe = octets.number(1)
    if safe > 1:
        raise octets.fault(f"safe is {safe}, neither yes nor no")
    return ClockInfo(clock_ms=clock_ms, reset_count=resets, restart_count=restarts, safe=bool(safe))


def _nv(octets: Octets) -> NvCertified:
    name = octets.sized(_MAX_NAME)
    return NvCertified(name=name, offset=octets.number(2), contents=octets.sized(_MAX_NV))


def _quote(octets: Octets) -> Quoted:
    count = octets.number(4)
    if count > _MAX_BANKS:
        raise octets.fault(f"{count} banks, {_MAX_BANKS} are allowed")
    banks = []
    for _ in range(count):
        algorithm, size = octets.number(2), octets.number(1)
        banks.append((algorithm, octets.take(size)))
    return Quoted(registers=tuple(banks), digest=octets.sized(_MAX_DIGEST))
