"""The memory-fill challenge: a device shows that its memory held nothing but what the nonce put there.

The memory is cut into segments of 1 MiB. Segment i is the ChaCha20 keystream (RFC 8439) under the key
SHA-256(domain | device | nonce), with block counter 0 and i as the 96-bit nonce, so that any block can be made alone.
The answer is SHA-256 over the domain, SHA-256 of the whole memory read from its start, and SHA-256 of a second pass
that reads `SAMPLES` blocks in an order that follows from the nonce: what was overwritten while the first pass ran, or
kept elsewhere, is missing in the second. Source of the idea: proofs of secure erasure (Perito and Tsudik 2010).

What it does not show: that a device without a job could not compute the keystream as it goes. That rests on the
device's own key and firmware, and on the time limit; an emulated device rests on neither.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Literal, Protocol

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from sekisho.model.errors import InvalidInput

__all__ = [
    "SAMPLES",
    "SEGMENT_BYTES",
    "ExpectedFill",
    "FillAnswer",
    "FillJudgement",
    "combine_passes",
    "expect_fill",
    "expected_digest",
    "judge_answer",
    "keystream_segments",
    "sample_offsets",
]

SEGMENT_BYTES = 1 << 20
BLOCK_BYTES = 64
SAMPLES = 4096
NONCE_BYTES = 32
MAX_MEMORY = 1 << 43  # 8 TiB: offsets stay exact and a wrong unit is noticed
_DOMAIN = b"sekisho memory fill v1"


class FillAnswer(Protocol):
    """What a device answered, with the seconds it took by the asker's clock; ports.device.ChallengeAnswer is one."""

    @property
    def device(self) -> str: ...
    @property
    def nonce(self) -> str: ...
    @property
    def memory_bytes(self) -> int: ...
    @property
    def digest(self) -> str: ...
    @property
    def seconds(self) -> float: ...


class ExpectedFill(msgspec.Struct, frozen=True, kw_only=True):
    """The one right answer to a challenge; `memory_bytes` as enrolled, never as the device says. Hexadecimal."""

    device: str
    nonce: str
    memory_bytes: int
    digest: str


class FillJudgement(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the answer proves an empty memory. Every reason that speaks against it is listed."""

    verdict: Literal["holds", "fails"]
    reasons: tuple[str, ...] = ()


def expect_fill(nonce: bytes, device: str, memory_bytes: int) -> ExpectedFill:
    """The answer that `device` must give to `nonce` if its whole memory was free."""
    digest = expected_digest(nonce, device, memory_bytes)
    return ExpectedFill(device=device, nonce=nonce.hex(), memory_bytes=memory_bytes, digest=digest)


def expected_digest(nonce: bytes, device: str, memory_bytes: int) -> str:
    """SHA-256 (hex) of a memory of `memory_bytes` filled for `nonce`; needs one segment of memory at a time.

    Raises InvalidInput for a nonce that is not 32 bytes or a memory that is not whole segments.
    """
    whole = hashlib.sha256()
    for segment in keystream_segments(nonce, device, memory_bytes):
        whole.update(segment)
    sampled = hashlib.sha256()
    key = _key(nonce, device)
    for offset in sample_offsets(nonce, device, memory_bytes):
        sampled.update(_block(key, offset))
    return combine_passes(whole.digest(), sampled.digest())


def keystream_segments(nonce: bytes, device: str, memory_bytes: int) -> Iterator[bytes]:
    """What the memory is to hold, 1 MiB at a time from its start."""
    _check(nonce, memory_bytes)
    key = _key(nonce, device)
    zeros = bytes(SEGMENT_BYTES)
    for index in range(memory_bytes // SEGMENT_BYTES):
        yield _cipher(key, 0, index).update(zeros)


def sample_offsets(nonce: bytes, device: str, memory_bytes: int) -> Iterator[int]:
    """Where the second pass reads its 64-byte blocks, in order; unknown before the nonce."""
    _check(nonce, memory_bytes)
    blocks = memory_bytes // BLOCK_BYTES
    key = hashlib.sha256(_DOMAIN + b" order" + _key(nonce, device)).digest()
    stream = _cipher(key, 0, 0).update(bytes(8 * SAMPLES))
    for start in range(0, len(stream), 8):
        yield int.from_bytes(stream[start : start + 8], "little") % blocks * BLOCK_BYTES


def combine_passes(whole: bytes, sampled: bytes) -> str:
    """The answer's digest from the SHA-256 digests of both passes."""
    return hashlib.sha256(_DOMAIN + whole + sampled).hexdigest()


def judge_answer(answer: FillAnswer, expected: ExpectedFill, max_seconds: float) -> FillJudgement:
    """Hold an answer against the expected one. The envelope's signature is verified apart, by `signing`.

    An answer that did not come at all is not judged here: it is *unverifiable*, since silence has many causes.
    """
    reasons = []
    if answer.device != expected.device:
        reasons.append(f"another device answered: {answer.device}")
    if not hmac.compare_digest(answer.nonce.encode(), expected.nonce.encode()):
        reasons.append("the answer is to another nonce: replayed, or mixed up")
    if answer.memory_bytes != expected.memory_bytes:
        reasons.append(
            f"{answer.memory_bytes} bytes were filled, {expected.memory_bytes} are enrolled"
        )
    if not hmac.compare_digest(answer.digest.encode(), expected.digest.encode()):
        reasons.append("the memory's digest is wrong: some of it held something else")
    if not 0 <= answer.seconds <= max_seconds:  # NaN is not within either
        reasons.append(f"it took {answer.seconds:.3f} s, {max_seconds:.3f} s were given")
    return FillJudgement(verdict="fails" if reasons else "holds", reasons=tuple(reasons))


def _key(nonce: bytes, device: str) -> bytes:
    name = device.encode()
    return hashlib.sha256(
        _DOMAIN + b" key" + len(name).to_bytes(8, "little") + name + nonce
    ).digest()


def _block(key: bytes, offset: int) -> bytes:
    segment, within = divmod(offset, SEGMENT_BYTES)
    return _cipher(key, within // BLOCK_BYTES, segment).update(bytes(BLOCK_BYTES))


class _Stream(Protocol):
    def update(self, data: bytes) -> bytes: ...


def _cipher(key: bytes, counter: int, segment: int) -> _Stream:
    # cryptography's 16-byte nonce is the 32-bit block counter followed by the 96-bit nonce, both little-endian.
    start = counter.to_bytes(4, "little") + segment.to_bytes(12, "little")
    return Cipher(ChaCha20(key, start), mode=None).encryptor()


def _check(nonce: bytes, memory_bytes: int) -> None:
    if len(nonce) != NONCE_BYTES:
        raise InvalidInput(f"must be {NONCE_BYTES} bytes, is {len(nonce)}", path="nonce")
    if not 0 < memory_bytes <= MAX_MEMORY or memory_bytes % SEGMENT_BYTES:
        raise InvalidInput("must be a whole number of MiB above 0", path="memory_bytes")
