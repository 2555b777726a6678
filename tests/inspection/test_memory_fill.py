"""The memory-fill challenge, and one test for each way to cheat at it."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from sekisho.inspection import ExpectedFill, expect_fill, expected_digest, judge_answer
from sekisho.inspection.memory_fill import (
    SAMPLES,
    SEGMENT_BYTES,
    combine_passes,
    keystream_segments,
    sample_offsets,
)
from sekisho.model.errors import InvalidInput
from sekisho.ports.device import ChallengeAnswer

NONCE = bytes(range(32))
MEMORY = 3 * SEGMENT_BYTES


@pytest.fixture(scope="module")
def expected() -> ExpectedFill:
    """The right answer to the tests' challenge."""
    return expect_fill(NONCE, "device-1", MEMORY)


def _answered(expected: ExpectedFill, **changed: object) -> ChallengeAnswer:
    right = ChallengeAnswer(
        device=expected.device,
        nonce=expected.nonce,
        memory_bytes=expected.memory_bytes,
        digest=expected.digest,
        seconds=0.5,
        envelope=b"",
    )
    return msgspec.structs.replace(right, **changed)


def test_an_empty_device_in_time_holds(expected: ExpectedFill) -> None:
    """The right digest to the right nonce within the limit holds, with nothing against it."""
    judged = judge_answer(_answered(expected), expected, 1.0)
    assert (judged.verdict, judged.reasons) == ("holds", ())


def test_replayed_nonce_fails(expected: ExpectedFill) -> None:
    """An answer to an earlier nonce, its digest then right, fails for nonce and digest."""
    earlier = expect_fill(bytes(32), "device-1", MEMORY)
    judged = judge_answer(_answered(earlier), expected, 1.0)
    assert judged.verdict == "fails"
    assert len(judged.reasons) == 2
    assert "replayed" in judged.reasons[0]


def test_replayed_answer_under_the_new_nonce_fails(expected: ExpectedFill) -> None:
    """An old digest relabelled with the new nonce is still wrong."""
    earlier = expect_fill(bytes(32), "device-1", MEMORY)
    judged = judge_answer(_answered(expected, digest=earlier.digest), expected, 1.0)
    assert judged.reasons == ("the memory's digest is wrong: some of it held something else",)


def test_resident_job_fails(expected: ExpectedFill) -> None:
    """One MiB that kept its own content makes the digest wrong."""
    memory = bytearray(b"".join(keystream_segments(NONCE, "device-1", MEMORY)))
    memory[:SEGMENT_BYTES] = b"\x5a" * SEGMENT_BYTES
    digest = _fill_digest(memory)
    assert judge_answer(_answered(expected, digest=digest), expected, 1.0).verdict == "fails"


def test_late_answer_fails(expected: ExpectedFill) -> None:
    """An answer after the limit fails although its digest is right; so does a time that is no number."""
    for seconds in (1.001, float("nan"), float("inf"), -1.0):
        judged = judge_answer(_answered(expected, seconds=seconds), expected, 1.0)
        assert judged.verdict == "fails"
        assert len(judged.reasons) == 1
    assert judge_answer(_answered(expected, seconds=1.0), expected, 1.0).verdict == "holds"


def test_answer_of_another_device_fails(expected: ExpectedFill) -> None:
    """A free device cannot answer for a busy one: name and digest are its own."""
    other = expect_fill(NONCE, "device-2", MEMORY)
    assert other.digest != expected.digest
    judged = judge_answer(_answered(other), expected, 1.0)
    assert judged.reasons[0] == "another device answered: device-2"
    assert len(judged.reasons) == 2


def test_smaller_memory_fails(expected: ExpectedFill) -> None:
    """A device that fills less than was enrolled fails, whatever size it names."""
    part = expect_fill(NONCE, "device-1", 2 * SEGMENT_BYTES)
    assert judge_answer(_answered(part), expected, 1.0).verdict == "fails"
    lied = _answered(expected, digest=part.digest)
    assert judge_answer(lied, expected, 1.0).verdict == "fails"


def test_the_digest_follows_from_plain_memory(expected: ExpectedFill) -> None:
    """What is computed a block at a time equals the digests of one memory written and read as a whole."""
    memory = bytearray(b"".join(keystream_segments(NONCE, "device-1", MEMORY)))
    assert _fill_digest(memory) == expected.digest


def test_golden_digest() -> None:
    """The wire format is fixed: this nonce, device and size give this digest for ever."""
    digest = expected_digest(NONCE, "device-1", SEGMENT_BYTES)
    assert digest == "f43cd66732e781407bf359b48395f63d00bf16b253905abc75e939dac9cf708b"


def test_the_keystream_is_chacha20_of_rfc_8439() -> None:
    """Counter and nonce lie where RFC 8439 section 2.4.2 has them: its example, encrypted with the same layout."""
    start = (1).to_bytes(4, "little") + bytes.fromhex("000000000000004a00000000")
    stream = Cipher(ChaCha20(bytes(range(32)), start), mode=None).encryptor()
    assert stream.update(b"Ladies and Gentlemen of the clas").hex() == (
        "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b"
    )


def test_the_order_of_samples_follows_the_nonce() -> None:
    """Another nonce reads other blocks in another order, all inside the memory and on block boundaries."""
    one = list(sample_offsets(NONCE, "device-1", MEMORY))
    other = list(sample_offsets(bytes(32), "device-1", MEMORY))
    assert len(one) == SAMPLES
    assert one != other
    assert all(0 <= offset <= MEMORY - 64 and offset % 64 == 0 for offset in one)
    assert len(set(one)) > SAMPLES * 0.9


@pytest.mark.parametrize(
    ("nonce", "memory"),
    [(b"short", MEMORY), (NONCE, 0), (NONCE, SEGMENT_BYTES + 1), (NONCE, 1 << 60)],
)
def test_nonsense_is_refused(nonce: bytes, memory: int) -> None:
    """A nonce that is not 32 bytes and a memory that is not whole MiB are refused."""
    with pytest.raises(InvalidInput):
        expected_digest(nonce, "device-1", memory)


def _fill_digest(memory: bytearray) -> str:
    sampled = b"".join(
        bytes(memory[at : at + 64]) for at in sample_offsets(NONCE, "device-1", len(memory))
    )
    return combine_passes(hashlib.sha256(memory).digest(), hashlib.sha256(sampled).digest())
