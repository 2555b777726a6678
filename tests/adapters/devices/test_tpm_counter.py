"""The counter in a TPM: real software TPMs, each with endorsement certificates of the tests' own authority."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.devices.tpm_counter import TpmCounter
from sekisho.adapters.devices.tpm_enrolment import open_challenge
from sekisho.adapters.devices.tpm_line import TpmLine, _translate
from sekisho.adapters.devices.tpm_seat import TpmSeat
from sekisho.inspection.tpm import (
    challenge_paper,
    continue_from,
    endorsement_of,
    read_paper,
    verify_answer,
    verify_certified,
)
from sekisho.model.errors import Corrupt, InvalidInput, StateConflict, Unavailable
from sekisho.model.statements import TpmEnrolled
from sekisho.model.wire import sha256_hex
from sekisho.ports.counter import CertifyingCounter
from tests.swtpms import DICE, SwTpm, authority, enrol, seat, swtpm

pytestmark = pytest.mark.tpm

CHALLENGE = "c0" * 16


@pytest.fixture
def tpm() -> Iterator[SwTpm]:
    with swtpm() as running:
        yield running


def counter_of(tpm: SwTpm, seated: TpmSeat, **more: float) -> TpmCounter:
    return TpmCounter(tpm.tcti, seated, within_s=more.get("within_s", 10.0))


def test_it_steps_by_one_and_keeps_each_step(tpm: SwTpm) -> None:
    """A step is there after a power cut, and the next one follows it."""
    counter = counter_of(tpm, seat(tpm)[1])
    first = counter.read()
    assert [counter.step(), counter.step(), counter.read()] == [first + 1, first + 2, first + 2]

    tpm.power_off()
    tpm.power_on()

    assert counter.read() == first + 2
    assert counter.step() == first + 3
    assert isinstance(counter, CertifyingCounter)


def test_the_tier_is_what_it_is_told(tpm: SwTpm) -> None:
    """C1 until the enrolment says otherwise: no host can tell a chip from a program."""
    seated = seat(tpm)[1]
    told = "C1"

    counter = TpmCounter(tpm.tcti, seated, tier=lambda: told)  # type: ignore[arg-type,return-value]  # a tier
    assert (TpmCounter(tpm.tcti, seated).tier, counter.tier) == ("C1", "C1")
    told = "C2"
    assert counter.tier == "C2"


def test_its_certificate_holds_and_goes_on_through_resets(tpm: SwTpm) -> None:
    """Counter, clock and counts are read from the TPM's own signature; a reset shows in them and in `boots`."""
    enrolled, seated = enrol(tpm)
    counter = counter_of(tpm, seated)
    value, boots = counter.step(), counter.boots()
    before = verify_certified(counter.certify(CHALLENGE), enrolled, challenge=CHALLENGE)
    assert before.counter == value

    tpm.power_off()
    tpm.power_on()
    after = verify_certified(counter.certify(CHALLENGE), enrolled, challenge=CHALLENGE)

    assert continue_from(before, after) == "reset"
    assert after.reset_count > before.reset_count
    assert counter.boots() != boots


def test_its_clock_stands_still_without_power(tpm: SwTpm) -> None:
    """What makes a C2 host ask for a fresh lease after a reboot: the time away does not show (ADR 0025)."""
    enrolled, seated = enrol(tpm)
    counter = counter_of(tpm, seated)
    before = verify_certified(counter.certify(CHALLENGE), enrolled, challenge=CHALLENGE)
    tpm.power_off()
    time.sleep(1.5)
    begun = time.monotonic()
    tpm.power_on()
    after = verify_certified(counter.certify(CHALLENGE), enrolled, challenge=CHALLENGE)

    on_for_ms = 1000 * (time.monotonic() - begun)
    assert after.clock_ms - before.clock_ms < on_for_ms + 500


def test_a_tpm_that_hangs_costs_a_bounded_time(tpm: SwTpm) -> None:
    """Unavailable within the bound, at once while it still hangs, and none of it once the TPM is back."""
    counter = counter_of(tpm, seat(tpm)[1], within_s=0.5)
    value = counter.read()
    tpm.hang()
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="does not answer"):
        counter.step()
    assert 0.4 < time.monotonic() - begun < 20
    with pytest.raises(Unavailable, match="does not answer"):
        counter.read()

    tpm.power_off()
    tpm.power_on()
    time.sleep(0.1)
    assert counter.read() in (value, value + 1)


def test_a_tpm_that_is_gone_is_unavailable(tpm: SwTpm) -> None:
    """No socket, no TPM: an error that may pass, and a counter that reads again when it has passed."""
    counter = counter_of(tpm, seat(tpm)[1])
    value = counter.read()
    tpm.power_off()
    with pytest.raises(Unavailable, match="cannot be reached"):
        counter.read()
    tpm.power_on()
    assert counter.read() == value


def test_another_secret_steps_nothing(tpm: SwTpm) -> None:
    """Who owns the TPM but not the agent's secret cannot step the counter, and locks nobody out by trying."""
    seated = seat(tpm)[1]
    stranger = counter_of(tpm, msgspec.structs.replace(seated, secret="ab" * 32))
    value = counter_of(tpm, seated).read()
    for _ in range(40):
        with pytest.raises(Corrupt, match="secret"):
            stranger.step()

    assert counter_of(tpm, seated).read() == value
    assert counter_of(tpm, seated).step() == value + 1


