"""Attacks on counters in TPMs: state set back, certificates shown again, TPMs exchanged, indices made anew."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.devices.tpm_counter import TpmCounter
from sekisho.adapters.devices.tpm_enrolment import open_challenge
from sekisho.adapters.devices.tpm_line import TpmLine
from sekisho.adapters.storage.host_folder import HostFolder
from sekisho.agent.memory import Memory
from sekisho.agent.seating import SeatWanted, take_seat
from sekisho.inspection.tpm import (
    CounterSetBack,
    NotActivated,
    NotEndorsed,
    OtherChallenge,
    OtherQuantum,
    challenge_paper,
    continue_from,
    endorsement_of,
    verify_answer,
    verify_certified,
)
from sekisho.model.errors import BadSignature, Corrupt
from tests.swtpms import DICE, SwTpm, authority, enrol, seat, swtpm

pytestmark = pytest.mark.tpm

OLD, NEW = "0a" * 16, "0b" * 16


@pytest.fixture
def tpm() -> Iterator[SwTpm]:
    with swtpm() as running:
        yield running


def test_tpm_state_folder_rolled_back_alone(tpm: SwTpm, tmp_path: Path) -> None:
    """The TPM's state is restored from a copy, the agent's file is newer: found at the start, and no lease is left."""
    memory = opened(tpm, tmp_path)
    kept = copied(tpm)
    for _ in range(3):
        spend(memory)

    tpm.power_off()
    tpm.restore_state(kept)
    tpm.power_on()
    again = Memory(HostFolder(tmp_path), counter_of(tpm, tmp_path), "host-1")
    opening = again.open("boot-1")

    assert opening.start == "rolled-back"
    assert again.state.lease is None
    assert again.counter.read() == again.state.quantum == memory.state.quantum


def test_disk_snapshot_rolled_back_alone(tpm: SwTpm, tmp_path: Path) -> None:
    """The agent's folder is restored from a snapshot, the TPM went on: found at the start."""
    home, snapshot = tmp_path / "home", tmp_path / "snapshot"
    memory = opened(tpm, home)
    shutil.copytree(home, snapshot)
    for _ in range(3):
        spend(memory)
    shutil.rmtree(home)
    shutil.copytree(snapshot, home)

    opening = Memory(HostFolder(home), counter_of(tpm, home), "host-1").open("boot-1")
    assert opening.start == "rolled-back"


def test_tpm_state_and_disk_rolled_back_together_on_c2(tpm: SwTpm) -> None:
    """Both are set back alike, which no host can see by itself: the next certificate shows it to the issuer.

    With a chip nobody can do this; the check stands for a maker's fault. (On C1 the chain of receipts shows it:
    test_tpm_leases.)
    """
    enrolled, seated = enrol(tpm)
    counter = TpmCounter(tpm.tcti, seated)
    kept = copied(tpm)
    counter.step()
    before = verify_certified(counter.certify(OLD), enrolled, challenge=OLD)
    tpm.power_off()
    tpm.restore_state(kept)
    tpm.power_on()

    after = verify_certified(counter.certify(NEW), enrolled, challenge=NEW)
    with pytest.raises(CounterSetBack):
        continue_from(before, after)


def test_replayed_certificate(tpm: SwTpm) -> None:
    """A certificate of an earlier quantum is none of a later one, whatever nonce is written beside it."""
    enrolled, seated = enrol(tpm)
    counter = TpmCounter(tpm.tcti, seated)
    quantum = counter.step()
    old = counter.certify(OLD)
    counter.step()

    with pytest.raises(OtherQuantum):
        verify_certified(old, enrolled, challenge=OLD, quantum=quantum + 1)
    with pytest.raises(OtherChallenge):
        verify_certified(old, enrolled, challenge=NEW)
    relabelled = msgspec.structs.replace(old, challenge=NEW)
    with pytest.raises(OtherChallenge):
        verify_certified(relabelled, enrolled, challenge=NEW)


def test_certificate_over_another_nonce(tpm: SwTpm) -> None:
    """What was signed for a nonce of the host's own choice does not answer the issuer's."""
    enrolled, seated = enrol(tpm)
    with pytest.raises(OtherChallenge):
        verify_certified(TpmCounter(tpm.tcti, seated).certify(OLD), enrolled, challenge=NEW)


