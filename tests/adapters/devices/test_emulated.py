"""The emulated accelerator: real memory, a key of its own, honest about jobs and about being emulated."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.adapters.devices import EmulatedDevice, spawn_emulated_device
from sekisho.adapters.keys import load_or_create_key
from sekisho.adapters.local_sockets import ask_line
from sekisho.inspection import expect_fill, judge_answer
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.model.statements import ChallengeAnswered, parse_payload
from sekisho.signing.dsse import distinct_signers, parse_envelope
from sekisho.signing.keys import PublicKey

MEMORY_MIB = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the device and its key live."""
    return tmp_path_factory.mktemp("emulated")


@pytest.fixture(scope="module")
def device(folder: Path) -> Iterator[EmulatedDevice]:
    """One running device for all tests that leave it as they found it."""
    with spawn_emulated_device(folder / "device", MEMORY_MIB, folder / "device.pem") as running:
        yield running.device


def test_the_whole_memory_answers_under_the_devices_key(device: EmulatedDevice) -> None:
    """An idle device gives the expected digest, in a statement that its own key signed and that says emulated."""
    nonce = os.urandom(32)
    said = device.describe()
    answer = device.answer_challenge(nonce, timeout_s=10)
    expected = expect_fill(nonce, said.device, MEMORY_MIB << 20)
    assert judge_answer(answer, expected, 10).verdict == "holds"
    envelope = parse_envelope(answer.envelope)
    key = PublicKey.from_text(said.public_key)
    assert distinct_signers(envelope, [key]) == {key.key_id}
    signed = parse_payload(envelope.payload).predicate
    assert isinstance(signed, ChallengeAnswered)
    assert signed.emulated
    assert (signed.nonce, signed.digest) == (nonce.hex(), expected.digest)
    assert signed.memory_bytes == MEMORY_MIB << 20
    assert device.emulated


def test_a_resident_job_makes_the_answer_wrong_until_it_goes(device: EmulatedDevice) -> None:
    """One MiB of job is enough to fail; once unloaded the same device passes again."""
    nonce = os.urandom(32)
    expected = expect_fill(nonce, device.describe().device, MEMORY_MIB << 20)
    device.load(1)
    assert device.describe().job_mib == 1
    assert (
        judge_answer(device.answer_challenge(nonce, timeout_s=10), expected, 10).verdict == "fails"
    )
    device.unload()
    assert (
        judge_answer(device.answer_challenge(nonce, timeout_s=10), expected, 10).verdict == "holds"
    )


def test_jobs_that_do_not_fit_are_refused(device: EmulatedDevice) -> None:
    """More than the memory is bad input, a second job a conflict; neither changes what is loaded."""
    with pytest.raises(InvalidInput):
        device.load(MEMORY_MIB + 1)
    device.load(2)
    with pytest.raises(StateConflict):
        device.load(1)
    assert device.describe().job_mib == 2
    device.unload()


@pytest.mark.parametrize("nonce", [b"", bytes(31), bytes(33)])
def test_a_nonce_of_another_size_is_refused(device: EmulatedDevice, nonce: bytes) -> None:
    """Only 32 bytes are a nonce."""
    with pytest.raises(InvalidInput):
        device.answer_challenge(nonce, timeout_s=5)


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b'{"do":"reset"}',
        b'{"do":"describe","more":1}',
        b"[]",
        b"\xff",
        b'{"do":"load","mib":"1"}',
    ],
)
def test_other_requests_are_refused(device: EmulatedDevice, folder: Path, line: bytes) -> None:
    """Nothing but the four requests in their exact shape is heard, and the device lives on."""
    answer = ask_line(folder / "device" / "device.sock", line, timeout_s=5)
    assert b'"code":"invalid-input"' in answer
    assert device.describe().code == ""


def test_a_second_device_on_the_folder_is_refused(device: EmulatedDevice, folder: Path) -> None:
    """One device per folder: the second ends and the first still answers."""
    with pytest.raises(Unavailable, match="another device holds"):
        spawn_emulated_device(folder / "device", 1, folder / "device.pem")
    assert device.describe().memory_bytes == MEMORY_MIB << 20


def test_a_device_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    """After its end the device answers nothing, and its name stays with its key."""
    with spawn_emulated_device(tmp_path / "device", 1, tmp_path / "key.pem") as running:
        device, name = running.device, running.device.describe().device
    with pytest.raises(Unavailable):
        device.answer_challenge(bytes(32), timeout_s=0.5)
    with spawn_emulated_device(tmp_path / "device", 1, tmp_path / "key.pem") as again:
        assert again.device.describe().device == name


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """The key file is made 0600; opened to others, or no Ed25519 key, it is refused."""
    path = tmp_path / "key.pem"
    key_id = load_or_create_key(path).public.key_id
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_or_create_key(path).public.key_id == key_id
    path.chmod(0o644)
    with pytest.raises(InvalidInput, match="others"):
        load_or_create_key(path)
    path.chmod(0o600)
    path.write_text("nonsense")
    with pytest.raises(InvalidInput, match="not a private key"):
        load_or_create_key(path)