def test_a_home_is_taken_up_where_it_was_left(tpm: SwTpm, tmp_path: Path) -> None:
    """The seat comes back from its file, which only its owner reads and nothing replaces."""
    seated = seat(tpm)[1]
    seated.save(tmp_path)

    assert TpmSeat.load(tmp_path) == seated
    assert (tmp_path / "tpm.json").stat().st_mode & 0o077 == 0
    with pytest.raises(StateConflict):
        seated.save(tmp_path)
    with pytest.raises(InvalidInput, match=r"tpm\.json"):
        TpmSeat.load(tmp_path / "elsewhere")


def test_an_index_that_is_taken_is_left_alone(tpm: SwTpm) -> None:
    """A second counter at one place is refused; at another it stands beside the first, under the same key."""
    first, seated, _ = seat(tpm)
    with pytest.raises(StateConflict, match="already"):
        seat(tpm)
    second, other, _ = seat(tpm, index=0x01805E52)

    assert first.attestation_public == second.attestation_public
    assert other.index_name != seated.index_name


def test_a_paper_shows_a_tpm_whose_maker_is_pinned(tpm: SwTpm) -> None:
    """The endorsement chain of a TPM made here leads to the authority's root, for the key that the TPM shows."""
    paper = seat(tpm)[0]
    root = sha256_hex(authority().chain[-1])
    found = endorsement_of(paper, (root,), at=SystemClock().now())

    assert (found.model, found.root) == ("swtpm", root)
    assert read_paper(paper).enrolled.counter_index == 0x01805E51


@pytest.mark.parametrize("certified", [True, False], ids=["RSA with certificate", "without"])
def test_challenge_and_answer_bind_key_and_counter(certified: bool) -> None:
    """Only the TPM opens the challenge; its answer makes an enrolment, with a chain or (C1) without one."""
    with swtpm(certified=certified) as tpm:
        paper, seated, value = seat(tpm)
        challenge = challenge_paper(paper, DICE)
        answer = open_challenge(tpm.tcti, seated, challenge)
        enrolled, reading = verify_answer(paper, challenge, answer, secret=DICE.secret)

    assert reading.counter == value
    assert isinstance(enrolled, TpmEnrolled)
    assert len(enrolled.endorsement) == (3 if certified else 2)


def test_nothing_is_left_behind_in_the_tpm(tpm: SwTpm) -> None:
    """Ten enrolments' worth of work leave every slot for objects and sessions free."""
    paper, seated, _ = seat(tpm)
    challenge = challenge_paper(paper, DICE)
    for _ in range(10):
        open_challenge(tpm.tcti, seated, challenge)
    counter = counter_of(tpm, seated)
    for _ in range(50):
        counter.certify(CHALLENGE)

    line = TpmLine(tpm.tcti)
    for first in (0x80000000, 0x02000000, 0x03000000):
        assert line.ask(lambda open_, at=first: _handles(open_, at)) == []  # type: ignore[misc]  # a default
    line.close()


def _handles(tpm: object, first: int) -> list[int]:
    from tpm2_pytss import TPM2_CAP

    _, found = tpm.get_capability(TPM2_CAP.HANDLES, first, 8)  # type: ignore[attr-defined]  # untyped library
    return [int(handle) for handle in found.data.handles]


def test_a_killed_agent_leaves_nothing_behind(tpm: SwTpm, tmp_path: Path) -> None:
    """After ten kills in the midst of certifying, the counter still answers: nothing of theirs fills the TPM."""
    _, seated, value = seat(tpm)
    seated.save(tmp_path)
    code = (
        "import sys; from pathlib import Path\n"
        "from sekisho.adapters.devices.tpm_counter import TpmCounter\n"
        "from sekisho.adapters.devices.tpm_seat import TpmSeat\n"
        "counter = TpmCounter(sys.argv[1], TpmSeat.load(Path(sys.argv[2])))\n"
        "print(counter.read(), flush=True)\n"
        "while True: counter.certify('c0' * 16)\n"
    )
    command = [sys.executable, "-c", code, tpm.tcti, str(tmp_path)]
    for _ in range(5):
        child = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert child.stdout is not None
        assert int(child.stdout.readline()) == value
        time.sleep(0.02)
        child.kill()
        child.wait()
        child.stdout.close()

    assert counter_of(tpm, seated).step() == value + 1


def test_what_a_tpm_may_answer_has_a_name() -> None:
    """Lockout, wear and start-up pass; a missing index does not; a taken one is a conflict."""
    for code in (0x921, 0x920, 0x923, 0x100, 0x101, 0x922, 0x902):
        assert isinstance(_translate(code, code, "the TPM", ""), Unavailable)
    for code in (0x08B, 0x98E & 0x0BF, 0x0A2, 0x14A, 0x125):
        assert isinstance(_translate(code, code, "the TPM", ""), Corrupt)
    assert isinstance(_translate(0x14C, 0x14C, "the TPM", ""), StateConflict)
    assert isinstance(_translate(0xA000A, 0xA000A, "the TPM", "IO"), Unavailable)
    assert isinstance(_translate(0xB0921, 0x921, "the TPM", ""), Unavailable)


def test_its_library_is_silent(tpm: SwTpm) -> None:
    """Refusals are told by our errors alone, not on stderr by the library besides."""
    code = (
        "import sys\n"
        "from sekisho.adapters.devices.tpm_line import TpmLine\n"
        "from sekisho.model.errors import Corrupt\n"
        "try: TpmLine(sys.argv[1]).ask(lambda tpm: tpm.tr_from_tpmpublic(0x01800001))\n"
        "except Corrupt: print('named')\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "TSS2_LOG"}
    done = subprocess.run(
        [sys.executable, "-c", code, tpm.tcti],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=30,
    )

    assert (done.stdout, done.stderr) == ("named\n", "")