def test_certificate_of_another_hosts_tpm(tpm: SwTpm) -> None:
    """Two hosts, one TPM each: the one's word is not the other's, though both say the same number."""
    enrolled, _ = enrol(tpm)
    with swtpm(own=True) as other:
        _, stranger = enrol(other, "host-2")
        certificate = TpmCounter(other.tcti, stranger).certify(NEW)

    with pytest.raises(BadSignature):
        verify_certified(certificate, enrolled, challenge=NEW)


def test_index_deleted_and_made_again(tpm: SwTpm) -> None:
    """The new counter stands above the old one: it can say nothing of a quantum that was, and never goes back."""
    enrolled, seated = enrol(tpm)
    counter = TpmCounter(tpm.tcti, seated)
    for _ in range(5):
        last = counter.step()
    before = verify_certified(counter.certify(OLD), enrolled, challenge=OLD)
    delete_index(tpm, seated.index)
    with pytest.raises(Corrupt, match="no such index"):
        counter.read()

    _, _, value = seat(tpm)
    after = verify_certified(counter.certify(NEW), enrolled, challenge=NEW)

    assert value == last + 1
    assert after.counter > before.counter
    with pytest.raises(OtherQuantum):
        verify_certified(counter.certify(NEW), enrolled, challenge=NEW, quantum=last)


def test_index_made_again_as_something_else(tpm: SwTpm) -> None:
    """An ordinary index in the counter's place, which its owner can write as they please, has another name."""
    enrolled, seated = enrol(tpm)
    counter = TpmCounter(tpm.tcti, seated)
    delete_index(tpm, seated.index)
    make_ordinary(tpm, seated.index)

    with pytest.raises(Corrupt, match="not the one that was enrolled"):
        counter.read()
    assert enrolled.counter_name == seated.index_name


def test_attestation_key_exchanged(tpm: SwTpm) -> None:
    """A TPM that was cleared makes other keys: the enrolled one is gone, and no other is used in its stead."""
    _, seated = enrol(tpm)
    counter = TpmCounter(tpm.tcti, seated)
    clear(tpm)

    with pytest.raises(Corrupt):
        counter.certify(NEW)


def test_enrolment_with_the_certificate_of_another_tpm(tpm: SwTpm) -> None:
    """A paper that borrows a genuine chain is refused by the key, and its challenge is opened by the other TPM only."""
    with swtpm(own=True) as other:
        genuine, _, _ = seat(other, "host-2")
        mine, seated, _ = seat(tpm)
        borrowed = msgspec.structs.replace(mine, endorsement=genuine.endorsement)
        root = root_of(authority().chain)
        with pytest.raises(NotEndorsed, match="another key"):
            endorsement_of(borrowed, (root,), at=SystemClock().now())

        whole = msgspec.structs.replace(borrowed, endorsement_public=genuine.endorsement_public)
        challenge = challenge_paper(whole, DICE)
        endorsement_of(whole, (root,), at=SystemClock().now())
        with pytest.raises(Corrupt, match="another TPM"):
            open_challenge(tpm.tcti, seated, challenge)


def test_enrolment_answered_with_a_guess(tpm: SwTpm) -> None:
    """An answer that did not open the challenge, or one to another paper, enrols nothing."""
    paper, seated, _ = seat(tpm)
    challenge = challenge_paper(paper, DICE)
    answer = open_challenge(tpm.tcti, seated, challenge)
    guess = msgspec.structs.replace(answer, opened="00" * 32)
    with pytest.raises(NotActivated):
        verify_answer(paper, challenge, guess, secret=DICE.secret)
    other = msgspec.structs.replace(paper, host="host-2")
    with pytest.raises(NotActivated):
        verify_answer(other, challenge, answer, secret=DICE.secret)


def test_attestation_key_of_another_tpm_in_the_paper(tpm: SwTpm) -> None:
    """A challenge sealed for a key that this TPM does not hold is not opened by it."""
    with swtpm(own=True) as other:
        foreign, _, _ = seat(other, "host-2")
    mine, seated, _ = seat(tpm)
    mixed = msgspec.structs.replace(mine, attestation_public=foreign.attestation_public)
    with pytest.raises(Corrupt):
        open_challenge(tpm.tcti, seated, challenge_paper(mixed, DICE))


def test_tpm_locked_out(tpm: SwTpm) -> None:
    """Wrong secrets for other things lock the TPM; this counter goes on, since its own secret is never guessed."""
    _, seated = enrol(tpm)
    counter = TpmCounter(tpm.tcti, seated)
    value = counter.read()
    lock_out(tpm)

    assert counter.step() == value + 1
    assert counter.certify(NEW).challenge == NEW


# --- what an owner of the machine can do --------------------------------------------------------


def opened(tpm: SwTpm, home: Path) -> Memory:
    wanted = SeatWanted(host="host-1", secret=b"s" * 32, chain=authority().chain)
    take_seat(home, tpm.tcti, wanted)
    memory = Memory(HostFolder(home), counter_of(tpm, home), "host-1")
    assert memory.open("boot-1").start == "sound"
    return memory


def counter_of(tpm: SwTpm, home: Path) -> TpmCounter:
    from sekisho.adapters.devices.tpm_seat import TpmSeat

    return TpmCounter(tpm.tcti, TpmSeat.load(home))


def spend(memory: Memory) -> None:
    """One quantum's writes, in their order."""
    memory.save(msgspec.structs.replace(memory.state, quantum=memory.state.quantum + 1))
    memory.step()


def copied(tpm: SwTpm) -> Path:
    tpm.power_off()
    kept = tpm.copy_state()
    tpm.power_on()
    return kept


def root_of(chain: tuple[bytes, ...]) -> str:
    from sekisho.model.wire import sha256_hex

    return sha256_hex(chain[-1])


def as_owner(tpm: SwTpm, act: object) -> None:
    line = TpmLine(tpm.tcti)
    try:
        line.ask(act)  # type: ignore[arg-type]  # a function of the open library
    finally:
        line.close()


def delete_index(tpm: SwTpm, index: int) -> None:
    as_owner(tpm, lambda open_: open_.nv_undefine_space(open_.tr_from_tpmpublic(index)))


def make_ordinary(tpm: SwTpm, index: int) -> None:
    import tpm2_pytss as tss

    kind = tss.TPMA_NV
    attributes = kind.AUTHWRITE | kind.AUTHREAD | kind.OWNERREAD | kind.OWNERWRITE | kind.NO_DA
    public = tss.TPM2B_NV_PUBLIC(
        nvPublic=tss.TPMS_NV_PUBLIC(
            nvIndex=index, nameAlg=tss.TPM2_ALG.SHA256, attributes=attributes, dataSize=8
        )
    )

    def make(open_: object) -> None:
        made = open_.nv_define_space(b"s" * 32, public)  # type: ignore[attr-defined]  # untyped library
        open_.nv_write(made, bytes(7) + b"\1")  # type: ignore[attr-defined]  # the same

    as_owner(tpm, make)


def clear(tpm: SwTpm) -> None:
    import tpm2_pytss as tss

    as_owner(tpm, lambda open_: open_.clear(tss.ESYS_TR.LOCKOUT))


def lock_out(tpm: SwTpm) -> None:
    """Guess the secret of an index that is guarded against guessing, until the TPM answers nobody on such things."""
    import tpm2_pytss as tss

    kind = tss.TPMA_NV
    public = tss.TPM2B_NV_PUBLIC(
        nvPublic=tss.TPMS_NV_PUBLIC(
            nvIndex=0x01805EEE,
            nameAlg=tss.TPM2_ALG.SHA256,
            attributes=kind.AUTHWRITE | kind.AUTHREAD,
            dataSize=8,
        )
    )

    def guess(open_: object) -> None:
        index = open_.nv_define_space(b"right", public)  # type: ignore[attr-defined]  # untyped library
        open_.nv_write(index, bytes(8))  # type: ignore[attr-defined]  # the same
        open_.tr_set_auth(index, b"wrong")  # type: ignore[attr-defined]  # the same
        for _ in range(64):
            try:
                open_.nv_read(index, 8)  # type: ignore[attr-defined]  # the same
            except tss.TSS2_Exception as error:
                if int(error.error) & 0xFFF == 0x921:
                    return
        raise AssertionError("the TPM never locked")

    as_owner(tpm, guess)
